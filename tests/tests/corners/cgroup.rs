//! The cgroup library's first path, the same on the machine and on this host: a group is planned, made, given a value,
//! lived in, listed, refused to be removed, and removed.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use standin::backend::{Access, Processes as _};
use standin::cgroup::{
    Code, Created, Creation, GroupName, GroupPath, Hierarchies, Limit, Rule, Value,
};
use standin::path::Place;
use standin::{Backend, Controller, Errno, Pid, Uid, fs};
use standin_linux::{AgentOptions, Linux};
use standin_sim::{Machine, Release};

use crate::Corner;

pub(crate) fn corners() -> Vec<Corner> {
    vec![
        Corner {
            name: "a cgroup is made, lived in and removed on the machine",
            missing: None,
            show: on_the_machine,
        },
        Corner {
            name: "a cgroup is made, lived in and removed on this host",
            missing: missing_here(),
            show: on_this_host,
        },
    ]
}

fn on_the_machine() {
    for release in Release::ALL {
        let machine = Machine::builder().kernel(release).build();
        let root = machine.root();
        let worker = root.fork().unwrap();
        let limit = (Controller::Pids, "pids.max", 5);
        a_group_lives("standin-corner", &root, worker.pid().unwrap(), Some(limit));
        assert!(!machine.look().tree().contains("standin"), "only the root is left");
        machine.check().unwrap();
        machine.finish().unwrap();
    }
}

/// Controllers that may be in a host's v2 hierarchy, each with a limit and a value that every kernel keeps as it is.
const LIMITS: [(Controller, &str, u64); 3] = [
    (Controller::Pids, "pids.max", 5),
    (Controller::Memory, "memory.max", 4 << 20),
    (Controller::Hugetlb, "hugetlb.2MB.max", 4 << 20),
];

fn on_this_host() {
    let kernel = Linux::here();
    let worker = Linux::agent(&AgentOptions::default()).unwrap();
    let hierarchies = Hierarchies::find(&kernel).unwrap();
    let there = hierarchies.unified().unwrap().controllers(&kernel).unwrap();
    let limit = LIMITS.into_iter().find(|(controller, _, _)| there.contains(*controller));
    let name = format!("standin-corner-{}", kernel.pid().unwrap());
    a_group_lives(&name, &kernel, worker.pid().unwrap(), limit);
}

/// Why this host cannot show it.
pub(crate) fn missing_here() -> Option<String> {
    let kernel = Linux::here();
    let user = kernel.credentials().ok()?.user.effective;
    if user != Uid::ROOT {
        return Some(format!("needs root, this is user {user}"));
    }
    let mount = match Hierarchies::find(&kernel).and_then(|all| all.unified().cloned()) {
        Ok(hierarchy) => hierarchy.mount_point().to_owned(),
        Err(error) => return Some(error.to_string()),
    };
    let writable = standin::backend::Files::access(&kernel, Place::cwd(&mount), Access::WRITE);
    writable.err().map(|failure| format!("{mount} cannot be written: {failure}"))
}

/// Takes back what was made, also when the test has failed by then.
struct Cleanup<'a> {
    kernel: &'a dyn Backend,
    created: Created,
    worker: Pid,
}

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let root = self.created.group().hierarchy().open(self.kernel, &GroupPath::root());
        let undone = root
            .and_then(|root| root.attach(self.kernel, self.worker))
            .and_then(|()| self.created.undo(self.kernel));
        match undone {
            Err(error) if std::thread::panicking() => eprintln!("left behind: {error}"),
            other => other.unwrap(),
        }
    }
}

