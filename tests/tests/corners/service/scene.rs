//! A scene: two containers that run, one that does not, a server, and clients that ask it.

use std::collections::BTreeMap;
use std::time::Duration;

use standin::backend::{
    Deadline, NamespaceKind, SocketFlags, SocketType, Spawn, SpawnCredentials, SpawnDescriptor,
    WaitOptions, WaitStatus,
};
use standin::handle::{PidHandle, Socket};
use standin::service::Client;
use standin::{Backend, CapabilitySet, Gid, Pid, Signal, Uid, fs};

use super::programs::{CLIENT, CONTAINER, SERVER, STOP, path, record, soon};

pub(crate) const WEB_ID: &str = "4f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c";
const DB_ID: &str = "77dd9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c";
/// Begins as the first one does.
const OLD_ID: &str = "4f1d9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c9e1b7a524f0c";
pub(crate) const WEB_HOST: &str = "dockhost-a";
/// As long as a host name can be.
pub(crate) const DB_HOST: &str = "db-0123456789-0123456789-0123456789-0123456789-0123456789-012345";

/// How often a condition is looked at, and how long between.
const LOOKS: u32 = 2_000;
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct Scene<'a> {
    pub(crate) kernel: &'a dyn Backend,
    dir: String,
    containers: BTreeMap<&'static str, Child<'a>>,
    server: Child<'a>,
    stop: Option<Socket>,
}

/// A process that ends with its owner.
pub(crate) struct Child<'a> {
    kernel: &'a dyn Backend,
    handle: PidHandle,
    is_reaped: bool,
}

/// A command line.
fn words<'w>(program: &'w str, arguments: &[&'w str]) -> Vec<&'w [u8]> {
    [program].iter().chain(arguments).map(|word| word.as_bytes()).collect()
}

impl<'a> Child<'a> {
    pub(crate) fn new(kernel: &'a dyn Backend, program: &str, arguments: &[&str]) -> Self {
        Self::spawn(kernel, &Spawn::new(&path(program), &words(program, arguments)))
    }

    fn spawn(kernel: &'a dyn Backend, spawn: &Spawn<'_>) -> Self {
        let handle = kernel.spawn(spawn).unwrap_or_else(|why| panic!("{}: {why}", spawn.path));
        Self { kernel, handle, is_reaped: false }
    }

    pub(crate) fn wait(mut self) -> WaitStatus {
        let status = self.kernel.wait(&self.handle, WaitOptions::default());
        self.is_reaped = true;
        status.unwrap().expect("it waits until there is a status")
    }

    fn pid(&self) -> Pid {
        self.kernel.inspect(&self.handle).unwrap().pid
    }
}

impl Drop for Child<'_> {
    fn drop(&mut self) {
        if !self.is_reaped {
            let _ = self.kernel.signal(&self.handle, Some(Signal::KILL));
            let _ = self.kernel.wait(&self.handle, WaitOptions::default());
        }
    }
}

/// Looks until there is something to be seen.
pub(crate) fn until<T>(kernel: &dyn Backend, what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(seen) = look() {
            return seen;
        }
        kernel.poll(&[], soon(kernel, PAUSE)).unwrap();
    }
    panic!("{what}: not within {:?}", LOOKS * PAUSE);
}

