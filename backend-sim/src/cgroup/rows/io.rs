//! Files of the io controller.

use standin::Controller;

use super::Kind::{Control, Derived, Unmodelled};
use super::{Class, Kind, Row};
use crate::cgroup::io::{show_max, show_stat, show_weight, store_max, store_weight};
use crate::cgroup::io_cost::{show_model, show_qos, store_model, store_qos};
use crate::profile::Release::V6_18;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Io), kind)
}

pub(super) const ROWS: &[Row] = &[
    // The BFQ scheduler is built into the 6.18 kernel; in the others it is a module that is not loaded.
    row("io.bfq.weight", Unmodelled).not_on_root().since(V6_18),
    row("io.cost.model", Control(show_model, store_model)).on_root_alone(),
    row("io.cost.qos", Control(show_qos, store_qos)).on_root_alone(),
    row("io.max", Control(show_max, store_max)).not_on_root(),
    row("io.stat", Derived(show_stat)),
    row("io.weight", Control(show_weight, store_weight)).not_on_root(),
];
