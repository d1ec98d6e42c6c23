//! Files of the hugetlb controller, for each size of huge pages that the processor has.
//!
//! The machine has no huge pages, so none is ever in use or reserved, and no limit is ever met.

use standin::Controller;

use super::Kind::{Fixed, Stored};
use super::{Class, Kind, Row};
use crate::cgroup::setting::{HUGE_1GB, HUGE_2MB};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Hugetlb), kind).not_on_root()
}

const NO_PAGES: Kind = Fixed("0\n");

const NO_EVENTS: Kind = Fixed("max 0\n");

const NO_PAGES_OF_NODES: Kind = Fixed("total=0 N0=0\n");

pub(super) const ROWS: &[Row] = &[
    row("hugetlb.1GB.current", NO_PAGES),
    row("hugetlb.1GB.events", NO_EVENTS),
    row("hugetlb.1GB.events.local", NO_EVENTS),
    row("hugetlb.1GB.max", Stored(&HUGE_1GB)),
    row("hugetlb.1GB.numa_stat", NO_PAGES_OF_NODES),
    row("hugetlb.1GB.rsvd.current", NO_PAGES),
    row("hugetlb.1GB.rsvd.max", Stored(&HUGE_1GB)),
    row("hugetlb.2MB.current", NO_PAGES),
    row("hugetlb.2MB.events", NO_EVENTS),
    row("hugetlb.2MB.events.local", NO_EVENTS),
    row("hugetlb.2MB.max", Stored(&HUGE_2MB)),
    row("hugetlb.2MB.numa_stat", NO_PAGES_OF_NODES),
    row("hugetlb.2MB.rsvd.current", NO_PAGES),
    row("hugetlb.2MB.rsvd.max", Stored(&HUGE_2MB)),
];
