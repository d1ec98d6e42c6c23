//! /proc/meminfo: what the machine's memory is used for (proc_meminfo(5)).
//!
//! Processes use what they asked for, files what is in them; everything else is free. What a kernel has besides (caches of
//! disks, its own tables) a machine has not, so these are 0.

use crate::cgroup;
use crate::fs::content::PAGE;
use crate::kernel::Kernel;
use crate::profile::Release;

/// What a line tells.
#[derive(Clone, Copy)]
enum Amount {
    /// Nothing that a machine has.
    None,
    All,
    Free,
    Processes,
    /// The page tables of that.
    Tables,
    Files,
    /// That of processes and files, on kernels whose new memory counts as active first; and on the others (recorded in memory.stat).
    WhereNewIsActive,
    WhereNewIsInactive,
    Swap,
    /// What may be promised to processes if no more is promised than there is: half of it, and what can be swapped.
    Promisable,
    /// The same on every machine.
    Same(u64),
}

/// A line.
struct Row {
    name: &'static str,
    amount: Amount,
    since: Release,
    until: Release,
}

const fn row(name: &'static str, amount: Amount) -> Row {
    Row { name, amount, since: Release::V6_1, until: Release::V6_18 }
}

const fn none(name: &'static str) -> Row {
    row(name, Amount::None)
}

impl Row {
    const fn since(self, since: Release) -> Self {
        Self { since, ..self }
    }

    const fn until(self, until: Release) -> Self {
        Self { until, ..self }
    }
}

/// Addresses that a kernel of 64 bits has for itself, and the size of a huge page, in KiB.
const ADDRESSES: Amount = Amount::Same(34_359_738_367);
const HUGE_PAGE: Amount = Amount::Same(2048);

/// The lines in order (recorded).
const ROWS: [Row; 56] = [
    row("MemTotal", Amount::All),
    row("MemFree", Amount::Free),
    row("MemAvailable", Amount::Free),
    none("Buffers"),
    row("Cached", Amount::Files),
    none("SwapCached"),
    row("Active", Amount::WhereNewIsActive),
    row("Inactive", Amount::WhereNewIsInactive),
    row("Active(anon)", Amount::WhereNewIsActive),
    row("Inactive(anon)", Amount::WhereNewIsInactive),
    none("Active(file)"),
    none("Inactive(file)"),
    none("Unevictable"),
    none("Mlocked"),
    row("SwapTotal", Amount::Swap),
    row("SwapFree", Amount::Swap),
    none("Zswap").since(Release::V6_18),
    none("Zswapped").since(Release::V6_18),
    none("Dirty"),
    none("Writeback"),
    row("AnonPages", Amount::Processes),
    none("Mapped"),
    row("Shmem", Amount::Files),
    none("KReclaimable"),
    none("Slab"),
    none("SReclaimable"),
    none("SUnreclaim"),
    none("KernelStack"),
    row("PageTables", Amount::Tables),
    none("SecPageTables"),
    none("NFS_Unstable"),
    none("Bounce"),
    none("WritebackTmp"),
    row("CommitLimit", Amount::Promisable),
    row("Committed_AS", Amount::Processes),
    row("VmallocTotal", ADDRESSES),
    none("VmallocUsed"),
    none("VmallocChunk"),
    none("Percpu"),
    none("HardwareCorrupted").since(Release::V6_12).until(Release::V6_12),
    none("AnonHugePages"),
    none("ShmemHugePages"),
    none("ShmemPmdMapped"),
    none("FileHugePages"),
    none("FilePmdMapped"),
    none("Unaccepted").since(Release::V6_12).until(Release::V6_12),
    none("Balloon").since(Release::V6_18),
    none("HugePages_Total"),
    none("HugePages_Free"),
    none("HugePages_Rsvd"),
    none("HugePages_Surp"),
    row("Hugepagesize", HUGE_PAGE),
    none("Hugetlb"),
    none("DirectMap4k"),
    none("DirectMap2M"),
    none("DirectMap1G"),
];

/// Prints it.
pub(super) fn print(kernel: &Kernel, out: &mut Vec<u8>) {
    let (all, swap) = (kernel.profile.memory.0, kernel.profile.swap.0);
    let [processes, tables] = cgroup::memory_stat::of_processes(kernel);
    let files = kernel.vfs.rooms.iter().map(|(_, room)| room.pages * PAGE).sum();
    let used = processes.saturating_add(files);
    let release = kernel.profile.release;
    for row in ROWS.iter().filter(|row| (row.since..=row.until).contains(&release)) {
        let kib = match row.amount {
            Amount::None => 0,
            Amount::All => all / 1024,
            Amount::Free => all.saturating_sub(used).saturating_sub(tables) / 1024,
            Amount::Processes => processes / 1024,
            Amount::Tables => tables / 1024,
            Amount::Files => files / 1024,
            Amount::WhereNewIsActive if release >= Release::V6_12 => used / 1024,
            Amount::WhereNewIsInactive if release < Release::V6_12 => used / 1024,
            Amount::WhereNewIsActive | Amount::WhereNewIsInactive => 0,
            Amount::Swap => swap / 1024,
            Amount::Promisable => (all / 2).saturating_add(swap) / 1024,
            Amount::Same(kib) => kib,
        };
        // Huge pages are counted, all else is measured.
        let unit = if row.name.starts_with("HugePages_") { "" } else { " kB" };
        let name = format!("{}:", row.name);
        out.extend_from_slice(format!("{name:<16}{kib:8}{unit}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use standin::backend::Processes as _;
    use standin::fs;
    use standin::id::Bytes;

    use crate::Machine;

    #[test]
    fn what_processes_and_files_use_is_not_free() {
        let machine = Machine::builder().memory(Bytes(1 << 30)).build();
        let root = machine.root();
        let line = |name: &str| {
            let text = fs::read_to_string(&root, "/proc/meminfo").unwrap();
            text.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
        };
        assert_eq!(line("MemTotal"), "MemTotal:        1048576 kB");
        assert_eq!(line("MemFree"), "MemFree:         1048576 kB");
        root.use_memory(Bytes(1 << 20)).unwrap();
        fs::write(&root, "/mnt/file", [7; 8192]).unwrap();
        assert_eq!(line("AnonPages"), "AnonPages:          1024 kB");
        assert_eq!(line("PageTables"), "PageTables:            4 kB");
        assert_eq!(line("Shmem"), "Shmem:                 8 kB");
        assert_eq!(line("MemFree"), "MemFree:         1047540 kB");
        assert_eq!(line("HugePages_Total"), "HugePages_Total:       0");
    }
}
