//! The trace of a run on the machine, as a script that this host's kernel answers as the machine did.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use standin::backend::{Spawn, WaitOptions, WaitStatus};
use standin::cgroup::Hierarchies;
use standin::transcript::{self, MachineLine};
use standin::{Backend, Errno, ExitCode, KPath, Place, Signal, fs};
use standin_linux::{HostStage, Linux};
use standin_sim::{Layout, Machine, Stage};

use crate::{Corner, cgroup};

pub(crate) fn corners() -> Vec<Corner> {
    vec![Corner {
        name: "the trace of a run on the machine is answered alike by this host",
        missing: cgroup::missing_here().or_else(|| here().err()),
        show: both_answer_alike,
    }]
}

/// This host's layout, and where its cgroup2 is.
fn here() -> Result<(Layout, &'static str), String> {
    let all = Hierarchies::find(&Linux::here()).map_err(|error| error.to_string())?;
    let unified = all.unified().map_err(|error| error.to_string())?;
    match unified.mount_point().as_bytes() {
        b"/sys/fs/cgroup" => Ok((Layout::Unified, "/sys/fs/cgroup")),
        b"/sys/fs/cgroup/unified" => Ok((Layout::Hybrid, "/sys/fs/cgroup/unified")),
        _ => Err(format!("no layout has cgroup2 at {}", unified.mount_point())),
    }
}

/// Makes a group with limits, moves a child in and out of it, is refused in several ways, and clears up.
fn manage(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let top = String::from_utf8(arguments.last().unwrap().clone()).unwrap();
    let group = format!("{top}/standin-trace");
    let of = |file: &str| format!("{group}/{file}");
    fs::create_dir(kernel, &group).unwrap();
    fs::create_dir(kernel, &group).unwrap_err();
    fs::write(kernel, of("cgroup.max.depth"), "1").unwrap();
    fs::write(kernel, of("cgroup.max.depth"), "few").unwrap_err();
    fs::create_dir(kernel, of("inner")).unwrap();
    fs::create_dir(kernel, of("inner/most")).unwrap_err();
    let inner = of("inner");
    let inner = kernel.open_dir(Place::cwd(KPath::new(&inner).unwrap())).unwrap();
    let worker = Spawn::new(KPath::new("/bin/worker").unwrap(), &[b"worker"]).into_cgroup(&inner);
    let worker = kernel.spawn(&worker).unwrap();
    let number = fs::read_to_string(kernel, of("inner/cgroup.procs")).unwrap();
    fs::write(kernel, of("cgroup.procs"), number.trim()).unwrap();
    fs::write(kernel, of("inner/cgroup.procs"), number.trim()).unwrap();
    for file in ["cgroup.events", "cgroup.type", "cgroup.max.depth", "cgroup.procs"] {
        fs::read_to_string(kernel, of(file)).unwrap();
    }
    let busy = fs::remove_dir(kernel, of("inner")).unwrap_err();
    assert_eq!(busy.errno(), Some(Errno::EBUSY));
    fs::write(kernel, of("cgroup.freeze"), "1").unwrap();
    fs::read_to_string(kernel, of("cgroup.freeze")).unwrap();
    kernel.signal(&worker, Some(Signal::KILL)).unwrap();
    let ended = kernel.wait(&worker, WaitOptions::default()).unwrap();
    assert_eq!(ended, Some(WaitStatus::Killed(Signal::KILL)));
    fs::remove_dir(kernel, of("inner")).unwrap();
    fs::remove_dir(kernel, &group).unwrap();
    ExitCode::SUCCESS
}

fn both_answer_alike() {
    let (layout, top) = here().unwrap();
    let machine = Machine::builder().layout(layout).trace().build();
    machine.program("/bin/manager", manage);
    machine.program("/bin/worker", |kernel, _| {
        let _ = kernel.poll(&[], standin::backend::Deadline::Never);
        ExitCode::SUCCESS
    });
    assert_eq!(machine.run("/bin/manager", &[top]), Ok(WaitStatus::Exited(0)));
    let word = match layout {
        Layout::Hybrid => transcript::Layout::Hybrid,
        Layout::Unified | Layout::Legacy => transcript::Layout::Unified,
    };
    let line = MachineLine { layout: Some(word), ..MachineLine::default() };
    let script = machine.trace().script(line);

    let mut answered = transcript::run(&script, &mut Stage::new(&line)).unwrap().transcript;
    // Whichever kernel this host has.
    answered.machine = line;
    let on_host = transcript::run(&answered, &mut HostStage::new(&answered).unwrap()).unwrap();
    let text = answered.to_string();
    for part in [" into=", "> kill p", "EBUSY", "EEXIST", "EAGAIN", "killed KILL"] {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    for mismatch in &on_host.mismatches {
        println!("line {}: {} and {}", mismatch.line, mismatch.expected, mismatch.got);
    }
    assert!(on_host.mismatches.is_empty(), "{answered}");
}
