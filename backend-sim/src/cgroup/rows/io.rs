//! Files of the io controller.

use standin::Controller;

use super::Access::{Read, ReadWrite};
use super::{Access, Class, Kind, Row};
use crate::profile::Release::V6_18;

const fn row(name: &'static str, access: Access) -> Row {
    Row::new(name, Class::Of(Controller::Io), Kind::Unmodelled(access))
}

pub(super) const ROWS: &[Row] = &[
    // The BFQ scheduler is built into the 6.18 kernel; in the others it is a module that is not loaded.
    row("io.bfq.weight", ReadWrite).not_on_root().since(V6_18),
    row("io.cost.model", ReadWrite).on_root_alone(),
    row("io.cost.qos", ReadWrite).on_root_alone(),
    row("io.max", ReadWrite).not_on_root(),
    row("io.stat", Read),
    row("io.weight", ReadWrite).not_on_root(),
];
