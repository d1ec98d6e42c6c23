//! Cases of the property kit as cases of a campaign: machine, operations, order and faults in one byte string.
//!
//! Each is played alone, with a look at the whole machine behind every operation, and beside a manager that puts up with whatever
//! it finds, in the order and with the faults that the case says; both twice. What breaks is made small before it is told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use standin::backend::{Spawn, WaitOptions};
use standin::transcript::Outcome as Answer;
use standin::{Backend, Errno, ExitCode, KPath, Signal, fs};
use standin_sim::Machine;
use standin_sim::property::{Case, Found, Play, Step};

use super::case::{Broken, Cases, Outcome, Reached, digest};
use super::dice::Dice;
use crate::error::{Complaint, expecting_panics};

/// How the line of a case begins, of whichever version.
const LINE: &[u8] = b"standin-case-";
/// The program beside which a case is played.
const MANAGER: &str = "/bin/manager";
/// Where cgroups are, on one layout or another.
const ROOTS: [&str; 3] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"];

/// Given cases as they are, and then others: by chance, and where some were given every other one made of these.
pub(super) struct Generated {
    given: Vec<Case>,
    seed: u64,
    operations: usize,
    name: String,
}

impl Generated {
    /// Cases of so many operations; first those in files and in directories of files.
    ///
    /// # Errors
    /// If a file cannot be read, or holds the line of another version.
    pub(super) fn new(paths: &[PathBuf], seed: u64, operations: usize) -> Result<Self, Complaint> {
        let mut given = Vec::new();
        for path in paths {
            for file in files(path)? {
                let bytes = std::fs::read(&file).map_err(|error| unreadable(&file, &error))?;
                given.push(case(&file.display().to_string(), bytes)?);
            }
        }
        let digest = digest(given.iter().map(|case| case.to_string()));
        let name = format!(
            "generated cases of {operations} operations, {} given {digest:016x}, with seed {seed}",
            given.len()
        );
        Ok(Self { given, seed, operations, name })
    }

    fn numbered(&self, number: u64) -> Case {
        let at = usize::try_from(number).ok();
        if let Some(given) = at.and_then(|number| self.given.get(number)) {
            return given.clone();
        }
        let mut dice = Dice::new(self.seed, number);
        let new = Case::random(dice.number(), self.operations);
        let is_mixed = dice.number().is_multiple_of(2);
        match (dice.one(&self.given), dice.one(&self.given)) {
            (Some(one), Some(other)) if is_mixed => {
                let other = if dice.number().is_multiple_of(2) { other } else { &new };
                one.mixed(other, dice.number())
            }
            _ => new,
        }
    }
}

impl Cases for Generated {
    /// Its bytes, as a fuzzer's corpus has them.
    const ENDING: &'static str = "bytes";

