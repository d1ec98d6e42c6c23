//! /proc/PID/stat: what is told of a thread in 52 fields for programs (proc_pid_stat(5)).

use standin::SignalSet;
use standin::backend::{RlimitResource, WaitStatus};
use standin::id::Moment;

use super::status::{Shown, shown};
use super::{memory, text};
use crate::kernel::Kernel;
use crate::namespace::pid::PidNsKey;
use crate::task::{self, Process, State, Thread, ThreadKey, handle};

/// Task flags that a program sees (recorded): an address space of its own, not yet run a program, exiting, dead, ended by
/// a signal.
const RANDOMISED: u64 = 0x40_0000;
const FORKED_ONLY: u64 = 0x40;
const EXITED: u64 = 0x800c;
const BY_SIGNAL: u64 = 0x400;

/// Signals of the first word, as these fields have room for.
const FIRST_SIGNALS: u64 = 0x7fff_ffff;

/// A limit that there is not, as a number: twenty digits that most processes have.
const NO_LIMIT: &[u8] = b" 18446744073709551615";

/// The signal that a parent gets.
const CHILD_SIGNAL: i64 = 17;

/// Prints it: of the process as a whole, or of one thread.
pub(super) fn print(
    kernel: &Kernel,
    (caller, to): (ThreadKey, PidNsKey),
    key: ThreadKey,
    whole: bool,
    out: &mut Vec<u8>,
) {
    let thread = kernel.tasks.threads.at(key);
    let process = kernel.tasks.processes.at(thread.process);
    let job = kernel.tasks.jobs.get(process.job);
    let permitted = task::may_look_into(kernel, caller, key);
    let state = shown(kernel, caller, key);
    let live = !thread.exited;
    out.reserve(320);
    text::decimal(out, kernel.number_in(to, thread.number).into());
    out.extend_from_slice(b" (");
    out.extend_from_slice(&thread.name);
    out.extend_from_slice(b") ");
    out.push(state.letter());
    for number in [kernel.tasks.parent_number(thread.process), job.number, job.session] {
        field(out, kernel.number_in(to, number).into());
    }
    out.extend_from_slice(b" 0 -1");
    field(out, flags(thread, process));
    out.extend_from_slice(b" 0 0 0 0");
    let (used_ns, of_children_ns) = if whole {
        (process.used_ns(), process.used_by_children_ns())
    } else {
        (kernel.processors.used_ns(key), process.used_by_children_ns())
    };
    // All of it is the programs' own.
    for ns in [used_ns, 0, of_children_ns, 0] {
        field(out, handle::ticks(Moment { ns }));
    }
    for number in [20 + i64::from(thread.nice), thread.nice.into(), process.threads.len().into()] {
        out.push(b' ');
        text::signed(out, number);
    }
    out.extend_from_slice(b" 0");
    field(out, handle::ticks(process.started));
    out.extend_from_slice(if live { memory::of(kernel.profile.release).stat } else { b" 0 0" });
    match kernel.soft_limit(thread.process, RlimitResource::Rss) {
        Some(limit) => field(out, limit),
        None => out.extend_from_slice(NO_LIMIT),
    }
    out.extend_from_slice(match (live, permitted) {
        (true, true) => memory::CODE_AND_STACK,
        (true, false) => memory::CODE_HIDDEN,
        (false, _) => b" 0 0 0",
    });
    out.extend_from_slice(b" 0 0");
    for set in [thread.pending, thread.mask, process.ignored(), process.counted()] {
        field(out, first(set));
    }
    let waits = permitted && (!whole || process.threads.len() < 2) && state != Shown::Running;
    field(out, waits.into());
    out.extend_from_slice(b" 0 0 ");
    text::signed(out, if key == process.leader { CHILD_SIGNAL } else { -1 });
    out.extend_from_slice(b" 0 0 0 0 0 0");
    out.extend_from_slice(if live && permitted { memory::DATA } else { memory::DATA_HIDDEN });
    field(out, if permitted { exit_code(process, thread, whole) } else { 0 });
    out.push(b'\n');
}

fn field(out: &mut Vec<u8>, number: u64) {
    out.push(b' ');
    text::decimal(out, number);
}

const fn first(set: SignalSet) -> u64 {
    set.bits() & FIRST_SIGNALS
}

fn flags(thread: &Thread, process: &Process) -> u64 {
    let mut flags = RANDOMISED;
    if !process.executed {
        flags |= FORKED_ONLY;
    }
    if thread.exited {
        flags |= EXITED;
    }
    if matches!(process.state, State::Zombie(WaitStatus::Killed(_))) {
        flags |= BY_SIGNAL;
    }
    flags
}

/// What wait(2) would say, in its encoding; of a stopped process the signal, until somebody waited for that.
fn exit_code(process: &Process, thread: &Thread, whole: bool) -> u64 {
    let number = |signal: standin::Signal| u64::from(signal.number().unsigned_abs());
    match process.state {
        State::Zombie(WaitStatus::Exited(code)) => u64::from(code) << 8,
        State::Zombie(WaitStatus::Killed(signal)) => number(signal),
        State::Stopped { by, told: false } if whole && !thread.exited => number(by),
        State::Zombie(WaitStatus::Stopped(_) | WaitStatus::Continued)
        | State::Stopped { .. }
        | State::Alive => 0,
    }
}
