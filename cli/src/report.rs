//! What came of a script, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;
use standin::transcript::{Answer, Layout, Mismatch, Release, Report};

use crate::error::{Complaint, visible};

/// Lines of an answer that are shown before the first that differs.
const LINES_BEFORE: usize = 2;
/// Lines of each of the two answers that are shown from there on.
const LINES_FROM: usize = 8;
/// Characters of a line that are shown.
const LINE_CHARACTERS: usize = 200;

/// What `--json` says of a file that ran.
#[derive(Debug, Serialize)]
pub(crate) struct Ran {
    kernel: Option<&'static str>,
    layout: Option<&'static str>,
    operations: usize,
    not_modelled: usize,
    differences: Vec<Difference>,
}

/// One answer that is not the expected one.
#[derive(Debug, Serialize)]
struct Difference {
    line: usize,
    operation: String,
    expected: Vec<String>,
    got: Vec<String>,
}

/// What `--json` says of a file that cannot be used.
#[derive(Debug, Serialize)]
pub(crate) struct Wrong {
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    help: String,
    line: Option<usize>,
    column: Option<usize>,
}

impl From<&Report> for Ran {
    fn from(report: &Report) -> Self {
        let lines = |answer: &Answer| answer.lines().map(str::to_owned).collect();
        let difference = |mismatch: &Mismatch| Difference {
            line: mismatch.line,
            operation: mismatch.operation.clone(),
            expected: lines(&mismatch.expected),
            got: lines(&mismatch.got),
        };
        Self {
            kernel: report.transcript.machine.kernel.map(Release::word),
            layout: report.transcript.machine.layout.map(Layout::word),
            operations: report.operations,
            not_modelled: report.not_modelled,
            differences: report.mismatches.iter().map(difference).collect(),
        }
    }
}

impl From<&Complaint> for Wrong {
    fn from(complaint: &Complaint) -> Self {
        let place = complaint.place();
        Self {
            message: complaint.message().to_owned(),
            help: complaint.advice().to_owned(),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
        }
    }
}

/// The differences of a file for people, `most` of them.
pub(crate) fn differences(file: &str, mismatches: &[Mismatch], most: usize) -> String {
    let mut text = String::new();
    for mismatch in mismatches.iter().take(most) {
        text.push_str(&difference(file, mismatch));
    }
    if mismatches.len() > most {
        let _ = writeln!(
            text,
            "{}: {} differ; these are the first {most}",
            visible(file),
            count(mismatches.len(), "answer")
        );
    }
    text
}

/// The lines of a file that are said to differ, and do not.
pub(crate) fn unfounded(file: &str, lines: &[usize]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(
            text,
            "{}:{line}: ledger.toml says that it differs, and it does not",
            visible(file)
        );
        text
    })
}

/// One difference: the operation, and both answers around the first line that differs.
fn difference(file: &str, mismatch: &Mismatch) -> String {
    let first = mismatch.difference.line.saturating_sub(1);
    let skipped = first.saturating_sub(LINES_BEFORE);
    let mut text = format!("{}:{}: {}\n", visible(file), mismatch.line, shown(&mismatch.operation));
    if skipped > 0 {
        let _ = writeln!(text, "            ({} as expected)", count(skipped, "line"));
    }
    for line in mismatch.expected.lines().take(first).skip(skipped) {
        let _ = writeln!(text, "            {}", shown(line));
    }
    for (label, answer) in [("expected", &mismatch.expected), ("got", &mismatch.got)] {
        let rest = answer.lines().count().saturating_sub(first);
        if rest == 0 {
            let _ = writeln!(text, "  {label:>8}  (no further line)");
        }
        for (index, line) in answer.lines().skip(first).take(LINES_FROM).enumerate() {
            let label = if index == 0 { label } else { "" };
            let _ = writeln!(text, "  {label:>8}  {}", shown(line));
        }
        if rest > LINES_FROM {
            let _ = writeln!(text, "            (and {})", count(rest - LINES_FROM, "more line"));
        }
    }
    text
}

/// A line as it is shown: not too long, and harmless to a terminal.
fn shown(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARACTERS) {
        Some((end, _)) => format!("{}…", visible(line.get(..end).unwrap_or(line))),
        None => visible(line),
    }
}

/// `1 file`, `2 files`, `2 processes`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let ending = match number {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{number} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::differences;
    use standin::transcript::{Answer, Mismatch};

    fn mismatch(expected: &Answer, got: &Answer) -> Mismatch {
        Mismatch {
            line: 7,
            operation: "init> read /a".to_owned(),
            expected: expected.clone(),
            got: got.clone(),
            difference: expected.difference(got).unwrap(),
        }
    }

    #[test]
    fn one_line_differs_from_another() {
        let text = differences("a", &[mismatch(&Answer::status("EBUSY"), &Answer::ok())], 9);
        assert_eq!(text, "a:7: init> read /a\n  expected  EBUSY\n       got  ok\n");
    }

    #[test]
    fn a_text_is_shown_around_its_first_difference() {
        let lines =
            |last: &str| (0..40).map(|number| format!("{number}\n")).collect::<String>() + last;
        let (expected, got) =
            (Answer::text(lines("x\n").as_bytes()), Answer::text(lines("").as_bytes()));
        let text = differences("a", &[mismatch(&expected, &got)], 9);
        let wanted = "a:7: init> read /a\n            (38 lines as expected)\n            | 38\n            | 39\n  expected  | x\n       got  (no further line)\n";
        assert_eq!(text, wanted);
    }

    #[test]
    fn many_and_long_differences_stay_short() {
        let long = Answer::text("y\u{1b}".repeat(1 << 20).as_bytes());
        let many = Answer::text("z\n".repeat(1 << 10).as_bytes());
        let all = vec![mismatch(&long, &many); 100];
        let text = differences("a", &all, 3);
        assert!(text.len() < 4096 && !text.contains('\u{1b}'), "{text:?}");
        assert!(text.ends_with("a: 100 answers differ; these are the first 3\n"));
    }
}
