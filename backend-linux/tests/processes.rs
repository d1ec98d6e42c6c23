//! Processes and namespaces on the running kernel, through the calling process's view.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::time::Duration;

use standin::backend::{
    Channels, Clock, Files, NamespaceKind, NamespaceKinds, Namespaces, ProcessState, Processes,
    Rlimit, RlimitResource, SocketFlags, Spawn, SpawnCredentials, SpawnDescriptor, WaitOptions,
    WaitStatus,
};
use standin::handle::PidHandle;
use standin::id::{Bytes, Gid, Pid, Uid};
use standin::path::{Follow, KPath, KPathBuf, Place};
use standin::{Capability, CapabilitySet, Errno, Failure, Signal, fs};
use standin_linux::Linux;

fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).unwrap()
}

fn is_root() -> bool {
    let root = Linux::here().credentials().unwrap().user.effective == Uid::ROOT;
    if !root {
        println!("skipped: needs root");
    }
    root
}

fn wait(child: &PidHandle) -> WaitStatus {
    Linux::here().wait(child, WaitOptions::default()).unwrap().unwrap()
}

/// What a shell is born with, besides its script.
fn plain() -> Spawn<'static> {
    const SHELL: &[u8] = b"/bin/sh";
    let shell = KPath::new(SHELL).unwrap();
    Spawn { environment: &[b"PATH=/usr/bin:/bin"], ..Spawn::new(shell, &[]) }
}

/// Starts a shell that runs `script`.
fn shell(script: &str, spawn: Spawn<'_>) -> Result<PidHandle, Failure> {
    let arguments: [&[u8]; 3] = [b"sh", b"-c", script.as_bytes()];
    Linux::here().spawn(&Spawn { arguments: &arguments, ..spawn })
}

/// What a shell writes to its standard output, when it has ended well.
fn output(script: &str, spawn: Spawn<'_>) -> String {
    let kernel = Linux::here();
    let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let descriptors = [SpawnDescriptor { from: writer.descriptor(), to: 1 }];
    let child = shell(script, Spawn { descriptors: &descriptors, ..spawn }).unwrap();
    drop(writer);
    let text = fs::read_to_end(&kernel, &reader).unwrap();
    assert_eq!(wait(&child), WaitStatus::Exited(0), "{script}");
    String::from_utf8(text).unwrap()
}

#[test]
fn a_child_ends_as_it_says_and_is_waited_for_once() {
    let kernel = Linux::here();
    let child = shell("exit 7", plain()).unwrap();
    let look = WaitOptions { keep: true, ..WaitOptions::default() };
    assert_eq!(kernel.wait(&child, look), Ok(Some(WaitStatus::Exited(7))));
    assert_eq!(kernel.inspect(&child).unwrap().state, ProcessState::Zombie);
    assert_eq!(wait(&child), WaitStatus::Exited(7));
    let again = kernel.wait(&child, WaitOptions::default()).unwrap_err();
    assert!(again.is(Errno::ECHILD));
    assert!(kernel.signal(&child, None).unwrap_err().is(Errno::ESRCH));
    assert!(kernel.inspect(&child).unwrap_err().is(Errno::ESRCH));
}

#[test]
fn signals_stop_continue_and_end_a_held_process() {
    let kernel = Linux::here();
    let child = shell("exec sleep 100", plain()).unwrap();
    let nonblocking = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    assert_eq!(kernel.wait(&child, nonblocking), Ok(None));
    let stops = WaitOptions { stopped: true, continued: true, ..WaitOptions::default() };
    for (signal, status) in [
        (Signal::STOP, WaitStatus::Stopped(Signal::STOP)),
        (Signal::CONT, WaitStatus::Continued),
        (Signal::TERM, WaitStatus::Killed(Signal::TERM)),
    ] {
        kernel.signal(&child, Some(signal)).unwrap();
        if signal == Signal::STOP {
            kernel.wait(&child, WaitOptions { keep: true, ..stops }).unwrap();
            assert_eq!(kernel.inspect(&child).unwrap().state, ProcessState::Stopped);
        }
        assert_eq!(kernel.wait(&child, stops), Ok(Some(status)));
    }
}

#[test]
fn a_traced_process_goes_on() {
    let kernel = Linux::here();
    let child = shell("exec sleep 100", plain()).unwrap();
    let pid = kernel.inspect(&child).unwrap().pid;
    kernel.attach(pid).unwrap();
    kernel.attach(pid).unwrap();
    assert_eq!(kernel.inspect(&child).unwrap().state, ProcessState::Alive);
    let nonblocking = WaitOptions { nonblocking: true, stopped: true, ..WaitOptions::default() };
    assert_eq!(kernel.wait(&child, nonblocking), Ok(None), "its stop is nobody's news");
    kernel.signal(&child, Some(Signal::KILL)).unwrap();
    wait(&child);
    assert!(kernel.attach(pid).unwrap_err().is(Errno::ESRCH));
    assert!(kernel.attach(kernel.pid().unwrap()).unwrap_err().is(Errno::EPERM));
}

