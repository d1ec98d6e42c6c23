//! `standin doctor`: what works here, why something does not, and what to do about it.
//!
//! Each finding comes from trying: nothing is concluded from a version number. Nothing is changed: the only processes that
//! are started are probes, this program again, which end at once.

use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use standin::backend::{
    Access, Backend, NamespaceKinds, Namespaces as _, Processes as _, Spawn, WaitOptions,
    WaitStatus,
};
use standin::handle::Dir;
use standin::transcript::{Layout, MachineLine, Release, parse, run as play};
use standin::{Errno, Failure, KPath, Place, fs};
use standin_linux::{AgentOptions, HostStage, Linux};

use crate::error::{Complaint, Status, visible};
use crate::groups::{Kind, Mount, controllers, mounts};
use crate::output::Output;

/// The path of a registered program that does nothing.
pub(crate) const PROBE: &str = "/standin/probe";

/// A script that every machine carries out.
const SMALL_SCRIPT: &[u8] =
    b"machine\ninit> mkdir /sys/fs/cgroup/a\nok\ninit> rmdir /sys/fs/cgroup/a\nok\n";

/// Say what works on this host, why something does not, and what to do
///
/// Needs no privileges and changes nothing.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// How a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Works {
    Yes,
    No,
}

/// What was found out about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    topic: &'static str,
    works: Works,
    /// What is, or why it does not work.
    says: String,
    /// What to do if it should work; may be empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    advice: &'static str,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Json {
    version: &'static str,
    kernel: String,
    layout: Option<&'static str>,
    cgroup_mounts: Vec<Hierarchy>,
    findings: Vec<Finding>,
}

/// A hierarchy, and which controllers are there.
#[derive(Debug, Serialize)]
struct Hierarchy {
    #[serde(flatten)]
    mount: Mount,
    controllers: Vec<String>,
}

impl Finding {
    fn yes(topic: &'static str, says: impl Into<String>) -> Self {
        Self { topic, works: Works::Yes, says: says.into(), advice: "" }
    }

    fn no(topic: &'static str, says: impl Into<String>, advice: &'static str) -> Self {
        Self { topic, works: Works::No, says: says.into(), advice }
    }

