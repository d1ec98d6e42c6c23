//! Files of the memory controller, swap accounting among them. The root has them all.

use standin::Controller;

use crate::cgroup::rows::Kind::{Acting, Command, Control, Derived, Fixed, Stored};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::setting::{MEMORY_LIMIT_V1, MOVED_CHARGES};
use crate::cgroup::v1::memory::{
    MEMORY, WITH_SWAP, reset_failures, reset_peak, show_failures, show_hierarchy, show_kernel,
    show_none, show_peak, show_swappiness, show_usage, store_empty, store_hierarchy,
    store_kernel_limit, store_limit, store_limit_with_swap, store_swappiness, store_tcp_limit,
    take_anything, take_nothing,
};
use crate::cgroup::v1::{memory_move, memory_oom, memory_stat, memory_watch};
use crate::profile::Release::V6_18;

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Memory), kind)
}

pub(super) const ROWS: &[Row] = &[
    row("cgroup.event_control", Command(memory_watch::store)).bits(0o222).bits_since(V6_18, 0o200),
    row("memory.usage_in_bytes", Derived(show_usage)),
    row("memory.max_usage_in_bytes", Control(show_peak::<MEMORY>, reset_peak::<MEMORY>)),
    row("memory.limit_in_bytes", Acting(&MEMORY_LIMIT_V1, store_limit)),
    row("memory.soft_limit_in_bytes", Stored(&MEMORY_LIMIT_V1)),
    row("memory.failcnt", Control(show_failures::<MEMORY>, reset_failures::<MEMORY>)),
    row("memory.stat", Derived(memory_stat::show)),
    row("memory.force_empty", Command(store_empty)),
    row("memory.use_hierarchy", Control(show_hierarchy, store_hierarchy)),
    row("memory.swappiness", Control(show_swappiness, store_swappiness)),
    row("memory.move_charge_at_immigrate", Acting(&MOVED_CHARGES, memory_move::store)),
    row("memory.oom_control", Control(memory_oom::show, memory_oom::store)),
    row("memory.pressure_level", Command(take_nothing)).bits(0).bits_since(V6_18, 0o444),
    row("memory.numa_stat", Derived(memory_stat::show_by_node)),
    row("memory.kmem.limit_in_bytes", Acting(&MEMORY_LIMIT_V1, store_kernel_limit)),
    row("memory.kmem.usage_in_bytes", Derived(show_kernel)),
    row("memory.kmem.failcnt", Control(show_none, take_anything)),
    row("memory.kmem.max_usage_in_bytes", Control(show_kernel, take_anything)),
    row("memory.kmem.slabinfo", Fixed("")),
    row("memory.kmem.tcp.limit_in_bytes", Acting(&MEMORY_LIMIT_V1, store_tcp_limit)),
    row("memory.kmem.tcp.usage_in_bytes", Derived(show_none)),
    row("memory.kmem.tcp.failcnt", Control(show_none, take_anything)),
    row("memory.kmem.tcp.max_usage_in_bytes", Control(show_none, take_anything)),
    row("memory.memsw.usage_in_bytes", Derived(show_usage)),
    row(
        "memory.memsw.max_usage_in_bytes",
        Control(show_peak::<WITH_SWAP>, reset_peak::<WITH_SWAP>),
    ),
    row("memory.memsw.limit_in_bytes", Acting(&MEMORY_LIMIT_V1, store_limit_with_swap)),
    row("memory.memsw.failcnt", Control(show_failures::<WITH_SWAP>, reset_failures::<WITH_SWAP>)),
];
