//! Traces: what a machine was asked and what it answered, as data; the same seed gives the same trace.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Mutex;
use std::time::Duration;

use standin::backend::{Deadline, Files, OpenOptions};
use standin::{Backend, Errno, ExitCode, Failure, KPath, Place, fs};
use standin_sim::{Builder, Machine, Search, Side, Trace, Value, interference};
use standin_tests::replay;

const GROUP: &str = "/sys/fs/cgroup/web";

/// Two managers that make, fill and remove groups, and a sleeper.
fn scenario(machine: &Machine) {
    machine.program("/bin/manager", |kernel, arguments| {
        let own = format!("/sys/fs/cgroup/{}", String::from_utf8_lossy(arguments.get(1).unwrap()));
        for turn in 0..3 {
            let _ = fs::create_dir(kernel, GROUP);
            let _ = fs::create_dir(kernel, format!("{own}{turn}"));
            let _ = fs::write(kernel, format!("{own}{turn}/cgroup.procs"), "0");
            let _ = fs::read_to_string(kernel, "/proc/self/cgroup");
            let later = kernel.monotonic().unwrap().after(Duration::from_millis(turn));
            kernel.poll(&[], Deadline::At(later)).unwrap();
            let _ = fs::write(kernel, "/sys/fs/cgroup/cgroup.procs", "0");
            let _ = fs::remove_dir(kernel, GROUP);
            let _ = fs::remove_dir(kernel, format!("{own}{turn}"));
        }
        ExitCode::SUCCESS
    });
    machine
        .run_together(&[&["/bin/manager", "a"], &["/bin/manager", "b"], &["/bin/sleep", "1"]])
        .unwrap();
}

fn traced() -> Builder {
    Machine::builder().trace()
}

/// The trace of the one run of a search with this seed.
fn trace_of(seed: u64) -> Trace {
    let trace = Mutex::new(Trace::default());
    let keep = |machine: &Machine| {
        scenario(machine);
        *trace.lock().unwrap() = machine.trace();
    };
    Search::random(seed).runs(1).on(traced()).check(keep).unwrap();
    trace.into_inner().unwrap()
}

#[test]
fn every_one_of_a_thousand_seeds_gives_the_same_trace_twice() {
    let mut distinct = std::collections::BTreeSet::new();
    for seed in 0..1_000 {
        let (one, other) = (trace_of(seed), trace_of(seed));
        assert_eq!(one, other, "seed {seed}");
        assert!(one.entries.len() > 50, "seed {seed}: {} calls", one.entries.len());
        distinct.insert(one.to_string());
    }
    assert!(distinct.len() > 900, "{} different traces", distinct.len());
}

#[test]
fn a_machine_keeps_no_trace_unless_it_is_asked_to() {
    let machine = Machine::builder().build();
    scenario(&machine);
    assert_eq!(machine.trace(), Trace::default());
}

#[test]
fn a_trace_does_not_change_what_a_machine_does() {
    let (with, without) = (traced().build(), Machine::builder().build());
    for machine in [&with, &without] {
        scenario(machine);
    }
    assert!(with.diff(&without).is_empty(), "{}", with.diff(&without));
    assert_eq!(with.look().operations(), without.look().operations());
}

#[test]
fn an_entry_holds_what_was_asked_of_whom_and_what_came_of_it() {
    let machine = traced().build();
    let root = machine.root();
    fs::create_dir(&root, GROUP).unwrap();
    let freeze = KPath::new("/sys/fs/cgroup/web/cgroup.freeze").unwrap();
    let file = root.open(Place::cwd(freeze), &OpenOptions::read_write()).unwrap();
    root.write(&file, b"x").unwrap_err();
    let mut buffer = [b'-'; 16];
    root.pread(&file, &mut buffer, standin::id::Bytes(0)).unwrap();
    let trace = machine.trace();
    let names: Vec<&str> = trace.entries.iter().map(|entry| entry.operation).collect();
    assert_eq!(names, ["mkdir", "open", "write", "read"]);
    let number = u64::from(file.descriptor().number());
    assert_eq!(trace.entries[2].argument("file"), Some(&Value::Number(number)));
    assert_eq!(trace.entries[2].argument("bytes"), Some(&Value::Bytes(b"x".to_vec())));
    assert_eq!(trace.entries[2].failure(), Some(&Failure::Errno(Errno::EINVAL)));
    // Of the buffer, what was read.
    assert_eq!(trace.entries[3].argument("buffer"), Some(&Value::Bytes(b"0\n".to_vec())));
    assert!(trace.to_string().contains("write(file 3, bytes \"x\") = EINVAL"), "{trace}");
}

#[test]
fn a_call_in_which_its_process_died_has_no_answer() {
    let machine = traced().build();
    machine.run("/bin/true", &[]).unwrap();
    let trace = machine.trace();
    let exit = trace.entries.iter().find(|entry| entry.operation == "exit").unwrap();
    assert_eq!((exit.name.as_str(), &exit.answer), ("true", &None));
    let spawn = trace.entries.iter().find(|entry| entry.operation == "spawn").unwrap();
    assert!(spawn.answer.is_some());
}

