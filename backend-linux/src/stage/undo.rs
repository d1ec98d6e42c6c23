//! Undoing a run from its journal: processes first, then groups, then what was set.
//!
//! The watcher does it when the runner has finished or died; everything here may be done again. Nothing is ended that
//! does not bear the run's mark or stand in its journal, and nothing removed that the journal does not name.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, lchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{
    Pid as RawPid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal,
};
use standin::backend::WaitOptions;
use standin::id::Pid;

use super::ahead::is_listing;
use super::journal::Entry;
use super::{Tenancy, task};
use crate::processes::wait::{Whom, wait_for};

/// How long the processes of a run may take to end, and then its groups to be removed.
const PATIENCE: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(2);

/// What holds processes back in a group, and what lets them go.
const BONDS: [(&str, &str); 8] = [
    ("cgroup.freeze", "0"),
    ("freezer.state", "THAWED"),
    ("cpu.max", "max"),
    ("cpu.cfs_quota_us", "-1"),
    ("memory.high", "max"),
    ("memory.max", "max"),
    ("memory.limit_in_bytes", "-1"),
    ("memory.oom_control", "0"),
];

/// Undoes all of it; what could not be undone, in words.
///
/// On a machine of the runner's own, where the watcher does it, all that it is an ancestor of ends: there is nobody else.
/// `go_home` goes into the mount namespace that the runner came from: a name that was made there may be hidden by a mount of the
/// run's.
pub(super) fn undo(
    entries: &[Entry],
    mark: &str,
    tenancy: Tenancy,
    reap: &dyn Fn(),
    go_home: &dyn Fn(),
) -> Vec<String> {
    let mut left = Vec::new();
    let groups: Vec<PathBuf> = entries
        .iter()
        .filter_map(
            |entry| if let Entry::Group { path } = entry { Some(to_path(path)) } else { None },
        )
        .collect();
    left.extend(if tenancy.is_alone() {
        end_descendants(&groups)
    } else {
        end_processes(entries, &groups, mark, reap)
    });
    left.extend(remove_groups(&groups));
    let is_name = |entry: &&Entry| matches!(entry, Entry::Made { .. });
    left.extend(entries.iter().rev().filter(|entry| !is_name(entry)).filter_map(restore));
    go_home();
    left.extend(entries.iter().rev().filter(is_name).filter_map(restore));
    left
}

/// The environment entry by which the processes of a run are known.
pub(super) fn mark_entry(mark: &str) -> String {
    format!("STANDIN_STAGE={mark}")
}

/// Ends whatever is alive of the run.
///
/// The first process of a pid namespace has not ended before everybody there has been waited for, also those whose parent was
/// outside: they are the watcher's when that one has ended (pid_namespaces(7)).
fn end_processes(
    entries: &[Entry],
    groups: &[PathBuf],
    mark: &str,
    reap: &dyn Fn(),
) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut quiet = 0_u32;
    loop {
        reap();
        let alive = alive(entries, mark);
        // Twice: one that was being made while the first look was taken is seen by the second.
        quiet = if alive.is_empty() { quiet + 1 } else { 0 };
        if quiet == 2 {
            return Vec::new();
        }
        if Instant::now() > until {
            return alive.iter().map(|pid| format!("process {pid} does not end")).collect();
        }
        release(groups);
        for group in groups {
            let _ = set(&group.join("cgroup.kill"), b"1");
        }
        for pid in &alive {
            end(*pid, entries, mark);
        }
        std::thread::sleep(STEP);
    }
}

/// Ends every process that the calling one is an ancestor of; those that are orphaned by it become its children.
fn end_descendants(groups: &[PathBuf]) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut pause = STEP / 16;
    loop {
        let children = task::children().unwrap_or_default();
        if children.is_empty() {
            return Vec::new();
        }
        for child in &children {
            // A child has its number for as long as nobody waits for it.
            if let Some(number) = i32::try_from(child.0).ok().and_then(RawPid::from_raw) {
                let _ = kill_process(number, Signal::KILL);
            }
        }
        std::thread::sleep(pause);
        let any = WaitOptions { nonblocking: true, ..WaitOptions::default() };
        while matches!(wait_for(&Whom::Any, any), Ok(Some(_))) {}
        if Instant::now() > until {
            return children.iter().map(|pid| format!("process {pid} does not end")).collect();
        }
        if pause > STEP / 4 {
            release(groups);
        }
        pause = (pause * 2).min(STEP);
    }
}

/// The processes of the run that have not ended.
fn alive(entries: &[Entry], mark: &str) -> Vec<Pid> {
    let own = Pid(std::process::id());
    let mut found = task::processes().unwrap_or_default();
    found.retain(|pid| *pid != own && is_of_run(*pid, entries, mark));
    found
}

