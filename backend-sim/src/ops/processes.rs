//! Operations of `Processes` on processes: making, ending, signalling, waiting, looking.

use std::time::Duration;

use standin::backend::{
    NamespaceKinds, ProcessInfo, Rlimit, RlimitResource, SpawnCredentials, WaitOptions, WaitStatus,
};
use standin::id::Bytes;
use standin::{Errno, ExitCode, Failure, Pid, Signal, Tid};

use super::operation::operation;
use crate::cgroup::memory::Charging;
use crate::door::Operation;
use crate::fs::{Node, OpenKind, Spot, descriptors};
use crate::kernel::Kernel;
use crate::namespace::{self, Joined};
use crate::processor;
use crate::schedule::Footprint;
use crate::step::Step;
use crate::task::exec::Program;
use crate::task::spawn::Birth;
use crate::task::{self, ProcessKey, ThreadKey, exit, handle, signal, spawn, wait};
use crate::trace::{Parts, Show as _};

/// A child and its program.
pub(crate) struct Spawn<'a> {
    pub(crate) program: Program<'a>,
    /// The descriptor of the group's directory.
    pub(crate) cgroup: Option<u32>,
    /// The caller's numbers and the child's.
    pub(crate) descriptors: Vec<(u32, u32)>,
    pub(crate) credentials: Option<&'a SpawnCredentials<'a>>,
    pub(crate) limits: &'a [(RlimitResource, Rlimit)],
    pub(crate) directory: Option<u32>,
    pub(crate) session: bool,
    pub(crate) parent_death: Option<Signal>,
    /// The handle of a process whose namespaces it is born in, of these kinds.
    pub(crate) join: Option<(u32, NamespaceKinds)>,
    /// Kinds of which it gets a new namespace.
    pub(crate) new: NamespaceKinds,
}

impl Operation for Spawn<'_> {
    /// The number of the child's handle.
    type Answer = u32;
    const NAME: &'static str = "spawn";
    const MAKES_PROCESS: bool = true;

    fn show(&self, parts: &mut Parts) {
        self.program.add("program", parts);
        self.cgroup.add("cgroup", parts);
        self.descriptors.add("descriptors", parts);
        self.directory.add("directory", parts);
        self.new.add("new", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<u32> {
        let birth = Birth {
            program: self.program,
            into: self.cgroup.map(|number| group_of(kernel, caller, number)).transpose()?,
            descriptors: &self.descriptors,
            credentials: self.credentials,
            limits: self.limits,
            directory: self
                .directory
                .map(|number| directory_of(kernel, caller, number))
                .transpose()?,
            session: self.session,
            parent_death: self.parent_death,
            joined: self.joined(kernel, caller)?,
            new: self.new,
        };
        descriptors::next_number(kernel, kernel.tasks.process_of(caller))?;
        let child = spawn::spawn(kernel, caller, &birth)?;
        let child = kernel.tasks.process_of(child);
        descriptors::open_process(kernel, caller, child)
    }
}

impl Spawn<'_> {
    /// The namespaces that the child is born in, if they are not the caller's.
    fn joined(&self, kernel: &Kernel, caller: ThreadKey) -> Step<Option<Joined>> {
        let Some((process, kinds)) = self.join else { return Ok(None) };
        let process = held(kernel, caller, process)?;
        namespace::joined(kernel, caller, process, kinds).map(Some)
    }
}

/// The v2 group whose directory a descriptor is: what `CLONE_INTO_CGROUP` takes. EBADF for anything else.
pub(crate) fn group_of(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
) -> Result<crate::cgroup::CgroupKey, Errno> {
    match directory_of(kernel, caller, number)?.node {
        Node::Cgroup(group) if !kernel.cgroups.table.at(group).hierarchy.is_v1() => Ok(group),
        Node::Cgroup(_) | Node::Control(..) | Node::Tmp(_) | Node::Proc(_) => Err(Errno::EBADF),
    }
}

/// Where an open file of the caller stands.
fn directory_of(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<Spot, Errno> {
    let file = descriptors::get(kernel, caller, number)?;
    let file = kernel.vfs.files.at(file);
    match file.kind {
        OpenKind::Node(_) => Ok(file.spot),
        OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_) => Err(Errno::EBADF),
    }
}

/// The process that a handle of the caller holds.
pub(super) fn held(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<ProcessKey, Errno> {
    let file = descriptors::get(kernel, caller, number)?;
    match kernel.vfs.files.at(file).kind {
        OpenKind::Process(process, _) => Ok(process),
        OpenKind::Node(_)
        | OpenKind::Namespace(_)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_) => Err(Errno::EBADF),
    }
}

