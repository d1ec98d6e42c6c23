//! A script read for what it would change on the host: only what it makes itself, and files of the hierarchies' roots,
//! which can be set back.
//!
//! It goes by the paths as they stand. What they turn out to be while the script runs is asked again (`ahead`).

use std::path::Path;

use rustix::fs::FileType;
use standin::path::{KPath, KPathBuf};
use standin::transcript::{
    Data, FileOp, FileSystem, MountOptions, NamespaceKind, NamespaceOp, Op, Operation, Piece,
    ProcessOp, Transcript,
};

use super::effect::{Change, Opened, Touch, mounts_hierarchy, touches};
use super::ground::{Found, Ground, Soil, Spot};
use super::host::Host;
use super::journal::is_within;
use super::refusal::Refusal;

/// Files that take the number of a process to be moved.
pub(super) const MOVING: [&[u8]; 3] = [b"cgroup.procs", b"cgroup.threads", b"tasks"];

/// Options of cgroup2 that hold for the whole hierarchy, whoever mounts it.
const CGROUP2_OPTIONS: [&str; 6] = [
    "nsdelegate",
    "favordynmods",
    "memory_localevents",
    "memory_recursiveprot",
    "memory_hugetlb_accounting",
    "pids_localevents",
];

/// A script and the host that it would run on.
pub(super) struct Survey<'a> {
    script: &'a Transcript,
    host: &'a Host,
    ground: Ground<'a>,
    opened: Opened,
    /// What it makes, by the paths that it says.
    made: Vec<Vec<u8>>,
    /// It changes working directories: a path that does not begin with / may mean anything.
    moves_about: bool,
    /// It makes pid namespaces: a number may mean anything.
    renumbers: bool,
}

impl<'a> Survey<'a> {
    pub(super) fn of(script: &'a Transcript, host: &'a Host) -> Result<Self, Refusal> {
        let ground = Ground::of(host, "/proc/self")
            .map_err(|error| Refusal::Host(format!("/proc/self: {error}")))?;
        let ops = || script.operations().map(Operation::op);
        let opened = Opened::of(script);
        let touched = ops().flat_map(|op| touches(op, &opened));
        let makes = touched.filter(|touch| touch.change.makes());
        Ok(Self {
            script,
            host,
            ground,
            made: makes.map(|touch| trimmed(touch.path.as_bytes()).to_vec()).collect(),
            opened,
            moves_about: ops().any(|op| matches!(op, Op::Files(FileOp::Chdir { .. }))),
            renumbers: ops().any(renumbers),
        })
    }

    pub(super) fn check(&self) -> Result<(), Refusal> {
        self.check_mounts()?;
        for operation in self.script.operations() {
            for touch in touches(operation.op(), &self.opened) {
                let may_renumber = self.renumbers && operation.actor().as_str() != "init";
                if let Some(pid) = moved(&touch).filter(|_| !may_renumber) {
                    return Err(Refusal::Process(pid));
                }
                self.touch(&touch)?;
            }
        }
        Ok(())
    }

    /// Whether it mounts only what the machine has, and so: what it mounts otherwise outlives it.
    pub(super) fn check_mounts(&self) -> Result<(), Refusal> {
        let mounts = self.script.operations().filter_map(|one| mounts_hierarchy(one.op()));
        mounts.into_iter().try_for_each(|(kind, options)| self.mount(kind, options))
    }

    fn touch(&self, touch: &Touch<'_>) -> Result<(), Refusal> {
        let path = touch.path.as_bytes();
        if is_within(path, b"/mnt") || !touch.path.is_absolute() && self.moves_about {
            return Ok(());
        }
        if touch.change.makes() {
            return self.ground.spot(&touch.path).map_or(Ok(()), |spot| self.make(touch, &spot));
        }
        if self.made.iter().any(|made| is_within(path, made)) {
            return Ok(());
        }
        self.ground
            .find(&touch.path, touch.follows)
            .map_or(Ok(()), |found| self.change(touch, &found))
    }

    fn make(&self, touch: &Touch<'_>, spot: &Spot) -> Result<(), Refusal> {
        if spot.parent.soil != Soil::Group {
            return Ok(());
        }
        if !is_root(self.host, &spot.parent) {
            return Err(foreign(&spot.parent.path));
        }
        let is_there = spot.occupied == Some(FileType::Directory);
        if is_there && touch.change == Change::MakeDirectory {
            return Err(Refusal::Exists(
                KPath::new(&spot.path)
                    .map_or_else(|_| String::new(), |path| path.display().into_owned()),
            ));
        }
        Ok(())
    }

    fn change(&self, touch: &Touch<'_>, found: &Found) -> Result<(), Refusal> {
        let is_fine = match found.soil {
            Soil::Own => true,
            Soil::Group => is_root(self.host, found) || is_in_root(self.host, found),
            Soil::Proc => touch.change == Change::Write && is_own_in_proc(&touch.path),
            Soil::Host => false,
        };
        if is_fine { Ok(()) } else { Err(foreign(&found.path)) }
    }

    /// A mount may make a hierarchy, or change its options for everybody.
    fn mount(&self, kind: FileSystem, options: Option<&MountOptions>) -> Result<(), Refusal> {
        let data = options.map(|options| options.data.join(&b',')).unwrap_or_default();
        let text = String::from_utf8_lossy(&data);
        let words: Vec<&str> = text.split(',').filter(|word| !word.is_empty()).collect();
        let is_fine = if kind == FileSystem::Cgroup2 {
            let host = self.host.cgroup2();
            CGROUP2_OPTIONS.iter().all(|option| {
                host.is_none_or(|host| host.has_option(option) == words.contains(option))
            })
        } else {
            self.is_v1_mounted(&words)
        };
        if is_fine { Ok(()) } else { Err(Refusal::Hierarchy(format!("{} {text}", kind))) }
    }

