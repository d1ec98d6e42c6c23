//! Agents and registered programs: views that are processes of their own.
//!
//! The suite has a `main` of its own, since agents and programs are this program again.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic, its helpers too"
)]

use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use standin::backend::{
    Backend, Channels, Clock, Deadline, Delivery, Files, Interest, Message, NamespaceKind,
    NamespaceKinds, Namespaces, OpenOptions, PollEvents, ProcessState, Processes, Receive, Rlimit,
    RlimitResource, SendFlags, SocketFlags, SocketType, Spawn, SpawnCredentials, SpawnDescriptor,
    WaitOptions, WaitStatus,
};
use standin::handle::{File, PidHandle};
use standin::id::{Bytes, ExitCode, Gid, Mode, Pid, Uid};
use standin::path::{Follow, Place};
use standin::{CapabilitySet, Errno, Failure, Signal, SignalSet, fs};
use standin_linux::{Agent, AgentOptions, Linux, Registry, start};

#[macro_use]
mod agents_common;

use agents_common::{is_root, path, wait};

fn agent() -> Agent {
    Linux::agent(&AgentOptions::default()).unwrap()
}

fn an_agent_reads_and_writes_as_the_program_does() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().to_str().unwrap();
    let (kernel, agent) = (Linux::here(), agent());
    let long = "0123456789".repeat(20_000);
    fs::write(&agent, format!("{root}/a"), &long).unwrap();
    assert_eq!(fs::read_to_string(&kernel, format!("{root}/a")).unwrap(), long);
    assert_eq!(fs::read_to_string(&agent, format!("{root}/a")).unwrap(), long);
    let entries = fs::read_dir(&agent, root).unwrap();
    assert_eq!(entries, fs::read_dir(&kernel, root).unwrap());
    assert_eq!(fs::metadata(&agent, root).unwrap(), fs::metadata(&kernel, root).unwrap());
    let refused = fs::read(&agent, format!("{root}/none")).unwrap_err();
    assert_eq!(refused.errno(), Some(Errno::ENOENT));
}

fn an_agent_is_another_process() {
    let (kernel, agent) = (Linux::here(), agent());
    let pid = agent.pid().unwrap();
    assert_ne!(pid, kernel.pid().unwrap());
    assert_eq!(agent.tid().unwrap().0, pid.0);
    assert_eq!(agent.parent().unwrap(), kernel.pid().unwrap());
    assert_eq!(agent.session(None).unwrap(), pid);
    assert_eq!(kernel.inspect(agent.process()).unwrap().pid, pid);
    assert_eq!(agent.signal_mask().unwrap(), SignalSet::EMPTY);
    assert_eq!(agent.credentials().unwrap(), kernel.credentials().unwrap());
    assert_eq!(agent.uname().unwrap(), kernel.uname().unwrap());
}

fn an_agent_changes_itself_alone() {
    let (kernel, agent) = (Linux::here(), agent());
    agent.chdir(Place::cwd(&path("/proc"))).unwrap();
    let relative = path("self/status");
    agent.open(Place::cwd(&relative), &OpenOptions::read()).unwrap();
    agent.set_umask(Mode::new(0o77)).unwrap();
    assert_eq!(agent.set_umask(Mode::new(0)).unwrap(), Mode::new(0o77));
    agent.set_no_new_privileges().unwrap();
    assert!(agent.no_new_privileges().unwrap() && !kernel.no_new_privileges().unwrap());
    agent.set_name(&path("standin-agent")).unwrap();
    assert_eq!(agent.name().unwrap(), path("standin-agent"));
    assert!(agent.set_session().unwrap_err().is(Errno::EPERM));
    assert_eq!(agent.parent_death_signal(), Ok(None));
    agent.set_parent_death_signal(Some(Signal::HUP)).unwrap();
    assert_eq!(agent.parent_death_signal(), Ok(Some(Signal::HUP)));
}

fn an_agents_first_descriptor_is_3() {
    let agent = agent();
    let file = agent.open(Place::cwd(&path("/dev/null")), &OpenOptions::read()).unwrap();
    assert_eq!(file.descriptor().number(), 3);
    let other = agent.open(Place::cwd(&path("/dev/null")), &OpenOptions::read()).unwrap();
    assert_eq!(other.descriptor().number(), 4);
    drop(file);
    let again = agent.duplicate(other.descriptor()).unwrap();
    assert_eq!(again.number(), 3, "a dropped handle is closed at once");
    let output = agent.inherited(1).unwrap();
    drop(output);
    agent.inherited(1).unwrap();
    assert!(agent.inherited(77).unwrap_err().is(Errno::EBADF));
}

