//! Files of the memory controller, swap accounting among them.

use standin::Controller;

use super::Access::{Read, ReadWrite, Write, WrittenSince};
use super::Kind::{Stored, Unmodelled};
use super::{Class, Kind, Row};
use crate::cgroup::setting::{MEMORY_LIMIT, MEMORY_PROTECTION, OOM_GROUP};
use crate::profile::Release::V6_12;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Memory), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("memory.current", Unmodelled(Read)).not_on_root(),
    row("memory.events", Unmodelled(Read)).not_on_root(),
    row("memory.events.local", Unmodelled(Read)).not_on_root(),
    row("memory.high", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.low", Stored(&MEMORY_PROTECTION)).not_on_root(),
    row("memory.max", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.min", Stored(&MEMORY_PROTECTION)).not_on_root(),
    row("memory.numa_stat", Unmodelled(Read)),
    row("memory.oom.group", Stored(&OOM_GROUP)).not_on_root(),
    row("memory.peak", Unmodelled(WrittenSince(V6_12))).not_on_root(),
    row("memory.reclaim", Unmodelled(Write)),
    row("memory.stat", Unmodelled(Read)),
    row("memory.swap.current", Unmodelled(Read)).not_on_root(),
    row("memory.swap.events", Unmodelled(Read)).not_on_root(),
    row("memory.swap.high", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.swap.max", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.swap.peak", Unmodelled(ReadWrite)).not_on_root().since(V6_12),
];
