//! Debian's Pacemaker at the other end (packages `pacemaker` and `pacemaker-cli-utils`): its `crmadmin` asks our server,
//! its daemons that start alone answer our client.
//!
//! Each daemon is a process of its own, ended by its number also when a test fails. Where a name is taken, a cluster may
//! be running: it is left alone.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use standin::backend::{Deadline, Processes as _};
use standin::ipc::{
    Client, ClientOptions, Element, Endpoint, Envelope, Error, Event, Launcher, Server,
    ServerOptions, ServiceName, Status, Trusted, acked,
};
use standin::{Gid, Pid, Signal, Uid};
use standin_linux::Linux;

use super::exchange::LAUNCHER;
use super::pair::{Sweep, at_last, is_root, once_there, within};

const CRMADMIN: &str = "/usr/sbin/crmadmin";
const SCHEDULER: &str = "/usr/lib/pacemaker/pacemaker-schedulerd";
const CIB_MANAGER: &str = "/usr/lib/pacemaker/pacemaker-based";
/// Somebody who may ask, since the group may, and somebody who may not.
const MEMBER: &str = "--reuid=65534 --regid=haclient";
const STRANGER: &str = "--reuid=65534 --regid=65534";
/// Longer than crmadmin and the daemons take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the scheduler is asked about: one node, nothing to run, and nothing to be written to its directory.
const CONFIGURATION: &str = "<cib validate-with=\"pacemaker-3.0\" crm_feature_set=\"3.16.1\" admin_epoch=\"0\" \
    epoch=\"1\" num_updates=\"0\" have-quorum=\"1\" dc-uuid=\"1\"><configuration><crm_config>\
    <cluster_property_set id=\"p\"><nvpair id=\"p-1\" name=\"stonith-enabled\" value=\"false\"/>\
    <nvpair id=\"p-2\" name=\"pe-input-series-max\" value=\"0\"/>\
    <nvpair id=\"p-3\" name=\"pe-warn-series-max\" value=\"0\"/>\
    <nvpair id=\"p-4\" name=\"pe-error-series-max\" value=\"0\"/></cluster_property_set></crm_config>\
    <nodes><node id=\"1\" uname=\"node1\"/></nodes><resources/><constraints/></configuration><status/></cib>";

pub(super) fn no_crmadmin() -> Option<String> {
    missing(CRMADMIN, &[Launcher::SERVICE])
}

pub(super) fn no_scheduler() -> Option<String> {
    missing(SCHEDULER, &["pengine"])
}

pub(super) fn no_cib_manager() -> Option<String> {
    missing(CIB_MANAGER, &["cib_ro", "cib_rw", "cib_shm"])
}

/// Why a peer cannot be had here.
fn missing(program: &str, services: &[&str]) -> Option<String> {
    if !is_root() {
        return Some("needs root".to_owned());
    }
    if fs::metadata(program).is_err() {
        return Some(format!("no {program}"));
    }
    if cluster_ids().is_none() {
        return Some("no user hacluster or group haclient".to_owned());
    }
    let sockets = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let is_taken = |service: &&&str| {
        let name = format!("@{service}");
        sockets.lines().filter_map(|line| line.split(' ').next_back()).any(|last| {
            last.strip_prefix(&name).is_some_and(|rest| rest.bytes().all(|byte| byte == b'@'))
        })
    };
    let taken = services.iter().find(is_taken)?;
    Some(format!("somebody listens at @{taken}: is a cluster running?"))
}

/// The numbers of `hacluster` and `haclient`.
fn cluster_ids() -> Option<Trusted> {
    let number = |file, name| {
        let text = fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    };
    let user = Uid(number("/etc/passwd", "hacluster")?);
    Some(Trusted { user, group: Gid(number("/etc/group", "haclient")?) })
}

fn endpoint(service: &str) -> Endpoint {
    Endpoint::abstract_name(ServiceName::new(service).expect("a name"))
}

/// A process of ours that is ended whatever happens, with what it left in shared memory.
struct Peer(Child);

