//! Files of every v1 group, whatever its controllers are.

use crate::cgroup::rows::Kind::{Control, Fixed};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::core::{
    show_agent, show_clone, show_notify, store_agent, store_clone, store_notify,
};
use crate::cgroup::v1::members::{show, store_process, store_task};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Core, kind)
}

/// Bytes of the longest path, without its NUL.
const LONGEST_PATH: usize = 4095;

pub(super) const ROWS: &[Row] = &[
    row("cgroup.procs", Control(show, store_process)),
    row("cgroup.clone_children", Control(show_clone, store_clone)),
    row("cgroup.sane_behavior", Fixed("0\n")).on_root_alone(),
    row("tasks", Control(show, store_task)),
    row("notify_on_release", Control(show_notify, store_notify)),
    row("release_agent", Control(show_agent, store_agent)).on_root_alone().up_to(LONGEST_PATH),
];
