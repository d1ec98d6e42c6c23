//! Files of the cpu controller, but for cpu.stat, which every group has.

use standin::Controller;

use super::Access::ReadWrite;
use super::Kind::{Stored, Unmodelled};
use super::{Class, Kind, Row};
use crate::cgroup::setting::CPU_WEIGHT;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Cpu), kind).not_on_root()
}

pub(super) const ROWS: &[Row] = &[
    row("cpu.idle", Unmodelled(ReadWrite)),
    row("cpu.max", Unmodelled(ReadWrite)),
    row("cpu.max.burst", Unmodelled(ReadWrite)),
    row("cpu.weight", Stored(&CPU_WEIGHT)),
    row("cpu.weight.nice", Unmodelled(ReadWrite)),
];
