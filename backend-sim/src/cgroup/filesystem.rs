//! What cgroup2 does with names and open files: the filesystem's side of the groups. `fs` has resolved the name and checked
//! the permission bits.

use standin::backend::{AccessMode, FileKind, Listing};
use standin::id::Mode;
use standin::{Errno, Failure};

use crate::cgroup::rows::{self, Target, Write};
use crate::cgroup::{
    CgroupKey, HierarchyId, Options, RowId, attributes as numbers, pressure, tree, v1, value,
};
use crate::fs::xattr::Xattrs;
use crate::fs::{AttributeChange, Attributes, FileKey, Node, opened};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::cgroup::CgroupNsKey;
use crate::namespace::{self, Held};
use crate::step::Step;
use crate::task::ThreadKey;

/// The child group or control file with this name.
pub(crate) fn lookup(kernel: &Kernel, group: CgroupKey, name: &[u8]) -> Option<Node> {
    let cgroups = &kernel.cgroups;
    control_file(kernel, group, name)
        .or_else(|| cgroups.index.find(&cgroups.table, group, name).map(Node::Cgroup))
}

/// The control file with this name.
pub(crate) fn control_file(kernel: &Kernel, group: CgroupKey, name: &[u8]) -> Option<Node> {
    rows::lookup(&kernel.cgroups, group, name).map(|id| Node::Control(group, id))
}

/// The name of a control file.
pub(crate) fn name_of(node: Node) -> Option<&'static str> {
    match node {
        Node::Control(_, id) => rows::of(id).map(|row| row.name),
        Node::Cgroup(_) | Node::Tmp(_) | Node::Proc(_) => None,
    }
}

/// All names in a group's directory: its files by controller, then its children as they were made.
pub(crate) fn list(kernel: &Kernel, group: CgroupKey, listing: &mut Listing) {
    let cgroups = &kernel.cgroups;
    let record = cgroups.table.at(group);
    if record.removed {
        return;
    }
    for (index, name) in rows::list(cgroups, group) {
        listing.push(name.as_bytes(), FileKind::File, numbers::inode(record, index));
    }
    for (_, child) in iterate(&cgroups.table, record.children, |child| &child.siblings) {
        listing.push(&child.name, FileKind::Dir, standin::id::Inode(child.id));
    }
}

/// A group's or control file's attributes, also when it is gone but named.
#[track_caller]
pub(crate) fn attributes(kernel: &Kernel, node: Node) -> Attributes {
    match node {
        Node::Cgroup(group) => numbers::of_group(&kernel.cgroups, group),
        Node::Control(group, id) => numbers::of_file(&kernel.cgroups, group, id),
        Node::Tmp(_) | Node::Proc(_) => panic!("{node:?} is not of cgroup2"),
    }
}

/// Changes attributes; permission was checked.
pub(crate) fn change(kernel: &mut Kernel, node: Node, change: AttributeChange) {
    match node {
        Node::Cgroup(group) => numbers::change_group(&mut kernel.cgroups, group, change),
        Node::Control(group, id) => numbers::change_file(&mut kernel.cgroups, group, id, change),
        Node::Tmp(_) | Node::Proc(_) => panic!("{node:?} is not of cgroup2"),
    }
}

/// Makes a child group; permission was checked, and that the name is free.
///
/// # Errors
/// EINVAL, EAGAIN, EEXIST: see `tree::mkdir`.
pub(crate) fn mkdir(
    kernel: &mut Kernel,
    caller: ThreadKey,
    parent: CgroupKey,
    name: &[u8],
    mode: Mode,
) -> Step<()> {
    tree::mkdir(kernel, caller, parent, name, mode)
}

/// Removes a group; permission was checked. EBUSY if it has live members or children.
pub(crate) fn rmdir(kernel: &mut Kernel, caller: ThreadKey, group: CgroupKey) -> Step<()> {
    tree::rmdir(kernel, caller, group)
}

