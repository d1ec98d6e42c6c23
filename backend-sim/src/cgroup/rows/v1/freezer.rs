//! Files of the freezer.

use standin::Controller;

use crate::cgroup::rows::Kind::{Control, Derived};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::freezer::{show_above, show_itself, show_state, store_state};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Freezer), kind).not_on_root()
}

pub(super) const ROWS: &[Row] = &[
    row("freezer.state", Control(show_state, store_state)),
    row("freezer.self_freezing", Derived(show_itself)),
    row("freezer.parent_freezing", Derived(show_above)),
];
