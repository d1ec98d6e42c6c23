//! The form of a recording: how the cast was made, and behind each command what it printed and did as `t`.

use standin::transcript::{MachineLine, parse};

use super::super::log::Log;
use super::calls::Reader;
use super::mask;
use super::session::{Session, USER};

/// The transcript of a session that was seen.
///
/// # Errors
/// The command and the call that cannot be an operation, and why.
pub fn transcript(session: &Session, machine: &MachineLine, log: &Log) -> Result<String, String> {
    let mut text = format!("{machine}\n# {}\n", session.about);
    for line in log.cast.iter().filter(|line| !line.starts_with("machine")) {
        text.push_str(line);
        text.push('\n');
    }
    // As tools print the words of a command or an environment.
    let shown = log.recorder.iter().map(|word| word.trim_matches('"').replace("\\0", " "));
    let named: Vec<String> = shown.map(|shown| shown.trim().to_owned()).collect();
    let birth = if session.by_user { format!(" uid={USER}") } else { String::new() };
    for (ran, number) in log.commands.iter().zip(session.first_tool()..) {
        let said = Reader::new(number, &log.recorder).command(&ran.calls);
        let said = said.map_err(|why| format!("{}: {why}", ran.command))?;
        text.push_str(&format!("\n# $ {}\n", ran.command));
        let tool = ran.command.split(' ').next().unwrap_or_default();
        for line in mask::columns(tool, &ran.printed) {
            let line = named.iter().fold(line, |line, name| line.replace(name, "(recorder)"));
            text.push_str(format!("# {line}").trim_end());
            text.push('\n');
        }
        if ran.status != 0 {
            text.push_str(&format!("# (status {})\n", ran.status));
        }
        text.push_str(&format!("a> fork t{birth}\nok\n"));
        for said in said {
            text.push_str(&format!("t> {}\n{}\n", said.op, said.answer));
        }
        text.push_str("t> exit 0\nok\na> wait t\nexited 0\n");
    }
    parse(text.as_bytes()).map_err(|error| error.to_string())?;
    Ok(mask::hidden(&text))
}
