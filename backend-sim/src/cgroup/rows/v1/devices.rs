//! Files of the devices controller.

use standin::Controller;

use crate::cgroup::rows::Kind::{Command, Derived};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::devices::{allow, deny, show};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Devices), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("devices.allow", Command(allow)),
    row("devices.deny", Command(deny)),
    row("devices.list", Derived(show)),
];
