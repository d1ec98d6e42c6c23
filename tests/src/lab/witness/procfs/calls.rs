//! The calls of a tool that only reads, as operations of `t`: which files it read, which links, which directories.
//!
//! A call on /proc that has no operation here is an error. What has none by intent is in the tables below and in
//! `fixtures/witness/left_out.toml`.

use std::collections::{BTreeMap, BTreeSet};

use standin::transcript::{Answer, Op, print_word};

use super::super::strace::{Call, Returned, field, list, string};
use super::super::words::{access_mode, plain_name, status};

/// Files of the tool itself: a machine's `t` is no ps.
const OWN: [&str; 8] =
    ["stat", "status", "statm", "cmdline", "environ", "comm", "wchan", "attr/current"];
/// Files of the whole system that are a host's own.
const LEFT_OUT: [&str; 4] =
    ["/proc/cpuinfo", "/proc/filesystems", "/proc/tty/drivers", "/proc/uptime"];
/// Calls on open files that say nothing of what is in them.
const SILENT: [&str; 5] = ["fstat", "lseek", "fcntl", "ioctl", "mmap"];

/// An operation and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The operation, as a script has it.
    pub op: String,
    /// What the kernel answered.
    pub answer: Answer,
    is_left_out: bool,
}

/// A descriptor of something in /proc.
#[derive(Debug)]
enum Open {
    /// Of what is left out, or looked at by ioctl_ns(2) alone.
    LeftOut,
    /// Of a file: one operation, which stands where it was opened.
    File { path: String, at: usize, text: Vec<u8>, has_more: bool },
    /// Of a directory; it is listed only if a first entry was asked for.
    Directory { path: String, at: Option<usize>, names: BTreeSet<Vec<u8>> },
}

/// Reads the calls of one command.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The directory of the tool itself.
    own: String,
    /// What the recorder's own processes say of themselves.
    recorder: &'a [String],
    files: BTreeMap<u64, Open>,
    said: Vec<Said>,
}

impl<'a> Reader<'a> {
    /// A reader of the tool with this number. A process of the cast that runs no program says the recorder's texts, as words of
    /// a script.
    #[must_use]
    pub fn new(tool: u32, recorder: &'a [String]) -> Self {
        let own = format!("/proc/{tool}");
        Self { own, recorder, files: BTreeMap::new(), said: Vec::new() }
    }

    /// The operations of the command; what is asked again and answered the same is said once.
    ///
    /// # Errors
    /// The call that is no operation, and why.
    pub fn command(mut self, calls: &[String]) -> Result<Vec<Said>, String> {
        for line in calls {
            if let Some(call) = Call::read(line)? {
                self.call(&call).map_err(|why| format!("{why}: {line}"))?;
            }
        }
        while let Some((_, open)) = self.files.pop_first() {
            self.finish(open)?;
        }
        let mut once: Vec<Said> = Vec::new();
        for said in self.said {
            if !said.is_left_out && !once.contains(&said) {
                once.push(said);
            }
        }
        Ok(once)
    }

    fn call(&mut self, call: &Call) -> Result<(), String> {
        let mut call = call.clone();
        // Below a directory that is open, or of the working directory, which is no part of /proc.
        let mut above = None;
        if call.name.contains("at") && call.name != "fstat" && call.name != "statfs" {
            let is_empty = call.path(1).is_some_and(|path| path.is_empty());
            if call.word(0) == "AT_FDCWD" {
                call.arguments.remove(0);
            } else if !is_empty
                && let Some(Open::Directory { path, .. }) =
                    call.number(0).and_then(|file| self.files.get(&file))
            {
                above = Some(path.clone());
                call.arguments.remove(0);
            }
        }
        call.name = plain_name(&call.name).to_owned();
        if let Some(file) = call.number(0).filter(|file| self.files.contains_key(file)) {
            return self.on_file(file, &call);
        }
        let path = call.path(0).map(|path| match above {
            Some(above) if !path.starts_with('/') => format!("{above}/{path}"),
            _ => path,
        });
        match path.filter(|path| path.starts_with("/proc")) {
            Some(path) if self.is_left_out(&path) => {
                if call.name == "open"
                    && let Returned::Number(file) = call.returned
                {
                    self.files.insert(file, Open::LeftOut);
                }
                Ok(())
            }
            Some(path) => self.on_path(path, &call),
            None => Ok(()),
        }
    }

    /// Whether it is of a host's own, or of the tool's.
    fn is_left_out(&self, path: &str) -> bool {
        let own = path.strip_prefix(&self.own).or(path.strip_prefix("/proc/self"));
        let file = own.and_then(|rest| rest.strip_prefix('/'));
        // The tool's one thread is as the tool is.
        let file = file.map(|file| match file.strip_prefix("task/") {
            Some(thread) => thread.split_once('/').map_or(thread, |(_, file)| file),
            None => file,
        });
        file.is_some_and(|file| OWN.contains(&file)) || LEFT_OUT.contains(&path)
    }