#[test]
fn a_program_that_is_not_there_leaves_no_child_behind() {
    let kernel = Linux::here();
    let nothing = path("/nonexistent/program");
    for _ in 0..3 {
        assert!(kernel.spawn(&Spawn::new(&nothing, &[b"x"])).unwrap_err().is(Errno::ENOENT));
    }
    let directory = path("/");
    assert!(kernel.spawn(&Spawn::new(&directory, &[b"x"])).unwrap_err().is(Errno::EACCES));
}

#[test]
fn a_child_gets_the_descriptors_that_are_named_and_no_other() {
    let kernel = Linux::here();
    let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let (_leaked, open) = std::io::pipe().unwrap(); // close-on-exec, and so no concern
    drop(open);
    let descriptors = [
        SpawnDescriptor { from: writer.descriptor(), to: 7 },
        SpawnDescriptor { from: writer.descriptor(), to: writer.descriptor().number() },
        SpawnDescriptor { from: reader.descriptor(), to: 3 },
    ];
    // Nothing is started and no directory opened: that would show.
    let script = "n=0; while [ $n -lt 64 ]; do [ -e /proc/$$/fd/$n ] && echo $n >&7; \
        n=$((n+1)); done; exit 0";
    let child = shell(script, Spawn { descriptors: &descriptors, ..plain() }).unwrap();
    let own = writer.descriptor().number();
    drop(writer);
    let text = fs::read_to_end(&kernel, &reader).unwrap();
    assert_eq!(wait(&child), WaitStatus::Exited(0));
    let mut expected = vec![0, 1, 2, 3, 7, own];
    expected.dedup();
    let mut told: Vec<u32> = String::from_utf8(text)
        .unwrap()
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected);
}

#[test]
fn environment_directory_session_and_limits_are_the_childs_own() {
    let kernel = Linux::here();
    let root = kernel.open_dir(Place::cwd(&path("/proc"))).unwrap();
    let limit = Rlimit { soft: Some(40), hard: Some(50) };
    let limits = [(RlimitResource::OpenFiles, limit)];
    let environment: [&[u8]; 1] = [b"WHO=me"];
    let spawn = Spawn {
        environment: &environment,
        directory: Some(&root),
        session: true,
        limits: &limits,
        ..plain()
    };
    let script = "echo $WHO; pwd; ulimit -n; ulimit -Hn; read a b c d e sid rest </proc/$$/stat; \
        [ $sid = $$ ] && echo leader";
    assert_eq!(output(script, spawn), "me\n/proc\n40\n50\nleader\n");
    let own = kernel.rlimit(None, RlimitResource::OpenFiles).unwrap();
    assert_ne!(own, limit);
}

#[test]
fn a_spawned_program_starts_with_the_callers_signal_mask() {
    let mask = Linux::here().signal_mask().unwrap();
    let told = output("grep SigBlk /proc/self/status", plain());
    assert_eq!(told.trim(), format!("SigBlk:\t{mask:016x}"));
    assert_eq!(Linux::here().signal_mask().unwrap(), mask);
}

#[test]
fn credentials_and_bounding_set_of_a_child() {
    if !is_root() {
        return;
    }
    let credentials = SpawnCredentials {
        uid: Uid(1234),
        gid: Gid(2345),
        groups: &[Gid(7), Gid(5)],
        bounding: CapabilitySet::from(Capability::CHOWN),
        no_new_privileges: true,
    };
    let spawn = Spawn { credentials: Some(&credentials), ..plain() };
    let script = "grep -E '^(Uid|Gid|Groups|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status";
    assert_eq!(
        output(script, spawn),
        "Uid:\t1234\t1234\t1234\t1234\nGid:\t2345\t2345\t2345\t2345\nGroups:\t5 7 \n\
         CapPrm:\t0000000000000000\nCapBnd:\t0000000000000001\nNoNewPrivs:\t1\n"
    );
}

#[test]
fn new_namespaces_are_the_childs_alone() {
    if !is_root() {
        return;
    }
    let kernel = Linux::here();
    let namespaces = NamespaceKinds::UTS | NamespaceKinds::PID | NamespaceKinds::MOUNT;
    let spawn = Spawn { namespaces, ..plain() };
    assert_eq!(
        output("echo $$ $PPID; hostname standin-child; hostname", spawn),
        "1 0\nstandin-child\n"
    );
    assert_ne!(kernel.uname().unwrap().nodename, path("standin-child"));
}

#[test]
fn a_child_joins_the_namespaces_of_a_held_process() {
    if !is_root() {
        return;
    }
    let kernel = Linux::here();
    let kinds = NamespaceKinds::UTS | NamespaceKinds::PID | NamespaceKinds::IPC;
    let host =
        shell("hostname standin-host; exec sleep 100", Spawn { namespaces: kinds, ..plain() });
    let host = host.unwrap();
    while kernel.namespace_of(Some(&host), NamespaceKind::Uts).unwrap()
        == kernel.namespace_of(None, NamespaceKind::Uts).unwrap()
    {
        std::thread::sleep(Duration::from_millis(1));
    }
    let joined = |script| output(script, Spawn { join: Some((&host, kinds)), ..plain() });
    let mut name = String::new();
    for _ in 0..200 {
        name = joined("hostname");
        if name == "standin-host\n" {
            break;
        }
    }
    assert_eq!(name, "standin-host\n");
    assert_ne!(joined("echo $$").trim(), "1", "the first process of the namespace is another");

    let spawn = Spawn { join: Some((&host, kinds)), ..plain() };
    let child = shell("exit 3", spawn).unwrap();
    assert_eq!(wait(&child), WaitStatus::Exited(3), "it is a child of the caller");

    kernel.signal(&host, Some(Signal::KILL)).unwrap();
    assert_eq!(wait(&host), WaitStatus::Killed(Signal::KILL));
    assert!(shell("exit 0", spawn).unwrap_err().is(Errno::ESRCH));
}

