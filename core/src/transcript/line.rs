//! What a line of a transcript is, seen alone. The parser and the answers agree on it here.

use super::answer::{NO_NEWLINE, TEXT};
use super::value::Label;

/// The first word of the machine line.
pub(super) const MACHINE: &str = "machine";

/// The kinds of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Blank, or begins with `#`.
    Comment,
    /// `machine`, then a space or nothing.
    Machine,
    /// Begins with `LABEL>`, where LABEL has this many bytes.
    Operation { label_bytes: usize },
    /// Begins with `| `.
    Text,
    /// `\ no newline`.
    NoNewline,
    /// Begins with a space or a bar, but is none of the above: a slip.
    Slip,
    /// Anything else is a status, or the second line of a value.
    Status,
}

impl LineKind {
    pub(super) fn of(line: &str) -> Self {
        if line.starts_with('#') || line.bytes().all(|byte| byte == b' ' || byte == b'\t') {
            return Self::Comment;
        }
        if line.starts_with(TEXT) {
            return Self::Text;
        }
        if line == NO_NEWLINE {
            return Self::NoNewline;
        }
        if line.strip_prefix(MACHINE).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
            return Self::Machine;
        }
        let label_bytes = line.bytes().take_while(|&byte| Label::may_hold(byte)).count();
        match line.as_bytes().get(label_bytes) {
            Some(b'>') if label_bytes > 0 => Self::Operation { label_bytes },
            _ if line.starts_with([' ', '|', '\t']) => Self::Slip,
            _ => Self::Status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_of_one_kind() {
        for (line, kind) in [
            ("", LineKind::Comment),
            (" \t", LineKind::Comment),
            ("#", LineKind::Comment),
            ("machine", LineKind::Machine),
            ("machine cpus=2", LineKind::Machine),
            ("machines", LineKind::Status),
            ("machine> pid", LineKind::Operation { label_bytes: 7 }),
            ("init> pid", LineKind::Operation { label_bytes: 4 }),
            ("init>pid", LineKind::Operation { label_bytes: 4 }),
            ("<p> 0:0", LineKind::Status),
            ("| ", LineKind::Text),
            ("|", LineKind::Slip),
            (" init> pid", LineKind::Slip),
            ("\\ no newline", LineKind::NoNewline),
            ("-20", LineKind::Status),
            ("ok", LineKind::Status),
        ] {
            assert_eq!(LineKind::of(line), kind, "{line:?}");
        }
    }
}
