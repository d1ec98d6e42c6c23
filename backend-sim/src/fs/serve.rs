//! Files whose text is made when they are read: control files and /proc (the kernel's seq_file).
//!
//! A read makes the whole text and gives out what the caller has room for; reads that go on where the last one ended get
//! the rest of that same text, whatever has changed meanwhile. A read from elsewhere makes the text anew.

use standin::Errno;

use super::opened::Beginning;
use super::{FileKey, Node, OpenKind, is_dead, proc};
use crate::cgroup::filesystem::{self, Again};
use crate::kernel::Kernel;
use crate::namespace::Held;
use crate::step::Step;
use crate::task::ThreadKey;

/// What an open file has been asked for so far.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Served {
    /// The count of changes when the text was last made, `None` before the first time, for polls of control files; when news were
    /// last told, for those of /proc.
    pub(crate) seen: Option<u64>,
    /// The namespace that the file is of, where it is one's.
    pub(super) of: Option<Held>,
    /// It was read before.
    again: bool,
    /// Where the last read ended.
    position: u64,
    /// What is left of a text that was longer than the caller had room for.
    rest: Option<Box<Rest>>,
}
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Rest {
    #[cfg_attr(feature = "serde", serde(with = "standin::written"))]
    text: Vec<u8>,
    from: usize,
}

impl Served {
    /// Of a file that was opened just now, of which nothing that has happened so far is news.
    pub(super) fn new(Beginning { namespace, seen }: Beginning) -> Self {
        Self { of: namespace, seen, ..Self::default() }
    }

    /// Gives out what is left of the last text; how much.
    fn give(&mut self, buffer: &mut [u8]) -> usize {
        let Some(rest) = &mut self.rest else { return 0 };
        let left = rest.text.get(rest.from..).unwrap_or_default();
        let length = copy(left, buffer);
        rest.from += length;
        if rest.from == rest.text.len() {
            self.rest = None;
        }
        length
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let length = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
        to.copy_from_slice(from);
    }
    length
}

fn served(kernel: &mut Kernel, file: FileKey) -> &mut Served {
    match &mut kernel.vfs.files.at_mut(file).kind {
        OpenKind::Node(served) => served,
        OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Socket(_)
        | OpenKind::Watcher(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_) => {
            unreachable!("what stands in no filesystem has no text")
        }
    }
}

/// Reads at `offset` of an open file of this node; how much. 0 is the end.
///
/// # Errors
/// ENODEV: the group was removed, or its controller disabled; but not while a text that was begun lasts. What making the
/// text fails with.
pub(super) fn read(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, Node),
    offset: u64,
    buffer: &mut [u8],
) -> Step<usize> {
    if buffer.is_empty() {
        return Ok(0);
    }
    if offset == 0 {
        return make(kernel, caller, (file, node), |text| copy(text, buffer));
    }
    if offset != served(kernel, file).position {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        make(kernel, caller, (file, node), |_| from)?;
    }
    let state = served(kernel, file);
    let given = state.give(buffer);
    state.position += given as u64;
    if given == 0 { end(kernel, node) } else { Ok(given) }
}

/// Behind the end of the text there is nothing, but a removed group says so.
fn end(kernel: &Kernel, node: Node) -> Step<usize> {
    if matches!(node, Node::Control(..)) && is_dead(kernel, node) {
        Err(Errno::ENODEV.into())
    } else {
        Ok(0)
    }
}

/// Makes the text anew, and keeps for the next read what stands behind the part that `take` is done with; how much that is.
fn make(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, Node),
    take: impl FnOnce(&[u8]) -> usize,
) -> Step<usize> {
    let mut text = std::mem::take(&mut kernel.vfs.scratch);
    text.clear();
    let made = print(kernel, caller, (file, node), &mut text);
    if made.is_err() {
        // What an earlier read began is forgotten too.
        text.clear();
    }
    let taken = take(&text);
    let state = served(kernel, file);
    state.position = taken as u64;
    state.rest = (taken < text.len()).then(|| Box::new(Rest { text: text.clone(), from: taken }));
    kernel.vfs.scratch = text;
    made.map(|()| taken)
}

/// Adds the text of a file.
fn print(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, Node),
    text: &mut Vec<u8>,
) -> Step<()> {
    match node {
        Node::Control(..) => {
            let again = std::mem::replace(&mut served(kernel, file).again, true);
            let again = if again { Again::Yes } else { Again::No };
            let changes = filesystem::changes(kernel, node);
            let made = filesystem::prepare(kernel, caller, node, again)
                .and_then(|()| filesystem::read(kernel, caller, (file, node), text));
            if !(text.is_empty() && filesystem::is_list(node)) {
                served(kernel, file).seen = changes;
            }
            made
        }
        Node::Proc(node) => proc::read(kernel, caller, (file, node), text),
        Node::Tmp(_) | Node::Cgroup(_) => Err(Errno::EISDIR.into()),
    }
}
