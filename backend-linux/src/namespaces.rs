//! [`Namespaces`] on the running kernel.

#![expect(unsafe_code, reason = "unshare(2), setns(2) and reboot(2) with every flag they take")]

use std::ffi::CStr;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, statat};
use standin::Errno;
use standin::backend::{NamespaceKind, NamespaceKinds, Namespaces, RebootCommand, Uname};
use standin::failure::{Failure, Result};
use standin::handle::{NsHandle, PidHandle};
use standin::id::{NsId, Pid};
use standin::path::{KPath, KPathBuf};

use crate::handle::fd;
use crate::processes::inspect::{pid_of, still_there};
use crate::raw::{refused, syscall};
use crate::view::Linux;

const REFUSAL: &str = "threads of the program would part ways; start a process in other namespaces \
    with Spawn::namespaces or Spawn::join, or use Linux::agent";

/// The inode of the initial pid namespace: fixed by the kernel (include/linux/proc_ns.h).
const INITIAL_PID_NAMESPACE: NsId = NsId(0xEFFF_FFFC);

impl Namespaces for Linux {
    fn unshare(&self, kinds: NamespaceKinds) -> Result<()> {
        self.may_change_itself(REFUSAL)?;
        unshare(kinds)
    }

    fn join(&self, process: &PidHandle, kinds: NamespaceKinds) -> Result<()> {
        self.may_change_itself(REFUSAL)?;
        let kinds = int_flags(kinds)?;
        // SAFETY: setns(2) with an open descriptor; it changes this single-threaded process alone.
        unsafe { syscall!(libc::SYS_setns, fd(process.descriptor())?.as_raw_fd(), kinds)? };
        Ok(())
    }

    fn join_handle(&self, namespace: &NsHandle) -> Result<()> {
        self.may_change_itself(REFUSAL)?;
        // SAFETY: as above; 0 takes any kind of namespace.
        unsafe { syscall!(libc::SYS_setns, fd(namespace.descriptor())?.as_raw_fd(), 0)? };
        Ok(())
    }

    fn open_namespace(&self, process: &PidHandle, kind: NamespaceKind) -> Result<NsHandle> {
        Ok(self.give(open(process, kind)?))
    }

    fn namespace_of(&self, process: Option<&PidHandle>, kind: NamespaceKind) -> Result<NsId> {
        let Some(process) = process else {
            return identify("thread-self", kind);
        };
        let id = identify(&visible(process)?.to_string(), kind)?;
        still_there(process)?;
        Ok(id)
    }

    fn uname(&self) -> Result<Uname> {
        let told = rustix::system::uname();
        let name = |text: &CStr| KPathBuf::new(text.to_bytes()).unwrap_or_default();
        Ok(Uname {
            sysname: name(told.sysname()),
            nodename: name(told.nodename()),
            release: name(told.release()),
            version: name(told.version()),
            machine: name(told.machine()),
            domainname: name(told.domainname()),
        })
    }

    fn set_hostname(&self, name: &KPath) -> Result<()> {
        rustix::system::sethostname(name.as_bytes()).map_err(refused)
    }

    fn set_domainname(&self, name: &KPath) -> Result<()> {
        rustix::system::setdomainname(name.as_bytes()).map_err(refused)
    }

    /// Not in the initial pid namespace: there it would end the whole machine, this program with it.
    fn reboot(&self, command: RebootCommand) -> Result<()> {
        if self.is_shared() || identify("self", NamespaceKind::Pid)? == INITIAL_PID_NAMESPACE {
            return Err(Failure::Unsupported(
                "reboot would end the whole machine; use Linux::agent in a pid namespace of its own",
            ));
        }
        let command = match command {
            RebootCommand::Restart => libc::LINUX_REBOOT_CMD_RESTART,
            RebootCommand::Halt => libc::LINUX_REBOOT_CMD_HALT,
            RebootCommand::PowerOff => libc::LINUX_REBOOT_CMD_POWER_OFF,
        };
        let (one, two) = (libc::LINUX_REBOOT_MAGIC1, libc::LINUX_REBOOT_MAGIC2);
        let nothing = std::ptr::null::<u8>();
        // SAFETY: reboot(2) with its magic numbers, in a pid namespace that is not the machine's.
        unsafe { syscall!(libc::SYS_reboot, one, two, command, nothing)? };
        Ok(())
    }
}

/// unshare(2) of the calling thread.
pub(crate) fn unshare(kinds: NamespaceKinds) -> Result<()> {
    let kinds = int_flags(kinds)?;
    // SAFETY: namespaces alone: no flag here takes away memory or descriptors.
    unsafe { syscall!(libc::SYS_unshare, kinds)? };
    Ok(())
}

/// setns(2) and unshare(2) take an `int`.
fn int_flags(kinds: NamespaceKinds) -> Result<i32> {
    i32::try_from(kinds.bits()).map_err(|_| Errno::EINVAL.into())
}

const fn file_name(kind: NamespaceKind) -> &'static str {
    match kind {
        NamespaceKind::Cgroup => "cgroup",
        NamespaceKind::Ipc => "ipc",
        NamespaceKind::Mount => "mnt",
        NamespaceKind::Net => "net",
        NamespaceKind::Pid => "pid",
        NamespaceKind::PidForChildren => "pid_for_children",
        NamespaceKind::Time => "time",
        NamespaceKind::TimeForChildren => "time_for_children",
        NamespaceKind::User => "user",
        NamespaceKind::Uts => "uts",
    }
}

fn identify(process: &str, kind: NamespaceKind) -> Result<NsId> {
    let path = format!("/proc/{process}/ns/{}", file_name(kind));
    let told = statat(CWD, path.as_str(), rustix::fs::AtFlags::empty()).map_err(refused)?;
    Ok(NsId(told.st_ino))
}

/// The number of a held process; one that this pid namespace does not show has no files in /proc.
fn visible(process: &PidHandle) -> Result<Pid> {
    match pid_of(process)? {
        Pid::ZERO => Err(Errno::ESRCH.into()),
        pid => Ok(pid),
    }
}

/// The process is asked after before and after: between the two its number was its own.
fn open(process: &PidHandle, kind: NamespaceKind) -> Result<OwnedFd> {
    let path = format!("/proc/{}/ns/{}", visible(process)?, file_name(kind));
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path.as_str(), flags, Mode::empty());
    still_there(process)?;
    opened.map_err(refused)
}
