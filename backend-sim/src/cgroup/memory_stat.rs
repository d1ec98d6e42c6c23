//! memory.stat and memory.numa_stat: what the memory of a group is used for (cgroup-v2.rst, Memory).
//!
//! Charged are anonymous memory and the page tables that it takes, so all other lines are zero; so is what processes have
//! besides, as in memory.current.

use standin::Failure;

use super::rows::Target;
use super::setting::PAGE;
use super::{memory, value};
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// Pages that one page of a page table maps.
const TABLE_REACH_PAGES: u64 = 512;

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

/// Anonymous memory of all processes, and the page tables that it takes, in bytes.
pub(crate) fn of_processes(kernel: &Kernel) -> [u64; 2] {
    let charged = memory::charged(&kernel.cgroups);
    let anonymous = anonymous(charged);
    [anonymous, charged - anonymous]
}

/// How much of what was charged is anonymous memory; the rest are page tables.
pub(super) fn anonymous(charged: u64) -> u64 {
    let pages = charged / PAGE;
    (pages - pages.div_ceil(TABLE_REACH_PAGES + 1)) * PAGE
}

/// What a group, or the whole machine, has of a line.
#[derive(Clone, Copy)]
struct Used {
    anonymous: u64,
    tables: u64,
    release: Release,
}

impl Used {
    fn by(kernel: &Kernel, target: Target) -> Result<Self, Failure> {
        let release = kernel.profile.release;
        if release > Release::V6_12 {
            return Err(Failure::NotModelled("what memory is used for"));
        }
        let used = memory::used(&kernel.cgroups, target.group);
        let anonymous = anonymous(used);
        Ok(Self { anonymous, tables: used - anonymous, release })
    }

    /// The value of a line. Memory that was just used is inactive in 6.1, and active for the generations of 6.12.
    fn of(self, line: &Line) -> u64 {
        let new = if self.release < Release::V6_12 { "inactive_anon" } else { "active_anon" };
        match line.name {
            "anon" => self.anonymous,
            "kernel" | "pagetables" => self.tables,
            name if name == new => self.anonymous,
            _ => 0,
        }
    }

    fn lines(self) -> impl Iterator<Item = &'static Line> {
        LINES.iter().filter(move |line| !line.later || self.release >= Release::V6_12)
    }
}

pub(super) fn show(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let used = Used::by(kernel, target)?;
    for line in used.lines() {
        value::print_keyed(line.name, used.of(line), out);
    }
    Ok(())
}

/// The machine has one memory node.
pub(super) fn show_by_node(kernel: &Kernel, target: Target, out: &mut Vec<u8>) -> Step<()> {
    let used = Used::by(kernel, target)?;
    for line in used.lines().filter(|line| line.by_node) {
        out.extend_from_slice(line.name.as_bytes());
        out.extend_from_slice(b" N0=");
        value::print_line(used.of(line), out);
    }
    Ok(())
}