impl Peer {
    fn start(command: &mut Command) -> Self {
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        // Nothing is logged to files of the host.
        command.env("PCMK_logfile", "none").env("LC_ALL", "C").stdin(Stdio::null());
        Self(command.spawn().expect("it starts"))
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Waits for it to end by itself.
    fn output(mut self) -> Output {
        let until = Instant::now() + PATIENCE;
        while !self.has_ended() {
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(5));
        }
        let read = |pipe: Option<Box<dyn std::io::Read>>| {
            let mut text = Vec::new();
            pipe.map(|mut pipe| pipe.read_to_end(&mut text));
            text
        };
        let stdout = read(self.0.stdout.take().map(|pipe| Box::new(pipe) as _));
        let stderr = read(self.0.stderr.take().map(|pipe| Box::new(pipe) as _));
        Output { status: self.0.wait().expect("it has ended"), stdout, stderr }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let pid = self.0.id();
        if !self.has_ended() {
            let kernel = Linux::here();
            let _ = kernel.open_pid(Pid(pid)).map(|held| kernel.signal(&held, Some(Signal::TERM)));
            let until = Instant::now() + Duration::from_secs(3);
            while !self.has_ended() && Instant::now() < until {
                thread::sleep(Duration::from_millis(10));
            }
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
        let own = format!("qb-{pid}-");
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&own) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// A directory that ends with the test.
struct Scratch(String);

impl Scratch {
    fn of(owner: Trusted) -> Self {
        let path = format!("/tmp/standin-cib-{}", std::process::id());
        fs::DirBuilder::new().mode(0o750).create(&path).expect("a new directory");
        let scratch = Self(path);
        chown(&scratch.0, Some(owner.user.0), Some(owner.group.0)).expect("root may");
        scratch
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Ends the server, however its client does.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// `crmadmin -P` asks our server as it would ask pacemakerd: for root, for a member of the group, and in vain.
pub(super) fn crmadmin() {
    let kernel = Linux::here();
    let group = cluster_ids().map(|ids| ids.group);
    let (options, endpoint) =
        (ServerOptions { group, ..ServerOptions::default() }, endpoint(Launcher::SERVICE));
    let _sweep = Sweep(&endpoint);
    let server = Server::listen(&kernel, endpoint.clone(), options);
    let mut server = server.expect("nobody else is pacemakerd");
    let done = AtomicBool::new(false);
    let (outputs, told) = thread::scope(|scope| {
        let serving = scope.spawn(|| {
            let mut told = Vec::new();
            while !done.load(Ordering::SeqCst) {
                let soon = Deadline::At(within(&kernel, Duration::from_millis(20)));
                let Some(event) = server.next(&kernel, soon).expect("a server") else { continue };
                if let Event::Request { client, request } = &event {
                    let answer = LAUNCHER.answer(request.text());
                    let ack = ("handle_ping_request", answer.status);
                    server.acknowledge(&kernel, *client, request, ack).expect("it waits");
                    let event = answer.event.expect("a ping");
                    server.notify(&kernel, *client, &event).expect("it waits");
                }
                told.push(event);
            }
            server.close(&kernel).expect("nothing is left");
            told
        });
        let stop = Stop(&done);
        let outputs = ["--reuid=root --regid=root", MEMBER, STRANGER].map(|ids| {
            let mut crmadmin = Command::new("setpriv");
            crmadmin.args(ids.split(' ')).args(["--clear-groups", CRMADMIN, "-P"]);
            Peer::start(crmadmin.stdout(Stdio::piped()).stderr(Stdio::piped())).output()
        });
        drop(stop);
        (outputs, serving.join().expect("a server"))
    });
    let [root, member, stranger] = outputs;
    for output in [root, member] {
        let text = String::from_utf8_lossy(&output.stdout);
        println!("{}", text.trim_end());
        assert!(output.status.success(), "{output:?}");
        assert!(text.contains("pacemakerd") && text.contains("running"), "{output:?}");
    }
    println!("a stranger: {}", String::from_utf8_lossy(&stranger.stderr).trim_end());
    assert!(!stranger.status.success(), "{stranger:?}");
    let requests = told.iter().filter(|event| matches!(event, Event::Request { .. })).count();
    assert_eq!(requests, 2, "{told:?}");
    let left =
        told.iter().filter(|event| matches!(event, Event::Left { why: Error::Disconnected, .. }));
    assert_eq!(left.count(), 3, "{told:?}");
}

/// Connects to a daemon as soon as it is there.
fn connect(service: &str) -> Client {
    let (kernel, endpoint) = (Linux::here(), endpoint(service));
    let trusted = cluster_ids().expect("hacluster and haclient");
    let options = ClientOptions::new(trusted);
    let client =
        once_there(&kernel, || Client::connect(&kernel, &endpoint, &options, at_last(&kernel)));
    client.expect("a connection")
}

/// The scheduler acknowledges at once, and tells its graph as an event.
pub(super) fn scheduler() {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=hacluster", "--regid=haclient", "--clear-groups", SCHEDULER]);
    let _scheduler = Peer::start(command.stdout(Stdio::null()).stderr(Stdio::null()));
    let kernel = Linux::here();
    let mut client = connect("pengine");
    assert_eq!(client.server().uid, cluster_ids().expect("hacluster").user);
    let request = Envelope {
        data: Some(Element::parse(CONFIGURATION.as_bytes()).expect("a document")),
        ..Envelope::request("pe_calc", "pengine", "1_corners", "pe_calc-corners-1")
    };
    let ack = client.request(&kernel, &request.to_element(), at_last(&kernel));
    assert_eq!(acked(&ack.expect("an acknowledgement")), Some(Status::REPLY_FOLLOWS));
    let event = client.event(&kernel, Deadline::At(at_last(&kernel))).expect("a daemon");
    let event = event.expect("an event");
    let reply = Envelope::from_element(&event).expect("an envelope");
    assert_eq!((reply.reference.as_str(), reply.task.as_str()), ("pe_calc-corners-1", "pe_calc"));
    let graph = reply.data.expect("a graph");
    assert_eq!(graph.name(), "transition_graph");
    assert_eq!(event.attribute("graph-errors"), Some("0"), "{event}");

    // It does not take the next request for anything but what it is.
    let unknown = Envelope::request("no_such_task", "pengine", "1_corners", "none-1");
    let ack = client.request(&kernel, &unknown.to_element(), at_last(&kernel));
    assert_eq!(acked(&ack.expect("an acknowledgement")), Some(Status::UNKNOWN_TASK));
}

/// The CIB manager answers with documents of its own, where the others acknowledge.
pub(super) fn cib_manager() {
    let scratch = Scratch::of(cluster_ids().expect("hacluster and haclient"));
    let mut command = Command::new(CIB_MANAGER);
    command.args(["-s", "-r", &scratch.0]).stdout(Stdio::null()).stderr(Stdio::null());
    let _manager = Peer::start(&mut command);
    let kernel = Linux::here();
    let mut client = connect("cib_rw");
    let mut ask =
        |request: Element| client.request(&kernel, &request, at_last(&kernel)).expect("a response");
    let command = || Element::new("cib_command").with("t", "cib");
    let register = command()
        .with("cib_op", "register")
        .with("cib_clientname", "corners")
        .with("cib_callopt", "4096");
    let registered = ask(register);
    assert_eq!(registered.attribute("cib_op"), Some("register"), "{registered}");
    assert!(registered.attribute("cib_clientid").is_some_and(|id| id.len() == 36));
    let query =
        command().with("cib_op", "cib_query").with("cib_callid", "2").with("cib_callopt", "4352");
    let answer = ask(query);
    assert_eq!(answer.attribute("cib_rc"), Some("0"), "{answer}");
    let cib = answer.child("cib_calldata").and_then(|data| data.child("cib")).expect("a cib");
    assert!(cib.child("configuration").is_some_and(|part| part.child("crm_config").is_some()));
}
