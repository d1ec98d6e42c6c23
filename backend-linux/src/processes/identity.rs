//! Who the caller is: ids, groups, session, name.
//!
//! By system call, not through the C library, which would carry a change to every thread. After a
//! change of ids Linux takes a process's own /proc files away from it (prctl(2),
//! `PR_SET_DUMPABLE`); a view needs them, so they are given back.

#![expect(unsafe_code, reason = "calls with ids that rustix does not take, such as -1")]

use standin::Errno;
use standin::backend::{Credentials, GroupIds, UserIds};
use standin::failure::Result;
use standin::id::{Gid, Pid, Uid};

use crate::raw::{answer, narrow, syscall};

/// "This id stays", in setresuid(2).
const UNCHANGED: u32 = u32::MAX;

/// The most supplementary groups that Linux keeps (`NGROUPS_MAX`).
const MOST_GROUPS: usize = 65_536;

pub(super) fn credentials() -> Result<Credentials> {
    let (mut uids, mut gids) = ([0_u32; 3], [0_u32; 3]);
    let [real, effective, saved] = &mut uids;
    // SAFETY: the kernel writes three numbers.
    unsafe { syscall!(libc::SYS_getresuid, &raw mut *real, &raw mut *effective, &raw mut *saved)? };
    let [real, effective, saved] = &mut gids;
    // SAFETY: the kernel writes three numbers.
    unsafe { syscall!(libc::SYS_getresgid, &raw mut *real, &raw mut *effective, &raw mut *saved)? };
    // SAFETY: numbers alone; -1 is no id, so both calls only tell.
    let files = unsafe {
        (syscall!(libc::SYS_setfsuid, UNCHANGED)?, syscall!(libc::SYS_setfsgid, UNCHANGED)?)
    };
    let ([ruid, euid, suid], [rgid, egid, sgid]) = (uids, gids);
    Ok(Credentials {
        user: UserIds {
            real: Uid(ruid),
            effective: Uid(euid),
            saved: Uid(suid),
            filesystem: Uid(narrow(files.0)?),
        },
        group: GroupIds {
            real: Gid(rgid),
            effective: Gid(egid),
            saved: Gid(sgid),
            filesystem: Gid(narrow(files.1)?),
        },
        groups: groups()?,
    })
}

fn groups() -> Result<Vec<Gid>> {
    let nothing = std::ptr::null_mut::<u32>();
    // SAFETY: with a length of 0 the kernel only counts.
    let count = unsafe { syscall!(libc::SYS_getgroups, 0, nothing)? };
    let mut groups = vec![0_u32; count.min(MOST_GROUPS)];
    // SAFETY: the kernel writes at most as many numbers as there is room for.
    let count = unsafe { syscall!(libc::SYS_getgroups, groups.len(), groups.as_mut_ptr())? };
    groups.truncate(count);
    Ok(groups.into_iter().map(Gid).collect())
}

/// Lets the process see its own files in /proc again.
pub(crate) fn stay_visible() -> Result<()> {
    // SAFETY: prctl(2) with numbers alone.
    answer(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0) }.into()).map(drop)
}

pub(crate) fn set_user_ids(ids: [Option<Uid>; 3]) -> Result<()> {
    let [real, effective, saved] = ids.map(|id| id.map_or(UNCHANGED, |uid| uid.0));
    // SAFETY: numbers alone.
    unsafe { syscall!(libc::SYS_setresuid, real, effective, saved)? };
    stay_visible()
}

pub(crate) fn set_group_ids(ids: [Option<Gid>; 3]) -> Result<()> {
    let [real, effective, saved] = ids.map(|id| id.map_or(UNCHANGED, |gid| gid.0));
    // SAFETY: numbers alone.
    unsafe { syscall!(libc::SYS_setresgid, real, effective, saved)? };
    stay_visible()
}

pub(crate) fn set_groups(groups: &[Gid]) -> Result<()> {
    let groups: Vec<u32> = groups.iter().map(|gid| gid.0).collect();
    // SAFETY: the kernel reads as many numbers as there are.
    unsafe { syscall!(libc::SYS_setgroups, groups.len(), groups.as_ptr())? };
    Ok(())
}

pub(super) fn set_user_id(uid: Uid) -> Result<()> {
    // SAFETY: a number alone.
    unsafe { syscall!(libc::SYS_setuid, uid.0)? };
    stay_visible()
}

pub(super) fn set_group_id(gid: Gid) -> Result<()> {
    // SAFETY: a number alone.
    unsafe { syscall!(libc::SYS_setgid, gid.0)? };
    stay_visible()
}

/// A call that takes up to two process numbers (0 is the caller) and answers with one.
fn numbered(call: libc::c_long, first: Option<Pid>, second: Option<Pid>) -> Result<Pid> {
    let number = |pid: Option<Pid>| pid.map_or(0, |pid| pid.0);
    // SAFETY: every call below takes numbers alone; one that takes fewer ignores the rest.
    let answered = unsafe { syscall!(call, number(first), number(second))? };
    narrow(answered).map(Pid)
}

pub(super) fn pid() -> Result<Pid> {
    numbered(libc::SYS_getpid, None, None)
}

pub(super) fn tid() -> Result<Pid> {
    numbered(libc::SYS_gettid, None, None)
}

pub(super) fn parent() -> Result<Pid> {
    numbered(libc::SYS_getppid, None, None)
}

pub(crate) fn set_session() -> Result<Pid> {
    numbered(libc::SYS_setsid, None, None)
}

pub(super) fn session(process: Option<Pid>) -> Result<Pid> {
    numbered(libc::SYS_getsid, process, None)
}

pub(super) fn process_group(process: Option<Pid>) -> Result<Pid> {
    numbered(libc::SYS_getpgid, process, None)
}

pub(super) fn set_process_group(process: Option<Pid>, group: Option<Pid>) -> Result<()> {
    numbered(libc::SYS_setpgid, process, group).map(drop)
}

/// pidfd_open(2); 0 is no process, which the kernel says too.
pub(crate) fn open_pid(pid: Pid) -> Result<std::os::fd::OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open};
    let number = i32::try_from(pid.0).ok().and_then(rustix::process::Pid::from_raw);
    let number = number.ok_or(Errno::EINVAL)?;
    pidfd_open(number, PidfdFlags::empty()).map_err(crate::raw::refused)
}
