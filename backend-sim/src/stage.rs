//! The machine as a stage: each actor is a process or thread of it, and each operation runs in a fiber as that actor.
//!
//! An idle actor is its process record and nothing else; only one that is in the middle of an operation has a stack. The
//! operations themselves are those of every kernel ([`perform`]); this module knows fork, because a machine's child has no
//! program, and what only somebody outside can tell: numbers, states, how an actor ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use standin::backend::{Rlimit, RlimitResource, WaitStatus};
use standin::handle::PidHandle;
use standin::id::{Mode, Moment, NsId};
use standin::layer::{Argument, Call, Layer as _, Layered};
use standin::transcript::{
    Actor, ActorId, ClockName, Condition, End, Label, MachineLine, NamespaceLink, Op, Outcome,
    ProcessOp, Request, Settled, Task, Trouble, perform,
};
use standin::{Errno, ExitCode, Failure, Pid};

use crate::birth::{Hold, give_birth};
use crate::builder::Builder;
use crate::door::Operation;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::namespace;
use crate::namespace::pid::Inner;
use crate::namespace::pid::setting::HIGHEST_END;
use crate::ops::fork::Fork;
use crate::profile::{BlockDevice, Layout, Release};
use crate::schedule::{FORK, Faulty, THREAD};
use crate::snapshot::LivePrograms;
use crate::step::Step;
use crate::task::{Process, ProcessKey, State, ThreadKey, limit};
use crate::view::View;
use crate::{cgroup, run};

/// The major number of NVMe drives: they are the disks of a machine line.
const NVME: u32 = 259;

/// The pid_max that a kernel boots with, which distributions raise later; 1,024 for each processor if that is more.
const BOOT_PID_MAX: u32 = 32_768;

/// A machine with actors on it.
///
/// ```
/// use standin::transcript::{parse, run};
/// use standin_sim::Stage;
///
/// let script = parse(b"machine kernel=6.12 layout=unified\ninit> mkdir /sys/fs/cgroup/a\n").unwrap();
/// let report = run(&script, &mut Stage::new(&script.machine)).unwrap();
/// assert!(report.transcript.to_string().ends_with("init> mkdir /sys/fs/cgroup/a\nok\n"));
/// ```
#[derive(Debug)]
pub struct Stage {
    machine: Machine,
    cast: BTreeMap<ActorId, Member>,
    labels: BTreeMap<ActorId, Label>,
}

/// An actor.
#[derive(Debug)]
struct Member {
    thread: ThreadKey,
    process: ProcessKey,
    number: Pid,
    /// Its further numbers, if it is in a nested PID namespace.
    inner: Option<Arc<Inner>>,
    view: View,
    kept: Actor,
    /// Where the answer to its request will stand; none while it has no request.
    reply: Option<Rc<RefCell<Option<Reply>>>>,
    /// It ended as a thread alone.
    is_thread: bool,
    /// Its request is to end, which is answered though the kernel keeps it for others' sake.
    exits: bool,
}

/// What came of a request.
#[derive(Clone, Debug)]
enum Reply {
    Outcome(Outcome),
    /// A child or thread of the actor was made.
    Born {
        actor: ActorId,
        thread: ThreadKey,
        is_thread: bool,
    },
}

impl Stage {
    /// The machine that a transcript's first line describes; kernel 6.12 and layout unified where it leaves them out.
    #[must_use]
    pub fn new(line: &MachineLine) -> Self {
        Self::on(Self::builder(line).build())
    }

    /// The same machine before it is built.
    #[must_use]
    pub fn builder(line: &MachineLine) -> Builder {
        let mut builder = Machine::builder().allow_unmodelled().pid_max(BOOT_PID_MAX);
        if let Some(release) =
            line.kernel.and_then(|kernel| Release::from_name(&kernel.to_string()))
        {
            builder = builder.kernel(release);
        }
        if let Some(layout) = line.layout.and_then(|layout| Layout::from_name(&layout.to_string()))
        {
            builder = builder.layout(layout);
        }
        if let Some(cpus) = line.cpus {
            builder = builder
                .processors(cpus)
                .pid_max(cpus.saturating_mul(1024).clamp(BOOT_PID_MAX, HIGHEST_END));
        }
        if let Some(memory) = line.memory_bytes {
            builder = builder.memory(standin::id::Bytes(memory));
        }
        if let Some(swap) = line.swap_bytes {
            builder = builder.swap(standin::id::Bytes(swap));
        }
        for minor in 0..line.disks.unwrap_or(0) {
            builder = builder.disk(BlockDevice { major: NVME, minor });
        }
        builder
    }

