//! Contexts: one scenario, and the same log from a kernel with the commands, an emulation on one without, and this host's.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use standin::backend::{
    Backend, Files, FilesystemType, MigrateFlags, Processes, Spawn, SpawnCredentials, WaitOptions,
};
use standin::context::{ContextId, Contexts, End, Error, Flags, Membership, Target};
use standin::handle::PidHandle;
use standin::path::{KPathBuf, Place};
use standin::{CapabilitySet, ExitCode, Gid, KPath, Pid, Signal, Uid, fs};
use standin_linux::{AgentOptions, Linux};
use standin_sim::{Machine, View};

use crate::Corner;

pub(crate) fn corners() -> Vec<Corner> {
    vec![
        Corner {
            name: "context: made, entered, killed and waited for by a machine's own commands",
            missing: None,
            show: || on_machine(Machine::builder().contexts().build()),
        },
        Corner {
            name: "context: the same emulated on a machine without the commands",
            missing: None,
            show: || on_machine(Machine::builder().build()),
        },
        Corner {
            name: "context: the same emulated on this host's kernel",
            missing: Host::missing(),
            show: on_host,
        },
    ]
}

/// What every kernel must have said.
const EXPECTED: &str = include_str!("context.expected");

#[track_caller]
fn compare(played: &str) {
    let lines = played.lines().zip(EXPECTED.lines());
    for (played, expected) in lines {
        assert_eq!(played, expected);
    }
    assert_eq!(played.lines().count(), EXPECTED.lines().count());
    assert!(played == EXPECTED, "byte for byte");
}

/// A kernel to play the scenario on.
trait Stage: Sync {
    /// Where contexts are kept, if the kernel does not.
    fn groups(&self) -> &KPath;
    /// The host's root, the parent of the others.
    fn root(&self) -> &dyn Backend;
    /// A new process of root's.
    fn process(&self) -> Box<dyn Backend + '_>;
    /// A new process of another user's.
    fn user(&self) -> Box<dyn Backend + '_>;
    /// Returns when a process that is about to end is a zombie.
    fn let_end(&self, process: Pid);
    /// Returns when a call that is under way on another thread waits.
    fn let_wait(&self);
}

struct OnMachine {
    machine: Machine,
    root: View,
    groups: KPathBuf,
}

impl Stage for OnMachine {
    fn groups(&self) -> &KPath {
        &self.groups
    }

    fn root(&self) -> &dyn Backend {
        &self.root
    }

    fn process(&self) -> Box<dyn Backend + '_> {
        Box::new(self.root.fork().expect("a process"))
    }

    fn user(&self) -> Box<dyn Backend + '_> {
        Box::new(self.machine.user(1000))
    }

    fn let_end(&self, _process: Pid) {
        // It is when the call that ends it returns.
    }

    fn let_wait(&self) {
        let waits = || !self.machine.look().waiting().is_empty();
        let step = Duration::from_millis(1);
        let in_time = (0..10_000).any(|_| {
            std::thread::sleep(step);
            waits()
        });
        assert!(in_time, "the call came back");
    }
}

fn on_machine(machine: Machine) {
    let groups = KPathBuf::new("/sys/fs/cgroup/contexts").expect("a path");
    let root = machine.root();
    fs::create_dir(&root, groups.as_bytes()).expect("a directory for contexts");
    let stage = OnMachine { root, groups, machine };
    compare(&play(&stage));
    let OnMachine { machine, root, groups } = stage;
    machine.check().expect("a whole machine");
    if root.contexts().is_none() {
        // What is left is the context that stays.
        assert_eq!(machine.look().cgroups(), ["/contexts", "/contexts/xid-300"]);
        fs::remove_dir(&root, [groups.as_bytes(), b"/xid-300"].concat()).expect("it is empty");
    }
    machine.finish().expect("all of it is modelled");
}

/// This host, and a group of its own on it.
struct Host {
    root: Linux,
    groups: KPathBuf,
}

