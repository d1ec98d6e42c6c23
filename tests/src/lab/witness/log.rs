//! What was seen of a session, as text: a guest writes it and the host reads it.
//!
//! Each line begins with a mark and a blank: `m` a line of /proc/mounts about control groups, `p` the number of the process
//! `<p>`, `c` a line of the transcript that made a cast, `r` a text
//! of the recorder's own, `$` a command, `#` a line that it printed, `=` its exit status, `.` a line of strace's.

use std::fmt;
use std::str::FromStr;

/// A session that was seen.
///
/// ```
/// use standin_tests::lab::witness::log::Log;
/// let text = "m cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\np 12\nc ok\nr lab\n$ lssubsys\n# cpu\n. close(3) = 0\n= 0\n";
/// assert_eq!(text.parse::<Log>()?.to_string(), text);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// The lines of /proc/mounts about control groups.
    pub mounts: Vec<String>,
    /// The number of the process `<p>`.
    pub process: u32,
    /// The lines of the transcript that made the cast.
    pub cast: Vec<String>,
    /// What a process of the recorder's says of its command and its environment, as words of a script.
    pub recorder: Vec<String>,
    /// What was run.
    pub commands: Vec<Ran>,
}

/// A command that was run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// As the table of sessions has it.
    pub command: String,
    /// The lines that it printed on both outputs.
    pub printed: Vec<String>,
    /// strace's lines.
    pub calls: Vec<String>,
    /// Its exit status.
    pub status: i32,
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.mounts {
            writeln!(f, "m {line}")?;
        }
        writeln!(f, "p {}", self.process)?;
        for line in &self.cast {
            writeln!(f, "c {line}")?;
        }
        for text in &self.recorder {
            writeln!(f, "r {text}")?;
        }
        for ran in &self.commands {
            writeln!(f, "$ {}", ran.command)?;
            for line in &ran.printed {
                writeln!(f, "# {line}")?;
            }
            for line in &ran.calls {
                writeln!(f, ". {line}")?;
            }
            writeln!(f, "= {}", ran.status)?;
        }
        Ok(())
    }
}

impl FromStr for Log {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut log = Self::default();
        for line in text.lines() {
            let wrong = || format!("a log has no line {line:?}");
            let (mark, rest) = line.split_once(' ').ok_or_else(wrong)?;
            let (owned, last) = (rest.to_owned(), log.commands.last_mut());
            match (mark, last) {
                ("m", None) => log.mounts.push(owned),
                ("p", None) => log.process = rest.parse().map_err(|_| wrong())?,
                ("c", None) => log.cast.push(owned),
                ("r", None) => log.recorder.push(owned),
                ("$", _) => log.commands.push(Ran { command: owned, ..Ran::default() }),
                ("#", Some(ran)) => ran.printed.push(owned),
                (".", Some(ran)) => ran.calls.push(owned),
                ("=", Some(ran)) => ran.status = rest.parse().map_err(|_| wrong())?,
                _ => return Err(wrong()),
            }
        }
        Ok(log)
    }
}