fn a_handle_means_nothing_to_another_view() {
    let (kernel, agent, other) = (Linux::here(), agent(), agent());
    let null = path("/dev/null");
    let ours = kernel.open(Place::cwd(&null), &OpenOptions::read()).unwrap();
    let theirs = agent.open(Place::cwd(&null), &OpenOptions::read()).unwrap();
    let mut room = [0];
    for refused in [
        agent.read(&ours, &mut room),
        kernel.read(&theirs, &mut room),
        other.read(&theirs, &mut room),
    ] {
        assert!(refused.unwrap_err().is(Errno::EBADF));
    }
    assert!(standin_linux::as_fd(&theirs).is_err());
    assert_eq!(agent.read(&theirs, &mut room), Ok(0));
}

fn sockets_pipes_and_maps_work_in_an_agent() {
    let agent = agent();
    let (one, two) = agent.socket_pair(SocketType::SeqPacket, SocketFlags::empty()).unwrap();
    let (reader, writer) = agent.pipe(SocketFlags::empty()).unwrap();
    let descriptors = [writer.descriptor()];
    let message = Message { bytes: b"a\0\0", descriptors: &descriptors, ..Message::default() };
    assert_eq!(agent.send(&one, &message, SendFlags::empty()), Ok(3));
    let interests = [
        Interest { handle: two.descriptor(), events: PollEvents::INPUT },
        Interest { handle: reader.descriptor(), events: PollEvents::INPUT },
    ];
    let ready = agent.poll(&interests, Deadline::Never).unwrap();
    assert_eq!(ready, [PollEvents::INPUT, PollEvents::empty()]);
    let mut room = [9; 5];
    let receive = Receive { descriptors: 1, ..Receive::default() };
    let mut received = agent.receive(&two, &mut room, receive).unwrap();
    assert_eq!((received.length, room), (3, [b'a', 0, 0, 0, 0]));
    let writer_too = File::from(received.descriptors.pop().unwrap());
    drop(writer);
    agent.write(&writer_too, b"x").unwrap();
    drop(writer_too);
    assert_eq!(fs::read_to_end(&agent, &reader).unwrap(), b"x", "and then it ends");

    let directory = tempfile::tempdir().unwrap();
    let name = path(directory.path().join("m").to_str().unwrap());
    let file = agent.open(Place::cwd(&name), &OpenOptions::read_write().create()).unwrap();
    agent.truncate(Place::of(file.descriptor()), Bytes(4096)).unwrap();
    let map = agent.map(&file, Bytes(4096), false).unwrap();
    agent.map_store(&map, Bytes(4), 7).unwrap();
    assert_eq!(agent.map_compare_exchange(&map, Bytes(4), 7, 8), Ok(7));
    assert_eq!(agent.map_load(&map, Bytes(4)), Ok(8));
    assert_eq!(agent.stat(Place::cwd(&name), Follow::Link).unwrap().size, Bytes(4096));
    assert!(agent.read(&File::from(standin::handle::Descriptor::from(map)), &mut room).is_err());
}

fn an_agent_in_namespaces_of_its_own_sees_them() {
    if !is_root() {
        return;
    }
    let kernel = Linux::here();
    let namespaces = NamespaceKinds::PID | NamespaceKinds::UTS | NamespaceKinds::MOUNT;
    let agent = Linux::agent(&AgentOptions { namespaces, ..AgentOptions::default() }).unwrap();
    assert_eq!((agent.pid(), agent.parent()), (Ok(Pid::INIT), Ok(Pid::ZERO)));
    agent.set_hostname(&path("standin-agent")).unwrap();
    assert_eq!(agent.uname().unwrap().nodename, path("standin-agent"));
    assert_ne!(kernel.uname().unwrap().nodename, path("standin-agent"));
    let inside = kernel.namespace_of(Some(agent.process()), NamespaceKind::Uts).unwrap();
    assert_ne!(inside, kernel.namespace_of(None, NamespaceKind::Uts).unwrap());

    let joining = Linux::agent(&AgentOptions::default()).unwrap();
    let number = kernel.inspect(agent.process()).unwrap().pid;
    let host = joining.open_pid(number).unwrap();
    joining.join(&host, NamespaceKinds::UTS).unwrap();
    assert_eq!(joining.uname().unwrap().nodename, path("standin-agent"));
    joining.unshare(NamespaceKinds::UTS).unwrap();
    joining.set_hostname(&path("other")).unwrap();
    assert_eq!(agent.uname().unwrap().nodename, path("standin-agent"));
    let namespace = joining.open_namespace(&host, NamespaceKind::Uts).unwrap();
    joining.join_handle(&namespace).unwrap();
    assert_eq!(joining.uname().unwrap().nodename, path("standin-agent"));
    drop(agent);
    assert!(is_gone_soon(&joining, &host));
}

