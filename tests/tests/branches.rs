//! Branches: a second machine at the same point, with programs in the middle of their calls.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use standin::backend::Deadline;
use standin::{Backend, ExitCode, fs};
use standin_sim::{BranchError, Machine};

/// Says a word into a file every second, five times.
fn say(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let word = String::from_utf8_lossy(arguments.get(1).unwrap()).into_owned();
    for _ in 0..5 {
        let said = fs::read_to_string(kernel, "/mnt/said").unwrap_or_default();
        fs::write(kernel, "/mnt/said", format!("{said}{word}")).unwrap();
        let later = kernel.monotonic().unwrap().after(Duration::from_secs(1));
        kernel.poll(&[], Deadline::At(later)).unwrap();
    }
    ExitCode::SUCCESS
}

fn said(machine: &Machine) -> String {
    fs::read_to_string(&machine.root(), "/mnt/said").unwrap()
}

#[test]
fn a_branch_goes_on_in_the_middle_of_its_programs() {
    let machine = Machine::builder().branching().build();
    machine.program("/bin/say", say);
    machine.launch(&["/bin/say", "a"]).unwrap();
    machine.pass(Duration::from_millis(500)).unwrap();
    machine.launch(&["/bin/say", "b"]).unwrap();
    machine.pass(Duration::from_millis(1_600)).unwrap();
    let branch = machine.branch().unwrap();
    // A branch of a branch, and a machine that outlives both.
    let second = branch.branch().unwrap();
    assert_eq!(said(&branch), "ababa");
    machine.pass(Duration::from_secs(10)).unwrap();
    assert_eq!(said(&machine), "ababababab");
    second.pass(Duration::from_secs(1)).unwrap();
    assert_eq!(said(&second), "abababa");
    second.check().unwrap();
    assert_eq!(said(&branch), "ababa");
}

#[test]
fn what_does_not_depend_on_the_machine_alone_is_uncontrolled_and_the_call_is_named() {
    let machine = Machine::builder().branching().build();
    let runs = AtomicU32::new(0);
    machine.program("/bin/counts", move |kernel, _| {
        let run = runs.fetch_add(1, Ordering::Relaxed);
        fs::create_dir(kernel, "/sys/fs/cgroup/same").unwrap();
        fs::create_dir(kernel, format!("/sys/fs/cgroup/run{run}")).unwrap();
        ExitCode::SUCCESS
    });
    machine.run("/bin/counts", &[]).unwrap();
    let error = machine.branch().unwrap_err();
    assert!(matches!(error, BranchError::Uncontrolled(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("run0") && text.contains("run1"), "{text}");
    assert!(text.contains("mkdir"), "{text}");
}

#[test]
fn a_call_from_outside_cannot_be_done_again_but_a_snapshot_can_stand_behind_it() {
    let machine = Machine::builder().branching().build();
    fs::create_dir(&machine.root(), "/sys/fs/cgroup/a").unwrap();
    let error = machine.branch().unwrap_err();
    assert!(matches!(error, BranchError::Driven { .. }), "{error}");
    assert!(error.to_string().contains("mkdir"), "{error}");
    machine.snapshot().unwrap();
    assert_eq!(machine.branch().unwrap().look().cgroups(), ["/a"]);
    let plain = Machine::builder().build();
    assert!(matches!(plain.branch(), Err(BranchError::NotKept)));
}