impl<'a> Scene<'a> {
    pub(crate) fn begin(kernel: &'a dyn Backend, dir: &str) -> Self {
        let docker = format!("{dir}/docker");
        let mut containers = BTreeMap::new();
        for (id, name, hostname) in [(WEB_ID, "web", WEB_HOST), (DB_ID, "db", DB_HOST)] {
            let child = Child::new(kernel, CONTAINER, &[&docker, id, name, hostname]);
            containers.insert(name, child);
            let record = format!("{docker}/containers/{id}/config.v2.json");
            until(kernel, "a record", || fs::exists(kernel, &record).then_some(()));
        }
        record(
            kernel,
            &docker,
            OLD_ID,
            r#"{"State":{"Running":false,"Pid":0,"ExitCode":1},"Name":"/old"}"#,
        );
        let socket = format!("{dir}/root.socket");
        let (stop, its) = kernel.socket_pair(SocketType::Stream, SocketFlags::empty()).unwrap();
        let descriptors = [SpawnDescriptor { from: its.descriptor(), to: STOP }];
        let (program, words) = (path(SERVER), words(SERVER, &[&socket, &docker]));
        let spawn = Spawn { descriptors: &descriptors, ..Spawn::new(&program, &words) };
        let server = Child::spawn(kernel, &spawn);
        let scene = Self { kernel, dir: dir.to_owned(), containers, server, stop: Some(stop) };
        until(kernel, "a server", || Client::connect(kernel, &path(&socket), Deadline::Never).ok());
        scene
    }

    pub(crate) fn socket(&self) -> String {
        format!("{}/root.socket", self.dir)
    }

    pub(crate) fn pid(&self, name: &str) -> Pid {
        self.containers[name].pid()
    }

    /// Ends a container without anybody telling its engine.
    pub(crate) fn kill(&mut self, name: &str) {
        self.containers.remove(name);
    }

    /// A client of this user asks, and must be answered so.
    pub(crate) fn ask(&self, user: Uid, questions: &[(&str, &str)]) {
        let socket = self.socket();
        let asked = questions.iter().flat_map(|(asked, said)| [*asked, *said]);
        let arguments: Vec<&str> = [&*socket].into_iter().chain(asked).collect();
        let credentials = SpawnCredentials {
            uid: user,
            gid: Gid(user.0),
            groups: &[],
            bounding: CapabilitySet::ALL,
            no_new_privileges: false,
        };
        let (program, words) = (path(CLIENT), words(CLIENT, &arguments));
        let spawn = Spawn { credentials: Some(&credentials), ..Spawn::new(&program, &words) };
        let client = Child::spawn(self.kernel, &spawn);
        assert_eq!(client.wait(), WaitStatus::Exited(0), "the client of user {user}");
    }

    /// The server is told to end: it does, leaves nothing, and has not left its own namespace meanwhile.
    pub(crate) fn end(&mut self) {
        let uts = |process| self.kernel.namespace_of(process, NamespaceKind::Uts).unwrap();
        assert_eq!(uts(Some(&self.server.handle)), uts(None));
        drop(self.stop.take());
        let status = self.kernel.wait(&self.server.handle, WaitOptions::default()).unwrap();
        self.server.is_reaped = true;
        assert_eq!(status, Some(WaitStatus::Exited(0)));
        assert!(!fs::exists(self.kernel, self.socket()), "the socket is taken away");
    }
}

/// What a client is told of each container, by each of its names.
pub(crate) fn lookups(scene: &mut Scene<'_>) {
    let (web, db) = (scene.pid("web").to_string(), scene.pid("db").to_string());
    let by_id = format!("pid {WEB_ID}");
    scene.ask(
        Uid::ROOT,
        &[
            ("hostname web", WEB_HOST),
            ("hostname db", DB_HOST),
            ("hostname /web", WEB_HOST),
            ("pid web", &web),
            ("pid db", &db),
            (&by_id, &web),
            ("hostname 4f0", WEB_HOST),
            ("pid docker:web", &web),
            ("pid 4f", "4f may be one of several containers: say more of the id"),
            ("pid 4f2", "no container is called 4f2"),
            ("pid old", "old is not running"),
            ("hostname old", "old is not running"),
            ("hostname nosuch", "no container is called nosuch"),
            ("hostname web", WEB_HOST),
        ],
    );
    scene.kill("web");
    scene.ask(
        Uid::ROOT,
        &[
            ("hostname web", "web is not running"),
            ("pid web", "web is not running"),
            ("hostname db", DB_HOST),
        ],
    );
    scene.end();
    let gone = format!("connect {}: ENOENT", scene.socket());
    scene.ask(Uid::ROOT, &[("", &gone)]);
}
