//! Text to document. The input may be anything: all that is read is bounded, and what is wrong is
//! an error with its place, never a panic.

use super::answer::Answer;
use super::error::{Complaint, ParseError};
use super::line::LineKind;
use super::machine::MachineLine;
use super::needs::Needs;
use super::op::Op;
use super::script::{Item, Operation, Transcript};
use super::value::Label;
use super::word::split;

/// Longest input, in bytes.
pub const MAX_INPUT_BYTES: usize = 64 << 20;
/// Longest line, in bytes, its end not counted. Recorded lines reach 16 KiB; an extended attribute
/// of 64 KiB, each byte escaped, takes 256 KiB.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Most operations in one script.
pub const MAX_OPERATIONS: usize = 1_000_000;
/// Most lines of comment in one script, blank ones among them.
pub const MAX_COMMENTS: usize = 1_000_000;

const MACHINE_FIRST: &str =
    "the first line that is no comment is the machine line: machine [kernel=6.12] [layout=unified]";
const ONE_ANSWER: &str =
    "below an operation stands one status line, or lines behind `| `; a comment ends it";

/// Reads a script or a transcript.
///
/// # Errors
/// The first thing that is wrong, with line and column. Input that is not UTF-8, or beyond
/// [`MAX_INPUT_BYTES`], [`MAX_LINE_BYTES`], [`MAX_OPERATIONS`] or [`MAX_COMMENTS`], is wrong too.
///
/// ```
/// let script = standin::transcript::parse(b"machine\ninit> rmdir /sys/fs/cgroup/a\nEBUSY\n")?;
/// assert!(script.is_complete());
/// # Ok::<(), standin::transcript::ParseError>(())
/// ```
pub fn parse(input: &[u8]) -> Result<Transcript, ParseError> {
    if input.len() > MAX_INPUT_BYTES {
        let help = format!("at most {MAX_INPUT_BYTES} bytes are read");
        return Err(Complaint::new(0, 1, "the input is too long", help).in_line(1, b""));
    }
    let mut parser = Parser::default();
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let mut number = 0;
    // An empty input has no line; every other has one more than it has ends of lines.
    for line in
        input.split(|&byte| byte == b'\n').take(if input.is_empty() { 0 } else { usize::MAX })
    {
        number += 1;
        let read = text_of(line).and_then(|line| parser.line(number, line));
        read.map_err(|complaint| {
            complaint.in_line(number, line.get(..MAX_LINE_BYTES).unwrap_or(line))
        })?;
    }
    match parser.machine {
        Some(machine) => Ok(Transcript { head: parser.head, machine, items: parser.items }),
        None => {
            let complaint = Complaint::new(0, 1, "there is no machine line", MACHINE_FIRST);
            Err(complaint.in_line(number + 1, b""))
        }
    }
}

/// The line, if it is short enough and UTF-8.
fn text_of(line: &[u8]) -> Result<&str, Complaint> {
    if line.len() > MAX_LINE_BYTES {
        let help = format!("at most {MAX_LINE_BYTES} bytes fit in a line");
        return Err(Complaint::new(MAX_LINE_BYTES, 1, "the line is too long", help));
    }
    std::str::from_utf8(line).map_err(|error| {
        let help =
            r"transcripts are UTF-8; any other byte of a word is written \xNN in double quotes";
        Complaint::new(error.valid_up_to(), 1, "this is not UTF-8", help)
    })
}

/// What may follow in the lines below an operation.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Below {
    /// No operation, or its answer is complete.
    #[default]
    Nothing,
    /// The whole answer.
    Answer,
    /// More text, or its end.
    Text,
}

#[derive(Default)]
struct Parser {
    head: Vec<String>,
    machine: Option<MachineLine>,
    items: Vec<Item>,
    needs: Needs,
    operations: usize,
    comments: usize,
    below: Below,
}

