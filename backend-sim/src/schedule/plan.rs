//! All that may go wrong in a run, as a text that people write and that is read again: [`FaultPlan`].
//!
//! The first word says which version of the form it is, as that of a replay line does. It ends in a word of its own, so that
//! what was cut off is found without a digest, which nobody could write by hand. Neighbours: `fault` (one of them), `faulty`
//! (where they happen). This module knows no file.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use standin::{Errno, Pid};

use super::fault::{Fault, What};

/// What a plan begins with; the number changes when the same words mean something else.
const NAME: &str = "standin-faults";
const VERSION: u32 = 1;
/// Its last word.
const END: &str = "end";
/// What stands for every call.
const ANY: &str = "any";
/// What stands between words.
const BLANK: [char; 3] = [' ', '\t', '\r'];
/// Characters of a text that are shown of what is no plan.
const SHOWN: usize = 60;

/// All that may go wrong in a run: for [`Builder::fault_plan`](crate::Builder::fault_plan).
///
/// As text it is `standin-faults-1:`, the faults, and `end`, with `;` or the end of a line between them. A fault is a call's name
/// (as the backend's methods have it, and `fork` and `thread` of a transcript's actors; or `any`), what happens to it, and which calls
/// it is about. Lines that begin with `#` are left out.
///
/// | what happens | |
/// |---|---|
/// | `fails ERRNO` | it answers this and does nothing |
/// | `dies` | its caller is killed before |
/// | `waits TIME` | it comes later: `5ms`; `s`, `ms`, `us`, `ns` |
/// | `shortens BYTES` | it transfers so many at most |
///
/// | which calls | |
/// |---|---|
/// | `of=WHO` | of the program at a path, or of a transcript's actor with this label |
/// | `process=N` | of the process with this number |
/// | `on=PATTERN` | about such a path; `*` is anything or nothing |
/// | `nth=N` | the Nth of those that fit, from 1 |
/// | `most=N` | so often at most |
/// | `once-in=N`, `seed=N` | by chance, in one of N |
/// | `perhaps` | where a search decides so |
///
/// In words a space, a `;`, a `\` and what does not print are `\xNN`.
///
/// ```
/// use standin::Errno;
/// use standin_sim::{Fault, FaultPlan};
///
/// let plan = FaultPlan::new([
///     Fault::fails("mkdir", Errno::ENOSPC).on("/sys/fs/cgroup/*").nth(2),
///     Fault::dies().of("/bin/manager"),
/// ]);
/// let text = "standin-faults-1: mkdir fails ENOSPC on=/sys/fs/cgroup/* nth=2; any dies of=/bin/manager; end";
/// assert_eq!(plan.to_string(), text);
/// assert_eq!(text.parse(), Ok(plan));
/// let cut = "standin-faults-1: mkdir fails ENOSPC".parse::<FaultPlan>().unwrap_err();
/// assert!(cut.to_string().contains("is not whole"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    faults: Vec<Fault>,
}

impl FaultPlan {
    /// Of these; of several that fit a call, the first happens.
    #[must_use]
    pub fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self { faults: faults.into_iter().collect() }
    }

    /// The faults, in order.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

/// Why a text is no fault plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultPlanError {
    /// It does not begin as one.
    Foreign {
        /// How it begins.
        text: String,
    },
    /// It was written for an older or newer version of this library.
    Version {
        /// The version of the form that it is written in.
        written: String,
        /// The version that is read.
        reads: u32,
    },
    /// Its last word is missing.
    Cut,
    /// A word means nothing where it stands.
    Word {
        /// Which fault of the plan, from 1.
        fault: usize,
        /// The word.
        word: String,
        /// What would be right.
        wanted: &'static str,
    },
}

impl fmt::Display for FaultPlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { text } => write!(
                out,
                "{text:?} is no fault plan: one is {NAME}-{VERSION}: FAULT; FAULT; {END}"
            ),
            Self::Version { written, reads } => write!(
                out,
                "the fault plan was written for version {written} of the form, and this library reads version {reads}"
            ),
            Self::Cut => {
                write!(out, "the fault plan is not whole: behind its last fault stands `; {END}`")
            }
            Self::Word { fault, word, wanted } => {
                write!(out, "fault {fault} of the plan: {word:?} is wrong there: {wanted}")
            }
        }
    }
}