const HIERARCHIES: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

impl Host {
    fn hierarchy() -> Option<&'static str> {
        let is_v2 = |path: &&str| {
            let path = KPath::new(*path).expect("a path");
            Linux::here().statfs(Place::cwd(path)) == Ok(FilesystemType::CGROUP2)
        };
        HIERARCHIES.into_iter().find(is_v2)
    }

    fn missing() -> Option<String> {
        let own = Linux::here().credentials().ok()?;
        if own.user.effective != Uid::ROOT {
            return Some("needs root".to_owned());
        }
        let Some(hierarchy) = Self::hierarchy() else {
            return Some("needs a cgroup2 hierarchy".to_owned());
        };
        let probe = format!("{hierarchy}/standin-context-probe-{}", std::process::id());
        if let Err(error) = fs::create_dir(&Linux::here(), &probe) {
            return Some(format!("needs a cgroup2 hierarchy to write in: {error}"));
        }
        let can_kill = fs::exists(&Linux::here(), format!("{probe}/cgroup.kill"));
        fs::remove_dir(&Linux::here(), &probe)
            .err()
            .map(|error| error.to_string())
            .or_else(|| (!can_kill).then(|| "needs cgroup.kill, of Linux 5.14".to_owned()))
    }
}

impl Stage for Host {
    fn groups(&self) -> &KPath {
        &self.groups
    }

    fn root(&self) -> &dyn Backend {
        &self.root
    }

    fn process(&self) -> Box<dyn Backend + '_> {
        Box::new(Linux::agent(&AgentOptions::default()).expect("a process"))
    }

    fn user(&self) -> Box<dyn Backend + '_> {
        let credentials = SpawnCredentials {
            uid: Uid(65_533),
            gid: Gid(65_533),
            groups: &[],
            bounding: CapabilitySet::ALL,
            no_new_privileges: false,
        };
        let options = AgentOptions { credentials: Some(&credentials), ..AgentOptions::default() };
        Box::new(Linux::agent(&options).expect("a process of another user"))
    }

    fn let_end(&self, process: Pid) {
        let process = self.root.open_pid(process).expect("a child, not waited for");
        let look = WaitOptions { keep: true, ..WaitOptions::default() };
        self.root.wait(&process, look).expect("its end");
    }

    fn let_wait(&self) {
        // Nothing tells when a call waits; a second is what transcripts give a real kernel.
        std::thread::sleep(Duration::from_secs(1));
    }
}

impl Drop for Host {
    /// Also after a failure: nobody stays inside, and no group.
    fn drop(&mut self) {
        let left = fs::read_dir(&self.root, self.groups.as_bytes()).unwrap_or_default();
        let left = left.iter().filter(|entry| entry.file_type() == standin::backend::FileKind::Dir);
        let left: Vec<&[u8]> = left.map(|entry| entry.path().as_bytes()).collect();
        for group in &left {
            let _ = fs::write(&self.root, [group, b"/cgroup.kill".as_slice()].concat(), "1");
        }
        let remove = |group: &[u8]| fs::remove_dir(&self.root, group).is_ok();
        for group in left.into_iter().chain([self.groups.as_bytes()]) {
            let gone = (0..1000).any(|_| {
                let gone = remove(group);
                if !gone {
                    std::thread::sleep(Duration::from_millis(5));
                }
                gone
            });
            if !gone {
                println!("left behind: {}", String::from_utf8_lossy(group));
            }
        }
    }
}

fn on_host() {
    let hierarchy = Host::hierarchy().expect("it was looked for");
    let groups = format!("{hierarchy}/standin-context-{}", std::process::id());
    let stage = Host { root: Linux::here(), groups: KPathBuf::new(groups).expect("a path") };
    fs::create_dir(&stage.root, stage.groups.as_bytes()).expect("a directory for contexts");
    let played = play(&stage);
    let left = fs::read_dir(&stage.root, stage.groups.as_bytes()).expect("it is still there");
    let left = left.iter().filter(|entry| entry.file_name().starts_with("xid-"));
    assert_eq!(left.map(fs::DirEntry::file_name).collect::<Vec<_>>(), ["xid-300"]);
    compare(&played);
}

