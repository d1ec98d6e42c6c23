//! Files of every group, whatever controllers it has.

use super::Kind::{Command, Control, Derived};
use super::{Class, Kind, Row};
use crate::cgroup::{
    enable, events, freeze, hierarchy_limit, kill, processor, procs, stat, threaded,
};
use crate::profile::Release::{V6_12, V6_18};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Core, kind)
}

pub(super) const ROWS: &[Row] = &[
    row("cgroup.controllers", Derived(enable::show_controllers)),
    row("cgroup.events", Derived(events::show)).not_on_root(),
    row("cgroup.freeze", Control(freeze::show, freeze::store)).not_on_root(),
    row("cgroup.kill", Command(kill::store)).not_on_root(),
    row("cgroup.max.depth", Control(hierarchy_limit::show_depth, hierarchy_limit::store_depth)),
    row(
        "cgroup.max.descendants",
        Control(hierarchy_limit::show_descendants, hierarchy_limit::store_descendants),
    ),
    row("cgroup.procs", Control(procs::show_processes, procs::store_process)).delegated(),
    row("cgroup.stat", Derived(stat::show)),
    row("cgroup.stat.local", Derived(stat::show_local)).not_on_root().since(V6_18),
    row("cgroup.subtree_control", Control(enable::show, enable::store)).delegated(),
    row("cgroup.threads", Control(procs::show_threads, procs::store_thread)).delegated(),
    row("cgroup.type", Control(threaded::show, threaded::store)).not_on_root(),
    row("cpu.stat", Derived(processor::show_stat)),
    row("cpu.stat.local", Derived(processor::show_local_stat)).since(V6_12),
];
