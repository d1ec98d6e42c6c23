//! The programs of the exchange, the same on the machine and on a host: a container's, the server's, the client's, and a
//! server that breaks the protocol.

use std::fmt::Display;
use std::time::Duration;

use standin::backend::{
    Address, Deadline, Message, NamespaceKinds, Receive, SendFlags, SocketFlags, SocketType,
};
use standin::engine::{ContainerName, Engine, Engines};
use standin::handle::Socket;
use standin::service::wire::{Features, Frame, Info, Lookup, Name, Reply, Status};
use standin::service::{Client, HOSTNAME_HELPER, Options, Server, hostname_helper};
use standin::{Backend, ExitCode, Failure, KPath, KPathBuf, Mode, fs};

type Program = fn(&dyn Backend, &[Vec<u8>]) -> ExitCode;

pub(crate) const CONTAINER: &str = "/standin/service/container";
pub(crate) const SERVER: &str = "/standin/service/server";
pub(crate) const CLIENT: &str = "/standin/service/client";
pub(crate) const BAD_SERVER: &str = "/standin/service/bad-server";

pub(crate) const PROGRAMS: [(&str, Program); 5] = [
    (CONTAINER, container),
    (SERVER, server),
    (CLIENT, client),
    (BAD_SERVER, bad_server),
    (HOSTNAME_HELPER, hostname_helper),
];

/// Where the server finds the end of its time: its other end closes.
pub(crate) const STOP: u32 = 4;

/// How long the server waits for a client that does not go on.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

/// How long a client waits.
pub(crate) fn soon(kernel: &dyn Backend, time: Duration) -> Deadline {
    Deadline::At(kernel.monotonic().expect("a clock").after(time))
}

pub(crate) fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).expect("no NUL")
}

fn texts(arguments: &[Vec<u8>]) -> Vec<&str> {
    arguments.iter().map(|text| std::str::from_utf8(text).expect("text")).collect()
}

/// A record, put in its place in one step, as Docker does it.
pub(crate) fn record(kernel: &dyn Backend, docker: &str, id: &str, record: &str) {
    let dir = format!("{docker}/containers/{id}");
    fs::create_dir_all(kernel, &dir).unwrap();
    fs::write(kernel, format!("{dir}/.tmp-config.v2.json"), record).unwrap();
    fs::rename(kernel, format!("{dir}/.tmp-config.v2.json"), format!("{dir}/config.v2.json"))
        .unwrap();
}

fn for_ever(kernel: &dyn Backend) -> ExitCode {
    let _ = kernel.poll(&[], Deadline::Never);
    ExitCode::SUCCESS
}

/// `DOCKER ID NAME HOSTNAME`: gets a UTS namespace and a host name of its own, is recorded, and waits.
fn container(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let [_, docker, id, name, hostname] = texts(arguments)[..] else { return ExitCode(2) };
    kernel.unshare(NamespaceKinds::UTS).unwrap();
    kernel.set_hostname(KPath::new(hostname).expect("no NUL")).unwrap();
    let pid = kernel.pid().unwrap();
    let json = format!(
        r#"{{"State":{{"Running":true,"Paused":false,"Pid":{pid}}},"ID":"{id}","Name":"/{name}"}}"#
    );
    record(kernel, docker, id, &json);
    for_ever(kernel)
}

/// `SOCKET DOCKER`
fn server(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let [_, socket, docker] = texts(arguments)[..] else { return ExitCode(2) };
    let stop = kernel.inherited(STOP).unwrap();
    let options = Options {
        mode: Mode::new(0o666),
        engines: Engines::none().with(Engine::Docker, path(docker)),
        most_clients: 16,
        patience: PATIENCE,
        ..Options::new(path(socket))
    };
    let mut server = Server::bind(kernel, options).unwrap();
    server.serve(kernel, &stop, drop).unwrap();
    server.close(kernel).unwrap();
    ExitCode::SUCCESS
}

