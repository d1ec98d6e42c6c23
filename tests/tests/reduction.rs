//! A search that tries of all orders that come to the same only one finds what the search through all of them finds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a program that fails is what a search looks for"
)]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use standin::backend::OpenOptions;
use standin::handle::File;
use standin::{Backend, ExitCode, KPath, Mode, Place, fs};
use standin_sim::{Fault, Machine, Search};

/// What one program saw, by the program.
type Seen = Arc<[Mutex<Vec<String>>; 3]>;

fn place(path: &str) -> Place<'_> {
    Place::cwd(KPath::new(path).unwrap())
}

/// One call of eleven.
fn act(kernel: &dyn Backend, what: u8, name: &str, file: &mut Option<File>) -> String {
    let mut room = [0; 8];
    match (what % 11, &file) {
        (0, _) => format!("mkdir {:?}", kernel.mkdir(place("/sys/fs/cgroup/g"), Mode::new(0o755))),
        (1, _) => format!("rmdir {:?}", kernel.rmdir(place("/sys/fs/cgroup/g"))),
        (2, _) => format!("unlink {:?}", kernel.unlink(place("/mnt/f"))),
        (3, _) => opened(file, kernel.open(place("/mnt/f"), &OpenOptions::read_write())),
        (4, _) => {
            let options = OpenOptions::read_write().create().truncate().mode(Mode::new(0o600));
            opened(file, kernel.open(place("/mnt/f"), &options))
        }
        (5, _) => {
            opened(file, kernel.open(place("/sys/fs/cgroup/cgroup.stat"), &OpenOptions::read()))
        }
        (6, Some(file)) => {
            let read = kernel.pread(file, &mut room, standin::id::Bytes(0));
            let length = read.as_ref().map_or(0, |length| *length);
            format!("read {read:?} {:?}", String::from_utf8_lossy(&room[..length]))
        }
        (7, Some(file)) => {
            format!("write {:?}", kernel.pwrite(file, name.as_bytes(), standin::id::Bytes(0)))
        }
        (8, _) => format!("there {}", fs::exists(kernel, "/sys/fs/cgroup/g")),
        (9, _) => {
            let group = fs::metadata(kernel, "/sys/fs/cgroup/g").map(|told| told.links);
            format!("stat {:?}", group.map_err(|error| error.errno()))
        }
        (10, _) => {
            let groups = fs::read_dir(kernel, "/sys/fs/cgroup").unwrap();
            format!("list {}", groups.iter().any(|entry| entry.file_name() == "g"))
        }
        _ => format!("pid {}", kernel.pid().is_ok()),
    }
}

fn opened(file: &mut Option<File>, opened: Result<File, standin::Failure>) -> String {
    match opened {
        Ok(new) => {
            *file = Some(new);
            "open".to_owned()
        }
        Err(failure) => format!("open {failure}"),
    }
}

/// Programs that make these calls; everything that they and who comes afterwards saw is an outcome.
fn outcomes(search: &Search, programs: &[Vec<u8>]) -> (BTreeSet<String>, u64) {
    let all = Mutex::new(BTreeSet::new());
    let report = search.check(|machine| {
        let seen: Seen = Arc::default();
        fs::write(&machine.root(), "/mnt/f", "start").unwrap();
        let mut commands: Vec<String> = Vec::new();
        for (at, calls) in programs.iter().enumerate() {
            let (seen, calls, name) = (Arc::clone(&seen), calls.clone(), format!("program {at}"));
            let path = format!("/bin/{at}");
            machine.program(&path, move |kernel, _| {
                let mut file = None;
                for call in &calls {
                    let saw = act(kernel, *call, &name, &mut file);
                    seen[at].lock().unwrap().push(saw);
                }
                ExitCode::SUCCESS
            });
            commands.push(path);
        }
        let commands: Vec<[&str; 1]> = commands.iter().map(|path| [path.as_str()]).collect();
        let commands: Vec<&[&str]> = commands.iter().map(<[&str; 1]>::as_slice).collect();
        let ended = machine.run_together(&commands).unwrap();
        let left = fs::read_to_string(&machine.root(), "/mnt/f").map_err(|error| error.errno());
        let groups = machine.look().cgroups();
        all.lock().unwrap().insert(format!("{seen:?} {ended:?} {left:?} {groups:?}"));
    });
    let report = report.unwrap();
    assert!(report.is_complete, "{report:?}");
    (all.into_inner().unwrap(), report.runs)
}

