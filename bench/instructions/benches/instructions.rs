//! The instructions of the hottest paths of the machine, and the most that each may need.
//!
//! `cargo bench --bench instructions` counts them by callgrind: exact figures, on a busy machine too. It needs
//! valgrind(1) and `cargo install gungraun-runner` of the version that Cargo.lock names. A path that needs more than [`most`]
//! says is a failure. Who makes one cheaper writes the new figure down, so that it stays; a compiler may move all of them.

#![expect(clippy::unwrap_used, reason = "a measurement that fails has nothing to report")]
#![allow(
    missing_docs,
    clippy::must_use_candidate,
    reason = "the macros of the library make the items, without a word"
)]

use std::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use standin::backend::{Backend, Deadline, Files, OpenOptions, Processes, Spawn, WaitOptions};
use standin::handle::{Dir, File};
use standin::{ExitCode, KPath, Mode, Place, fs};
use standin_sim::{Machine, View};

/// How often a path is taken in a run; the figures are of all of them.
const TIMES: u32 = 100;

/// The most instructions for [`TIMES`] times: what was counted, and 3 in 100 more.
const fn most(counted: u64) -> u64 {
    counted + counted * 3 / 100
}

fn limit(counted: u64) -> LibraryBenchmarkConfig {
    let mut config = LibraryBenchmarkConfig::default();
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.hard_limits([(EventKind::Ir, most(counted))]);
    config.tool(callgrind);
    config
}

/// A machine, a process of root on it, and a group that is there.
struct Scene {
    machine: Machine,
    root: View,
}

const GROUP: &str = "/sys/fs/cgroup/a/b/c/d";

fn path(text: &str) -> &KPath {
    KPath::new(text).unwrap()
}

fn scene() -> Scene {
    let machine = Machine::builder().build();
    let root = machine.root();
    for group in ["/sys/fs/cgroup/a", "/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a/b/c", GROUP] {
        fs::create_dir(&root, group).unwrap();
    }
    // What is made at the first use, once for all machines, is no part of any path.
    get(&root, "/sys/fs/cgroup/a/cgroup.max.depth");
    get(&root, "/proc/self/cgroup");
    Scene { machine, root }
}

/// With a process of somebody else's, idle.
fn idle() -> (Scene, View, String) {
    let scene = scene();
    let idle = scene.machine.user(1000);
    let pid = idle.pid().unwrap().to_string();
    (scene, idle, pid)
}

fn put(kernel: &dyn Backend, file: &str, value: &[u8]) {
    let file = kernel.open(Place::cwd(path(file)), &OpenOptions::write()).unwrap();
    kernel.write(&file, value).unwrap();
}

fn get(kernel: &dyn Backend, file: &str) {
    let file = kernel.open(Place::cwd(path(file)), &OpenOptions::read()).unwrap();
    let mut buffer = [0; 1024];
    black_box(kernel.read(&file, &mut buffer).unwrap());
}

#[library_benchmark(config = limit(469_000))]
#[bench::group(scene())]
fn mkdir_rmdir(scene: Scene) -> Scene {
    let place = Place::cwd(path("/sys/fs/cgroup/a/b/c/d/x"));
    for _ in 0..TIMES {
        scene.root.mkdir(place, Mode::new(0o755)).unwrap();
        scene.root.rmdir(place).unwrap();
    }
    scene
}

#[library_benchmark(config = limit(220_200))]
#[bench::limit(scene())]
fn write_by_path(scene: Scene) -> Scene {
    for _ in 0..TIMES {
        put(&scene.root, "/sys/fs/cgroup/a/b/c/d/cgroup.max.depth", b"1000");
    }
    scene
}

#[library_benchmark(config = limit(223_900))]
#[bench::limit(scene())]
fn read_by_path(scene: Scene) -> Scene {
    for _ in 0..TIMES {
        get(&scene.root, "/sys/fs/cgroup/a/b/c/d/cgroup.max.depth");
    }
    scene
}

fn opened() -> (Scene, File) {
    let scene = scene();
    let file = Place::cwd(path("/sys/fs/cgroup/a/b/c/d/cgroup.max.depth"));
    let file = scene.root.open(file, &OpenOptions::write()).unwrap();
    (scene, file)
}

#[library_benchmark(config = limit(75_700))]
#[bench::limit(opened())]
fn write_by_handle((scene, file): (Scene, File)) -> (Scene, File) {
    for _ in 0..TIMES {
        scene.root.write(&file, b"1000").unwrap();
    }
    (scene, file)
}

