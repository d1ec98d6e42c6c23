//! The cgroup library where things go wrong: hostile names, hierarchies that are not there, groups that vanish, values
//! that a kernel refuses, faults at every single call. Each is a typed error, and nothing is left half done.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::sync::atomic::{AtomicUsize, Ordering};

use standin::backend::{Files as _, MountFlags, Processes as _};
use standin::cgroup::{
    Action, Code, Creation, Error, Fault, Group, GroupKind, GroupPath, Hierarchies, Hierarchy,
    Limit, Rule, Value, ValueError,
};
use standin::layer::{Call, Layer, Layered};
use standin::path::Place;
use standin::{Backend, Controller, ControllerSet, Errno, Failure, Gid, KPath, Pid, Tid, Uid, fs};
use standin_sim::{Layout, Machine, View};

fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

/// A machine's root and its hierarchy.
fn boot() -> (Machine, View, Hierarchy) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let hierarchy = unified(&root);
    (machine, root, hierarchy)
}

fn unified(kernel: &dyn Backend) -> Hierarchy {
    Hierarchies::find(kernel).unwrap().unified().unwrap().clone()
}

fn create(kernel: &dyn Backend, hierarchy: &Hierarchy, group: &str) -> Group {
    Creation::new(path(group)).create(kernel, hierarchy).unwrap()
}

/// All groups, and what each enables for its children.
fn picture(kernel: &dyn Backend, hierarchy: &Hierarchy) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = vec![hierarchy.open(kernel, &GroupPath::root()).unwrap()];
    while let Some(group) = left.pop() {
        lines.push(format!("{} [{}]", group.path(), group.enabled(kernel).unwrap()));
        let children = group.children(kernel).unwrap();
        left.extend(children.iter().map(|name| group.child(kernel, name).unwrap()));
    }
    lines.sort_unstable();
    lines
}

#[track_caller]
fn assert_rule(refused: &Error, errno: Option<Errno>, rule: &Rule) {
    assert_eq!((refused.errno(), refused.rule()), (errno, Some(rule)), "{refused}");
}

