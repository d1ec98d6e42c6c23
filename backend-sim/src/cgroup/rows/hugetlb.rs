//! Files of the hugetlb controller, for each size of huge pages that the processor has.

use standin::Controller;

use super::Access::Read;
use super::Kind::{Stored, Unmodelled};
use super::{Class, Kind, Row};
use crate::cgroup::setting::{HUGE_1GB, HUGE_2MB};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Hugetlb), kind).not_on_root()
}

pub(super) const ROWS: &[Row] = &[
    row("hugetlb.1GB.current", Unmodelled(Read)),
    row("hugetlb.1GB.events", Unmodelled(Read)),
    row("hugetlb.1GB.events.local", Unmodelled(Read)),
    row("hugetlb.1GB.max", Stored(&HUGE_1GB)),
    row("hugetlb.1GB.numa_stat", Unmodelled(Read)),
    row("hugetlb.1GB.rsvd.current", Unmodelled(Read)),
    row("hugetlb.1GB.rsvd.max", Stored(&HUGE_1GB)),
    row("hugetlb.2MB.current", Unmodelled(Read)),
    row("hugetlb.2MB.events", Unmodelled(Read)),
    row("hugetlb.2MB.events.local", Unmodelled(Read)),
    row("hugetlb.2MB.max", Stored(&HUGE_2MB)),
    row("hugetlb.2MB.numa_stat", Unmodelled(Read)),
    row("hugetlb.2MB.rsvd.current", Unmodelled(Read)),
    row("hugetlb.2MB.rsvd.max", Stored(&HUGE_2MB)),
];
