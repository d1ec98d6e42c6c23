//! The cgroup library where one name stands for groups in several hierarchies, and where groups end with what is in them.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use standin::backend::Processes as _;
use standin::cgroup::{
    Code, Comparison, Deletion, Description, GroupPath, Hierarchies, Members, Owner, Owners, Rule,
    Subsystem,
};
use standin::{Backend, Controller, Errno, Gid, Pid, Uid, fs};
use standin_sim::{Layout, Machine, Release, View};

fn path(text: &str) -> GroupPath {
    GroupPath::new(text).unwrap()
}

/// A machine where processor time and its accounts are mounted together, as most distributions had it.
fn boot() -> (Machine, View, Hierarchies) {
    let joined = [Controller::Cpu, Controller::Cpuacct];
    let builder = Machine::builder().kernel(Release::V6_1).layout(Layout::Legacy);
    let machine = builder.join_controllers(&joined).build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    (machine, root, hierarchies)
}

fn described(name: &str, controllers: &[Controller]) -> Description {
    let mut description = Description::new(path(name));
    for controller in controllers {
        description.add(*controller).unwrap();
    }
    description
}

fn create(kernel: &dyn Backend, hierarchies: &Hierarchies, name: &str, all: &[Controller]) {
    described(name, all).create(kernel, hierarchies).unwrap();
}

/// Where a group of this name is.
fn places(kernel: &dyn Backend, hierarchies: &Hierarchies, name: &str) -> Vec<String> {
    let points = hierarchies.iter().map(|hierarchy| hierarchy.mount_point().to_string());
    points.filter(|point| fs::exists(kernel, format!("{point}/{name}"))).collect()
}

/// The example of libcgroup's header: cpu and cpuacct in one hierarchy with foo and bar, freezer with foo alone.
#[test]
fn one_controller_names_the_group_of_a_hierarchy_and_two_may_name_two_groups() {
    let (_machine, root, hierarchies) = boot();
    create(&root, &hierarchies, "foo", &[Controller::Cpu, Controller::Freezer]);
    create(&root, &hierarchies, "bar", &[Controller::Cpuacct]);
    let (both, freezer) = ("/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/freezer");
    assert_eq!(places(&root, &hierarchies, "foo"), [both, freezer]);
    assert_eq!(places(&root, &hierarchies, "bar"), [both]);

    let foo = described("foo", &[Controller::Cpu]);
    foo.delete(&root, &hierarchies, &Deletion::new()).unwrap();
    assert_eq!(places(&root, &hierarchies, "foo"), [freezer], "the other group stays");

    create(&root, &hierarchies, "foo", &[Controller::Cpu]);
    let both_named = described("foo", &[Controller::Cpu, Controller::Cpuacct, Controller::Freezer]);
    both_named.delete(&root, &hierarchies, &Deletion::new()).unwrap();
    assert_eq!(places(&root, &hierarchies, "foo"), Vec::<String>::new());
}

#[test]
fn a_value_that_is_refused_in_one_hierarchy_takes_back_what_was_done_in_the_others() {
    let (_machine, root, hierarchies) = boot();
    let mut a = described("a", &[Controller::Pids]);
    a.add(Controller::Freezer).unwrap().add("freezer.state", "BOGUS").unwrap();
    let refused = a.create(&root, &hierarchies).unwrap_err();
    assert_eq!((refused.errno(), refused.rule()), (Some(Errno::EINVAL), Some(&Rule::BadValue)));
    assert_eq!(refused.left(), []);
    assert_eq!(places(&root, &hierarchies, "a"), Vec::<String>::new());

    create(&root, &hierarchies, "a", &[Controller::Pids]);
    assert!(a.create(&root, &hierarchies).is_err());
    assert_eq!(places(&root, &hierarchies, "a"), ["/sys/fs/cgroup/pids"], "it was there before");
}

#[test]
fn a_controller_that_is_nowhere_is_refused_before_anything_is_made() {
    let (_machine, root, hierarchies) = boot();
    let refused = described("a", &[Controller::Pids, Controller::Dmem]);
    let refused = refused.create(&root, &hierarchies).unwrap_err();
    assert_eq!(refused.code(), Code::SUBSYSTEM_NOT_MOUNTED);
    assert_eq!(places(&root, &hierarchies, "a"), Vec::<String>::new());
    let nowhere = "nosuch".parse::<Subsystem>().unwrap_err();
    assert_eq!(nowhere.code(), Code::SUBSYSTEM_NOT_MOUNTED);
}