#[test]
fn a_file_name_that_leads_elsewhere_reaches_no_kernel() {
    let (_machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let cases = [
        ("../b/cgroup.procs", Fault::Slash),
        ("/proc/self/status", Fault::Slash),
        ("..", Fault::Dots),
        ("", Fault::Empty),
        ("pids.max\0", Fault::Nul),
        ("pids\nmax", Fault::Newline),
    ];
    for (file, why) in cases {
        let errors = [group.get(&root, file).unwrap_err(), group.set(&root, file, 1).unwrap_err()];
        for refused in errors {
            assert!(matches!(refused.rule(), Some(Rule::Name(error)) if error.why == why));
            assert_eq!((refused.failure(), refused.code()), (None, Code::INVALID));
        }
        assert!(Creation::new(path("b")).set(file, 1).is_err());
    }
}

#[test]
fn a_machine_without_cgroup2_says_so_and_what_to_do() {
    let machine = Machine::builder().layout(Layout::Legacy).build();
    let refused = Hierarchies::find(&machine.root()).unwrap().unified().unwrap_err().clone();
    assert_rule(&refused, None, &Rule::NotMounted);
    assert_eq!((refused.action(), refused.code()), (Action::Find, Code::NOT_MOUNTED));
    assert_eq!(
        refused.to_string(),
        "find the hierarchies by /proc/self/mountinfo: no such hierarchy is mounted here: mount it, or use a view \
         that sees it"
    );
}

#[test]
fn a_mount_that_is_covered_is_not_taken_for_the_hierarchy() {
    let (_machine, root, _) = boot();
    let [tmpfs, cgroup2, at, elsewhere, none] =
        ["tmpfs", "cgroup2", "/sys/fs/cgroup", "/mnt/a b", ""]
            .map(|text| KPath::new(text).unwrap());
    root.mount(tmpfs, Place::cwd(at), MountFlags::empty(), none).unwrap();
    let refused = Hierarchies::find(&root).unwrap().unified().unwrap_err().clone();
    assert_rule(&refused, None, &Rule::NotMounted);

    fs::create_dir(&root, "/mnt/a b").unwrap();
    root.mount(cgroup2, Place::cwd(elsewhere), MountFlags::empty(), none).unwrap();
    let hierarchy = unified(&root);
    assert_eq!(hierarchy.mount_point(), elsewhere, "found through its escaped name");
    create(&root, &hierarchy, "a").delete(&root).unwrap();
}

#[test]
fn without_proc_the_refusal_names_the_file() {
    let (_machine, root, _) = boot();
    root.umount(Place::cwd(KPath::new("/proc").unwrap())).unwrap();
    let refused = Hierarchies::find(&root).unwrap_err();
    assert_eq!(refused.to_string(), "find the hierarchies by /proc/self/mountinfo: ENOENT");
}

#[test]
fn a_value_of_two_lines_or_with_a_nul_is_refused_before_the_kernel_is_asked() {
    let (_machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let cases = [
        ("1\n2", ValueError::Newline { at: 1 }),
        ("1\n", ValueError::Newline { at: 1 }),
        ("1\0", ValueError::Nul { at: 1 }),
    ];
    for (text, error) in cases {
        let refused = group.set(&root, "cgroup.max.depth", text).unwrap_err();
        assert_rule(&refused, None, &Rule::Value(error));
        assert!(Creation::new(path("b")).set("cgroup.max.depth", text).is_err());
    }
    assert_eq!(group.get(&root, "cgroup.max.depth").unwrap().limit().unwrap(), Limit::Max);
}

#[test]
fn a_value_longer_than_a_page_is_refused_whole() {
    let (_machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let value = |length| Value::new("1".repeat(length)).unwrap();
    let refused = group.set(&root, "cgroup.max.depth", value(4097)).unwrap_err();
    assert_rule(&refused, Some(Errno::E2BIG), &Rule::TooLong { length: 4097 });
    let refused = group.set(&root, "cgroup.max.depth", value(4096)).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::BadValue));
    assert_eq!(group.get(&root, "cgroup.max.depth").unwrap().limit().unwrap(), Limit::Max);
}

#[test]
fn a_file_that_is_not_there_is_told_apart_from_a_controller_that_is_off_or_missing() {
    let (_machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let cases = [
        ("cgroup.nosuch", Rule::NoFile),
        ("nosuch", Rule::NoFile),
        ("pids.max", Rule::ControllerOff(Controller::Pids)),
        ("devices.allow", Rule::ControllerMissing(Controller::Devices.into())),
    ];
    for (file, rule) in cases {
        let refused = group.get(&root, file).unwrap_err();
        assert_rule(&refused, Some(Errno::ENOENT), &rule);
        assert_eq!(refused.file(), Some(file));
        let missing = matches!(rule, Rule::ControllerMissing(_));
        let code = if missing { Code::SUBSYSTEM_NOT_MOUNTED } else { Code::VALUE_NOT_EXIST };
        assert_eq!(refused.code(), code);
    }
    hierarchy.open(&root, &GroupPath::root()).unwrap().enable(&root, Controller::Pids).unwrap();
    let refused = group.get(&root, "pids.nosuch").unwrap_err();
    assert_rule(&refused, Some(Errno::ENOENT), &Rule::NoFile);
    // A child group is no file.
    create(&root, &hierarchy, "a/b");
    assert_eq!(group.get(&root, "b").unwrap_err().rule(), Some(&Rule::NoFile));
    assert_eq!(group.set(&root, "b", 1).unwrap_err().rule(), Some(&Rule::NoFile));
}

#[test]
fn a_file_for_the_other_direction_is_named_as_one_for_root_and_for_others() {
    let (machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let refused = group.set(&root, "cgroup.events", 1).unwrap_err();
    assert_rule(&refused, Some(Errno::EINVAL), &Rule::NotWritable);
    let refused = group.get(&root, "cgroup.kill").unwrap_err();
    assert_rule(&refused, Some(Errno::EINVAL), &Rule::NotReadable);

    let user = machine.user(1000);
    let seen = unified(&user).open(&user, &path("a")).unwrap();
    let refused = seen.set(&user, "cgroup.events", 1).unwrap_err();
    assert_rule(&refused, Some(Errno::EACCES), &Rule::NotWritable);
    let refused = seen.set(&user, "cgroup.max.depth", 1).unwrap_err();
    assert_rule(&refused, Some(Errno::EACCES), &Rule::Permission);
    assert_eq!(refused.code(), Code::NOT_ALLOWED);
}

#[test]
fn a_handle_of_another_view_is_refused_and_means_nothing_there() {
    let (machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let user = machine.user(0);
    assert_eq!(group.get(&user, "cgroup.procs").unwrap_err().errno(), Some(Errno::EBADF));
    assert_eq!(group.delete(&user).unwrap_err().errno(), Some(Errno::EBADF));
    assert!(group.children(&root).unwrap().is_empty());
}

#[test]
fn planning_changes_nothing_and_finds_what_can_be_found() {
    let (_machine, root, hierarchy) = boot();
    create(&root, &hierarchy, "taken");
    let before = picture(&root, &hierarchy);
    let refused = |creation: Creation| creation.plan(&root, &hierarchy).unwrap_err();
    assert_eq!(refused(Creation::new(GroupPath::root())).rule(), Some(&Rule::Root));
    assert_eq!(refused(Creation::new(path("taken"))).rule(), Some(&Rule::Taken));
    let devices = Creation::new(path("a/b")).with(Controller::Devices);
    let missing = Rule::ControllerMissing(Controller::Devices.into());
    assert_eq!(refused(devices).rule(), Some(&missing));
    let unasked = Creation::new(path("a")).set("pids.max", 1).unwrap();
    assert_eq!(refused(unasked).rule(), Some(&Rule::ControllerOff(Controller::Pids)));
    // What the kernel counts for every group needs no controller.
    Creation::new(path("a"))
        .set("cpu.pressure", "some 150000 1000000")
        .unwrap()
        .plan(&root, &hierarchy)
        .unwrap();
    assert_eq!(picture(&root, &hierarchy), before);
}

#[test]
fn a_group_with_processes_above_is_found_while_planning() {
    let (_machine, root, hierarchy) = boot();
    let above = create(&root, &hierarchy, "a");
    let worker = root.fork().unwrap();
    let pid = worker.pid().unwrap();
    above.attach(&root, pid).unwrap();
    let wanted = Creation::new(path("a/b")).with(Controller::Memory);
    let before = picture(&root, &hierarchy);
    let refused = wanted.plan(&root, &hierarchy).unwrap_err();
    assert_rule(&refused, None, &Rule::InternalProcesses { processes: vec![pid] });
    assert_eq!(refused.group(), Some(&path("a")));
    assert_eq!(picture(&root, &hierarchy), before);

    // The kernel says the same, later.
    hierarchy.open(&root, &GroupPath::root()).unwrap().enable(&root, Controller::Memory).unwrap();
    let refused = above.enable(&root, Controller::Memory).unwrap_err();
    let rule = Rule::InternalProcesses { processes: vec![pid] };
    assert_rule(&refused, Some(Errno::EBUSY), &rule);
}

#[test]
fn controllers_are_enabled_all_or_none_and_the_error_says_which_is_in_the_way() {
    let (_machine, root, hierarchy) = boot();
    let top = hierarchy.open(&root, &GroupPath::root()).unwrap();
    let both: ControllerSet = [Controller::Pids, Controller::Devices].into_iter().collect();
    let refused = top.enable(&root, both).unwrap_err();
    assert_eq!(refused.rule(), None, "EINVAL: no controller of this hierarchy has that name");
    assert_eq!(refused.errno(), Some(Errno::EINVAL));
    assert!(top.enabled(&root).unwrap().is_empty());

    let a = create(&root, &hierarchy, "a");
    let refused = a.enable(&root, Controller::Pids).unwrap_err();
    assert_rule(&refused, Some(Errno::ENOENT), &Rule::ControllerOff(Controller::Pids));
    top.enable(&root, Controller::Pids).unwrap();
    a.enable(&root, Controller::Pids).unwrap();
    let refused = top.disable(&root, Controller::Pids).unwrap_err();
    let children = vec![path("a").name().unwrap()];
    assert_rule(&refused, Some(Errno::EBUSY), &Rule::UsedBelow { children });
    a.disable(&root, Controller::Pids).unwrap();
    top.disable(&root, Controller::Pids).unwrap();
}

#[test]
fn attaching_says_which_rule_forbids_it() {
    let (machine, root, hierarchy) = boot();
    let worker = root.fork().unwrap();
    let pid = worker.pid().unwrap();
    let group = create(&root, &hierarchy, "a");
    for nobody in [Pid(4_000_000), Pid(u32::MAX)] {
        let refused = group.attach(&root, nobody).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::NoSuchTask), "{refused}");
    }
    Creation::new(path("a/b")).with(Controller::Memory).create(&root, &hierarchy).unwrap();
    let refused = group.attach(&root, pid).unwrap_err();
    let rule = Rule::SharesOut(Controller::Memory.into());
    assert_rule(&refused, Some(Errno::EBUSY), &rule);

    // A delegated group takes what was below it, and nothing from outside.
    let mine = create(&root, &hierarchy, "mine");
    for file in ["", "/cgroup.procs"] {
        let name = format!("/sys/fs/cgroup/mine{file}");
        fs::chown(&root, name, Some(Uid(1000)), Some(Gid(1000))).unwrap();
    }
    let user = machine.user(1000);
    let seen = unified(&user).open(&user, mine.path()).unwrap();
    let refused = seen.attach(&user, Pid::ZERO).unwrap_err();
    assert_rule(&refused, Some(Errno::EACCES), &Rule::Containment);
    assert_eq!(group.processes(&root).unwrap(), []);
}

#[test]
fn threads_and_processes_are_moved_and_listed_apart() {
    let (_machine, root, hierarchy) = boot();
    let worker = root.fork().unwrap();
    let thread = worker.spawn_thread().unwrap().tid().unwrap();
    let pid = worker.pid().unwrap();
    let domain = create(&root, &hierarchy, "a");
    let threaded = create(&root, &hierarchy, "a/t");
    threaded.set(&root, "cgroup.type", "threaded").unwrap();
    assert_eq!(domain.kind(&root).unwrap(), GroupKind::DomainThreaded);
    domain.attach(&root, pid).unwrap();

    threaded.attach_thread(&root, thread).unwrap();
    assert_eq!(threaded.threads(&root).unwrap(), [thread]);
    assert_eq!(domain.threads(&root).unwrap(), [Tid(pid.0)]);
    assert_eq!(domain.processes(&root).unwrap(), [pid], "a process is in its domain");
    let refused = threaded.processes(&root).unwrap_err();
    assert_rule(&refused, Some(Errno::EOPNOTSUPP), &Rule::Kind(GroupKind::Threaded));
    assert_eq!(refused.code(), Code::UNSUPPORTED);
    let refused = threaded.delete(&root).unwrap_err();
    let rule = Rule::Occupied { processes: vec![Pid(thread.0)], children: Vec::new() };
    assert_rule(&refused, Some(Errno::EBUSY), &rule);

    let invalid = create(&root, &hierarchy, "a/i");
    assert_eq!(invalid.kind(&root).unwrap(), GroupKind::DomainInvalid);
    let refused = invalid.attach(&root, pid).unwrap_err();
    assert_rule(&refused, Some(Errno::EOPNOTSUPP), &Rule::Kind(GroupKind::DomainInvalid));
}

#[test]
fn a_limit_of_groups_is_named_with_the_group_that_has_it() {
    let (_machine, root, hierarchy) = boot();
    let a = create(&root, &hierarchy, "a");
    create(&root, &hierarchy, "a/b");
    a.set(&root, "cgroup.max.depth", 1).unwrap();
    hierarchy
        .open(&root, &GroupPath::root())
        .unwrap()
        .set(&root, "cgroup.max.descendants", 2)
        .unwrap();
    let refused = Creation::new(path("a/b/c")).create(&root, &hierarchy).unwrap_err();
    let limits =
        vec![(path("a"), "cgroup.max.depth"), (GroupPath::root(), "cgroup.max.descendants")];
    assert_rule(&refused, Some(Errno::EAGAIN), &Rule::Full { limits });
    assert_eq!(
        refused.to_string(),
        "create /a/b/c: EAGAIN (no more groups are allowed by cgroup.max.depth of /a, cgroup.max.descendants of /)"
    );
}

/// Lets a number of calls through and refuses the next; the others pass again.
struct RefuseOne {
    left: AtomicUsize,
    with: Failure,
}

impl Layer for RefuseOne {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        match self.left.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(self.with.clone()),
            _ => Ok(()),
        }
    }
}

