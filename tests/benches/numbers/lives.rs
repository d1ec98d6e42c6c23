//! Births and deaths, and groups among many: rows whose real kernel is measured before the machine of the other rows is
//! built, since fork(2) copies what the caller has mapped.

use standin::backend::{Backend, Processes, WaitOptions};
use standin::handle::PidHandle;
use standin::{ExitCode, Mode, Pid, Place, Signal, fs};
use standin_sim::{Machine, View};

use crate::host::{self, Host};
use crate::measure::{Row, batch, each};
use crate::rows::{path, put};

/// What becomes of a child.
#[derive(Clone, Copy)]
pub(crate) enum Fate {
    /// It exits at once.
    Exits,
    /// It waits to be killed.
    Stays,
}

/// A kernel to be born and to die on.
struct Subject<'a> {
    kernel: &'a dyn Backend,
    /// A group of our own.
    group: String,
    /// fork(2)
    fork: &'a dyn Fn(Fate) -> Pid,
}

/// What, floor and goal in ns, and the measurement.
type Measurement = (&'static str, f64, f64, fn(&Subject<'_>) -> f64);

const ROWS: &[Measurement] = &[
    ("fork + exit + wait by pid handle", 400.0, 200.0, |on| {
        each(1_000, || {
            let pid = (on.fork)(Fate::Exits);
            reap(on, &on.kernel.open_pid(pid).unwrap());
        })
    }),
    ("kill + wait by pid handle, and its close", 250.0, 150.0, |on| {
        let many = 200;
        let ns = batch(
            1,
            || children(on, many),
            |children| {
                for child in children {
                    on.kernel.signal(&child, Some(Signal::KILL)).unwrap();
                    reap(on, &child);
                }
            },
        );
        ns / f64::from(many)
    }),
    ("cgroup.kill of 100 to the last reap", 15_000.0, 10_000.0, |on| {
        let group = format!("{}/killed", on.group);
        fs::create_dir(on.kernel, &group).unwrap();
        let procs = format!("{group}/cgroup.procs");
        let make = || {
            let children = children(on, 100);
            for child in &children {
                let pid = on.kernel.inspect(child).unwrap().pid.to_string();
                put(on.kernel, path(&procs), pid.as_bytes());
            }
            children
        };
        let ns = batch(1, make, |children| {
            put(on.kernel, path(&format!("{group}/cgroup.kill")), b"1");
            children.iter().for_each(|child| reap(on, child));
        });
        fs::remove_dir(on.kernel, &group).unwrap();
        ns
    }),
];

fn reap(on: &Subject<'_>, child: &PidHandle) {
    on.kernel.wait(child, WaitOptions::default()).unwrap();
}

/// Children that stay. All are forked before the first is opened, so that none is born with a handle of another.
fn children(on: &Subject<'_>, count: u32) -> Vec<PidHandle> {
    let pids: Vec<Pid> = (0..count).map(|_| (on.fork)(Fate::Stays)).collect();
    pids.into_iter().map(|pid| on.kernel.open_pid(pid).unwrap()).collect()
}

fn fork(root: &View, fate: Fate) -> Pid {
    let child = root.fork().unwrap();
    let pid = child.pid().unwrap();
    if matches!(fate, Fate::Exits) {
        // What has exited answers nothing else.
        let _ = child.exit(ExitCode::SUCCESS);
    }
    pid
}

/// A group made and removed beside as many others.
fn siblings(kernel: &dyn Backend, group: &str, count: u32) -> f64 {
    let others: Vec<String> = (0..count).map(|n| format!("{group}/s{n}")).collect();
    others.iter().for_each(|other| fs::create_dir(kernel, other).unwrap());
    let name = format!("{group}/x");
    let place = Place::cwd(path(&name));
    let ns = each(2_000, || {
        kernel.mkdir(place, Mode::new(0o755)).unwrap();
        kernel.rmdir(place).unwrap();
    });
    others.iter().for_each(|other| fs::remove_dir(kernel, other).unwrap());
    ns
}

/// The rows, in the order of the table: what the host took, in ns. Called first, while this program is small.
pub(crate) fn on(host: &Host) -> Vec<f64> {
    let subject = Subject { kernel: &host.kernel, group: host.group.clone(), fork: &host::fork };
    let mut all: Vec<f64> = ROWS.iter().map(|(.., measure)| measure(&subject)).collect();
    all.push(siblings(&host.kernel, &host.group, 20_000));
    all
}

/// The rows with the machine's figures, and those of the host if there are any.
pub(crate) fn all(host: Option<&[f64]>, print: &mut dyn FnMut(&Row)) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let subject = Subject {
        kernel: &root,
        group: "/sys/fs/cgroup".to_owned(),
        fork: &|fate| fork(&root, fate),
    };
    let mut host = host.unwrap_or_default().iter().copied();
    for (what, floor_ns, goal_ns, measure) in ROWS.iter().copied() {
        let machine_ns = measure(&subject);
        let host_ns = host.next();
        let what = what.to_owned();
        print(&Row { what, floor_ns, goal_ns, machine_ns, host_ns, directory_ns: None });
    }
    let few = siblings(&root, "/sys/fs/cgroup", 10);
    print(&Row {
        what: "mkdir + rmdir among 20,000 siblings".to_owned(),
        floor_ns: 1.5 * few,
        goal_ns: few,
        machine_ns: siblings(&root, "/sys/fs/cgroup", 20_000),
        host_ns: host.next(),
        directory_ns: None,
    });
}
