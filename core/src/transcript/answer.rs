//! What an operation printed: a status line, or text behind `| `.
//!
//! An answer is kept as its printed lines, since that is what is compared: two answers are the same
//! if they print the same. It knows nothing of the operation.

use super::line::LineKind;
use super::word::printable;

/// The mark of a line of text.
pub(super) const TEXT: &str = "| ";
/// The line behind a text whose last line has no newline.
pub(super) const NO_NEWLINE: &str = "\\ no newline";

/// The printed answer of one operation.
///
/// ```
/// use standin::transcript::Answer;
/// assert_eq!(Answer::status("EBUSY").to_string(), "EBUSY");
/// assert_eq!(Answer::text(b"a\nb\n").to_string(), "| a\n| b");
/// assert_eq!(Answer::text(b"a").to_string(), "| a\n\\ no newline");
/// assert_eq!(Answer::text(b""), Answer::ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The lines, with `\n` between them and none at the end; never empty.
    printed: String,
}

impl Answer {
    /// The status `ok`.
    #[must_use]
    pub fn ok() -> Self {
        Self { printed: "ok".to_owned() }
    }

    /// The status line `status`: `ok`, an errno's name, `blocked`, an operation's own word.
    ///
    /// What would not be read back as one (a control character, or a beginning like a comment's, a
    /// text's or an operation's) is escaped as `\xNN`; the empty status is `""`.
    #[must_use]
    pub fn status(status: &str) -> Self {
        let mut printed = String::with_capacity(status.len());
        for character in status.chars() {
            match u32::from(character) {
                code @ (0..0x20 | 0x7f) => printed.push_str(&format!("\\x{code:02x}")),
                _ => printed.push(character),
            }
        }
        if LineKind::of(&printed) != LineKind::Status {
            let first = printed.bytes().next();
            let rest = printed.get(1..).unwrap_or_default();
            printed = first.map_or("\"\"".to_owned(), |first| format!("\\x{first:02x}{rest}"));
        }
        Self { printed }
    }

    /// The text `text`, line by line; no text at all prints `ok`. Bytes that are no UTF-8 are
    /// escaped as `\xNN`.
    #[must_use]
    pub fn text(text: &[u8]) -> Self {
        if text.is_empty() {
            return Self::ok();
        }
        let (body, end) = match text.strip_suffix(b"\n") {
            Some(body) => (body, ""),
            None => (text, NO_NEWLINE),
        };
        let lines = body.split(|&byte| byte == b'\n');
        let mut printed: Vec<String> =
            lines.map(|line| format!("{TEXT}{}", printable(line))).collect();
        printed.extend((!end.is_empty()).then(|| end.to_owned()));
        Self { printed: printed.join("\n") }
    }

    /// One value, such as a name: one line of text whatever is in it, and no word about a final
    /// newline; an empty one prints `ok`.
    ///
    /// A newline in the value stands as it is (recorded so: `prctl name` after a name with a
    /// newline was written to /proc/self/comm), unless what follows would not be read back as part
    /// of the value: then it is `\x0a`.
    ///
    /// ```
    /// use standin::transcript::Answer;
    /// assert_eq!(Answer::value(b"line\ntwo").to_string(), "| line\ntwo");
    /// assert_eq!(Answer::value(b"line\n").to_string(), "| line\\x0a");
    /// ```
    #[must_use]
    pub fn value(value: &[u8]) -> Self {
        if value.is_empty() {
            return Self::ok();
        }
        let mut lines = value.split(|&byte| byte == b'\n').map(printable);
        let mut printed = format!("{TEXT}{}", lines.next().unwrap_or_default());
        for line in lines {
            printed.push_str(if LineKind::of(&line) == LineKind::Status { "\n" } else { "\\x0a" });
            printed.push_str(&line);
        }
        Self { printed }
    }

    /// The answer that a transcript holds: its first line, which is a status or a text's.
    pub(super) fn begin(line: &str) -> Self {
        Self { printed: line.to_owned() }
    }

