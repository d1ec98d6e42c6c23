//! Plays a session's cast on the kernel below and runs its commands beside it under strace(1).

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::umask;
use standin::Errno;
use standin::id::{Moment, NsId, Pid};
use standin::transcript::{
    ActorId, ClockName, Condition, NamespaceLink, Request, Settled, Stage, Trouble, parse,
    print_word, run,
};
use standin_linux::{HostStage, Tenancy};

use super::super::super::record::Answer;
use super::super::log::{Log, Ran};
use super::super::observe::{STRING_BYTES, UMASK};
use super::session::{Session, USER};

/// The first of the cast's PID namespace: the first actor that the script makes.
const FIRST: ActorId = ActorId(1);
/// All calls by which a program could touch a file.
const CALLS: &str = "trace=%file,%desc,%process";
/// Where cgroup2 is, alone or beside v1.
const GROUPS: [&str; 2] = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];

/// What was seen of a session, as a [`Log`]'s text, or why it was not run.
#[must_use]
pub fn answer(session: &Session, tenancy: Tenancy) -> Answer {
    let groups = GROUPS.iter().find(|place| Path::new(place).join("cgroup.procs").exists());
    let cast = session.cast.replace("CGROUP", groups.unwrap_or(&""));
    let script = match parse(format!("machine\n{cast}").as_bytes()) {
        Ok(script) => script,
        Err(error) => return Answer::Lost(error.to_string()),
    };
    let mut stage = match HostStage::on(&script, tenancy) {
        Ok(stage) => Watched { stage, session, seen: Ok(Log::default()) },
        Err(refusal) => return Answer::Refused(refusal.to_string()),
    };
    let report = match run(&script, &mut stage) {
        Ok(report) => report.transcript.to_string(),
        Err(error) => return Answer::Lost(error.to_string()),
    };
    match stage.seen {
        Ok(seen) => {
            let cast = report.lines().map(str::to_owned).collect();
            Answer::Transcript(Log { cast, ..seen }.to_string())
        }
        Err(error) => Answer::Lost(format!("{}: {error}", session.name)),
    }
}

/// A stage beside which the tools run once the script is at its end.
struct Watched<'a> {
    stage: HostStage,
    session: &'a Session,
    seen: io::Result<Log>,
}

impl Watched<'_> {
    fn watch(&mut self) -> io::Result<Log> {
        let first = self.stage.number(FIRST, ActorId::INIT);
        let first = first.ok_or_else(|| io::Error::other("the cast has no first process"))?;
        let work = tempfile::tempdir()?;
        let own = |name| fs::read(format!("/proc/{first}/{name}")).map(|text| print_word(&text));
        let recorder = vec![own("cmdline")?, own("environ")?];
        let commands = self.session.commands.iter();
        let ran = commands.map(|command| see(command, self.session, first, work.path()));
        Ok(Log { recorder, commands: ran.collect::<io::Result<_>>()?, ..Log::default() })
    }
}

impl Stage for Watched<'_> {
    fn begin(&mut self, actor: ActorId, request: Request) -> Result<(), Trouble> {
        self.stage.begin(actor, request)
    }

    fn settle(&mut self, actor: ActorId, patience: Duration) -> Result<Settled, Trouble> {
        self.stage.settle(actor, patience)
    }

    fn number(&mut self, who: ActorId, seen_by: ActorId) -> Option<Pid> {
        self.stage.number(who, seen_by)
    }

    fn condition(&mut self, actor: ActorId) -> Condition {
        self.stage.condition(actor)
    }

    fn is_alive(&mut self, actor: ActorId) -> bool {
        self.stage.is_alive(actor)
    }

    fn namespace(&mut self, actor: ActorId, link: NamespaceLink) -> Result<NsId, Errno> {
        self.stage.namespace(actor, link)
    }

    fn in_initial_pid_namespace(&mut self, actor: ActorId) -> bool {
        self.stage.in_initial_pid_namespace(actor)
    }

    fn initial_clock(&mut self, clock: ClockName) -> Moment {
        self.stage.initial_clock(clock)
    }

    fn finish(&mut self) -> Result<(), Trouble> {
        self.seen = self.watch();
        self.stage.finish()
    }
}

/// Runs a command in the namespaces of the cast's first process: nsenter(1) forks once, so the tool takes the next number there.
fn see(command: &str, session: &Session, first: Pid, work: &Path) -> io::Result<Ran> {
    let (calls, printed) = (work.join("calls"), work.join("printed"));
    let output = File::create(&printed)?;
    let before = umask(UMASK);
    let mut entering: Vec<OsString> =
        ["nsenter", "-t", &first.to_string(), "-a"].map(OsString::from).to_vec();
    if session.by_user {
        entering.extend([format!("-S{USER}").into(), format!("-G{USER}").into()]);
    }
    let status = Command::new("strace")
        .args(["-f", "-v", "-s", STRING_BYTES, "-e", CALLS, "-o"])
        .arg(&calls)
        .args(entering)
        .args(command.split(' '))
        .env_clear()
        .envs([("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"), ("LC_ALL", "C")])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .status();
    umask(before);
    let status = status?;
    let printed = fs::read(&printed)?;
    Ok(Ran {
        command: command.to_owned(),
        printed: String::from_utf8_lossy(&printed).lines().map(str::to_owned).collect(),
        calls: of_tool(&fs::read_to_string(&calls)?),
        status: status.code().or(status.signal()).unwrap_or_default(),
    })
}

/// The lines of the second process, behind the call that made it the tool; without its number. A call that strace tells in two
/// parts is put together.
fn of_tool(told: &str) -> Vec<String> {
    let parts = told.lines().filter_map(|line| line.split_once(' '));
    let parts: Vec<(&str, &str)> = parts.map(|(who, call)| (who, call.trim_start())).collect();
    let entering = parts.first().map_or("", |(who, _)| who);
    let mut calls: Vec<String> = Vec::new();
    for (_, call) in parts.iter().filter(|(who, _)| *who != entering) {
        let rest = call.strip_prefix("<... ").and_then(|call| call.split_once(" resumed>"));
        match (rest, calls.last_mut()) {
            (Some((_, rest)), Some(last)) => {
                let begun = last.trim_end_matches("<unfinished ...>").trim_end().to_owned();
                *last = begun + rest;
            }
            _ => calls.push((*call).to_owned()),
        }
    }
    let begins = |call: &String| call.starts_with("execve(");
    let begin = calls.iter().rposition(begins).map_or(0, |at| at + 1);
    calls.split_off(begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calls_of_the_tool_are_those_of_the_second_process_behind_its_beginning() {
        let told = "\
            7     close(3) = 0\n\
            7     clone(flags=SIGCHLD) = 8\n\
            7     wait4(-1,  <unfinished ...>\n\
            8     execve(\"/usr/sbin/ps\", [\"ps\"], []) = -1 ENOENT (No such file or directory)\n\
            8     execve(\"/usr/bin/ps\", [\"ps\"], [] <unfinished ...>\n\
            8     <... execve resumed>) = 0\n\
            8     read(3,  <unfinished ...>\n\
            8     <... read resumed>\"a\", 1) = 1\n\
            8     +++ exited with 0 +++\n\
            7     <... wait4 resumed>) = 8\n";
        assert_eq!(of_tool(told), ["read(3,\"a\", 1) = 1", "+++ exited with 0 +++"]);
    }
}
