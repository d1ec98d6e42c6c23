//! What a group and a process take of memory, by counting what the allocator gave out.

#![expect(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use standin::fs;
use standin_sim::{Machine, View};

struct Counting;

static GIVEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on to the system's allocator as it came; only sizes are added up beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        GIVEN.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        GIVEN.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MANY: usize = 10_000;

fn taken(make: impl FnOnce()) -> usize {
    let before = GIVEN.load(Ordering::Relaxed);
    make();
    (GIVEN.load(Ordering::Relaxed) - before) / MANY
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
