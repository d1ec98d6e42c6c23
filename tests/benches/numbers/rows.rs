//! The rows: what is called, and how often. The same calls run on the machine and, where there is one, on the host.

use std::cell::RefCell;
use std::time::Duration;

use standin::backend::{Backend, Deadline, OpenOptions, Processes, Spawn, WaitOptions};
use standin::{ExitCode, KPath, Place, fs};
use standin_sim::Machine;

use crate::directory;
use crate::host::Host;
use crate::lives;
use crate::measure::{Row, each};

/// A kernel to measure, a group of our own on it, and a process of our own to move about.
struct Subject<'a> {
    kernel: &'a dyn Backend,
    group: String,
    idle: u32,
}

/// A machine with 10,000 groups at depth 4.
fn machine() -> Machine {
    let machine = Machine::builder().build();
    let root = machine.root();
    for a in 0..10 {
        fs::create_dir(&root, format!("/sys/fs/cgroup/{a}")).unwrap();
        for b in 0..10 {
            fs::create_dir(&root, format!("/sys/fs/cgroup/{a}/{b}")).unwrap();
            for c in 0..10 {
                fs::create_dir(&root, format!("/sys/fs/cgroup/{a}/{b}/{c}")).unwrap();
                for d in 0..10 {
                    fs::create_dir(&root, format!("/sys/fs/cgroup/{a}/{b}/{c}/{d}")).unwrap();
                }
            }
        }
    }
    machine
}

pub(crate) fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

/// Open, write, close.
pub(crate) fn put(kernel: &dyn Backend, file: &KPath, value: &[u8]) {
    let file = kernel.open(Place::cwd(file), &OpenOptions::write()).unwrap();
    kernel.write(&file, value).unwrap();
}

thread_local! {
    /// Where reads go: made once, since zeroing it is no part of a call.
    static BUFFER: RefCell<[u8; 4096]> = const { RefCell::new([0; 4096]) };
}

/// Open, read, close.
fn get(kernel: &dyn Backend, file: &KPath) {
    let file = kernel.open(Place::cwd(file), &OpenOptions::read()).unwrap();
    BUFFER.with_borrow_mut(|buffer| kernel.read(&file, buffer).unwrap());
}

type Measurement = (&'static str, f64, f64, fn(&Subject<'_>) -> f64);

