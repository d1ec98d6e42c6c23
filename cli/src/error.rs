//! What goes wrong, as people read it: a sentence that begins with file, line and column, the line itself with the place
//! marked, and what would be right. And the exit status.

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use standin::transcript::ParseError;

/// Characters of a line that are shown around the place that is meant.
const SHOWN_BEFORE: usize = 60;
/// Characters that are shown from there on.
const SHOWN_FROM: usize = 60;

/// What the program ends with; the worst one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// All is well.
    #[default]
    Fine = 0,
    /// An answer differs, something failed or is not modelled.
    Failed = 1,
    /// Arguments, files or scripts cannot be used as they are.
    Misuse = 2,
}

impl Status {
    /// The number of it.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// `Failed` if something is wrong.
    pub(crate) const fn failed_if(wrong: bool) -> Self {
        if wrong { Self::Failed } else { Self::Fine }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// Something that is wrong: where, what, and what would be right.
#[derive(Debug)]
pub(crate) struct Complaint {
    status: Status,
    place: Option<Box<Place>>,
    message: String,
    help: String,
}

/// Where something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file, as it was named.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// The character in the line, from 1.
    pub(crate) column: usize,
    excerpt: Excerpt,
}

/// A piece of a line, fit to be shown, and what is meant in it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Excerpt {
    text: String,
    /// In bytes of `text`.
    marked: std::ops::Range<usize>,
    /// The line, from 1.
    line: usize,
}

impl Place {
    /// The `width` characters from `column` on of a line, whose bytes are `text`.
    pub(crate) fn new(file: &str, line: usize, column: usize, width: usize, text: &[u8]) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column,
            excerpt: Excerpt::new(line, column, width, text),
        }
    }
}

impl Excerpt {
    fn new(line: usize, column: usize, width: usize, text: &[u8]) -> Self {
        // More is not shown, whatever the characters are.
        let most = column.saturating_add(SHOWN_FROM).saturating_mul(4);
        let text = String::from_utf8_lossy(text.get(..most).unwrap_or(text));
        let skipped = column.saturating_sub(1 + SHOWN_BEFORE);
        let mut excerpt = Self { text: String::new(), marked: 0..0, line };
        let (mut start, mut end) = (None, None);
        let shown = text.chars().enumerate().skip(skipped).take(SHOWN_BEFORE + SHOWN_FROM);
        for (index, character) in shown {
            if index + 1 == column {
                start = Some(excerpt.text.len());
            }
            if index + 1 == column.saturating_add(width) {
                end = Some(excerpt.text.len());
            }
            excerpt.text.push(if character.is_control() { '\u{fffd}' } else { character });
        }
        let start = start.unwrap_or(excerpt.text.len());
        excerpt.marked = start..end.unwrap_or(excerpt.text.len()).max(start);
        excerpt
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _: &SourceSpan,
        _: usize,
        _: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let whole = SourceSpan::from(0..self.text.len());
        Ok(Box::new(MietteSpanContents::new(
            self.text.as_bytes(),
            whole,
            self.line.saturating_sub(1),
            0,
            1,
        )))
    }
}

impl Complaint {
    /// Wrong use: exit status 2.
    pub(crate) fn misuse(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { status: Status::Misuse, place: None, message: message.into(), help: help.into() }
    }

    /// A failure: exit status 1.
    pub(crate) fn failure(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { status: Status::Failed, ..Self::misuse(message, help) }
    }

    /// The same complaint with the place it is about.
    pub(crate) fn at(self, place: Place) -> Self {
        Self { place: Some(Box::new(place)), ..self }
    }

    /// A script that cannot be read; `text` is the line.
    pub(crate) fn unparsable(file: &str, error: &ParseError, text: &[u8]) -> Self {
        Self::misuse(&error.message, &error.help).at(Place::new(
            file,
            error.line,
            error.column,
            error.width,
            text,
        ))
    }

    /// What the program ends with.
    pub(crate) const fn status(&self) -> Status {
        self.status
    }

    /// Where it is, if it is somewhere.
    pub(crate) fn place(&self) -> Option<&Place> {
        self.place.as_deref()
    }

