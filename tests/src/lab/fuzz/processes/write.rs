//! Writes the script of a case: the theme's beginning, then templates with words until it is long enough.

use standin::transcript::{MachineLine, Transcript, parse};
use standin_cli::skips::is_like;

use super::LEFT_OUT;
use super::cast::{Cast, Held};
use super::lines::LINES;
use super::theme::{BEGINNINGS, THEMES, Theme};
use super::words::WORDS;
use crate::lab::fuzz::filling::fill;
use crate::lab::fuzz::generate::OPERATIONS;
use crate::lab::fuzz::random::Random;
use crate::lab::fuzz::subject::Subject;
use crate::lab::fuzz::verdict::Verdict;

/// Actors, `init` among them.
const MAX_ACTORS: usize = 9;
/// Lines that may wait for somebody: each takes a while on a real kernel.
const MAX_SLOW: usize = 2;
/// Lines that are tried before a script stays shorter.
const MAX_TRIES: usize = 2_000;
const ACTORS: &[&str] = &["p", "q", "r", "s", "t", "u", "v", "x"];

/// The script of a case, the same wherever it is made.
pub(in crate::lab::fuzz) fn script(subject: Subject, seed: u64, case: u64) -> Transcript {
    Writer::new(subject, seed, case).write()
}

struct Writer {
    random: Random,
    theme: Theme,
    cast: Cast,
    script: Transcript,
    slow: usize,
    /// Who acts in the line.
    actor: String,
}

impl Writer {
    fn new(subject: Subject, seed: u64, case: u64) -> Self {
        let mut random = Random::new(seed, case);
        let theme = if subject == Subject::Proc {
            Theme::Told
        } else {
            let theme = random.weighted(THEMES, |(weight, _)| *weight);
            theme.map_or(Theme::Mixed, |(_, theme)| *theme)
        };
        let script = Transcript::new(MachineLine::default());
        Self { random, theme, cast: Cast::new(), script, slow: 0, actor: String::new() }
    }

    fn write(mut self) -> Transcript {
        let theme = self.theme;
        for (percent, themes, template) in BEGINNINGS {
            if themes.contains(&theme) && self.random.chance(*percent) {
                self.line(template);
            }
        }
        let lines: Vec<(usize, &str)> = LINES
            .iter()
            .copied()
            .flatten()
            .filter(|(_, themes, _)| themes.contains(&theme))
            .map(|(weight, _, template)| (*weight, *template))
            .collect();
        for _ in 0..MAX_TRIES {
            if self.script.operations().count() >= OPERATIONS {
                break;
            }
            if let Some((_, template)) = self.random.weighted(&lines, |(weight, _)| *weight) {
                self.line(template);
            }
        }
        self.script
    }

    /// Adds a line, unless it cannot be made now.
    fn line(&mut self, template: &str) {
        // Who it is that holds a descriptor is known before the template says so in words.
        "init".clone_into(&mut self.actor);
        if let Some((actor, _)) = template.split_once('>').filter(|(it, _)| !it.contains('{')) {
            actor.clone_into(&mut self.actor);
        }
        let Some(line) = fill(template, |slot| self.slot(slot)) else { return };
        let line = line.trim_end();
        let Ok(read) = parse(format!("machine\n{line}\n").as_bytes()) else { return };
        let Some(operation) = read.operations().next() else { return };
        let (actor, op) = (operation.actor(), operation.op());
        let said = op.to_string();
        if LEFT_OUT.iter().any(|(pattern, _)| is_like(pattern, &said))
            || !self.cast.lives(actor.as_str())
        {
            return;
        }
        match self.cast.judge(actor, op) {
            Verdict::Quick => {}
            Verdict::Slow if self.slow < MAX_SLOW => self.slow += 1,
            Verdict::Slow | Verdict::Fatal | Verdict::Luck => return,
        }
        self.cast.follow(actor, op);
        self.script.push(actor.clone(), op.clone(), None);
    }

    fn slot(&mut self, slot: &str) -> Option<String> {
        if let Some((_, words)) = WORDS.iter().find(|(name, _)| *name == slot) {
            return Some(self.random.word(words).to_owned());
        }
        Some(match slot {
            "actor" => {
                let ready = self.cast.ready();
                let others = ready.get(1..).filter(|others| !others.is_empty());
                let others = others.filter(|_| !self.random.chance(25));
                self.actor = self.random.one(others.unwrap_or(&ready))?.clone();
                self.actor.clone()
            }
            "other" => {
                self.actor = self.random.one(self.cast.ready().get(1..)?)?.clone();
                self.actor.clone()
            }
            "target" => self.random.one(&self.cast.all())?.clone(),
            "who" if self.random.chance(25) => "0".to_owned(),
            "who" => self.random.one(&self.cast.all())?.clone(),
            "waiting" => self.random.one(&self.cast.waiting())?.clone(),
            "child" => self.child()?,
            "known" => self.random.one(self.cast.known_limits())?.to_string(),
            "any" => self.descriptor(None)?,
            "socket" => self.descriptor(Some(Held::Socket))?,
            "file" | "dir" => self.descriptor(Some(Held::File))?,
            "watcher" => self.descriptor(Some(Held::Watcher))?,
            "counter" => self.descriptor(Some(Held::Counter))?,
            _ => return None,
        })
    }

    /// The first actor's name that is free.
    fn child(&self) -> Option<String> {
        let all = self.cast.all();
        let free = ACTORS.iter().find(|name| !all.iter().any(|actor| actor == *name));
        free.filter(|_| all.len() < MAX_ACTORS).map(|name| (*name).to_owned())
    }

    /// A descriptor that the line's actor has; now and then any.
    fn descriptor(&mut self, kind: Option<Held>) -> Option<String> {
        let kind = kind.filter(|_| !self.random.chance(4));
        self.random.one(&self.cast.descriptors(&self.actor, kind)).cloned()
    }
}
