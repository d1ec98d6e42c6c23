//! A server's part and a client's part, each a function of a backend, played as two processes of one kernel.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use standin::backend::{
    Backend, Deadline, Processes as _, Spawn, SpawnCredentials, WaitOptions, WaitStatus,
};
use standin::capability::CapabilitySet;
use standin::id::Moment;
use standin::ipc::{Client, ClientOptions, Endpoint, Error, ServiceName, Trusted};
use standin::{ExitCode, Gid, KPath, Uid};
use standin_linux::{AgentOptions, Linux};
use standin_sim::Machine;

/// Somebody who is not root and in nobody's group.
pub(super) const NOBODY: u32 = 65534;
/// Longer than anything here takes, unless it hangs: also on a host with much to do.
pub(super) const LONG: Duration = Duration::from_secs(20);

type Part = fn(&dyn Backend, &Endpoint);

/// One scenario: what it shows, and its two parts.
pub(super) struct Pair {
    pub(super) shows: &'static str,
    pub(super) server: Part,
    pub(super) client: Part,
    /// Whether one of the two is nobody rather than the caller.
    pub(super) stranger: Stranger,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stranger {
    None,
    Server,
    Client,
}

pub(super) const fn pair(shows: &'static str, server: Part, client: Part) -> Pair {
    Pair { shows, server, client, stranger: Stranger::None }
}

/// A name that no other pair has, on whatever kernel: corners are played side by side.
fn endpoint() -> Endpoint {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let name = format!("standin-{}-{number}", std::process::id());
    Endpoint::abstract_name(ServiceName::new(&name).expect("a name"))
}

fn stranger_s<'a>() -> SpawnCredentials<'a> {
    SpawnCredentials {
        uid: Uid(NOBODY),
        gid: Gid(NOBODY),
        groups: &[],
        bounding: CapabilitySet::EMPTY,
        no_new_privileges: false,
    }
}

/// Each pair as two programs of a machine of its own.
pub(super) fn on_a_machine(pairs: &[Pair]) {
    for pair in pairs {
        println!("on a machine: {}", pair.shows);
        let (machine, endpoint) = (Machine::builder().build(), Arc::new(endpoint()));
        let parts = [
            ("/bin/server", pair.server, Stranger::Server),
            ("/bin/client", pair.client, Stranger::Client),
        ];
        let root = machine.root();
        let children = parts.map(|(path, part, who)| {
            let endpoint = Arc::clone(&endpoint);
            machine.program(path, move |kernel, _| {
                part(kernel, &endpoint);
                ExitCode::SUCCESS
            });
            let credentials = stranger_s();
            let credentials = (pair.stranger == who).then_some(&credentials);
            let path = KPath::new(path).expect("no NUL");
            let spawn = Spawn { credentials, ..Spawn::new(path, &[b"part"]) };
            root.spawn(&spawn).expect("a process")
        });
        for child in children {
            let status = root.wait(&child, WaitOptions::default());
            assert_eq!(status, Ok(Some(WaitStatus::Exited(0))), "{}", pair.shows);
        }
        nothing_left(&root, &endpoint);
        machine.finish().expect("all of it is modelled");
    }
}

/// Each pair as two threads of this program, or of an agent where it takes another user. Only root can have one.
pub(super) fn on_this_host(pairs: &[Pair]) {
    let is_root = is_root();
    for pair in pairs {
        if pair.stranger != Stranger::None && !is_root {
            println!("on this host, left out, since it takes root: {}", pair.shows);
            continue;
        }
        println!("on this host: {}", pair.shows);
        let endpoint = endpoint();
        let _sweep = Sweep(&endpoint);
        let play = |part: Part, who| {
            if pair.stranger == who {
                let credentials = stranger_s();
                let options =
                    AgentOptions { credentials: Some(&credentials), ..AgentOptions::default() };
                part(&Linux::agent(&options).expect("an agent"), &endpoint);
            } else {
                part(&Linux::here(), &endpoint);
            }
        };
        thread::scope(|scope| {
            let server = scope.spawn(|| play(pair.server, Stranger::Server));
            let client = scope.spawn(|| play(pair.client, Stranger::Client));
            let (server, client) = (server.join(), client.join());
            assert!(server.is_ok() && client.is_ok(), "{}", pair.shows);
        });
        nothing_left(&Linux::here(), &endpoint);
    }
}

/// Removes what a failed test leaves in this host's shared memory.
pub(super) struct Sweep<'a>(pub(super) &'a Endpoint);

impl Drop for Sweep<'_> {
    fn drop(&mut self) {
        for directory in super::raw::ring_directories(&Linux::here(), self.0) {
            let _ = std::fs::remove_dir_all(directory);
        }
    }
}

/// Whether this program runs as root.
pub(super) fn is_root() -> bool {
    Linux::here().credentials().is_ok_and(|who| who.user.effective == Uid::ROOT)
}

/// No ring of this service is left in shared memory.
fn nothing_left(kernel: &dyn Backend, endpoint: &Endpoint) {
    assert_eq!(super::raw::ring_directories(kernel, endpoint), Vec::<String>::new());
}

/// A moment this far away.
pub(super) fn within(kernel: &dyn Backend, time: Duration) -> Moment {
    kernel.monotonic().expect("a clock").after(time)
}

/// A moment that comes only if something hangs.
pub(super) fn at_last(kernel: &dyn Backend) -> Moment {
    within(kernel, LONG)
}

pub(super) fn sleep(kernel: &dyn Backend, time: Duration) {
    kernel.poll(&[], Deadline::At(within(kernel, time))).expect("time passes");
}

/// Whom the parts trust: whoever runs this test.
pub(super) fn own(kernel: &dyn Backend) -> Trusted {
    let own = kernel.credentials().expect("credentials");
    Trusted { user: own.user.effective, group: own.group.effective }
}

/// Does something as soon as the server listens.
pub(super) fn once_there<T>(
    kernel: &dyn Backend,
    attempt: impl Fn() -> Result<T, Error>,
) -> Result<T, Error> {
    let until = at_last(kernel);
    loop {
        match attempt() {
            Err(Error::NoService { .. }) if kernel.monotonic().expect("a clock") < until => {
                sleep(kernel, Duration::from_millis(2));
            }
            other => return other,
        }
    }
}

/// Connects as soon as the server listens.
pub(super) fn connect(kernel: &dyn Backend, endpoint: &Endpoint) -> Result<Client, Error> {
    let options = ClientOptions::new(own(kernel));
    once_there(kernel, || Client::connect(kernel, endpoint, &options, at_last(kernel)))
}