    fn on_path(&mut self, path: String, call: &Call) -> Result<(), String> {
        let word = print_word(path.as_bytes());
        let is_namespace = path.rsplit_once('/').is_some_and(|(above, _)| above.ends_with("/ns"));
        match call.name.as_str() {
            "open" => self.open(path, call),
            "access" => {
                let op = format!("access {word} {}", access_mode(call.word(1))?);
                self.say(op, failure(call).unwrap_or_else(Answer::ok))
            }
            "readlink" | "readlinkat" => {
                let told = || call.bytes(1).map(|text| Answer::value(&text));
                let answer = failure(call).or_else(told).ok_or("strace has cut what it says")?;
                self.say(format!("readlink {word}"), answer)
            }
            // What is told of a namespace is its number, which the link says.
            "stat" if is_namespace => {
                let kind = path.rsplit_once('/').map_or("", |(_, kind)| kind);
                let kind = kind.trim_end_matches("_for_children");
                let told = || {
                    let number = field(call.word(1), "st_ino")?;
                    Some(Answer::value(format!("{kind}:[{number}]").as_bytes()))
                };
                let answer = failure(call).or_else(told).ok_or("a status without a number")?;
                self.say(format!("readlink {word}"), answer)
            }
            "stat" => {
                let told = || status(call.word(1)).map(|text| Answer::status(&text));
                let answer = failure(call).or_else(told).ok_or("a status that cannot be told")?;
                self.say(format!("stat {word}"), answer)
            }
            _ => Err("no operation does this".to_owned()),
        }
    }

    fn open(&mut self, path: String, call: &Call) -> Result<(), String> {
        let word = print_word(path.as_bytes());
        let flags: Vec<&str> = call.word(1).split('|').collect();
        if !flags.contains(&"O_RDONLY") {
            return Err("a tool that writes".to_owned());
        }
        let is_namespace = path.contains("/ns/");
        let open = match (&call.returned, flags.contains(&"O_DIRECTORY")) {
            (Returned::Failed(errno), true) => {
                return self.say(format!("ls {word}"), Answer::status(errno));
            }
            (Returned::Failed(errno), false) => {
                let answer = Answer::status(&format!("{errno} open"));
                return self.say(format!("read {word}"), answer);
            }
            (Returned::Number(_), true) => {
                Open::Directory { path, at: None, names: BTreeSet::new() }
            }
            (Returned::Number(_), false) if is_namespace => Open::LeftOut,
            (Returned::Number(_), false) => {
                let at = self.said.len();
                self.say(format!("read {word}"), Answer::ok())?;
                Open::File { path, at, text: Vec::new(), has_more: false }
            }
        };
        if let Returned::Number(file) = call.returned {
            self.files.insert(file, open);
        }
        Ok(())
    }

    fn on_file(&mut self, file: u64, call: &Call) -> Result<(), String> {
        if call.name == "close" {
            let open = self.files.remove(&file);
            return open.map_or(Ok(()), |open| self.finish(open));
        }
        let next = self.said.len();
        match (self.files.get_mut(&file), call.name.as_str()) {
            (None | Some(Open::LeftOut), _) => return Ok(()),
            (Some(Open::File { text, .. }), "lseek") if call.number(1) == Some(0) => text.clear(),
            (Some(Open::File { at, text, has_more, .. }), "read") => match &call.returned {
                Returned::Failed(errno) => {
                    if let Some(said) = self.said.get_mut(*at) {
                        said.answer = Answer::status(errno);
                    }
                    self.files.insert(file, Open::LeftOut);
                }
                Returned::Number(length) => {
                    text.extend(call.bytes(1).ok_or("strace has cut what was read")?);
                    // A part that fills its room may not be the last.
                    *has_more = call.number(2).is_none_or(|room| *length >= room);
                }
            },
            (Some(Open::Directory { path, at, names }), "getdents64") => {
                for entry in list(call.word(1)).ok_or("no list of names")? {
                    let name = field(&entry, "d_name").and_then(|name| string(&name));
                    names.insert(name.ok_or("an entry without a name")?);
                }
                if at.is_none() {
                    *at = Some(next);
                    let op = format!("ls {}", print_word(path.as_bytes()));
                    return self.say(op, failure(call).unwrap_or_else(Answer::ok));
                }
            }
            (Some(_), "stat") => {}
            (Some(_), silent) if SILENT.contains(&silent) => {}
            _ => return Err("no operation does this with an open file".to_owned()),
        }
        Ok(())
    }

