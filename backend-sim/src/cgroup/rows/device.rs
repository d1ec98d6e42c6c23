//! Files of the controllers of devices' resources: rdma, misc, dmem. The machine has nothing that they limit, so their
//! files have no lines.

use standin::Controller;

use super::Kind::{Control, Fixed};
use super::{Class, Kind, Row};
use crate::cgroup::absent;
use crate::profile::Release::V6_12;

const fn row(controller: Controller, name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(controller), kind)
}

const NO_LINES: Kind = Fixed("");

const DMEM_LIMIT: Kind = Control(absent::show, absent::store_dmem);

pub(super) const ROWS: &[Row] = &[
    row(Controller::Rdma, "rdma.current", NO_LINES).not_on_root(),
    row(Controller::Rdma, "rdma.max", Control(absent::show, absent::store_rdma)).not_on_root(),
    row(Controller::Misc, "misc.capacity", NO_LINES).on_root_alone(),
    row(Controller::Misc, "misc.current", NO_LINES).on_root_since(V6_12),
    row(Controller::Misc, "misc.events", NO_LINES).not_on_root(),
    row(Controller::Misc, "misc.events.local", NO_LINES).not_on_root().since(V6_12),
    row(Controller::Misc, "misc.max", Control(absent::show, absent::store_misc)).not_on_root(),
    row(Controller::Misc, "misc.peak", NO_LINES).since(V6_12),
];

/// Those of dmem, which v1 has not.
pub(super) const DMEM: &[Row] = &[
    row(Controller::Dmem, "dmem.capacity", NO_LINES).on_root_alone(),
    row(Controller::Dmem, "dmem.current", NO_LINES),
    row(Controller::Dmem, "dmem.low", DMEM_LIMIT).not_on_root(),
    row(Controller::Dmem, "dmem.max", DMEM_LIMIT).not_on_root(),
    row(Controller::Dmem, "dmem.min", DMEM_LIMIT).not_on_root(),
];
