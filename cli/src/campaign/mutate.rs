//! Another script made of one that there is: lines dropped, swapped, done twice or by somebody else, or some of a second script
//! put between; on another kernel, now and then in another layout.

use standin::transcript::{Layout, MachineLine, ParseError, Release, Transcript, parse};

use super::dice::Dice;

/// Changes of one script at most.
const MOST_CHANGES: usize = 4;
/// Lines that come from a second script at most.
const MOST_FOREIGN: usize = 6;
/// How often it is tried to make something that is a script.
const TRIES: usize = 8;

/// How rare another layout is.
const LAYOUT_CHANGES_ONCE_IN: usize = 8;

/// The operation lines of a script.
fn lines(script: &Transcript) -> Vec<String> {
    script.operations().map(|operation| operation.source().to_owned()).collect()
}

/// The text of a script with these lines, on the machine that the first line says.
fn text(machine: &str, lines: &[String]) -> String {
    format!("{machine}\n{}\n", lines.join("\n"))
}

/// The machine line of a script.
fn machine(script: &Transcript) -> String {
    let text = Transcript::new(script.machine).to_string();
    text.lines().next().unwrap_or("machine").to_owned()
}

/// A script without its comments and answers.
pub(crate) fn of(script: &Transcript) -> String {
    text(&machine(script), &lines(script))
}

/// A script that makes and changes nothing.
pub(crate) fn nothing(machine: MachineLine) -> Result<Transcript, ParseError> {
    parse(text(&self::machine(&Transcript::new(machine)), &["init> pid".to_owned()]).as_bytes())
}

/// A script made of these; nothing if what came out was none, as often as it was tried.
pub(crate) fn mutated(seeds: &[Transcript], dice: &mut Dice) -> Option<Transcript> {
    let seed = dice.one(seeds)?;
    for _ in 0..TRIES {
        let mut lines = self::lines(seed);
        for _ in 0..=dice.below(MOST_CHANGES) {
            change(&mut lines, seeds, dice);
        }
        if let Ok(script) = parse(text(&ground(seed, dice), &lines).as_bytes()) {
            return Some(script);
        }
    }
    None
}

/// Paths are those of a layout, so that seldom changes.
fn ground(seed: &Transcript, dice: &mut Dice) -> String {
    let mut ground = Transcript::new(seed.machine);
    ground.machine.kernel = dice.one(Release::ALL).copied();
    if dice.below(LAYOUT_CHANGES_ONCE_IN) == 0 {
        ground.machine.layout = dice.one(Layout::ALL).copied();
    }
    machine(&ground)
}

fn change(lines: &mut Vec<String>, seeds: &[Transcript], dice: &mut Dice) {
    let at = dice.below(lines.len());
    match dice.below(5) {
        0 if lines.len() > 1 => {
            lines.remove(at);
        }
        1 => {
            let other = dice.below(lines.len());
            if at < lines.len() {
                lines.swap(at, other);
            }
        }
        2 => {
            if let Some(line) = lines.get(at).cloned() {
                let to = dice.below(lines.len() + 1);
                lines.insert(to, line);
            }
        }
        3 => {
            let actor = dice.one(lines).and_then(|line| line.split_once('>'));
            let actor = actor.map(|(actor, _)| actor.to_owned());
            if let Some(actor) = actor
                && let Some(line) = lines.get_mut(at)
                && let Some((_, op)) = line.split_once('>')
            {
                *line = format!("{actor}>{op}");
            }
        }
        _ => {
            let foreign = dice.one(seeds).map(self::lines).unwrap_or_default();
            let (from, many) = (dice.below(foreign.len()), 1 + dice.below(MOST_FOREIGN));
            let at = at.min(lines.len());
            let foreign: Vec<String> = foreign.into_iter().skip(from).take(many).collect();
            lines.splice(at..at, foreign);
        }
    }
}
