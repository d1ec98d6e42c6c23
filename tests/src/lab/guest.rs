//! The guest's side: this program as the first process of a virtual machine.
//!
//! It mounts what the layout demands, starts itself once more as the player, and reaps until the player has ended; then it
//! powers off. The player gives each script to the stage on the real kernel and says what came of it in frames; sessions of a
//! [`witness`](super::witness) it has observed, and says what was seen. What the host packed for it is in [`SCRIPTS`],
//! [`SESSIONS`] and [`LAYOUT`].

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use rustix::process::{Pid, WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};
use rustix::thread::{CpuSet, sched_setaffinity};
use standin::transcript::{RunError, parse, run};
use standin_linux::{HostStage, Tenancy};

use super::frame::{Frame, Kind, MAX_CONTENT_BYTES};
use super::record::Answer;
use super::witness::witnessed::Witnessed;

/// The file that says the layout.
pub const LAYOUT: &str = "lab/layout";
/// The directory of scripts; their names are numbers from 0.
pub const SCRIPTS: &str = "lab/scripts";
/// The directory of a witness's sessions, if it is for that that the guest is there: numbers from 0, each with a name in it.
pub const SESSIONS: &str = "lab/sessions";
/// Directories that the guest needs at first.
pub const DIRECTORIES: [&str; 9] =
    ["dev", "lab", SCRIPTS, "mnt", "proc", "root", "run", "sys", "tmp"];
/// The second serial line.
const LINE: &str = "/dev/ttyS1";
/// The argument that makes the player.
const PLAYER: &str = "play-in-guest";
const DEBUG: &str = "/sys/kernel/debug";
const CGROUPS: &str = "/sys/fs/cgroup";
const ONLINE: &str = "/sys/devices/system/cpu/online";
/// How long a kernel may take to give processors back.
const PROCESSORS_BACK: Duration = Duration::from_secs(2);

/// Does a guest's work and does not return, if this is a guest: the first process of a system that the lab packed.
pub fn serve() {
    if !Path::new("/").join(LAYOUT).exists() {
        return;
    }
    if std::env::args().nth(1).is_some_and(|word| word == PLAYER) {
        let status = i32::from(play().is_err());
        std::process::exit(status);
    }
    if std::process::id() == 1 {
        let ended = first_process().unwrap_or_else(|error| error.to_string());
        let _ = line().and_then(|mut line| say(&mut line, Kind::End, 0, &ended));
        let _ = reboot(RebootCommand::PowerOff);
    }
}

/// How the player ended; nothing if all is well.
fn first_process() -> io::Result<String> {
    // The kernel's first filesystem is open to everybody, as a /tmp is.
    fs::set_permissions("/", fs::Permissions::from_mode(0o755))?;
    let layout = fs::read_to_string(Path::new("/").join(LAYOUT))?;
    for (kind, point) in
        [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/mnt")]
    {
        put(kind, point, "")?;
    }
    if layout == "unified" {
        put("cgroup2", CGROUPS, "")?;
    } else {
        mount_v1()?;
        if layout == "hybrid" {
            let unified = format!("{CGROUPS}/unified");
            fs::create_dir(&unified)?;
            put("cgroup2", &unified, "")?;
        }
    }
    for (point, options) in [("/dev/shm", "mode=1777"), ("/run", "mode=755")] {
        fs::create_dir_all(point)?;
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        put_with("tmpfs", point, flags, options)?;
    }
    gather_kernel_threads()?;
    put("debugfs", DEBUG, "")?;
    // Kernels that do not know it count no sleeping task as running.
    let _ = fs::write(Path::new(DEBUG).join("sched/features"), "NO_DELAY_DEQUEUE");
    unmount(DEBUG, UnmountFlags::empty())?;
    let player = Command::new("/proc/self/exe").arg(PLAYER).spawn()?;
    loop {
        // Everybody's orphans come here.
        let ended = wait(WaitOptions::empty())?;
        if let Some((pid, status)) = ended
            && u32::try_from(pid.as_raw_nonzero().get()) == Ok(player.id())
        {
            let is_well = status.exit_status() == Some(0);
            return Ok(if is_well { String::new() } else { format!("{status:?}") });
        }
    }
}

/// Has the kernel's own threads run on the first processor, as far as they may: there they wake nobody on another one.
fn gather_kernel_threads() -> io::Result<()> {
    let mut first = CpuSet::new();
    first.set(0);
    for entry in fs::read_dir("/proc")?.flatten() {
        let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw).filter(|pid| !pid.is_init()) {
            // Those that belong to a processor stay with it.
            let _ = sched_setaffinity(Some(pid), &first);
        }
    }
    // The same for threads that serve any processor's work.
    fs::write("/sys/devices/virtual/workqueue/cpumask", "1")
}

/// A hierarchy for each controller that this kernel can mount as v1, in the order of /proc/cgroups.
fn mount_v1() -> io::Result<()> {
    put("tmpfs", CGROUPS, "")?;
    let known = fs::read_to_string("/proc/cgroups")?;
    let names = known.lines().filter(|line| !line.starts_with('#'));
    for name in names.filter_map(|line| line.split_whitespace().next()) {
        let point = format!("{CGROUPS}/{name}");
        fs::create_dir(&point)?;
        if put("cgroup", &point, name).is_err() {
            // It was built without v1, and stays with cgroup2.
            fs::remove_dir(&point)?;
        }
    }
    Ok(())
}

