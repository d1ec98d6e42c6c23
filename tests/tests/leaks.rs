//! Inventories: what differs between two machines, and what a run left behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use standin::backend::{Channels, Files, NamespaceKinds, Namespaces, Processes};
use standin::backend::{SocketFlags, SocketType, Spawn, WaitOptions};
use standin::{ExitCode, KPath, Place, fs};
use standin_sim::{Change, Machine, Thing};

const GROUP: &str = "/sys/fs/cgroup/web";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

#[test]
fn two_machines_that_did_the_same_do_not_differ() {
    let run = || {
        let machine = Machine::builder().build();
        fs::create_dir(&machine.root(), GROUP).unwrap();
        machine.run("/bin/true", &[]).unwrap();
        machine
    };
    let (one, other) = (run(), run());
    assert!(one.diff(&other).is_empty(), "{}", one.diff(&other));
}

#[test]
fn a_difference_names_what_was_made_what_is_gone_and_what_has_another_value() {
    let machine = Machine::builder().build();
    let root = machine.root();
    fs::create_dir(&root, GROUP).unwrap();
    fs::create_dir(&root, "/sys/fs/cgroup/old").unwrap();
    let before = machine.snapshot().unwrap();
    fs::remove_dir(&root, "/sys/fs/cgroup/old").unwrap();
    fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
    fs::write(&root, format!("{GROUP}/pids.max"), "10").unwrap();
    fs::write(&root, format!("{GROUP}/cgroup.freeze"), "1").unwrap();
    let diff = before.diff(&machine.snapshot().unwrap());
    let text = diff.to_string();
    for line in [
        "- cgroup v2 /old: of user 0\n",
        "+ setting v2 /web pids.max: 10\n",
        "~ setting v2 /web cgroup.freeze: 0 -> 1\n",
        "~ setting v2 / cgroup.subtree_control:  -> pids\n",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }
    let gone = Thing::Cgroup { hierarchy: "v2".to_owned(), path: "/old".to_owned() };
    assert!(matches!(diff.changes.get(&gone), Some(Change::Gone { .. })));
    assert!(machine.snapshot().unwrap().diff(&machine.snapshot().unwrap()).is_empty());
}

#[test]
fn groups_zombies_mounts_descriptors_sockets_and_namespaces_that_are_left_are_named() {
    let machine = Machine::builder().trace().build();
    let root = machine.root();
    let before = machine.inventory();
    machine.check_leaks(&before).unwrap();

    fs::create_dir(&root, GROUP).unwrap();
    let leaks = machine.check_leaks(&before).unwrap_err().to_string();
    assert!(leaks.contains("cgroup v2 /web: of user 0, made by"), "{leaks}");
    assert!(leaks.contains("by mkdir"), "{leaks}");
    fs::remove_dir(&root, GROUP).unwrap();
    machine.check_leaks(&before).unwrap();

    let child = root.spawn(&Spawn::new(path("/bin/true"), &[b"true"])).unwrap();
    machine.settle();
    let leaks = machine.check_leaks(&before).unwrap_err();
    let text = leaks.to_string();
    assert!(text.contains("true, zombie, Exited(0)"), "{text}");
    assert!(leaks.left.iter().any(|leak| matches!(leak.thing, Thing::Handle { .. })), "{text}");
    root.wait(&child, WaitOptions::default()).unwrap();
    assert!(machine.check_leaks(&before).is_err(), "the handle is still open");
    drop(child);
    machine.check_leaks(&before).unwrap();

    let socket = root.socket(SocketType::Stream, SocketFlags::empty()).unwrap();
    let leaks = machine.check_leaks(&before).unwrap_err();
    assert!(leaks.left.iter().any(|leak| matches!(leak.thing, Thing::Socket { .. })), "{leaks}");
    drop(socket);
    machine.check_leaks(&before).unwrap();

    fs::create_dir(&root, "/mnt/under").unwrap();
    let under = Place::cwd(path("/mnt/under"));
    let nothing = standin::backend::MountFlags::empty();
    root.mount(path("tmpfs"), under, nothing, path("")).unwrap();
    let leaks = machine.check_leaks(&before).unwrap_err().to_string();
    assert!(leaks.contains("tmpfs on /mnt/under"), "{leaks}");
    root.umount(under).unwrap();
    machine.check_leaks(&before).unwrap();

    let other = root.fork().unwrap();
    other.unshare(NamespaceKinds::UTS).unwrap();
    let leaks = machine.check_leaks(&before).unwrap_err();
    let text = leaks.to_string();
    assert!(text.contains("namespace uts:["), "{text}");
    assert!(leaks.left.iter().any(|leak| matches!(leak.thing, Thing::Process(_))), "{text}");
    other.exit(ExitCode::SUCCESS).unwrap_err();
    root.wait_any(WaitOptions::default()).unwrap();
    machine.check_leaks(&before).unwrap();
}
