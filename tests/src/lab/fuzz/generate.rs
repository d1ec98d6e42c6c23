//! Makes the script of a case: templates, whose slots are filled with words that meet each other.
//!
//! A script has one theme. Where settings of controllers are tried, with any value, no process lives in the groups: what a
//! limit does to one depends on its moment. Where processes move, fork and end, only settings change that leave them alone.

use standin::transcript::{Layout, MachineLine, Release, Transcript, parse, print_word};
use standin_cli::skips::is_like;

use super::belief::{Belief, LISTINGS};
use super::file::{FILES, File, Reading, value};
use super::file_v1;
use super::filling::fill;
use super::ground::{Ground, Hierarchy, V2};
use super::processes;
use super::random::Random;
use super::subject::Subject;
use super::template::Theme;
use super::verdict::Verdict;
use crate::lab::record::Place;

/// Operations of each script.
pub const OPERATIONS: usize = 30;
/// Actors, `init` among them.
const MAX_ACTORS: usize = 6;
/// Lines that are tried before a script stays shorter.
const MAX_TRIES: usize = 2_000;

/// Names that groups have.
const GROUPS: &[&str] = &["a", "a/b", "a/b/c", "d", "a/e", "d/f"];
const ACTORS: &[&str] = &["p", "q", "r", "s", "t"];
const ALL_CONTROLLERS: &[&str] =
    &["pids", "memory", "cpu", "cpuset", "io", "hugetlb", "rdma", "misc", "junk", "perf_event"];

/// The script of a case for v2 alone and any kernel, the same wherever it is made.
///
/// ```
/// use standin_tests::lab::fuzz::{OPERATIONS, script};
///
/// assert_eq!(script(1, 7), script(1, 7));
/// assert_eq!(script(1, 7).operations().count(), OPERATIONS);
/// ```
#[must_use]
pub fn script(seed: u64, case: u64) -> Transcript {
    script_in(Place { kernel: Release::V6_12, layout: Layout::Unified }, seed, case)
}

/// The script of a case about a subject.
#[must_use]
pub fn script_about(subject: Subject, place: Place, seed: u64, case: u64) -> Transcript {
    match subject {
        Subject::Cgroups => script_in(place, seed, case),
        Subject::Processes | Subject::Proc => processes::script(subject, seed, case),
    }
}

/// The script of a case for a layout, and with v1 for a kernel.
#[must_use]
pub fn script_in(place: Place, seed: u64, case: u64) -> Transcript {
    Writer::new(place, seed, case).write()
}

struct Writer {
    random: Random,
    ground: Ground,
    theme: Theme,
    focus: Vec<&'static str>,
    belief: Belief,
    script: Transcript,
    is_slow: bool,
    /// Who acts in the line, in which hierarchy, in which group, on which file, as far as it stands.
    actor: String,
    hierarchy: Option<usize>,
    group: String,
    file: Option<&'static File>,
}

impl Writer {
    fn new(place: Place, seed: u64, case: u64) -> Self {
        let mut random = Random::new(seed, case);
        let ground = Ground::of(place);
        let tables = ground.tables;
        let (theme, wanted) = random
            .weighted(tables.themes, |(weight, ..)| *weight)
            .map_or((Theme::Settings, 1), |(_, theme, wanted)| (*theme, *wanted));
        let possible: Vec<&'static str> =
            tables.focus.iter().copied().filter(|word| ground.has(word)).collect();
        let mut focus: Vec<&'static str> = (0..wanted).map(|_| random.word(&possible)).collect();
        let besides = tables.besides.iter().filter(|(of, _)| *of == theme);
        focus.extend(besides.map(|(_, word)| *word));
        focus.sort_unstable();
        focus.dedup();
        let script = Transcript::new(MachineLine::default());
        Self {
            random,
            theme,
            focus,
            belief: Belief::new(ground.hierarchies.clone()),
            ground,
            script,
            is_slow: false,
            actor: String::new(),
            hierarchy: None,
            group: String::new(),
            file: None,
        }
    }

    fn write(mut self) -> Transcript {
        for (percent, themes, template) in self.ground.tables.beginnings {
            if themes.contains(&self.theme) && self.random.chance(*percent) {
                self.line(template);
            }
        }
        let theme = self.theme;
        for _ in 0..MAX_TRIES {
            if self.script.operations().count() >= OPERATIONS {
                break;
            }
            let weight = |(weight, themes, _): &(usize, &[Theme], &str)| {
                if themes.contains(&theme) { *weight } else { 0 }
            };
            if let Some((_, _, template)) =
                self.random.weighted(self.ground.tables.templates, weight)
            {
                self.line(template);
            }
        }
        self.script
    }

