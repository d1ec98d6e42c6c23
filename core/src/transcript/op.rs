//! The operations: a closed enum, and one row for each (spec, Operations).
//!
//! Each theme has a file with its enum, declared as rows: name, words, what it does, typed fields.
//! A row gives the variant, its parser, its printer and its line of help; a further operation is
//! one more row. What an operation does when it runs is none of this module's business.

mod file;
mod identity;
mod link;
mod namespace;
mod process;
mod resource;
mod socket;
mod system;

pub use file::{
    AccessMode, Comparison, FileOp, FileSystem, MountFlag, MountOptions, OpenMode, Test,
};
pub use identity::{
    CapabilityChange, CapabilitySetName, IdentityOp, Limit, LimitPair, MaskChange, Prctl,
    PriorityOf, RlimitName, SignalAction,
};
pub use link::{EventfdOptions, Flock, LinkOp, OpenAt, OpenAtFlag, OpenAtMode, WatchEvent};
pub use namespace::{IdKind, NamespaceKind, NamespaceLink, NamespaceOp, SetgroupsTo};
pub use process::{AtLeastOne, ForkOptions, Nohang, ProcessOp};
pub use resource::ResourceOp;
pub use socket::{
    Address, Copies, Credentials, PollEvent, RecvOptions, SendOptions, ShutdownHow, SocketName,
    SocketOp, SocketType,
};
pub use system::{ClockName, RebootHow, SystemOp, UnameField};

use super::argument::Words;
use super::error::Complaint;
use super::word::{Word, print_word, shown};

/// What a group of operations is about; help is printed in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Theme {
    /// Files by path, control files, mounts.
    Files,
    /// Processes and threads.
    Processes,
    /// Namespaces.
    Namespaces,
    /// What a process uses: memory, processor, time.
    Resources,
    /// Local sockets and what all descriptors share.
    Sockets,
    /// Credentials, limits, sessions, signals.
    Identity,
    /// Links, locks, watches, events, handles.
    Links,
    /// The system as a whole.
    System,
}

/// One operation of one actor.
///
/// ```
/// use standin::transcript::{FileOp, Op};
/// use standin::{KPathBuf, Mode};
/// let path = KPathBuf::new("/sys/fs/cgroup/a b").unwrap();
/// let op = Op::Files(FileOp::Mkdir { path, mode: Some(Mode::new(0o700)) });
/// assert_eq!(op.to_string(), "mkdir \"/sys/fs/cgroup/a b\" 0700");
/// assert_eq!("mkdir \"/sys/fs/cgroup/a b\" 700".parse(), Ok(op));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Files by path, control files, mounts.
    Files(FileOp),
    /// Processes and threads.
    Processes(ProcessOp),
    /// Namespaces.
    Namespaces(NamespaceOp),
    /// What a process uses.
    Resources(ResourceOp),
    /// Local sockets and what all descriptors share.
    Sockets(SocketOp),
    /// Credentials, limits, sessions, signals.
    Identity(IdentityOp),
    /// Links, locks, watches, events, handles.
    Links(LinkOp),
    /// The system as a whole.
    System(SystemOp),
}

/// What is known of an operation before it is used: a row of the tables.
#[derive(Debug)]
pub struct OpRow {
    /// The operation's word.
    pub name: &'static str,
    /// What it is about.
    pub theme: Theme,
    /// Its arguments as the spec writes them; `[...]` may be left out, `|` separates alternatives.
    pub arguments: &'static str,
    /// What it does, in one line that begins with a blank.
    doc: &'static str,
    take: fn(&mut Words<'_>) -> Result<Op, Complaint>,
}

impl OpRow {
    /// The operation as it is written: its name and arguments.
    #[must_use]
    pub fn usage(&self) -> String {
        if self.arguments.is_empty() {
            return self.name.to_owned();
        }
        format!("{} {}", self.name, self.arguments)
    }

    /// What it does, in one line.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.doc.trim()
    }
}

/// Declares the operations of one theme: a row gives the variant, its parser, its printer and its
/// help.
macro_rules! operations {
    (
        $(#[$meta:meta])*
        $enum:ident of $theme:ident {$(
            #[doc = $doc:literal]
            $variant:ident is $name:literal $arguments:literal { $($field:ident: $type:ty),* $(,)? }
        )+}
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "a field is the word of that name in its operation's row")]
        pub enum $enum {
            $(
                #[doc = $doc]
                #[doc = concat!("\n\nWritten `", $name, " ", $arguments, "`.")]
                $variant { $($field: $type),* },
            )+
        }

        impl $enum {
            pub(super) const ROWS: &'static [super::OpRow] = &[$(super::OpRow {
                name: $name,
                theme: super::Theme::$theme,
                arguments: $arguments,
                doc: $doc,
                take: |_words| Ok(super::Op::$theme(Self::$variant {
                    $($field: $crate::transcript::argument::Argument::take(_words)?),*
                })),
            }),+];

            /// The operation's word.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),+ }
            }

            pub(super) fn put(&self, _out: &mut Vec<Vec<u8>>) {
                match self {$(
                    Self::$variant { $($field),* } => {
                        $($crate::transcript::argument::Argument::put($field, _out);)*
                    }
                )+}
            }
        }
    };
}
use operations;