#[test]
fn a_creation_that_is_refused_at_any_single_call_leaves_all_as_it_was() {
    let (machine, root, hierarchy) = boot();
    create(&root, &hierarchy, "there");
    let before = picture(&root, &hierarchy);
    let wanted = Creation::new(path("there/a/b"))
        .with(Controller::Memory)
        .with(Controller::Pids)
        .set("pids.max", 5)
        .unwrap()
        .set("memory.max", Limit::Max)
        .unwrap();
    let mut refused = 0;
    for nth in 1..500 {
        let layer = RefuseOne { left: AtomicUsize::new(nth), with: Errno::EIO.into() };
        let faulty = Layered::new(&root, layer);
        match wanted.plan(&faulty, &hierarchy).and_then(|plan| plan.apply(&faulty)) {
            Ok(created) => {
                created.undo(&root).unwrap();
                assert_eq!(picture(&root, &hierarchy), before);
                // Else the refused call was a look that nothing depends on.
                if (1..=nth).contains(&faulty.layer().left.load(Ordering::Relaxed)) {
                    assert!(refused > 20, "only {refused} calls were refused: this proves little");
                    machine.finish().unwrap();
                    return;
                }
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error.left(), [], "call {nth}: {error}");
                assert_eq!(error.errno(), Some(Errno::EIO), "call {nth}: {error}");
                assert_eq!(picture(&root, &hierarchy), before, "call {nth}: {error}");
            }
        }
    }
    panic!("no end of calls");
}