#[test]
fn lines_and_events_are_json_and_every_call_is_there() {
    let machine = traced().build();
    scenario(&machine);
    fs::create_dir(&machine.root(), "/mnt/\"quoted\"\n").unwrap();
    let trace = machine.trace();
    let lines: Vec<serde_json::Value> =
        trace.json_lines().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), trace.entries.len());
    let last = lines.last().unwrap();
    assert_eq!(last["operation"], "mkdir");
    assert_eq!(last["arguments"]["place"], "/mnt/\"quoted\"\n");
    assert_eq!(last["answer"], "ok");
    let events: serde_json::Value = serde_json::from_str(&trace.chrome()).unwrap();
    let events = events["traceEvents"].as_array().unwrap();
    let slices = events.iter().filter(|event| event["ph"] == "X").count();
    assert_eq!(slices, trace.entries.len());
    let lanes = events.iter().filter(|event| event["name"] == "thread_name").count();
    assert_eq!(lanes, 4, "two managers, the sleeper and who waits for them");
    let slept = events.iter().find(|event| event["name"] == "poll" && event["dur"] == 1_000_000.0);
    assert!(slept.is_some(), "the sleeper's second, in microseconds");
}

/// What a script prints on a machine, an answer a line behind its operation.
fn answers(script: &standin::transcript::Transcript) -> Vec<(String, String)> {
    let report = replay::on_machine(script).unwrap();
    let answered = report.transcript.operations().map(|operation| {
        let answer = operation.answer.as_ref().map(ToString::to_string).unwrap_or_default();
        (operation.source().to_owned(), answer)
    });
    answered.collect()
}

#[test]
fn a_trace_becomes_a_script_that_another_machine_answers_as_the_first_did() {
    let machine = traced().build();
    machine.program("/bin/manager", |kernel, _| {
        fs::create_dir(kernel, GROUP).unwrap();
        fs::write(kernel, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
        fs::write(kernel, format!("{GROUP}/pids.max"), "7").unwrap();
        fs::write(kernel, format!("{GROUP}/pids.max"), "many").unwrap_err();
        fs::write(kernel, format!("{GROUP}/cgroup.procs"), kernel.pid().unwrap().to_string())
            .unwrap();
        fs::read_to_string(kernel, format!("{GROUP}/pids.max")).unwrap();
        fs::remove_dir(kernel, GROUP).unwrap_err();
        let later = kernel.monotonic().unwrap().after(Duration::from_millis(5));
        kernel.poll(&[], Deadline::At(later)).unwrap();
        ExitCode(3)
    });
    machine.run("/bin/manager", &[]).unwrap();
    fs::remove_dir(&machine.root(), GROUP).unwrap();
    let line = standin::transcript::MachineLine::default();
    let script = machine.trace().script(line);
    // It is text that reads back as the same script.
    let text = script.to_string();
    let script = standin::transcript::parse(text.as_bytes()).unwrap();
    let answers = answers(&script);
    for (part, expected) in [
        ("mkdir \"/sys/fs/cgroup/web\"", "ok"),
        (" many", "EINVAL"),
        ("fread", "| 7"),
        ("rmdir", "EBUSY"),
        ("sleep 5", "ok"),
        ("exit 3", "ok"),
        ("join", "exited 3"),
    ] {
        let part = part.replace('"', "");
        let found = answers.iter().find(|(source, _)| source.replace('"', "").contains(&part));
        let (source, answer) = found.unwrap_or_else(|| panic!("{part} in\n{text}"));
        assert_eq!(answer.trim(), expected, "{source} in\n{text}");
    }
    assert!(
        answers.iter().all(|(_, answer)| !answer.contains("blocked") || answer.trim() == "blocked")
    );
    let last = answers.iter().rev().find(|(source, _)| source.contains("rmdir")).unwrap();
    assert_eq!(last.1.trim(), "ok", "{text}");
}

/// Reads the limit of its own group, again and again.
fn observer(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    for _ in 0..3 {
        let _ = fs::read_to_string(kernel, format!("{GROUP}/cgroup.events"));
        let later = kernel.monotonic().unwrap().after(Duration::from_secs(1));
        kernel.poll(&[], Deadline::At(later)).unwrap();
    }
    ExitCode::SUCCESS
}

/// The observer, and beside it somebody who makes groups at this place.
fn beside(place: &'static str) -> impl Fn(&Machine, Side) {
    move |machine, side| {
        machine.program("/bin/observer", observer);
        machine.program("/bin/other", move |kernel, _| {
            fs::create_dir(kernel, place).unwrap();
            ExitCode::SUCCESS
        });
        machine.launch(&["/bin/observer"]).unwrap();
        if side == Side::Both {
            machine.launch(&["/bin/other"]).unwrap();
        }
        machine.pass(Duration::from_secs(10)).unwrap();
    }
}

#[test]
fn what_another_does_elsewhere_is_not_seen_and_what_it_does_here_is() {
    interference(&Machine::builder(), "observer", beside("/sys/fs/cgroup/elsewhere")).unwrap();
    let seen = interference(&Machine::builder(), "observer", beside(GROUP)).unwrap_err();
    let text = seen.to_string();
    assert!(text.contains("ENOENT") && text.contains("cgroup.events"), "{text}");
}