impl std::error::Error for FaultPlanError {}

/// The names of a trait's methods.
macro_rules! names {
    (trait $trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        #[allow(non_upper_case_globals, reason = "it is named after its trait")]
        const $trait: &[&str] = &[$(stringify!($name)),*];
    };
}

standin::Files! { names }
standin::Processes! { names }
standin::Namespaces! { names }
standin::Channels! { names }
standin::Clock! { names }

/// Calls of a transcript's actors that no method is.
pub(crate) const FORK: &str = "fork";
pub(crate) const THREAD: &str = "thread";

fn is_call(name: &str) -> bool {
    [Files, Processes, Namespaces, Channels, Clock, &[FORK, THREAD]].concat().contains(&name)
}

impl fmt::Display for FaultPlan {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{NAME}-{VERSION}: ")?;
        self.faults.iter().try_for_each(|fault| write!(out, "{fault}; "))?;
        out.write_str(END)
    }
}

/// As in the text of a plan.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, call, program, process, path, nth, most, is_decided, chance } = self;
        escape(out, call.as_deref().unwrap_or(ANY))?;
        match what {
            What::Fails(errno) => match errno.name() {
                Some(name) => write!(out, " fails {name}"),
                None => write!(out, " fails {}", errno.raw()),
            },
            What::Dies => out.write_str(" dies"),
            What::Waits(time) => write!(out, " waits {}", in_units(*time)),
            What::Shortens(bytes) => write!(out, " shortens {bytes}"),
        }?;
        if let Some(program) = program {
            out.write_str(" of=")?;
            escape(out, program)?;
        }
        if let Some(Pid(number)) = process {
            write!(out, " process={number}")?;
        }
        if let Some(path) = path {
            out.write_str(" on=")?;
            escape(out, path)?;
        }
        if let Some(nth) = nth {
            write!(out, " nth={nth}")?;
        }
        if *most != u64::MAX {
            write!(out, " most={most}")?;
        }
        if let Some((calls, seed)) = chance {
            write!(out, " once-in={calls} seed={seed}")?;
        }
        out.write_str(if *is_decided { " perhaps" } else { "" })
    }
}

/// A word, with what stands between words written otherwise.
fn escape(out: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    word.chars().try_for_each(|it| {
        if !it.is_whitespace() && !it.is_control() && it != ';' && it != '\\' {
            return write!(out, "{it}");
        }
        it.encode_utf8(&mut [0; 4]).bytes().try_for_each(|byte| write!(out, "\\x{byte:02x}"))
    })
}

fn unescape(word: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(word.len()), word);
    while let Some((plain, behind)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, behind) = behind.strip_prefix('x')?.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

/// Units of time, each in ns.
const UNITS: [(&str, u128); 4] =
    [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

/// In the largest unit that it is whole in.
fn in_units(time: Duration) -> String {
    let all = UNITS.iter().find(|(_, unit)| time.as_nanos().is_multiple_of(*unit));
    all.map_or_else(String::new, |(name, unit)| format!("{}{name}", time.as_nanos() / unit))
}

fn time(word: &str) -> Option<Duration> {
    let (number, unit) = word.split_at_checked(word.find(|it: char| !it.is_ascii_digit())?)?;
    let (_, unit) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let all = number.parse::<u128>().ok()?.checked_mul(*unit)?;
    let (seconds, rest) = (all / 1_000_000_000, all % 1_000_000_000);
    Some(Duration::new(u64::try_from(seconds).ok()?, u32::try_from(rest).ok()?))
}

fn errno(word: &str) -> Option<Errno> {
    Errno::from_name(word).or_else(|| word.parse().ok().map(Errno::from_raw))
}

impl FromStr for FaultPlan {
    type Err = FaultPlanError;

    fn from_str(text: &str) -> Result<Self, FaultPlanError> {
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .fold(String::with_capacity(text.len()), |all, line| all + line + "\n");
        let foreign = || FaultPlanError::Foreign { text: text.chars().take(SHOWN).collect() };
        let begun = text.trim_start().strip_prefix(NAME).and_then(|rest| rest.strip_prefix('-'));
        let (version, rest) = begun.and_then(|rest| rest.split_once(':')).ok_or_else(foreign)?;
        if version != VERSION.to_string() {
            let written = version.chars().take(SHOWN).collect();
            return Err(FaultPlanError::Version { written, reads: VERSION });
        }
        let parts = rest.split([';', '\n']).map(|part| part.trim_matches(BLANK));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let length = parts.iter().position(|part| *part == END).ok_or(FaultPlanError::Cut)?;
        let (faults, rest) = parts.split_at(length);
        let wrong = |fault: usize, (word, wanted): Wrong<'_>| FaultPlanError::Word {
            fault: fault + 1,
            word: word.chars().take(SHOWN).collect(),
            wanted,
        };
        if let Some(behind) = rest.get(1) {
            return Err(wrong(length, (behind, BEHIND)));
        }
        let faults = faults.iter().enumerate();
        let faults = faults.map(|(at, part)| fault(part).map_err(|word| wrong(at, word)));
        faults.collect::<Result<_, _>>().map(|faults| Self { faults })
    }
}