/// Whether the node is still there (not removed, its controller still enabled).
pub(crate) fn alive(kernel: &Kernel, node: Node) -> bool {
    match node {
        Node::Cgroup(group) => kernel.cgroups.table.get(group).is_some_and(|group| !group.removed),
        Node::Control(group, id) => rows::is_alive(&kernel.cgroups, group, id),
        Node::Tmp(_) | Node::Proc(_) => true,
    }
}

/// What opening a control file checks besides permission: nothing. Who may neither read nor write it may open it, if the
/// permission bits or a capability allow that.
pub(crate) fn open(
    _kernel: &mut Kernel,
    _caller: ThreadKey,
    _node: Node,
    _access: AccessMode,
) -> Step<()> {
    Ok(())
}

/// Whether an open file was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    No,
    Yes,
}

/// A control file is about to be read: what it lists may have to be made first.
pub(crate) fn prepare(
    kernel: &mut Kernel,
    reader: ThreadKey,
    node: Node,
    again: Again,
) -> Step<()> {
    match node {
        Node::Control(group, id)
            if rows::is_v1(id) && rows::is_alive(&kernel.cgroups, group, id) =>
        {
            v1::prepare(kernel, reader, (group, id), again)
        }
        Node::Control(..) | Node::Cgroup(_) | Node::Tmp(_) | Node::Proc(_) => Ok(()),
    }
}

/// The whole text of a control file, added to `text`. ENODEV if it is gone, EINVAL if it cannot be read.
pub(crate) fn read(
    kernel: &Kernel,
    reader: ThreadKey,
    (file, node): (FileKey, Node),
    text: &mut Vec<u8>,
) -> Step<()> {
    match node {
        Node::Control(group, id) if rows::is_alive(&kernel.cgroups, group, id) => {
            rows::read(kernel, Target { reader, file, group, row: id.row }, text)
        }
        Node::Control(..) => Err(Errno::ENODEV.into()),
        Node::Cgroup(_) | Node::Tmp(_) | Node::Proc(_) => Err(Errno::EISDIR.into()),
    }
}

/// Writes one value to a control file; all of it, or nothing. E2BIG if it is longer than the file takes, ENODEV if the file is
/// gone, EINVAL if it cannot be written. An empty text reaches no file.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (file, node): (FileKey, Node),
    bytes: &[u8],
) -> Step<usize> {
    let Node::Control(group, id) = node else { return Err(Errno::EISDIR.into()) };
    if rows::of(id).is_none_or(|row| bytes.len() > row.longest) {
        return Err(Errno::E2BIG.into());
    }
    if !rows::is_alive(&kernel.cgroups, group, id) {
        return Err(Errno::ENODEV.into());
    }
    if !bytes.is_empty() {
        check_delegation(kernel, file, group, id)?;
        let write = Write { caller, file, group, row: id.row, bytes: value::text(bytes) };
        rows::write(kernel, &write)?;
    }
    Ok(bytes.len())
}

/// EPERM: who opened the file is in a cgroup namespace that ends at this group, where only what is delegated is its to write
/// (cgroup-v2.rst, Model of Delegation).
fn check_delegation(
    kernel: &Kernel,
    file: FileKey,
    group: CgroupKey,
    id: RowId,
) -> Result<(), Errno> {
    let cgroups = &kernel.cgroups;
    if !cgroups.options.has(Options::NS_DELEGATE)
        || cgroups.table.at(group).hierarchy.is_v1()
        || rows::of(id).is_some_and(|row| row.is_delegated)
    {
        return Ok(());
    }
    let is_border = namespace_of(kernel, file)
        .is_some_and(|of| namespace::cgroup::root_of(kernel, of, HierarchyId::V2) == group);
    if is_border { Err(Errno::EPERM) } else { Ok(()) }
}

