//! Files of the cpu controller, which a root has too.

use standin::Controller;

use crate::cgroup::cpu::{show_burst, show_idle, store_burst, store_idle};
use crate::cgroup::rows::Kind::{Control, Derived};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::cpu::{
    show_local_stat, show_period, show_quota, show_rt_period, show_rt_runtime, show_shares,
    show_stat, store_period, store_quota, store_rt, store_shares,
};
use crate::profile::Release::{V6_12, V6_18};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Cpu), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("cpu.shares", Control(show_shares, store_shares)),
    row("cpu.idle", Control(show_idle, store_idle)),
    row("cpu.cfs_quota_us", Control(show_quota, store_quota)),
    row("cpu.cfs_period_us", Control(show_period, store_period)),
    row("cpu.cfs_burst_us", Control(show_burst, store_burst)),
    row("cpu.stat", Derived(show_stat)),
    row("cpu.stat.local", Derived(show_local_stat)).since(V6_12),
    // That kernel is built with groups of real-time threads, the others are not.
    row("cpu.rt_runtime_us", Control(show_rt_runtime, store_rt)).since(V6_18),
    row("cpu.rt_period_us", Control(show_rt_period, store_rt)).since(V6_18),
];
