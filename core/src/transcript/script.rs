//! The document: a machine line, comments, operations and, in a transcript, their answers.
//!
//! A script that was read prints byte for byte as it was, answers included, but for the machine
//! line, which prints in the order kernel, layout, cpus, memory, swap.

use super::answer::Answer;
use super::machine::MachineLine;
use super::needs::Needs;
use super::op::Op;
use super::value::Label;

/// A script, or a transcript: a script with all its answers.
///
/// ```
/// use standin::transcript::{Answer, Label, MachineLine, Op, Transcript, parse};
/// let mut script = Transcript::new(MachineLine::default());
/// script.push_comment("a group");
/// script.push(Label::init(), "mkdir /sys/fs/cgroup/a".parse::<Op>()?, Some(Answer::ok()));
/// let text = "machine\n# a group\ninit> mkdir /sys/fs/cgroup/a\nok\n";
/// assert_eq!(script.to_string(), text);
/// assert_eq!(parse(text.as_bytes())?, script);
/// # Ok::<(), standin::transcript::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Comments before the machine line, each as it stands.
    pub(super) head: Vec<String>,
    /// The machine line.
    pub machine: MachineLine,
    pub(super) items: Vec<Item>,
}

/// A line of comment, or an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A blank line, or one that begins with `#`, as it stands.
    Comment(String),
    /// An operation.
    Operation(Operation),
}

/// An operation line and what stands below it.
#[derive(Debug, Clone)]
pub struct Operation {
    pub(super) line: usize,
    pub(super) actor: Label,
    pub(super) op: Op,
    pub(super) source: String,
    /// What it printed, or is expected to print; a script has none.
    pub answer: Option<Answer>,
}

/// Where an operation stands is not what it is: lines do not count.
impl PartialEq for Operation {
    fn eq(&self, other: &Self) -> bool {
        let Self { line: _, actor, op, source, answer } = self;
        (actor, op, source, answer) == (&other.actor, &other.op, &other.source, &other.answer)
    }
}

impl Eq for Operation {}

impl Operation {
    /// The line it was read from, from 1; 0 if it was not read.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Who carries it out.
    #[must_use]
    pub const fn actor(&self) -> &Label {
        &self.actor
    }

    /// What is carried out.
    #[must_use]
    pub const fn op(&self) -> &Op {
        &self.op
    }

    /// The whole operation line, as it was read.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }
}

impl Transcript {
    /// An empty script.
    #[must_use]
    pub const fn new(machine: MachineLine) -> Self {
        Self { head: Vec::new(), machine, items: Vec::new() }
    }

    /// Appends a comment; each line of `text` becomes a line behind `# `.
    pub fn push_comment(&mut self, text: &str) {
        let lines = text.lines().map(|line| Item::Comment(format!("# {line}")));
        self.items.extend(lines);
    }

    /// Appends an operation.
    pub fn push(&mut self, actor: Label, op: Op, answer: Option<Answer>) {
        let source = format!("{actor}> {op}");
        self.items.push(Item::Operation(Operation { line: 0, actor, op, source, answer }));
    }

    /// Comments and operations behind the machine line, in their order.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The operations in their order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.items.iter().filter_map(|item| match item {
            Item::Operation(operation) => Some(operation),
            Item::Comment(_) => None,
        })
    }

    /// The operations in their order, so that a runner can set their answers.
    pub fn operations_mut(&mut self) -> impl Iterator<Item = &mut Operation> {
        self.items.iter_mut().filter_map(|item| match item {
            Item::Operation(operation) => Some(operation),
            Item::Comment(_) => None,
        })
    }

    /// Has every operation its answer?
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.operations().all(|operation| operation.answer.is_some())
    }

    /// What the script asks of the place where it runs: the `# needs:` lines of its head.
    #[must_use]
    pub fn needs(&self) -> Needs {
        let comments = self.items.iter().map_while(|item| match item {
            Item::Comment(comment) => Some(comment),
            Item::Operation(_) => None,
        });
        let mut needs = Needs::default();
        for comment in self.head.iter().chain(comments) {
            // A parsed script has no wrong need; in one that was put together it is a comment.
            let _ = needs.add(comment);
        }
        needs
    }
}
