//! What a process's memory looks like in /proc: that of the small sleeping program that was recorded on each kernel, the
//! same for all, since no memory is modelled of which a process could have more or less.

use crate::profile::Release;

/// What a process has, as each kernel showed it.
pub(super) struct Memory {
    release: Release,
    /// The memory lines of /proc/PID/status.
    pub(super) status: &'static [u8],
    /// Fields 23 and 24 of /proc/PID/stat: bytes of address space, resident pages.
    pub(super) stat: &'static [u8],
    /// /proc/PID/statm
    pub(super) statm: &'static [u8],
}

/// The lines; arguments are right-aligned to eight places.
macro_rules! status {
    ($size:literal $high:literal $anonymous:literal $file:literal $shared:literal $data:literal $tables:literal) => {
        concat!(
            "VmPeak:\t",
            $size,
            " kB\nVmSize:\t",
            $size,
            " kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\nVmHWM:\t",
            $high,
            " kB\nVmRSS:\t",
            $high,
            " kB\nRssAnon:\t",
            $anonymous,
            " kB\nRssFile:\t",
            $file,
            " kB\nRssShmem:\t",
            $shared,
            " kB\nVmData:\t",
            $data,
            " kB\nVmStk:\t     132 kB\nVmExe:\t     632 kB\n",
            "VmLib:\t       8 kB\nVmPTE:\t",
            $tables,
            " kB\nVmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\n",
            "CoreDumping:\t0\nTHP_enabled:\t1\n"
        )
        .as_bytes()
    };
}

const RECORDED: [Memory; 3] = [
    Memory {
        release: Release::V6_1,
        status: status!("    3548" "     168" "     160" "       0" "       8" "    2552" "      32"),
        stat: b" 3633152 42",
        statm: b"887 42 2 158 0 671 0\n",
    },
    Memory {
        release: Release::V6_12,
        status: status!("    3548" "     296" "     160" "       0" "     136" "    2552" "      44"),
        stat: b" 3633152 74",
        statm: b"887 74 34 158 0 671 0\n",
    },
    Memory {
        release: Release::V6_18,
        status: status!("    3556" "     252" "     116" "     136" "       0" "    2552" "      44"),
        stat: b" 3641344 63",
        statm: b"889 63 34 158 0 671 0\n",
    },
];

/// Fields 26 to 28 of /proc/PID/stat: where code and stack are, for who may look and for others.
pub(super) const CODE_AND_STACK: &[u8] = b" 4198400 4844305 140730908094832";
pub(super) const CODE_HIDDEN: &[u8] = b" 1 1 0";

/// Fields 45 to 51: data, heap, arguments, environment.
pub(super) const DATA: &[u8] =
    b" 5038416 5063536 303284224 140730908102554 140730908102585 140730908102585 140730908102642";
pub(super) const DATA_HIDDEN: &[u8] = b" 0 0 0 0 0 0 0";

/// What a live process has.
pub(super) fn of(release: Release) -> &'static Memory {
    match RECORDED.iter().find(|memory| memory.release == release) {
        Some(memory) => memory,
        None => unreachable!("every kernel was recorded"),
    }
}
