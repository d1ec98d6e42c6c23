//! Who is in a run: labels, the order in which actors were made, and what each is busy with.
//!
//! A label means the actor that was made last under it. Actors are numbered from 0 without gaps; whether one is alive is
//! the stage's to say.

use std::collections::BTreeMap;

use crate::transcript::actor::ActorId;
use crate::transcript::answer::Answer;
use crate::transcript::op::Op;
use crate::transcript::value::{Id, Label};

/// The actors of a run.
#[derive(Debug)]
pub(super) struct Cast {
    labels: BTreeMap<Label, ActorId>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    label: Label,
    busy: Option<Busy>,
    last_words: Option<Answer>,
}

/// What an actor was asked and has not answered.
#[derive(Debug)]
pub(super) struct Busy {
    pub(super) op: Op,
    /// Whom it makes, if it makes somebody.
    pub(super) birth: Option<Birth>,
}

/// An actor that is being made.
#[derive(Debug)]
pub(super) struct Birth {
    pub(super) child: ActorId,
    label: Label,
    /// Whom the label meant before.
    before: Option<ActorId>,
    /// The id that the child takes first.
    pub(super) uid: Option<Id>,
}

impl Cast {
    /// `init` alone.
    pub(super) fn new() -> Self {
        let mut cast = Self { labels: BTreeMap::new(), members: Vec::new() };
        cast.conceive(&Label::init(), None);
        cast
    }

    /// Whom a label means.
    pub(super) fn find(&self, label: &Label) -> Option<ActorId> {
        self.labels.get(label).copied()
    }

    /// The actors in the order of their making.
    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = (ActorId, &Label)> {
        let count = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        (0..count).map(ActorId).zip(self.members.iter().map(|member| &member.label))
    }

    /// A new actor of that name. It may be asked for at once: a fork that blocks may have made it.
    pub(super) fn conceive(&mut self, label: &Label, uid: Option<Id>) -> Birth {
        let child = ActorId(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
        self.members.push(Member { label: label.clone(), busy: None, last_words: None });
        let before = self.labels.insert(label.clone(), child);
        Birth { child, label: label.clone(), before, uid }
    }

    /// Nobody was made after all. The number is given out again unless a later one was.
    pub(super) fn take_back(&mut self, birth: Birth) {
        if self.find(&birth.label) == Some(birth.child) {
            match birth.before {
                Some(before) => self.labels.insert(birth.label, before),
                None => self.labels.remove(&birth.label),
            };
        }
        if index(birth.child) + 1 == self.members.len() {
            self.members.pop();
        }
    }

    pub(super) fn is_busy(&self, actor: ActorId) -> bool {
        self.members.get(index(actor)).is_some_and(|member| member.busy.is_some())
    }

    pub(super) fn set_busy(&mut self, actor: ActorId, busy: Busy) {
        if let Some(member) = self.members.get_mut(index(actor)) {
            member.busy = Some(busy);
        }
    }

    pub(super) fn take_busy(&mut self, actor: ActorId) -> Option<Busy> {
        self.members.get_mut(index(actor))?.busy.take()
    }

    pub(super) fn set_last_words(&mut self, actor: ActorId, words: Answer) {
        if let Some(member) = self.members.get_mut(index(actor)) {
            member.last_words = Some(words);
        }
    }

    pub(super) fn take_last_words(&mut self, actor: ActorId) -> Option<Answer> {
        self.members.get_mut(index(actor))?.last_words.take()
    }
}

fn index(actor: ActorId) -> usize {
    usize::try_from(actor.0).unwrap_or(usize::MAX)
}