    /// What is wrong, without the place.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What would be right; may be empty.
    pub(crate) fn advice(&self) -> &str {
        &self.help
    }

    /// As it is printed.
    pub(crate) fn render(&self, theme: GraphicalTheme) -> String {
        let handler =
            GraphicalReportHandler::new_themed(theme).with_wrap_lines(false).with_context_lines(0);
        let mut text = String::new();
        match handler.render_report(&mut text, self) {
            Ok(()) => text.trim_start_matches('\n').to_owned(),
            Err(_) => format!("{self}; {}\n", self.help),
        }
    }

    /// Prints it to standard error.
    pub(crate) fn print(&self) {
        let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
        let theme =
            if terminal { GraphicalTheme::default() } else { GraphicalTheme::unicode_nocolor() };
        note(&self.render(theme));
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { file, line, column, .. }) = self.place() {
            write!(out, "{}:{line}:{column}: ", visible(file))?;
        }
        out.write_str(&visible(&self.message))
    }
}

impl std::error::Error for Complaint {}

impl Diagnostic for Complaint {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(visible(&self.help)) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let marked = self.place.as_ref()?.excerpt.marked.clone();
        let span = LabeledSpan::new_with_span(None, SourceSpan::from(marked));
        Some(Box::new(std::iter::once(span)))
    }
}

/// The text with what a terminal would obey made visible; ends of lines stay.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

/// Prints to standard error; if nobody reads there, that is not worth dying for.
pub(crate) fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = stderr.write_all(b"\n");
    }
}

thread_local! {
    /// Whether a panic is an answer here.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Tries something whose panic is an answer and no defect of this program: it is neither printed nor the end.
pub(crate) fn expecting_panics<T>(trial: impl FnOnce() -> T) -> T {
    /// A trial that is left by a panic is left, too.
    struct Left(bool);
    impl Drop for Left {
        fn drop(&mut self) {
            EXPECTED.set(self.0);
        }
    }
    let _left = Left(EXPECTED.replace(true));
    trial()
}

/// A panic is a defect of this program, whatever its input: says so, and ends it at once.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        if EXPECTED.get() {
            return;
        }
        note(&format!(
            "standin: this is a defect of standin {}, not of your script: {panic}\n\
             Please report it with this message and the script.",
            env!("CARGO_PKG_VERSION")
        ));
        // Not on this thread: its destructors would wait for a machine that it was in the middle of changing.
        let _ = std::thread::spawn(|| std::process::exit(101)).join();
    }));
}

#[cfg(test)]
mod tests {
    use super::{Complaint, Place, Status};
    use miette::GraphicalTheme;

    fn render(complaint: &Complaint) -> String {
        complaint.render(GraphicalTheme::unicode_nocolor())
    }

    #[test]
    fn a_complaint_shows_place_line_and_what_would_be_right() {
        let text = b"machine\ninit> mkdri /a\n";
        let error = standin::transcript::parse(text).unwrap_err();
        let complaint = Complaint::unparsable("a.script", &error, b"init> mkdri /a");
        let shown = render(&complaint);
        for part in [
            "a.script:2:7: `mkdri` is not an operation",
            "2 │ init> mkdri /a",
            "·       ─────",
            "help: the nearest is mkdir",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
        assert_eq!(complaint.status(), Status::Misuse);
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = "x".repeat(1 << 20);
        let place = Place::new("a", 1, 500_000, 3, line.as_bytes());
        let shown = render(&Complaint::misuse("wrong", "").at(place));
        assert!(shown.contains("a:1:500000: wrong") && shown.len() < 1000, "{shown}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_made_visible() {
        let place = Place::new("a\u{1b}[2J", 1, 1, 9, b"\x1b[31mred\xff\n");
        let shown = render(&Complaint::misuse("wrong \u{7}", "").at(place));
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
    }

    #[test]
    fn a_place_behind_the_end_of_its_line_is_shown_too() {
        for (column, width, line) in
            [(1, 1, ""), (9, 1, "short"), (usize::MAX, usize::MAX, "short"), (6, 1, "short")]
        {
            let place = Place::new("a", 3, column, width, line.as_bytes());
            assert!(render(&Complaint::misuse("wrong", "help").at(place)).contains("wrong"));
        }
    }
}
