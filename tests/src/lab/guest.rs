//! The guest's side: this program as the first process of a virtual machine.
//!
//! It mounts what the layout demands, starts itself once more as the player, and reaps until the player has ended; then it
//! powers off. The player gives each script to the stage on the real kernel and says what came of it in frames. What the
//! host packed for it is in [`SCRIPTS`] and [`LAYOUT`].

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use rustix::mount::{MountFlags, mount};
use rustix::process::{WaitOptions, wait};
use rustix::system::{RebootCommand, reboot};
use standin::transcript::{RunError, parse, run};
use standin_linux::{HostStage, Tenancy};

use super::frame::{Frame, Kind, MAX_CONTENT_BYTES};

/// The file that says the layout.
pub const LAYOUT: &str = "lab/layout";
/// The directory of scripts; their names are numbers from 0.
pub const SCRIPTS: &str = "lab/scripts";
/// Directories that the guest needs at first.
pub const DIRECTORIES: [&str; 9] =
    ["dev", "lab", SCRIPTS, "mnt", "proc", "root", "run", "sys", "tmp"];
/// The second serial line.
const LINE: &str = "/dev/ttyS1";
/// The argument that makes the player.
const PLAYER: &str = "play-in-guest";
const CGROUPS: &str = "/sys/fs/cgroup";

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
        let _ = say(Kind::End, 0, ended.as_bytes());
        let _ = reboot(RebootCommand::PowerOff);
    }
}

/// How the player ended.
fn first_process() -> io::Result<String> {
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
    let player = Command::new("/proc/self/exe").arg(PLAYER).spawn()?;
    loop {
        // Everybody's orphans come here.
        let ended = wait(WaitOptions::empty())?;
        if let Some((pid, status)) = ended
            && u32::try_from(pid.as_raw_nonzero().get()) == Ok(player.id())
        {
            return Ok(format!("{status:?}"));
        }
    }
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
    let options = std::ffi::CString::new(options)?;
    mount(kind, point, kind, MountFlags::empty(), Some(options.as_c_str()))
        .map_err(|errno| io::Error::other(format!("mount {kind} on {point}: {errno}")))
}

/// Plays all scripts, until one has changed what cannot be set back.
fn play() -> io::Result<()> {
    for script in 0.. {
        let Ok(text) = fs::read(Path::new("/").join(SCRIPTS).join(script.to_string())) else {
            break;
        };
        say(Kind::Begin, script, b"")?;
        let tenancy = if script == 0 { Tenancy::Fresh } else { Tenancy::Own };
        let played = answer(&text, tenancy);
        say(played.kind, script, played.content.as_bytes())?;
        if played.is_last {
            break;
        }
    }
    Ok(())
}

/// What came of a script.
struct Played {
    kind: Kind,
    content: String,
    /// The guest may not be as it was: what follows needs another.
    is_last: bool,
}

fn answer(text: &[u8], tenancy: Tenancy) -> Played {
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

fn say(kind: Kind, script: usize, content: &[u8]) -> io::Result<()> {
    let frame = Frame { kind, script, content: content.to_vec() };
    let mut line = fs::OpenOptions::new().write(true).open(LINE)?;
    line.write_all(&frame.to_bytes())
}
