//! Operations of `Namespaces`.

use standin::backend::{NamespaceKind, NamespaceKinds, RebootCommand, Uname};
use standin::id::NsId;
use standin::{Errno, KPath};

use super::operation::operation;
use super::processes::held;
use crate::fs::{OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::namespace::{self, Held, uts};
use crate::step::Step;
use crate::task::{self, ThreadKey};

operation! {
    /// unshare(2)
    Unshare { kinds: NamespaceKinds } = "unshare" -> (): |op, kernel, caller| {
        namespace::unshare(kernel, caller, op.kinds)
    };

    /// setns(2) by process handle.
    Join { process: u32, kinds: NamespaceKinds } = "join" -> (): |op, kernel, caller| {
        let process = held(kernel, caller, op.process)?;
        namespace::join(kernel, caller, process, op.kinds)
    };

    /// setns(2) by namespace handle.
    JoinHandle { namespace: u32 } = "join_handle" -> (): |op, kernel, caller| {
        let namespace = held_namespace(kernel, caller, op.namespace)?;
        namespace::join_held(kernel, caller, namespace)
    };

    /// open(2) of /proc/PID/ns/KIND: the number of the handle.
    OpenNamespace { process: u32, kind: NamespaceKind } = "open_namespace" -> u32: |op, kernel, caller| {
        let thread = leader(kernel, caller, op.process)?;
        descriptors::open_namespace(kernel, caller, thread, op.kind)
    };

    /// The number of a namespace of a process, or of the calling thread.
    NamespaceOf { process: Option<u32>, kind: NamespaceKind } = "namespace_of" -> NsId: |op, kernel, caller| {
        let thread = match op.process {
            Some(process) => leader(kernel, caller, process)?,
            None => caller,
        };
        Ok(namespace::identity(kernel, thread, op.kind)?)
    };

    /// uname(2)
    GetUname {} = "uname" -> Uname: |_op, kernel, caller| Ok(uts::uname(kernel, caller));

    /// reboot(2)
    Reboot { command: RebootCommand } = "reboot" -> (): |op, kernel, caller| {
        namespace::pid::reboot(kernel, caller, op.command)
    };

    /// sethostname(2), setdomainname(2)
    SetName<'a> { which: uts::Which, name: &'a KPath } = "set_hostname" -> (): |op, kernel, caller| {
        Ok(uts::set_name(kernel, caller, op.which, op.name)?)
    };
}

/// The first thread of a held process. ESRCH if it was reaped; EACCES if the caller may not look into it.
fn leader(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<ThreadKey, Errno> {
    let process = held(kernel, caller, number)?;
    let leader = kernel.tasks.processes.get(process).ok_or(Errno::ESRCH)?.leader;
    if task::may_look_into(kernel, caller, leader) { Ok(leader) } else { Err(Errno::EACCES) }
}

/// The namespace that a handle of the caller holds. EINVAL for any other handle.
fn held_namespace(kernel: &Kernel, caller: ThreadKey, number: u32) -> Step<Held> {
    let file = descriptors::get_opened(kernel, caller, number)?;
    match kernel.vfs.files.at(file).kind {
        OpenKind::Namespace(held) => Ok(held),
        OpenKind::Node(_)
        | OpenKind::Process(..)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_) => Err(Errno::EINVAL.into()),
    }
}