/// A word that is wrong, and what would be right.
type Wrong<'a> = (&'a str, &'static str);

const A_CALL: &str = "a call is named as the backend's methods are (mkdir, open, read, write, rmdir, spawn, signal), or fork, or any";
const A_WHAT: &str = "what happens is `fails ERRNO`, `dies`, `waits TIME` or `shortens BYTES`";
const AN_ERRNO: &str = "an errno is its name, as ENOSPC, or its number";
const A_TIME: &str = "a time is a number with its unit: s, ms, us or ns, as 5ms";
const A_NUMBER: &str = "a whole number stands there";
const A_CHOICE: &str = "which calls it is about is said by of=, process=, on=, nth=, most=, once-in= with seed=, and perhaps, each once";
const BEHIND: &str = "nothing stands behind `end`";
const A_TEXT: &str = "a space, a `;` and a `\\` in a word are written \\x20, \\x3b and \\x5c";

/// One fault.
fn fault(part: &str) -> Result<Fault, Wrong<'_>> {
    let mut words = part.split(BLANK).filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    let call = match name {
        ANY => None,
        _ if is_call(name) => Some(name.to_owned()),
        _ => return Err((name, A_CALL)),
    };
    let kind = words.next().unwrap_or_default();
    let mut argument = || words.next().unwrap_or_default();
    let what = match kind {
        "fails" => {
            let word = argument();
            What::Fails(errno(word).ok_or((word, AN_ERRNO))?)
        }
        "dies" => What::Dies,
        "waits" => {
            let word = argument();
            What::Waits(time(word).ok_or((word, A_TIME))?)
        }
        "shortens" => {
            let word = argument();
            What::Shortens(word.parse::<usize>().map_err(|_| (word, A_NUMBER))?.max(1))
        }
        _ => return Err((kind, A_WHAT)),
    };
    let mut fault = Fault::new(what, call);
    let mut said = Vec::new();
    let mut seed = None;
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let number = || value.parse::<u64>().map_err(|_| (word, A_NUMBER));
        let text = || unescape(value).ok_or((word, A_TEXT));
        if said.contains(&key) {
            return Err((word, A_CHOICE));
        }
        said.push(key);
        match key {
            "of" => fault.program = Some(text()?),
            "process" => {
                fault.process = Some(Pid(value.parse().map_err(|_| (word, A_NUMBER))?));
            }
            "on" => fault.path = Some(text()?),
            "nth" => fault.nth = Some(number()?),
            "most" => fault.most = number()?,
            "once-in" => fault.chance = Some((number()?.max(1), 0)),
            "seed" => seed = Some((word, number()?)),
            "perhaps" if word == key => fault.is_decided = true,
            _ => return Err((word, A_CHOICE)),
        }
    }
    match (&mut fault.chance, seed) {
        (_, None) => {}
        (Some((_, of)), Some((_, seed))) => *of = seed,
        (None, Some((word, _))) => return Err((word, A_CHOICE)),
    }
    Ok(fault)
}

/// In any format, a plan is its text: so it is read with the same checks.
#[cfg(feature = "serde")]
impl serde::Serialize for FaultPlan {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for FaultPlan {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
