//! A stage without a kernel: it answers what a test prepared, and `ok` to all else.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::errno::Errno;
use crate::id::{Moment, NsId, Pid};
use crate::transcript::{
    ActorId, Aim, ClockName, Condition, NamespaceLink, Outcome, Request, Settled, Stage, Trouble,
};

/// Actors are processes 100, 101 ... of the initial pid namespace; those in `inside` are 10, 11 ... of another one, which
/// sees nobody else.
#[derive(Default)]
pub(super) struct Fake {
    replies: BTreeMap<String, VecDeque<Settled>>,
    conditions: BTreeMap<ActorId, Condition>,
    changes: BTreeMap<String, (ActorId, Condition)>,
    waiting: BTreeMap<ActorId, VecDeque<Settled>>,
    pub(super) inside: Vec<ActorId>,
    pub(super) namespaces: BTreeMap<(ActorId, NamespaceLink), NsId>,
    pub(super) requests: Vec<(ActorId, String, Aim)>,
    pub(super) finished: bool,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self {
            conditions: BTreeMap::from([(ActorId::INIT, Condition::Running)]),
            ..Self::default()
        }
    }

    /// What an operation's waits come to, one after another; the last `Busy` stays.
    pub(super) fn reply<const N: usize>(mut self, op: &str, settled: [Settled; N]) -> Self {
        self.replies.entry(op.to_owned()).or_default().extend(settled);
        self
    }

    /// What an operation answers at once.
    pub(super) fn answer(self, op: &str, outcome: Outcome) -> Self {
        self.reply(op, [Settled::Answered(outcome)])
    }

    /// What becomes of an actor when an operation begins.
    pub(super) fn change(mut self, op: &str, actor: ActorId, condition: Condition) -> Self {
        self.changes.insert(op.to_owned(), (actor, condition));
        self
    }
}

impl Stage for Fake {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        let (op, aim, child) = match request {
            Request::Perform(task) => (task.op.to_string(), task.aim, None),
            Request::Fork { child, .. } => ("fork".to_owned(), Aim::default(), Some(child)),
            Request::Thread { thread } => ("thread".to_owned(), Aim::default(), Some(thread)),
        };
        let ok = || VecDeque::from([Settled::Answered(Outcome::ok())]);
        let replies = self.replies.get_mut(&op);
        let replies = match replies {
            // Each fork has a reply of its own.
            Some(replies) if child.is_some() => {
                replies.pop_front().map(|one| VecDeque::from([one]))
            }
            Some(replies) => Some(replies.clone()),
            None => None,
        };
        let replies = replies.unwrap_or_else(ok);
        if let Some(child) = child
            && !matches!(&replies[0], Settled::Answered(outcome) if !outcome.is_ok())
        {
            self.conditions.insert(child, Condition::Running);
        }
        if let Some((changed, condition)) = self.changes.get(&op) {
            self.conditions.insert(*changed, *condition);
        }
        let before = self.waiting.insert(actor, replies);
        assert_eq!(before, None, "{actor} is busy");
        self.requests.push((actor, op, aim));
        Ok(())
    }

    fn settle(&mut self, actor: ActorId, _patience: Duration) -> Result<Settled, Trouble> {
        let waiting = self.waiting.get_mut(&actor).expect("an actor that was asked");
        let settled = match waiting.len() {
            1 => waiting[0].clone(),
            _ => waiting.pop_front().expect("a reply"),
        };
        match settled {
            Settled::Busy => {}
            Settled::Answered(_) => drop(self.waiting.remove(&actor)),
            Settled::Died(_) => {
                self.waiting.remove(&actor);
                self.conditions.insert(actor, Condition::Zombie);
            }
        }
        Ok(settled)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.conditions.get(&who)?;
        if !self.inside.contains(&seen_by) {
            return Some(Pid(100 + who.0));
        }
        self.inside.contains(&who).then_some(Pid(10 + who.0))
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.conditions.get(&actor).copied().unwrap_or(Condition::Gone)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        if self.condition(actor) == Condition::Zombie {
            return Err(Errno::ENOENT);
        }
        Ok(self.namespaces.get(&(actor, link)).copied().unwrap_or(NsId(7)))
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        !self.inside.contains(&actor)
    }

    fn initial_clock(&mut self, _clock: ClockName) -> Moment {
        Moment { ns: 5 }
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        assert!(!self.finished, "finished twice");
        self.finished = true;
        Ok(())
    }
}
