//! Files of the io controller. The machine has no block devices.

use standin::Controller;

use super::Access::ReadWrite;
use super::Kind::{Control, Fixed, Stored, Unmodelled};
use super::{Class, Kind, Row};
use crate::cgroup::absent;
use crate::cgroup::setting::IO_WEIGHT;
use crate::profile::Release::V6_18;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Io), kind)
}

/// A line a device.
const OF_DEVICES: Kind = Control(absent::show, absent::store_block);

pub(super) const ROWS: &[Row] = &[
    // The BFQ scheduler is built into the 6.18 kernel; in the others it is a module that is not loaded.
    row("io.bfq.weight", Unmodelled(ReadWrite)).not_on_root().since(V6_18),
    row("io.cost.model", OF_DEVICES).on_root_alone(),
    row("io.cost.qos", OF_DEVICES).on_root_alone(),
    row("io.max", OF_DEVICES).not_on_root(),
    row("io.stat", Fixed("")),
    row("io.weight", Stored(&IO_WEIGHT)).not_on_root(),
];