/// What, floor and goal in ns, and the measurement.
const ROWS: &[Measurement] = &[
    ("mkdir + rmdir", 670.0, 400.0, |on| {
        let group = format!("{}/x", on.group);
        each(2_000, || {
            on.kernel.mkdir(Place::cwd(path(&group)), standin::Mode::new(0o755)).unwrap();
            on.kernel.rmdir(Place::cwd(path(&group))).unwrap();
        })
    }),
    ("write a limit by path", 200.0, 120.0, |on| {
        let file = format!("{}/cgroup.max.descendants", on.group);
        each(10_000, || put(on.kernel, path(&file), b"1000"))
    }),
    ("read a limit by path", 250.0, 140.0, |on| {
        let file = format!("{}/cgroup.max.descendants", on.group);
        each(10_000, || get(on.kernel, path(&file)))
    }),
    ("write a limit by open handle", 100.0, 50.0, |on| {
        let file = format!("{}/cgroup.max.descendants", on.group);
        let file = on.kernel.open(Place::cwd(path(&file)), &OpenOptions::write()).unwrap();
        each(10_000, || {
            on.kernel.write(&file, b"1000").unwrap();
        })
    }),
    ("migrate", 330.0, 200.0, |on| {
        let groups = [format!("{}/m0", on.group), format!("{}/m1", on.group)];
        let files = groups.each_ref().map(|group| {
            fs::create_dir(on.kernel, group).unwrap();
            format!("{group}/cgroup.procs")
        });
        let pid = on.idle.to_string();
        let mut turn = 0;
        let ns = each(2_000, || {
            turn ^= 1;
            put(on.kernel, path(files.get(turn).unwrap()), pid.as_bytes());
        });
        put(on.kernel, path(&format!("{}/../cgroup.procs", on.group)), pid.as_bytes());
        groups.iter().for_each(|group| fs::remove_dir(on.kernel, group).unwrap());
        ns
    }),
    ("/proc/PID/cgroup by path", 125.0, 80.0, |on| {
        let file = format!("/proc/{}/cgroup", on.idle);
        each(10_000, || get(on.kernel, path(&file)))
    }),
    ("/proc/PID/stat by path", 330.0, 250.0, |on| {
        let file = format!("/proc/{}/stat", on.idle);
        each(10_000, || get(on.kernel, path(&file)))
    }),
    ("/proc/PID/status by path", 1_000.0, 700.0, |on| {
        let file = format!("/proc/{}/status", on.idle);
        each(10_000, || get(on.kernel, path(&file)))
    }),
    ("list a group's files", 670.0, 500.0, |on| {
        let directory = on.kernel.open_dir(Place::cwd(path(&on.group))).unwrap();
        each(2_000, || drop(on.kernel.list(&directory).unwrap()))
    }),
    ("list 1,000 children", 30_000.0, 20_000.0, |on| {
        let children: Vec<String> = (0..1_000).map(|n| format!("{}/c{n}", on.group)).collect();
        children.iter().for_each(|child| fs::create_dir(on.kernel, child).unwrap());
        let directory = on.kernel.open_dir(Place::cwd(path(&on.group))).unwrap();
        let ns = each(100, || drop(on.kernel.list(&directory).unwrap()));
        children.iter().for_each(|child| fs::remove_dir(on.kernel, child).unwrap());
        ns
    }),
    ("freeze + thaw of one process", 1_000.0, 600.0, |on| {
        let group = format!("{}/f", on.group);
        fs::create_dir(on.kernel, &group).unwrap();
        let pid = on.idle.to_string();
        put(on.kernel, path(&format!("{group}/cgroup.procs")), pid.as_bytes());
        let file = format!("{group}/cgroup.freeze");
        let ns = each(1_000, || {
            put(on.kernel, path(&file), b"1");
            put(on.kernel, path(&file), b"0");
        });
        put(on.kernel, path(&format!("{}/../cgroup.procs", on.group)), pid.as_bytes());
        fs::remove_dir(on.kernel, &group).unwrap();
        ns
    }),
    ("one manager's job (core files)", 2_500.0, 1_400.0, |on| {
        let group = format!("{}/job", on.group);
        let of = |file: &str| format!("{group}/{file}");
        let [depth, descendants, freeze] =
            ["cgroup.max.depth", "cgroup.max.descendants", "cgroup.freeze"].map(of);
        let [procs, events, stat] = ["cgroup.procs", "cgroup.events", "cgroup.stat"].map(of);
        let (home, pid) = (format!("{}/../cgroup.procs", on.group), on.idle.to_string());
        each(2_000, || {
            on.kernel.mkdir(Place::cwd(path(&group)), standin::Mode::new(0o755)).unwrap();
            put(on.kernel, path(&depth), b"3");
            put(on.kernel, path(&descendants), b"10");
            put(on.kernel, path(&freeze), b"0");
            put(on.kernel, path(&procs), pid.as_bytes());
            get(on.kernel, path(&events));
            get(on.kernel, path(&stat));
            get(on.kernel, path(&procs));
            put(on.kernel, path(&home), pid.as_bytes());
            on.kernel.rmdir(Place::cwd(path(&group))).unwrap();
        })
    }),
];

/// What a debug build takes, as `cargo test` makes it.
const DEBUG: [(&str, f64, f64); 3] = [
    ("write a limit by path", 1_500.0, 1_000.0),
    ("read a limit by path", 1_500.0, 1_000.0),
    ("one manager's job (core files)", 30_000.0, 20_000.0),
];

