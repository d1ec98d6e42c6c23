//! Operations from bytes: each row of the tables makes one operation of the language, such as can succeed on what is believed.
//!
//! A row that cannot make its operation (there is no group to remove) makes what it needs (a group). A file a theme, as the
//! operations have. Nothing is parsed, and nothing is printed. Neighbours: `belief` (what there is), `case` (whose bytes).

mod control;
mod file;
mod identity;
mod link;
mod namespace;
mod node;
mod process;
mod resource;
mod socket;
mod system;

use std::sync::LazyLock;

use standin::KPathBuf;
use standin::transcript::{Data, FileOp, Label, LinkOp, NamespaceOp, Op};

use super::belief::Belief;
use super::ground::{DESCRIPTORS, LABELS, NODES};

/// The bytes of one operation: which, by whom, and what is open in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pick {
    /// By whom.
    pub(super) who: u8,
    /// The choices, the most important one first.
    pub(super) a: u8,
    pub(super) b: u8,
    pub(super) c: u8,
    pub(super) d: u8,
}

impl Pick {
    /// One of several values.
    fn of<T: Copy>(by: u8, all: &[T]) -> Option<T> {
        all.get(usize::from(by).checked_rem(all.len())?).copied()
    }
}

/// An operation and the role that carries it out.
pub(super) type Made = Option<(usize, Op)>;

/// A row: an operation's word, how often it comes, and what makes it.
#[derive(Debug)]
pub(super) struct Move {
    name: &'static str,
    weight: u8,
    make: fn(&mut Belief, Pick) -> Made,
}

const fn row(name: &'static str, weight: u8, make: fn(&mut Belief, Pick) -> Made) -> Move {
    Move { name, weight, make }
}

/// The tables; what comes first is what a case shrinks to.
const TABLES: [&[Move]; 10] = [
    control::MOVES,
    file::MOVES,
    node::MOVES,
    process::MOVES,
    namespace::MOVES,
    resource::MOVES,
    socket::MOVES,
    identity::MOVES,
    link::MOVES,
    system::MOVES,
];

fn moves() -> impl Iterator<Item = &'static Move> {
    TABLES.into_iter().flatten()
}

/// Each row as often as its weight says: 255 together at most, so that a byte reaches each.
static WEIGHTED: LazyLock<Vec<&'static Move>> = LazyLock::new(|| {
    moves().flat_map(|row| std::iter::repeat_n(row, usize::from(row.weight))).collect()
});

/// From this on the last byte of an operation makes it careless.
const CARELESS: u8 = 0xe8;

/// The operation that bytes mean: none for a first byte of 0.
pub(super) fn operation(belief: &mut Belief, [which, who, a, b, c, d]: [u8; 6]) -> Made {
    let at = usize::from(which.checked_sub(1)?);
    let pick = Pick { who, a, b, c, d };
    let row = WEIGHTED.get(at % WEIGHTED.len().max(1))?;
    if d >= CARELESS
        && let Some(made) = (row.make)(&mut belief.careless(), pick).filter(is_harmless)
    {
        return Some(made);
    }
    (row.make)(belief, pick).or_else(|| system::uname(belief, pick))
}

/// Whether what is done against all belief leaves the belief as true as it was: it concerns no process, and is refused, mostly.
fn is_harmless((_, op): &(usize, Op)) -> bool {
    match op {
        Op::Files(FileOp::Write { path, data }) => {
            !data.0.contains(&b'<')
                && !matches!(path.file_name(), b"cgroup.freeze" | b"cgroup.kill")
        }
        Op::Files(
            FileOp::Link { .. }
            | FileOp::Mount { .. }
            | FileOp::Umount { .. }
            | FileOp::Open { .. }
            | FileOp::Close { .. },
        ) => false,
        Op::Files(_) => true,
        Op::Links(op) => matches!(op, LinkOp::Truncate { .. } | LinkOp::Readlink { .. }),
        Op::Namespaces(op) => {
            matches!(op, NamespaceOp::Hostname { .. } | NamespaceOp::Domainname { .. })
        }
        Op::Processes(_) | Op::Resources(_) | Op::Sockets(_) | Op::Identity(_) | Op::System(_) => {
            false
        }
    }
}

/// The words of the operations that cases are made of, each once, in an order that stays.
///
/// ```
/// assert_eq!(standin_sim::property::operation_names().next(), Some("mkdir"));
/// ```
pub fn operation_names() -> impl Iterator<Item = &'static str> {
    moves().map(|row| row.name)
}

/// The first bytes of operations about one thing.
#[cfg(feature = "proptest")]
pub(super) fn rows_about(theme: standin::transcript::Theme) -> Vec<u8> {
    let themes: std::collections::BTreeMap<&str, _> =
        standin::transcript::op_rows().map(|row| (row.name, row.theme)).collect();
    let all = (1..=u8::MAX).zip(WEIGHTED.iter());
    all.filter(|(_, row)| themes.get(row.name) == Some(&theme)).map(|(byte, _)| byte).collect()
}

/// The labels of the actors.
static ACTORS: LazyLock<Vec<Label>> = LazyLock::new(|| labels(&LABELS));
static OPENED: LazyLock<Vec<Label>> = LazyLock::new(|| labels(&DESCRIPTORS));

fn labels(all: &[&str]) -> Vec<Label> {
    all.iter().filter_map(|name| Label::new(name)).collect()
}

/// An actor's label.
pub(super) fn actor(role: usize) -> &'static Label {
    ACTORS.get(role).expect("a role has a label")
}

/// A descriptor's label.
fn fd(slot: usize) -> Label {
    OPENED.get(slot).expect("a slot has a label").clone()
}

fn label(name: &str) -> Label {
    Label::new(name).expect("it is written as a label is")
}

/// A path that is written here, so that it holds no NUL.
fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).expect("no NUL is written here")
}

/// A path in two parts.
fn path_of(directory: &str, name: &str) -> KPathBuf {
    let mut whole = Vec::with_capacity(directory.len() + name.len() + 1);
    whole.extend_from_slice(directory.as_bytes());
    whole.push(b'/');
    whole.extend_from_slice(name.as_bytes());
    KPathBuf::new(whole).expect("no NUL is written here")
}

/// The name at /mnt in a slot.
fn node(slot: usize) -> KPathBuf {
    path(NODES.get(slot).expect("a slot has a name"))
}

fn data(text: &str) -> Data {
    Data(text.as_bytes().to_vec())
}