    /// Adds a line, unless it cannot be made now.
    fn line(&mut self, template: &str) {
        (self.file, self.hierarchy) = (None, None);
        "init".clone_into(&mut self.actor);
        let Some(line) = fill(template, |slot| self.slot(slot)) else { return };
        let Ok(read) = parse(format!("machine\n{line}\n").as_bytes()) else { return };
        let Some(operation) = read.operations().next() else { return };
        let (actor, op) = (operation.actor(), operation.op());
        let said = op.to_string();
        let mut left_out = self.ground.tables.left_out.iter().copied().flatten();
        if left_out.any(|(pattern, _)| is_like(pattern, &said)) {
            return;
        }
        match self.belief.judge(actor, op) {
            Verdict::Quick => {}
            Verdict::Slow if !self.is_slow && self.random.chance(20) => self.is_slow = true,
            Verdict::Slow | Verdict::Fatal | Verdict::Luck => return,
        }
        self.belief.follow(actor, op);
        self.script.push(actor.clone(), op.clone(), None);
    }

    fn slot(&mut self, slot: &str) -> Option<String> {
        let mut words = self.ground.tables.words.iter().copied().flatten();
        if let Some((_, words)) = words.find(|(name, _)| *name == slot) {
            let word = self.random.word(words);
            // Some are files, which a value is for.
            let mut files = self.files().iter();
            self.file = self.file.or_else(|| files.find(|file| file.name == word));
            return Some(word.to_owned());
        }
        let slot = match slot.split_once('@') {
            Some((slot, hierarchy)) => {
                self.hierarchy = Some(self.ground.named(hierarchy)?);
                slot
            }
            None => slot,
        };
        Some(match slot {
            "actor" => {
                let ready = self.belief.ready();
                let is_init = self.random.chance(50);
                self.actor =
                    self.random.one(&ready).filter(|_| !is_init).or(ready.first())?.clone();
                self.actor.clone()
            }
            "other" => {
                self.actor = self.random.one(self.belief.ready().get(1..)?)?.clone();
                self.actor.clone()
            }
            "opened" => self.random.one(&self.belief.descriptors_of(&self.actor))?.clone(),
            "target" => self.random.one(&self.belief.all())?.clone(),
            "child" => self.child()?,
            "group" | "below" => {
                let is_root = slot == "group" && self.random.chance(10);
                self.group = if is_root { self.root(false)? } else { self.group(true)? };
                self.group.clone()
            }
            "root" => {
                self.group = self.root(false)?;
                self.group.clone()
            }
            "free" => self.group(false)?,
            "setting" => {
                let is_calm_needed = self.theme != Theme::Settings;
                self.file(|file| {
                    let is_right = file.is_calm || !is_calm_needed;
                    is_right && !file.good.is_empty() && file.name != "cgroup.subtree_control"
                })?
            }
            "steady" => self.file(|file| file.reading == Reading::Steady)?,
            "file" => {
                let is_calm_needed = self.theme != Theme::Settings;
                self.file(|file| file.is_calm || !is_calm_needed)?
            }
            "value" => self.value(),
            "controllers" => self.controllers(),
            "focus" => self.all_of_focus(),
            "member" => self.member()?,
            _ => return None,
        })
    }

    /// The first actor's name that is free.
    fn child(&self) -> Option<String> {
        let all = self.belief.all();
        let free = ACTORS.iter().find(|name| !all.iter().any(|actor| actor == *name));
        free.filter(|_| all.len() < MAX_ACTORS).map(|name| (*name).to_owned())
    }

    /// The hierarchy of the line: mostly one that the script is about, and that `has_groups` if it shall.
    fn hierarchy(&mut self, has_groups: bool) -> Option<&Hierarchy> {
        let (all, focus) = (&self.ground.hierarchies, &self.focus);
        if self.hierarchy.is_none() && all.len() > 1 {
            let groups = self.belief.groups();
            let weight = |place: &usize| {
                let Some(hierarchy) = all.get(*place) else { return 0 };
                let is_meant = focus.contains(&hierarchy.name);
                let fits = !has_groups || groups.iter().any(|group| hierarchy.is_above(group));
                match (fits, is_meant) {
                    (true, true) => 500,
                    (true, false) => 10,
                    (false, true) => 3,
                    (false, false) => 1,
                }
            };
            let places: Vec<usize> = (0..all.len()).collect();
            self.hierarchy = self.random.weighted(&places, weight).copied();
        }
        all.get(self.hierarchy.unwrap_or_default())
    }

    fn root(&mut self, has_groups: bool) -> Option<String> {
        self.hierarchy(has_groups).map(|hierarchy| hierarchy.root.clone())
    }