#[test]
fn what_was_loaded_is_not_written_back_and_only_what_was_changed_is() {
    let (_machine, root, hierarchies) = boot();
    create(&root, &hierarchies, "a", &[Controller::Pids, Controller::Cpu]);
    let mut a = Description::load(&root, &hierarchies, &path("a")).unwrap();
    assert!(
        a.plan(&root, &hierarchies)
            .unwrap()
            .to_string()
            .lines()
            .all(|line| !line.starts_with("write"))
    );
    let pids = a.part_mut(&Controller::Pids.into()).unwrap();
    pids.set("pids.max", 9).unwrap();
    let plans = a.plan(&root, &hierarchies).unwrap().to_string();
    let writes: Vec<&str> = plans.lines().filter(|line| line.starts_with("write")).collect();
    assert_eq!(writes, ["write pids.max of /a: 9"]);
    a.modify(&root, &hierarchies).unwrap();
    assert_eq!(fs::read_to_string(&root, "/sys/fs/cgroup/pids/a/pids.max").unwrap(), "9\n");
}

#[test]
fn nothing_is_made_by_a_modification() {
    let (_machine, root, hierarchies) = boot();
    let mut a = Description::new(path("a"));
    a.add(Controller::Pids).unwrap().add("pids.max", 9).unwrap();
    let refused = a.modify(&root, &hierarchies).unwrap_err();
    assert_eq!((refused.rule(), refused.code()), (Some(&Rule::Missing), Code::NOT_EXIST));
    assert_eq!(places(&root, &hierarchies, "a"), Vec::<String>::new());
    let missing = Description::load(&root, &hierarchies, &path("a")).unwrap_err();
    assert_eq!(missing.code(), Code::NOT_EXIST);
}

#[test]
fn owners_are_those_of_all_hierarchies_or_unsaid() {
    let (_machine, root, hierarchies) = boot();
    let mut a = described("a", &[Controller::Pids, Controller::Freezer]);
    let owners = |number| {
        let owner = Owner::from((Uid(number), Gid(number)));
        Owners { control: owner, members: owner }
    };
    a.set_owners(owners(7));
    a.create(&root, &hierarchies).unwrap();
    let loaded = || Description::load(&root, &hierarchies, &path("a")).unwrap().owners();
    assert_eq!(loaded(), owners(7));
    let mut freezer = described("a", &[Controller::Freezer]);
    freezer.set_owners(Owners { control: Owner::from((Uid(8), Gid(7))), ..Owners::default() });
    freezer.create(&root, &hierarchies).unwrap();
    assert_eq!(loaded().control, Owner { user: None, group: Some(Gid(7)) });
}

#[test]
fn descriptions_are_alike_whatever_the_order_and_modes_do_not_count() {
    let mut one = described("a", &[Controller::Pids, Controller::Cpu]);
    let mut other = described("a", &[Controller::Cpu, Controller::Pids]);
    assert_eq!(one.compare(&other), Comparison::Same);
    one.part_mut(&Controller::Cpu.into()).unwrap().set("cpu.shares", "010").unwrap();
    assert_eq!(one.compare(&other), Comparison::OtherControllers);
    other.part_mut(&Controller::Cpu.into()).unwrap().set("cpu.shares", "10").unwrap();
    assert_eq!(one.compare(&other), Comparison::OtherControllers, "texts are compared");
    other.copy_from(&one);
    assert_eq!(one.compare(&other), Comparison::Same);
    let fewer = described("a", &[Controller::Pids]);
    assert_eq!(one.compare(&fewer).code(), Some(Code::CONTROLLER_NOT_EQUAL));
    one.set_owners(Owners { control: Owner::from((Uid(1), Gid(1))), ..Owners::default() });
    assert_eq!(one.compare(&other).code(), Some(Code::NOT_EQUAL));
    assert_eq!(described("b", &[]).compare(&described("c", &[])), Comparison::OtherGroup);
}

#[test]
fn a_child_takes_over_what_it_can_be_given() {
    let (_machine, root, hierarchies) = boot();
    let mut parent = described("a", &[Controller::Freezer]);
    parent.add(Controller::Pids).unwrap().add("pids.max", 77).unwrap();
    let cpuset = parent.add(Controller::Cpuset).unwrap();
    cpuset.add("cpuset.cpus", "0").unwrap();
    cpuset.add("cpuset.mems", "0").unwrap();
    parent.create(&root, &hierarchies).unwrap();
    let made = Description::new(path("a/b")).create_from_parent(&root, &hierarchies).unwrap();
    assert_eq!((made.groups.len(), made.refused.len()), (3, 0), "{:?}", made.refused);
    let said = |file: &str| fs::read_to_string(&root, format!("/sys/fs/cgroup/{file}")).unwrap();
    assert_eq!(said("pids/a/b/pids.max"), "77\n");
    assert_eq!(said("cpuset/a/b/cpuset.cpus"), "0\n");
}

