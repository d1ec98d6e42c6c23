//! A trace as a script of the transcript language, to be played on another kernel.
//!
//! A process becomes an actor, a descriptor a label. What the language has no operation for is a comment, so that nothing is
//! lost silently.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use standin::Pid;
use standin::id::Moment;
use standin::transcript::{Label, MachineLine, Op, Transcript};

use super::{Answer, Entry, Trace, Value};

/// The whole of it.
pub(super) fn script(trace: &Trace, machine: MachineLine) -> Transcript {
    let mut writer = Writer {
        script: Transcript::new(machine),
        root: trace.root,
        born: BTreeMap::new(),
        held: BTreeMap::new(),
        directories: BTreeMap::new(),
        waiting: Vec::new(),
    };
    // Actors of a script begin with another umask than processes of a machine.
    writer.push(trace.root, "umask 0022");
    for (place, entry) in trace.entries.iter().enumerate() {
        writer.join_until(place);
        writer.add(place, entry);
    }
    writer.join_until(trace.entries.len());
    writer.script
}

struct Writer {
    script: Transcript,
    root: Pid,
    /// Actors that were made, by number.
    born: BTreeMap<Pid, ()>,
    /// Whom a process handle holds.
    held: BTreeMap<(Pid, u64), Pid>,
    /// Where open directories are.
    directories: BTreeMap<(Pid, u64), String>,
    /// Calls that others came in between of: where each ended, and whose it is.
    waiting: Vec<(usize, Pid)>,
}

impl Writer {
    fn label(&self, process: Pid) -> String {
        if process == self.root { "init".to_owned() } else { format!("p{}", process.0) }
    }

    /// Appends an operation; what is none becomes a comment.
    fn push(&mut self, process: Pid, text: &str) {
        let name = self.label(process);
        match (Label::new(&name), text.parse::<Op>()) {
            (Some(label), Ok(op)) => self.script.push(label, op, None),
            (_, Err(_)) | (None, Ok(_)) => self.script.push_comment(&format!("{name}: {text}")),
        }
    }

