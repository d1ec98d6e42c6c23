//! The host as a stage: recordings of this kernel are printed again, and nothing stays behind, whoever is killed when.
//!
//! The suite has a `main` of its own, since watchers and actors are this program again, and so is the runner that is killed.
//! Scripts use the names of groups that recordings use, so one runs at a time.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use standin::backend::Processes as _;
use standin::transcript::{Layout, Report, Transcript, parse, run};
use standin_linux::{HostStage, Linux, Refusal, Registry, start};

/// What a group is called that only these tests make.
const OWN: &str = "standin-stage-test";

/// The first argument of a process of this program that runs scripts until it is killed.
const RUNNER: &str = "run-until-killed";

/// How often a runner is killed.
const KILLS: u32 = 100;

/// How long a watcher may take to clear up.
const CLEARING: Duration = Duration::from_secs(20);

/// A scene in which everything there is to undo exists at once, and somebody is held back in each way.
const SCENE: &str = "machine
init> mkdir {v2}/ta
init> mkdir {v2}/ta/b
init> write {v2}/ta/cgroup.max.depth 7
init> fork p into={v2}/ta
init> fork f into={v2}/ta/b
init> write {v2}/ta/b/cgroup.freeze 1
p> thread t
p> fork q new=user,pid,mnt,uts
q> fork r
q> fork s new=pid
r> hostname x
init> kill p STOP
init> fork d
init> mkdir /mnt/d
init> mount tmpfs /mnt/d
init> create /mnt/d/f
init> symlink {v2}/ta /mnt/l
init> mkdir /mnt/l/c
init> chdir {v2}/ta
init> mkdir e
init> write {v2}/cgroup.max.descendants 5000
d> signal TERM ignore
d> wait init
";

fn main() -> ExitCode {
    start(&Registry::new());
    let arguments: Vec<String> = std::env::args().collect();
    if let Some((first, files)) = arguments.get(1..).and_then(<[String]>::split_first)
        && first == RUNNER
    {
        run_until_killed(files);
    }
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let tests: [(&str, fn()); 7] = [
        (
            "recordings_of_this_kernel_are_printed_again",
            recordings_of_this_kernel_are_printed_again,
        ),
        ("a_group_that_is_there_is_not_made", a_group_that_is_there_is_not_made),
        ("what_is_the_hosts_is_not_changed", what_is_the_hosts_is_not_changed),
        ("a_name_that_a_mount_hides_goes_too", a_name_that_a_mount_hides_goes_too),
        ("a_setting_of_the_root_is_set_back", a_setting_of_the_root_is_set_back),
        ("a_scene_leaves_nothing_behind", a_scene_leaves_nothing_behind),
        ("a_killed_runner_leaves_nothing_behind", a_killed_runner_leaves_nothing_behind),
    ];
    let root = is_root();
    let trial = |(name, test): (&'static str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
        .with_ignored_flag(!root)
    };
    libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect()).exit_code()
}

/// Whether the tests can do what only root may; says so if not.
fn is_root() -> bool {
    let who = Linux::here().credentials().unwrap();
    let root = who.user.effective == standin::Uid::ROOT;
    if !root {
        println!("skipped: needs root");
    }
    root
}

/// The directory of cgroup2's root.
fn cgroup2() -> &'static str {
    let layout = HostStage::machine_line(&parse(b"machine\n").unwrap().machine).layout;
    if layout == Some(Layout::Hybrid) { "/sys/fs/cgroup/unified" } else { "/sys/fs/cgroup" }
}

fn script(text: &str) -> Transcript {
    let mut script = parse(text.replace("{v2}", cgroup2()).as_bytes()).unwrap();
    script.machine = HostStage::machine_line(&script.machine);
    script
}

fn play(script: &Transcript) -> Report {
    run(script, &mut HostStage::new(script).unwrap()).unwrap()
}

