//! A session's calls as operations of `init`: the same paths, flags and bytes, and what the kernel answered.
//!
//! A call on control groups or in /proc that has no operation here is an error: nothing is passed over but what the tables
//! below say, and `fixtures/witness/left_out.toml` has the reasons. Comments and the form of the file are
//! [`transcript`](super::transcript)'s.

use std::collections::{BTreeMap, BTreeSet};

use standin::transcript::{Answer, Op, print_word, shape};

use super::session::{GROUP, PROCESS};
use super::strace::{Call, Returned, field, list, string};
use super::words::{access_mode, open_flags, plain_name, status};

/// Files that are read and have no operation: they tell of the whole system.
const LEFT_OUT: [&str; 2] = ["/proc/mounts", "/proc/self/mounts"];
/// Files that every command reads: an answer that is the same as before is not said again.
const READ_BY_ALL: [&str; 2] = ["/proc/cgroups", "/sys/fs/cgroup/unified/cgroup.controllers"];
/// The file whose numbers are a whole system's.
const COUNTED: &str = "/proc/cgroups";
/// Files of process numbers.
const PROCESSES: [&str; 3] = ["/tasks", "/cgroup.procs", "/cgroup.threads"];
/// Calls on open files that change nothing and say nothing of what is in them.
const SILENT: [&str; 2] = ["fstat", "lseek"];
/// Calls that make another process.
const FORKS: [&str; 4] = ["fork", "vfork", "clone", "clone3"];

/// How the numbers of /proc/cgroups are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// As they are: nobody else is there.
    Exact,
    /// Their shape: a host has groups of its own.
    Shape,
}

/// An operation and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The operation, as a script has it.
    pub op: String,
    /// What the kernel answered.
    pub answer: Answer,
    /// What it is about.
    path: String,
    is_left_out: bool,
}

/// A descriptor that is watched.
#[derive(Debug)]
enum Open {
    /// Of a file that is left out.
    LeftOut,
    /// Of a file that is only read: one operation, which stands where the first part was read.
    Reading { path: String, at: Option<usize>, text: Vec<u8>, has_more: bool },
    /// Of a directory: one operation, which stands where the first names were read.
    Listing { path: String, at: Option<usize>, names: BTreeSet<Vec<u8>> },
    /// Of a file that is written: kept under a label.
    Kept { path: String },
}

/// Reads the calls of a session, one after the other.
#[derive(Debug)]
pub struct Reader {
    counts: Counts,
    /// The number of the process `<p>`.
    process: String,
    umask: u64,
    files: BTreeMap<u64, Open>,
    said: Vec<Said>,
    /// What [`READ_BY_ALL`] said last.
    known: BTreeMap<String, Vec<u8>>,
    /// Directories in which others have groups, and those groups.
    foreign: BTreeMap<String, BTreeSet<String>>,
}

impl Reader {
    /// A reader of a session with this process.
    #[must_use]
    pub fn new(process: u32, counts: Counts) -> Self {
        Self {
            counts,
            process: process.to_string(),
            umask: 0,
            files: BTreeMap::new(),
            said: Vec::new(),
            known: BTreeMap::new(),
            foreign: BTreeMap::new(),
        }
    }

    /// The operations of a command, which begins with this umask and these calls.
    ///
    /// # Errors
    /// The call that is no operation, and why.
    pub fn command(&mut self, calls: &[String], umask: u32) -> Result<Vec<Said>, String> {
        self.umask = u64::from(umask);
        for line in calls {
            let wrong = |why: String| format!("{why}: {line}");
            if let Some(call) = Call::read(line)? {
                self.call(&call).map_err(wrong)?;
            }
        }
        while let Some((_, open)) = self.files.pop_first() {
            self.finish(open)?;
        }
        let said = std::mem::take(&mut self.said);
        Ok(said.into_iter().filter(|said| !said.is_left_out).collect())
    }

    /// Whether an operation is about groups of others, beside those of the session.
    #[must_use]
    pub fn is_foreign(&self, said: &Said) -> bool {
        self.foreign.keys().any(|directory| {
            let inside = said.path.strip_prefix(directory.as_str());
            inside.is_some_and(|rest| {
                let own = rest.trim_start_matches(['/', '.']).starts_with(GROUP);
                !own && (rest.is_empty() || rest.starts_with('/'))
            })
        })
    }

    /// Whether a line that a tool printed names a group of others.
    #[must_use]
    pub fn names_foreign(&self, line: &str) -> bool {
        let mut names = self.foreign.values().flatten();
        names.any(|name| line.contains(&format!(":/{name}")))
    }