#[test]
fn who_is_in_the_way_is_moved_or_killed_only_if_it_helps() {
    let (_machine, root, hierarchies) = boot();
    create(&root, &hierarchies, "a/b", &[Controller::Pids]);
    let pids = hierarchies.with(&root, Controller::Pids).unwrap();
    let (a, b) = (pids.open(&root, &path("a")).unwrap(), pids.open(&root, &path("a/b")).unwrap());
    let worker = root.fork().unwrap();
    let number = worker.pid().unwrap();
    a.attach(&root, number).unwrap();

    let moving = Deletion::new().members(Members::MoveUp);
    let refused = moving.delete(&root, &a).unwrap_err();
    assert!(matches!(refused.rule(), Some(Rule::Occupied { .. })), "{refused}");
    assert_eq!(a.processes(&root).unwrap(), [number], "nobody was moved for nothing");

    b.attach(&root, number).unwrap();
    moving.delete(&root, &b).unwrap();
    assert_eq!(a.processes(&root).unwrap(), [number]);
    moving.members(Members::Kill).delete(&root, &a).unwrap();
    assert_eq!(places(&root, &hierarchies, "a"), Vec::<String>::new());
}

#[test]
fn a_process_goes_into_the_groups_of_all_hierarchies_or_stays_where_it_was() {
    let (_machine, root, hierarchies) = boot();
    let all = [Controller::Cpuacct, Controller::Pids, Controller::Cpuset];
    create(&root, &hierarchies, "a", &all);
    create(&root, &hierarchies, "b", &all[..2]);
    let worker = root.fork().unwrap();
    let number = worker.pid().unwrap();
    let places = || {
        let text = fs::read_to_string(&root, format!("/proc/{number}/cgroup")).unwrap();
        let mut places: Vec<String> = text
            .lines()
            .filter_map(|line| Some(line.split_once(':')?.1.to_owned()))
            .filter(|place| !place.ends_with(":/"))
            .collect();
        places.sort_unstable();
        places
    };
    described("b", &all[..2]).attach(&root, &hierarchies, number).unwrap();
    assert_eq!(places(), ["cpu,cpuacct:/b", "pids:/b"]);

    // The last of the three has no processors yet.
    let refused = described("a", &all).attach(&root, &hierarchies, number).unwrap_err();
    assert_eq!((refused.rule(), refused.left()), (Some(&Rule::EmptyCpuset), &[][..]));
    assert_eq!(places(), ["cpu,cpuacct:/b", "pids:/b"]);

    let nobody = described("a", &all).attach(&root, &hierarchies, Pid(9999)).unwrap_err();
    assert_eq!(nobody.rule(), Some(&Rule::NoSuchTask));
}

#[test]
fn a_threaded_group_without_threads_is_removed_as_any_other() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    create(&root, &hierarchies, "a/b", &[]);
    fs::write(&root, "/sys/fs/cgroup/a/b/cgroup.type", "threaded").unwrap();
    let a = hierarchies.unified().unwrap().open(&root, &path("a/b")).unwrap();
    Deletion::new().members(Members::Kill).recursive().delete(&root, &a).unwrap();
    assert!(!fs::exists(&root, "/sys/fs/cgroup/a/b"));
}

#[test]
fn a_group_of_v2_with_groups_below_is_removed_with_all_who_are_there() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let hierarchies = Hierarchies::find(&root).unwrap();
    create(&root, &hierarchies, "a/b/c", &[Controller::Memory]);
    create(&root, &hierarchies, "a/d", &[Controller::Memory]);
    let unified = hierarchies.unified().unwrap();
    let open = |name: &str| unified.open(&root, &path(name)).unwrap();
    let workers: Vec<View> = (0..3).map(|_| root.fork().unwrap()).collect();
    let numbers: Vec<Pid> = workers.iter().map(|worker| worker.pid().unwrap()).collect();
    for (number, name) in numbers.iter().zip(["a/b/c", "a/d", "a/d"]) {
        open(name).attach(&root, *number).unwrap();
    }
    // The group above shares memory out, so it takes nobody.
    let moving = Deletion::new().members(Members::MoveUp).recursive();
    let refused = moving.delete(&root, &open("a/b")).unwrap_err();
    assert_eq!(refused.rule(), Some(&Rule::SharesOut(Controller::Memory.into())));
    assert_eq!(open("a/b/c").processes(&root).unwrap(), numbers[..1]);

    Deletion::new().members(Members::Kill).recursive().delete(&root, &open("a/b")).unwrap();
    moving.delete(&root, &open("a")).unwrap();
    assert!(unified.open(&root, &path("a")).is_err());
    let there = open("/").processes(&root).unwrap();
    assert!(numbers[1..].iter().all(|number| there.contains(number)), "{there:?}");
    assert!(!there.contains(&numbers[0]), "it was killed");
}