/// The recordings of this kernel in this layout.
fn recordings() -> Vec<PathBuf> {
    let here = script("machine\n").machine;
    let (Some(kernel), Some(layout)) = (here.kernel, here.layout) else { return Vec::new() };
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/transcripts");
    let files = std::fs::read_dir(all.join(kernel.word()).join(layout.word()));
    let mut files: Vec<_> = files.into_iter().flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// How often a recording may be played: on a busy host it is luck whether the memory of somebody who was ended is back before
/// the next one is chosen.
const TRIES: usize = 3;

fn recordings_of_this_kernel_are_printed_again() {
    let mut wrong = Vec::new();
    for file in recordings() {
        let script = parse(&std::fs::read(&file).unwrap()).unwrap();
        match HostStage::fits(&script) {
            Ok(()) => {}
            Err(Refusal::NeedsVm | Refusal::NeedsFresh | Refusal::NeedsV1(_)) => continue,
            Err(refusal) => panic!("{}: {refusal}", file.display()),
        }
        let mut report = play(&script);
        for _ in 1..TRIES {
            if report.mismatches.is_empty() {
                break;
            }
            report = play(&script);
        }
        let differences = report.mismatches.iter();
        wrong.extend(differences.map(|it| format!("{}: {it}", file.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn a_group_that_is_there_is_not_made() {
    let group = format!("{}/{OWN}", cgroup2());
    std::fs::create_dir(&group).unwrap();
    let make = script(&format!("machine\ninit> mkdir {group}\n"));
    let move_in = script(&format!("machine\ninit> mkdir {group}/a\n"));
    let (made, moved_in) = (HostStage::fits(&make), HostStage::fits(&move_in));
    std::fs::remove_dir(&group).unwrap();
    assert_eq!(made, Err(Refusal::Exists(group.clone())));
    assert_eq!(moved_in, Err(Refusal::Foreign(group)));
    assert_eq!(HostStage::fits(&make), Ok(()));
}

fn what_is_the_hosts_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let (there, new) = (directory.path().join("there"), directory.path().join("new"));
    std::fs::write(&there, "old").unwrap();
    let write = script(&format!("machine\ninit> write {} new\n", there.display()));
    assert!(matches!(HostStage::fits(&write), Err(Refusal::Foreign(_))));
    // By another path than the script says it.
    let through =
        format!("machine\ninit> chdir {}\ninit> write there new\n", directory.path().display());
    let through = script(&through);
    let error = run(&through, &mut HostStage::new(&through).unwrap()).unwrap_err();
    assert!(error.to_string().contains("not its own"), "{error}");
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "old");
    let make =
        format!("machine\ninit> create {0}\ninit> write {0} text\ninit> read {0}\n", new.display());
    assert!(play(&script(&make)).transcript.to_string().contains("| text"));
    assert!(!new.exists());
}

fn a_name_that_a_mount_hides_goes_too() {
    let name = Path::new("/mnt/standin-hidden");
    let report = play(&script(
        "machine\ninit> umount /mnt\ninit> create /mnt/standin-hidden\ninit> mount tmpfs /mnt\n\
         init> create /mnt/standin-hidden\n",
    ));
    assert!(report.transcript.to_string().ends_with("standin-hidden\nok\n"));
    assert!(!name.exists());
}

fn a_setting_of_the_root_is_set_back() {
    let file = format!("{}/cgroup.max.depth", cgroup2());
    let old = std::fs::read_to_string(&file).unwrap();
    let report = play(&script(&format!("machine\ninit> write {file} 9\ninit> read {file}\n")));
    assert!(report.transcript.to_string().contains("| 9\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old);
}

fn a_scene_leaves_nothing_behind() {
    let before = Host::look();
    let transcript = play(&script(SCENE)).transcript.to_string();
    assert!(transcript.ends_with("d> wait init\nECHILD\n"), "{transcript}");
    Host::look().assert_as(&before, std::process::id());
}

fn a_killed_runner_leaves_nothing_behind() {
    let scene = std::env::temp_dir().join(format!("{OWN}-{}", std::process::id()));
    std::fs::write(&scene, script(SCENE).to_string()).unwrap();
    let mut scripts = vec![scene.clone()];
    scripts.extend(recordings());
    let before = Host::look();
    let mut dice = Dice(0x5EED);
    for number in 0..KILLS {
        let file = match number % 2 {
            0 => &scene,
            _ => scripts.get(dice.roll(scripts.len())).unwrap(),
        };
        let delay = Duration::from_micros(u64::try_from(dice.roll(400_000)).unwrap());
        let mut runner = start_runner(file);
        std::thread::sleep(delay);
        runner.kill().unwrap();
        runner.wait().unwrap();
        println!("kill {number}: {} after {delay:?}", file.display());
        Host::look_when_clear(&before, runner.id()).assert_as(&before, runner.id());
    }
    std::fs::remove_file(scene).unwrap();
}

fn start_runner(file: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(RUNNER).arg(file).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap()
}

/// What the killed process does.
fn run_until_killed(files: &[String]) -> ! {
    let file = files.first().unwrap();
    let script = parse(&std::fs::read(file).unwrap()).unwrap();
    loop {
        match HostStage::new(&script) {
            Ok(mut stage) => drop(run(&script, &mut stage)),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// Numbers that are the same in every run (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }
}

/// What a run could leave behind on a host.
#[derive(Debug, PartialEq, Eq)]
struct Host {
    /// Groups at the top, by the names that scripts use.
    groups: BTreeSet<PathBuf>,
    mounts: BTreeSet<String>,
    settings: Vec<String>,
}

impl Host {
    fn look() -> Self {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let points = mounts.lines().filter(|line| line.contains(" - cgroup"));
        let points: Vec<_> = points.map(|line| line.split(' ').nth(4).unwrap()).collect();
        let mut groups = BTreeSet::new();
        for entry in points.iter().flat_map(|point| std::fs::read_dir(point).unwrap()).flatten() {
            let is_ours = entry.file_name().as_encoded_bytes().starts_with(b"t");
            if is_ours && entry.file_type().unwrap().is_dir() {
                groups.insert(entry.path());
            }
        }
        let setting = |name| std::fs::read_to_string(format!("{}/{name}", cgroup2())).unwrap();
        let names = ["cgroup.subtree_control", "cgroup.max.depth", "cgroup.max.descendants"];
        let settings = names.into_iter().map(setting).collect();
        Self { groups, mounts: mounts.lines().map(str::to_owned).collect(), settings }
    }

    /// Waits until the host is as it was and nothing of a runner is left, or for as long as a watcher may take.
    fn look_when_clear(before: &Self, runner: u32) -> Self {
        let until = Instant::now() + CLEARING;
        loop {
            let now = Self::look();
            if now == *before && remains(runner).is_empty() || Instant::now() > until {
                return now;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn assert_as(&self, before: &Self, runner: u32) {
        assert_eq!(self, before);
        assert_eq!(remains(runner), Vec::<String>::new());
    }
}

/// Processes and journals of a runner: each bears its number in its mark.
fn remains(runner: u32) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let is_process = entry.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit);
        let read = |name| std::fs::read(entry.path().join(name)).unwrap_or_default();
        if is_process {
            let bears = |text: &[u8], mark: &str| {
                text.split(|byte| *byte == 0).any(|word| word.starts_with(mark.as_bytes()))
            };
            let is_actor = bears(&read("environ"), &format!("STANDIN_STAGE={runner}-"));
            let is_watcher = bears(&read("cmdline"), &format!("/run/standin-{runner}-"));
            if is_actor || is_watcher {
                found.push(format!("process {:?}", entry.file_name()));
            }
        }
    }
    for entry in std::fs::read_dir("/run").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&format!("standin-{runner}-")) {
            found.push(format!("journal {:?}", entry.file_name()));
        }
    }
    found
}
