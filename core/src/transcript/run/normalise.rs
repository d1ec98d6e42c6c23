//! From an outcome to an answer in which nothing differs from run to run (spec, Normalisation).

use std::collections::BTreeMap;

use super::Runner;
use crate::errno::Errno;
use crate::id::{NsId, Pid};
use crate::transcript::actor::ActorId;
use crate::transcript::answer::Answer;
use crate::transcript::op::{NamespaceKind, NamespaceLink};
use crate::transcript::outcome::{Form, Outcome, Part, PidRule};
use crate::transcript::stage::Stage;
use crate::transcript::value::Label;
use crate::transcript::word::printable;

/// What stands for a process that is no actor's.
const OTHER: &str = "<other>";

/// The namespaces that were seen, in order of appearance; the first of each kind is the initial one.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    seen: BTreeMap<NamespaceKind, Vec<NsId>>,
}

impl Namespaces {
    /// Those in which `init` begins.
    pub(super) fn initial(stage: &mut dyn Stage) -> Self {
        let mut namespaces = Self::default();
        for link in NamespaceLink::ALL {
            if let Ok(namespace) = stage.namespace(ActorId::INIT, *link) {
                namespaces.number(link.kind(), namespace);
            }
        }
        namespaces
    }

    /// `KIND#N`.
    pub(super) fn print(&mut self, link: NamespaceLink, namespace: NsId) -> Answer {
        let kind = link.kind();
        let number = self.number(kind, namespace);
        Answer::status(&format!("{kind}#{number}"))
    }

    fn number(&mut self, kind: NamespaceKind, namespace: NsId) -> usize {
        let seen = self.seen.entry(kind).or_default();
        seen.iter().position(|known| *known == namespace).unwrap_or_else(|| {
            seen.push(namespace);
            seen.len() - 1
        })
    }
}

/// The name of an error.
pub(super) fn errno(errno: Errno) -> Answer {
    Answer::status(&errno.to_string())
}

impl Runner<'_> {
    /// The answer of an operation named `name` that `reader` carried out.
    pub(super) fn print(&mut self, reader: ActorId, name: &str, outcome: &Outcome) -> Answer {
        match outcome {
            Outcome::Done => Answer::ok(),
            Outcome::Failed { errno: refused, opening: false } => errno(*refused),
            Outcome::Failed { errno, opening: true } => Answer::status(&format!("{errno} open")),
            Outcome::NotModelled | Outcome::Broken(_) => {
                Answer::status(&format!("NotModelled {name}"))
            }
            Outcome::Printed { form, parts } => {
                let bytes = self.join_parts(reader, parts);
                match form {
                    Form::Status => Answer::status(&printable(&bytes)),
                    Form::Text => Answer::text(&bytes),
                    Form::Value => Answer::value(&bytes),
                    Form::Listing => Answer::text(&self.list(reader, &bytes)),
                }
            }
        }
    }

    fn join_parts(&mut self, reader: ActorId, parts: &[Part]) -> Vec<u8> {
        let mut joined = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(bytes) => joined.extend_from_slice(bytes),
                Part::Process(pid, rule) => {
                    joined.extend(self.process(reader, *pid, *rule).into_bytes());
                }
            }
        }
        joined
    }

    fn process(&mut self, reader: ActorId, pid: Pid, rule: PidRule) -> String {
        if pid == Pid::ZERO
            || rule == PidRule::Number && !self.stage.in_initial_pid_namespace(reader)
        {
            return pid.to_string();
        }
        // A number that was used again means the later actor.
        let mut actors = self.cast.all().rev();
        let found = actors.find(|(actor, _)| self.stage.number(*actor, reader) == Some(pid));
        found.map_or_else(|| OTHER.to_owned(), |(_, label)| mark(label))
    }

    /// A listing file: actors in their order, then numbers; what is no actor is left out in the initial pid namespace.
    /// What is no list of numbers stays as it is.
    fn list(&mut self, reader: ActorId, text: &[u8]) -> Vec<u8> {
        let Some(pids) = pids(text) else { return text.to_vec() };
        let mut actors: BTreeMap<Pid, (ActorId, &Label)> = BTreeMap::new();
        for (actor, label) in self.cast.all() {
            if let Some(number) = self.stage.number(actor, reader) {
                actors.insert(number, (actor, label));
            }
        }
        let initial = self.stage.in_initial_pid_namespace(reader);
        let (mut labels, mut numbers) = (Vec::new(), Vec::new());
        for pid in pids {
            match actors.get(&pid) {
                Some(found) if pid != Pid::ZERO => labels.push(found),
                _ if pid == Pid::ZERO || !initial => numbers.push(pid),
                _ => {}
            }
        }
        labels.sort_by_key(|(actor, _)| *actor);
        let labels = labels.iter().map(|(_, label)| mark(label));
        let lines = labels.chain(numbers.iter().map(Pid::to_string));
        lines.flat_map(|line| format!("{line}\n").into_bytes()).collect()
    }
}

fn mark(label: &Label) -> String {
    format!("<{label}>")
}

/// The numbers in the lines of a text, if each line is one.
fn pids(text: &[u8]) -> Option<Vec<Pid>> {
    let text = std::str::from_utf8(text).ok()?;
    text.lines().map(|line| line.parse().ok().map(Pid)).collect()
}
