//! Files of the cpuset controller.

use standin::Controller;

use super::Access::{Read, ReadWrite};
use super::{Access, Class, Kind, Row};
use crate::profile::Release::V6_12;

const fn row(name: &'static str, access: Access) -> Row {
    Row::new(name, Class::Of(Controller::Cpuset), Kind::Unmodelled(access))
}

pub(super) const ROWS: &[Row] = &[
    row("cpuset.cpus", ReadWrite).not_on_root(),
    row("cpuset.cpus.effective", Read),
    row("cpuset.cpus.exclusive", ReadWrite).not_on_root().since(V6_12),
    row("cpuset.cpus.exclusive.effective", Read).not_on_root().since(V6_12),
    row("cpuset.cpus.isolated", Read).on_root_alone().since(V6_12),
    row("cpuset.cpus.partition", ReadWrite).not_on_root(),
    row("cpuset.mems", ReadWrite).not_on_root(),
    row("cpuset.mems.effective", Read),
];