/// EINVAL for a handle of a process that is not in the caller's PID namespace or below, also when it is gone.
fn check_seen(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<(), Errno> {
    let first = kernel.namespaces.first.pid_for_children;
    let own = kernel.pid_ns(caller);
    if own == first {
        return Ok(());
    }
    let file = descriptors::get(kernel, caller, number)?;
    let OpenKind::Process(_, Some(inner)) = &kernel.vfs.files.at(file).kind else {
        return Err(Errno::EINVAL);
    };
    if inner.told(own) == 0 { Err(Errno::EINVAL) } else { Ok(()) }
}

operation! {
    /// execve(2): from here on the caller is another program.
    Exec<'a> { program: Program<'a> } = "exec" -> (): |op, kernel, caller| {
        task::exec::exec(kernel, caller, op.program)
    };

    /// _exit(2)
    Exit { code: ExitCode } = "exit" -> (): |op, kernel, caller| {
        let process = kernel.tasks.process_of(caller);
        exit::exit_process(kernel, process, exit::exit_status(op.code));
        Ok(())
    };

    /// The end of the calling thread alone; the last one ends the process.
    ExitThread { code: ExitCode } = "exit" -> (): |op, kernel, caller| {
        exit::exit_thread(kernel, caller, op.code);
        Ok(())
    };

    /// pidfd_open(2)
    OpenPid { pid: Pid } = "open_pid" -> u32: |op, kernel, caller| {
        let process = handle::find(kernel, caller, op.pid.0)?;
        descriptors::open_process(kernel, caller, process)
    };

    /// pidfd_send_signal(2)
    SendSignal { process: u32, signal: Option<Signal> } = "signal" -> (): |op, kernel, caller| {
        let process = held(kernel, caller, op.process)?;
        check_seen(kernel, caller, op.process)?;
        Ok(signal::send_process(kernel, caller, process, op.signal)?)
    };

    /// kill(2) of a process group.
    SignalGroup { group: u32, signal: Option<Signal> } = "signal_group" -> (): |op, kernel, caller| {
        Ok(signal::send_group(kernel, caller, op.group, op.signal)?)
    };

    /// waitid(2) by handle.
    WaitFor { process: u32, options: WaitOptions } = "wait" -> Option<WaitStatus>: |op, kernel, caller| {
        let process = held(kernel, caller, op.process)?;
        wait::wait(kernel, caller, process, op.options)
    };

    /// waitid(2) for any child.
    WaitAny { options: WaitOptions } = "wait_any" -> Option<(Pid, WaitStatus)>: |op, kernel, caller| {
        let found = wait::wait_any(kernel, caller, op.options)?;
        Ok(found.map(|(number, status)| (Pid(number), status)))
    };

    /// Every process that /proc shows.
    ListProcesses {} = "processes" -> Vec<Pid>: |_op, kernel, caller| {
        let seen = kernel.tasks.processes.iter().filter(|(_, process)| kernel.sees(caller, process.leader));
        let mut pids: Vec<Pid> = seen.map(|(_, process)| Pid(kernel.number_for(caller, process.number))).collect();
        pids.sort_unstable();
        Ok(pids)
    };

    /// What the kernel tells of a held process.
    Inspect { process: u32 } = "inspect" -> ProcessInfo: |op, kernel, caller| {
        let process = held(kernel, caller, op.process)?;
        Ok(handle::inspect(kernel, caller, process)?)
    };

    /// getpid(2)
    GetPid {} = "pid" -> Pid, touching |_op, _kernel, _caller, _answer| { Footprint::nothing() }: |_op, kernel, caller| {
        Ok(Pid(kernel.number_for(caller, kernel.process(caller).number)))
    };

    /// gettid(2)
    GetTid {} = "tid" -> Tid, touching |_op, _kernel, _caller, _answer| { Footprint::nothing() }: |_op, kernel, caller| {
        Ok(Tid(kernel.number_for(caller, kernel.tasks.threads.at(caller).number)))
    };

    /// getppid(2)
    GetParent {} = "parent" -> Pid: |_op, kernel, caller| {
        let process = kernel.tasks.process_of(caller);
        if let Some(parent) = kernel.tasks.processes.at(process).parent
            && !kernel.shares_context_with(caller, parent)
        {
            return Err(Failure::NotModelled("the parent in another context").into());
        }
        Ok(Pid(kernel.number_for(caller, kernel.tasks.parent_number(process))))
    };

    /// ptrace(2): seizes, interrupts and lets go.
    Attach { pid: Pid } = "attach" -> (): |op, kernel, caller| task::attach(kernel, caller, op.pid.0);

    /// mmap(2) of anonymous memory, all of it touched.
    UseMemory { amount: Bytes, charging: Charging } = "use_memory" -> (): |op, kernel, caller| {
        task::memory::take(kernel, caller, op.amount.0, &mut op.charging)
    };

    /// munmap(2) of all that.
    ReleaseMemory {} = "release_memory" -> (): |_op, kernel, caller| {
        let process = kernel.tasks.process_of(caller);
        task::memory::forget(kernel, process);
        Ok(())
    };

    /// Work for a processor.
    UseProcessor { time: Duration, begun: bool } = "use_processor" -> (): |op, kernel, caller| {
        processor::use_time(kernel, caller, op.time, &mut op.begun)
    };

    /// `PR_SET_CHILD_SUBREAPER`
    SetSubreaper { subreaper: bool } = "set_subreaper" -> (): |op, kernel, caller| {
        kernel.process_mut(caller).subreaper = op.subreaper;
        Ok(())
    };
}
