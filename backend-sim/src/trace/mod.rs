//! What a machine was asked and what it answered, call by call, as data: [`Trace`].
//!
//! A machine keeps one only if it was built to ([`Builder::trace`](crate::Builder::trace)): then the door notes each call when
//! it reaches the kernel (`note`), and its answer when that is there. What the parts of a call are as values is in `show`; the
//! texts that other programs read are in `json` and `chrome`, and a script for another kernel in `script`. Nothing here
//! changes what a machine does.

mod chrome;
mod compare;
mod json;
mod note;
#[cfg(feature = "transcript")]
mod script;
mod show;

use std::fmt;

use standin::id::Moment;
use standin::{Failure, KPathBuf, Pid, Tid};

pub(crate) use compare::first_difference;
pub use compare::{Difference, Interference, Side, interference};
pub(crate) use note::{begin, close, end};
pub(crate) use show::{Parts, Show};

/// The calls of a run, in the order in which they reached the kernel.
///
/// ```
/// use standin::fs;
/// use standin_sim::Machine;
///
/// let machine = Machine::builder().trace().build();
/// fs::create_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap();
/// let again = fs::create_dir(&machine.root(), "/sys/fs/cgroup/web").unwrap_err();
/// let trace = machine.trace();
/// assert_eq!(trace.entries.len(), 2);
/// assert_eq!(trace.entries[1].failure().and_then(|failure| failure.errno()), again.errno());
/// assert!(trace.to_string().ends_with("mkdir(place \"/sys/fs/cgroup/web\", mode 0777) = EEXIST\n"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trace {
    /// One for each call.
    pub entries: Vec<Entry>,
    /// The process that [`Machine::root`](crate::Machine::root) is a view of.
    pub root: Pid,
}

/// A word of ours. (A name for the type, so that serde's derive does not take it for text that it may borrow.)
type Word = &'static str;

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Entry {
    /// When it reached the kernel, in time since boot.
    pub began: Moment,
    /// The process that made it, by its number in the first pid namespace.
    pub process: Pid,
    /// The thread of the process.
    pub thread: Tid,
    /// The thread's name (`comm`).
    pub name: String,
    /// The name of the backend's method.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::word"))]
    pub operation: Word,
    /// What it was about, each with its name.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::words"))]
    pub arguments: Vec<(Word, Value)>,
    /// What came of it; nothing yet, or never, if the caller waits in it or died in it.
    pub answer: Option<Answer>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Answer {
    /// When it came, in time since boot.
    pub at: Moment,
    /// How many calls had reached the kernel by then: more than this one's place if others came in between.
    pub behind: usize,
    /// The answer as it prints, or why there is none.
    #[cfg_attr(feature = "serde", serde(with = "crate::written::outcome"))]
    pub outcome: Result<String, Failure>,
}

/// A part of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Value {
    /// A path.
    Path(KPathBuf),
    /// Bytes that were written or sent, or, behind the call, read.
    Bytes(Vec<u8>),
    /// A number: of a descriptor, a process, a count of bytes.
    Number(u64),
    /// Anything else, as it prints.
    Text(String),
}

/// No calls, of nobody.
impl Default for Trace {
    fn default() -> Self {
        Self { entries: Vec::new(), root: Pid::ZERO }
    }
}

impl Trace {
    /// One line of JSON for each call: `at_ns`, `process`, `thread`, `name`, `operation`, `arguments`, and as far as there is
    /// an answer `until_ns` and `answer` or `failure`. Bytes that are no UTF-8 are an object with `hex`.
    #[must_use]
    pub fn json_lines(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            json::entry(&mut text, entry);
            text.push('\n');
        }
        text
    }

    /// The trace event format of Chrome, which <https://ui.perfetto.dev> shows: a lane for each thread, a slice for each call.
    /// A call takes no virtual time unless it waits, and is drawn a nanosecond long then.
    #[must_use]
    pub fn chrome(&self) -> String {
        chrome::events(self)
    }

    /// The script of what the run's processes did, in the language of transcripts: to be played on another kernel. What that
    /// language cannot say is a comment.
    #[cfg(feature = "transcript")]
    #[must_use]
    pub fn script(
        &self,
        machine: standin::transcript::MachineLine,
    ) -> standin::transcript::Transcript {
        script::script(self, machine)
    }

    /// The calls of one process, without their times and places: what it did and what it was told.
    pub fn of(&self, process: Pid) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.process == process)
    }
}

impl Entry {
    /// Why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.answer.as_ref()?.outcome.as_ref().err()
    }

    /// The part with this name.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.arguments.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The call with its answer, as strace(1) would print it: without its time, and without who made it.
    #[must_use]
    pub fn call(&self) -> String {
        let arguments: Vec<String> =
            self.arguments.iter().map(|(name, value)| format!("{name} {value}")).collect();
        let answer = match self.answer.as_ref().map(|answer| &answer.outcome) {
            None => "?".to_owned(),
            Some(Ok(answer)) => answer.clone(),
            Some(Err(failure)) => failure.to_string(),
        };
        format!("{}({}) = {answer}", self.operation, arguments.join(", "))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(out, "{path:?}"),
            Self::Bytes(bytes) => write!(out, "\"{}\"", bytes.escape_ascii()),
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// A line for each call: when, who, what, and what came of it.
impl fmt::Display for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            let Moment { ns } = entry.began;
            let (s, ns) = (ns / 1_000_000_000, ns % 1_000_000_000);
            let (pid, name) = (entry.thread.0, &entry.name);
            writeln!(out, "{s}.{ns:09} {pid} {name} {}", entry.call())?;
        }
        Ok(())
    }
}