    /// A further line of the answer.
    pub(super) fn push(&mut self, line: &str) {
        self.printed.push('\n');
        self.printed.push_str(line);
    }

    /// Is it text (or a value)?
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.printed.starts_with(TEXT)
    }

    /// The status line, unless it is text.
    #[must_use]
    pub fn as_status(&self) -> Option<&str> {
        (!self.is_text()).then_some(self.printed.as_str())
    }

    /// The printed lines: one at least.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.printed.split('\n')
    }

    /// Where this answer, which was expected, and `got` first differ; `None` if they are the same.
    ///
    /// ```
    /// use standin::transcript::Answer;
    /// let difference = Answer::text(b"a\nb\n").difference(&Answer::text(b"a\nc\n")).unwrap();
    /// assert_eq!(difference.line, 2);
    /// assert_eq!(difference.to_string(), "expected `| b`, got `| c`");
    /// ```
    #[must_use]
    pub fn difference(&self, got: &Self) -> Option<Difference> {
        if self == got {
            return None;
        }
        let (mut expected, mut got) = (self.lines(), got.lines());
        let mut line = 1;
        loop {
            let (ours, theirs) = (expected.next(), got.next());
            if ours != theirs || ours.is_none() {
                let [expected, got] = [ours, theirs].map(|line| line.map(str::to_owned));
                return Some(Difference { line, expected, got });
            }
            line += 1;
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.printed)
    }
}

/// The first line in which two answers differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which line of the answers, from 1.
    pub line: usize,
    /// The expected line, or `None` behind the expected answer's end.
    pub expected: Option<String>,
    /// The line that came, or `None` behind its end.
    pub got: Option<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let line = |line: &Option<String>| {
            line.as_ref().map_or_else(|| "no further line".to_owned(), |line| format!("`{line}`"))
        };
        write!(f, "expected {}, got {}", line(&self.expected), line(&self.got))
    }
}

/// The shape of a volatile text, as `read~` prints it: each decimal number becomes `#`.
///
/// ```
/// use standin::transcript::shape;
/// assert_eq!(shape(b"some avg10=0.00 total=17\n"), b"some avg#=#.# total=#\n");
/// ```
#[must_use]
pub fn shape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut in_number = false;
    for &byte in text {
        let digit = byte.is_ascii_digit();
        if !digit {
            out.push(byte);
        } else if !in_number {
            out.push(b'#');
        }
        in_number = digit;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_line_of_text_keeps_its_mark() {
        assert_eq!(Answer::text(b"\n").to_string(), "| ");
        assert_eq!(Answer::text(b"\n\na").to_string(), "| \n| \n| a\n\\ no newline");
    }

    #[test]
    fn text_that_is_no_utf8_is_escaped() {
        assert_eq!(Answer::text(b"t\xff\n").to_string(), "| t\\xff");
    }

    #[test]
    fn a_status_never_looks_like_another_line() {
        for (status, printed) in [
            ("<p> 0:0", "<p> 0:0"),
            ("@auto", "@auto"),
            ("#x", "\\x23x"),
            ("|", "\\x7c"),
            ("a>", "\\x61>"),
            (" a", "\\x20a"),
            ("machine", "\\x6dachine"),
            ("a\nb", "a\\x0ab"),
            ("", "\"\""),
        ] {
            let answer = Answer::status(status);
            assert_eq!(answer.to_string(), printed);
            assert_eq!(LineKind::of(printed), LineKind::Status);
            assert_eq!(answer.as_status(), Some(printed));
        }
    }

    #[test]
    fn answers_of_different_length_differ_behind_the_shorter() {
        let (short, long) = (Answer::text(b"a\n"), Answer::text(b"a"));
        let difference = short.difference(&long).unwrap();
        assert_eq!(difference.to_string(), "expected no further line, got `\\ no newline`");
        assert_eq!(long.difference(&short).unwrap().line, 2);
        assert_eq!(short.difference(&short.clone()), None);
        assert!(Answer::ok().difference(&short).is_some());
    }
}