fn is_of_run(pid: Pid, entries: &[Entry], mark: &str) -> bool {
    let Ok(stat) = task::stat(&format!("/proc/{pid}")) else { return false };
    if matches!(stat.state, b'Z' | b'X') {
        return false;
    }
    entries.contains(&Entry::Actor { pid, started: stat.started })
        || task::has_environment(pid, &mark_entry(mark))
}

/// By pidfd, and asked again once it is held: a number used again harms nobody.
fn end(pid: Pid, entries: &[Entry], mark: &str) {
    let number = i32::try_from(pid.0).ok().and_then(RawPid::from_raw);
    let Some(Ok(held)) = number.map(|number| pidfd_open(number, PidfdFlags::empty())) else {
        return;
    };
    if is_of_run(pid, entries, mark) {
        let _ = pidfd_send_signal(held, Signal::KILL);
    }
}

/// Takes off what holds processes in the groups back, from the outside inwards.
fn release(groups: &[PathBuf]) {
    for group in groups {
        for directory in tree(group).iter().rev() {
            for (file, value) in BONDS {
                let _ = set(&directory.join(file), value.as_bytes());
            }
        }
    }
}

/// Removes the groups and what is below them, deepest first.
fn remove_groups(groups: &[PathBuf]) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut left = Vec::new();
    for group in groups.iter().rev() {
        loop {
            let refused =
                tree(group).iter().find_map(|directory| match fs::remove_dir(directory) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Some((directory.clone(), error))
                    }
                    _ => None,
                });
            let Some((directory, error)) = refused else { break };
            if Instant::now() > until {
                left.push(format!("group {}: {error}", directory.display()));
                break;
            }
            std::thread::sleep(STEP);
        }
    }
    left
}

/// A group and those below it, the deepest first; nothing if it is not there.
fn tree(group: &Path) -> Vec<PathBuf> {
    let is_directory = fs::symlink_metadata(group).is_ok_and(|told| told.is_dir());
    if !is_directory {
        return Vec::new();
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(tree(&entry.path()));
        }
    }
    found.push(group.to_owned());
    found
}

/// Sets back what an entry says; why not, if it cannot.
fn restore(entry: &Entry) -> Option<String> {
    let (path, done) = match entry {
        Entry::Actor { .. } | Entry::Group { .. } => return None,
        Entry::Made { path } => (path, unmake(&to_path(path))),
        Entry::Content { path, old } => (path, restore_content(&to_path(path), old)),
        Entry::Inode { path, mode, uid, gid } => {
            (path, restore_inode(&to_path(path), *mode, (*uid, *gid)))
        }
        Entry::Attribute { path, name } => {
            let removed = rustix::fs::lremovexattr(path.as_slice(), name.as_slice());
            (path, removed.map_err(io::Error::from))
        }
    };
    match done {
        Ok(()) => None,
        Err(error) if error.kind() == io::ErrorKind::NotFound || is_no_data(&error) => None,
        Err(error) => Some(format!("{}: {error}", to_path(path).display())),
    }
}

fn is_no_data(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENODATA)
}

fn unmake(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Mode and owner, if they are others: of files that take none, nothing is changed.
fn restore_inode(path: &Path, mode: u32, (uid, gid): (u32, u32)) -> io::Result<()> {
    let told = fs::symlink_metadata(path)?;
    if (told.uid(), told.gid()) != (uid, gid) {
        lchown(path, Some(uid), Some(gid))?;
    } else if told.mode() & 0o7777 == mode {
        return Ok(());
    }
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// A control file's old text. Which controllers are on for children is told and taken in different words.
fn restore_content(path: &Path, old: &[u8]) -> io::Result<()> {
    let now = fs::read(path)?;
    // A journal never says what a listing said; one that was tampered with moves nobody.
    if now == old || is_listing(path.as_os_str().as_bytes()) {
        return Ok(());
    }
    if path.file_name() != Some(OsStr::new("cgroup.subtree_control")) {
        return set(path, old.trim_ascii_end());
    }
    let has = |text: &[u8], word: &[u8]| text.split(u8::is_ascii_whitespace).any(|it| it == word);
    let words = |text: &[u8]| -> Vec<Vec<u8>> {
        let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(<[u8]>::to_vec).collect()
    };
    let gone =
        words(old).into_iter().filter(|word| !has(&now, word)).map(|word| [b"+", &*word].concat());
    let new =
        words(&now).into_iter().filter(|word| !has(old, word)).map(|word| [b"-", &*word].concat());
    let change: Vec<Vec<u8>> = gone.chain(new).collect();
    set(path, &change.join(&b' '))
}

/// One write(2) to a control file that is there.
fn set(path: &Path, value: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW).open(path)?;
    file.write(value).map(drop)
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