    /// Joins those whose calls ended before the call at this place.
    fn join_until(&mut self, place: usize) {
        let (over, left) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|(end, _)| *end <= place);
        self.waiting = left;
        for (_, process) in over {
            let text = format!("join {}", self.label(process));
            self.push(self.root, &text);
        }
    }

    fn add(&mut self, place: usize, entry: &Entry) {
        let process = entry.process;
        if process != self.root && !self.born.contains_key(&process) {
            // A process that nobody of the machine forked.
            let text = format!("fork {}", self.label(process));
            self.push(self.root, &text);
            self.born.insert(process, ());
        }
        match self.operation(entry) {
            Some(text) => {
                self.push(process, &text);
                if let Some(Answer { behind, .. }) = &entry.answer
                    && *behind > place + 1
                    && entry.operation != "poll"
                {
                    self.waiting.push((*behind, process));
                }
            }
            None => {
                let text = format!("{}: {}", self.label(process), entry.call());
                self.script.push_comment(&text);
            }
        }
    }

    /// The operation as it is written, if the language has it.
    fn operation(&mut self, entry: &Entry) -> Option<String> {
        let path = |name: &str| match entry.argument(name)? {
            Value::Path(path) => Some(quote(path.as_bytes())),
            Value::Bytes(_) | Value::Number(_) | Value::Text(_) => None,
        };
        let number = |name: &str| match entry.argument(name)? {
            Value::Number(number) => Some(*number),
            Value::Path(_) | Value::Bytes(_) | Value::Text(_) => None,
        };
        let text = |name: &str| match entry.argument(name)? {
            Value::Text(text) => Some(text.as_str()),
            Value::Path(_) | Value::Bytes(_) | Value::Number(_) => None,
        };
        Some(match entry.operation {
            "mkdir" => format!("mkdir {} {}", path("place")?, text("mode")?),
            "rmdir" => format!("rmdir {}", path("place")?),
            "unlink" => format!("unlink {}", path("place")?),
            "chdir" => format!("chdir {}", path("place")?),
            "statfs" => format!("statfs {}", path("place")?),
            "stat" if text("follow") == Some("No") => format!("stat {}", path("place")?),
            "readlink" => format!("readlink {}", path("place")?),
            "chmod" => format!("chmod {} {}", path("place")?, text("mode")?),
            "rename" => format!("rename {} {}", path("old")?, path("new")?),
            "link" => format!("link {} {}", path("old")?, path("new")?),
            "symlink" => format!("symlink {} {}", path("target")?, path("place")?),
            "umount" => format!("umount {}", path("target")?),
            "set_umask" => format!("umask {}", text("mask")?),
            "open" => open(entry, &path("place")?, text("options")?)?,
            "open_dir" => {
                let (place, number) = (path("place")?, answer_number(entry));
                let label = number.unwrap_or(0);
                if let Some(number) = number {
                    self.directories.insert((entry.process, number), place.clone());
                }
                format!("openat2 f{label} cwd {place} r directory")
            }
            "list" => format!("ls {}", self.directory(entry, number("directory")?)?),
            "write" => {
                format!("fwrite f{} {}", number("file")?, self.data(entry.argument("bytes")?))
            }
            "read" => format!("fread f{}", number("file")?),
            "close" => {
                // The handle of a process is no label.
                let file = number("file")?;
                self.directories.remove(&(entry.process, file));
                if self.held.remove(&(entry.process, file)).is_some() {
                    return None;
                }
                format!("close f{file}")
            }
            "spawn" | "fork" => {
                let child = Pid(u32::try_from(number("child")?).ok()?);
                if entry.operation == "spawn" {
                    self.held.insert((entry.process, answer_number(entry)?), child);
                }
                let into = match number("cgroup").or(number("into")) {
                    Some(directory) => {
                        format!(" into={}", bare(self.directory(entry, directory)?)?)
                    }
                    None => String::new(),
                };
                self.born.insert(child, ());
                format!("fork {}{into}", self.label(child))
            }
            "signal" => {
                let target = *self.held.get(&(entry.process, number("process")?))?;
                let signal =
                    text("signal")?.strip_prefix("Some(").map(|name| name.strip_suffix(')'));
                format!("kill {} {}", self.label(target), signal.flatten().unwrap_or("0"))
            }
            "exit" => format!("exit {}", exit_code(text("code")?)?),
            "wait" => {
                let child = *self.held.get(&(entry.process, number("process")?))?;
                let nohang = text("options")?.contains("nonblocking: true");
                format!("wait {}{}", self.label(child), if nohang { " nohang" } else { "" })
            }
            "poll" if text("interests") == Some("[]") => {
                let Moment { ns: until } = entry.answer.as_ref()?.at;
                format!("sleep {}", until.saturating_sub(entry.began.ns).div_ceil(1_000_000))
            }
            "pid" => "pid".to_owned(),
            "parent" => "ppid".to_owned(),
            _ => return None,
        })
    }

    /// Where a directory is that a process has open.
    fn directory(&self, entry: &Entry, number: u64) -> Option<&str> {
        self.directories.get(&(entry.process, number)).map(String::as_str)
    }

    /// Bytes to write; the number of an actor is its label.
    fn data(&self, value: &Value) -> String {
        let Value::Bytes(bytes) = value else { return quote(b"") };
        let number = std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok());
        match number.map(Pid) {
            Some(pid) if pid == self.root || self.born.contains_key(&pid) => {
                quote(format!("<{}>", self.label(pid)).as_bytes())
            }
            Some(_) | None => quote(bytes),
        }
    }
}

/// A word in its quotes.
fn quote(bytes: &[u8]) -> String {
    let mut word = String::from("\"");
    for byte in bytes {
        match byte {
            b'"' => word.push_str("\\\""),
            b'\\' => word.push_str("\\\\"),
            b' '..=b'~' => word.push(char::from(*byte)),
            _ => {
                let _ = write!(word, "\\x{byte:02x}");
            }
        }
    }
    word.push('"');
    word
}

/// A word without its quotes, which an option takes none of; `None` if it needs them.
fn bare(word: &str) -> Option<&str> {
    let bare = word.strip_prefix('"')?.strip_suffix('"')?;
    bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\').then_some(bare)
}

/// `OpenOptions` as it prints.
fn open(entry: &Entry, path: &str, options: &str) -> Option<String> {
    let mode = if options.contains("access: ReadWrite") {
        "rw"
    } else if options.contains("access: Read") {
        "r"
    } else if options.contains("access: Write") {
        "w"
    } else {
        return None;
    };
    // One that failed keeps nothing: any label will do.
    let number = answer_number(entry).unwrap_or(0);
    let known =
        [("CREATE", "creat"), ("EXCLUSIVE", "excl"), ("TRUNCATE", "trunc"), ("APPEND", "append")];
    let flags: Vec<&str> = known
        .into_iter()
        .filter(|(flag, _)| options.contains(flag))
        .map(|(_, word)| word)
        .collect();
    if flags.is_empty() {
        return Some(format!("open f{number} {path} {mode}"));
    }
    Some(format!("openat2 f{number} cwd {path} {mode} {}", flags.join(",")))
}

fn answer_number(entry: &Entry) -> Option<u64> {
    entry.answer.as_ref()?.outcome.as_ref().ok()?.parse().ok()
}

/// `ExitCode(3)`
fn exit_code(text: &str) -> Option<&str> {
    text.strip_prefix("ExitCode(")?.strip_suffix(')')
}
