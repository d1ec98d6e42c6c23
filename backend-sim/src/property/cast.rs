//! The actors of a case on a machine, and how each operation is carried out as one of them.
//!
//! From outside an operation is a few calls of the actor's view, without a stack or a text: that is why cases are cheap. From
//! within a program, where others may go on in the middle of it, the operation of another actor runs on a stack of its own: if
//! that actor dies meanwhile, nobody else does. Unlike the stage of transcripts it normalises nothing. Neighbours: `play`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use standin::handle::PidHandle;
use standin::transcript::{
    Actor, Aim, ClockName, FileOp, ForkOptions, IdentityOp, Label, NamespaceOp, Op, Outcome, Owner,
    Piece, PriorityOf, ProcessOp, SocketOp, SystemOp, Task, UNSEEN, Who, perform,
};
use standin::{ExitCode, Failure, Pid};

use super::case::Step;
use super::generate::actor;
use super::ground::ROLES;
use crate::birth::{Hold, give_birth};
use crate::machine::Shared;
use crate::namespace;
use crate::namespace::pid::Inner;
use crate::ops::fork::Fork;
use crate::run;
use crate::task::{ProcessKey, ThreadKey};
use crate::view::View;

/// Those who carry out operations.
pub(super) struct Cast {
    shared: Arc<Shared>,
    members: [Option<Member>; ROLES],
}

/// What is there once an operation was carried out; nothing while it waits.
type Reply = Rc<RefCell<Option<Outcome>>>;

struct Member {
    view: View,
    kept: Actor,
    process: ProcessKey,
    number: Pid,
    /// Its further numbers, if it is in a nested PID namespace.
    inner: Option<Arc<Inner>>,
    is_thread: bool,
    /// What it is in the middle of.
    busy: Option<Reply>,
}

impl Cast {
    /// `init` alone: this thread.
    pub(super) fn new(shared: &Arc<Shared>, first: ThreadKey) -> Self {
        let mut cast = Self { shared: Arc::clone(shared), members: [const { None }; ROLES] };
        cast.join(0, first, false, |_| Actor::new());
        cast
    }

    fn join(
        &mut self,
        role: usize,
        thread: ThreadKey,
        is_thread: bool,
        keep: impl FnOnce(&View) -> Actor,
    ) {
        let (process, number, inner) = {
            let kernel = self.shared.lock();
            // Who died at birth is there no more.
            let Some(record) = kernel.tasks.threads.get(thread) else { return };
            (record.process, Pid(record.number), kernel.inner(record.number).cloned())
        };
        let view = View::inside(&self.shared, thread);
        let kept = keep(&view);
        let member = Member { view, kept, process, number, inner, is_thread, busy: None };
        if let Some(place) = self.members.get_mut(role) {
            // What somebody kept open went with its process; threads leave it to that.
            let before = place.replace(member).filter(|before| !before.is_thread);
            before.into_iter().for_each(|before| before.kept.abandon());
        }
    }

    fn member(&self, role: usize) -> Option<&Member> {
        self.members.get(role)?.as_ref()
    }

    fn find(&self, label: &Label) -> Option<&Member> {
        let role = (0..ROLES).find(|role| actor(*role) == label)?;
        self.member(role)
    }