/// Measures the rows of a debug build.
pub(crate) fn in_debug_build(print: &mut dyn FnMut(&Row)) {
    let machine = machine();
    let (root, idle) = (machine.root(), machine.user(1000));
    let simulated = Subject {
        kernel: &root,
        group: "/sys/fs/cgroup/5/5/5/5".to_owned(),
        idle: idle.pid().unwrap().0,
    };
    for (what, floor_ns, goal_ns) in DEBUG {
        let (.., measurement) = ROWS.iter().find(|(name, ..)| *name == what).unwrap();
        let machine_ns = measurement(&simulated);
        let (host_ns, directory_ns) = (None, directory::measure(what));
        print(&Row { what: what.to_owned(), floor_ns, goal_ns, machine_ns, host_ns, directory_ns });
    }
}

/// Measures all rows and hands each to `print`.
pub(crate) fn all(host: Option<&Host>, print: &mut dyn FnMut(&Row)) {
    let lives = host.map(lives::on);
    let machine = machine();
    let (root, idle) = (machine.root(), machine.user(1000));
    let here = host.map(|host| Subject {
        kernel: &host.kernel,
        group: host.group.clone(),
        idle: host.idle(),
    });
    let simulated = Subject {
        kernel: &root,
        group: "/sys/fs/cgroup/5/5/5/5".to_owned(),
        idle: idle.pid().unwrap().0,
    };
    for (what, floor_ns, goal_ns, measurement) in ROWS.iter().copied() {
        let machine_ns = measurement(&simulated);
        let host_ns = here.as_ref().map(measurement);
        let directory_ns = directory::measure(what);
        print(&Row { what: what.to_owned(), floor_ns, goal_ns, machine_ns, host_ns, directory_ns });
    }
    lives::all(lives.as_deref(), print);
    let mut alone = |what: &str, floor_ns, goal_ns, machine_ns| {
        print(&Row::alone(what, [floor_ns, goal_ns], machine_ns));
    };
    alone(
        "a new machine with its first process",
        5_000.0,
        3_000.0,
        each(500, || drop(Machine::builder().build())),
    );
    for (groups, floor_ns, goal_ns) in
        [(100, 1_000.0, 500.0), (10_000, 20_000.0, 10_000.0), (100_000, 200_000.0, 100_000.0)]
    {
        let (taken, restored) = snapshot(groups);
        alone(&format!("snapshot of {groups} groups"), floor_ns, goal_ns, taken);
        alone(&format!("a machine restored from {groups} groups"), floor_ns, goal_ns, restored);
    }
    alone("switch between two programs, a timer each", 100.0, 50.0, switch());
}

/// A snapshot of a machine with so many groups, and a machine that is made of it: each with its end.
fn snapshot(groups: u32) -> (f64, f64) {
    let machine = Machine::builder().build();
    let root = machine.root();
    for n in 0..groups {
        let (above, below) = (n / 100 * 100, n % 100);
        let name = match below {
            0 => format!("/sys/fs/cgroup/{above}"),
            below => format!("/sys/fs/cgroup/{above}/{below}"),
        };
        fs::create_dir(&root, name).unwrap();
    }
    let taken = each(100, || drop(machine.snapshot().unwrap()));
    let snapshot = machine.snapshot().unwrap();
    (taken, each(100, || drop(snapshot.machine())))
}

/// Two programs that sleep until the same moments: each timer takes one of them out of its stack and the other back in.
fn switch() -> f64 {
    const TURNS: u32 = 10_000;
    let machine = Machine::builder().build();
    machine.program("/bin/turns", |kernel, _| {
        let mut until = kernel.monotonic().unwrap();
        for _ in 0..TURNS {
            until = until.after(Duration::from_nanos(1));
            kernel.poll(&[], Deadline::At(until)).unwrap();
        }
        ExitCode::SUCCESS
    });
    machine.program("/bin/both", |kernel, _| {
        let turns = Spawn::new(path("/bin/turns"), &[b"turns"]);
        let both = [(); 2].map(|()| kernel.spawn(&turns).unwrap());
        for one in &both {
            kernel.wait(one, WaitOptions::default()).unwrap();
        }
        ExitCode::SUCCESS
    });
    each(1, || assert!(machine.run("/bin/both", &[]).is_ok())) / f64::from(2 * TURNS)
}