/// What was said so far.
struct Log<'a> {
    stage: &'a dyn Stage,
    text: String,
}

impl Log<'_> {
    fn head(&mut self, text: &str) {
        let _ = writeln!(self.text, "# {text}");
    }

    fn answer<T>(&mut self, line: &str, answer: Result<T, Error>, print: impl Fn(T) -> String) {
        let answer = match answer {
            Ok(value) => print(value),
            Err(error) => match error.refusal() {
                Some(refusal) => format!("{} {refusal:?}", refusal.errno()),
                None => panic!("{line}: {error}"),
            },
        };
        let _ = writeln!(self.text, "{line}: {answer}");
    }

    fn contexts<'k>(&'k self, kernel: &'k dyn Backend) -> Contexts<'k> {
        Contexts::new(kernel, self.stage.groups())
    }

    fn create(&mut self, who: &str, kernel: &dyn Backend, number: u32, flags: Flags) {
        let answer = self.contexts(kernel).create(id(number), flags);
        self.answer(&format!("{who}> create {number} {}", words(flags)), answer, |()| {
            "ok".to_owned()
        });
    }

    fn migrate(&mut self, who: &str, kernel: &dyn Backend, number: u32, flags: MigrateFlags) {
        let answer = self.contexts(kernel).migrate(id(number), flags);
        let init = if flags.is_empty() { "" } else { " as the first" };
        self.answer(&format!("{who}> migrate {number}{init}"), answer, |()| "ok".to_owned());
    }

    fn membership(&mut self, who: &str, kernel: &dyn Backend, of: &str, task: Option<Pid>) {
        let answer = self.contexts(kernel).membership(task);
        let print = |membership: Membership| membership.to_string();
        self.answer(&format!("{who}> membership of {of}"), answer, print);
    }

    fn kill(&mut self, number: u32, target: Target, of: &str, signal: Option<Signal>) {
        let answer = self.contexts(self.stage.root()).kill(id(number), target, signal);
        let signal = signal.map_or("probe".to_owned(), |signal| signal.to_string());
        self.answer(&format!("root> kill {number} {of} {signal}"), answer, |()| "ok".to_owned());
    }

    fn wait(&mut self, who: &str, kernel: &dyn Backend, number: u32) {
        let answer = self.contexts(kernel).wait(id(number));
        self.answer(&format!("{who}> wait {number}"), answer, |end: End| end.to_string());
    }

    /// Root waits for a context while `act` is done.
    fn wait_while(&mut self, number: u32, act: impl FnOnce(&mut Self)) {
        let stage = self.stage;
        let begun = AtomicBool::new(false);
        let end = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                begun.store(true, Ordering::Release);
                Contexts::new(stage.root(), stage.groups()).wait(id(number))
            });
            while !begun.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            let acted = catch_unwind(AssertUnwindSafe(|| {
                stage.let_wait();
                act(self);
            }));
            if let Err(panic) = acted {
                // Without the context the waiter comes back, and the scope ends.
                let _ =
                    self.contexts(stage.root()).kill(id(number), Target::All, Some(Signal::KILL));
                resume_unwind(panic);
            }
            waiter.join().expect("the waiter does not panic")
        });
        self.answer(&format!("root> wait {number}"), end, |end: End| end.to_string());
    }
}

fn id(number: u32) -> ContextId {
    ContextId::new(number).expect("an id")
}

fn words(flags: Flags) -> String {
    let names: Vec<&str> = flags.iter_names().map(|(name, _)| name).collect();
    if names.is_empty() { "without flags".to_owned() } else { names.join("+") }
}