    /// The files that groups of the line's hierarchy have, or of another one.
    fn files(&self) -> &'static [File] {
        let hierarchy = self.ground.hierarchies.get(self.hierarchy.unwrap_or_default());
        let is_v1 = hierarchy.is_some_and(|hierarchy| hierarchy.is_v1);
        if is_v1 { file_v1::FILES } else { FILES }
    }

    /// A group below the root, mostly one that is there, or is not.
    fn group(&mut self, is_there: bool) -> Option<String> {
        let root = self.root(is_there)?;
        let there = self.belief.groups();
        let mut names: Vec<String> = GROUPS.iter().map(|name| format!("{root}/{name}")).collect();
        if self.random.chance(93) {
            let has_parent = |name: &String| {
                name.rsplit_once('/').is_some_and(|(parent, _)| there.iter().any(|it| it == parent))
            };
            let fits = |name: &String| has_parent(name) && there.contains(name) == is_there;
            if names.iter().any(fits) {
                names.retain(fits);
            } else if is_there && self.ground.hierarchies.len() > 1 {
                // There is enough to do elsewhere.
                return None;
            }
        }
        self.random.one(&names).cloned()
    }

    /// A file, mostly of the controllers that the script is about.
    fn file(&mut self, fits: impl Fn(&File) -> bool) -> Option<String> {
        let (focus, belief, group) = (&self.focus, &self.belief, &self.group);
        let hierarchy = self.ground.hierarchies.get(self.hierarchy.unwrap_or_default())?;
        let weight = |file: &File| {
            let is_there = file.controller == "pressure"
                || hierarchy.name == file.controller
                || belief.has(group, file.controller);
            let often = match file.controller {
                controller if hierarchy.is_v1 => match controller {
                    "core" => 60,
                    _ if is_there => 300,
                    _ => 1,
                },
                "cgroup" => 40,
                controller if focus.contains(&controller) => 12 + 300 * usize::from(is_there),
                _ => 1 + 4 * usize::from(is_there),
            };
            usize::from(fits(file)) * if file.is_rare { 1 } else { often }
        };
        self.file = self.random.weighted(self.files(), weight);
        self.file.map(|file| file.name.to_owned())
    }

    /// A value for the file of the line, or for one that was opened before.
    fn value(&mut self) -> String {
        let focus = self.focus.clone();
        let is_settable =
            |file: &File| usize::from(focus.contains(&file.controller) && !file.good.is_empty());
        let files = self.files();
        let file = self.file.or_else(|| self.random.weighted(files, is_settable));
        let mut value = value(&mut self.random, file.map_or(&[], |file| file.good));
        if file.is_some_and(|file| LISTINGS.contains(&file.name)) {
            // Numbers may be those of processes that are no actors.
            value.retain(|byte| !byte.is_ascii_digit());
        }
        print_word(&value)
    }

    fn all_of_focus(&self) -> String {
        let words: Vec<String> =
            self.controllers_in_focus().map(|word| format!("+{word}")).collect();
        print_word(words.join(" ").as_bytes())
    }

    fn controllers_in_focus(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.focus.iter().copied().filter(|word| !["pressure", V2].contains(word))
    }

    /// What is written into cgroup.subtree_control.
    fn controllers(&mut self) -> String {
        let focus: Vec<&'static str> = self.controllers_in_focus().collect();
        let mut words: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let list =
                if self.random.chance(75) && !focus.is_empty() { &focus } else { ALL_CONTROLLERS };
            let sign = self.random.word(&["+", "+", "-"]);
            words.push(format!("{sign}{}", self.random.word(list)));
        }
        let mut value = words.join(" ").into_bytes();
        if self.random.chance(8) {
            value = spoilt_list(&mut self.random, &value);
        }
        print_word(&value)
    }

    /// What is written into cgroup.procs.
    fn member(&mut self) -> Option<String> {
        const ODD: &[&str] =
            &["\"\"", "-1", "junk", "4194304", "99999999999", "\"\\n\"", "\"0 \"", "0x0", "00"];
        Some(match self.random.below(20) {
            0 => self.random.word(ODD).to_owned(),
            1..=3 => "0".to_owned(),
            4 => format!("\"<{}>\\n\"", self.random.one(&self.belief.all())?),
            5 => format!("\" <{}>\"", self.random.one(&self.belief.all())?),
            _ => {
                let all = self.belief.all();
                let others =
                    all.get(1..).filter(|others| !others.is_empty() && self.random.chance(95));
                let who = self.random.one(others.unwrap_or(&all))?;
                format!("<{who}>")
            }
        })
    }
}

/// A list that is spoilt a little.
fn spoilt_list(random: &mut Random, value: &[u8]) -> Vec<u8> {
    let mut spoilt = value.to_vec();
    match random.below(6) {
        0 => spoilt.push(b'\n'),
        1 => spoilt.insert(0, b' '),
        2 => spoilt.push(b' '),
        3 => drop((!spoilt.is_empty()).then(|| spoilt.remove(0))),
        4 => spoilt.clear(),
        _ => spoilt.iter_mut().filter(|byte| **byte == b' ').for_each(|byte| *byte = b','),
    }
    spoilt
}
