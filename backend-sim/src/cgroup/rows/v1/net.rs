//! Files of the controllers of networks, net_cls and net_prio.

use standin::Controller;

use crate::cgroup::rows::Kind::{Control, Derived};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::net::{
    show_class, show_index, show_priorities, store_class, store_priority,
};

const fn row(name: &'static str, controller: Controller, kind: Kind) -> Row {
    Row::new(name, Class::Of(controller), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("net_cls.classid", Controller::NetCls, Control(show_class, store_class)),
    row("net_prio.prioidx", Controller::NetPrio, Derived(show_index)),
    row("net_prio.ifpriomap", Controller::NetPrio, Control(show_priorities, store_priority)),
];
