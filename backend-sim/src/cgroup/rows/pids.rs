//! Files of the pids controller.

use standin::Controller;

use super::Kind::{Control, Derived};
use super::{Class, Kind, Row};
use crate::cgroup::pids::{
    show_current, show_events, show_local_events, show_max, show_peak, store_max,
};
use crate::profile::Release::V6_12;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Pids), kind).not_on_root()
}

pub(super) const ROWS: &[Row] = &[
    row("pids.current", Derived(show_current)),
    row("pids.events", Derived(show_events)),
    row("pids.max", Control(show_max, store_max)),
    row("pids.peak", Derived(show_peak)),
];

/// Those that v1 has not.
pub(super) const LOCAL: &[Row] =
    &[row("pids.events.local", Derived(show_local_events)).since(V6_12)];
