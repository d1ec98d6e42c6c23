//! Which context a process is in.
//!
//! A number may be given to another process at any moment, and a name to another group. So the process is held, the
//! kernel asked for its group's id, and the path that /proc tells believed only if it leads to the group of that id.

use super::{Result, to, unless};
use crate::backend::{Backend, ProcessState};
use crate::context::error::Cause;
use crate::context::{ContextId, Membership, Refusal};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::fs;
use crate::handle::{Dir, PidHandle};
use crate::id::{CgroupId, Pid};
use crate::path::{Follow, KPath, Place};

/// How often a process that moves meanwhile is asked again.
const TRIES: u32 = 16;

/// Which context a process is in that has this number. A zombie is in none any more, and is not found.
pub(super) fn of(kernel: &dyn Backend, root: &Dir, pid: Pid) -> Result<Membership> {
    let process = open(kernel, pid)?;
    for _ in 0..TRIES {
        let before = cgroup_of(kernel, &process)?;
        let lines = read(kernel, pid)?;
        if before != cgroup_of(kernel, &process)? {
            continue;
        }
        let path = lines.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or_default();
        return found(kernel, root, path, before);
    }
    Err(Refusal::Busy.into())
}

/// Holds the process with this number.
pub(super) fn open(kernel: &dyn Backend, pid: Pid) -> Result<PidHandle> {
    match kernel.open_pid(pid) {
        Ok(process) => Ok(process),
        Err(failure) if failure.is(Errno::ESRCH) => Err(Refusal::NotFound.into()),
        // What kernels say of a thread's number.
        Err(failure) if failure.is(Errno::EINVAL) || failure.is(Errno::ENOENT) => {
            Err(Cause::Failed(
                "hold the process",
                Failure::Unsupported(
                    "the context of a thread by its own number; ask for its process",
                ),
            ))
        }
        Err(failure) => Err(Cause::Failed("hold the process", failure)),
    }
}

/// The id of a live process's group.
pub(super) fn cgroup_of(kernel: &dyn Backend, process: &PidHandle) -> Result<CgroupId> {
    let info = to("inspect the process", unless(Errno::ESRCH, kernel.inspect(process)))?;
    let live = info.filter(|info| info.state != ProcessState::Zombie).ok_or(Refusal::NotFound)?;
    live.cgroup.ok_or(Cause::Failed(
        "ask for the process's group",
        Failure::Unsupported("contexts without a cgroup2 hierarchy"),
    ))
}

fn read(kernel: &dyn Backend, pid: Pid) -> Result<String> {
    let text = fs::read_to_string(kernel, format!("/proc/{pid}/cgroup"));
    text.map_err(|error| match error.errno() {
        Some(Errno::ENOENT | Errno::ESRCH) => Refusal::NotFound.into(),
        _ => Cause::Failed("read the process's cgroup file", error.failure().clone()),
    })
}

/// The context whose group, or a group below it, is at the end of `path` and has this id.
fn found(kernel: &dyn Backend, root: &Dir, path: &str, cgroup: CgroupId) -> Result<Membership> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for (at, part) in parts.iter().enumerate() {
        let Some(id) = context_named(part) else { continue };
        let below = parts.get(at..).unwrap_or_default().join("/");
        let Ok(below) = KPath::new(&below) else { continue };
        let stat = kernel.stat(Place::beneath(root.descriptor(), below), Follow::No);
        let stat = to("look a group up", unless(Errno::ENOENT, stat))?;
        if stat.is_some_and(|stat| stat.cgroup_id() == cgroup) {
            return Ok(Membership::Context(id));
        }
    }
    Ok(Membership::Host)
}

/// The context that a group's name is for.
fn context_named(name: &str) -> Option<ContextId> {
    let number = name.strip_prefix("xid-")?;
    let id = ContextId::new(number.parse().ok()?).ok()?;
    (id.to_string() == number).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::context_named;
    use crate::context::ContextId;

    #[test]
    fn only_the_name_of_a_contexts_group_is_one() {
        assert_eq!(context_named("xid-7"), ContextId::new(7).ok());
        for name in
            ["xid-", "xid-1", "xid-07", "xid-+7", "xid-65536", "xid-7 (deleted)", "7", "axid-7"]
        {
            assert_eq!(context_named(name), None, "{name}");
        }
    }
}
