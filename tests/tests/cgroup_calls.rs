//! How many calls the cgroup library makes for what managers do: as many as somebody who writes them by hand and wants the same
//! guarantees, or at most a tenth more. Counts decide, never time; `cargo bench --bench cgroup` measures.
//!
//! The guarantees, and what each costs by hand: a new group is held by its directory before anything is written (an open); a
//! group is removed only if its name still leads to it (two looks); with groups in it, it is removed only if nobody is in any
//! of them (v2 says so in one file, in v1 each is asked, and whether it has groups of its own); controllers are enabled only
//! where they are not (a file read). A call to the backend is a system call, or a few; closing is counted nowhere.

#![expect(clippy::unwrap_used, reason = "what does not work is what a test is to show")]

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::sync::{Barrier, Mutex, PoisonError};

use standin::backend::Processes as _;
use standin::cgroup::{Group, GroupPath, Version};
use standin::layer::{Call, Layer, Layered};
use standin::{Backend, ControllerSet, Failure, Pid, Tid};
use standin_linux::Linux;
use standin_sim::{Layout, Machine, Release};
use standin_tests::manager::{CHILDREN, CPU_V1, HUGETLB_V2, Kit, Manager, PIDS_V2};

/// Calls by name.
type Calls = BTreeMap<&'static str, u32>;

/// Counts the calls that go through.
#[derive(Default)]
struct Counting(Mutex<Calls>);

impl Layer for Counting {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(call.name).or_default() += 1;
        Ok(())
    }
}

/// What is written by hand, with the same guarantees.
struct ByHand {
    job: &'static str,
    v1: &'static [(&'static str, u32)],
    v2: &'static [(&'static str, u32)],
}

/// A value written or a process moved: open, write. A value or list read: open, read.
const BY_HAND: [ByHand; 6] = [
    ByHand {
        job: "life",
        // Make and hold; two values, in and out; two values read; two looks at what is removed.
        v1: &[
            ("mkdir", 1),
            ("open_dir", 1),
            ("open", 6),
            ("write", 4),
            ("read", 2),
            ("stat", 2),
            ("rmdir", 1),
        ],
        // And the file that says what is enabled.
        v2: &[
            ("mkdir", 1),
            ("open_dir", 1),
            ("open", 7),
            ("write", 4),
            ("read", 3),
            ("stat", 2),
            ("rmdir", 1),
        ],
    },
    ByHand {
        job: "life in four",
        // In each: make and hold; a value, in and out; a value read; two looks at what is removed.
        v1: &[
            ("mkdir", 4),
            ("open_dir", 4),
            ("open", 16),
            ("write", 12),
            ("read", 4),
            ("stat", 8),
            ("rmdir", 4),
        ],
        v2: &[],
    },
    ByHand { job: "change", v1: &[("open", 1), ("write", 1)], v2: &[("open", 1), ("write", 1)] },
    ByHand { job: "statistic", v1: &[("open", 1), ("read", 1)], v2: &[("open", 1), ("read", 1)] },
    ByHand { job: "list", v1: &[("open", 1), ("read", 1)], v2: &[("open", 1), ("read", 1)] },
    ByHand {
        job: "fell",
        // The members of the group, its children, of each its members and its links; then all are removed, the group after two
        // looks.
        v1: &[
            ("open", 1 + CHILDREN),
            ("read", 1 + CHILDREN),
            ("list", 1),
            ("stat", 2 + CHILDREN),
            ("rmdir", 1 + CHILDREN),
        ],
        // Whether anybody is in any of them; the children; all are removed, the group after two looks.
        v2: &[("open", 1), ("read", 1), ("list", 1), ("stat", 2), ("rmdir", 1 + CHILDREN)],
    },
];

/// Groups of ours on a kernel, which is afterwards as it was, also after a failure.
struct Ground<'a> {
    kernel: &'a dyn Backend,
    manager: Manager,
    root: Group,
    /// What was enabled for it.
    enabled: ControllerSet,
}

impl<'a> Ground<'a> {
    fn new(kernel: &'a dyn Backend, kit: Kit, purpose: &str) -> standin::cgroup::Result<Self> {
        let name = format!("standin-{purpose}-{}", std::process::id());
        let manager = Manager::new(kernel, kit, &name)?;
        let root = manager.home().open(kernel, &GroupPath::root())?;
        let enabled = ControllerSet::from(kit.controller).difference(root.enabled(kernel)?);
        root.enable(kernel, enabled)?;
        Ok(Self { kernel, manager, root, enabled })
    }
}

impl Drop for Ground<'_> {
    fn drop(&mut self) {
        let swept = self.manager.sweep(self.kernel);
        let disabled = self.root.disable(self.kernel, self.enabled);
        if let Err(error) = swept.and(disabled) {
            println!("left behind: {error}");
        }
    }
}