    fn case(&self, number: u64) -> Outcome {
        judged(&self.numbered(number), property)
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// The files in a directory, in the order of their names, or the file itself.
fn files(path: &Path) -> Result<Vec<PathBuf>, Complaint> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    let files = entries.map(|entry| entry.map(|entry| entry.path()));
    let files = files.collect::<Result<Vec<_>, _>>().map_err(|error| unreadable(path, &error))?;
    let mut files: Vec<PathBuf> = files.into_iter().filter(|file| file.is_file()).collect();
    files.sort();
    Ok(files)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Complaint {
    Complaint::misuse(format!("{}: cannot be read: {error}", path.display()), "")
}

/// The case that a file holds: its line, or its bytes, whatever these are.
fn case(name: &str, bytes: Vec<u8>) -> Result<Case, Complaint> {
    if !bytes.starts_with(LINE) {
        return Ok(Case::new(bytes));
    }
    String::from_utf8_lossy(&bytes).parse().map_err(|error| {
        let help = "a campaign prints the line of a case that broke something";
        Complaint::misuse(format!("{name}: {error}"), help)
    })
}

/// The case that an argument stands for: a line, or a file.
///
/// # Errors
/// If it is neither.
pub(super) fn named(argument: &str) -> Result<Case, Complaint> {
    if argument.as_bytes().starts_with(LINE) {
        return case("the case", argument.as_bytes().to_vec());
    }
    let path = Path::new(argument);
    case(argument, std::fs::read(path).map_err(|error| unreadable(path, &error))?)
}

/// Plays a case again, as a campaign does.
///
/// # Errors
/// What broke, as the case is.
pub(super) fn again(case: &Case) -> Result<Reached, Box<Found>> {
    expecting_panics(|| attempt(case, property))
}

/// What must hold, and what is reached: operations with what they came to.
type Property = fn(&Case, &mut Play, &mut BTreeSet<String>);

fn judged(case: &Case, property: Property) -> Outcome {
    match expecting_panics(|| attempt(case, property)) {
        Ok(reached) => Outcome::Held(reached),
        Err(found) => {
            let fails = |smaller: &Case| attempt(smaller, property).err().map(|found| *found);
            let small = expecting_panics(|| found.shrunk(fails));
            Outcome::Broken(broken(&small))
        }
    }
}

fn broken(found: &Found) -> Broken {
    let mut what = found.message().to_owned();
    for fault in found.faults() {
        what.push_str(&format!("\nfault: {fault}"));
    }
    Broken { what, script: found.script(), again: Some(found.line()) }
}

fn attempt(case: &Case, property: Property) -> Result<Reached, Box<Found>> {
    let mut pairs = BTreeSet::new();
    let tally = case.check(|play| property(case, play, &mut pairs));
    let (operations, not_modelled) = match tally {
        Ok(tally) => (tally.operations, 0),
        // The machine says that it does not know what Linux does: nothing broke.
        Err(found) if found.is_unmodelled() => (0, 1),
        Err(found) => return Err(Box::new(found)),
    };
    Ok(Reached { kept: case.as_bytes().to_vec(), pairs, operations, not_modelled })
}

/// Every rule of the machine, and twice the same.
fn property(case: &Case, play: &mut Play, pairs: &mut BTreeSet<String>) {
    let first = alone(play, |machine, step, answer| {
        if let Err(broken) = machine.check() {
            panic!("after {step}: {broken}");
        }
        pairs.extend(pair(step, answer));
    });
    same(&first, case, |play| alone(play, |_, _, _| {}));
    let mut beside_it = String::new();
    let beside_once = case.check(|play| beside_it = beside(play));
    match beside_once {
        Ok(tally) => {
            pairs.extend(tally.failed.keys().map(|(word, errno)| format!("{word} {errno}")));
            same(&beside_it, case, beside);
        }
        Err(found) if found.is_unmodelled() => {}
        Err(found) => panic!("{}", found.message()),
    }
}

/// Plays the case once more.
fn same(first: &str, case: &Case, play: impl FnOnce(&mut Play) -> String) {
    let mut second = String::new();
    let ended = case.check(|it| second = play(it));
    if let Err(found) = ended
        && !found.is_unmodelled()
    {
        panic!("the same case again: {}", found.message());
    }
    let lines = first.lines().zip(second.lines());
    let differs = lines.into_iter().find(|(one, two)| one != two);
    assert!(
        differs.is_none() && first.len() == second.len(),
        "the same case again went another way: {differs:?}"
    );
}

/// Plays the operations one after another, with a look behind each; tells what they came to.
fn alone(play: &mut Play, mut look: impl FnMut(&Machine, &Step, Option<&Answer>)) -> String {
    let mut told = String::new();
    while let Some((step, answer)) = play.next() {
        look(play.machine(), &step, answer.as_ref());
        told.push_str(&format!("{step}: {answer:?}\n"));
    }
    told + &play.machine().look().tree()
}

/// The operation with what it came to, if it was answered.
fn pair(step: &Step, answer: Option<&Answer>) -> Option<String> {
    match answer? {
        Answer::Failed { errno, .. } => Some(format!("{} {errno}", step.op.name())),
        Answer::Done | Answer::Printed { .. } => Some(format!("{} ok", step.op.name())),
        Answer::NotModelled | Answer::Broken(_) => None,
    }
}

/// Plays the operations beside the manager; tells what came of that.
fn beside(play: &mut Play) -> String {
    play.machine().program(MANAGER, manage);
    // Others may freeze it for ever, or end it.
    let ended = play.beside(&[MANAGER]);
    if let Err(broken) = play.machine().check() {
        panic!("beside a manager: {broken}");
    }
    let look = play.machine().look();
    format!("{ended:?}\n{}\n{}\n{}", look.went_wrong().join("\n"), play.tally(), look.tree())
}

/// A manager's usual calls, whatever they come to.
fn manage(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    for root in ROOTS {
        let group = format!("{root}/managed");
        let _ = fs::create_dir(kernel, &group);
        let _ = fs::write(kernel, format!("{root}/cgroup.subtree_control"), "+pids");
        let _ = fs::write(kernel, format!("{group}/pids.max"), "3");
        if let Ok(path) = KPath::new("/bin/sleep") {
            let child = kernel.spawn(&Spawn::new(path, &[b"/bin/sleep", b"1"]));
            let _ = fs::write(kernel, format!("{group}/cgroup.procs"), "0");
            let _ = fs::read(kernel, format!("{group}/cgroup.procs"));
            let _ = fs::read_dir(kernel, root);
            if let Ok(child) = child {
                let _ = kernel.signal(&child, Some(Signal::KILL));
                let _ = kernel.wait(&child, WaitOptions::default());
            }
        }
        let _ = fs::write(kernel, format!("{root}/cgroup.procs"), "0");
        let busy = fs::remove_dir(kernel, &group).is_err_and(|it| it.errno() == Some(Errno::EBUSY));
        if busy {
            let _ = fs::write(kernel, format!("{group}/cgroup.kill"), "1");
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use standin_sim::property::{Case, Play};

    use super::super::case::{Broken, Outcome};
    use super::{alone, judged, pair};

    /// What does not hold: that whatever is made is new.
    fn all_is_new(_: &Case, play: &mut Play, _: &mut BTreeSet<String>) {
        alone(play, |_, step, answer| {
            let is_there = pair(step, answer).is_some_and(|pair| pair == "mkdir EEXIST");
            assert!(!is_there, "a group was there");
        });
    }

    #[test]
    fn what_breaks_is_made_small_and_its_line_breaks_again() {
        let judged_one = |seed| judged(&Case::random(seed, 50), all_is_new);
        let broken = (0..200).find_map(|seed| match judged_one(seed) {
            Outcome::Broken(broken) => Some(broken),
            Outcome::Held(_) | Outcome::None => None,
        });
        let Broken { what, script, again } = broken.expect("one of them makes what is there");
        assert_eq!(what, "a group was there");
        assert!(script.lines().count() <= 5, "{script}");
        let case: Case = again.expect("it can be played again").parse().expect("it is a line");
        assert_eq!(case.script(), script);
        let Outcome::Broken(same) = judged(&case, all_is_new) else {
            panic!("it broke nothing the second time")
        };
        assert_eq!((same.what, same.script), (what, script));
    }
}
