//! Whom an operation's labels mean, looked up before it begins.

use super::Runner;
use crate::id::Pid;
use crate::transcript::actor::ActorId;
use crate::transcript::op::{
    FileOp, IdentityOp, NamespaceOp, Op, PriorityOf, ProcessOp, SocketOp, SystemOp,
};
use crate::transcript::stage::{Aim, Condition, UNSEEN};
use crate::transcript::value::{Data, Label, Piece, Who};

impl Runner<'_> {
    /// What an operation of this actor needs to know; `None` if it prints `gone`.
    pub(super) fn aim(&mut self, actor: ActorId, op: &Op) -> Option<Aim> {
        match op {
            Op::Files(FileOp::Write { data, .. } | FileOp::Fwrite { data, .. }) => {
                Some(self.numbers(actor, &marks(data)))
            }
            Op::Processes(ProcessOp::Kill { target, .. } | ProcessOp::Wait { target, .. })
            | Op::Namespaces(NamespaceOp::Setns { target, .. }) => {
                let target = self.cast.find(target)?;
                // Whom a fork under way has not made yet never lived; `init` sees everybody who did.
                self.stage.number(target, ActorId::INIT)?;
                Some(Aim { target: Some(target), ..Aim::default() })
            }
            Op::Processes(ProcessOp::Proc { target, .. })
            | Op::Namespaces(
                NamespaceOp::Idmap { target, .. } | NamespaceOp::Setgroups { target, .. },
            ) => self.in_proc(target),
            Op::Sockets(SocketOp::Send { options, .. }) => {
                let label = options.cred.iter().map(|credentials| credentials.actor.clone());
                Some(self.numbers(actor, &label.collect::<Vec<_>>()))
            }
            Op::Identity(
                IdentityOp::Rlimit { who, .. }
                | IdentityOp::Priority {
                    of: PriorityOf::Process(who) | PriorityOf::Group(who), ..
                }
                | IdentityOp::Getpgid { who }
                | IdentityOp::Getsid { who }
                | IdentityOp::Killpg { group: who, .. },
            )
            | Op::System(SystemOp::Attach { who }) => self.who(actor, &[who]),
            Op::Identity(IdentityOp::Setpgid { who, group }) => self.who(actor, &[who, group]),
            Op::System(SystemOp::Clock { clock }) => {
                let initial = Some(self.stage.initial_clock(*clock));
                Some(Aim { initial, ..Aim::default() })
            }
            Op::Files(_)
            | Op::Processes(_)
            | Op::Namespaces(_)
            | Op::Resources(_)
            | Op::Sockets(_)
            | Op::Identity(_)
            | Op::Links(_)
            | Op::System(_) => Some(Aim::default()),
        }
    }

    fn in_proc(&mut self, target: &Label) -> Option<Aim> {
        let target = self.cast.find(target)?;
        if self.stage.condition(target) == Condition::Gone {
            return None;
        }
        // `init` never leaves the initial pid namespace: it sees everybody.
        let in_proc = self.stage.number(target, ActorId::INIT);
        Some(Aim { in_proc, ..Aim::default() })
    }

    fn who(&mut self, actor: ActorId, who: &[&Who]) -> Option<Aim> {
        let mut labels = Vec::new();
        for who in who {
            match who {
                Who::Zero => {}
                Who::Actor(label) => {
                    self.cast.find(label)?;
                    labels.push(label.clone());
                }
            }
        }
        Some(self.numbers(actor, &labels))
    }

    /// The numbers of these actors as this one sees them.
    fn numbers(&mut self, actor: ActorId, labels: &[Label]) -> Aim {
        let number = |label: &Label| -> Pid {
            let whose = self.cast.find(label);
            whose.and_then(|whose| self.stage.number(whose, actor)).unwrap_or(UNSEEN)
        };
        let mut number = number;
        let numbers = labels.iter().map(|label| (label.clone(), number(label))).collect();
        Aim { numbers, ..Aim::default() }
    }
}

/// The actors that data names.
fn marks(data: &Data) -> Vec<Label> {
    let mut labels = Vec::new();
    for piece in data.pieces() {
        match piece {
            Piece::Pid(label, _) if !labels.contains(&label) => labels.push(label),
            Piece::Pid(..) | Piece::Bytes(_) | Piece::Descriptor(..) => {}
        }
    }
    labels
}
