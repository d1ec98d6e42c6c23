//! Runs a session's commands under strace(1), in a guest or on a host, and writes down what was seen.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::fs::Mode;
use rustix::process::umask;

use super::super::record::Answer;
use super::log::{Log, Ran};
use super::session::{GROUP, Needed, PROCESS, Session};

/// Where hierarchies are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";
/// Where that of v2 is beside those of v1.
const UNIFIED: &str = "/sys/fs/cgroup/unified";
const GIVEN: &str = "cgroup.subtree_control";
/// The argument that makes this program the process `<p>`.
const IDLER: &str = "idle-for-witness";
/// Longest string that strace spells out: more than any file of a group has.
pub(super) const STRING_BYTES: &str = "65536";
/// All calls by which a program could touch a file, and what decides how they end.
const CALLS: &str = "trace=%file,%desc,%process,umask";
/// What the tools find on any Debian.
pub(super) const UMASK: Mode = Mode::from_raw_mode(0o022);

/// Is the process `<p>`, if this program was started as that: sleeps until nobody holds its input.
pub fn serve() {
    if std::env::args().nth(1).is_some_and(|word| word == IDLER) {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    }
}

/// What was seen of a session, as a [`Log`]'s text, or why it was not run.
#[must_use]
pub fn answer(session: &Session) -> Answer {
    if let Some(missing) = session.needs.iter().find(|needed| !is_there(**needed)) {
        return Answer::Refused(match missing {
            Needed::V1(name) => format!("there is no v1 hierarchy of {name}"),
            Needed::V2(name) => format!("v2 does not have {name}"),
        });
    }
    if let Some(group) = groups().first() {
        return Answer::Refused(format!("{} is there already", group.display()));
    }
    let given = given_below();
    let seen = see(session);
    // Whatever a session left; the deepest are removed first.
    let cleared = groups().iter().rev().try_for_each(fs::remove_dir);
    let cleared = cleared.and_then(|()| {
        let mut more = given_below().into_iter().filter(|name| !given.contains(name));
        more.try_for_each(|name| fs::write(Path::new(UNIFIED).join(GIVEN), format!("-{name}")))
    });
    match seen.and_then(|log| cleared.map(|()| log)) {
        Ok(log) => Answer::Transcript(log.to_string()),
        Err(error) => Answer::Lost(format!("{}: {error}", session.name)),
    }
}

fn is_there(needed: Needed) -> bool {
    match needed {
        Needed::V1(name) => Path::new(CGROUPS).join(name).join("tasks").exists(),
        Needed::V2(name) => fs::read_to_string(Path::new(UNIFIED).join("cgroup.controllers"))
            .is_ok_and(|text| text.split_whitespace().any(|word| word == name)),
    }
}

/// The controllers that the root of v2 gives to groups below it; libcgroup gives more and takes none back.
fn given_below() -> Vec<String> {
    let text = fs::read_to_string(Path::new(UNIFIED).join(GIVEN)).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// The sessions' groups that exist, each before those below it.
fn groups() -> Vec<PathBuf> {
    let hierarchies = fs::read_dir(CGROUPS).into_iter().flatten().flatten();
    let mut groups = Vec::new();
    for hierarchy in hierarchies {
        let mut waiting = vec![hierarchy.path().join(GROUP)];
        while let Some(group) = waiting.pop().filter(|group| group.is_dir()) {
            let inside = fs::read_dir(&group).into_iter().flatten().flatten();
            waiting.extend(inside.map(|entry| entry.path()).filter(|path| path.is_dir()));
            groups.push(group);
        }
    }
    groups
}

fn see(session: &Session) -> io::Result<Log> {
    let work = tempfile::tempdir()?;
    let mut idler = Command::new("/proc/self/exe").arg(IDLER).stdin(Stdio::piped()).spawn()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let is_of_groups =
        |line: &&str| line.split(' ').nth(2).is_some_and(|it| it.starts_with("cgroup"));
    let mut log = Log {
        mounts: mounts.lines().filter(is_of_groups).map(str::to_owned).collect(),
        process: idler.id(),
        ..Log::default()
    };
    let ran: io::Result<Vec<Ran>> =
        session.commands.iter().map(|command| run(command, &idler, work.path())).collect();
    idler.kill()?;
    idler.wait()?;
    log.commands = ran?;
    Ok(log)
}

fn run(command: &str, idler: &Child, work: &Path) -> io::Result<Ran> {
    let (calls, printed) = (work.join("calls"), work.join("printed"));
    let output = File::create(&printed)?;
    let before = umask(UMASK);
    let words = command.split(' ').map(|word| word.replace(PROCESS, &idler.id().to_string()));
    let status = Command::new("strace")
        .args(["-v", "-s", STRING_BYTES, "-e", CALLS, "-o"])
        .arg(&calls)
        .args(words)
        .env_clear()
        .envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C")])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status();
    umask(before);
    let status = status?;
    let told = fs::read_to_string(&calls)?;
    // What comes before is the loader's.
    let names_groups = |line: &&str| line.contains("\"/proc/") || line.contains(CGROUPS);
    let calls = told.lines().skip_while(|line| !names_groups(line));
    let number = format!("pid {}:", idler.id());
    let without_number = |line: &str| line.replace(&number, &format!("pid {PROCESS}:"));
    Ok(Ran {
        command: command.to_owned(),
        printed: fs::read_to_string(&printed)?.lines().map(without_number).collect(),
        calls: calls.map(str::to_owned).collect(),
        status: status.code().or(status.signal()).unwrap_or_default(),
    })
}