/// Numbers that look random.
fn bytes(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24).to_le_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn generated_programs_come_to_the_same_with_fewer_runs() {
    let (mut all_runs, mut fewer_runs, mut distinct) = (0, 0, 0);
    for seed in 0..24 {
        let programs = [bytes(seed, 3), bytes(seed + 1_000, 3)];
        let (all, runs) = outcomes(&Search::exhaustive(u32::MAX), &programs);
        let (same, fewer) = outcomes(&Search::reduced(), &programs);
        assert_eq!(all, same, "seed {seed}: {programs:?}");
        assert!(fewer <= runs, "seed {seed}: {fewer} runs instead of {runs}");
        (all_runs, fewer_runs) = (all_runs + runs, fewer_runs + fewer);
        distinct += all.len();
    }
    println!("{fewer_runs} runs instead of {all_runs}, for {distinct} outcomes");
    assert!(distinct > 48, "{distinct} outcomes: the programs do not meet");
    assert!(fewer_runs * 3 < all_runs, "{fewer_runs} runs instead of {all_runs}");
}

#[test]
fn programs_that_only_look_are_put_in_another_order_only_by_their_ends() {
    let programs = [vec![5, 6, 5], vec![5, 6, 5]];
    let (all, runs) = outcomes(&Search::exhaustive(u32::MAX), &programs);
    let (same, fewer) = outcomes(&Search::reduced(), &programs);
    assert_eq!((all.len(), &all), (1, &same), "{all:?}");
    // Five steps each, from the start to the end. One ends first, behind one of the other's four steps before its own end.
    assert_eq!(runs, 252, "10! / (5! 5!)");
    assert!((8..=16).contains(&fewer), "{fewer} runs");
}

#[test]
fn what_may_go_wrong_is_tried_as_well() {
    let scenario = |machine: &Machine| {
        machine.program("/bin/a", |kernel, _| {
            fs::create_dir(kernel, "/sys/fs/cgroup/a").ok();
            fs::create_dir(kernel, "/sys/fs/cgroup/b").ok();
            ExitCode::SUCCESS
        });
        machine.program("/bin/b", |kernel, _| {
            let _ = kernel.pid();
            ExitCode::SUCCESS
        });
        machine.run_together(&[&["/bin/a"], &["/bin/b"]]).unwrap();
    };
    let fails = Fault::fails("mkdir", standin::Errno::ENOMEM).perhaps();
    let builder = Machine::builder().fault(fails);
    let all = |search: Search| {
        let left = Mutex::new(BTreeSet::new());
        let report = search.on(builder.clone()).check(|machine| {
            scenario(machine);
            left.lock().unwrap().insert(machine.look().cgroups().join(" "));
        });
        (left.into_inner().unwrap(), report.unwrap().runs)
    };
    let (one, runs) = all(Search::exhaustive(u32::MAX));
    let (other, fewer) = all(Search::reduced());
    assert_eq!(one.len(), 4, "{one:?}");
    assert_eq!(one, other);
    assert!(fewer < runs, "{fewer} runs instead of {runs}");
}

#[test]
fn a_failure_is_found_with_its_line() {
    let look_and_make = |kernel: &dyn Backend, _: &[Vec<u8>]| {
        if !fs::exists(kernel, "/sys/fs/cgroup/web") {
            fs::create_dir(kernel, "/sys/fs/cgroup/web").unwrap();
        }
        ExitCode::SUCCESS
    };
    let scenario = move |machine: &Machine| {
        machine.program("/bin/ensure", look_and_make);
        machine.run_together(&[&["/bin/ensure"], &["/bin/ensure"]]).unwrap();
    };
    let found = Search::reduced().check(scenario).unwrap_err();
    assert!(found.message().contains("EEXIST"), "{found}");
    let again = Search::replay(found.line(), Machine::builder()).unwrap().check(scenario);
    assert_eq!(again.unwrap_err().line(), found.line());
}
