//! A machine as large as a large host: a million processes, what they cost, and that nothing of them stays.

use standin::backend::{Processes, WaitOptions};
use standin::fs;
use standin::id::Bytes;
use standin_sim::Machine;
use standin_tests::allocator::{Counting, given};

#[global_allocator]
static COUNTING: Counting = Counting;

const MANY: usize = 1_000_000;

/// DESIGN, section 8: the floor of one process.
const MOST_BYTES: usize = 500;

#[test]
fn a_million_processes_fit_into_a_machine_and_leave_nothing_behind() {
    let machine = Machine::builder().memory(Bytes(64 << 30)).build();
    let root = machine.root();
    fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
    fs::create_dir(&root, "/sys/fs/cgroup/many").unwrap();
    let manager = root.fork().unwrap();
    fs::write(&manager, "/sys/fs/cgroup/many/cgroup.procs", "0").unwrap();

    let before = given();
    for n in 0..MANY {
        drop(manager.fork().unwrap_or_else(|error| panic!("process {n}: {error}")));
    }
    let each = (given() - before) / MANY;
    println!("{each} bytes a process");
    assert!(each <= MOST_BYTES, "{each} bytes a process");
    let current = fs::read_to_string(&root, "/sys/fs/cgroup/many/pids.current").unwrap();
    assert_eq!(current, format!("{}\n", MANY + 1));
    let members = fs::read_to_string(&root, "/sys/fs/cgroup/many/cgroup.procs").unwrap();
    assert_eq!(members.lines().count(), MANY + 1);
    machine.check().unwrap();

    fs::write(&root, "/sys/fs/cgroup/many/cgroup.kill", "1").unwrap();
    while root.wait_any(WaitOptions::default()).is_ok() {}
    assert_eq!(fs::read_to_string(&root, "/sys/fs/cgroup/many/cgroup.procs").unwrap(), "");
    fs::remove_dir(&root, "/sys/fs/cgroup/many").unwrap();
    assert_eq!(machine.look().processes().len(), 2, "process 1 and the view's own");
    machine.check().unwrap();
    machine.finish().unwrap();
}