/// Waits until a held process is gone, whoever its parent is.
fn is_gone_soon(view: &dyn Backend, process: &PidHandle) -> bool {
    let until = view.monotonic().unwrap().after(Duration::from_secs(5));
    let interest = Interest { handle: process.descriptor(), events: PollEvents::INPUT };
    view.poll(&[interest], Deadline::At(until)).unwrap()[0].contains(PollEvents::INPUT)
}

fn an_agent_has_the_rights_of_its_credentials() {
    if !is_root() {
        return;
    }
    let credentials = SpawnCredentials {
        uid: Uid(1234),
        gid: Gid(2345),
        groups: &[],
        bounding: CapabilitySet::ALL,
        no_new_privileges: false,
    };
    let options = AgentOptions { credentials: Some(&credentials), ..AgentOptions::default() };
    let agent = Linux::agent(&options).unwrap();
    assert_eq!(agent.credentials().unwrap().user.saved, Uid(1234));
    assert!(agent.capabilities().unwrap().permitted.is_empty());
    let secret = fs::read(&agent, "/etc/shadow").unwrap_err();
    assert_eq!(secret.errno(), Some(Errno::EACCES));
    let namespace = agent.namespace_of(None, NamespaceKind::User);
    assert_eq!(namespace, Linux::here().namespace_of(None, NamespaceKind::User));
    assert!(agent.set_user_id(Uid::ROOT).unwrap_err().is(Errno::EPERM));
}

fn an_agent_is_born_in_its_group_and_limits() {
    let kernel = Linux::here();
    let group = format!("/sys/fs/cgroup/unified/standin-agent-{}", kernel.pid().unwrap());
    if let Err(error) = fs::create_dir(&kernel, &group) {
        println!("skipped: needs a cgroup2 hierarchy to write in ({error})");
        return;
    }
    let directory = kernel.open_dir(Place::cwd(&path(&group))).unwrap();
    let limit = Rlimit { soft: Some(20), hard: Some(30) };
    let limits = [(RlimitResource::OpenFiles, limit)];
    let options =
        AgentOptions { cgroup: Some(&directory), limits: &limits, ..AgentOptions::default() };
    let agent = Linux::agent(&options).unwrap();
    let members = fs::read_to_string(&kernel, format!("{group}/cgroup.procs")).unwrap();
    assert_eq!(members, format!("{}\n", agent.pid().unwrap()), "its guard is elsewhere");
    assert_eq!(agent.rlimit(None, RlimitResource::OpenFiles), Ok(limit));
    let null = path("/dev/null");
    let open = || agent.open(Place::cwd(&null), &OpenOptions::read());
    let files: Vec<_> = std::iter::repeat_with(open).map_while(Result::ok).collect();
    assert_eq!(files.len(), 17, "all but 0, 1 and 2");
    assert!(open().unwrap_err().is(Errno::EMFILE));
    drop(agent);
    fs::remove_dir(&kernel, &group).unwrap();
    let refused = Linux::agent(&options).unwrap_err();
    assert!([Errno::ENOENT, Errno::ENODEV].map(Some).contains(&refused.errno()), "{refused}");
}

fn a_dropped_agent_ends_and_a_dead_one_says_so() {
    let kernel = Linux::here();
    let dropped = agent();
    let held = kernel.open_pid(dropped.pid().unwrap()).unwrap();
    let file = dropped.open(Place::cwd(&path("/dev/null")), &OpenOptions::read()).unwrap();
    drop(dropped);
    assert!(kernel.signal(&held, None).unwrap_err().is(Errno::ESRCH));
    drop(file);

    let killed = agent();
    kernel.signal(killed.process(), Some(Signal::KILL)).unwrap();
    assert!(is_gone_soon(&kernel, killed.process()));
    assert_eq!(killed.pid(), Err(Failure::CallerDied));
    assert_eq!(wait(killed.process()), WaitStatus::Killed(Signal::KILL));

    let left = agent();
    assert_eq!(left.exit(ExitCode(3)), Err(Failure::CallerDied));
    assert_eq!(left.monotonic(), Err(Failure::CallerDied));
    assert_eq!(wait(left.process()), WaitStatus::Exited(3));
}

