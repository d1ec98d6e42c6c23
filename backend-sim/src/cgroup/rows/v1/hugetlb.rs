//! Files of the hugetlb controller in v1, for each size of huge pages that the processor has.
//!
//! The machine has no huge pages: see those of v2.

use standin::Controller;

use crate::cgroup::absent::{forget, show_none};
use crate::cgroup::rows::Kind::{Acting, Control, Fixed};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::setting::{self, HUGE_1GB_V1, HUGE_2MB_V1};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Hugetlb), kind)
}

const LIMIT_2MB: Kind = Acting(&HUGE_2MB_V1, setting::store_below_root);

const LIMIT_1GB: Kind = Acting(&HUGE_1GB_V1, setting::store_below_root);

const NO_PAGES: Kind = Fixed("0\n");

/// What was counted; whatever is written sets it back.
const NOTHING_COUNTED: Kind = Control(show_none, forget);

const NO_PAGES_OF_NODES: Kind = Fixed("total=0 N0=0\nhierarchical_total=0 N0=0\n");

pub(super) const ROWS: &[Row] = &[
    row("hugetlb.1GB.failcnt", NOTHING_COUNTED),
    row("hugetlb.1GB.limit_in_bytes", LIMIT_1GB),
    row("hugetlb.1GB.max_usage_in_bytes", NOTHING_COUNTED),
    row("hugetlb.1GB.numa_stat", NO_PAGES_OF_NODES),
    row("hugetlb.1GB.rsvd.failcnt", NOTHING_COUNTED),
    row("hugetlb.1GB.rsvd.limit_in_bytes", LIMIT_1GB),
    row("hugetlb.1GB.rsvd.max_usage_in_bytes", NOTHING_COUNTED),
    row("hugetlb.1GB.rsvd.usage_in_bytes", NO_PAGES),
    row("hugetlb.1GB.usage_in_bytes", NO_PAGES),
    row("hugetlb.2MB.failcnt", NOTHING_COUNTED),
    row("hugetlb.2MB.limit_in_bytes", LIMIT_2MB),
    row("hugetlb.2MB.max_usage_in_bytes", NOTHING_COUNTED),
    row("hugetlb.2MB.numa_stat", NO_PAGES_OF_NODES),
    row("hugetlb.2MB.rsvd.failcnt", NOTHING_COUNTED),
    row("hugetlb.2MB.rsvd.limit_in_bytes", LIMIT_2MB),
    row("hugetlb.2MB.rsvd.max_usage_in_bytes", NOTHING_COUNTED),
    row("hugetlb.2MB.rsvd.usage_in_bytes", NO_PAGES),
    row("hugetlb.2MB.usage_in_bytes", NO_PAGES),
];
