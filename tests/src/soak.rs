//! A soak: generated operations of every subject on one machine, and a look at what they leave behind.
//!
//! Scripts are played one after another. The first actor of each is a child of the machine's first process, so that the machine
//! goes on behind it. Then all is cleaned up through calls, as an administrator would, and the machine must hold what it held
//! before: nothing grows.

use std::fmt;

use standin::backend::{FileKind, Files as _, MountFlags, Processes as _, WaitOptions};
use standin::path::{KPath, Place};
use standin::transcript::{Layout, Release, parse};
use standin::{Errno, Failure, Mode, Pid, Signal, fs};
use standin_cli::watched::Watched;
use standin_sim::{Machine, Stock, View};

use crate::lab::fuzz::{Subject, script_about};
use crate::lab::record::Place as Ground;
use crate::replay;

const ROOT: &[u8] = b"/";

/// Whom a script's first actor is called instead.
const FIRST: &str = "z";

/// What a machine keeps, and how many of it at most: the users that ever ran something, of the ids that scripts name.
const KEPT: [(&str, usize); 2] = [("users", 20), ("users with files under way", 20)];

/// What came of a soak.
#[derive(Debug)]
pub struct Soaked {
    /// Operations that were played.
    pub operations: u64,
    /// Scripts that they were in.
    pub scripts: u64,
    /// What the machine held at first, and after each script.
    pub before: Stock,
    /// The same at the end, with all places that there were for it.
    pub after: Stock,
}

impl fmt::Display for Soaked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} operations in {} scripts", self.operations, self.scripts)?;
        write!(out, "{}", self.after)
    }
}

/// Plays this many operations, and looks after each script.
///
/// # Errors
/// What is wrong and behind which script: a rule of the machine that does not hold, or something that was left behind.
pub fn soak(seed: u64, operations: u64) -> Result<Soaked, String> {
    let machine = Machine::builder().allow_unmodelled().build();
    let ground = Ground { kernel: Release::V6_12, layout: Layout::Unified };
    let names = names(&machine.root(), ROOT).map_err(|error| error.to_string())?;
    clean(&machine, &names)?;
    let before = machine.look().stock();
    let mut soaked = Soaked { operations: 0, scripts: 0, after: before.clone(), before };
    while soaked.operations < operations {
        for subject in Subject::ALL {
            let script = script_about(*subject, ground, seed, soaked.scripts);
            let text = on_behalf(&script.to_string());
            let script = parse(text.as_bytes()).map_err(|error| error.to_string())?;
            let wrong = |what: String| format!("{what}\nbehind script {}:\n{text}", soaked.scripts);
            let mut stage = Watched::going_on(standin_sim::Stage::on(machine.clone()));
            replay::on(&script, &mut stage).map_err(wrong)?;
            clean(&machine, &names).map_err(wrong)?;
            drop(stage);
            machine.check().map_err(wrong)?;
            soaked.after = machine.look().stock();
            let left = left_behind(&soaked.before, &soaked.after);
            if !left.is_empty() {
                return Err(wrong(left.join("\n")));
            }
            soaked.operations += script.operations().count() as u64;
            soaked.scripts += 1;
        }
    }
    Ok(soaked)
}

/// What there is more or less of than before.
fn left_behind(before: &Stock, after: &Stock) -> Vec<String> {
    let mut left = after.changes(before);
    left.retain(|change| {
        !KEPT.iter().any(|(what, most)| {
            let live = after.rows().iter().find(|row| row.what == *what).map(|row| row.live);
            change.starts_with(&format!("{what}: ")) && live.is_some_and(|live| live <= *most)
        })
    });
    left
}