#[test]
fn a_failure_that_no_kernel_answered_is_handed_on_unexplained() {
    let (_machine, root, hierarchy) = boot();
    let group = create(&root, &hierarchy, "a");
    let layer = RefuseOne { left: AtomicUsize::new(1), with: Failure::CallerDied };
    let dead = Layered::new(&root, layer);
    let refused = group.set(&dead, "cgroup.max.depth", 1).unwrap_err();
    assert_eq!((refused.failure(), refused.rule()), (Some(&Failure::CallerDied), None));
}

#[test]
fn what_another_did_meanwhile_is_used_and_not_taken_back() {
    let (_machine, root, hierarchy) = boot();
    let wanted = Creation::new(path("a/b")).with(Controller::Pids);
    let plan = wanted.plan(&root, &hierarchy).unwrap();
    // Between plan and steps somebody makes the group above and enables the controller for it.
    let other = Creation::new(path("a/other")).with(Controller::Pids);
    other.create(&root, &hierarchy).unwrap();
    let before = picture(&root, &hierarchy);
    let created = plan.apply(&root).unwrap();
    created.undo(&root).unwrap();
    assert_eq!(picture(&root, &hierarchy), before);

    // And if it is the wanted group itself, it is theirs.
    let plan = wanted.plan(&root, &hierarchy).unwrap();
    create(&root, &hierarchy, "a/b");
    let before = picture(&root, &hierarchy);
    let refused = plan.apply(&root).unwrap_err();
    assert_rule(&refused, Some(Errno::EEXIST), &Rule::Taken);
    assert_eq!(picture(&root, &hierarchy), before);
}

#[test]
fn what_cannot_be_taken_back_is_told() {
    let (_machine, root, hierarchy) = boot();
    let created = Creation::new(path("a/b")).plan(&root, &hierarchy).unwrap().apply(&root).unwrap();
    create(&root, &hierarchy, "a/other");
    let refused = created.undo(&root).unwrap_err();
    assert_eq!((refused.errno(), refused.group()), (Some(Errno::EBUSY), Some(&path("a"))));
    assert_eq!(picture(&root, &hierarchy), ["/ []", "/a []", "/a/other []"]);
}
