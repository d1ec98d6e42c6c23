//! /proc/PID/ns: a link for each namespace that a thread is in (namespaces(7)).
//!
//! A link leads to the namespace itself, which a program holds by [`Namespaces::open_namespace`]; a path through one is not
//! modelled.
//!
//! [`Namespaces::open_namespace`]: standin::backend::Namespaces::open_namespace

use standin::Errno;
use standin::backend::{FileKind, Listing};

use super::{ProcNode, inode, text};
use crate::kernel::Kernel;
use crate::namespace::{self, KINDS, Kind};
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// Which link: its place in the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct LinkId(u8);

impl LinkId {
    fn row(self) -> &'static Kind {
        match KINDS.get(usize::from(self.0)) {
            Some(row) => row,
            None => panic!("no link {} in /proc/PID/ns", self.0),
        }
    }

    pub(super) const fn number(self) -> u8 {
        self.0
    }
}

fn links() -> impl Iterator<Item = (LinkId, &'static Kind)> {
    KINDS.iter().zip(0..).map(|(row, id)| (LinkId(id), row))
}

/// The link with this name.
pub(super) fn find(thread: ThreadKey, name: &[u8]) -> Option<ProcNode> {
    let (id, _) = links().find(|(_, row)| row.name == name)?;
    Some(ProcNode::Namespace(thread, id))
}

/// Every link.
pub(super) fn list(thread: ThreadKey, listing: &mut Listing) {
    for (id, row) in links() {
        listing.push(row.name, FileKind::Link, inode(ProcNode::Namespace(thread, id)));
    }
}

/// What a link prints: the kind and the number of the namespace.
///
/// # Errors
/// ENOENT: the thread has ended. EACCES: the caller may not look into it.
pub(super) fn readlink(
    kernel: &Kernel,
    caller: ThreadKey,
    thread: ThreadKey,
    id: LinkId,
) -> Step<Vec<u8>> {
    kernel.tasks.threads.get(thread).ok_or(Errno::ENOENT)?;
    if !task::may_look_into(kernel, caller, thread) {
        return Err(Errno::EACCES.into());
    }
    let row = id.row();
    let number = namespace::identity(kernel, thread, row.kind)?;
    let mut text = row.called.to_vec();
    text.extend_from_slice(b":[");
    text::decimal(&mut text, number.0);
    text.push(b']');
    Ok(text)
}
