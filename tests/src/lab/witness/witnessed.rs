//! What is witnessed: a session of one of the groups, whichever it is.

use standin::transcript::MachineLine;
use standin_linux::Tenancy;

use super::super::record::Answer;
use super::log::Log;
use super::operations::Counts;
use super::{observe, procfs, session, transcript};

/// A session of any group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Witnessed {
    /// Of libcgroup's tools.
    Libcgroup(&'static session::Session),
    /// Of tools that read /proc.
    Procfs(&'static procfs::session::Session),
}

impl Witnessed {
    /// Every one, group by group.
    pub fn all() -> impl Iterator<Item = Self> {
        let first = session::SESSIONS.iter().map(Self::Libcgroup);
        first.chain(procfs::session::SESSIONS.iter().map(Self::Procfs))
    }

    /// The one with this name; no two groups have the same.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|subject| subject.name() == name)
    }

    /// The recording's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Libcgroup(session) => session.name,
            Self::Procfs(session) => session.name,
        }
    }

    /// The directory of the group's recordings.
    #[must_use]
    pub const fn group(self) -> &'static str {
        match self {
            Self::Libcgroup(_) => "libcgroup",
            Self::Procfs(_) => "procfs",
        }
    }

    /// Its commands.
    #[must_use]
    pub const fn commands(self) -> &'static [&'static str] {
        match self {
            Self::Libcgroup(session) => session.commands,
            Self::Procfs(session) => session.commands,
        }
    }

    /// The programs that it runs.
    pub fn programs(self) -> impl Iterator<Item = &'static str> {
        let tools = self.commands().iter().filter_map(|command| command.split(' ').next());
        let others: &[&str] = match self {
            Self::Libcgroup(_) => &["strace"],
            Self::Procfs(_) => &["strace", "nsenter", "sleep"],
        };
        tools.chain(others.iter().copied())
    }

    /// What was seen of it on the kernel below, as a [`Log`]'s text, or why it was not run.
    #[must_use]
    pub fn observe(self, tenancy: Tenancy) -> Answer {
        match self {
            Self::Libcgroup(session) => observe::answer(session),
            Self::Procfs(session) => procfs::observe::answer(session, tenancy),
        }
    }

    /// What a log says as a transcript.
    pub(super) fn told(self, machine: &MachineLine, answer: Answer, counts: Counts) -> Answer {
        let Answer::Transcript(text) = &answer else { return answer };
        let read = text.parse::<Log>().and_then(|log| match self {
            Self::Libcgroup(session) => transcript::transcript(session, machine, &log, counts),
            Self::Procfs(session) => procfs::transcript::transcript(session, machine, &log),
        });
        read.map_or_else(Answer::Lost, Answer::Transcript)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_is_found_by_its_name() {
        for subject in Witnessed::all() {
            assert_eq!(Witnessed::named(subject.name()), Some(subject));
            assert!(!subject.commands().is_empty());
        }
    }
}
