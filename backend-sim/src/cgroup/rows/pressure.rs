//! Pressure stall files. None of the kernels counts time in interrupts, so there is no irq.pressure.

use super::Kind::Control;
use super::{Class, Row};
use crate::cgroup::pressure::{show, show_cpu, show_memory, show_switch, store, store_switch};

pub(super) const ROWS: &[Row] = &[
    Row::new("cgroup.pressure", Class::Core, Control(show_switch, store_switch)),
    Row::new("cpu.pressure", Class::Pressure, Control(show_cpu, store)),
    Row::new("io.pressure", Class::Pressure, Control(show, store)),
    Row::new("memory.pressure", Class::Pressure, Control(show_memory, store)),
];