/// Lets a process exit. It is not waited for as long as it is held: so its end can be asked for.
fn exit(stage: &dyn Stage, process: &dyn Backend, code: i32) {
    let number = number(process);
    assert!(process.exit(ExitCode(code)).is_err(), "who exits hears no answer");
    stage.let_end(number);
}

fn number(process: &dyn Backend) -> Pid {
    process.pid().expect("a number")
}

/// A child that sleeps, and its handle.
fn sleeper(parent: &dyn Backend) -> (Pid, PidHandle) {
    let sleep = KPath::new("/bin/sleep").expect("a path");
    let child = parent.spawn(&Spawn::new(sleep, &[b"sleep", b"1000"])).expect("a child");
    (parent.inspect(&child).expect("it lives").pid, child)
}

/// The scenario.
fn play(stage: &dyn Stage) -> String {
    let mut log = Log { stage, text: String::new() };
    life(&mut log);
    signals(&mut log);
    doors(&mut log);
    strangers(&mut log);
    leftovers(&mut log);
    log.text
}

fn life(log: &mut Log<'_>) {
    let (stage, none) = (log.stage, MigrateFlags::empty());
    log.head("an id is 2 to 65535");
    for number in [0, 1, 65_536, u32::MAX] {
        assert!(ContextId::new(number).is_err(), "{number}");
    }
    log.head("who makes a context is in it, and so are its children");
    let guest = stage.process();
    log.membership("root", stage.root(), "guest", Some(number(&*guest)));
    log.create("guest", &*guest, 100, Flags::NEW);
    log.membership("guest", &*guest, "itself", None);
    log.membership("root", stage.root(), "guest", Some(number(&*guest)));
    let (child, _handle) = sleeper(&*guest);
    log.membership("root", stage.root(), "guest's child", Some(child));
    log.membership("root", stage.root(), "itself", None);
    log.head("an id is one context's");
    let other = stage.process();
    log.create("other", &*other, 100, Flags::NEW);
    log.create("other", &*other, 2, Flags::STATE_ADMIN);
    let third = stage.process();
    log.create("third", &*third, 2, Flags::NEW);
    log.create("third", &*third, 65_535, Flags::NEW);
    log.head("others enter, for good");
    let fourth = stage.process();
    log.migrate("fourth", &*fourth, 100, none);
    log.membership("root", stage.root(), "fourth", Some(number(&*fourth)));
    log.migrate("fourth", &*fourth, 2, none);
    log.migrate("fourth", &*fourth, 100, none);
    log.head("a context ends with its last task, which says how");
    log.kill(100, Target::Process(child), "the child", Some(Signal::KILL));
    exit(stage, &*guest, 1);
    log.wait_while(100, |_| exit(stage, &*fourth, 7));
    log.wait_while(2, |_| exit(stage, &*other, 0));
    log.wait_while(65_535, |log| {
        log.kill(65_535, Target::All, "all", Some(Signal::TERM));
    });
    drop(third);
    for number in [100, 2, 65_535] {
        log.wait("root", stage.root(), number);
    }
    log.head("and its id is free");
    let again = stage.process();
    log.create("again", &*again, 100, Flags::NEW);
    log.wait_while(100, |_| exit(stage, &*again, 0));
}

fn signals(log: &mut Log<'_>) {
    let stage = log.stage;
    log.head("one of them, the first of them, the others, all of them");
    let (maker, init) = (stage.process(), stage.process());
    let first = number(&*maker);
    log.create("maker", &*maker, 200, Flags::NEW);
    log.kill(200, Target::Init, "the first", None);
    log.migrate("init", &*init, 200, MigrateFlags::SET_INIT);
    log.kill(200, Target::Init, "the first", None);
    let (child, handle) = sleeper(&*init);
    log.kill(200, Target::Process(child), "the child", Some(Signal::TERM));
    let end = init.wait(&handle, WaitOptions::default()).expect("its child").expect("it blocks");
    let _ = writeln!(log.text, "init's child: {end:?}");
    log.kill(200, Target::Process(child), "the child that ended", Some(Signal::TERM));
    log.kill(200, Target::Process(number(stage.root())), "one outside", Some(Signal::KILL));
    log.kill(200, Target::Process(Pid(1)), "process 1", Some(Signal::KILL));
    log.kill(200, Target::AllButInit, "the others", Some(Signal::TERM));
    stage.let_end(first);
    log.kill(200, Target::AllButInit, "the others", None);
    log.wait_while(200, |log| log.kill(200, Target::All, "all", Some(Signal::KILL)));
    drop((maker, init));
    log.kill(200, Target::All, "all", None);
}