fn put(kind: &str, point: &str, options: &str) -> io::Result<()> {
    put_with(kind, point, MountFlags::empty(), options)
}

fn put_with(kind: &str, point: &str, flags: MountFlags, options: &str) -> io::Result<()> {
    let options = std::ffi::CString::new(options)?;
    mount(kind, point, kind, flags, Some(options.as_c_str()))
        .map_err(|errno| io::Error::other(format!("mount {kind} on {point}: {errno}")))
}

/// Plays all scripts, until one has changed what cannot be set back.
fn play() -> io::Result<()> {
    // To close it is to wait until all has gone out.
    let mut line = line()?;
    say(&mut line, Kind::Begin, 0, "")?;
    for script in 0.. {
        let numbered = |directory| Path::new("/").join(directory).join(script.to_string());
        if let Ok(name) = fs::read_to_string(numbered(SESSIONS)) {
            // Each call that strace sees wakes it, and then the tool again. Who is looked at shows where it may run.
            let is_shown = matches!(Witnessed::named(&name), Some(Witnessed::Procfs(_)));
            confine(if is_shown { b"status" } else { &[] })?;
            let (kind, content) = observed(&name);
            say(&mut line, kind, script, &content)?;
            continue;
        }
        let Ok(text) = fs::read(numbered(SCRIPTS)) else { break };
        let tenancy = if script == 0 { Tenancy::Fresh } else { Tenancy::Own };
        if !has_all_processors_back() {
            break;
        }
        confine(&text)?;
        let played = answer(&text, tenancy);
        say(&mut line, played.kind, script, &played.content)?;
        if played.is_last {
            break;
        }
    }
    Ok(())
}

/// Waits until the processors that a script gave to a partition are everybody's again, which takes a while behind rmdir(2);
/// whether they are. A kernel that keeps them has nothing more to tell of cpusets.
fn has_all_processors_back() -> bool {
    let until = Instant::now() + PROCESSORS_BACK;
    loop {
        let effective = fs::read_to_string(Path::new(CGROUPS).join("cpuset.cpus.effective"));
        // Without cpusets, or with those of v1, none is taken away.
        let Ok(effective) = effective else { return true };
        if fs::read_to_string(ONLINE).is_ok_and(|online| online == effective) {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Operations, and the endings of files, by which a script can tell on how many processors its actors may run.
const TELLING: [&[u8]; 4] = [b"> burn ", b"> alloc ", b"> exec ", b"status"];

/// Has the player and whom it makes for a script run on one processor, if the script cannot tell: to wake somebody on
/// another one is many times as dear where processors are emulated.
fn confine(text: &[u8]) -> io::Result<()> {
    let tells = |word: &&[u8]| text.windows(word.len()).any(|window| window == *word);
    let mut processors = CpuSet::new();
    let count = if TELLING.iter().any(tells) { CpuSet::MAX_CPU } else { 1 };
    (0..count).for_each(|processor| processors.set(processor));
    Ok(sched_setaffinity(None, &processors)?)
}

/// What came of a script.
pub(super) struct Played {
    pub(super) kind: Kind,
    pub(super) content: String,
    /// The guest may not be as it was: what follows needs another.
    is_last: bool,
}

/// Plays a script on the kernel below.
pub(super) fn answer(text: &[u8], tenancy: Tenancy) -> Played {
    let refused = |content| Played { kind: Kind::Refused, content, is_last: false };
    let script = match parse(text) {
        Ok(script) => script,
        Err(error) => return refused(error.to_string()),
    };
    let mut stage = match HostStage::on(&script, tenancy) {
        Ok(stage) => stage,
        Err(refusal) => return refused(refusal.to_string()),
    };
    let (kind, content) = match run(&script, &mut stage) {
        Ok(report) => {
            let transcript = report.transcript.to_string();
            if transcript.len() > MAX_CONTENT_BYTES {
                (Kind::Refused, format!("its transcript is over {MAX_CONTENT_BYTES} bytes"))
            } else {
                (Kind::Transcript, transcript)
            }
        }
        Err(RunError::Step { line, trouble, .. }) => {
            (Kind::Broken, format!("line {line}: {trouble}"))
        }
        Err(RunError::Finish(trouble)) => (Kind::Broken, trouble.to_string()),
    };
    let is_last = kind == Kind::Broken || stage.is_spoiled() || script.needs().fresh;
    Played { kind, content, is_last }
}

/// What was seen of a witness's session.
fn observed(name: &str) -> (Kind, String) {
    let Some(subject) = Witnessed::named(name) else {
        return (Kind::Refused, format!("there is no session {name}"));
    };
    match subject.observe(Tenancy::Own) {
        Answer::Transcript(log) if log.len() > MAX_CONTENT_BYTES => {
            (Kind::Broken, format!("its log is over {MAX_CONTENT_BYTES} bytes"))
        }
        Answer::Transcript(log) => (Kind::Transcript, log),
        Answer::Refused(why) => (Kind::Refused, why),
        Answer::Lost(why) => (Kind::Broken, why),
    }
}

fn line() -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).open(LINE)
}

fn say(line: &mut fs::File, kind: Kind, script: usize, content: &str) -> io::Result<()> {
    let frame = Frame { kind, script, content: content.as_bytes().to_vec() };
    line.write_all(&frame.to_bytes())
}
