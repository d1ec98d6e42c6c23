//! The cgroup library where hierarchies of v1 are mounted.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use standin::backend::{Files as _, MountFlags, Processes as _};
use standin::cgroup::{
    Code, Creation, Error, Group, GroupKind, GroupPath, Hierarchies, Hierarchy, Rule, Version,
};
use standin::path::Place;
use standin::{Backend, Controller, ControllerSet, Errno, KPath, Pid, Tid, fs};
use standin_sim::{Layout, Machine, Release, View};

fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

fn create(kernel: &dyn Backend, hierarchy: &Hierarchy, group: &str) -> Group {
    Creation::new(path(group)).create(kernel, hierarchy).unwrap()
}

#[track_caller]
fn assert_rule(refused: &Error, errno: Option<Errno>, rule: &Rule) {
    assert_eq!((refused.errno(), refused.rule()), (errno, Some(rule)), "{refused}");
}

/// A machine whose controllers are all in v1, processor time and its accounts together.
fn boot_v1() -> (Machine, View, Hierarchies) {
    let joined = [Controller::Cpu, Controller::Cpuacct];
    let machine = Machine::builder().layout(Layout::Legacy).join_controllers(&joined).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    (machine, root, hierarchies)
}

#[test]
fn a_controller_is_found_in_the_hierarchy_that_has_it_whatever_its_version() {
    let (_machine, root, hierarchies) = boot_v1();
    let at = |controller| {
        let hierarchy = hierarchies.with(&root, controller).unwrap();
        (hierarchy.version(), hierarchy.mount_point().to_string())
    };
    assert_eq!(at(Controller::Pids), (Version::V1, "/sys/fs/cgroup/pids".into()));
    assert_eq!(at(Controller::Cpu), at(Controller::Cpuacct), "one hierarchy has both");
    let machine = Machine::builder().build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    assert_eq!(
        (pids.version(), pids.mount_point()),
        (Version::V2, hierarchies.unified().unwrap().mount_point())
    );
    let refused = hierarchies.with(&root, Controller::Freezer).unwrap_err();
    assert_rule(&refused, None, &Rule::ControllerMissing(Controller::Freezer.into()));
    assert_eq!(refused.code(), Code::SUBSYSTEM_NOT_MOUNTED);
}

#[test]
fn a_hierarchy_without_controllers_is_found_by_its_name() {
    let (_machine, root, hierarchies) = boot_v1();
    assert!(hierarchies.named("mine").is_err());
    let [kind, at, options] =
        ["cgroup", "/mnt/mine", "none,name=mine"].map(|text| KPath::new(text).unwrap());
    fs::create_dir(&root, "/mnt/mine").unwrap();
    root.mount(kind, Place::cwd(at), MountFlags::empty(), options).unwrap();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let mine = hierarchies.named("mine").unwrap();
    assert_eq!(mine.controllers(&root).unwrap(), ControllerSet::EMPTY);
    let group = create(&root, mine, "a/b");
    assert_eq!(group.processes(&root).unwrap(), []);
}

#[test]
fn a_group_of_v1_is_made_filled_and_removed_like_one_of_v2() {
    let (_machine, root, hierarchies) = boot_v1();
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    let creation = Creation::new(path("a/b")).with(Controller::Pids).set("pids.max", 5).unwrap();
    let plan = creation.plan(&root, pids).unwrap();
    assert_eq!(plan.to_string(), "create /a\ncreate /a/b\nwrite pids.max of /a/b: 5\n");
    let group = plan.apply(&root).unwrap().into_group();
    assert_eq!(group.kind(&root).unwrap(), GroupKind::V1);
    assert_eq!(group.controllers(&root).unwrap(), Controller::Pids.into());

    let worker = root.fork().unwrap();
    group.attach(&root, worker.pid().unwrap()).unwrap();
    assert_eq!(group.threads(&root).unwrap(), [Tid(worker.pid().unwrap().0)]);
    let refused = group.delete(&root).unwrap_err();
    let processes = vec![worker.pid().unwrap()];
    assert_rule(&refused, Some(Errno::EBUSY), &Rule::Occupied { processes, children: Vec::new() });
    let above = pids.open(&root, &GroupPath::root()).unwrap();
    above.attach_thread(&root, Tid(worker.pid().unwrap().0)).unwrap();
    group.delete(&root).unwrap();
}

#[test]
fn what_a_v1_hierarchy_does_not_have_is_refused_before_anything_is_made() {
    let (_machine, root, hierarchies) = boot_v1();
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    let refused = Creation::new(path("a")).with(Controller::Memory).plan(&root, pids).unwrap_err();
    assert_rule(&refused, None, &Rule::ControllerMissing(Controller::Memory.into()));
    let top = pids.open(&root, &GroupPath::root()).unwrap();
    top.enable(&root, Controller::Pids).unwrap();
    let refused = top.disable(&root, Controller::Pids).unwrap_err();
    assert_rule(&refused, None, &Rule::Kind(GroupKind::V1));
    assert_eq!(top.children(&root).unwrap(), []);
}

#[test]
fn a_v1_cpuset_takes_nobody_until_it_has_processors_and_nodes() {
    // Newer kernels of Debian have no cpuset in v1.
    let machine = Machine::builder().kernel(Release::V6_1).layout(Layout::Legacy).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    let cpuset = hierarchies.with(&root, Controller::Cpuset).unwrap();
    let group = create(&root, cpuset, "a");
    let refused = group.attach(&root, Pid::ZERO).unwrap_err();
    assert_rule(&refused, Some(Errno::ENOSPC), &Rule::EmptyCpuset);
    group.set(&root, "cpuset.cpus", "0").unwrap();
    group.set(&root, "cpuset.mems", "0").unwrap();
    group.attach(&root, Pid::ZERO).unwrap();
}