/// The tables, in the order of help.
const TABLES: [&[OpRow]; 8] = [
    FileOp::ROWS,
    ProcessOp::ROWS,
    NamespaceOp::ROWS,
    ResourceOp::ROWS,
    SocketOp::ROWS,
    IdentityOp::ROWS,
    LinkOp::ROWS,
    SystemOp::ROWS,
];

/// All operations, theme by theme.
///
/// ```
/// let row = standin::transcript::op_rows().find(|row| row.name == "rmdir").unwrap();
/// assert_eq!((row.usage().as_str(), row.summary()), ("rmdir PATH", "Removes a directory: rmdir(2)."));
/// ```
pub fn op_rows() -> impl Iterator<Item = &'static OpRow> {
    TABLES.into_iter().flatten()
}

impl Op {
    /// The operation's word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Files(op) => op.name(),
            Self::Processes(op) => op.name(),
            Self::Namespaces(op) => op.name(),
            Self::Resources(op) => op.name(),
            Self::Sockets(op) => op.name(),
            Self::Identity(op) => op.name(),
            Self::Links(op) => op.name(),
            Self::System(op) => op.name(),
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn theme(&self) -> Theme {
        match self {
            Self::Files(_) => Theme::Files,
            Self::Processes(_) => Theme::Processes,
            Self::Namespaces(_) => Theme::Namespaces,
            Self::Resources(_) => Theme::Resources,
            Self::Sockets(_) => Theme::Sockets,
            Self::Identity(_) => Theme::Identity,
            Self::Links(_) => Theme::Links,
            Self::System(_) => Theme::System,
        }
    }

    /// The words behind the operation's name.
    #[must_use]
    pub fn arguments(&self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Files(op) => op.put(&mut out),
            Self::Processes(op) => op.put(&mut out),
            Self::Namespaces(op) => op.put(&mut out),
            Self::Resources(op) => op.put(&mut out),
            Self::Sockets(op) => op.put(&mut out),
            Self::Identity(op) => op.put(&mut out),
            Self::Links(op) => op.put(&mut out),
            Self::System(op) => op.put(&mut out),
        }
        out
    }

    /// Does it print one value, which stands as a whole behind `| ` (see
    /// [`Answer::value`](super::Answer::value))?
    ///
    /// `join` may print the answer of such an operation.
    #[must_use]
    pub const fn prints_value(&self) -> bool {
        matches!(
            self,
            Self::Files(FileOp::Key { .. } | FileOp::Xget { .. })
                | Self::Processes(ProcessOp::Join { .. })
                | Self::Namespaces(
                    NamespaceOp::Hostname { name: None } | NamespaceOp::Domainname { name: None }
                )
                | Self::Identity(IdentityOp::Prctl { prctl: Prctl::Name(None) })
                | Self::Links(LinkOp::Readlink { .. })
                | Self::System(SystemOp::Uname { .. })
        )
    }

    /// The operation that `words` spell; `end` is the length of their line.
    pub(super) fn read(words: &[Word], end: usize) -> Result<Self, Complaint> {
        let Some((name, arguments)) = words.split_first() else {
            return Err(Complaint::new(end, 1, "an operation is missing", "ACTOR> OP ARG..."));
        };
        let Some(row) = op_rows().find(|row| row.name.as_bytes() == name.bytes) else {
            let message = format!("`{}` is not an operation", shown(&name.bytes));
            let help = nearest(&name.bytes).map_or_else(String::new, |row| {
                format!("the nearest is {}: {}", row.name, row.usage())
            });
            return Err(Complaint::new(name.at, name.len, message, help));
        };
        let mut words = Words::new(arguments, end, row.usage());
        let op = (row.take)(&mut words)?;
        words.finish()?;
        Ok(op)
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        self.arguments().iter().try_for_each(|word| write!(f, " {}", print_word(word)))
    }
}

impl std::str::FromStr for Op {
    type Err = super::ParseError;

    /// Reads an operation without an actor, such as `mkdir /a`.
    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let op = super::word::split(line, 0).and_then(|words| Self::read(&words, line.len()));
        op.map_err(|complaint| complaint.in_line(1, line.as_bytes()))
    }
}

/// The row whose name is nearest to `word`, if one is near enough to be meant.
fn nearest(word: &[u8]) -> Option<&'static OpRow> {
    let longest = op_rows().map(|row| row.name.len()).max().unwrap_or_default();
    if word.len() > 2 * longest {
        return None;
    }
    let near = op_rows().map(|row| (edits(word, row.name.as_bytes()), row));
    let (edits, row) = near.min_by_key(|&(edits, _)| edits)?;
    (edits < word.len().max(2)).then_some(row)
}

/// How many bytes must be put in, taken out, replaced or swapped with their neighbour to make
/// `from` into `to`.
fn edits(from: &[u8], to: &[u8]) -> usize {
    // Rows of the usual table: the one before last, the last, and the one that is being filled.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut previous = None;
    for (row, &a) in from.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, &b) in to.iter().enumerate() {
            let at =
                |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = at(&last, column) + usize::from(a != b);
            best = best.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = column
                .checked_sub(1)
                .filter(|&left| to.get(left) == Some(&a) && previous == Some(b));
            if let Some(left) = swapped {
                best = best.min(at(&before, left) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut last, current);
        previous = Some(a);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
