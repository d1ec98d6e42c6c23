//! Files of the cpuset controller.

use standin::Controller;

use super::Kind::{Control, Derived};
use super::{Class, Kind, Row, Show};
use crate::cgroup::cpuset::{
    show_cpus, show_effective, show_effective_mems, show_exclusive, show_isolated, show_mems,
    show_own, show_partition, store_cpus, store_exclusive, store_mems, store_partition,
};
use crate::profile::Release::V6_12;

/// What a list of 8,192 processors or of 1,024 memory nodes may take.
pub(super) const CPU_LIST: usize = 100 + 6 * 8192;
pub(super) const NODE_LIST: usize = 100 + 6 * 1024;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Cpuset), kind).not_on_root()
}

const fn effective(name: &'static str, show: Show) -> Row {
    Row::new(name, Class::Of(Controller::Cpuset), Derived(show))
}

pub(super) const ROWS: &[Row] = &[
    row("cpuset.cpus", Control(show_cpus, store_cpus)).up_to(CPU_LIST),
    effective("cpuset.cpus.effective", show_effective),
    row("cpuset.cpus.exclusive", Control(show_exclusive, store_exclusive))
        .up_to(CPU_LIST)
        .since(V6_12),
    row("cpuset.cpus.exclusive.effective", Derived(show_own)).since(V6_12),
    effective("cpuset.cpus.isolated", show_isolated).on_root_alone().since(V6_12),
    row("cpuset.cpus.partition", Control(show_partition, store_partition)),
    row("cpuset.mems", Control(show_mems, store_mems)).up_to(NODE_LIST),
    effective("cpuset.mems.effective", show_effective_mems),
];
