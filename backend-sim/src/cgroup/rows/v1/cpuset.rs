//! Files of the cpuset controller.

use standin::Controller;

use crate::cgroup::rows::Kind::{Control, Derived, Fixed};
use crate::cgroup::rows::cpuset::{CPU_LIST, NODE_LIST};
use crate::cgroup::rows::{Class, Kind, Row};
use crate::cgroup::v1::cpuset::{
    CPU_EXCLUSIVE, LOAD_BALANCE, MEM_EXCLUSIVE, MEM_HARDWALL, MEMORY_MIGRATE, SPREAD_PAGE,
    SPREAD_SLAB, show_cpus, show_effective_cpus, show_effective_mems, show_flag, show_mems,
    show_pressure_enabled, show_relax_level, store_cpus, store_flag, store_mems,
    store_pressure_enabled, store_relax_level,
};

const fn row(name: &'static str, kind: Kind) -> Row {
    Row::new(name, Class::Of(Controller::Cpuset), kind)
}

const fn flag<const FLAG: u8>(name: &'static str) -> Row {
    row(name, Control(show_flag::<FLAG>, store_flag::<FLAG>))
}

pub(super) const ROWS: &[Row] = &[
    row("cpuset.cpus", Control(show_cpus, store_cpus)).up_to(CPU_LIST),
    row("cpuset.mems", Control(show_mems, store_mems)).up_to(NODE_LIST),
    row("cpuset.effective_cpus", Derived(show_effective_cpus)),
    row("cpuset.effective_mems", Derived(show_effective_mems)),
    flag::<CPU_EXCLUSIVE>("cpuset.cpu_exclusive"),
    flag::<MEM_EXCLUSIVE>("cpuset.mem_exclusive"),
    flag::<MEM_HARDWALL>("cpuset.mem_hardwall"),
    flag::<LOAD_BALANCE>("cpuset.sched_load_balance"),
    row("cpuset.sched_relax_domain_level", Control(show_relax_level, store_relax_level)),
    flag::<MEMORY_MIGRATE>("cpuset.memory_migrate"),
    row("cpuset.memory_pressure", Fixed("0\n")),
    flag::<SPREAD_PAGE>("cpuset.memory_spread_page"),
    flag::<SPREAD_SLAB>("cpuset.memory_spread_slab"),
    row("cpuset.memory_pressure_enabled", Control(show_pressure_enabled, store_pressure_enabled))
        .on_root_alone(),
];