    fn call(&mut self, call: &Call) -> Result<(), String> {
        let mut call = call.clone();
        // A path that is not relative does not care for the directory.
        if call.name.contains("at") && call.word(0) == "AT_FDCWD" {
            call.arguments.remove(0);
        }
        call.name = plain_name(&call.name).to_owned();
        if FORKS.contains(&call.name.as_str()) {
            return Err("what a child does is not seen".to_owned());
        }
        if call.name == "umask" {
            self.umask = call.number(0).ok_or("a umask that is no number")?;
            return Ok(());
        }
        if let Some(file) = call.number(0).filter(|file| self.files.contains_key(file)) {
            return self.on_file(file, &call);
        }
        match call.path(0).filter(|path| is_watched(path)) {
            Some(path) => self.on_path(path, &call),
            None if call.arguments.iter().any(|word| is_watched(&text(word))) => {
                Err("no operation does this".to_owned())
            }
            None => Ok(()),
        }
    }

    fn on_path(&mut self, path: String, call: &Call) -> Result<(), String> {
        let word = print_word(path.as_bytes());
        let number = |index| call.number(index).ok_or(format!("argument {index} is no number"));
        let op = match call.name.as_str() {
            "open" => return self.open(path, call),
            "mkdir" => format!("mkdir {word} {:04o}", number(1)? & !self.umask),
            "rmdir" => format!("rmdir {word}"),
            "chmod" => format!("chmod {word} {:04o}", number(1)?),
            "chown" => format!("chown {word} {}:{}", number(1)?, number(2)?),
            "access" => format!("access {word} {}", access_mode(call.word(1))?),
            "stat" => {
                let told = || status(call.word(1)).ok_or("a status that cannot be told");
                let answer =
                    failure(call).map_or_else(|| Ok(Answer::status(&told()?)), Ok::<_, &str>)?;
                return self.say(&path, format!("stat {word}"), answer);
            }
            _ => return Err("no operation does this".to_owned()),
        };
        self.say(&path, op, failure(call).unwrap_or_else(Answer::ok))
    }

    fn open(&mut self, path: String, call: &Call) -> Result<(), String> {
        let word = print_word(path.as_bytes());
        let mut flags: Vec<&str> = call.word(1).split('|').collect();
        let mode = flags.remove(0);
        if LEFT_OUT.contains(&path.as_str()) {
            return self.opened(call, Open::LeftOut);
        }
        if flags.contains(&"O_DIRECTORY") && mode == "O_RDONLY" {
            if let Some(answer) = failure(call) {
                return self.say(&path, format!("ls {word}"), answer);
            }
            return self.opened(call, Open::Listing { path, at: None, names: BTreeSet::new() });
        }
        if mode == "O_RDONLY" {
            if let Returned::Failed(errno) = &call.returned {
                let answer = Answer::status(&format!("{errno} open"));
                return self.say(&path, format!("read {word}"), answer);
            }
            let (text, has_more) = (Vec::new(), false);
            return self.opened(call, Open::Reading { path, at: None, text, has_more });
        }
        let mode = if mode == "O_RDWR" { "rw" } else { "w" };
        let flags = open_flags(&flags)?;
        // A call that failed has no number; nothing is kept then.
        let label = if let Returned::Number(file) = call.returned { label(file) } else { label(0) };
        let op = format!("openat2 {label} cwd {word} {mode} {flags}");
        self.say(&path, op.trim_end().to_owned(), failure(call).unwrap_or_else(Answer::ok))?;
        self.opened(call, Open::Kept { path })
    }

    fn opened(&mut self, call: &Call, open: Open) -> Result<(), String> {
        if let Returned::Number(file) = call.returned {
            self.files.insert(file, open);
        }
        Ok(())
    }

