//! Files of the cpu controller, but for cpu.stat, which every group has.

use standin::Controller;

use super::Kind::Control;
use super::{Class, Row, Show, Store};
use crate::cgroup::cpu::{
    show_burst, show_idle, show_max, show_nice, show_weight, store_burst, store_idle, store_max,
    store_nice, store_weight,
};

const fn row(name: &'static str, show: Show, store: Store) -> Row {
    Row::new(name, Class::Of(Controller::Cpu), Control(show, store)).not_on_root()
}

pub(super) const ROWS: &[Row] = &[
    row("cpu.idle", show_idle, store_idle),
    row("cpu.max", show_max, store_max),
    row("cpu.max.burst", show_burst, store_burst),
    row("cpu.weight", show_weight, store_weight),
    row("cpu.weight.nice", show_nice, store_nice),
];
