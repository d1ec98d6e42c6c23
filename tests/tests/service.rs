//! The privileged service on the machine, where everything that goes wrong can be made to: what its server tells of its
//! clients, and what clients are told when its helper fails.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::time::Duration;

use standin::backend::{
    Address, Channels, Clock, Deadline, Message, Processes, Rlimit, RlimitResource, SendFlags,
    SocketFlags, SocketType, Spawn, WaitOptions, WaitStatus,
};
use standin::engine::{ContainerName, Engine, Engines};
use standin::handle::{PidHandle, Socket};
use standin::service::wire::{Status, Violation};
use standin::service::{
    Client, CloseReason, Error, Event, HOSTNAME_HELPER, Options, Server, hostname_helper,
};
use standin::{Backend, Errno, ExitCode, KPath, KPathBuf, Mode, fs};
use standin_sim::{Machine, View};

const SOCKET: &str = "/tmp/root.socket";
const CLIENT: &str = "/bin/client";
const PATIENCE: Duration = Duration::from_secs(1);

fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).unwrap()
}

fn web() -> ContainerName {
    ContainerName::new("web").unwrap()
}

/// A machine on which the container `web` is a process that sleeps.
fn machine() -> (Machine, PidHandle) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let sleep = root.spawn(&Spawn::new(&path("/bin/sleep"), &[b"sleep", b"100000"])).unwrap();
    let pid = root.inspect(&sleep).unwrap().pid;
    let dir = format!("/tmp/docker/containers/{}", "a".repeat(64));
    fs::create_dir_all(&root, &dir).unwrap();
    let record = format!(r#"{{"State":{{"Running":true,"Pid":{pid}}},"Name":"/web"}}"#);
    fs::write(&root, format!("{dir}/config.v2.json"), record).unwrap();
    (machine, sleep)
}

fn options() -> Options {
    Options {
        engines: Engines::none().with(Engine::Docker, path("/tmp/docker")),
        patience: PATIENCE,
        ..Options::new(path(SOCKET))
    }
}

/// Serves in the machine's first process until the program has ended well; what happened meanwhile.
fn serve(root: &View, server: &mut Server, program: &str) -> Vec<Event> {
    let child = root.spawn(&Spawn::new(&path(program), &[program.as_bytes()])).unwrap();
    let now = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    let mut events = Vec::new();
    for _ in 0..1_000 {
        let soon = root.monotonic().unwrap().after(Duration::from_millis(10));
        events.extend(server.step(root, Deadline::At(soon)).unwrap());
        if let Some(status) = root.wait(&child, now).unwrap() {
            assert_eq!(status, WaitStatus::Exited(0));
            events.extend(server.step(root, Deadline::Now).unwrap());
            return events;
        }
    }
    panic!("{program} does not end; {events:?}");
}

fn reasons(events: &[Event]) -> Vec<CloseReason> {
    let mut reasons = Vec::new();
    for event in events {
        if let Event::Closed { reason, .. } = event {
            reasons.push(reason.clone());
        }
    }
    reasons
}

type Program = fn(&dyn Backend, &[Vec<u8>]) -> ExitCode;

