//! What the runner tells by itself: `join`, `status`, `nsid`.

use super::normalise::errno;
use super::patience::SETTLING;
use super::{Played, Runner, gone};
use crate::transcript::answer::Answer;
use crate::transcript::op::{NamespaceLink, NamespaceOp, Op, ProcessOp};
use crate::transcript::stage::{Condition, Settled};
use crate::transcript::value::Label;

impl Runner<'_> {
    /// The answer to an operation that no actor carries out; `None` if one does.
    pub(super) fn told(&mut self, actor: &Label, op: &Op) -> Option<Played> {
        match op {
            Op::Processes(ProcessOp::Join { actor: target }) => Some(self.join(actor, target)),
            Op::Processes(ProcessOp::Status { target }) => Some(Ok(self.status(target))),
            Op::Namespaces(NamespaceOp::Nsid { target, kind }) => {
                Some(Ok(self.nsid(actor, target, *kind)))
            }
            Op::Files(_)
            | Op::Processes(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => None,
        }
    }

    fn join(&mut self, actor: &Label, target: &Label) -> Played {
        if actor != target && !self.is_alive(actor) {
            return Ok(gone());
        }
        let Some(joined) = self.cast.find(target) else { return Ok(gone()) };
        if self.cast.is_busy(joined) {
            match self.stage.settle(joined, SETTLING)? {
                Settled::Busy => return Ok(Answer::status("blocked")),
                Settled::Answered(outcome) => return self.answered(joined, &outcome),
                Settled::Died(end) => self.died(joined, end),
            }
        }
        let words = self.cast.take_last_words(joined);
        let idle = if self.is_alive(actor) { Answer::status("idle") } else { gone() };
        Ok(words.unwrap_or(idle))
    }

    fn status(&mut self, target: &Label) -> Answer {
        let condition =
            self.cast.find(target).map_or(Condition::Gone, |it| self.stage.condition(it));
        Answer::status(condition.word())
    }

    fn nsid(&mut self, actor: &Label, target: &Label, link: NamespaceLink) -> Answer {
        let Some(whose) = self.cast.find(target).filter(|_| self.is_alive(actor)) else {
            return gone();
        };
        if self.stage.condition(whose) == Condition::Gone {
            return gone();
        }
        match self.stage.namespace(whose, link) {
            Ok(namespace) => self.namespaces.print(link, namespace),
            Err(refused) => errno(refused),
        }
    }

    fn is_alive(&mut self, label: &Label) -> bool {
        self.cast.find(label).is_some_and(|actor| self.stage.condition(actor).is_alive())
    }
}
