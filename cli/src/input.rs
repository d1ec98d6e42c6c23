//! Files to scripts. Everything here may be wrong in any way, and is then a complaint with its place.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use standin::transcript::{MAX_INPUT_BYTES, Op, Operation, ProcessOp, Transcript, parse};

use crate::error::{Complaint, Place};

/// Most actors of one script. Each may be in the middle of a call, which takes a stack on a machine and a process on a host.
pub(crate) const MAX_ACTORS: usize = 8_000;

/// The name that standard input goes by.
const STDIN: &str = "<stdin>";

/// A file that was read.
pub(crate) struct Input {
    /// As it was named.
    pub(crate) name: String,
    /// Where it is; `None` for standard input.
    pub(crate) path: Option<PathBuf>,
    bytes: Vec<u8>,
}

impl Input {
    /// Reads a file, or standard input if it is called `-`.
    ///
    /// # Errors
    /// If it cannot be read, or is a directory.
    pub(crate) fn read(path: &Path) -> Result<Self, Complaint> {
        if path.as_os_str() == "-" {
            let bytes = read_bounded(io::stdin().lock());
            let bytes = bytes.map_err(|error| {
                Complaint::misuse(format!("cannot read standard input: {error}"), "")
            })?;
            return Ok(Self { name: STDIN.to_owned(), path: None, bytes });
        }
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            let help = "name the files, or run all that are in a directory: standin check DIR";
            return Err(Complaint::misuse(format!("{name}: this is a directory"), help));
        }
        match File::open(path).and_then(read_bounded) {
            Ok(bytes) => Ok(Self { name, path: Some(path.to_owned()), bytes }),
            Err(error) => Err(Complaint::misuse(format!("{name}: cannot be read: {error}"), "")),
        }
    }

    /// The script in it.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub(crate) fn parse(&self) -> Result<Transcript, Complaint> {
        let script = parse(&self.bytes)
            .map_err(|error| Complaint::unparsable(&self.name, &error, self.line(error.line)))?;
        let mut births = script.operations().filter(|operation| makes_actor(operation));
        if let Some(one_too_many) = births.nth(MAX_ACTORS) {
            let help = format!("at most {MAX_ACTORS} actors are made in one script");
            return Err(
                Complaint::misuse("too many actors", help).at(self.place_of(one_too_many.line()))
            );
        }
        drop(births);
        Ok(script)
    }

    /// The place of a whole line, from 1.
    pub(crate) fn place_of(&self, line: usize) -> Place {
        Place::new(&self.name, line, 1, usize::MAX, self.line(line))
    }

    /// The line of the machine line, from 1.
    pub(crate) fn machine_line(&self) -> usize {
        let is_machine = |line: &[u8]| line == b"machine" || line.starts_with(b"machine ");
        self.lines().position(is_machine).map_or(1, |index| index + 1)
    }

    /// The text as it was read.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split(|&byte| byte == b'\n')
    }

    fn line(&self, number: usize) -> &[u8] {
        self.lines().nth(number.saturating_sub(1)).unwrap_or_default()
    }
}

fn makes_actor(operation: &Operation) -> bool {
    matches!(operation.op(), Op::Processes(ProcessOp::Fork { .. } | ProcessOp::Thread { .. }))
}

/// Reads one byte more than a script may have at most, so that the parser sees that it is too long.
fn read_bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let most = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    from.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}
