//! What /proc tells of a task of this host, by its number in the initial pid namespace.
//!
//! It only reads. That a number is still the task's is for the caller to see to, who holds it by pidfd.

use std::fs;
use std::io;

use standin::id::Pid;

/// What a task was doing, and how often it has been switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Activity {
    /// The letter of its state (proc_pid_stat(5)).
    pub(super) state: u8,
    switches: u64,
}

impl Activity {
    /// It has a processor or waits for one.
    pub(super) const fn is_running(self) -> bool {
        self.state == b'R'
    }

    /// It waits and no signal wakes it: mostly not for long.
    pub(super) const fn is_deep(self) -> bool {
        self.state == b'D'
    }

    pub(super) const fn is_stopped(self) -> bool {
        matches!(self.state, b'T' | b't')
    }
}

/// The fields of /proc/PID/stat that matter here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stat {
    pub(super) state: u8,
    pub(super) parent: Pid,
    /// It has begun to end, and does nothing else any more.
    pub(super) is_ending: bool,
    /// Ticks from boot to its start: with its number, a name that is never given twice.
    pub(super) started: u64,
    /// As wait(2) would tell it; only of a process that has ended.
    pub(super) status: i32,
}

/// Places in /proc/PID/stat, counted from behind the name, which may hold anything.
const PARENT: usize = 1;
const FLAGS: usize = 6;
const STARTED: usize = 19;
const STATUS: usize = 49;

/// `PF_EXITING`
const ENDING: u64 = 1 << 2;

/// A directory of /proc for a process, or for one of its threads.
pub(super) fn directory(process: Pid, task: Pid) -> String {
    if process == task {
        format!("/proc/{process}")
    } else {
        format!("/proc/{process}/task/{task}")
    }
}

pub(super) fn stat(directory: &str) -> io::Result<Stat> {
    let text = fs::read(format!("{directory}/stat"))?;
    let broken = || io::Error::from(io::ErrorKind::InvalidData);
    let behind = text.iter().rposition(|byte| *byte == b')').ok_or_else(broken)?;
    let fields = text.get(behind + 2..).and_then(|fields| std::str::from_utf8(fields).ok());
    let fields: Vec<&str> = fields.ok_or_else(broken)?.split_ascii_whitespace().collect();
    let field = |at: usize| fields.get(at).copied().ok_or_else(broken);
    let number = |at: usize| field(at)?.parse::<u64>().map_err(|_| broken());
    Ok(Stat {
        state: *field(0)?.as_bytes().first().ok_or_else(broken)?,
        parent: Pid(u32::try_from(number(PARENT)?).map_err(|_| broken())?),
        is_ending: number(FLAGS)? & ENDING != 0,
        started: number(STARTED)?,
        status: field(STATUS)?.parse().map_err(|_| broken())?,
    })
}

pub(super) fn activity(directory: &str) -> io::Result<Activity> {
    let mut state = stat(directory)?.state;
    // One that is about to sleep says so before it has done all: whose call can be told has left its processor.
    if fs::read(format!("{directory}/syscall")).is_ok_and(|call| call.starts_with(b"running")) {
        state = b'R';
    }
    let status = fs::read(format!("{directory}/status"))?;
    let switches = lines(&status)
        .filter(|(key, _)| key.ends_with(b"_ctxt_switches"))
        .filter_map(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok())
        .sum();
    Ok(Activity { state, switches })
}

/// Whether it is ending, or was told to by a signal that nothing holds back.
pub(super) fn is_doomed(directory: &str) -> bool {
    const KILL: u64 = 1 << 8;
    let is_ending = stat(directory).is_ok_and(|stat| stat.is_ending);
    let status = fs::read(format!("{directory}/status")).unwrap_or_default();
    let pending = lines(&status).filter(|(key, _)| matches!(*key, b"SigPnd" | b"ShdPnd"));
    let mut sets = pending.filter_map(|(_, value)| {
        u64::from_str_radix(std::str::from_utf8(value).ok()?.trim(), 16).ok()
    });
    is_ending || sets.any(|set| set & KILL != 0)
}

/// Whether anybody on this machine runs or waits for a processor besides the caller (proc_loadavg(5)).
pub(super) fn do_others_run() -> bool {
    let text = fs::read("/proc/loadavg").unwrap_or_default();
    let running = text.split(|byte| *byte == b' ').nth(3);
    running.is_none_or(|running| !running.starts_with(b"1/"))
}

/// The threads of a process. One that ends meanwhile may be there or not.
pub(super) fn threads(process: Pid) -> io::Result<Vec<Pid>> {
    numbers(&format!("/proc/{process}/task"))
}

/// The children of the calling process, of all its threads' the first one's.
pub(super) fn children() -> io::Result<Vec<Pid>> {
    let own = std::process::id();
    let text = fs::read_to_string(format!("/proc/self/task/{own}/children"))?;
    Ok(text.split_ascii_whitespace().filter_map(|word| word.parse().ok().map(Pid)).collect())
}

/// Every process of the host.
pub(super) fn processes() -> io::Result<Vec<Pid>> {
    numbers("/proc")
}

fn numbers(directory: &str) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        found.extend(name.to_str().and_then(|name| name.parse().ok()).map(Pid));
    }
    Ok(found)
}

/// Its numbers, from the initial pid namespace inwards.
pub(super) fn numbers_inwards(directory: &str) -> io::Result<Vec<Pid>> {
    let status = fs::read(format!("{directory}/status"))?;
    let numbers = lines(&status).find(|(key, _)| *key == b"NSpid").map(|(_, value)| value);
    let numbers = numbers.and_then(|numbers| std::str::from_utf8(numbers).ok()).unwrap_or("");
    Ok(numbers.split_ascii_whitespace().filter_map(|word| word.parse().ok().map(Pid)).collect())
}

/// Its group in the cgroup2 hierarchy, as the initial cgroup namespace names it.
pub(super) fn cgroup2_path(directory: &str) -> io::Result<Option<Vec<u8>>> {
    let text = fs::read(format!("{directory}/cgroup"))?;
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"0::"));
    Ok(line.map(super::escape::from_octal))
}

/// Whether the v1 freezer holds it: then it looks like one in a deep wait.
pub(super) fn is_in_refrigerator(directory: &str) -> bool {
    let place = fs::read(format!("{directory}/wchan")).unwrap_or_default();
    place.windows(b"refrigerator".len()).any(|window| window == b"refrigerator")
}

/// Whether its first environment, which exec(2) leaves in place, holds this entry.
pub(super) fn has_environment(process: Pid, entry: &str) -> bool {
    let text = fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
    text.split(|byte| *byte == 0).any(|one| one == entry.as_bytes())
}

fn lines(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'\n').filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some((line.get(..colon)?, line.get(colon + 1..)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_found_with_its_numbers() {
        let own = Pid(std::process::id());
        let directory = directory(own, own);
        assert_eq!(numbers_inwards(&directory).unwrap().last(), Some(&own));
        assert!(stat(&directory).unwrap().started > 0);
        assert!(threads(own).unwrap().contains(&own));
        assert!(processes().unwrap().contains(&own));
        assert!(!activity(&directory).unwrap().is_stopped());
    }
}