    /// This machine; its root process is the actor `init`.
    ///
    /// # Panics
    /// Never: the machine's first process exists.
    #[must_use]
    pub fn on(machine: Machine) -> Self {
        let labels = BTreeMap::from([(ActorId::INIT, Label::init())]);
        let mut stage = Self { machine, cast: BTreeMap::new(), labels };
        let first = {
            let mut kernel = stage.machine.shared().lock();
            kernel.tasks.ends = Some(BTreeMap::new());
            let first = kernel.first_process();
            // What an actor begins with, unlike other processes (spec/transcript.md, Files and `rlimit`).
            let process = kernel.tasks.process_of(first);
            kernel.tasks.processes.at_mut(process).umask = Mode::new(0);
            limit::set(
                &mut kernel,
                process,
                RlimitResource::Core,
                Rlimit { soft: Some(0), hard: Some(0) },
            );
            first
        };
        stage.join(ActorId::INIT, first, |_| Actor::new(), false);
        stage
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The same play on a machine that goes on from a snapshot of this one: each actor is what it was, and keeps what it kept.
    ///
    /// # Errors
    /// [`LivePrograms`] if an actor is in the middle of an operation.
    pub fn restored(&self) -> Result<Self, LivePrograms> {
        Ok(self.moved_to(self.machine.snapshot()?.machine()))
    }

    /// The same play on a machine that goes on from a snapshot of this one, however it came there.
    #[must_use]
    pub fn moved_to(&self, machine: Machine) -> Self {
        let mut stage = Self { machine, cast: BTreeMap::new(), labels: self.labels.clone() };
        // Threads share what their process keeps.
        let mut kept: BTreeMap<ProcessKey, Actor> = BTreeMap::new();
        for (actor, member) in &self.cast {
            let view = member.view.on(stage.machine.shared());
            let adopt = || member.kept.inherit(&|number| view.handle(number));
            let kept = kept.entry(member.process).or_insert_with(adopt).clone();
            // An answer may be there that nobody has asked for yet.
            let reply = member.reply.as_ref().map(|reply| Rc::new(RefCell::clone(reply)));
            let Member { thread, process, number, is_thread, exits, .. } = *member;
            let inner = member.inner.clone();
            let member =
                Member { thread, process, number, inner, view, kept, reply, is_thread, exits };
            stage.cast.insert(*actor, member);
        }
        stage
    }

    /// Adds an actor.
    fn join(
        &mut self,
        actor: ActorId,
        thread: ThreadKey,
        keep: impl FnOnce(&View) -> Actor,
        is_thread: bool,
    ) {
        let shared = self.machine.shared();
        let (process, number, inner) = {
            let kernel = shared.lock();
            let record = kernel.tasks.threads.at(thread);
            (record.process, Pid(record.number), kernel.inner(record.number).cloned())
        };
        let view = View::inside(shared, thread);
        let kept = keep(&view);
        self.cast.insert(
            actor,
            Member {
                thread,
                process,
                number,
                inner,
                view,
                kept,
                reply: None,
                is_thread,
                exits: false,
            },
        );
    }

    fn member(&self, actor: ActorId) -> Result<&Member, Trouble> {
        self.cast.get(&actor).ok_or_else(|| Trouble(format!("{actor} was never made")))
    }

    /// What the fiber of a request does.
    fn body(
        &self,
        actor: ActorId,
        request: Request,
        reply: &Rc<RefCell<Option<Reply>>>,
    ) -> Result<Box<dyn FnOnce()>, Trouble> {
        let member = self.member(actor)?;
        let (view, kept, reply) = (member.view.clone(), member.kept.clone(), Rc::clone(reply));
        let is_thread = member.is_thread;
        let label = self.labels.get(&actor).map_or("", Label::as_str);
        let faulty = Faulty::of(self.machine.shared(), member.thread, label.as_bytes());
        let target = match &request {
            Request::Perform(Task { aim, .. }) => aim.target,
            Request::Fork { .. } | Request::Thread { .. } => None,
        };
        let target = target
            .map(|target| self.member(target).map(|member| (member.process, member.inner.clone())));
        let target = target.transpose()?;
        Ok(Box::new(move || {
            let answer = match request {
                Request::Perform(task) => {
                    Reply::Outcome(act(&view, faulty, &kept, &task, target, is_thread))
                }
                Request::Fork { child, options } => {
                    let into = options.into.iter();
                    let into = into.map(|path| ("into", Argument::Path(path.clone())));
                    let call = Call { name: FORK, arguments: into.collect() };
                    let made = meets(faulty.as_ref(), &call, || give_birth(&view, &options));
                    born(child, made, false)
                }
                Request::Thread { thread } => {
                    let call = Call { name: THREAD, arguments: Vec::new() };
                    let fork = Fork { is_thread: true, ..Fork::default() };
                    let made = meets(faulty.as_ref(), &call, || view.carry(fork));
                    born(thread, made.map(|made| made.thread), true)
                }
            };
            reply.replace(Some(answer));
        }))
    }

    /// How an actor ended, if it did.
    fn end(&self, member: &Member) -> Option<End> {
        let kernel = self.machine.shared().lock();
        if kernel.tasks.is_alive(member.thread) {
            return None;
        }
        let process = kernel.tasks.processes.get(member.process);
        if !member.is_thread
            && let Some(ending) = process.and_then(Process::ending)
        {
            // Its parent hears of it when its last thread is thawed, or when the others of its PID namespace are gone.
            let code = if let WaitStatus::Exited(code) = ending { code } else { 0 };
            return member.exits.then_some(End::Exited(code));
        }
        let ended = kernel.tasks.ends.as_ref().and_then(|ends| ends.get(&member.process));
        Some(match ended {
            Some(WaitStatus::Killed(signal)) => End::Killed(*signal),
            Some(WaitStatus::Exited(code)) => End::Exited(*code),
            Some(WaitStatus::Stopped(_) | WaitStatus::Continued) | None => End::Thread,
        })
    }

    /// Takes the answer of an actor's request, if it is there.
    fn answer(&mut self, actor: ActorId) -> Result<Option<Outcome>, Trouble> {
        let member = self.member(actor)?;
        let Some(reply) = member.reply.as_ref().and_then(|reply| reply.borrow_mut().take()) else {
            return Ok(None);
        };
        let kept = member.kept.clone();
        let outcome = match reply {
            Reply::Outcome(outcome) => outcome,
            Reply::Born { actor, thread, is_thread: true } => {
                self.join(actor, thread, |_| kept, true);
                Outcome::ok()
            }
            Reply::Born { actor, thread, is_thread: false } => {
                self.join(actor, thread, |view| kept.inherit(&|number| view.handle(number)), false);
                Outcome::ok()
            }
        };
        if let Some(member) = self.cast.get_mut(&actor) {
            member.reply = None;
        }
        Ok(Some(outcome))
    }
}

impl standin::transcript::Stage for Stage {
    fn called(&mut self, actor: ActorId, label: &Label) {
        self.labels.insert(actor, label.clone());
    }

    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        let reply = Rc::new(RefCell::new(None));
        let exits = matches!(
            &request,
            Request::Perform(Task { op: Op::Processes(ProcessOp::Exit { .. }), .. })
        );
        let body = self.body(actor, request, &reply)?;
        let thread = self.member(actor)?.thread;
        if let Some(member) = self.cast.get_mut(&actor) {
            member.reply = Some(reply);
            member.exits = exits;
        }
        self.machine.shared().note_foreign("an operation of a transcript");
        run::begin(self.machine.shared(), thread, body);
        Ok(())
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        let until = self.machine.shared().lock().clock.monotonic().after(patience);
        loop {
            self.machine.settle();
            if let Some(outcome) = self.answer(actor)? {
                return Ok(Settled::Answered(outcome));
            }
            if let Some(end) = self.end(self.member(actor)?) {
                return Ok(Settled::Died(end));
            }
            let mut kernel = self.machine.shared().lock();
            let passed = kernel.pass_time(Some(until));
            if !passed.map_err(|failure| Trouble(failure.to_string()))? {
                return Ok(Settled::Busy);
            }
        }
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        let (who, by) = (self.member(who).ok()?, self.member(seen_by).ok()?);
        let Some((home, _)) = by.inner.as_ref().map(|inner| inner.own()) else {
            return Some(who.number);
        };
        let seen = who.inner.as_ref().map_or(0, |inner| inner.told(home));
        (seen != 0).then_some(Pid(seen))
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        let Ok(member) = self.member(actor) else { return Condition::Gone };
        let kernel = self.machine.shared().lock();
        let Some(process) = kernel.tasks.processes.get(member.process) else {
            return Condition::Gone;
        };
        if matches!(process.state, State::Zombie(_)) {
            return if member.is_thread { Condition::Gone } else { Condition::Zombie };
        }
        match kernel.tasks.threads.get(member.thread) {
            None => Condition::Gone,
            Some(thread) if thread.exited && !process.outlives_all() => {
                if member.is_thread {
                    Condition::Gone
                } else {
                    Condition::Zombie
                }
            }
            // A runner that boots without cgroup2 does not find the group.
            Some(thread)
                if kernel.profile.layout.has_v2() && cgroup::is_frozen(&kernel, thread.cgroup) =>
            {
                Condition::Frozen
            }
            Some(thread) if process.is_stopped() && !thread.frozen_v1 => Condition::Stopped,
            Some(_) => Condition::Running,
        }
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        if !self.condition(actor).is_alive() {
            return Err(Errno::ENOENT);
        }
        let thread = self.cast.get(&actor).ok_or(Errno::ENOENT)?.thread;
        namespace::identity(&self.machine.shared().lock(), thread, link.into())
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.member(actor).is_ok_and(|member| member.inner.is_none())
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        let kernel = self.machine.shared().lock();
        match clock {
            ClockName::Realtime => kernel.clock.realtime(),
            ClockName::Monotonic | ClockName::Boottime => kernel.clock.monotonic(),
        }
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        for member in std::mem::take(&mut self.cast).into_values() {
            member.kept.abandon();
        }
        run::clear(self.machine.shared());
        Ok(())
    }
}