    fn is_v1_mounted(&self, words: &[&str]) -> bool {
        let known = std::fs::read_to_string("/proc/cgroups").unwrap_or_default();
        let is_controller =
            |word: &str| known.lines().any(|line| line.split('\t').next() == Some(word));
        let v1 = || self.host.hierarchies().filter(|mount| mount.kind == b"cgroup");
        let is_mounted = |word: &str| v1().any(|mount| mount.has_option(word));
        let chosen: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| is_controller(word) || word.starts_with("name="))
            .collect();
        let harmless = !words.iter().any(|word| word.starts_with("release_agent="));
        // Without a choice all controllers are meant: refused by the kernel where two hierarchies have some.
        harmless
            && chosen.iter().all(|word| is_mounted(word) || *word == "name=")
            && (!chosen.is_empty() || v1().count() > 1)
    }
}

/// Whether it is the root directory of a hierarchy.
pub(super) fn is_root(host: &Host, found: &Found) -> bool {
    host.hierarchies().any(|mount| mount.point == found.path)
}

/// Whether it is a file of a hierarchy's root.
pub(super) fn is_in_root(host: &Host, found: &Found) -> bool {
    let is_directory = found.kind == FileType::Directory;
    let directory = found.path.iter().rposition(|byte| *byte == b'/');
    let directory = directory.and_then(|at| found.path.get(..at));
    !is_directory && host.hierarchies().any(|mount| Some(mount.point.as_slice()) == directory)
}

fn foreign(path: &[u8]) -> Refusal {
    Refusal::Foreign(String::from_utf8_lossy(path).into_owned())
}

fn trimmed(path: &[u8]) -> &[u8] {
    path.strip_suffix(b"/").unwrap_or(path)
}

/// A setting of the kernel, which is set back, or a file of the actor itself.
fn is_own_in_proc(path: &KPathBuf) -> bool {
    [&b"/proc/self"[..], b"/proc/thread-self", b"/proc/sys"]
        .iter()
        .any(|directory| is_within(path.as_bytes(), directory))
}

fn renumbers(op: &Op) -> bool {
    let has_pid = |kinds: &[NamespaceKind]| kinds.contains(&NamespaceKind::Pid);
    if let Op::Processes(ProcessOp::Fork { options, .. }) = op {
        options.new.as_ref().is_some_and(|kinds| has_pid(&kinds.0))
    } else if let Op::Namespaces(
        NamespaceOp::Unshare { kinds } | NamespaceOp::Setns { kinds, .. },
    ) = op
    {
        has_pid(&kinds.0)
    } else {
        false
    }
}

/// The process of the host that a write would move, if its number stands there itself.
pub(super) fn moved(touch: &Touch<'_>) -> Option<u32> {
    let pid = touch.data.and_then(number)?;
    let is_listing = MOVING.contains(&touch.path.file_name());
    (is_listing && Path::new(&format!("/proc/{pid}")).exists()).then_some(pid)
}

/// A process's number as the kernel reads it from data that names no actor: 0x and a leading 0 are heeded.
pub(super) fn number(data: &Data) -> Option<u32> {
    if data.pieces().iter().any(|piece| matches!(piece, Piece::Pid(..))) {
        return None;
    }
    let text =
        data.0.split(|byte| *byte == 0).next().and_then(|text| std::str::from_utf8(text).ok())?;
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let lower = digits.to_ascii_lowercase();
    let parsed = match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
        (Some(hex), _) => u32::from_str_radix(hex, 16),
        (None, Some(octal)) if !octal.is_empty() => u32::from_str_radix(octal, 8),
        _ => lower.parse(),
    };
    parsed.ok().filter(|pid| *pid > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use standin::transcript::parse;

    fn check(lines: &str) -> Result<(), Refusal> {
        let script = parse(format!("machine\n{lines}\n").as_bytes()).unwrap();
        let host = Host::look().unwrap();
        Survey::of(&script, &host)?.check()
    }

    #[test]
    fn a_script_keeps_to_what_it_makes() {
        for line in [
            "init> mkdir /mnt/a",
            "init> write /mnt/a x",
            "init> create /nowhere/a",
            "init> write /nowhere/a x",
            "init> write /proc/self/comm x",
            "init> write /sys/fs/cgroup/none/cgroup.procs 0",
        ] {
            assert_eq!(check(line), Ok(()), "{line}");
        }
        for line in [
            "init> write /etc/passwd x",
            "init> unlink /etc/passwd",
            "init> chmod /etc 0777",
            "init> rmdir /etc",
            "init> open f /etc/passwd rw",
            "init> write /proc/1/comm x",
            "init> open d /etc r\ninit> openat2 f d passwd rw",
            "init> write /proc/1/oom_score_adj 1",
        ] {
            assert!(matches!(check(line), Err(Refusal::Foreign(_))), "{line}");
        }
    }

    #[test]
    fn a_script_moves_no_process_of_the_hosts() {
        for (data, refused) in
            [("1", true), ("0x1", true), ("01", true), (" +1 ", true), ("0", false)]
        {
            let line = format!("init> write /sys/fs/cgroup/ta/cgroup.procs \"{data}\"");
            let is_refused = matches!(check(&line), Err(Refusal::Process(1)));
            assert_eq!(is_refused, refused, "{data}");
        }
        assert_eq!(check("init> write /sys/fs/cgroup/ta/tasks <init>"), Ok(()));
        assert_eq!(check("init> write /sys/fs/cgroup/ta/tasks 99999999"), Ok(()));
    }
}
