//! The cgroup library where a tree of groups is wanted: as few steps as there can be, none the second time, and nothing of it
//! where one of them is refused.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use standin::backend::Processes as _;
use standin::cgroup::{
    Deletion, Description, Ensure, GroupPath, Hierarchies, Members, Modes, Owner, Owners, Rule,
    Subsystem, Version,
};
use standin::layer::{Call, Layer, Layered};
use standin::{Backend, Controller, Errno, Failure, Gid, Mode, Pid, Uid, fs};
use standin_linux::Linux;
use standin_sim::{BlockDevice, Layout, Machine, Release, View};

const LAYOUTS: [Layout; 3] = [Layout::Unified, Layout::Legacy, Layout::Hybrid];

fn boot(layout: Layout) -> (Machine, View, Hierarchies) {
    let machine = Machine::builder().kernel(Release::V6_1).layout(layout).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    (machine, root, hierarchies)
}

fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

/// A group with values: each belongs to the controller that its file begins with, or to none.
fn group(name: &str, values: &[(&str, &str)]) -> Description {
    let mut group = Description::new(path(name));
    for (file, value) in values {
        let subsystem: Subsystem = file.split('.').next().unwrap().parse().unwrap();
        if group.part(&subsystem).is_none() {
            group.add(subsystem.clone()).unwrap();
        }
        group.part_mut(&subsystem).unwrap().add(file, *value).unwrap();
    }
    group
}

fn with(name: &str, controllers: &[Controller]) -> Description {
    let mut group = Description::new(path(name));
    for controller in controllers {
        group.add(*controller).unwrap();
    }
    group
}

fn worker(kernel: &View) -> Pid {
    kernel.fork().unwrap().pid().unwrap()
}

fn plan(wanted: &Ensure, kernel: &dyn Backend, hierarchies: &Hierarchies) -> String {
    wanted.plan(kernel, hierarchies).unwrap().to_string()
}

/// Writes down the calls that change something.
#[derive(Default)]
struct Changes(Mutex<Vec<String>>);

impl Layer for Changes {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        if ["write", "mkdir", "rmdir", "chown", "chmod"].contains(&call.name) {
            self.0.lock().unwrap().push(call.to_string());
        }
        Ok(())
    }
}

/// Applies, and shows that the second time nothing is done.
#[track_caller]
fn settle<B: Backend>(wanted: &Ensure, kernel: &B, hierarchies: &Hierarchies) {
    wanted.apply(kernel, hierarchies).unwrap();
    assert_eq!(plan(wanted, kernel, hierarchies), "");
    let counted = Layered::new(kernel, Changes::default());
    wanted.apply(&counted, hierarchies).unwrap();
    assert_eq!(*counted.layer().0.lock().unwrap(), Vec::<String>::new());
}

/// Every group of every hierarchy with its settings, owners, modes and members.
fn picture(kernel: &dyn Backend, hierarchies: &Hierarchies) -> Vec<String> {
    let mut lines = Vec::new();
    for hierarchy in hierarchies.iter() {
        let mut left = vec![hierarchy.open(kernel, &GroupPath::root()).unwrap()];
        while let Some(group) = left.pop() {
            let directory = format!("{}{}", hierarchy.mount_point(), group.path());
            lines.push(format!("{directory} {:?}", group.processes(kernel).unwrap()));
            for entry in fs::read_dir(kernel, &directory).unwrap() {
                let (name, file) =
                    (entry.file_name(), format!("{directory}/{}", entry.file_name()));
                let is_setting =
                    ["max", "shares", "limit_in_bytes", "_control", "io.weight", "oom_control"];
                if is_setting.iter().any(|end| name.ends_with(end)) {
                    let said = fs::read_to_string(kernel, &file).unwrap_or_default();
                    let stat = fs::metadata(kernel, &file).unwrap();
                    lines.push(format!("{file} {} {} {said:?}", stat.mode, stat.owner));
                }
            }
            let children = group.children(kernel).unwrap();
            left.extend(children.iter().map(|name| group.child(kernel, name).unwrap()));
        }
    }
    lines.sort_unstable();
    lines
}

