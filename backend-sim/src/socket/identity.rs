//! Who is at the other end: the ids that go with a connection (`SO_PEERCRED`) and with a message (`SCM_CREDENTIALS`).

use std::sync::Arc;

use standin::backend::PeerCredentials;
use standin::{Capability, Errno, Failure, Gid, Pid, Uid};

use crate::fs::{OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::namespace::owner_of_numbers;
use crate::namespace::pid::{self, Inner};
use crate::namespace::user::{self, NO_ID, OVERFLOW_ID};
use crate::profile::Release;
use crate::step::Step;
use crate::task::{ProcessKey, ThreadKey};

/// A process and the ids it had at some moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Identity {
    /// Its number in the first PID namespace, and those in nested ones: they are told when it is gone, too.
    process: Pid,
    inner: Option<Arc<Inner>>,
    /// What a handle of it would hold.
    held: Held,
    user: Uid,
    group: Gid,
}

/// The process behind a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Held {
    /// None: it is nobody's.
    Nobody,
    Process(ProcessKey),
    /// The number is a thread's that is no process's first.
    Thread,
}

impl Identity {
    /// Who the end of a stream comes from.
    pub(super) const NOBODY: Self = Self {
        process: Pid::ZERO,
        inner: None,
        held: Held::Nobody,
        user: Uid::ROOT,
        group: Gid::ROOT,
    };

    /// Who connects or listens: the effective ids.
    pub(super) fn of_end(kernel: &Kernel, thread: ThreadKey) -> Self {
        let own = kernel.credentials(thread);
        Self::of(kernel, thread, (own.user.effective, own.group.effective))
    }

    /// Who sends: the real ids.
    pub(super) fn of_sender(kernel: &Kernel, thread: ThreadKey) -> Self {
        let own = kernel.credentials(thread);
        Self::of(kernel, thread, (own.user.real, own.group.real))
    }

    fn of(kernel: &Kernel, thread: ThreadKey, (user, group): (Uid, Gid)) -> Self {
        let number = kernel.process(thread).number;
        Self {
            process: Pid(number),
            inner: kernel.inner(number).cloned(),
            held: Held::Process(kernel.tasks.process_of(thread)),
            user,
            group,
        }
    }

    /// Who a sender says it is.
    ///
    /// # Errors
    /// EINVAL: nobody in the caller's user namespace. EPERM: a process, user or group that is not the caller's, without the
    /// capability to be another (`CAP_SYS_ADMIN` where the PID namespace was made, `CAP_SETUID`, `CAP_SETGID`; unix(7)). ESRCH: no process has the
    /// number.
    pub(super) fn claimed(
        kernel: &Kernel,
        caller: ThreadKey,
        claim: PeerCredentials,
    ) -> Result<Self, Errno> {
        let own = kernel.credentials(caller);
        let all = &kernel.namespaces;
        let uid = all.meant_user(own.namespace, claim.uid).ok_or(Errno::EINVAL)?;
        let gid = all.meant_group(own.namespace, claim.gid).ok_or(Errno::EINVAL)?;
        let (user, group) = (own.user, own.group);
        let own_process = claim.pid.0 == kernel.number_for(caller, kernel.process(caller).number);
        let over = owner_of_numbers(kernel, caller);
        let own_user = [user.real, user.effective, user.saved].contains(&uid);
        let own_group = [group.real, group.effective, group.saved].contains(&gid);
        let permitted = (own_process
            || user::capable(kernel, own.holder(), over, Capability::SYS_ADMIN))
            && (own_user || own.capable_here(Capability::SETUID))
            && (own_group || own.capable_here(Capability::SETGID));
        if !permitted {
            return Err(Errno::EPERM);
        }
        let named = kernel.named_thread(caller, claim.pid.0).ok_or(Errno::ESRCH)?;
        let number = kernel.tasks.threads.at(named).number;
        let process = kernel.tasks.process_of(named);
        let is_leader = kernel.tasks.processes.at(process).leader == named;
        let held = if is_leader { Held::Process(process) } else { Held::Thread };
        let inner = kernel.inner(number).cloned();
        Ok(Self { process: Pid(number), inner, held, user: uid, group: gid })
    }

    /// Whether the machine knows what a handle of it would be.
    ///
    /// # Errors
    /// `NotModelled`: of a thread, where there are such handles.
    pub(super) fn check_process(&self, release: Release) -> Result<(), Failure> {
        match self.held {
            Held::Thread if release >= Release::V6_18 => {
                Err(Failure::NotModelled("a handle of a sender that is a thread"))
            }
            Held::Nobody | Held::Process(_) | Held::Thread => Ok(()),
        }
    }

    /// The number of a new handle of the process, or why there is none: EINVAL before 6.16 if it was reaped or is a thread, EMFILE.
    pub(super) fn handle(
        &self,
        kernel: &mut Kernel,
        caller: ThreadKey,
    ) -> Step<Option<Result<u32, Errno>>> {
        let process = match self.held {
            Held::Process(process) => process,
            Held::Thread => return Ok(Some(Err(Errno::EINVAL))),
            Held::Nobody => return Ok(None),
        };
        if kernel.profile.release < Release::V6_18 && kernel.tasks.processes.get(process).is_none()
        {
            return Ok(Some(Err(Errno::EINVAL)));
        }
        if let Err(errno) = descriptors::next_number(kernel, kernel.tasks.process_of(caller)) {
            return Ok(Some(Err(errno)));
        }
        let handle = OpenKind::Process(process, self.inner.clone());
        Ok(Some(Ok(descriptors::install_object(kernel, caller, handle)?)))
    }

    /// As `SO_PEERCRED` tells it.
    pub(super) fn peer(
        kernel: &Kernel,
        reader: ThreadKey,
        identity: Option<&Self>,
    ) -> PeerCredentials {
        Self::told(kernel, reader, identity, NO_ID)
    }

    /// As a message tells it; nobody, if the message was sent before anybody asked for credentials.
    pub(super) fn sender(
        kernel: &Kernel,
        reader: ThreadKey,
        identity: Option<&Self>,
    ) -> PeerCredentials {
        Self::told(kernel, reader, identity, OVERFLOW_ID)
    }

    fn told(
        kernel: &Kernel,
        reader: ThreadKey,
        identity: Option<&Self>,
        nobody: u32,
    ) -> PeerCredentials {
        match identity {
            Some(Self { process, inner, user, group, .. }) => {
                let (all, to) = (&kernel.namespaces, kernel.credentials(reader).namespace);
                let (uid, gid) = (all.told_user(to, *user), all.told_group(to, *group));
                let pid = pid::told(kernel, reader, process.0, inner.as_deref());
                PeerCredentials { pid: Pid(pid), uid, gid }
            }
            None => PeerCredentials { pid: Pid::ZERO, uid: Uid(nobody), gid: Gid(nobody) },
        }
    }
}
