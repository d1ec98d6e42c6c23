//! Standard output. A reader that goes away early (`| head`) is no error; a full disk is.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use serde::Serialize;

use crate::error::Complaint;

/// Standard output, buffered.
pub(crate) struct Output {
    stdout: BufWriter<StdoutLock<'static>>,
    ended: io::Result<()>,
}

impl Output {
    /// The only one at a time.
    pub(crate) fn new() -> Self {
        Self { stdout: BufWriter::new(io::stdout().lock()), ended: Ok(()) }
    }

    /// Prints text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        if self.ended.is_ok() {
            self.ended = self.stdout.write_all(text.as_bytes());
        }
    }

    /// Prints a value for programs, as indented JSON and an end of line.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        if self.ended.is_ok() {
            self.ended =
                serde_json::to_writer_pretty(&mut self.stdout, value).map_err(io::Error::from);
            self.text("\n");
        }
    }

    /// Hands over all that was printed.
    ///
    /// # Errors
    /// If it could not be written, unless it was because nobody reads any more.
    pub(crate) fn finish(mut self) -> Result<(), Complaint> {
        let ended = self.ended.and_then(|()| self.stdout.flush());
        // What could not be written must not be tried again when the writer goes away.
        let _ = self.stdout.into_parts();
        match ended {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Complaint::failure(format!("cannot write to standard output: {error}"), ""))
            }
            _ => Ok(()),
        }
    }
}