#[test]
fn the_second_time_nothing_is_done_in_whatever_hierarchies_the_controllers_are() {
    for layout in LAYOUTS {
        let (machine, root, hierarchies) = boot(layout);
        let worker = worker(&root);
        let wanted = Ensure::new()
            .present_with(group("a/b/c", &[("pids.max", "7")]), [worker])
            .present(with("a", &[Controller::Pids, Controller::Memory]))
            .present(group("a/b", &[("pids.max", "max")]))
            .absent(with("old", &[Controller::Pids]), Deletion::new());
        with("old", &[Controller::Pids]).create(&root, &hierarchies).unwrap();
        settle(&wanted, &root, &hierarchies);
        let pids = hierarchies.with(&root, Controller::Pids).unwrap();
        assert_eq!(pids.locate(&root, worker).unwrap(), Some(path("a/b/c")), "{layout:?}");
        assert!(pids.open(&root, &path("old")).is_err(), "{layout:?}");
        machine.finish().unwrap();
    }
}

#[test]
fn values_that_the_kernel_says_in_other_words_are_not_written_again() {
    let unified: &[(&str, &str)] = &[
        ("memory.max", "3000001"),
        ("memory.high", "2M"),
        ("hugetlb.2MB.max", "3000000"),
        ("cpu.max", "50000"),
        ("cpuset.cpus", "1,0"),
        ("io.weight", "200"),
        ("io.max", "8:0 rbps=1000"),
        ("cgroup.max.depth", "5"),
    ];
    let legacy: &[(&str, &str)] = &[
        ("memory.limit_in_bytes", "3000001"),
        ("memory.soft_limit_in_bytes", "-1"),
        ("memory.oom_control", "1"),
        ("hugetlb.2MB.limit_in_bytes", "3000000"),
        ("cpuset.cpus", "1,0"),
        ("freezer.state", "FROZEN"),
        ("blkio.throttle.read_bps_device", "8:0 1000"),
    ];
    for (layout, values) in [(Layout::Unified, unified), (Layout::Legacy, legacy)] {
        let disk = BlockDevice { major: 8, minor: 0 };
        let builder = Machine::builder().kernel(Release::V6_1).layout(layout);
        let machine = builder.processors(2).disk(disk).build();
        let root = machine.root();
        let hierarchies = Hierarchies::find(&root).unwrap();
        settle(&Ensure::new().present(group("a", values)), &root, &hierarchies);
    }
}

#[test]
fn a_value_that_reads_back_otherwise_is_refused_with_the_one_to_want() {
    let (_machine, root, hierarchies) = boot(Layout::Legacy);
    let before = picture(&root, &hierarchies);
    let wanted =
        |shares| Ensure::new().present(group("a", &[("pids.max", "5"), ("cpu.shares", shares)]));
    let refused = wanted("1").apply(&root, &hierarchies).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "write cpu.shares of /a: the kernel takes this value for \"2\": want that"
    );
    assert_eq!(picture(&root, &hierarchies), before);
    settle(&wanted("2"), &root, &hierarchies);
}

#[test]
fn an_order_is_no_state_and_is_refused_before_anything_is_done() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    for file in ["cgroup.kill", "cgroup.procs", "cpu.pressure", "memory.reclaim"] {
        let wanted = Ensure::new().present(with("a", &[])).present(group("b", &[(file, "1")]));
        let refused = wanted.plan(&root, &hierarchies).unwrap_err();
        assert_eq!((refused.rule(), refused.file()), (Some(&Rule::NotReadable), Some(file)));
    }
}

#[test]
fn only_what_is_not_so_yet_is_a_step() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    let both = |pids, depth| {
        Ensure::new()
            .present(group("a", &[("pids.max", pids), ("cgroup.max.depth", depth)]))
            .present(group("a/b", &[("pids.max", "3")]))
    };
    assert_eq!(
        plan(&both("5", "4"), &root, &hierarchies),
        "in /sys/fs/cgroup:\nenable pids in /\ncreate /a\nwrite pids.max of /a: 5\n\
         write cgroup.max.depth of /a: 4\nenable pids in /a\ncreate /a/b\nwrite pids.max of /a/b: 3\n"
    );
    both("5", "4").apply(&root, &hierarchies).unwrap();
    assert_eq!(
        plan(&both("6", "4"), &root, &hierarchies),
        "in /sys/fs/cgroup:\nwrite pids.max of /a: 6\n"
    );
    let moved = worker(&root);
    let with_member = Ensure::new().present_with(with("a/b", &[]), [moved]);
    let expected = format!("in /sys/fs/cgroup:\nattach {moved} to /a/b\n");
    assert_eq!(plan(&with_member, &root, &hierarchies), expected);
}

