//! Files of the controllers of devices' resources: rdma, misc, dmem.

use standin::Controller;

use super::Access::{Read, ReadWrite};
use super::{Access, Class, Kind, Row};
use crate::profile::Release::V6_12;

const fn row(controller: Controller, name: &'static str, access: Access) -> Row {
    Row::new(name, Class::Of(controller), Kind::Unmodelled(access))
}

pub(super) const ROWS: &[Row] = &[
    row(Controller::Rdma, "rdma.current", Read).not_on_root(),
    row(Controller::Rdma, "rdma.max", ReadWrite).not_on_root(),
    row(Controller::Misc, "misc.capacity", Read).on_root_alone(),
    row(Controller::Misc, "misc.current", Read).on_root_since(V6_12),
    row(Controller::Misc, "misc.events", Read).not_on_root(),
    row(Controller::Misc, "misc.events.local", Read).not_on_root().since(V6_12),
    row(Controller::Misc, "misc.max", ReadWrite).not_on_root(),
    row(Controller::Misc, "misc.peak", Read).since(V6_12),
    row(Controller::Dmem, "dmem.capacity", Read).on_root_alone(),
    row(Controller::Dmem, "dmem.current", Read),
    row(Controller::Dmem, "dmem.low", ReadWrite).not_on_root(),
    row(Controller::Dmem, "dmem.max", ReadWrite).not_on_root(),
    row(Controller::Dmem, "dmem.min", ReadWrite).not_on_root(),
];
