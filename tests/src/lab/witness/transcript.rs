//! The form of a recording: the machine line, what the session is about, and behind each command what it printed and did.

use standin::transcript::{MachineLine, parse};

use super::log::{Log, Ran};
use super::observe::UMASK;
use super::operations::{Counts, Reader};
use super::session::Session;

/// The transcript of a session that was seen.
///
/// # Errors
/// The command and the call that cannot be an operation, and why.
pub fn transcript(
    session: &Session,
    machine: &MachineLine,
    log: &Log,
    counts: Counts,
) -> Result<String, String> {
    let mut reader = Reader::new(log.process, counts);
    let mut told = Vec::new();
    for ran in &log.commands {
        let said = reader.command(&ran.calls, UMASK.bits());
        told.push((ran, said.map_err(|why| format!("{}: {why}", ran.command))?));
    }
    let mut text = format!("{machine}\n# {}\n", session.about);
    if session.has_process() {
        text.push_str("init> fork p\nok\n");
    }
    for (ran, said) in told {
        text.push_str(&head(ran, &reader));
        for said in said.iter().filter(|said| !reader.is_foreign(said)) {
            text.push_str(&format!("init> {}\n{}\n", said.op, said.answer));
        }
    }
    parse(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(text)
}

/// A command as comments.
fn head(ran: &Ran, reader: &Reader) -> String {
    let mut text = format!("\n# $ {}\n", ran.command);
    for line in ran.printed.iter().filter(|line| !reader.names_foreign(line)) {
        text.push_str(format!("# {line}").trim_end());
        text.push('\n');
    }
    if ran.status != 0 {
        text.push_str(&format!("# (status {})\n", ran.status));
    }
    text
}