    /// Carries out an operation; nothing if its actor is not there, or does not answer.
    pub(super) fn carry_out(&mut self, Step { role, op }: Step) -> Option<Outcome> {
        let member = self.members.get_mut(role)?.as_mut()?;
        if let Some(reply) = &member.busy {
            reply.borrow_mut().take()?;
            member.busy = None;
        }
        match op {
            Op::Processes(ProcessOp::Fork { child, options }) => {
                Some(self.fork(role, &child, &options))
            }
            Op::Processes(ProcessOp::Thread { thread }) => Some(self.thread(role, &thread)),
            Op::Processes(ProcessOp::Join { .. }) => Some(Outcome::status("idle")),
            Op::Processes(ProcessOp::Status { target }) => {
                let lives = self.find(&target).is_some_and(|it| self.is_alive(it));
                Some(Outcome::status(if lives { "running" } else { "gone" }))
            }
            Op::Namespaces(NamespaceOp::Nsid { target, kind }) => {
                let thread = self.find(&target)?.view.thread();
                let kernel = self.shared.lock();
                if !kernel.tasks.is_alive(thread) {
                    return None;
                }
                let found = namespace::identity(&kernel, thread, kind.into());
                Some(found.map_or_else(Outcome::failed, |_| Outcome::ok()))
            }
            op @ (Op::Files(_)
            | Op::Processes(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_)) => self.perform(role, op),
        }
    }

    fn is_alive(&self, member: &Member) -> bool {
        self.shared.lock().tasks.is_alive(member.view.thread())
    }

    fn role_of(label: &Label) -> usize {
        (0..ROLES).find(|role| actor(*role) == label).unwrap_or(0)
    }

    fn fork(&mut self, parent: usize, child: &Label, options: &ForkOptions) -> Outcome {
        let Some(member) = self.member(parent) else { return gone() };
        let thread = match give_birth(&member.view, options) {
            Ok(thread) => thread,
            Err(failure) => return failure.into(),
        };
        let kept = member.kept.clone();
        let role = Self::role_of(child);
        self.join(role, thread, false, |view| kept.inherit(&|number| view.handle(number)));
        let Some(uid) = options.uid else { return Outcome::ok() };
        let owner = Owner { uid, gid: uid };
        let op = Op::Processes(ProcessOp::Setid { owner });
        self.perform(role, op).unwrap_or_else(Outcome::ok)
    }

    fn thread(&mut self, maker: usize, label: &Label) -> Outcome {
        let Some(member) = self.member(maker) else { return gone() };
        match member.view.carry(Fork { is_thread: true, ..Fork::default() }) {
            Ok(made) => {
                let kept = member.kept.clone();
                self.join(Self::role_of(label), made.thread, true, |_| kept);
                Outcome::ok()
            }
            Err(failure) => failure.into(),
        }
    }

