//! memory.stat and memory.numa_stat: what the memory of a group is used for (cgroup-v2.rst, Memory).
//!
//! Of a group where no process is and nothing is charged all is zero; what it is in others is not modelled.

use standin::Failure;

use super::rows::Target;
use super::{memory, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// A line of memory.stat.
struct Line {
    name: &'static str,
    /// Not in 6.1.
    later: bool,
    /// memory.numa_stat has it too.
    by_node: bool,
}

impl Line {
    const fn later(mut self) -> Self {
        self.later = true;
        self
    }

    const fn by_node(mut self) -> Self {
        self.by_node = true;
        self
    }
}

const fn line(name: &'static str) -> Line {
    Line { name, later: false, by_node: false }
}

/// The lines in order (recorded: 6.1, 6.12).
static LINES: [Line; 60] = [
    line("anon").by_node(),
    line("file").by_node(),
    line("kernel"),
    line("kernel_stack").by_node(),
    line("pagetables").by_node(),
    line("sec_pagetables").by_node(),
    line("percpu"),
    line("sock"),
    line("vmalloc"),
    line("shmem").by_node(),
    line("file_mapped").by_node(),
    line("file_dirty").by_node(),
    line("file_writeback").by_node(),
    line("swapcached").by_node(),
    line("anon_thp").by_node(),
    line("file_thp").by_node(),
    line("shmem_thp").by_node(),
    line("inactive_anon").by_node(),
    line("active_anon").by_node(),
    line("inactive_file").by_node(),
    line("active_file").by_node(),
    line("unevictable").by_node(),
    line("slab_reclaimable").by_node(),
    line("slab_unreclaimable").by_node(),
    line("slab"),
    line("workingset_refault_anon").by_node(),
    line("workingset_refault_file").by_node(),
    line("workingset_activate_anon").by_node(),
    line("workingset_activate_file").by_node(),
    line("workingset_restore_anon").by_node(),
    line("workingset_restore_file").by_node(),
    line("workingset_nodereclaim").by_node(),
    line("pgdemote_kswapd").later().by_node(),
    line("pgdemote_direct").later().by_node(),
    line("pgdemote_khugepaged").later().by_node(),
    line("pgpromote_success").later().by_node(),
    line("pgscan"),
    line("pgsteal"),
    line("pgscan_kswapd"),
    line("pgscan_direct"),
    line("pgscan_khugepaged").later(),
    line("pgsteal_kswapd"),
    line("pgsteal_direct"),
    line("pgsteal_khugepaged").later(),
    line("pgfault"),
    line("pgmajfault"),
    line("pgrefill"),
    line("pgactivate"),
    line("pgdeactivate"),
    line("pglazyfree"),
    line("pglazyfreed"),
    line("swpin_zero").later(),
    line("swpout_zero").later(),
    line("thp_fault_alloc"),
    line("thp_collapse_alloc"),
    line("thp_swpout").later(),
    line("thp_swpout_fallback").later(),
    line("numa_pages_migrated").later(),
    line("numa_pte_updates").later(),
    line("numa_hint_faults").later(),
];

/// The lines that a group prints, all of them zero.
fn lines(kernel: &Kernel, target: Target) -> Result<impl Iterator<Item = &'static Line>, Failure> {
    let release = kernel.profile.release;
    if release > Release::V6_12 || memory::is_used(&kernel.cgroups, target.group) {
        return Err(Failure::NotModelled("what memory is used for"));
    }
    Ok(LINES.iter().filter(move |line| !line.later || release >= Release::V6_12))
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    for line in lines(kernel, target)? {
        value::print_keyed(line.name, 0, out);
    }
    Ok(())
}

/// The machine has one memory node.
pub(super) fn show_by_node(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    for line in lines(kernel, target)?.filter(|line| line.by_node) {
        out.extend_from_slice(line.name.as_bytes());
        out.extend_from_slice(b" N0=0\n");
    }
    Ok(())
}