impl Parser {
    fn line(&mut self, number: usize, line: &str) -> Result<(), Complaint> {
        let kind = LineKind::of(line);
        let ((LineKind::Comment | LineKind::Machine, _) | (_, Some(_))) = (kind, self.machine)
        else {
            let message = if line.starts_with('\u{feff}') {
                "a byte order mark stands before the first line"
            } else {
                "the machine line is missing"
            };
            return Err(Complaint::new(0, line.len(), message, MACHINE_FIRST));
        };
        match kind {
            LineKind::Comment => self.comment(line),
            LineKind::Machine if self.machine.is_some() => {
                Err(Complaint::new(0, line.len(), "a second machine line", MACHINE_FIRST))
            }
            LineKind::Machine => {
                self.machine = Some(MachineLine::read(line)?);
                Ok(())
            }
            LineKind::Operation { label_bytes } => self.operation(number, line, label_bytes),
            LineKind::Text | LineKind::NoNewline | LineKind::Slip | LineKind::Status => {
                self.answer(line, kind)
            }
        }
    }

    fn comment(&mut self, line: &str) -> Result<(), Complaint> {
        self.below = Below::Nothing;
        if Needs::is_in(line) && self.operations > 0 {
            let help = "needs stand at the head, before the first operation";
            return Err(Complaint::new(0, line.len(), "a need behind an operation", help));
        }
        self.needs.add(line)?;
        self.comments += 1;
        if self.comments > MAX_COMMENTS {
            let help = format!("at most {MAX_COMMENTS} lines of comment are read");
            return Err(Complaint::new(0, line.len(), "too many comments", help));
        }
        match self.machine {
            Some(_) => self.items.push(Item::Comment(line.to_owned())),
            None => self.head.push(line.to_owned()),
        }
        Ok(())
    }

    fn operation(
        &mut self,
        number: usize,
        line: &str,
        label_bytes: usize,
    ) -> Result<(), Complaint> {
        if self.operations == MAX_OPERATIONS {
            let help = format!("at most {MAX_OPERATIONS} operations are read");
            return Err(Complaint::new(0, line.len(), "too many operations", help));
        }
        let Some(actor) = line.get(..label_bytes).and_then(Label::new) else {
            let help = "an actor's label is a letter, then letters, digits, _ - and ., at most 64";
            return Err(Complaint::new(0, label_bytes, "this is not a label", help));
        };
        let behind = label_bytes + 1;
        if !matches!(line.as_bytes().get(behind), None | Some(b' ')) {
            let help = "a space stands behind `ACTOR>`";
            return Err(Complaint::new(behind, 1, "a space is missing", help));
        }
        let op = Op::read(&split(line, behind)?, line.len())?;
        let operation =
            Operation { line: number, actor, op, source: line.to_owned(), answer: None };
        self.items.push(Item::Operation(operation));
        self.operations += 1;
        self.below = Below::Answer;
        Ok(())
    }

    fn answer(&mut self, line: &str, kind: LineKind) -> Result<(), Complaint> {
        let wrong = |message: &str| Err(Complaint::new(0, line.len(), message, ONE_ANSWER));
        if kind == LineKind::Slip {
            let help = match line.starts_with('|') {
                true => "text stands behind `| `, a bar and a space, empty lines too",
                false => "no line but those of text begins with a space",
            };
            return Err(Complaint::new(0, 1, "this line is of no kind", help));
        }
        let Some(Item::Operation(operation)) = self.items.last_mut() else {
            return wrong("an answer without an operation above it");
        };
        match (&mut operation.answer, self.below, kind) {
            (None, Below::Answer, LineKind::Text) => {
                operation.answer = Some(Answer::begin(line));
                self.below = Below::Text;
            }
            (None, Below::Answer, LineKind::Status) => {
                refuse_control(line)?;
                operation.answer = Some(Answer::begin(line));
                self.below = Below::Nothing;
            }
            (Some(answer), Below::Text, LineKind::Text) => answer.push(line),
            (Some(answer), Below::Text, LineKind::NoNewline) => {
                answer.push(line);
                self.below = Below::Nothing;
            }
            // The second line of a value that holds a newline.
            (Some(answer), Below::Text, LineKind::Status) if operation.op.prints_value() => {
                answer.push(line)
            }
            (None, _, LineKind::NoNewline) => {
                return wrong("`\\ no newline` without text above it");
            }
            _ => return wrong("this operation has its answer already"),
        }
        Ok(())
    }
}

fn refuse_control(line: &str) -> Result<(), Complaint> {
    let Some(at) = line.bytes().position(|byte| byte.is_ascii_control()) else { return Ok(()) };
    let help = r"a status is a line of plain text that ends in \n alone";
    Err(Complaint::new(at, 1, "a control character in a status line", help))
}

#[cfg(test)]
mod tests;
