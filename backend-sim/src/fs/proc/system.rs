//! Files of /proc about the whole system (proc(5)).

use standin::id::Moment;
use standin::{Errno, Failure};

use super::{memory_info, processors, text};
use crate::cgroup::pressure::{self, Resource};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::namespace::time::{self, OffsetClock};
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// The filesystems that there are.
    Filesystems,
    /// What memory is used for.
    Memory,
    /// What the processors did.
    Processors,
    /// How many threads wanted to run, on average.
    Load,
    /// How long somebody waited for a resource.
    Pressure(Resource),
    /// Where memory is swapped to.
    Swaps,
    /// How long the machine runs, and how long its processors had nothing to do.
    Uptime,
    Version,
    /// The same text on every machine.
    Same(&'static [u8]),
}

/// Prints it.
///
/// # Errors
/// `NotModelled`: averages over time, once somebody has worked; what is not known of a vendor's kernel.
pub(super) fn print(
    kernel: &Kernel,
    caller: ThreadKey,
    system: System,
    out: &mut Vec<u8>,
) -> Step<()> {
    let release = kernel.profile.release;
    match system {
        System::Filesystems => match known(&FILESYSTEMS, release) {
            Some(list) => out.extend_from_slice(list.as_bytes()),
            None => return Err(Failure::NotModelled("the filesystems of this kernel").into()),
        },
        System::Memory => memory_info::print(kernel, out),
        System::Processors => processors::print(kernel, out)?,
        System::Load => load(kernel, out)?,
        System::Pressure(resource) => pressure::show_machine(kernel, resource, out)?,
        System::Swaps => {
            if kernel.profile.swap.0 > 0 {
                return Err(Failure::NotModelled("what memory is swapped to").into());
            }
            out.extend_from_slice(b"Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        }
        System::Uptime => uptime(kernel, caller, out),
        System::Version => {
            let Some(builder) = known(&BUILDERS, release) else {
                return Err(Failure::NotModelled("who built this kernel").into());
            };
            let (name, build) = (release.full_name(), release.build());
            out.extend_from_slice(format!("Linux version {name} {builder} {build}\n").as_bytes());
        }
        System::Same(same) => out.extend_from_slice(same),
    }
    Ok(())
}

/// One write: triggers of pressure alone are written.
///
/// # Errors
/// EIO: nothing is written to this one. Those of triggers.
pub(super) fn write(
    kernel: &mut Kernel,
    file: FileKey,
    system: System,
    bytes: &[u8],
) -> Step<usize> {
    match system {
        System::Pressure(_) => {
            pressure::store_machine(kernel, file, bytes)?;
            Ok(bytes.len())
        }
        System::Filesystems
        | System::Load
        | System::Memory
        | System::Processors
        | System::Swaps
        | System::Uptime
        | System::Version
        | System::Same(_) => Err(Errno::EIO.into()),
    }
}

/// What /proc/version says between the release and the build, of the kernels that say who built them (recorded).
const BUILDERS: [(Release, &str); 2] = [
    (
        Release::V6_1,
        "(debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, \
         GNU ld (GNU Binutils for Debian) 2.40)",
    ),
    (
        Release::V6_12,
        "(debian-kernel@lists.debian.org) (x86_64-linux-gnu-gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, \
     GNU ld (GNU Binutils for Debian) 2.40)",
    ),
];

/// /proc/filesystems, of the kernels whose list is theirs alone (recorded).
const FILESYSTEMS: [(Release, &str); 2] = [
    (
        Release::V6_1,
        "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\n\
         nodev\tcpuset\nnodev\tdevtmpfs\nnodev\tdebugfs\nnodev\ttracefs\n\
         nodev\tsecurityfs\nnodev\tsockfs\nnodev\tbpf\nnodev\tpipefs\nnodev\tramfs\n\
         nodev\thugetlbfs\nnodev\tdevpts\n\text3\n\text2\n\text4\nnodev\tmqueue\n\
         nodev\tpstore\n",
    ),
    (
        Release::V6_12,
        "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\n\
         nodev\tdevtmpfs\nnodev\tdebugfs\nnodev\ttracefs\nnodev\tsecurityfs\n\
         nodev\tsockfs\nnodev\tbpf\nnodev\tpipefs\nnodev\tramfs\nnodev\thugetlbfs\n\
         nodev\tdevpts\n\text3\n\text2\n\text4\n\tfuseblk\nnodev\tfuse\nnodev\tfusectl\n\
         nodev\tvirtiofs\nnodev\tmqueue\nnodev\tpstore\n",
    ),
];

fn known(rows: &[(Release, &'static str)], release: Release) -> Option<&'static str> {
    rows.iter().find(|(known, _)| *known == release).map(|(_, text)| *text)
}

/// Averages of nothing; who runs, of how many; and the number given out last.
fn load(kernel: &Kernel, out: &mut Vec<u8>) -> Step<()> {
    if used_ns(kernel) > 0 {
        return Err(Failure::NotModelled("how many threads wanted to run on average").into());
    }
    let threads = kernel.tasks.threads.iter().filter(|(_, thread)| !thread.exited).count();
    let last = kernel.tasks.last_number;
    out.extend_from_slice(format!("0.00 0.00 0.00 1/{threads} {last}\n").as_bytes());
    Ok(())
}

/// Processor time that was used since the machine began.
pub(super) fn used_ns(kernel: &Kernel) -> u64 {
    kernel.cgroups.used_by_all_ns()
}

fn uptime(kernel: &Kernel, caller: ThreadKey, out: &mut Vec<u8>) {
    let now = kernel.clock.monotonic();
    let up = time::shown(kernel, caller, OffsetClock::Boottime, now);
    let all = now.ns.saturating_mul(kernel.profile.processors.into());
    let idle = Moment { ns: all.saturating_sub(used_ns(kernel)) };
    hundredths(up, out);
    out.push(b' ');
    hundredths(idle, out);
    out.push(b'\n');
}

/// Seconds with two digits behind the point.
fn hundredths(moment: Moment, out: &mut Vec<u8>) {
    const PER_SECOND: u64 = 100;
    let hundredths = moment.ns / (1_000_000_000 / PER_SECOND);
    text::decimal(out, hundredths / PER_SECOND);
    out.push(b'.');
    text::decimal(out, hundredths % PER_SECOND / 10);
    text::decimal(out, hundredths % 10);
}
