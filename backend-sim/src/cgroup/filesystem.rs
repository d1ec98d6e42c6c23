//! What cgroup2 does with names and open files: the filesystem's side of the groups.

use standin::backend::{AccessMode, Listing};
use standin::Failure;
use standin::id::Mode;

use crate::cgroup::CgroupKey;
use crate::fs::{AttributeChange, Attributes, FileKey, Node};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// The child group or control file with this name.
pub(crate) fn lookup(kernel: &Kernel, group: CgroupKey, name: &[u8]) -> Option<Node> {
    let _ = (kernel, group, name);
    None
}

/// All names in a group's directory.
pub(crate) fn list(kernel: &Kernel, group: CgroupKey, listing: &mut Listing) {
    let _ = (kernel, group, listing);
}

/// A group's or control file's attributes.
pub(crate) fn attributes(kernel: &Kernel, node: Node) -> Attributes {
    let _ = (kernel, node);
    panic!("no cgroup node")
}

/// Changes attributes; permission was checked.
pub(crate) fn change(kernel: &mut Kernel, node: Node, change: AttributeChange) {
    let _ = (kernel, node, change);
}

/// Makes a child group; permission was checked, and that the name is free.
pub(crate) fn mkdir(kernel: &mut Kernel, caller: ThreadKey, parent: CgroupKey, name: &[u8], mode: Mode) -> Step<()> {
    let _ = (kernel, caller, parent, name, mode);
    Err(Failure::NotModelled("mkdir").into())
}

/// Removes a group; permission was checked.
pub(crate) fn rmdir(kernel: &mut Kernel, caller: ThreadKey, group: CgroupKey) -> Step<()> {
    let _ = (kernel, caller, group);
    Err(Failure::NotModelled("rmdir").into())
}

/// Whether the node is still there (not removed, its controller still enabled).
pub(crate) fn alive(kernel: &Kernel, node: Node) -> bool {
    let _ = (kernel, node);
    true
}

/// What opening a control file checks besides permission.
pub(crate) fn open(kernel: &mut Kernel, caller: ThreadKey, node: Node, access: AccessMode) -> Step<()> {
    let _ = (kernel, caller, node, access);
    Ok(())
}

/// The whole text of a control file, added to `text`.
pub(crate) fn read(kernel: &mut Kernel, caller: ThreadKey, file: FileKey, text: &mut Vec<u8>) -> Step<()> {
    let _ = (kernel, caller, file, text);
    Err(Failure::NotModelled("read of a control file").into())
}

/// Writes one value to a control file.
pub(crate) fn write(kernel: &mut Kernel, caller: ThreadKey, file: FileKey, bytes: &[u8]) -> Step<usize> {
    let _ = (kernel, caller, file, bytes);
    Err(Failure::NotModelled("write of a control file").into())
}

/// How often a file that can be polled for changes has changed; `None` if it cannot.
pub(crate) fn changes(kernel: &Kernel, node: Node) -> Option<u64> {
    let _ = (kernel, node);
    None
}