fn a_blocked_call_ends_with_its_agent_and_drops_do_not_wait() {
    let agent = agent();
    let (reader, _writer) = agent.pipe(SocketFlags::empty()).unwrap();
    let spare = agent.open(Place::cwd(&path("/dev/null")), &OpenOptions::read()).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| agent.read(&reader, &mut [0; 1]));
        std::thread::sleep(Duration::from_millis(50));
        let begin = Instant::now();
        drop(spare);
        assert!(begin.elapsed() < Duration::from_secs(1));
        assert!(!blocked.is_finished());
        Linux::here().signal(agent.process(), Some(Signal::KILL)).unwrap();
        assert_eq!(blocked.join().unwrap(), Err(Failure::CallerDied));
    });
}

fn a_dropped_handle_of_a_stopped_agent_is_closed_when_it_goes_on() {
    let (kernel, agent) = (Linux::here(), agent());
    let (reader, writer) = agent.pipe(SocketFlags::empty()).unwrap();
    kernel.signal(agent.process(), Some(Signal::STOP)).unwrap();
    let stopped = WaitOptions { stopped: true, ..WaitOptions::default() };
    kernel.wait(agent.process(), stopped).unwrap();
    let begin = Instant::now();
    drop(writer);
    assert!(begin.elapsed() < Duration::from_secs(2));
    kernel.signal(agent.process(), Some(Signal::CONT)).unwrap();
    assert_eq!(agent.read(&reader, &mut [0; 1]), Ok(0));
    assert_eq!(agent.pid().unwrap(), kernel.inspect(agent.process()).unwrap().pid);
}

fn counted_signals_interrupt_an_agents_call() {
    let (kernel, agent) = (Linux::here(), agent());
    agent.set_delivery(Signal::USR1, Delivery::Count).unwrap();
    let (reader, _writer) = agent.pipe(SocketFlags::empty()).unwrap();
    std::thread::scope(|scope| {
        let blocked = scope.spawn(|| agent.read(&reader, &mut [0; 1]));
        std::thread::sleep(Duration::from_millis(50));
        kernel.signal(agent.process(), Some(Signal::USR1)).unwrap();
        assert!(blocked.join().unwrap().unwrap_err().is(Errno::EINTR));
    });
    assert_eq!(agent.take_deliveries(Signal::USR1), Ok(1));
    assert_eq!(agent.take_deliveries(Signal::USR1), Ok(0));
    let blocked = SignalSet::from(Signal::USR1);
    agent.set_signal_mask(blocked).unwrap();
    kernel.signal(agent.process(), Some(Signal::USR1)).unwrap();
    assert_eq!(agent.pending_signals(), Ok(blocked));
}

fn an_agent_spawns_and_waits_for_its_own_children() {
    let (kernel, agent) = (Linux::here(), agent());
    let (reader, writer) = agent.pipe(SocketFlags::empty()).unwrap();
    let sh = path("/bin/sh");
    let descriptors = [SpawnDescriptor { from: writer.descriptor(), to: 1 }];
    let arguments: [&[u8]; 3] = [b"sh", b"-c", b"echo $A $PPID; exit 4"];
    let environment: [&[u8]; 1] = [b"A=b"];
    let spawn = Spawn {
        descriptors: &descriptors,
        environment: &environment,
        ..Spawn::new(&sh, &arguments)
    };
    let child = agent.spawn(&spawn).unwrap();
    drop(writer);
    let told = fs::read_to_end(&agent, &reader).unwrap();
    assert_eq!(String::from_utf8(told).unwrap(), format!("b {}\n", agent.pid().unwrap()));
    let number = agent.inspect(&child).unwrap().pid;
    let foreign = kernel.open_pid(number).unwrap();
    let refused = kernel.wait(&foreign, WaitOptions::default()).unwrap_err();
    assert!(refused.is(Errno::ECHILD));
    let waited = agent.wait_any(WaitOptions::default());
    assert_eq!(waited, Ok(Some((number, WaitStatus::Exited(4)))));
    let missing = path("/nonexistent");
    assert!(agent.spawn(&Spawn::new(&missing, &[])).unwrap_err().is(Errno::ENOENT));
}

