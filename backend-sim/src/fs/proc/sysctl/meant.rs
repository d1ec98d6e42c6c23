//! Whose settings are meant: those of the namespaces that somebody is in, but of an open file those of who opened it.

use standin::Errno;

use super::SettingId;
use super::row::{Of, Setting};
use crate::fs::{FileKey, opened};
use crate::kernel::Kernel;
use crate::namespace::pid::PidNsKey;
use crate::namespace::user::UserNs;
use crate::namespace::{self, Held, IpcKey, NetKey};
use crate::profile::Release;
use crate::task::ThreadKey;

/// The namespaces whose settings are meant.
#[derive(Clone, Copy)]
pub(crate) struct Meant {
    pub(super) user: UserNs,
    pub(super) net: NetKey,
    pub(super) ipc: IpcKey,
    pub(super) pids: PidNsKey,
}

impl Meant {
    /// Those that somebody is in.
    pub(crate) fn of(kernel: &Kernel, thread: ThreadKey) -> Self {
        let set = namespace::of(kernel, thread);
        let user = kernel.credentials(thread).namespace;
        Self { user, net: set.net, ipc: set.ipc, pids: kernel.pid_ns(thread) }
    }

    /// Those of an open file.
    ///
    /// # Errors
    /// ENOENT: the namespace has ended.
    pub(super) fn opened(kernel: &Kernel, caller: ThreadKey, file: FileKey) -> Result<Self, Errno> {
        let mut meant = Self::of(kernel, caller);
        meant.user = kernel.vfs.files.at(file).opener.namespace;
        let Some(held) = opened::namespace_of(kernel, file) else { return Ok(meant) };
        if !kernel.namespaces.exists(held) {
            return Err(Errno::ENOENT);
        }
        match held {
            Held::Net(net) => meant.net = net,
            Held::Ipc(ipc) => meant.ipc = ipc,
            Held::Pid(pids) => meant.pids = pids,
            Held::Uts(_) | Held::Cgroup(_) | Held::Mount(_) | Held::Time(_) | Held::User(_) => {}
        }
        Ok(meant)
    }
}

/// The namespace whose setting somebody opens; of the limits of a user namespace the file knows by who opened it.
pub(in crate::fs::proc) fn namespace(
    kernel: &Kernel,
    caller: ThreadKey,
    id: SettingId,
) -> Option<Held> {
    let row = id.row();
    match row.of {
        Of::Net | Of::FirstNet | Of::OtherNets => {
            Some(Held::Net(namespace::of(kernel, caller).net))
        }
        Of::Ipc => Some(Held::Ipc(namespace::of(kernel, caller).ipc)),
        Of::Machine => {
            let has_own =
                row.setting == Setting::NumberEnd && kernel.profile.release >= Release::V6_18;
            has_own.then(|| Held::Pid(kernel.pid_ns(caller)))
        }
    }
}