/// Carries out an operation as an actor; `target` is opened for it first, from a number that it cannot have itself.
/// A thread actor ends its thread alone, and every actor stays dumpable (spec/transcript.md, `exit` and `setid`).
fn act(
    view: &View,
    faulty: Option<Faulty>,
    kept: &Actor,
    task: &Task,
    target: Option<(ProcessKey, Option<Arc<Inner>>)>,
    is_thread: bool,
) -> Outcome {
    // One that cannot run does nothing, not even what a kernel need not be asked for.
    if let Err(failure) = view.carry(Begin {}) {
        return failure.into();
    }
    if let Op::Processes(ProcessOp::Exit { code }) = task.op
        && is_thread
    {
        return view.exit_thread(ExitCode(code)).map_or_else(Outcome::from, |()| Outcome::ok());
    }
    let target = target.map(|(process, inner)| view.carry(Hold { process, inner }));
    let handle = match target.transpose() {
        Ok(number) => number.map(|number| PidHandle::from(view.handle(number))),
        Err(failure) => return failure.into(),
    };
    let outcome = match faulty {
        None => perform(view, kept, task, handle.as_ref()),
        Some(faulty) => perform(&Layered::new(view, faulty), kept, task, handle.as_ref()),
    };
    view.stay_dumpable();
    outcome
}

/// A call that is none of the backend's methods, with what goes wrong in it.
fn meets<T>(
    faulty: Option<&Faulty>,
    call: &Call,
    make: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let Some(faulty) = faulty else { return make() };
    let made = faulty.before(call).and_then(|()| make());
    faulty.after(call, made.as_ref().err());
    made
}

fn born(actor: ActorId, made: Result<ThreadKey, Failure>, is_thread: bool) -> Reply {
    match made {
        Ok(thread) => Reply::Born { actor, thread, is_thread },
        Err(failure) => Reply::Outcome(failure.into()),
    }
}

/// The actor runs.
struct Begin {}

impl Operation for Begin {
    type Answer = ();
    const NAME: &'static str = "begin";
    const IS_TOLD: bool = false;

    fn handle(&mut self, _kernel: &mut Kernel, _caller: ThreadKey) -> Step<()> {
        Ok(())
    }
}