/// The script with another one in the place of `init`, who leads a session as that one does.
fn on_behalf(script: &str) -> String {
    let mut text = String::new();
    // What is made in /mnt when its own filesystem is not there could not be cleaned up: nobody sees it.
    for line in script.lines().filter(|line| !line.ends_with("> umount /mnt")) {
        let words: Vec<String> = line.split(' ').map(other).collect();
        text.push_str(&words.join(" "));
        text.push('\n');
        if line.starts_with("machine") {
            // What it mounts goes with its mount namespace.
            text.push_str(&format!("init> fork {FIRST}\n{FIRST}> setsid\n{FIRST}> unshare mnt\n"));
        }
    }
    text
}

fn other(word: &str) -> String {
    match word {
        "init" | "init>" => word.replace("init", FIRST),
        _ => word.replace("<init>", &format!("<{FIRST}>")),
    }
}

/// Ends everybody but the first process, takes away what was made, and sets back what was set.
fn clean(machine: &Machine, names_at_root: &[Vec<u8>]) -> Result<(), String> {
    let root = machine.root();
    end_all(machine, &root).map_err(|failure| format!("ending all: {failure}"))?;
    writable(&root).map_err(|failure| format!("cleaning up /mnt: {failure}"))?;
    empty(&root, b"/mnt", &[]).map_err(|error| format!("cleaning up /mnt: {error}"))?;
    empty(&root, ROOT, names_at_root).map_err(|error| format!("cleaning up /: {error}"))?;
    fs::set_permissions(&root, "/mnt", Mode::new(0o1777)).map_err(|error| error.to_string())?;
    let groups = machine.look().cgroups();
    for group in groups.iter().rev() {
        let group = format!("/sys/fs/cgroup{group}");
        fs::remove_dir(&root, &group).map_err(|error| error.to_string())?;
    }
    let control = "/sys/fs/cgroup/cgroup.subtree_control";
    let enabled = fs::read_to_string(&root, control).map_err(|error| error.to_string())?;
    for controller in enabled.split_whitespace() {
        let off = format!("-{controller}");
        fs::write(&root, control, off).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn end_all(machine: &Machine, root: &View) -> Result<(), Failure> {
    let own = root.pid()?;
    let others: Vec<Pid> = machine.look().processes().iter().map(|process| process.pid).collect();
    for pid in others.into_iter().filter(|pid| *pid != own && pid.0 != 1) {
        let Ok(handle) = root.open_pid(pid) else { continue };
        root.signal(&handle, Some(Signal::KILL)).or_else(gone)?;
        let nonblocking = WaitOptions { nonblocking: true, ..WaitOptions::default() };
        // Others' children are not ours to wait for.
        let _ = root.wait(&handle, nonblocking);
    }
    machine.settle();
    Ok(())
}

/// Whoever mounted /mnt anew may have made it read-only for everybody.
fn writable(root: &View) -> Result<(), Failure> {
    let (Ok(kind), Ok(target), Ok(none)) =
        (KPath::new("tmpfs"), KPath::new("/mnt"), KPath::new(""))
    else {
        return Ok(());
    };
    root.mount(kind, Place::cwd(target), MountFlags::REMOUNT, none)
}

fn gone(failure: Failure) -> Result<(), Failure> {
    if failure.errno() == Some(Errno::ESRCH) { Ok(()) } else { Err(failure) }
}

/// The paths in a directory.
fn names(root: &View, directory: &[u8]) -> fs::Result<Vec<Vec<u8>>> {
    let entries = fs::read_dir(root, directory)?;
    Ok(entries.iter().map(|entry| entry.path().as_bytes().to_vec()).collect())
}

/// Removes everything in a directory but these.
fn empty(root: &View, directory: &[u8], but: &[Vec<u8>]) -> fs::Result<()> {
    for path in names(root, directory)?.into_iter().filter(|path| !but.contains(path)) {
        if fs::symlink_metadata(root, &path)?.kind == FileKind::Dir {
            empty(root, &path, &[])?;
            fs::remove_dir(root, &path)?;
        } else {
            fs::remove_file(root, &path)?;
        }
    }
    Ok(())
}