/// The cgroup namespace of who opened a control file; `None` is the first.
pub(super) fn namespace_of(kernel: &Kernel, file: FileKey) -> Option<CgroupNsKey> {
    match opened::namespace_of(kernel, file) {
        Some(Held::Cgroup(of)) => Some(of),
        Some(_) | None => None,
    }
}

/// How often a control file has changed, as far as polls are told; `None` of a directory.
pub(crate) fn changes(kernel: &Kernel, node: Node) -> Option<u64> {
    match node {
        Node::Control(group, id) => Some(rows::changes(&kernel.cgroups, group, id)),
        Node::Cgroup(_) | Node::Tmp(_) | Node::Proc(_) => None,
    }
}

/// Whether a control file is a list whose lines are made one by one: a read of an empty one has seen nothing of it.
pub(crate) fn is_list(node: Node) -> bool {
    let Node::Control(_, id) = node else { return false };
    rows::of(id).is_some_and(|row| matches!(row.name, "cgroup.procs" | "cgroup.threads" | "tasks"))
}

/// Whether a priority poll of an open control file is answered: it has changed since the count of changes that was last
/// `seen` (or was never read), it is gone, or it is a pressure file without a trigger.
pub(crate) fn has_news(kernel: &Kernel, file: FileKey, seen: Option<u64>) -> bool {
    let Node::Control(group, id) = kernel.vfs.files.at(file).spot.node else { return false };
    let cgroups = &kernel.cgroups;
    if !rows::is_alive(cgroups, group, id) {
        return true;
    }
    if rows::is_pressure(id) {
        return !cgroups.triggers.contains_key(&file);
    }
    seen != Some(rows::changes(cgroups, group, id))
}

/// Whether the machine knows if a poll of an open control file is answered: not after processes had to wait, if that sets
/// off a trigger.
pub(crate) fn vet_poll(kernel: &Kernel, file: FileKey) -> Result<(), Failure> {
    let cgroups = &kernel.cgroups;
    match kernel.vfs.files.at(file).spot.node {
        Node::Control(group, id)
            if rows::is_alive(cgroups, group, id) && cgroups.triggers.contains_key(&file) =>
        {
            rows::of(id).map_or(Ok(()), |row| pressure::vet(cgroups, group, row.name))
        }
        Node::Control(..) | Node::Cgroup(_) | Node::Tmp(_) | Node::Proc(_) => Ok(()),
    }
}

/// Another open file, working directory or mount names this node: a removed group stays until the last lets go.
pub(crate) fn keep(kernel: &mut Kernel, node: Node) {
    if let Node::Cgroup(group) | Node::Control(group, _) = node {
        kernel.cgroups.table.at_mut(group).users += 1;
    }
}

/// One of them names it no longer.
pub(crate) fn let_go(kernel: &mut Kernel, node: Node) {
    if let Node::Cgroup(group) | Node::Control(group, _) = node {
        let record = kernel.cgroups.table.at_mut(group);
        record.users -= 1;
        if record.removed {
            tree::release(&mut kernel.cgroups, group);
        }
    }
}

/// The extended attributes of a group or control file; `None` if it never had any.
pub(crate) fn xattrs(kernel: &Kernel, node: Node) -> Option<&Xattrs> {
    match node {
        Node::Cgroup(group) => kernel.cgroups.table.at(group).xattrs(None),
        Node::Control(group, id) => kernel.cgroups.table.at(group).xattrs(Some(id)),
        Node::Tmp(_) | Node::Proc(_) => None,
    }
}

/// The same, to change them.
#[track_caller]
pub(crate) fn xattrs_mut(kernel: &mut Kernel, node: Node) -> &mut Xattrs {
    match node {
        Node::Cgroup(group) => kernel.cgroups.table.at_mut(group).xattrs_mut(None),
        Node::Control(group, id) => kernel.cgroups.table.at_mut(group).xattrs_mut(Some(id)),
        Node::Tmp(_) | Node::Proc(_) => panic!("{node:?} is not of cgroup2"),
    }
}
