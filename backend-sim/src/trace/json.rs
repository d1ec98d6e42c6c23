//! JSON, written as RFC 8259 says: what a trace needs of it, and no more.

use std::fmt::Write as _;

use super::{Entry, Value};

/// A call, as one object.
pub(super) fn entry(out: &mut String, entry: &Entry) {
    let _ = write!(
        out,
        "{{\"at_ns\":{},\"process\":{},\"thread\":{},\"name\":",
        entry.began.ns, entry.process.0, entry.thread.0
    );
    string(out, &entry.name);
    out.push_str(",\"operation\":");
    string(out, entry.operation);
    out.push_str(",\"arguments\":");
    arguments(out, entry);
    if let Some(answer) = &entry.answer {
        let _ = write!(out, ",\"until_ns\":{},", answer.at.ns);
        match &answer.outcome {
            Ok(text) => {
                out.push_str("\"answer\":");
                string(out, text);
            }
            Err(failure) => {
                out.push_str("\"failure\":");
                string(out, &failure.to_string());
            }
        }
    }
    out.push('}');
}

/// What a call was about, as one object.
pub(super) fn arguments(out: &mut String, entry: &Entry) {
    out.push('{');
    for (place, (name, part)) in entry.arguments.iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        string(out, name);
        out.push(':');
        value(out, part);
    }
    out.push('}');
}

fn value(out: &mut String, value: &Value) {
    match value {
        Value::Path(path) => bytes(out, path.as_bytes()),
        Value::Bytes(content) => bytes(out, content),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::Text(text) => string(out, text),
    }
}

/// As a string if they are one, else `{"hex":"ff00"}`.
fn bytes(out: &mut String, bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return string(out, text);
    }
    out.push_str("{\"hex\":\"");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out.push_str("\"}");
}

/// A string in its quotes.
pub(super) fn string(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if u32::from(letter) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{bytes, string};

    #[test]
    fn what_json_reserves_is_escaped_and_what_is_no_text_is_hex() {
        let mut text = String::new();
        string(&mut text, "a\"b\\c\n\u{1}é");
        assert_eq!(text, "\"a\\\"b\\\\c\\n\\u0001é\"");
        let mut text = String::new();
        bytes(&mut text, &[0xff, 0x00]);
        assert_eq!(text, "{\"hex\":\"ff00\"}");
    }
}