fn a_registered_program_gets_its_arguments_and_a_view_of_its_own() {
    let kernel = Linux::here();
    let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
    let echo = path("/standin/echo");
    let descriptors = [SpawnDescriptor { from: writer.descriptor(), to: 5 }];
    let arguments: [&[u8]; 3] = [b"echo", b"one", b"\xfftwo"];
    let child = kernel
        .spawn(&Spawn { descriptors: &descriptors, ..Spawn::new(&echo, &arguments) })
        .unwrap();
    drop(writer);
    let told = fs::read_to_end(&kernel, &reader).unwrap();
    assert_eq!(told, b"echo one \xfftwo ");
    assert_eq!(wait(&child), WaitStatus::Exited(3));

    let agent = agent();
    let (reader, writer) = agent.pipe(SocketFlags::empty()).unwrap();
    let descriptors = [SpawnDescriptor { from: writer.descriptor(), to: 5 }];
    let spawn = Spawn { descriptors: &descriptors, ..Spawn::new(&echo, &arguments) };
    let child = agent.spawn(&spawn).unwrap();
    drop(writer);
    assert_eq!(fs::read_to_end(&agent, &reader).unwrap(), b"echo one \xfftwo ");
    let status = agent.wait(&child, WaitOptions::default()).unwrap();
    assert_eq!(status, Some(WaitStatus::Exited(3)));
}

/// Writes its arguments to descriptor 5.
fn echo(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let out = File::from(kernel.inherited(5).unwrap());
    for argument in arguments {
        kernel.write(&out, &[argument.as_slice(), b" "].concat()).unwrap();
    }
    kernel.set_umask(Mode::new(0)).unwrap();
    ExitCode(3)
}

fn an_agent_that_becomes_a_program_is_no_view_any_more() {
    let kernel = Linux::here();
    let agent = agent();
    let refused = agent.exec(&path("/nonexistent"), &[b"x"], &[]).unwrap_err();
    assert!(refused.is(Errno::ENOENT));
    let gone = agent.exec(&path("/bin/sleep"), &[b"sleep", b"100"], &[]);
    assert_eq!(gone, Err(Failure::CallerDied));
    assert_eq!(kernel.inspect(agent.process()).unwrap().state, ProcessState::Alive);
    let held = kernel.open_pid(kernel.inspect(agent.process()).unwrap().pid).unwrap();
    drop(agent);
    assert!(is_gone_soon(&kernel, &held), "it was the agent's process all the same");
}

