//! /proc/PID/status: what is told of a thread in lines for people (proc_pid_status(5)).

use standin::backend::RlimitResource;
use standin::{CapabilitySet, SignalSet};

use super::{memory, text};
use crate::cgroup::cpuset::{self, Mask};
use crate::kernel::Kernel;
use crate::namespace::pid::PidNsKey;
use crate::profile::Release;
use crate::task::{Process, Thread, ThreadKey, footing};

/// A letter of /proc/PID/stat, and its word in status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Running,
    Sleeping,
    Stopped,
    Uninterruptible,
    Idle,
    Zombie,
}

impl Shown {
    pub(super) const fn letter(self) -> u8 {
        match self {
            Self::Running => b'R',
            Self::Sleeping => b'S',
            Self::Stopped => b'T',
            Self::Uninterruptible => b'D',
            Self::Idle => b'I',
            Self::Zombie => b'Z',
        }
    }

    const fn words(self) -> &'static [u8] {
        match self {
            Self::Running => b"R (running)",
            Self::Sleeping => b"S (sleeping)",
            Self::Stopped => b"T (stopped)",
            Self::Uninterruptible => b"D (disk sleep)",
            Self::Idle => b"I (idle)",
            Self::Zombie => b"Z (zombie)",
        }
    }
}

/// How a thread looks to `caller`: itself runs and who works for a processor, all that wait or do nothing sleep, the frozen too;
/// those that the v1 freezer holds sleep deeper, and the first of a PID namespace that waits for the others to be gone is idle.
pub(super) fn shown(kernel: &Kernel, caller: ThreadKey, thread: ThreadKey) -> Shown {
    let record = kernel.tasks.threads.at(thread);
    if record.exited && kernel.tasks.processes.at(record.process).outlives_all() {
        if kernel.profile.release < Release::V6_18 { Shown::Idle } else { Shown::Sleeping }
    } else if record.exited {
        Shown::Zombie
    } else if thread == caller {
        Shown::Running
    } else if record.frozen_v1 {
        Shown::Uninterruptible
    } else if kernel.tasks.processes.at(record.process).is_stopped() {
        Shown::Stopped
    } else if record.frozen {
        Shown::Sleeping
    } else if kernel.tasks.starts.contains_key(&thread) || kernel.processors.is_burning(thread) {
        Shown::Running
    } else {
        Shown::Sleeping
    }
}

/// What follows the capabilities, up to the processors.
const SECURITY: [(Release, &[u8]); 3] = [
    (Release::V6_1, b"not vulnerable\nSpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t"),
    (
        Release::V6_12,
        b"not vulnerable\nSpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t",
    ),
    (Release::V6_18, b"vulnerable\nSpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t"),
];

/// One memory node of 1,024 that the kernels are built for.
const MEMORY_NODES: &[u8] = b"\nMems_allowed:\t\
00000000,00000000,00000000,00000000,00000000,00000000,00000000,00000000,\
00000000,00000000,00000000,00000000,00000000,00000000,00000000,00000000,\
00000000,00000000,00000000,00000000,00000000,00000000,00000000,00000000,\
00000000,00000000,00000000,00000000,00000000,00000000,00000000,00000001\n\
Mems_allowed_list:\t0\nvoluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t0\n";

/// Descriptors that a table has room for before it grows.
const FIRST_TABLE: u64 = 64;

/// Prints it.
pub(super) fn print(
    kernel: &Kernel,
    (caller, to): (ThreadKey, PidNsKey),
    key: ThreadKey,
    out: &mut Vec<u8>,
) {
    let thread = kernel.tasks.threads.at(key);
    let process = kernel.tasks.processes.at(thread.process);
    let release = kernel.profile.release;
    out.reserve(1536);
    out.extend_from_slice(b"Name:\t");
    name(&thread.name, out);
    if !thread.exited {
        out.extend_from_slice(b"\nUmask:\t0");
        let umask = footing::umask(kernel, key).bits();
        for place in [6, 3, 0] {
            text::decimal(out, u64::from(umask >> place & 7));
        }
    }
    out.extend_from_slice(b"\nState:\t");
    out.extend_from_slice(shown(kernel, caller, key).words());
    ids(kernel, (caller, to), (thread, process), out);
    if release >= Release::V6_12 {
        out.extend_from_slice(b"Kthread:\t0\n");
    }
    if !thread.exited {
        out.extend_from_slice(memory::of(release).status);
        if release >= Release::V6_12 {
            out.extend_from_slice(b"untag_mask:\t0xffffffffffffffff\n");
        }
    }
    signals(kernel, thread, process, out);
    capabilities(thread, out);
    out.extend_from_slice(b"NoNewPrivs:\t");
    out.push(b'0' + u8::from(thread.credentials.no_new_privileges));
    out.extend_from_slice(b"\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\t");
    let security = SECURITY.iter().find(|(known, _)| *known == release);
    out.extend_from_slice(security.map_or(b"", |(_, text)| text));
    processors(kernel.profile.processors, cpuset::allowed(kernel, key), out);
    out.extend_from_slice(MEMORY_NODES);
    if release == Release::V6_12 {
        // The kernel is built with shadow stacks.
        out.extend_from_slice(b"x86_Thread_features:\t\nx86_Thread_features_locked:\t\n");
    }
}

/// A name with newlines and backslashes escaped.
fn name(name: &[u8], out: &mut Vec<u8>) {
    for byte in name {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            byte => out.push(*byte),
        }
    }
}

