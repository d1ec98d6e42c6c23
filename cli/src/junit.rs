//! What `check` found as JUnit XML, the form that build servers read.

use std::fmt::Write as _;

use crate::check::{Checked, Summary, Verdict};

/// The document.
pub(crate) fn document(checked: &[Checked], summary: &Summary) -> String {
    let seconds: f64 = checked.iter().map(|one| one.took.as_secs_f64()).sum();
    let Summary { failed, skipped, errors, .. } = summary;
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        xml,
        "  <testsuite name=\"standin check\" tests=\"{}\" failures=\"{failed}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"{seconds:.3}\">",
        checked.len(),
    );
    for one in checked {
        case(&mut xml, one);
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

fn case(xml: &mut String, checked: &Checked) {
    let (folder, name) = checked.file.rsplit_once('/').unwrap_or((".", &checked.file));
    let _ = write!(
        xml,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        escape(folder),
        escape(name),
        checked.took.as_secs_f64()
    );
    let inside = match (&checked.verdict, checked.result()) {
        (_, "passed") => None,
        (Verdict::Ran { mismatches, not_modelled, .. }, _) => {
            let message = format!("{} differ, {not_modelled} not modelled", mismatches.len());
            Some(("failure", message, checked.differences()))
        }
        (Verdict::Skipped(reason), _) => Some(("skipped", reason.clone(), String::new())),
        (Verdict::Wrong(complaint), _) => {
            Some(("error", complaint.to_string(), complaint.advice().to_owned()))
        }
    };
    match inside {
        None => xml.push_str("/>\n"),
        Some((kind, message, text)) => {
            let _ = writeln!(
                xml,
                ">\n      <{kind} message=\"{}\">{}</{kind}>\n    </testcase>",
                escape(&message),
                escape(&text)
            );
        }
    }
}

/// The text with what XML would take for markup, or may not hold, written otherwise.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if character.is_control() => out.extend(character.escape_default()),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_and_control_characters_are_written_otherwise() {
        assert_eq!(
            escape("<a b=\"&\">\n\0\u{ffff}"),
            "&lt;a b=&quot;&amp;&quot;&gt;&#10;\\u{0}\u{fffd}"
        );
    }
}