#[test]
fn a_child_is_born_in_its_group() {
    let kernel = Linux::here();
    let group = format!("/sys/fs/cgroup/unified/standin-born-{}", kernel.pid().unwrap());
    if let Err(error) = fs::create_dir(&kernel, &group) {
        println!("skipped: needs a cgroup2 hierarchy to write in ({error})");
        return;
    }
    let directory = kernel.open_dir(Place::cwd(&path(&group))).unwrap();
    let child = shell("exec sleep 100", plain().into_cgroup(&directory)).unwrap();
    let told = kernel.inspect(&child).unwrap();
    let id = kernel.stat(Place::of(directory.descriptor()), Follow::Link).unwrap().cgroup_id();
    assert_eq!(told.cgroup, Some(id));
    let handle = kernel.file_handle(Place::of(directory.descriptor())).unwrap();
    assert_eq!(handle, id.0.to_ne_bytes());
    let members = fs::read_to_string(&kernel, format!("{group}/cgroup.procs")).unwrap();
    assert_eq!(members, format!("{}\n", told.pid));
    fs::write(&kernel, format!("{group}/cgroup.kill"), "1").unwrap();
    assert_eq!(wait(&child), WaitStatus::Killed(Signal::KILL));
    fs::remove_dir(&kernel, &group).unwrap();
    let refused = shell("exit 0", plain().into_cgroup(&directory)).unwrap_err();
    assert!([Errno::ENOENT, Errno::ENODEV].map(Some).contains(&refused.errno()), "{refused}");
}

#[test]
fn inspecting_tells_what_proc_tells() {
    let kernel = Linux::here();
    let own = kernel.open_pid(kernel.pid().unwrap()).unwrap();
    let told = kernel.inspect(&own).unwrap();
    assert_eq!(told.pid, kernel.pid().unwrap());
    assert_eq!(told.parent, kernel.parent().unwrap());
    assert_eq!(told.user, kernel.credentials().unwrap().user);
    assert_eq!(told.group, kernel.credentials().unwrap().group);
    assert_eq!(told.state, ProcessState::Alive);
    assert!(told.started_ticks > 0);
    let processes = kernel.processes().unwrap();
    assert!(processes.is_sorted() && processes.contains(&told.pid));
    let tid = Pid(kernel.tid().unwrap().0);
    assert_ne!(tid, told.pid, "tests run in threads");
    assert!(kernel.open_pid(tid).unwrap_err().errno().is_some(), "a thread is no process");
    assert!(kernel.open_pid(Pid(4_194_304)).unwrap_err().is(Errno::ESRCH));
}

#[test]
fn capabilities_are_those_of_the_status_file() {
    let kernel = Linux::here();
    let told = kernel.capabilities().unwrap();
    let status = fs::read_to_string(&kernel, "/proc/thread-self/status").unwrap();
    for (name, set) in [
        ("CapInh", told.inheritable),
        ("CapPrm", told.permitted),
        ("CapEff", told.effective),
        ("CapBnd", told.bounding),
        ("CapAmb", told.ambient),
    ] {
        assert!(status.contains(&format!("{name}:\t{set:016x}\n")), "{name} {set:016x}");
    }
}

#[test]
fn what_would_change_the_program_names_the_way_that_has_it() {
    let kernel = Linux::here();
    let refusals = [
        kernel.unshare(NamespaceKinds::UTS),
        kernel.set_user_id(Uid(1)),
        kernel.set_groups(&[]),
        kernel.set_no_new_privileges(),
        kernel.set_session().map(drop),
        kernel.exec(&path("/bin/true"), &[b"true"], &[]),
        kernel.exit(standin::ExitCode::SUCCESS),
        kernel.reboot(standin::backend::RebootCommand::Restart),
    ];
    for refusal in refusals {
        let Err(Failure::Unsupported(text)) = refusal else { panic!("{refusal:?}") };
        assert!(text.contains("Linux::agent"), "{text}");
    }
}

#[test]
fn memory_and_processor_are_really_used() {
    let kernel = Linux::here();
    let before = kernel.monotonic().unwrap();
    kernel.use_processor(Duration::from_millis(5)).unwrap();
    // Two threads of the process may share the time.
    assert!(kernel.monotonic().unwrap() >= before.after(Duration::from_millis(1)));
    kernel.use_memory(Bytes(1 << 20)).unwrap();
    kernel.release_memory().unwrap();
}