fn line(out: &mut Vec<u8>, label: &[u8], numbers: &[u32]) {
    out.extend_from_slice(label);
    for number in numbers {
        out.push(b'\t');
        text::decimal(out, u64::from(*number));
    }
}

fn ids(
    kernel: &Kernel,
    (reader, shown): (ThreadKey, PidNsKey),
    (thread, process): (&Thread, &Process),
    out: &mut Vec<u8>,
) {
    let job = kernel.tasks.jobs.get(process.job);
    let (all, to) = (&kernel.namespaces, kernel.credentials(reader).namespace);
    let user = thread.credentials.user;
    let user = [user.real, user.effective, user.saved, user.filesystem];
    let user = user.map(|id| all.told_user(to, id).0);
    let group = thread.credentials.group;
    let group = [group.real, group.effective, group.saved, group.filesystem];
    let group = group.map(|id| all.told_group(to, id).0);
    let number = |number| kernel.number_in(shown, number);
    line(out, b"\nTgid:", &[number(process.number)]);
    line(out, b"\nNgid:", &[0]);
    line(out, b"\nPid:", &[number(thread.number)]);
    line(out, b"\nPPid:", &[number(kernel.tasks.parent_number(thread.process))]);
    line(out, b"\nTracerPid:", &[0]);
    line(out, b"\nUid:", &user);
    line(out, b"\nGid:", &group);
    out.extend_from_slice(b"\nFDSize:\t");
    text::decimal(out, if thread.exited { 0 } else { table_size(process) });
    out.extend_from_slice(b"\nGroups:\t");
    for group in thread.credentials.groups() {
        text::decimal(out, all.told_group(to, *group).0.into());
        out.push(b' ');
    }
    // Without groups the kernel leaves the blank alone.
    if thread.credentials.groups().is_empty() {
        out.push(b' ');
    }
    for (label, number) in [
        (&b"\nNStgid:"[..], process.number),
        (b"\nNSpid:", thread.number),
        (b"\nNSpgid:", job.number),
        (b"\nNSsid:", job.session),
    ] {
        line(out, label, &[kernel.number_in(shown, number)]);
        // And in each namespace that the thread is in below the one that is shown.
        let below = kernel.inner(thread.number).into_iter().flat_map(|inner| inner.below(shown));
        for key in below {
            line(out, b"", &[kernel.number_in(key, number)]);
        }
    }
    out.push(b'\n');
}

/// How many descriptors its table has room for: it grows by doubling.
fn table_size(process: &Process) -> u64 {
    let used = u64::try_from(process.descriptors.room()).unwrap_or(u64::MAX);
    if used <= FIRST_TABLE { FIRST_TABLE } else { used.next_power_of_two() }
}

fn signals(kernel: &Kernel, thread: &Thread, process: &Process, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Threads:\t");
    text::decimal(out, process.threads.len().into());
    out.extend_from_slice(b"\nSigQ:\t");
    text::decimal(out, kernel.tasks.accounts.get(thread.account).signals.into());
    out.push(b'/');
    text::decimal(
        out,
        kernel.soft_limit(thread.process, RlimitResource::PendingSignals).unwrap_or(u64::MAX),
    );
    let sets: [(&[u8], SignalSet); 5] = [
        (b"\nSigPnd:\t", thread.pending),
        (b"\nShdPnd:\t", process.pending),
        (b"\nSigBlk:\t", thread.mask),
        (b"\nSigIgn:\t", process.ignored()),
        (b"\nSigCgt:\t", process.counted()),
    ];
    for (label, set) in sets {
        out.extend_from_slice(label);
        text::hex16(out, set.bits());
    }
}

fn capabilities(thread: &Thread, out: &mut Vec<u8>) {
    let has = thread.credentials.capabilities;
    let sets: [(&[u8], CapabilitySet); 5] = [
        (b"\nCapInh:\t", has.inheritable),
        (b"\nCapPrm:\t", has.permitted),
        (b"\nCapEff:\t", has.effective),
        (b"\nCapBnd:\t", has.bounding),
        (b"\nCapAmb:\t", has.ambient),
    ];
    for (label, set) in sets {
        out.extend_from_slice(label);
        text::hex16(out, set.bits());
    }
    out.push(b'\n');
}

/// The processors that a thread may use, as a mask in words of 32 and as a list.
fn processors(count: u32, allowed: Option<Mask>, out: &mut Vec<u8>) {
    const LIST: &[u8] = b"\nCpus_allowed_list:\t";
    if let Some(allowed) = allowed {
        allowed.print_words(count, out);
        out.extend_from_slice(LIST);
        allowed.print_list(out);
        return;
    }
    text::low_bits(out, count);
    out.extend_from_slice(LIST);
    out.push(b'0');
    if count > 1 {
        out.push(b'-');
        text::decimal(out, u64::from(count - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::{Mask, name, processors};

    fn made(make: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        make(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn processors_are_a_mask_and_a_list() {
        let shown = [(1, "1", "0"), (2, "3", "0-1"), (6, "3f", "0-5"), (40, "ff,ffffffff", "0-39")];
        for (count, mask, list) in shown {
            let expected = format!("{mask}\nCpus_allowed_list:\t{list}");
            for allowed in [None, Some(Mask::first(count))] {
                assert_eq!(made(|text| processors(count, allowed, text)), expected);
            }
        }
    }

    #[test]
    fn a_name_is_escaped_so_that_it_stays_in_its_line() {
        assert_eq!(made(|text| name(b"a\nb\\c", text)), "a\\nb\\\\c");
    }
}