    /// An operation that an actor carries out by calls of its own.
    fn perform(&mut self, role: usize, op: Op) -> Option<Outcome> {
        let target = match &op {
            Op::Processes(ProcessOp::Kill { target, .. } | ProcessOp::Wait { target, .. })
            | Op::Namespaces(NamespaceOp::Setns { target, .. }) => {
                let target = self.find(target)?;
                Some(Hold { process: target.process, inner: target.inner.clone() })
            }
            Op::Files(_)
            | Op::Processes(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => None,
        };
        let aim = self.aim(role, &op)?;
        let task = Task { op, aim };
        let runs_on = matches!(task.op, Op::Processes(ProcessOp::Exec { .. }));
        let member = self.members.get_mut(role)?.as_mut()?;
        if role != 0 && run::is_inside(self.shared.id) {
            let reply = Reply::default();
            let (view, kept, into) = (member.view.clone(), member.kept.clone(), Rc::clone(&reply));
            let is_thread = member.is_thread;
            let thread = view.thread();
            let body = Box::new(move || {
                let outcome = act(&view, &kept, &task, target, is_thread);
                into.replace(Some(outcome));
            });
            member.busy = Some(Rc::clone(&reply));
            run::begin(&self.shared, thread, body);
            let outcome = reply.borrow_mut().take()?;
            if let Some(member) = self.members.get_mut(role).and_then(Option::as_mut) {
                member.busy = None;
            }
            return Some(outcome);
        }
        let outcome = act(&member.view, &member.kept, &task, target, member.is_thread);
        if runs_on {
            while run::step(&self.shared) {}
        }
        Some(outcome)
    }

    /// Whom the labels of an operation mean.
    fn aim(&self, by: usize, op: &Op) -> Option<Aim> {
        let numbers = |labels: &[&Label]| {
            let number = |label: &&Label| ((*label).clone(), self.number(label, by));
            Aim { numbers: labels.iter().map(number).collect(), ..Aim::default() }
        };
        Some(match op {
            Op::Files(FileOp::Write { data, .. } | FileOp::Fwrite { data, .. }) => {
                if !data.0.contains(&b'<') {
                    return Some(Aim::default());
                }
                let mut named = Vec::new();
                for piece in data.pieces() {
                    if let Piece::Pid(label, _) = piece {
                        let number = self.number(&label, by);
                        named.push((label, number));
                    }
                }
                Aim { numbers: named, ..Aim::default() }
            }
            Op::Processes(ProcessOp::Proc { target, .. })
            | Op::Namespaces(
                NamespaceOp::Idmap { target, .. } | NamespaceOp::Setgroups { target, .. },
            ) => Aim { in_proc: Some(self.find(target)?.number), ..Aim::default() },
            Op::Sockets(SocketOp::Send { options, .. }) => match &options.cred {
                Some(credentials) => numbers(&[&credentials.actor]),
                None => Aim::default(),
            },
            Op::Identity(
                IdentityOp::Rlimit { who, .. }
                | IdentityOp::Priority {
                    of: PriorityOf::Process(who) | PriorityOf::Group(who), ..
                }
                | IdentityOp::Getpgid { who }
                | IdentityOp::Getsid { who }
                | IdentityOp::Killpg { group: who, .. },
            )
            | Op::System(SystemOp::Attach { who }) => match who {
                Who::Actor(label) => numbers(&[label]),
                Who::Zero => Aim::default(),
            },
            Op::System(SystemOp::Clock { clock }) => {
                let kernel = self.shared.lock();
                let initial = match clock {
                    ClockName::Realtime => kernel.clock.realtime(),
                    ClockName::Monotonic | ClockName::Boottime => kernel.clock.monotonic(),
                };
                Aim { initial: Some(initial), ..Aim::default() }
            }
            Op::Files(_)
            | Op::Processes(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => Aim::default(),
        })
    }

    /// The number of somebody as another one sees it.
    fn number(&self, label: &Label, by: usize) -> Pid {
        let (Some(who), Some(by)) = (self.find(label), self.member(by)) else { return UNSEEN };
        let Some((home, _)) = by.inner.as_ref().map(|inner| inner.own()) else {
            return who.number;
        };
        let seen = who.inner.as_ref().map_or(0, |inner| inner.told(home));
        if seen == 0 { UNSEEN } else { Pid(seen) }
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        // The machine closes what its processes have open.
        for member in self.members.iter_mut().filter_map(Option::take) {
            member.kept.abandon();
        }
    }
}

fn gone() -> Outcome {
    Failure::CallerDied.into()
}

/// Carries out an operation by calls of this view. A thread actor ends its thread alone, and whoever changes its ids stays
/// dumpable (spec/transcript.md, `exit` and `setid`).
fn act(view: &View, kept: &Actor, task: &Task, target: Option<Hold>, is_thread: bool) -> Outcome {
    if let Op::Processes(ProcessOp::Exit { code }) = task.op
        && is_thread
    {
        return view.exit_thread(ExitCode(code)).map_or_else(Outcome::from, |()| Outcome::ok());
    }
    let target = match target.map(|hold| view.carry(hold)).transpose() {
        Ok(number) => number.map(|number| PidHandle::from(view.handle(number))),
        Err(failure) => return failure.into(),
    };
    let outcome = perform(view, kept, task, target.as_ref());
    if matches!(
        task.op,
        Op::Processes(ProcessOp::Setid { .. } | ProcessOp::Capdrop { .. })
            | Op::Identity(_)
            | Op::Namespaces(_)
    ) {
        view.stay_dumpable();
    }
    outcome
}