    /// Whether something was refused, and by what.
    fn tried(topic: &'static str, tried: Result<String, Failure>, advice: &'static str) -> Self {
        match tried {
            Ok(says) => Self::yes(topic, says),
            Err(failure) => Self::no(topic, failure.to_string(), advice),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// If nothing could be printed.
pub(crate) fn run(options: &Options) -> Result<Status, Complaint> {
    let kernel = Linux::here();
    let mounted = mounts(&kernel);
    let place = |mount: Mount| {
        let controllers = match mount.kind {
            Kind::Cgroup => mount.options.clone(),
            Kind::Cgroup2 => controllers(&kernel, &mount.point),
        };
        Hierarchy { mount, controllers }
    };
    let hierarchies: Vec<Hierarchy> = mounted.unwrap_or_default().into_iter().map(place).collect();
    let here = HostStage::machine_line(&MachineLine::default());
    let findings = vec![
        machine(),
        release(&kernel),
        root(&kernel),
        layout(here.layout, &hierarchies),
        may_make_groups(&kernel, &hierarchies),
        stage(),
        Finding::tried(
            "helper processes",
            agent(),
            "call standin from a place where /proc is mounted",
        ),
        user_namespaces(&kernel),
        clone_into_cgroup(&kernel, &hierarchies),
        Finding::tried(
            "process handles",
            process_handle(&kernel),
            "pidfd_open(2) came with Linux 5.3",
        ),
        Finding::tried(
            "bounded paths",
            bounded_path(&kernel),
            "openat2(2) came with Linux 5.6; old seccomp filters refuse it",
        ),
        emulator(),
    ];
    let mut output = Output::new();
    let uname = kernel.uname().map(|uname| uname.release.to_string()).unwrap_or_default();
    if options.json {
        let layout = here.layout.map(Layout::word);
        let version = env!("CARGO_PKG_VERSION");
        output.json(&Json { version, kernel: uname, layout, cgroup_mounts: hierarchies, findings });
    } else {
        output.text(&text(&findings, &hierarchies));
    }
    output.finish()?;
    Ok(Status::Fine)
}

/// The findings for people.
fn text(findings: &[Finding], hierarchies: &[Hierarchy]) -> String {
    let mut text = String::new();
    for Finding { topic, works, says, advice } in findings {
        let mark = match works {
            Works::Yes => "yes",
            Works::No => "no",
        };
        let _ = writeln!(text, "{mark:<4}{topic:<22}{}", visible(says).replace('\n', " "));
        if !advice.is_empty() {
            let _ = writeln!(text, "{:26}→ {advice}", "");
        }
        if *topic == LAYOUT {
            for Hierarchy { mount, controllers } in hierarchies {
                let kind = match mount.kind {
                    Kind::Cgroup => "v1",
                    Kind::Cgroup2 => "v2",
                };
                let read_only = if mount.read_only { ", read-only" } else { "" };
                let listed = if controllers.is_empty() {
                    "no controllers".to_owned()
                } else {
                    controllers.join(" ")
                };
                let _ = writeln!(
                    text,
                    "{:26}{} ({kind}{read_only}): {}",
                    "",
                    visible(&mount.point),
                    visible(&listed)
                );
            }
        }
    }
    text
}

fn machine() -> Finding {
    const TOPIC: &str = "simulated kernel";
    let ran = parse(SMALL_SCRIPT).map_err(|error| error.to_string()).and_then(|script| {
        let report = play(&script, &mut standin_sim::Stage::new(&script.machine))
            .map_err(|error| error.to_string())?;
        report.is_as_expected().then_some(()).ok_or_else(|| "it answers wrongly".to_owned())
    });
    match ran {
        Ok(()) => Finding::yes(
            TOPIC,
            format!("Linux {}, as any user, without privileges", every_release()),
        ),
        Err(why) => Finding::no(TOPIC, why, "this is a defect of standin: please report it"),
    }
}

fn every_release() -> String {
    let words: Vec<&str> = Release::ALL.iter().map(|release| release.word()).collect();
    words.join(", ")
}

fn release(kernel: &dyn Backend) -> Finding {
    const TOPIC: &str = "known kernel";
    let uname = match kernel.uname() {
        Ok(uname) => uname,
        Err(failure) => return Finding::no(TOPIC, failure.to_string(), ""),
    };
    let release = uname.release.to_string();
    let is_modelled = |word: &str| {
        let rest = release.strip_prefix(word);
        rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    if Release::ALL.iter().any(|modelled| is_modelled(modelled.word())) {
        return Finding::yes(TOPIC, format!("{} {release}", uname.sysname));
    }
    Finding::no(
        TOPIC,
        format!("{} {release} is none of {}", uname.sysname, every_release()),
        "the machine does not need it; scripts with --on host need one of these",
    )
}

fn root(kernel: &dyn Backend) -> Finding {
    const TOPIC: &str = "root";
    match kernel.credentials() {
        Ok(who) if who.user.effective.0 == 0 => Finding::yes(TOPIC, "effective user 0"),
        Ok(who) => Finding::no(
            TOPIC,
            format!("effective user {}", who.user.effective.0),
            "only --on host needs it: sudo standin ...",
        ),
        Err(failure) => Finding::no(TOPIC, failure.to_string(), ""),
    }
}

const LAYOUT: &str = "cgroup layout";

fn layout(layout: Option<Layout>, hierarchies: &[Hierarchy]) -> Finding {
    match layout {
        Some(layout) => Finding::yes(LAYOUT, layout.word()),
        None if hierarchies.is_empty() => Finding::no(
            LAYOUT,
            "no cgroup filesystem is mounted",
            "as root: mount -t cgroup2 none /sys/fs/cgroup; in a container, start it with /sys/fs/cgroup",
        ),
        None => Finding::no(
            LAYOUT,
            "neither unified, legacy nor hybrid",
            "scripts with --on host need one of the three",
        ),
    }
}

fn may_make_groups(kernel: &dyn Backend, hierarchies: &[Hierarchy]) -> Finding {
    const TOPIC: &str = "making cgroups";
    const ADVICE: &str =
        "as root, or in a group that was delegated to you (systemd-run --user -p Delegate=yes ...)";
    let Some(first) = hierarchies
        .iter()
        .find(|it| it.mount.kind == Kind::Cgroup2)
        .or_else(|| hierarchies.first())
    else {
        return Finding::no(TOPIC, "no cgroup filesystem is mounted", "");
    };
    let point = &first.mount.point;
    let tried = path(point)
        .and_then(|path| kernel.access(Place::cwd(path), Access::WRITE | Access::EXECUTE));
    match tried {
        Ok(()) => Finding::yes(TOPIC, format!("in {point}")),
        Err(failure) if failure.is(Errno::EROFS) => Finding::no(
            TOPIC,
            format!("{point} is read-only"),
            "a container shows its groups so unless it is privileged",
        ),
        Err(failure) => Finding::no(TOPIC, format!("{point}: {failure}"), ADVICE),
    }
}

/// Whether a script can run on this host at all.
fn stage() -> Finding {
    const TOPIC: &str = "scripts --on host";
    let script = parse(b"machine\n").map(|mut script| {
        script.machine = HostStage::machine_line(&script.machine);
        script
    });
    let fits = script.map_err(|error| error.to_string());
    match fits.and_then(|script| HostStage::fits(&script).map_err(|refusal| refusal.to_string())) {
        Ok(()) => Finding::yes(TOPIC, "those for this kernel and layout"),
        Err(why) => Finding::no(TOPIC, why, "without --on host they run on a simulated kernel"),
    }
}

fn agent() -> Result<String, Failure> {
    let agent = Linux::agent(&AgentOptions::default())?;
    agent.pid().map(|_| "Linux::agent works".to_owned())
}

/// Starts the probe, born in these namespaces and this group, and waits for its end.
fn probe(
    kernel: &dyn Backend,
    namespaces: NamespaceKinds,
    cgroup: Option<&Dir>,
) -> Result<(), Failure> {
    let arguments: [&[u8]; 1] = [PROBE.as_bytes()];
    let spawn = Spawn { namespaces, cgroup, ..Spawn::new(path(PROBE)?, &arguments) };
    let child = kernel.spawn(&spawn)?;
    match kernel.wait(&child, WaitOptions::default())? {
        Some(WaitStatus::Exited(0)) => Ok(()),
        _ => Err(Failure::from(Errno::EIO)),
    }
}

fn path(text: &str) -> Result<&KPath, Failure> {
    KPath::new(text).map_err(|_| Failure::from(Errno::EINVAL))
}

fn user_namespaces(kernel: &dyn Backend) -> Finding {
    const TOPIC: &str = "user namespaces";
    /// Files that forbid them, and what they then hold.
    const SWITCHES: [(&str, &str); 3] = [
        ("/proc/sys/user/max_user_namespaces", "0"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
    ];
    let Err(failure) = probe(kernel, NamespaceKinds::USER, None) else {
        return Finding::yes(TOPIC, "a process can be born in one");
    };
    let forbids = |(file, value): &&(&str, &str)| {
        fs::read_to_string(kernel, file).is_ok_and(|text| text.trim_end() == *value)
    };
    if failure.is(Errno::ENOENT) {
        let says = "no process can be started to try it";
        return Finding::no(TOPIC, says, "see helper processes");
    }
    match SWITCHES.iter().find(forbids) {
        Some((file, value)) => {
            Finding::no(TOPIC, format!("{failure}: {file} is {value}"), "root may change that file")
        }
        None => {
            Finding::no(TOPIC, failure.to_string(), "a container's seccomp filter may forbid them")
        }
    }
}

/// Is born where this process is, so that nothing moves.
fn clone_into_cgroup(kernel: &dyn Backend, hierarchies: &[Hierarchy]) -> Finding {
    const TOPIC: &str = "birth in a cgroup";
    let Some(v2) = hierarchies.iter().find(|it| it.mount.kind == Kind::Cgroup2) else {
        return Finding::no(TOPIC, "there is no cgroup2", "");
    };
    let own = fs::read_to_string(kernel, "/proc/self/cgroup").unwrap_or_default();
    let own = own.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
    let group = format!("{}{}", v2.mount.point, own.trim_end_matches('/'));
    let tried = path(&group).and_then(|path| kernel.open_dir(Place::cwd(path)));
    let tried =
        tried.and_then(|directory| probe(kernel, NamespaceKinds::empty(), Some(&directory)));
    let tried = tried.map(|()| format!("clone3(2) with CLONE_INTO_CGROUP, in {group}"));
    Finding::tried(
        TOPIC,
        tried,
        "it needs the right to write the group's cgroup.procs; CLONE_INTO_CGROUP came with Linux 5.7",
    )
}

fn process_handle(kernel: &dyn Backend) -> Result<String, Failure> {
    let own = kernel.open_pid(kernel.pid()?)?;
    kernel.signal(&own, None).map(|()| "pidfd_open(2), pidfd_send_signal(2)".to_owned())
}

fn bounded_path(kernel: &dyn Backend) -> Result<String, Failure> {
    let directory = kernel.open_dir(Place::cwd(path("/")?))?;
    let place = Place::beneath(directory.descriptor(), path(".")?);
    kernel.open_dir(place).map(|_| "openat2(2)".to_owned())
}

/// Only the project's own recordings need one.
fn emulator() -> Finding {
    const TOPIC: &str = "virtual machines";
    let program = format!("qemu-system-{}", std::env::consts::ARCH);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|directory| directory.join(&program))
        .find(|file| file.is_file());
    let speed = if Path::new("/dev/kvm").exists() {
        "with /dev/kvm"
    } else {
        "without /dev/kvm: slow, but works"
    };
    match found {
        Some(file) => Finding::yes(TOPIC, format!("{}, {speed}", file.display())),
        None => Finding::no(
            TOPIC,
            format!("{program} is not installed"),
            "only recording other kernels needs it: apt install qemu-system-x86",
        ),
    }
}