/// What a client asked and was told, with a helper of this kind.
fn hostnames(
    helper: Option<Program>,
    check: fn(&dyn Backend, &mut Client) -> Result<(), Error>,
) -> Vec<Event> {
    let (machine, _sleep) = machine();
    if let Some(helper) = helper {
        machine.program(HOSTNAME_HELPER, helper);
    }
    machine.program(CLIENT, move |kernel, _| {
        let mut client = Client::connect(kernel, &path(SOCKET), Deadline::Never).unwrap();
        check(kernel, &mut client).unwrap();
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let mut server = Server::bind(&root, options()).unwrap();
    let events = serve(&root, &mut server, CLIENT);
    server.close(&root).unwrap();
    machine.finish().unwrap();
    events
}

/// A host name is refused with this errno, a process id is not.
fn is_refused(kernel: &dyn Backend, client: &mut Client, errno: Errno) -> Result<(), Error> {
    for _ in 0..2 {
        let refused = client.hostname(kernel, &web(), Deadline::Never);
        assert!(
            matches!(&refused, Err(Error::Refused { status, .. }) if *status == Status::of(errno)),
            "{refused:?}"
        );
        client.pid(kernel, &web(), Deadline::Never)?;
    }
    Ok(())
}

#[test]
fn a_helper_that_is_nowhere_is_told_of_on_both_sides() {
    let events = hostnames(None, |kernel, client| is_refused(kernel, client, Errno::EIO));
    let failed = Event::HelperFailed { errno: Errno::ENOENT };
    assert_eq!(events.iter().filter(|event| **event == failed).count(), 2, "{events:?}");
}

#[test]
fn a_helper_that_ends_is_started_anew_for_the_next_question() {
    hostnames(Some(|_, _| ExitCode::FAILURE), |kernel, client| {
        is_refused(kernel, client, Errno::EIO)
    });
}

#[test]
fn a_helper_that_says_nothing_is_killed_in_time() {
    hostnames(
        Some(|kernel, _| {
            let _ = kernel.poll(&[], Deadline::Never);
            ExitCode::SUCCESS
        }),
        |kernel, client| is_refused(kernel, client, Errno::ETIMEDOUT),
    );
}

#[test]
fn a_helper_that_talks_nonsense_is_not_believed() {
    hostnames(
        Some(|kernel, _| {
            let socket = Socket::from(kernel.inherited(3).unwrap());
            let message = Message { bytes: &[7; 40], ..Message::default() };
            kernel.send(&socket, &message, SendFlags::empty()).unwrap();
            let _ = kernel.poll(&[], Deadline::Never);
            ExitCode::SUCCESS
        }),
        |kernel, client| is_refused(kernel, client, Errno::EIO),
    );
}

#[test]
fn a_container_that_shares_the_host_s_name_has_the_host_s() {
    hostnames(Some(hostname_helper), |kernel, client| {
        let name = client.hostname(kernel, &web(), Deadline::Never)?;
        assert_eq!(name, kernel.uname().unwrap().nodename);
        Ok(())
    });
}

/// Connects, says these bytes, and waits as long as it is told.
fn says(kernel: &dyn Backend, bytes: &[u8], then: Duration) {
    let socket = kernel.socket(SocketType::Stream, SocketFlags::empty()).unwrap();
    kernel.connect(&socket, &Address::Path(path(SOCKET))).unwrap();
    let message = Message { bytes, ..Message::default() };
    kernel.send(&socket, &message, SendFlags::empty()).unwrap();
    let until = kernel.monotonic().unwrap().after(then);
    kernel.poll(&[], Deadline::At(until)).unwrap();
}

#[test]
fn a_server_says_why_it_closed_each_connection() {
    let (machine, _sleep) = machine();
    machine.program("/bin/breaks", |kernel, _| {
        says(kernel, &[1; 16], PATIENCE);
        ExitCode::SUCCESS
    });
    machine.program("/bin/dawdles", |kernel, _| {
        says(kernel, &[1; 15], 2 * PATIENCE);
        ExitCode::SUCCESS
    });
    machine.program("/bin/leaves", |kernel, _| {
        says(kernel, &[1; 15], PATIENCE / 2);
        ExitCode::SUCCESS
    });
    let root = machine.root();
    let mut server = Server::bind(&root, options()).unwrap();
    let broken = Violation::Length { length: 0x0101_0101 };
    for (program, reason) in [
        ("/bin/breaks", CloseReason::Violation(broken)),
        ("/bin/dawdles", CloseReason::TooSlow),
        ("/bin/leaves", CloseReason::Gone),
    ] {
        let events = serve(&root, &mut server, program);
        assert_eq!(reasons(&events), [reason], "{program}: {events:?}");
    }
    server.close(&root).unwrap();
    machine.finish().unwrap();
}

#[test]
fn a_user_who_may_not_ask_is_told_so_and_closed() {
    let (machine, _sleep) = machine();
    let root = machine.root();
    let open = Options { mode: Mode::new(0o666), ..options() };
    let mut server = Server::bind(&root, open).unwrap();
    let user = machine.user(1000);
    let socket = user.socket(SocketType::Stream, SocketFlags::empty()).unwrap();
    user.connect(&socket, &Address::Path(path(SOCKET))).unwrap();
    let events = server.step(&root, Deadline::Now).unwrap();
    assert_eq!(reasons(&events), [CloseReason::Refused]);
    let mut info = [0; 64];
    let received = user.receive(&socket, &mut info, Default::default()).unwrap();
    assert_eq!((received.length, &info[8..12]), (24, &(-13_i32).to_ne_bytes()[..]));
    server.close(&root).unwrap();

    // By its own bits the socket is root's alone.
    let server = Server::bind(&root, options()).unwrap();
    let refused = Client::connect(&user, &path(SOCKET), Deadline::Now).unwrap_err();
    assert_eq!(refused.to_string(), format!("connect {SOCKET}: EACCES"));
    server.close(&root).unwrap();
    machine.finish().unwrap();
}

#[test]
fn a_server_without_descriptors_serves_on_and_lets_in_later() {
    let (machine, _sleep) = machine();
    let root = machine.root();
    let mut server = Server::bind(&root, options()).unwrap();
    machine.program(CLIENT, |kernel, _| {
        let mut client = Client::connect(kernel, &path(SOCKET), Deadline::Never).unwrap();
        client.pid(kernel, &web(), Deadline::Never).unwrap();
        ExitCode::SUCCESS
    });
    let before = root.rlimit(None, RlimitResource::OpenFiles).unwrap();
    let none = Rlimit { soft: Some(0), ..before };
    let child = root.spawn(&Spawn::new(KPath::new(CLIENT).unwrap(), &[b"client"])).unwrap();
    root.set_rlimit(None, RlimitResource::OpenFiles, none).unwrap();
    for _ in 0..3 {
        assert_eq!(server.step(&root, Deadline::Now), Ok(vec![]));
    }
    root.set_rlimit(None, RlimitResource::OpenFiles, before).unwrap();
    let soon = root.monotonic().unwrap().after(Duration::from_millis(200));
    while root.monotonic().unwrap() < soon {
        server.step(&root, Deadline::At(soon)).unwrap();
    }
    assert_eq!(root.wait(&child, WaitOptions::default()), Ok(Some(WaitStatus::Exited(0))));
    server.close(&root).unwrap();
    machine.finish().unwrap();
}
