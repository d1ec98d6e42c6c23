//! Names in the directories of /proc.

use standin::Errno;
use standin::backend::{FileKind, Listing};

use super::row::{self, Content, Place, RowId};
use super::{
    ProcNode, alive, descriptor, hide, inode, kind, namespace, not_modelled, sysctl, text,
};
use crate::fs::{MountKey, Node};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::pid::PidNsKey;
use crate::step::Step;
use crate::task::{self, ThreadKey};

/// What stands behind a name in a directory, as this caller sees it. `self` and `thread-self` are links.
///
/// # Errors
/// ENOENT; ESRCH in the directory of a process that is reaped; ENOTDIR below a file; NotModelled below a directory that is not
/// modelled, where it may be.
pub(crate) fn lookup(
    kernel: &Kernel,
    caller: ThreadKey,
    (mount, node): (MountKey, ProcNode),
    name: &[u8],
) -> Step<Node> {
    let release = kernel.profile.release;
    let by_number = |name: &[u8]| {
        let number = kernel.number_meant_in(kernel.pids_shown(mount), number(name)?)?;
        let found = kernel.tasks.by_number(number)?;
        kernel.shares_context(caller, found).then_some(found)
    };
    let setting = |above| sysctl::find(kernel, caller, above, name).map(Node::Proc);
    let found = match node {
        ProcNode::Root if number(name).is_some() => by_number(name).map(ProcNode::Process),
        ProcNode::Root => {
            let found = row::find(Place::Top, name, release);
            found.filter(|id| is_there(kernel, mount, *id)).map(ProcNode::Top)
        }
        ProcNode::Process(_) if !alive(kernel, node) => return Err(Errno::ESRCH.into()),
        _ if !alive(kernel, node) => None,
        ProcNode::Process(thread) => row::find(Place::Process, name, release).map(|id| {
            if id.row().content == Content::Tasks {
                ProcNode::Tasks(thread)
            } else {
                ProcNode::OfProcess(thread, id)
            }
        }),
        ProcNode::Tasks(thread) => {
            let process = kernel.tasks.process_of(thread);
            let found = by_number(name);
            found.filter(|found| kernel.tasks.process_of(*found) == process).map(ProcNode::Thread)
        }
        ProcNode::Thread(thread) => {
            row::find(Place::Thread, name, release).map(|id| ProcNode::OfThread(thread, id))
        }
        ProcNode::OfProcess(thread, _) | ProcNode::OfThread(thread, _)
            if node.content() == Content::Namespaces =>
        {
            namespace::find(thread, name)
        }
        ProcNode::OfProcess(thread, id) | ProcNode::OfThread(thread, id)
            if matches!(node.content(), Content::Descriptors | Content::DescriptorInfo) =>
        {
            if !task::may_look_into(kernel, caller, thread) {
                return Err(Errno::EACCES.into());
            }
            descriptor::find(kernel, thread, id, name)
        }
        ProcNode::OfProcess(thread, _) if let Content::Below(place) = node.content() => {
            row::find(place, name, release).map(|id| ProcNode::OfProcess(thread, id))
        }
        ProcNode::OfThread(thread, _) if let Content::Below(place) = node.content() => {
            row::find(place, name, release).map(|id| ProcNode::OfThread(thread, id))
        }
        ProcNode::Top(_) if let Content::Below(place) = node.content() => {
            row::find(place, name, release).map(ProcNode::Top)
        }
        ProcNode::Top(_) if node.content() == Content::Settings => return setting(None),
        ProcNode::Setting(id) if id.kind() == FileKind::Dir => return setting(Some(id)),
        ProcNode::Top(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Namespace(..)
        | ProcNode::Descriptor(..)
        | ProcNode::Setting(_) => {
            let is_dir = kind(node) == FileKind::Dir;
            return Err(if is_dir { not_modelled(node) } else { Errno::ENOTDIR.into() });
        }
    };
    found.map(Node::Proc).ok_or_else(|| Errno::ENOENT.into())
}

/// Whether a mount of /proc has a file of the whole system: one of processes alone has the links to the caller's.
fn is_there(kernel: &Kernel, mount: MountKey, id: RowId) -> bool {
    !kernel.vfs.room(mount).hiding.hides_files()
        || matches!(id.row().content, Content::OwnProcess | Content::OwnThread)
}

/// A process number as a name: decimal, without a leading zero.
pub(super) fn number(name: &[u8]) -> Option<u32> {
    if !matches!(name.first(), Some(b'1'..=b'9')) {
        return None;
    }
    name.iter().try_fold(0_u32, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}

/// The directory above.
pub(crate) fn parent(kernel: &Kernel, node: ProcNode) -> ProcNode {
    match node {
        ProcNode::OfProcess(thread, id) if let Some(above) = id.directory() => {
            ProcNode::OfProcess(thread, above)
        }
        ProcNode::OfThread(thread, id) if let Some(above) = id.directory() => {
            ProcNode::OfThread(thread, above)
        }
        ProcNode::Top(id) if let Some(above) = id.directory() => ProcNode::Top(above),
        ProcNode::Tasks(thread)
        | ProcNode::OfProcess(thread, _)
        | ProcNode::Descriptor(thread, ..)
        | ProcNode::Namespace(thread, _) => ProcNode::Process(thread),
        ProcNode::Setting(id) => match id.above() {
            Some(above) => ProcNode::Setting(above),
            None => row::find(Place::Top, b"sys", kernel.profile.release)
                .map_or(ProcNode::Root, ProcNode::Top),
        },
        ProcNode::OfThread(thread, _) => ProcNode::Thread(thread),
        ProcNode::Thread(thread) => match kernel.tasks.threads.get(thread) {
            Some(record) => ProcNode::Tasks(kernel.tasks.processes.at(record.process).leader),
            None => ProcNode::Root,
        },
        ProcNode::Root | ProcNode::Top(_) | ProcNode::Process(_) => ProcNode::Root,
    }
}

/// All names in a directory.
///
/// # Errors
/// NotModelled below /proc/sys, where more is than is modelled.
pub(crate) fn list(
    kernel: &Kernel,
    caller: ThreadKey,
    (mount, node): (MountKey, ProcNode),
    listing: &mut Listing,
) -> Step<()> {
    let release = kernel.profile.release;
    let shown = kernel.pids_shown(mount);
    let (place, make): (_, Box<dyn Fn(RowId) -> ProcNode>) = match node {
        ProcNode::Root => (Place::Top, Box::new(ProcNode::Top)),
        ProcNode::Process(thread) if alive(kernel, node) => {
            (Place::Process, Box::new(move |id| ProcNode::OfProcess(thread, id)))
        }
        ProcNode::Thread(thread) if alive(kernel, node) => {
            (Place::Thread, Box::new(move |id| ProcNode::OfThread(thread, id)))
        }
        ProcNode::Tasks(thread) => {
            list_threads(kernel, shown, thread, listing);
            return Ok(());
        }
        ProcNode::OfProcess(thread, _) | ProcNode::OfThread(thread, _)
            if node.content() == Content::Namespaces =>
        {
            if alive(kernel, node) {
                namespace::list(thread, listing);
            }
            return Ok(());
        }
        ProcNode::OfProcess(thread, id) | ProcNode::OfThread(thread, id)
            if matches!(node.content(), Content::Descriptors | Content::DescriptorInfo) =>
        {
            descriptor::list(kernel, thread, id, listing);
            return Ok(());
        }
        ProcNode::Top(_) if node.content() == Content::Settings => {
            return sysctl::list(kernel, caller, None, listing);
        }
        ProcNode::Setting(id) => return sysctl::list(kernel, caller, Some(id), listing),
        ProcNode::OfProcess(thread, _) if let Content::Below(place) = node.content() => {
            (place, Box::new(move |id| ProcNode::OfProcess(thread, id)))
        }
        ProcNode::OfThread(thread, _) if let Content::Below(place) = node.content() => {
            (place, Box::new(move |id| ProcNode::OfThread(thread, id)))
        }
        ProcNode::Top(_) if let Content::Below(place) = node.content() => {
            (place, Box::new(ProcNode::Top))
        }
        ProcNode::Top(_) => return Err(not_modelled(node)),
        ProcNode::Descriptor(..)
        | ProcNode::Process(_)
        | ProcNode::Thread(_)
        | ProcNode::OfProcess(..)
        | ProcNode::OfThread(..)
        | ProcNode::Namespace(..) => return Ok(()),
    };
    let rows = row::all(place, release);
    for (id, row) in rows.filter(|(id, _)| node != ProcNode::Root || is_there(kernel, mount, *id)) {
        listing.push(row.name, row.kind, inode(make(id)));
    }
    if node == ProcNode::Root {
        let processes = kernel.tasks.processes.iter();
        let processes = processes
            .map(|(_, process)| (kernel.number_in(shown, process.number), process.leader))
            .filter(|(number, leader)| *number != 0 && kernel.shares_context(caller, *leader))
            .filter(|(_, leader)| hide::shows(kernel, caller, mount, *leader));
        let mut processes: Vec<(u32, ThreadKey)> = processes.collect();
        processes.sort_unstable();
        for (number, leader) in processes {
            list_number(listing, number, ProcNode::Process(leader));
        }
    }
    Ok(())
}

fn list_threads(kernel: &Kernel, shown: PidNsKey, thread: ThreadKey, listing: &mut Listing) {
    let Some(record) = kernel.tasks.threads.get(thread) else { return };
    let threads = kernel.tasks.processes.at(record.process).threads;
    for (key, thread) in iterate(&kernel.tasks.threads, threads, |thread| &thread.siblings) {
        let number = kernel.number_in(shown, thread.number);
        list_number(listing, number, ProcNode::Thread(key));
    }
}

fn list_number(listing: &mut Listing, number: u32, node: ProcNode) {
    let mut name = Vec::with_capacity(8);
    text::decimal(&mut name, number.into());
    listing.push(&name, FileKind::Dir, inode(node));
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn a_number_is_decimal_without_a_leading_zero() {
        assert_eq!(number(b"1"), Some(1));
        assert_eq!(number(b"4194303"), Some(4_194_303));
        for name in [b"".as_slice(), b"0", b"01", b"-1", b"+1", b"1a", b"99999999999"] {
            assert_eq!(number(name), None);
        }
    }
}