/// The scenario: all that a backend has to offer is its kernel's v2 hierarchy, a process to move, and, if there is one,
/// a controller with a limit.
fn a_group_lives(
    name: &str,
    kernel: &dyn Backend,
    worker: Pid,
    limit: Option<(Controller, &str, u64)>,
) {
    let hierarchies = Hierarchies::find(kernel).unwrap();
    let hierarchy = hierarchies.unified().unwrap();
    let root = hierarchy.open(kernel, &GroupPath::root()).unwrap();
    let outer = GroupPath::new(name).unwrap();
    let enabled_before = root.enabled(kernel).unwrap();

    // Planned, and nothing has happened yet.
    let mut wanted = Creation::new(GroupPath::new(format!("{name}/inner")).unwrap());
    wanted = wanted.set("cgroup.max.descendants", 3).unwrap();
    if let Some((controller, file, value)) = limit {
        wanted = wanted.with(controller).set(file, value).unwrap();
    }
    let plan = wanted.plan(kernel, hierarchy).unwrap();
    assert!(!root.children(kernel).unwrap().contains(&outer.name().unwrap()));

    // Made, with its values.
    let cleanup = Cleanup { kernel, created: plan.apply(kernel).unwrap(), worker };
    let group = cleanup.created.group();
    let limit_of = |file| group.get(kernel, file).unwrap().limit().unwrap();
    assert_eq!(limit_of("cgroup.max.descendants"), Limit::At(3));
    if let Some((controller, file, value)) = limit {
        assert_eq!(limit_of(file), Limit::At(value));
        assert!(root.enabled(kernel).unwrap().contains(controller));
        group.set(kernel, file, Limit::Max).unwrap();
        assert_ne!(limit_of(file), Limit::At(value));
    }
    let again = wanted.plan(kernel, hierarchy).unwrap_err();
    assert_eq!(again.rule(), Some(&Rule::Taken));

    // Listed.
    let inner = GroupName::new("inner").unwrap();
    let parent = hierarchy.open(kernel, &outer).unwrap();
    assert_eq!(parent.children(kernel).unwrap(), std::slice::from_ref(&inner));
    assert_eq!(group.children(kernel).unwrap(), []);
    assert_eq!(group.processes(kernel).unwrap(), []);

    // Lived in: what /proc says is no word of the library's.
    group.attach(kernel, worker).unwrap();
    assert_eq!(group.processes(kernel).unwrap(), [worker]);
    assert!(group.threads(kernel).unwrap().iter().any(|thread| thread.0 == worker.0));
    let told = fs::read_to_string(kernel, format!("/proc/{worker}/cgroup")).unwrap();
    assert!(told.lines().any(|line| line == format!("0::/{name}/inner")), "{told}");

    // Not removed while somebody is in it, and nobody was moved out to try.
    let refused = group.delete(kernel).unwrap_err();
    let occupied = Rule::Occupied { processes: vec![worker], children: Vec::new() };
    assert_eq!((refused.errno(), refused.rule()), (Some(Errno::EBUSY), Some(&occupied)));
    assert_eq!(refused.code(), Code::NON_EMPTY);
    assert_eq!(group.processes(kernel).unwrap(), [worker]);
    let refused = parent.delete(kernel).unwrap_err();
    let occupied = Rule::Occupied { processes: Vec::new(), children: vec![inner] };
    assert_eq!(refused.rule(), Some(&occupied));

    // What the kernel does not take changes nothing.
    for wrong in ["some", "-1", "99999999999999999999999", ""] {
        let refused = group.set(kernel, "cgroup.max.descendants", wrong).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::BadValue), "{wrong:?}: {refused}");
    }
    let long = Value::new("9".repeat(5000)).unwrap();
    let refused = group.set(kernel, "cgroup.max.descendants", long).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::TooLong { length: 5000 }));
    assert_eq!(limit_of("cgroup.max.descendants"), Limit::At(3));
    let refused = group.set(kernel, "cgroup.controllers", 1).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::NotWritable));

    // A value that is refused takes back the groups that were made for it, and only these.
    let leaf = GroupPath::new(format!("{name}/inner/one/two")).unwrap();
    let refused = Creation::new(leaf.clone()).set("cgroup.max.depth", "deep").unwrap();
    let refused = refused.create(kernel, hierarchy).unwrap_err();
    assert_eq!((refused.rule(), refused.left()), (Some(&Rule::BadValue), [].as_slice()));
    assert_eq!(group.children(kernel).unwrap(), []);

    // A group that vanished is not taken for another of its name.
    let leaf = GroupPath::new(format!("{name}/inner/leaf")).unwrap();
    let first = Creation::new(leaf.clone()).create(kernel, hierarchy).unwrap();
    first.delete(kernel).unwrap();
    let second = Creation::new(leaf).create(kernel, hierarchy).unwrap();
    for refused in [
        first.get(kernel, "cgroup.type").unwrap_err(),
        first.set(kernel, "cgroup.max.depth", 1).unwrap_err(),
        first.children(kernel).unwrap_err(),
        first.attach(kernel, worker).unwrap_err(),
        first.delete(kernel).unwrap_err(),
    ] {
        assert_eq!(refused.rule(), Some(&Rule::Vanished), "{refused}");
        assert_eq!(refused.code(), Code::NOT_EXIST);
    }
    second.delete(kernel).unwrap();

    // Left, removed, and the hierarchy is as it was.
    root.attach(kernel, worker).unwrap();
    drop(cleanup);
    assert_eq!(root.enabled(kernel).unwrap(), enabled_before);
    let gone = hierarchy.open(kernel, &outer).unwrap_err();
    assert_eq!(gone.rule(), Some(&Rule::Missing));
    let directory = format!("{}/{name}", hierarchy.mount_point());
    let looked = fs::metadata(kernel, directory).unwrap_err();
    assert_eq!(looked.errno(), Some(Errno::ENOENT));
    assert!(root.processes(kernel).unwrap().contains(&worker));
}