fn doors(log: &mut Log<'_>) {
    let (stage, none) = (log.stage, MigrateFlags::empty());
    log.head("private: not entered once it is made, and not made otherwise");
    let (maker, other) = (stage.process(), stage.process());
    log.create("maker", &*maker, 400, Flags::INFO_PRIVATE | Flags::STATE_ADMIN);
    log.wait("root", stage.root(), 400);
    log.create("maker", &*maker, 400, Flags::INFO_PRIVATE | Flags::NEW);
    log.migrate("other", &*other, 400, none);
    log.head("who is inside may leave for a new one alone, and the old one ends with that");
    exit(stage, &*other, 0);
    log.create("maker", &*maker, 401, Flags::empty());
    log.kill(400, Target::All, "all", None);
    log.membership("root", stage.root(), "maker", Some(number(&*maker)));
    log.membership("maker", &*maker, "root", Some(number(stage.root())));
    log.head("without STATE_ADMIN the host may look and signal all of those who have no first");
    let late = stage.process();
    log.migrate("late", &*late, 401, none);
    log.kill(401, Target::Process(number(&*maker)), "maker", None);
    log.kill(401, Target::Init, "the first", Some(Signal::KILL));
    log.wait_while(401, |log| log.kill(401, Target::All, "all", Some(Signal::TERM)));
}

fn strangers(log: &mut Log<'_>) {
    let (stage, none) = (log.stage, MigrateFlags::empty());
    log.head("a context that is not there");
    let lost = stage.process();
    log.migrate("lost", &*lost, 500, none);
    log.kill(500, Target::All, "all", Some(Signal::KILL));
    log.wait("root", stage.root(), 500);
    log.head("a process that is not there any more");
    let gone = KPath::new("/bin/true").expect("a path");
    let child = stage.root().spawn(&Spawn::new(gone, &[b"true"])).expect("a child");
    let pid = stage.root().inspect(&child).expect("not waited for").pid;
    stage.root().wait(&child, WaitOptions::default()).expect("its end");
    log.membership("root", stage.root(), "one that ended", Some(pid));
    log.head("a user");
    let user = stage.user();
    log.create("lost", &*lost, 500, Flags::NEW);
    log.create("user", &*user, 501, Flags::NEW);
    log.migrate("user", &*user, 500, none);
    log.membership("user", &*user, "itself", None);
    log.wait("user", &*user, 500);
    let answer = log.contexts(&*user).kill(id(500), Target::All, Some(Signal::KILL));
    log.answer("user> kill 500 all KILL", answer, |()| "ok".to_owned());
    log.wait_while(500, |_| exit(stage, &*lost, 3));
}

fn leftovers(log: &mut Log<'_>) {
    let stage = log.stage;
    log.head("a context that stays when it is empty");
    let maker = stage.process();
    log.create("maker", &*maker, 300, Flags::NEW | Flags::PERSISTENT);
    exit(stage, &*maker, 0);
    log.kill(300, Target::All, "all", None);
    let other = stage.process();
    log.create("other", &*other, 300, Flags::NEW);
    log.migrate("other", &*other, 300, MigrateFlags::empty());
    log.kill(300, Target::All, "all", None);
    exit(stage, &*other, 0);
    log.kill(300, Target::All, "all", Some(Signal::KILL));
}
