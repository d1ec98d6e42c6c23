//! Files of the cpuacct controller.

use standin::Controller;

use crate::cgroup::rows::Kind::{Control, Derived};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::account::{
    show_all, show_by_processor, show_stat, show_system, show_system_by_processor, show_usage,
    store_usage,
};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Cpuacct), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("cpuacct.usage", Control(show_usage, store_usage)),
    row("cpuacct.usage_user", Derived(show_usage)),
    row("cpuacct.usage_sys", Derived(show_system)),
    row("cpuacct.usage_percpu", Derived(show_by_processor)),
    row("cpuacct.usage_percpu_user", Derived(show_by_processor)),
    row("cpuacct.usage_percpu_sys", Derived(show_system_by_processor)),
    row("cpuacct.usage_all", Derived(show_all)),
    row("cpuacct.stat", Derived(show_stat)),
];