/// `SOCKET (QUESTION ANSWER)...`: asks all of them over one connection.
fn client(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let arguments = texts(arguments);
    let [_, socket, questions @ ..] = &arguments[..] else { return ExitCode(2) };
    let connected = Client::connect(kernel, &path(socket), soon(kernel, Duration::from_secs(10)));
    let mut client = match connected {
        Ok(client) => client,
        Err(error) => {
            assert_eq!([&*error.to_string()], questions[1..]);
            return ExitCode::SUCCESS;
        }
    };
    for pair in questions.as_chunks::<2>().0 {
        let [question, answer] = pair;
        assert_eq!(ask(kernel, &mut client, question), *answer, "{question}");
    }
    ExitCode::SUCCESS
}

/// `hostname NAME` or `pid NAME`: what there is to say of it.
fn ask(kernel: &dyn Backend, client: &mut Client, question: &str) -> String {
    fn text<T: Display, E: Display>(answer: Result<T, E>) -> String {
        answer.map_or_else(|error| error.to_string(), |answer| answer.to_string())
    }
    let soon = soon(kernel, Duration::from_secs(10));
    let (what, name) = question.split_once(' ').expect("two words");
    let name = ContainerName::new(name).expect("a name");
    match what {
        "hostname" => text(client.hostname(kernel, &name, soon)),
        _ => text(client.pid(kernel, &name, soon)),
    }
}

/// `SOCKET FAULT`: serves one client, badly, until it is killed.
fn bad_server(kernel: &dyn Backend, arguments: &[Vec<u8>]) -> ExitCode {
    let [_, socket, fault] = texts(arguments)[..] else { return ExitCode(2) };
    let listener = kernel.socket(SocketType::Stream, SocketFlags::empty()).unwrap();
    kernel.bind(&listener, &Address::Path(path(socket))).unwrap();
    kernel.listen(&listener, 1).unwrap();
    let client = kernel.accept(&listener, SocketFlags::empty()).unwrap();
    match misbehave(kernel, &client, fault) {
        Ok(()) => for_ever(kernel),
        Err(_) => ExitCode::SUCCESS,
    }
}

fn misbehave(kernel: &dyn Backend, client: &Socket, fault: &str) -> Result<(), Failure> {
    let say = |bytes: &[u8]| {
        let message = Message { bytes, ..Message::default() };
        kernel.send(client, &message, SendFlags::empty()).map(drop)
    };
    let info = Info { status: Status::OK, features: Features::all() }.to_frame();
    let hello = info.to_bytes();
    let with = |word: usize, value: i32| {
        let mut bytes = hello.clone();
        bytes[4 * word..][..4].copy_from_slice(&value.to_ne_bytes());
        bytes
    };
    match fault {
        "says nothing" => return Ok(()),
        "says half of INFO" => return say(&hello[..12]),
        "has a type of its own" => return say(&with(0, 0x9002)),
        "has a length of its own" => return say(&with(1, 25)),
        "says too long a length" => return say(&with(1, 1 << 20)),
        "is of the future" => return say(&with(3, 3)),
        "says more than it was asked" => return say(&[&hello[..], &hello].concat()),
        "ends" => return Err(Failure::CallerDied),
        "looks up nothing" => {
            let info = Info { status: Status::OK, features: Features::CGROUP_NAME };
            return say(&info.to_frame().to_bytes());
        }
        _ => say(&hello)?,
    }
    let mut request = [0; 4200];
    kernel.receive(client, &mut request, Receive::default())?;
    let reply = |lookup, name: &str| {
        let name = Name::new(name).expect("a name");
        Reply { lookup, status: Status::OK, pid: 1, name }.to_frame()
    };
    match fault {
        "says half of a reply" => say(&reply(Lookup::Hostname, "abc").to_bytes()[..26]),
        "answers something else" => say(&reply(Lookup::ProcessId, "").to_bytes()),
        "says a longer name than it sends" => {
            let Frame { kind, status, mut body } = reply(Lookup::Hostname, "abc");
            body.pop();
            say(&Frame { kind, status, body }.to_bytes())
        }
        _ => Err(Failure::CallerDied),
    }
}