    /// Gives the operation of a descriptor that is done with its whole answer.
    fn finish(&mut self, open: Open) -> Result<(), String> {
        let (at, answer) = match open {
            Open::LeftOut | Open::Directory { at: None, .. } => return Ok(()),
            Open::Directory { at: Some(at), names, .. } => {
                let names = names.iter().filter(|name| !matches!(&name[..], b"." | b".."));
                let text: Vec<u8> = names.flat_map(|name| [&name[..], b"\n"].concat()).collect();
                (at, Answer::text(&text))
            }
            Open::File { path, has_more: true, .. } => {
                return Err(format!("{path}: not read to its end"));
            }
            Open::File { path, at, text, .. } => {
                // Where a process waits in a kernel is how that kernel does it.
                let is_recorders = self.recorder.contains(&print_word(&text))
                    || path.ends_with("/wchan") && text != b"0";
                if let Some(said) = self.said.get_mut(at) {
                    said.is_left_out = is_recorders;
                }
                (at, Answer::text(&text))
            }
        };
        if let Some(said) = self.said.get_mut(at).filter(|said| said.answer == Answer::ok()) {
            said.answer = answer;
        }
        Ok(())
    }

    fn say(&mut self, op: String, answer: Answer) -> Result<(), String> {
        op.parse::<Op>().map_err(|error| format!("{op}: {error}"))?;
        self.said.push(Said { op, answer, is_left_out: false });
        Ok(())
    }
}

fn failure(call: &Call) -> Option<Answer> {
    match &call.returned {
        Returned::Failed(errno) => Some(Answer::status(errno)),
        Returned::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(calls: &[&str]) -> Result<Vec<String>, String> {
        let calls: Vec<String> = calls.iter().map(|call| (*call).to_owned()).collect();
        let recorder = ["lab".to_owned()];
        let said = Reader::new(5, &recorder).command(&calls)?;
        Ok(said.iter().map(|said| format!("{} = {}", said.op, said.answer)).collect())
    }

    #[test]
    fn files_directories_and_links_are_operations_and_the_tools_own_are_not() {
        let told = told(&[
            r#"openat(AT_FDCWD, "/proc", O_RDONLY|O_DIRECTORY) = 3"#,
            r#"getdents64(3, [{d_name="."}, {d_name="5"}, {d_name="1"}], 99) = 72"#,
            r#"openat(AT_FDCWD, "/proc/1/stat", O_RDONLY) = 4"#,
            r#"read(4, "1 (a) S\n", 1024) = 8"#,
            "close(4) = 0",
            r#"openat(AT_FDCWD, "/proc/self/stat", O_RDONLY) = 4"#,
            r#"read(4, "5 (ps) R\n", 1024) = 9"#,
            "close(4) = 0",
            r#"openat(AT_FDCWD, "/proc/5/task/5/stat", O_RDONLY) = -1 ENOENT (No such file or directory)"#,
            r#"openat(AT_FDCWD, "/proc/1", O_RDONLY|O_DIRECTORY) = 4"#,
            r#"openat(4, "comm", O_RDONLY) = 6"#,
            r#"read(6, "ab", 2) = 2"#,
            r#"read(6, "", 2) = 0"#,
            r#"newfstatat(4, "ns/uts", {st_ino=12, st_mode=S_IFREG|0444}, 0) = 0"#,
            r#"readlink("/proc/self", "5", 99) = 1"#,
            r#"openat(AT_FDCWD, "/proc/1/environ", O_RDONLY) = -1 EACCES (Permission denied)"#,
            r#"openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 9"#,
            r#"openat(AT_FDCWD, "/proc/1/cmdline", O_RDONLY) = 10"#,
            r#"read(10, "lab", 99) = 3"#,
            "close(10) = 0",
        ]);
        let expected = [
            "ls /proc = | 1\n| 5",
            "read /proc/1/stat = | 1 (a) S",
            "read /proc/1/comm = | ab\n\\ no newline",
            "readlink /proc/1/ns/uts = | uts:[12]",
            "readlink /proc/self = | 5",
            "read /proc/1/environ = EACCES open",
        ];
        assert_eq!(told.unwrap(), expected);
    }

    #[test]
    fn what_is_asked_again_is_said_once_and_what_has_no_operation_is_refused() {
        let again = r#"readlink("/proc/1/ns/uts", "uts:[1]", 99) = 7"#;
        assert_eq!(told(&[again, again]).unwrap().len(), 1);
        assert!(told(&[r#"unlink("/proc/1") = 0"#]).unwrap_err().contains("no operation"));
        let cut =
            [r#"openat(AT_FDCWD, "/proc/1/stat", O_RDONLY) = 4"#, r#"read(4, "1234", 4) = 4"#];
        assert!(told(&cut).unwrap_err().contains("not read to its end"));
        let writes = r#"openat(AT_FDCWD, "/proc/1/comm", O_WRONLY) = 4"#;
        assert!(told(&[writes]).unwrap_err().contains("writes"));
    }
}
