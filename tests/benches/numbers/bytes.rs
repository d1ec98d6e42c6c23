//! What a group and a process take of memory, by counting what the allocator gave out.

use standin::fs;
use standin_sim::{Machine, View};
use standin_tests::allocator::{Counting, given};

#[global_allocator]
static COUNTING: Counting = Counting;

const MANY: usize = 10_000;

fn taken(make: impl FnOnce()) -> usize {
    let before = given();
    make();
    (given() - before) / MANY
}

pub(crate) fn print() {
    let machine = Machine::builder().build();
    let root = machine.root();
    fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+pids").unwrap();
    let group = taken(|| {
        for n in 0..MANY {
            fs::create_dir(&root, format!("/sys/fs/cgroup/{n}")).unwrap();
        }
    });
    let process = taken(|| (0..MANY).for_each(|_| drop::<View>(root.fork().unwrap())));
    for (what, bytes, floor, goal) in [
        ("bytes of a cgroup (core + pids)", group, 600, 400),
        ("bytes of a process", process, 500, 300),
    ] {
        let mark = if bytes <= goal {
            "goal"
        } else if bytes <= floor {
            "floor"
        } else {
            "MISSED"
        };
        println!("{what:<46} {bytes:>11} {floor:>9} {goal:>9} {:>12} {:>12}  {mark}", "-", "-");
    }
}