#[library_benchmark(config = limit(344_000))]
#[bench::there_and_back(idle())]
fn migrate((scene, idle, pid): (Scene, View, String)) -> (Scene, View, String) {
    for _ in 0..TIMES / 2 {
        put(&scene.root, "/sys/fs/cgroup/a/b/c/d/cgroup.procs", pid.as_bytes());
        put(&scene.root, "/sys/fs/cgroup/cgroup.procs", pid.as_bytes());
    }
    (scene, idle, pid)
}

#[library_benchmark(config = limit(498_500))]
#[bench::by_handle(scene())]
fn fork_exit_wait(scene: Scene) -> Scene {
    for _ in 0..TIMES {
        let child = scene.root.fork().unwrap();
        let handle = scene.root.open_pid(child.pid().unwrap()).unwrap();
        // What has exited answers nothing else.
        let _ = child.exit(ExitCode::SUCCESS);
        black_box(scene.root.wait(&handle, WaitOptions::default()).unwrap());
    }
    scene
}

#[library_benchmark(config = limit(226_700))]
#[bench::cgroup(idle())]
fn read_proc_cgroup((scene, idle, pid): (Scene, View, String)) -> (Scene, View, String) {
    let file = format!("/proc/{pid}/cgroup");
    for _ in 0..TIMES {
        get(&scene.root, &file);
    }
    (scene, idle, pid)
}

fn listed() -> (Scene, Dir) {
    let scene = scene();
    let directory = scene.root.open_dir(Place::cwd(path(GROUP))).unwrap();
    (scene, directory)
}

#[library_benchmark(config = limit(373_200))]
#[bench::group(listed())]
fn list((scene, directory): (Scene, Dir)) -> (Scene, Dir) {
    for _ in 0..TIMES {
        black_box(scene.root.list(&directory).unwrap());
    }
    (scene, directory)
}

#[library_benchmark(config = limit(6_011_700))]
#[bench::first_process()]
fn new_machine() {
    for _ in 0..TIMES {
        drop(black_box(Machine::builder().build()));
    }
}

/// Two programs that sleep until the same moments.
fn two_programs() -> Machine {
    let machine = Machine::builder().build();
    machine.program("/bin/turns", |kernel, _| {
        let mut until = kernel.monotonic().unwrap();
        for _ in 0..TIMES {
            until = until.after(std::time::Duration::from_nanos(1));
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
    machine
}

#[library_benchmark(config = limit(301_300))]
#[bench::by_timers(two_programs())]
fn switch(machine: Machine) -> Machine {
    assert!(machine.run("/bin/both", &[]).is_ok());
    machine
}

// One manager's job: make, three values, in, three looks, out, away.
#[library_benchmark(config = limit(3_282_300))]
#[bench::core_files(idle())]
fn job((scene, idle, pid): (Scene, View, String)) -> (Scene, View, String) {
    const JOB: &str = "/sys/fs/cgroup/a/b/c/d/job";
    let of = |file: &str| format!("{JOB}/{file}");
    let values =
        [("cgroup.max.depth", "3"), ("cgroup.max.descendants", "10"), ("cgroup.freeze", "0")];
    let values = values.map(|(file, value)| (of(file), value));
    let procs = of("cgroup.procs");
    let looks = [of("cgroup.events"), of("cgroup.stat"), procs.clone()];
    for _ in 0..TIMES {
        scene.root.mkdir(Place::cwd(path(JOB)), Mode::new(0o755)).unwrap();
        for (file, value) in &values {
            put(&scene.root, file, value.as_bytes());
        }
        put(&scene.root, &procs, pid.as_bytes());
        looks.iter().for_each(|file| get(&scene.root, file));
        put(&scene.root, "/sys/fs/cgroup/cgroup.procs", pid.as_bytes());
        scene.root.rmdir(Place::cwd(path(JOB))).unwrap();
    }
    (scene, idle, pid)
}

library_benchmark_group!(
    name = hot,
    benchmarks = [
        mkdir_rmdir,
        write_by_path,
        read_by_path,
        write_by_handle,
        migrate,
        fork_exit_wait,
        read_proc_cgroup,
        list,
        new_machine,
        switch,
        job
    ]
);

main!(library_benchmark_groups = hot);
