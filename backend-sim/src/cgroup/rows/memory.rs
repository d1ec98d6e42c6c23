//! Files of the memory controller, swap accounting among them.

use standin::Controller;

use super::Kind::{Acting, Command, Control, Derived, Stored, WrittenSince};
use super::{Class, Kind, Row};
use crate::cgroup::memory::{show_current, show_peak, store_peak};
use crate::cgroup::memory_limit::{store_high, store_max};
use crate::cgroup::setting::{MEMORY_LIMIT, MEMORY_PROTECTION, OOM_GROUP};
use crate::cgroup::{memory_events, memory_reclaim, memory_stat, swap};
use crate::profile::Release::V6_12;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Memory), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("memory.current", Derived(show_current)).not_on_root(),
    row("memory.events", Derived(memory_events::show)).not_on_root(),
    row("memory.events.local", Derived(memory_events::show_local)).not_on_root(),
    row("memory.high", Acting(&MEMORY_LIMIT, store_high)).not_on_root(),
    row("memory.low", Stored(&MEMORY_PROTECTION)).not_on_root(),
    row("memory.max", Acting(&MEMORY_LIMIT, store_max)).not_on_root(),
    row("memory.min", Stored(&MEMORY_PROTECTION)).not_on_root(),
    row("memory.numa_stat", Derived(memory_stat::show_by_node)),
    row("memory.oom.group", Stored(&OOM_GROUP)).not_on_root().delegated(),
    row("memory.peak", WrittenSince(V6_12, show_peak, store_peak)).not_on_root(),
    row("memory.reclaim", Command(memory_reclaim::store)).delegated(),
    row("memory.stat", Derived(memory_stat::show)),
    row("memory.swap.current", Derived(swap::show_none)).not_on_root(),
    row("memory.swap.events", Derived(swap::show_events)).not_on_root(),
    row("memory.swap.high", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.swap.max", Stored(&MEMORY_LIMIT)).not_on_root(),
    row("memory.swap.peak", Control(swap::show_none, swap::store_peak)).not_on_root().since(V6_12),
];