#[test]
fn owners_and_modes_are_steps_only_where_they_differ() {
    let (_machine, root, hierarchies) = boot(Layout::Hybrid);
    let mut a = with("a", &[Controller::Pids, Controller::Freezer]);
    a.set_owners(Owners { control: Owner::from((Uid(5), Gid(6))), ..Owners::default() });
    // What a group may do that its owner may not: the second time it must not lose that.
    a.set_modes(Modes { files: Some(Mode::new(0o471)), ..Modes::default() });
    let wanted = Ensure::new().present(a);
    settle(&wanted, &root, &hierarchies);
    fs::set_permissions(&root, "/sys/fs/cgroup/pids/a/pids.max", Mode::new(0o640)).unwrap();
    assert_eq!(
        plan(&wanted, &root, &hierarchies),
        "in /sys/fs/cgroup/pids:\ngive /a to 5:6\nallow 0471 on the files of /a\n"
    );
}

#[test]
fn unwanted_groups_go_at_last_and_the_deepest_first() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    with("old/x/y", &[]).create(&root, &hierarchies).unwrap();
    let unwanted = ["old", "old/x/y", "old/x", "never"];
    let wanted = unwanted
        .iter()
        .fold(Ensure::new(), |wanted, name| wanted.absent(with(name, &[]), Deletion::new()));
    let wanted = wanted.present(with("new", &[]));
    assert_eq!(
        plan(&wanted, &root, &hierarchies),
        "in /sys/fs/cgroup:\ncreate /new\n\
         at last in /sys/fs/cgroup:\ndelete /old/x/y\ndelete /old/x\ndelete /old\n"
    );
    settle(&wanted, &root, &hierarchies);
}

#[test]
fn a_process_that_is_wanted_elsewhere_is_out_of_the_group_that_is_unwanted() {
    for layout in LAYOUTS {
        let (_machine, root, hierarchies) = boot(layout);
        let moved = worker(&root);
        let old = with("old", &[Controller::Pids]);
        let place = |group| Ensure::new().present_with(group, [moved]);
        settle(&place(old.clone()), &root, &hierarchies);
        let wanted = place(with("new", &[Controller::Pids])).absent(old, Deletion::new());
        settle(&wanted, &root, &hierarchies);
    }
}

#[test]
fn a_removal_that_is_refused_takes_back_the_rest() {
    let (_machine, root, hierarchies) = boot(Layout::Unified);
    let (stays, moved) = (worker(&root), worker(&root));
    let old = with("old", &[]);
    let settled = Ensure::new().present_with(old.clone(), [stays]);
    settle(&settled, &root, &hierarchies);
    let before = picture(&root, &hierarchies);
    let wanted = Ensure::new().present_with(group("new", &[("pids.max", "5")]), [moved]);
    let refused = wanted.clone().absent(old.clone(), Deletion::new());
    let refused = refused.apply(&root, &hierarchies).unwrap_err();
    assert!(
        matches!(refused.rule(), Some(Rule::Occupied { processes, .. }) if *processes == [stays])
    );
    assert_eq!(refused.left(), []);
    assert_eq!(picture(&root, &hierarchies), before);
    settle(&wanted.absent(old, Deletion::new().members(Members::MoveUp)), &root, &hierarchies);
}

#[test]
fn a_group_is_wanted_once_and_not_below_one_that_is_unwanted() {
    let (_machine, root, hierarchies) = boot(Layout::Hybrid);
    let pids = |name| with(name, &[Controller::Pids]);
    let twice = Ensure::new().present(pids("a")).present(pids("a"));
    let inside = Ensure::new().present(pids("a/b")).absent(pids("a"), Deletion::new());
    let same = Ensure::new().absent(pids("a"), Deletion::new()).absent(pids("a"), Deletion::new());
    pids("a").create(&root, &hierarchies).unwrap();
    for wanted in [twice, inside, same] {
        let refused = wanted.plan(&root, &hierarchies).unwrap_err();
        assert_eq!(refused.rule(), Some(&Rule::WantedTwice), "{refused}");
    }
    let elsewhere = Ensure::new()
        .present(with("a/b", &[Controller::Freezer]))
        .absent(pids("a"), Deletion::new())
        .absent(pids("a-b"), Deletion::new());
    settle(&elsewhere, &root, &hierarchies);
}