/// What the library does, counted.
fn counted(ground: &Ground<'_>, process: Pid) -> Vec<(&'static str, Calls)> {
    let Ground { kernel, manager, .. } = ground;
    let stays = manager.settle(*kernel).unwrap();
    stays.attach(*kernel, process).unwrap();
    let tree = manager.grow(*kernel).unwrap();
    let count = |job: &dyn Fn(&dyn Backend) -> standin::cgroup::Result<()>| {
        let layered = Layered::new(*kernel, Counting::default());
        job(&layered).unwrap();
        layered.layer().0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    };
    let mut all = vec![("life", count(&|kernel| manager.life(kernel, process)))];
    if manager.home().version() == Version::V1 {
        all.push(("life in four", count(&|kernel| manager.life_in_four(kernel, process))));
    }
    all.extend([
        ("change", count(&|kernel| manager.change(kernel, &stays))),
        ("statistic", count(&|kernel| manager.statistic(kernel, &stays).map(drop))),
        ("list", count(&|kernel| stays.processes(kernel).map(drop))),
        ("fell", count(&|kernel| manager.fell(kernel, &tree))),
    ]);
    all
}

/// At most a tenth more than by hand, call by call.
fn assert_few(who: &str, version: Version, counted: Vec<(&'static str, Calls)>) {
    for (job, calls) in counted {
        let row = BY_HAND.iter().find(|row| row.job == job).unwrap();
        let by_hand = if version == Version::V1 { row.v1 } else { row.v2 };
        let (ours, theirs): (u32, u32) =
            (calls.values().sum(), by_hand.iter().map(|(_, count)| count).sum());
        println!("{who}: {job}: {ours} calls, {theirs} by hand");
        assert!(
            ours * 10 <= theirs * 11,
            "{who}: {job}: {ours} calls {calls:?}, {theirs} by hand {by_hand:?}"
        );
    }
}

#[test]
fn on_a_machine_every_job_takes_as_few_calls_as_by_hand() {
    // Newer kernels of Debian have no memory controller in v1.
    let v1 = Machine::builder().kernel(Release::V6_1).layout(Layout::Legacy);
    let v2 = Machine::builder().layout(Layout::Unified);
    for (machine, kit, version) in [(v1, CPU_V1, Version::V1), (v2, PIDS_V2, Version::V2)] {
        let machine = machine.build();
        let kernel = machine.root();
        let process = machine.user(1000);
        let ground = Ground::new(&kernel, kit, "calls").unwrap();
        assert_few("machine", version, counted(&ground, process.pid().unwrap()));
    }
}

/// A process of ours that does nothing.
struct Idle(Child);

impl Drop for Idle {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This host, if the jobs can be done here with this kit; else why not.
fn host<'a>(kernel: &'a Linux, kit: Kit, purpose: &str) -> Result<Ground<'a>, String> {
    let text = |error: standin::cgroup::Error| error.to_string();
    let ground = Ground::new(kernel, kit, purpose).map_err(text)?;
    let version = ground.manager.home().version();
    if kit.version() != version {
        return Err(format!("it is in a hierarchy of {version:?}"));
    }
    ground.manager.settle(kernel).map_err(text)?.delete(kernel).map_err(text)?;
    Ok(ground)
}

#[test]
fn on_a_host_every_job_takes_as_few_calls_as_by_hand() {
    let kernel = Linux::here();
    for kit in [CPU_V1, HUGETLB_V2, PIDS_V2] {
        match host(&kernel, kit, "calls") {
            Err(why) => println!("skipped: {} on this host: {why}", kit.controller),
            Ok(ground) => {
                let idle = Idle(Command::new("sleep").arg("600").spawn().unwrap());
                assert_few("host", kit.version(), counted(&ground, Pid(idle.0.id())));
            }
        }
    }
}

#[test]
fn on_a_host_a_list_longer_than_a_page_is_read_whole() {
    const MANY: usize = 1200;
    let kernel = Linux::here();
    let ground = match host(&kernel, CPU_V1, "list") {
        Ok(ground) => ground,
        Err(why) => return println!("skipped: cpu on this host: {why}"),
    };
    let group = ground.manager.settle(&kernel).unwrap();
    let (begun, over) = (Barrier::new(MANY + 1), Barrier::new(MANY + 1));
    std::thread::scope(|scope| {
        for _ in 0..MANY {
            scope.spawn(|| {
                group.attach_thread(&kernel, Tid(0)).unwrap();
                begun.wait();
                over.wait();
                ground.root.attach_thread(&kernel, Tid(0)).unwrap();
            });
        }
        begun.wait();
        let threads = group.threads(&kernel);
        over.wait();
        assert_eq!(threads.unwrap().len(), MANY);
    });
}
