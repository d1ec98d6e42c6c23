//! Looking at processes: /proc, and what a pid handle tells.
//!
//! A number in /proc may have been given to another process by the time it is read. So a held
//! process is asked after before (its number) and after (that it still has it).

#![expect(unsafe_code, reason = "an ioctl(2) of pid handles that rustix does not have")]

use std::os::fd::AsRawFd as _;

use rustix::fs::{self as sys, FileType, Mode, OFlags};
use standin::Errno;
use standin::backend::{GroupIds, ProcessInfo, ProcessState, UserIds};
use standin::failure::{Failure, Result};
use standin::handle::PidHandle;
use standin::id::{CgroupId, Gid, Pid, Uid};

use super::signals;
use crate::handle::fd;
use crate::raw::{answer, refused};

/// `PIDFD_GET_INFO` (Linux 6.13): `_IOWR(0xff, 11, 64 bytes)`.
const GET_INFO: libc::c_ulong = 0xC040_FF0B;
/// `PIDFD_INFO_CGROUPID`: the field `cgroup` is wanted, and filled.
const INFO_CGROUP: u64 = 1 << 2;

/// The first published form of `struct pidfd_info`.
#[repr(C)]
#[derive(Default)]
struct Info {
    mask: u64,
    cgroup: u64,
    numbers: [u32; 12],
}

/// Every number in /proc, in ascending order.
pub(super) fn processes() -> Result<Vec<Pid>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let proc = sys::open("/proc", flags, Mode::empty()).map_err(refused)?;
    let mut room = Vec::with_capacity(32 * 1024);
    let mut entries = sys::RawDir::new(&proc, room.spare_capacity_mut());
    let mut pids = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(refused)?;
        if entry.file_type() == FileType::Directory {
            let name = entry.file_name().to_str().ok();
            pids.extend(name.and_then(|name| name.parse().ok()).map(Pid));
        }
    }
    pids.sort_unstable();
    Ok(pids)
}

/// The number of a held process, `ZERO` if this pid namespace does not see it.
///
/// # Errors
/// ESRCH once it was reaped, EINVAL if the handle is no process.
pub(crate) fn pid_of(process: &PidHandle) -> Result<Pid> {
    let number = fd(process.descriptor())?.as_raw_fd();
    let told = read(&format!("/proc/self/fdinfo/{number}"))?;
    let line = field(&told, "Pid:").ok_or(Errno::EINVAL)?;
    match line.parse::<i64>() {
        Ok(-1) => Err(Errno::ESRCH.into()),
        Ok(pid) => Ok(Pid(u32::try_from(pid).map_err(|_| Errno::EINVAL)?)),
        Err(_) => Err(Errno::EINVAL.into()),
    }
}

/// ESRCH if the process was reaped meanwhile. It may not be the caller's to signal: no matter.
pub(crate) fn still_there(process: &PidHandle) -> Result<()> {
    match signals::send(process, 0) {
        Err(failure) if failure.is(Errno::ESRCH) => Err(failure),
        _ => Ok(()),
    }
}

pub(super) fn inspect(process: &PidHandle) -> Result<ProcessInfo> {
    let pid = match pid_of(process)? {
        Pid::ZERO => return Err(Errno::ESRCH.into()),
        pid => pid,
    };
    let looked = look(process, pid);
    still_there(process)?;
    // The files went with the process, which its handle does not yet say.
    looked.map_err(|failure| if failure.is(Errno::ENOENT) { Errno::ESRCH.into() } else { failure })
}

fn look(process: &PidHandle, pid: Pid) -> Result<ProcessInfo> {
    let malformed = || Failure::Errno(Errno::EIO);
    let status = read(&format!("/proc/{pid}/status"))?;
    let stat = read(&format!("/proc/{pid}/stat"))?;
    // The name stands in parentheses and may hold anything, parentheses too.
    let (_, behind) = stat.rsplit_once(')').ok_or_else(malformed)?;
    let mut fields = behind.split_ascii_whitespace();
    let state = match fields.next().ok_or_else(malformed)? {
        "T" | "t" => ProcessState::Stopped,
        "Z" | "X" => ProcessState::Zombie,
        _ => ProcessState::Alive,
    };
    let parent = fields.next().and_then(|word| word.parse().ok()).ok_or_else(malformed)?;
    // Field 22 of the file; `fields` stands before field 5.
    let started = fields.nth(17).and_then(|word| word.parse().ok()).ok_or_else(malformed)?;
    let [real, effective, saved, filesystem] = ids(&status, "Uid:").ok_or_else(malformed)?;
    let user = UserIds {
        real: Uid(real),
        effective: Uid(effective),
        saved: Uid(saved),
        filesystem: Uid(filesystem),
    };
    let [real, effective, saved, filesystem] = ids(&status, "Gid:").ok_or_else(malformed)?;
    let group = GroupIds {
        real: Gid(real),
        effective: Gid(effective),
        saved: Gid(saved),
        filesystem: Gid(filesystem),
    };
    Ok(ProcessInfo {
        pid,
        parent: Pid(parent),
        user,
        group,
        cgroup: cgroup_told(process).or_else(|| cgroup_found(pid)),
        state,
        started_ticks: started,
    })
}

/// The group's id, if the kernel tells it.
fn cgroup_told(process: &PidHandle) -> Option<CgroupId> {
    let mut info = Info { mask: INFO_CGROUP, ..Info::default() };
    let number = fd(process.descriptor()).ok()?.as_raw_fd();
    // SAFETY: the number encodes the length of `info`, which is written to and nothing else.
    answer(unsafe { libc::ioctl(number, GET_INFO, &raw mut info) }.into()).ok()?;
    (info.mask & INFO_CGROUP != 0).then_some(CgroupId(info.cgroup))
}

/// The group's id by its directory: the path of /proc/PID/cgroup below a mount of the hierarchy.
fn cgroup_found(pid: Pid) -> Option<CgroupId> {
    let told = read(&format!("/proc/{pid}/cgroup")).ok()?;
    let path = field(&told, "0::")?;
    let mounts = read("/proc/self/mountinfo").ok()?;
    // "ID PARENT DEVICE ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS" (proc(5)).
    let point = mounts.lines().find_map(|line| {
        let (before, behind) = line.split_once(" - ")?;
        let mut words = before.split(' ').skip(3);
        let (root, point) = (words.next()?, words.next()?);
        (behind.starts_with("cgroup2 ") && root == "/").then_some(point)
    })?;
    sys::stat(format!("{point}{path}").as_str()).ok().map(|stat| CgroupId(stat.st_ino))
}

/// What stands behind a word at a line's start.
fn field<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(word)).map(str::trim)
}

fn ids(status: &str, word: &str) -> Option<[u32; 4]> {
    let ids: Vec<u32> =
        field(status, word)?.split_ascii_whitespace().map_while(|id| id.parse().ok()).collect();
    ids.try_into().ok()
}

/// A whole file of /proc, as text.
fn read(path: &str) -> Result<String> {
    let file = sys::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(refused)?;
    let mut content = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match rustix::io::read(&file, &mut chunk).map_err(refused)? {
            0 => return Ok(String::from_utf8_lossy(&content).into_owned()),
            length => content.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}
