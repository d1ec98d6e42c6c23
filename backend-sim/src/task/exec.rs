//! Becoming another program (execve(2)): what of a process survives that.

use standin::backend::{Access, FileKind, WaitStatus};
use standin::path::{Follow, KPath, Resolve};
use standin::{Errno, Failure, Signal, Uid};

use crate::context;
use crate::fs::{self, permission, walk};
use crate::kernel::Kernel;
use crate::ops::PlaceArg;
use crate::shared;
use crate::step::{Step, Stop};
use crate::task::{Name, Start, ThreadKey, exit, family, footing, fork, identity, memory};

/// A program that a process is to become.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    pub(crate) path: &'a KPath,
    pub(crate) arguments: &'a [&'a [u8]],
    /// As `NAME=value`.
    pub(crate) environment: &'a [&'a [u8]],
    /// The machine has a program of this path.
    pub(crate) known: bool,
}

/// execve(2): from here on the calling thread is the only one of its process and is to begin the program.
///
/// # Errors
/// ENOENT, ENOTDIR, EACCES, ELOOP: the path. ENOEXEC: a file that is no program. EAGAIN: the caller changed its user, who
/// has too many processes.
pub(crate) fn exec(kernel: &mut Kernel, caller: ThreadKey, program: Program<'_>) -> Step<()> {
    if kernel.tasks.threads.at(caller).exceeds_processes
        && fork::exceeds_processes(kernel, caller, 0)
    {
        return Err(Errno::EAGAIN.into());
    }
    check(kernel, caller, program)?;
    let process = kernel.tasks.process_of(caller);
    if exit::others(kernel, process, caller)
        .iter()
        .any(|thread| kernel.tasks.threads.at(*thread).frozen_v1)
    {
        return Err(
            Failure::NotModelled("a program beside a thread that the v1 freezer holds").into()
        );
    }
    remain_alone(kernel, caller);
    footing::settle(kernel, caller);
    shared::forget(kernel, process);
    memory::forget(kernel, process);
    fs::descriptors::close_on_exec(kernel, process);
    let own = kernel.credentials(caller);
    let new = own.after_exec(kernel.namespaces.meant_user(own.namespace, Uid::ROOT));
    let ids = (new.user, new.group);
    identity::commit(kernel, caller, new);
    context::executed(kernel, caller);
    let thread = kernel.tasks.threads.at_mut(caller);
    thread.exceeds_processes = false;
    thread.name = Name::new(program.path.file_name());
    let record = kernel.tasks.processes.at_mut(process);
    record.executed = true;
    record.dumpable = ids.0.real == ids.0.effective && ids.1.real == ids.1.effective;
    let more = record.more_mut();
    more.actions = more.actions.after_exec();
    more.command = with_nuls(program.arguments);
    more.environment = with_nuls(program.environment);
    let start = Start {
        path: program.path.as_bytes().to_vec(),
        arguments: program.arguments.iter().map(|argument| argument.to_vec()).collect(),
    };
    kernel.tasks.starts.insert(caller, start);
    kernel.waits.make_runnable(caller);
    Ok(())
}

/// Texts as they lie in a process's memory, each with a NUL behind it.
fn with_nuls(texts: &[&[u8]]) -> Vec<u8> {
    texts.iter().flat_map(|text| text.iter().copied().chain([0])).collect()
}

/// Whether the caller may run what stands at the path. A program that the machine was given needs no file.
fn check(kernel: &Kernel, caller: ThreadKey, program: Program<'_>) -> Step<()> {
    let place = PlaceArg { at: None, path: program.path, resolve: Resolve::Kernel };
    let spot = match walk::spot(kernel, caller, place, Follow::Link) {
        Ok(spot) => spot,
        Err(Stop::Failure(Failure::Errno(Errno::ENOENT))) if program.known => return Ok(()),
        Err(stop) => return Err(stop),
    };
    if fs::kind(kernel, spot.node) != FileKind::File || walk::forbids_programs(kernel, spot) {
        return Err(Errno::EACCES.into());
    }
    permission::check(kernel, caller, spot, Access::EXECUTE)?;
    if program.known { Ok(()) } else { Err(Errno::ENOEXEC.into()) }
}

/// The other threads of the process end; the calling one becomes its leader, with its number.
fn remain_alone(kernel: &mut Kernel, caller: ThreadKey) {
    let process = kernel.tasks.process_of(caller);
    let record = kernel.tasks.processes.at(process);
    if record.threads.len() < 2 {
        return;
    }
    let leader = record.leader;
    if leader != caller {
        let tasks = &mut kernel.tasks;
        let number = tasks.threads.at(leader).number;
        let other = std::mem::replace(&mut tasks.threads.at_mut(caller).number, number);
        tasks.threads.at_mut(leader).number = other;
        tasks.numbers.insert(number, caller);
        tasks.numbers.insert(other, leader);
        tasks.processes.at_mut(process).leader = caller;
        // /proc has the caller by another name now.
        kernel.vfs.paths.forget();
    }
    for thread in exit::others(kernel, process, caller) {
        family::inherit(kernel, process, thread, caller);
        exit::end_thread(kernel, thread, WaitStatus::Killed(Signal::KILL));
    }
}
