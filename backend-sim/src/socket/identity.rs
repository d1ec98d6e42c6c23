//! Who is at the other end: the ids that go with a connection (`SO_PEERCRED`) and with a message (`SCM_CREDENTIALS`).

use standin::backend::PeerCredentials;
use standin::{Capability, Errno, Gid, Pid, Uid};

use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// A process and the ids it had at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    process: Pid,
    user: Uid,
    group: Gid,
}

/// What is told where the kernel noted nobody.
const NO_ID: u32 = u32::MAX;
/// What an id that means nothing to the reader is told as (proc(5), /proc/sys/kernel/overflowuid).
const OVERFLOW_ID: u32 = 65534;

impl Identity {
    /// Who the end of a stream comes from.
    pub(super) const NOBODY: Self = Self { process: Pid::ZERO, user: Uid::ROOT, group: Gid::ROOT };

    /// Who connects or listens: the effective ids.
    pub(super) fn of_end(kernel: &Kernel, thread: ThreadKey) -> Self {
        let own = kernel.credentials(thread);
        let process = Pid(kernel.process(thread).number);
        Self { process, user: own.user.effective, group: own.group.effective }
    }

    /// Who sends: the real ids.
    pub(super) fn of_sender(kernel: &Kernel, thread: ThreadKey) -> Self {
        let own = kernel.credentials(thread);
        let process = Pid(kernel.process(thread).number);
        Self { process, user: own.user.real, group: own.group.real }
    }

    /// Who a sender says it is.
    ///
    /// # Errors
    /// EINVAL: no id. EPERM: a process, user or group that is not the caller's, without the capability to be another
    /// (`CAP_SYS_ADMIN`, `CAP_SETUID`, `CAP_SETGID`; unix(7)). ESRCH: no process has the number.
    pub(super) fn claimed(
        kernel: &Kernel,
        caller: ThreadKey,
        claim: PeerCredentials,
    ) -> Result<Self, Errno> {
        if claim.uid.0 == NO_ID || claim.gid.0 == NO_ID {
            return Err(Errno::EINVAL);
        }
        let own = kernel.credentials(caller);
        let (user, group) = (own.user, own.group);
        let own_process = claim.pid.0 == kernel.process(caller).number;
        let own_user = [user.real, user.effective, user.saved].contains(&claim.uid);
        let own_group = [group.real, group.effective, group.saved].contains(&claim.gid);
        let permitted = (own_process || own.capable(Capability::SYS_ADMIN))
            && (own_user || own.capable(Capability::SETUID))
            && (own_group || own.capable(Capability::SETGID));
        if !permitted {
            return Err(Errno::EPERM);
        }
        if !own_process && !kernel.tasks.numbers.contains_key(&claim.pid.0) {
            return Err(Errno::ESRCH);
        }
        Ok(Self { process: claim.pid, user: claim.uid, group: claim.gid })
    }

    /// As `SO_PEERCRED` tells it.
    pub(super) fn peer(identity: Option<Self>) -> PeerCredentials {
        Self::told(identity, NO_ID)
    }

    /// As a message tells it; nobody, if the message was sent before anybody asked for credentials.
    pub(super) fn sender(identity: Option<Self>) -> PeerCredentials {
        Self::told(identity, OVERFLOW_ID)
    }

    fn told(identity: Option<Self>, nobody: u32) -> PeerCredentials {
        match identity {
            Some(Self { process, user, group }) => {
                PeerCredentials { pid: process, uid: user, gid: group }
            }
            None => PeerCredentials { pid: Pid::ZERO, uid: Uid(nobody), gid: Gid(nobody) },
        }
    }
}
