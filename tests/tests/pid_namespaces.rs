//! PID namespaces: what the transcripts' language has no words for.
//!
//! The numbers in /proc/PID/status were seen so on a host's 6.18.

use standin::backend::{
    Backend, Channels, NamespaceKind, NamespaceKinds, Namespaces, Processes, Spawn, WaitOptions,
    WaitStatus,
};
use standin::{Errno, ExitCode, Failure, KPath, fs};
use standin_sim::{Machine, View};

fn end(machine: &Machine) {
    machine.check().expect("a sound machine");
    machine.clone().finish().expect("nothing but what is modelled");
}

/// A process whose children are born in a new namespace, and the first two of them.
fn with_namespace(root: &View) -> (View, View, View) {
    let outer = root.fork().expect("a child");
    outer.set_session().expect("it leads none");
    outer.unshare(NamespaceKinds::PID).expect("root may");
    let first = outer.fork().expect("a child");
    let second = first.fork().expect("a child");
    (outer, first, second)
}

/// What stands behind a label of a process's status, read by somebody outside.
fn status(kernel: &View, number: u32, label: &str) -> Vec<u32> {
    let text = fs::read_to_string(kernel, format!("/proc/{number}/status")).expect("a text");
    let line = text.lines().find_map(|line| line.strip_prefix(label)).expect("a line");
    line.split_whitespace().map(|word| word.parse().expect("a number")).collect()
}

#[test]
fn status_tells_the_numbers_of_each_namespace_from_the_outermost_inwards() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (outer, first, second) = with_namespace(&root);
    second.set_session().unwrap();
    let third = second.fork().unwrap();
    assert_eq!([&first, &second, &third].map(|view| view.pid().unwrap().0), [1, 2, 3]);
    let outer = outer.pid().unwrap().0;
    let told = |number, label| status(&root, number, label);
    let (one, two, three) = (outer + 1, outer + 2, outer + 3);
    for (number, inner, group) in [(one, 1, [outer, 0]), (two, 2, [two, 2]), (three, 3, [two, 2])] {
        assert_eq!(told(number, "Pid:"), [number]);
        assert_eq!(told(number, "NStgid:"), [number, inner]);
        assert_eq!(told(number, "NSpid:"), [number, inner]);
        assert_eq!(told(number, "NSpgid:"), group);
        assert_eq!(told(number, "NSsid:"), group);
    }
    assert_eq!(told(one, "PPid:"), [outer]);
    assert_eq!(told(outer, "NSpid:"), [outer]);
    end(&machine);
}

#[test]
fn a_handle_keeps_a_namespace_in_which_nobody_is_born_any_more() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (outer, first, _second) = with_namespace(&root);
    let number = outer.pid().unwrap().0 + 1;
    let handle = root.open_pid(standin::Pid(number)).unwrap();
    let namespace = root.open_namespace(&handle, NamespaceKind::Pid).unwrap();
    assert_eq!(first.exit(ExitCode::SUCCESS), Err(Failure::CallerDied));
    outer.wait_any(WaitOptions::default()).unwrap();
    let visitor = root.fork().unwrap();
    visitor.join_handle(&inherited(&visitor, &namespace)).unwrap();
    assert_eq!(visitor.fork().map(drop), Err(Errno::ENOMEM.into()));
    end(&machine);
}

/// The handle that a child has from its parent.
fn inherited(child: &View, namespace: &standin::handle::NsHandle) -> standin::handle::NsHandle {
    child.inherited(namespace.descriptor().number()).expect("the parent has it").into()
}

#[test]
fn a_spawned_program_is_the_first_of_its_namespace_and_joins_that_of_another_as_a_later_one() {
    let machine = Machine::builder().build();
    machine.program("/bin/number", |kernel: &dyn Backend, _| {
        ExitCode(i32::try_from(kernel.pid().unwrap().0).unwrap())
    });
    let root = machine.root();
    let path = KPath::new("/bin/number").unwrap();
    let run = |spawn: &Spawn<'_>| {
        let child = root.spawn(spawn).unwrap();
        root.wait(&child, WaitOptions::default()).unwrap()
    };
    let mut spawn = Spawn::new(path, &[b"number"]);
    spawn.namespaces = NamespaceKinds::PID;
    assert_eq!(run(&spawn), Some(WaitStatus::Exited(1)));
    let (outer, _first, _second) = with_namespace(&root);
    let handle = root.open_pid(standin::Pid(outer.pid().unwrap().0 + 1)).unwrap();
    let mut spawn = Spawn::new(path, &[b"number"]);
    spawn.join = Some((&handle, NamespaceKinds::PID));
    assert_eq!(run(&spawn), Some(WaitStatus::Exited(3)));
    end(&machine);
}

#[test]
fn who_kills_its_own_group_takes_the_others_with_it_where_there_are_namespaces() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (outer, _first, _second) = with_namespace(&root);
    fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
    fs::write(&root, "/sys/fs/cgroup/a/cgroup.procs", "0").unwrap();
    let others = [root.fork().unwrap(), root.fork().unwrap()];
    // Its parent waits for it at once, so it is gone before the others are.
    let killed = fs::write(&root, "/sys/fs/cgroup/a/cgroup.kill", "1").unwrap_err();
    assert_eq!(killed.failure(), &Failure::CallerDied);
    for other in others {
        assert_eq!(other.pid().unwrap_err(), Failure::CallerDied);
    }
    assert_eq!(fs::read_to_string(&outer, "/sys/fs/cgroup/a/cgroup.procs").unwrap(), "");
    machine.check().unwrap();
}