    fn on_file(&mut self, file: u64, call: &Call) -> Result<(), String> {
        if call.name == "close" {
            let Some(open) = self.files.remove(&file) else { return Ok(()) };
            if let Open::Kept { path } = &open {
                return self.say(path, format!("close {}", label(file)), Answer::ok());
            }
            return self.finish(open);
        }
        let is_status = call.name == "stat" && call.path(1).is_some_and(|path| path.is_empty());
        if is_status || SILENT.contains(&call.name.as_str()) {
            return Ok(());
        }
        let next = self.said.len();
        let (path, op) = match (self.files.get_mut(&file), call.name.as_str()) {
            (None | Some(Open::LeftOut), _) => return Ok(()),
            (Some(Open::Reading { path, at, text, has_more }), "read") => {
                if let Returned::Number(length) = call.returned {
                    text.extend(call.bytes(1).ok_or("strace has cut what was read")?);
                    // A part that fills its room may not be the last.
                    *has_more = call.number(2).is_none_or(|room| length >= room);
                }
                if at.is_some() && failure(call).is_none() {
                    return Ok(());
                }
                *at = Some(next);
                (path.clone(), format!("read {}", print_word(path.as_bytes())))
            }
            (Some(Open::Listing { path, at, names }), "getdents64") => {
                for entry in list(call.word(1)).ok_or("no list of names")? {
                    let name = field(&entry, "d_name").and_then(|name| string(&name));
                    let name = name.ok_or("an entry without a name")?;
                    let is_directory = entry.contains("d_type=DT_DIR");
                    let is_own = name.starts_with(GROUP.as_bytes()) || path.contains(GROUP);
                    if is_directory && !is_own && !name.starts_with(b".") {
                        let directory = path.trim_end_matches('/').to_owned();
                        let foreign = self.foreign.entry(directory).or_default();
                        foreign.insert(String::from_utf8_lossy(&name).into_owned());
                    }
                    names.insert(name);
                }
                if at.is_some() {
                    return Ok(());
                }
                *at = Some(next);
                (path.clone(), format!("ls {}", print_word(path.as_bytes())))
            }
            (Some(Open::Kept { path }), "write") => {
                let data = call.bytes(1).ok_or("strace has cut what was written")?;
                let is_list = PROCESSES.iter().any(|name| path.ends_with(name));
                if is_list && data != self.process.as_bytes() {
                    return Err("a process that has no label".to_owned());
                }
                if data.contains(&b'<') {
                    return Err("a script would take this for a label".to_owned());
                }
                let data = if is_list { PROCESS.to_owned() } else { print_word(&data) };
                (path.clone(), format!("fwrite {} {data}", label(file)))
            }
            _ => return Err("no operation does this with an open file".to_owned()),
        };
        self.say(&path, op, failure(call).unwrap_or_else(Answer::ok))
    }

    /// Gives the operation of a descriptor that is done with its whole answer.
    fn finish(&mut self, open: Open) -> Result<(), String> {
        match open {
            Open::LeftOut | Open::Kept { .. } => Ok(()),
            Open::Listing { at, names, .. } => {
                let names = names.iter().filter(|name| !matches!(&name[..], b"." | b".."));
                let text: Vec<u8> = names.flat_map(|name| [&name[..], b"\n"].concat()).collect();
                self.answer(at, &text)
            }
            Open::Reading { path, has_more: true, .. } => {
                Err(format!("{path}: not read to its end"))
            }
            Open::Reading { path, at, text, .. } => {
                let text = if PROCESSES.iter().any(|name| path.ends_with(name)) {
                    let is_labelled = |line: &&[u8]| *line == self.process.as_bytes();
                    let count = text.split(|byte| *byte == b'\n').filter(is_labelled).count();
                    format!("{PROCESS}\n").repeat(count).into_bytes()
                } else {
                    text
                };
                let is_counted = path == COUNTED && self.counts == Counts::Shape;
                let text = if is_counted { shape(&text) } else { text };
                if let Some(said) = at.and_then(|at| self.said.get_mut(at)) {
                    said.is_left_out = self.known.get(&path).is_some_and(|last| *last == text);
                    if is_counted {
                        said.op = said.op.replacen("read ", "read~ ", 1);
                    }
                }
                if READ_BY_ALL.contains(&path.as_str()) {
                    self.known.insert(path, text.clone());
                }
                self.answer(at, &text)
            }
        }
    }

    /// What was read, unless the read failed.
    fn answer(&mut self, at: Option<usize>, text: &[u8]) -> Result<(), String> {
        let said = at.and_then(|at| self.said.get_mut(at));
        let said = said.ok_or("opened, and never read")?;
        if said.answer == Answer::ok() {
            said.answer = Answer::text(text);
        }
        Ok(())
    }

    fn say(&mut self, path: &str, op: String, answer: Answer) -> Result<(), String> {
        op.parse::<Op>().map_err(|error| format!("{op}: {error}"))?;
        self.said.push(Said { op, answer, path: path.to_owned(), is_left_out: false });
        Ok(())
    }
}

/// Whether calls on it must have operations.
fn is_watched(path: &str) -> bool {
    path.starts_with("/sys/fs/cgroup") || path.starts_with("/proc")
}

fn text(word: &str) -> String {
    string(word).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A descriptor's name.
fn label(file: u64) -> String {
    format!("f{file}")
}

fn failure(call: &Call) -> Option<Answer> {
    match &call.returned {
        Returned::Failed(errno) => Some(Answer::status(errno)),
        Returned::Number(_) => None,
    }
}

#[cfg(test)]
mod tests;