#[test]
fn a_member_that_is_gone_is_found_before_anything_is_done() {
    let (_machine, root, hierarchies) = boot(Layout::Legacy);
    let wanted = Ensure::new().present_with(with("a", &[Controller::Pids]), [Pid(4_000_000)]);
    let refused = wanted.plan(&root, &hierarchies).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::NoSuchTask));
}

/// Lets a number of calls through and refuses the next; the others pass again.
struct RefuseOne(AtomicUsize);

impl Layer for RefuseOne {
    fn before(&self, _call: &Call) -> Result<(), Failure> {
        match self.0.fetch_sub(1, Ordering::Relaxed) {
            1 => Err(Errno::EIO.into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_is_refused_at_any_single_call_leaves_all_as_it_was_in_every_hierarchy() {
    let cases = [
        (Layout::Unified, ("memory.max", "9M"), Controller::Cpu),
        (Layout::Legacy, ("memory.oom_control", "1"), Controller::Freezer),
    ];
    for (layout, limit, other) in cases {
        let (machine, root, hierarchies) = boot(layout);
        let member = worker(&root);
        let mut there = group("a", &[("pids.max", "9")]);
        there.add(Controller::Memory).unwrap();
        there.create(&root, &hierarchies).unwrap();
        let before = picture(&root, &hierarchies);
        let mut a = group("a", &[("pids.max", "7"), limit]);
        a.set_owners(Owners { control: Owner::from((Uid(5), Gid(6))), ..Owners::default() });
        let wanted = Ensure::new()
            .present(a)
            .present_with(group("a/b", &[("pids.max", "3")]), [member])
            .present(with("c/d", &[other]));
        let mut refused = 0;
        for nth in 1.. {
            let faulty = Layered::new(&root, RefuseOne(AtomicUsize::new(nth)));
            let Err(error) = wanted.apply(&faulty, &hierarchies) else { break };
            refused += 1;
            assert_eq!(error.left(), [], "call {nth}: {error}");
            assert_eq!(error.errno(), Some(Errno::EIO), "call {nth}: {error}");
            assert_eq!(picture(&root, &hierarchies), before, "call {nth}: {error}");
        }
        assert!(refused > 100, "only {refused} calls were refused: this proves little");
        machine.finish().unwrap();
    }
}

/// Removes the groups also when the test fails.
struct Cleaned<'a>(&'a Linux, &'a Hierarchies, Ensure);

impl Drop for Cleaned<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.2.apply(self.0, self.1) {
            println!("left behind: {error}");
        }
    }
}

#[test]
fn on_the_running_kernel_nothing_is_done_the_second_time() {
    let kernel = Linux::here();
    if kernel.credentials().unwrap().user.effective != Uid::ROOT {
        return println!("skipped: needs root");
    }
    // Of what is mounted as v1 here, and of the v2 hierarchy what needs no controller: nothing is enabled at the host's root.
    let candidates = [
        ("memory.limit_in_bytes", "30000001"),
        ("memory.soft_limit_in_bytes", "-1"),
        ("memory.oom_control", "1"),
        ("cpuset.cpus", "0"),
        ("cpuset.mems", "0"),
        ("cpu.shares", "512"),
        ("pids.max", "max"),
        ("freezer.state", "FROZEN"),
        ("cgroup.max.depth", "5"),
    ];
    let hierarchies = Hierarchies::find(&kernel).unwrap();
    let is_there = |file: &str| {
        let subsystem: Subsystem = file.split('.').next().unwrap().parse().unwrap();
        let wanted = if subsystem == Subsystem::Core { Version::V2 } else { Version::V1 };
        let found = hierarchies.of(&kernel, &subsystem);
        found.is_ok_and(|hierarchy| hierarchy.version() == wanted)
    };
    let values: Vec<_> = candidates.into_iter().filter(|(file, _)| is_there(file)).collect();
    if values.is_empty() {
        return println!("skipped: no hierarchy for any of the files is mounted");
    }
    let name = format!("standin-ensure-{}", kernel.pid().unwrap());
    let gone = Ensure::new().absent(group(&name, &values), Deletion::new());
    let _cleaned = Cleaned(&kernel, &hierarchies, gone);
    settle(&Ensure::new().present(group(&name, &values)), &kernel, &hierarchies);
}