fn a_killed_program_leaves_no_agent_behind() {
    let kernel = Linux::here();
    for mode in ["plain", "pid"] {
        if mode == "pid" && !is_root() {
            continue;
        }
        let (reader, writer) = kernel.pipe(SocketFlags::empty()).unwrap();
        let parent = path("/standin/parent");
        let descriptors = [SpawnDescriptor { from: writer.descriptor(), to: 5 }];
        let arguments: [&[u8]; 2] = [b"parent", mode.as_bytes()];
        let spawn = Spawn { descriptors: &descriptors, ..Spawn::new(&parent, &arguments) };
        let child = kernel.spawn(&spawn).unwrap();
        let mut room = [0; 16];
        let length = kernel.read(&reader, &mut room).unwrap();
        let number = std::str::from_utf8(&room[..length]).unwrap().parse().unwrap();
        let agent = kernel.open_pid(Pid(number)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(kernel.inspect(&agent).unwrap().state, ProcessState::Alive);
        kernel.signal(&child, Some(Signal::KILL)).unwrap();
        wait(&child);
        assert!(is_gone_soon(&kernel, &agent), "{mode}");
    }
}

/// Makes an agent, tells who it is on descriptor 5, and lets it wait for ever.
fn parent(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let mode = &arguments[1];
    let kinds = if mode == b"pid" { NamespaceKinds::PID } else { NamespaceKinds::empty() };
    let options = AgentOptions { namespaces: kinds, ..AgentOptions::default() };
    let agent = Linux::agent(&options).unwrap();
    let number = Linux::here().inspect(agent.process()).unwrap().pid;
    let out = File::from(kernel.inherited(5).unwrap());
    kernel.write(&out, number.to_string().as_bytes()).unwrap();
    let (reader, _writer) = agent.pipe(SocketFlags::empty()).unwrap();
    let _ = agent.read(&reader, &mut [0; 1]);
    ExitCode::FAILURE
}

fn waiting_for_any_child_passes_over_agents() {
    // In a process of its own: other tests have children too.
    let kernel = Linux::here();
    let any = path("/standin/any");
    let child = kernel.spawn(&Spawn::new(&any, &[b"any"])).unwrap();
    assert_eq!(wait(&child), WaitStatus::Exited(0));
}

fn any(_kernel: &dyn Backend, _arguments: &[Vec<u8>]) -> ExitCode {
    let kernel = Linux::here();
    let agents = [agent(), agent()];
    kernel.signal(agents[0].process(), Some(Signal::KILL)).unwrap();
    assert!(is_gone_soon(&kernel, agents[0].process()));
    let (sleep, yes) = (path("/bin/sleep"), path("/bin/true"));
    let long = kernel.spawn(&Spawn::new(&sleep, &[b"sleep", b"0.05"])).unwrap();
    let short = kernel.spawn(&Spawn::new(&yes, &[b"true"])).unwrap();
    let mut waited = Vec::new();
    for _ in 0..2 {
        let (pid, status) = kernel.wait_any(WaitOptions::default()).unwrap().unwrap();
        assert_eq!(status, WaitStatus::Exited(0));
        waited.push(pid);
    }
    let nonblocking = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    assert_eq!(kernel.wait_any(nonblocking), Ok(None), "only agents are left");
    drop((long, short, agents));
    assert!(kernel.wait_any(nonblocking).unwrap_err().is(Errno::ECHILD));
    ExitCode::SUCCESS
}

fn a_reboot_ends_an_agent_in_a_pid_namespace_and_nothing_else() {
    use standin::backend::RebootCommand;
    let plain = agent();
    let refused = plain.reboot(RebootCommand::Restart).unwrap_err();
    assert!(matches!(refused, Failure::Unsupported(text) if text.contains("whole machine")));
    if !is_root() {
        return;
    }
    let namespaces = NamespaceKinds::PID;
    let agent = Linux::agent(&AgentOptions { namespaces, ..AgentOptions::default() }).unwrap();
    assert_eq!(agent.reboot(RebootCommand::Restart), Err(Failure::CallerDied));
    assert_eq!(wait(agent.process()), WaitStatus::Killed(Signal::HUP));
}

fn a_message_that_is_too_long_is_refused_and_the_next_one_goes() {
    let agent = agent();
    let zero = agent.open(Place::cwd(&path("/dev/zero")), &OpenOptions::read()).unwrap();
    let refused = agent.read(&zero, &mut vec![0; 17 << 20]).unwrap_err();
    assert!(matches!(refused, Failure::Unsupported(_)));
    assert_eq!(agent.read(&zero, &mut vec![1; 1 << 20]), Ok(1 << 20));
    let null = agent.open(Place::cwd(&path("/dev/null")), &OpenOptions::write()).unwrap();
    assert!(agent.write(&null, &vec![0; 17 << 20]).is_err());
    assert_eq!(agent.write(&null, &vec![0; 5 << 20]), Ok(5 << 20));
}

fn main() {
    let registry = Registry::new()
        .program("/standin/echo", echo)
        .program("/standin/parent", parent)
        .program("/standin/any", any);
    start(&registry);
    let trials = trials! {
        an_agent_reads_and_writes_as_the_program_does
        an_agent_is_another_process
        an_agent_changes_itself_alone
        an_agents_first_descriptor_is_3
        a_handle_means_nothing_to_another_view
        sockets_pipes_and_maps_work_in_an_agent
        an_agent_in_namespaces_of_its_own_sees_them
        an_agent_has_the_rights_of_its_credentials
        an_agent_is_born_in_its_group_and_limits
        a_dropped_agent_ends_and_a_dead_one_says_so
        a_blocked_call_ends_with_its_agent_and_drops_do_not_wait
        a_dropped_handle_of_a_stopped_agent_is_closed_when_it_goes_on
        counted_signals_interrupt_an_agents_call
        an_agent_spawns_and_waits_for_its_own_children
        a_registered_program_gets_its_arguments_and_a_view_of_its_own
        an_agent_that_becomes_a_program_is_no_view_any_more
        a_killed_program_leaves_no_agent_behind
        waiting_for_any_child_passes_over_agents
        a_reboot_ends_an_agent_in_a_pid_namespace_and_nothing_else
        a_message_that_is_too_long_is_refused_and_the_next_one_goes
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
