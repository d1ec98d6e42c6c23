//! Words and escapes: how bytes are spelled in a transcript (spec, Form).
//!
//! Words are separated by spaces. A word in double quotes may hold spaces and the escapes `\n \t \\
//! \" \0 \xNN`. A word is bytes: `\xff` is one byte that is no UTF-8, and UTF-8 stands as it is.
//! Outside quotes a backslash is itself. What is surely a slip is refused: a control character, a
//! quote inside a word, anything directly behind a closing quote.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use super::error::Complaint;

/// Most words in one line.
pub const MAX_WORDS: usize = 1024;

const ESCAPES: &str = r#"the escapes are \n \t \\ \" \0 \xNN"#;
/// Longest spelling of a word that is quoted in a message, in characters.
const SHOWN_CHARACTERS: usize = 60;

/// One word of a line: its bytes, and where it stands in the line (in bytes, the quotes included).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) bytes: Vec<u8>,
    pub(super) at: usize,
    pub(super) len: usize,
}

/// The words of `line` from the byte `from` on.
pub(super) fn split(line: &str, from: usize) -> Result<Vec<Word>, Complaint> {
    let bytes = line.as_bytes();
    let mut words = Vec::new();
    let mut at = from;
    loop {
        at += bytes.iter().skip(at).take_while(|&&byte| byte == b' ').count();
        let word = match bytes.get(at) {
            None => return Ok(words),
            Some(b'"') => quoted(bytes, at)?,
            Some(_) => bare(bytes, at)?,
        };
        if words.len() == MAX_WORDS {
            let help = format!("at most {MAX_WORDS} words fit in a line");
            return Err(Complaint::new(at, word.len, "too many words", help));
        }
        at += word.len;
        words.push(word);
    }
}

fn bare(line: &[u8], at: usize) -> Result<Word, Complaint> {
    let word: Vec<u8> = line.iter().skip(at).copied().take_while(|&byte| byte != b' ').collect();
    for (offset, &byte) in word.iter().enumerate() {
        if byte == b'"' {
            let help = "put the whole word in double quotes, and \\\" for a quote in it";
            return Err(Complaint::new(at + offset, 1, "a double quote inside a word", help));
        }
        refuse_control(byte, at + offset)?;
    }
    Ok(Word { at, len: word.len(), bytes: word })
}

fn quoted(line: &[u8], at: usize) -> Result<Word, Complaint> {
    let mut bytes = Vec::new();
    let mut here = at + 1;
    loop {
        match line.get(here) {
            None => {
                let help = "a word that begins with a double quote ends with one";
                return Err(Complaint::new(at, line.len() - at, "the quote is not closed", help));
            }
            Some(b'"') => break,
            Some(b'\\') => {
                let (byte, len) = escape(line, here)?;
                bytes.push(byte);
                here += len;
            }
            Some(&byte) => {
                refuse_control(byte, here)?;
                bytes.push(byte);
                here += 1;
            }
        }
    }
    here += 1;
    if !matches!(line.get(here), None | Some(b' ')) {
        let help = "a space, or \\\" for a quote inside the word";
        return Err(Complaint::new(here, 1, "text directly behind a closing quote", help));
    }
    Ok(Word { bytes, at, len: here - at })
}

/// The byte that the escape at `here` (a backslash) means, and the length of the escape.
fn escape(line: &[u8], here: usize) -> Result<(u8, usize), Complaint> {
    let hex = |offset: usize| {
        let digit = char::from(*line.get(here + offset)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let byte = match line.get(here + 1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'\\') => b'\\',
        Some(b'"') => b'"',
        Some(b'0') => 0,
        Some(b'x') => match (hex(2), hex(3)) {
            (Some(high), Some(low)) => return Ok((high << 4 | low, 4)),
            _ => return Err(Complaint::new(here, 2, "\\x without two hex digits", ESCAPES)),
        },
        _ => return Err(Complaint::new(here, 2, "an unknown escape", ESCAPES)),
    };
    Ok((byte, 2))
}

fn refuse_control(byte: u8, at: usize) -> Result<(), Complaint> {
    if !byte.is_ascii_control() {
        return Ok(());
    }
    let (name, help) = match byte {
        0 => ("a NUL byte".to_owned(), r"write \0 in double quotes".to_owned()),
        b'\t' => (
            "a tab".to_owned(),
            r"words are separated by spaces; a tab in a word is \t in double quotes".to_owned(),
        ),
        b'\r' => (
            "a carriage return".to_owned(),
            r"lines end in \n alone; in a word it is \x0d in double quotes".to_owned(),
        ),
        _ => (
            format!("the control character {byte:#04x}"),
            format!(r"write \x{byte:02x} in double quotes"),
        ),
    };
    Err(Complaint::new(at, 1, name, help))
}

/// The spelling of `bytes` as a word: bare if that can be read back, else in double quotes.
///
/// ```
/// use standin::transcript::print_word;
/// assert_eq!(print_word(b"+pids"), "+pids");
/// assert_eq!(print_word(b"+pids +cpu"), "\"+pids +cpu\"");
/// assert_eq!(print_word(b"t\xff\n"), "\"t\\xff\\n\"");
/// ```
#[must_use]
pub fn print_word(bytes: &[u8]) -> String {
    let plain = |byte: &u8| !byte.is_ascii_control() && !matches!(byte, b' ' | b'"' | b'\\');
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        _ => {
            let mut out = String::with_capacity(bytes.len() + 2);
            out.push('"');
            for chunk in bytes.utf8_chunks() {
                for character in chunk.valid().chars() {
                    match u8::try_from(character) {
                        Ok(byte) if character.is_ascii() => {
                            escape_byte(byte, &(b' '..=b'~'), &mut out)
                        }
                        _ => out.push(character),
                    }
                }
                chunk
                    .invalid()
                    .iter()
                    .for_each(|&byte| escape_byte(byte, &(b' '..=b'~'), &mut out));
            }
            out.push('"');
            out
        }
    }
}

/// Received data as `recv` prints it: always in double quotes, escapes as in words, other bytes
/// outside space to `~` as `\xNN`.
///
/// ```
/// assert_eq!(standin::transcript::print_data("ü\n".as_bytes()), r#""\xc3\xbc\n""#);
/// ```
#[must_use]
pub fn print_data(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    bytes.iter().for_each(|&byte| escape_byte(byte, &(b' '..=b'~'), &mut out));
    out.push('"');
    out
}

/// The bytes of an address as `sockname` prints them: no quotes, bytes outside `!` to `~` as
/// `\xNN`.
///
/// ```
/// assert_eq!(standin::transcript::print_address(b"@a b\0"), r"@a\x20b\x00");
/// ```
#[must_use]
pub fn print_address(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'!'..=b'~' => out.push(char::from(byte)),
            _ => push_hex(byte, &mut out),
        }
    }
    out
}

/// `bytes` with each byte that is no UTF-8 as `\xNN`: how a kernel's text becomes a line of a UTF-8
/// file.
pub(super) fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|&byte| push_hex(byte, &mut out));
    }
    out
}

/// A word as a message quotes it: spelled so that it can be seen, and cut when it is long.
pub(super) fn shown(bytes: &[u8]) -> String {
    let start = bytes.get(..SHOWN_CHARACTERS * 4).unwrap_or(bytes);
    let spelled = print_word(start);
    let mut cut: String = spelled.chars().take(SHOWN_CHARACTERS).collect();
    if cut.len() < spelled.len() || start.len() < bytes.len() {
        cut.push_str("...");
    }
    cut
}

fn escape_byte(byte: u8, plain: &RangeInclusive<u8>, out: &mut String) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'\\' => out.push_str("\\\\"),
        b'"' => out.push_str("\\\""),
        0 => out.push_str("\\0"),
        _ if plain.contains(&byte) => out.push(char::from(byte)),
        _ => push_hex(byte, out),
    }
}

fn push_hex(byte: u8, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = write!(out, "\\x{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        split(line, 0).unwrap().into_iter().map(|word| word.bytes).collect()
    }

    #[track_caller]
    fn refused(line: &str, at: usize, message: &str) {
        let complaint = split(line, 0).unwrap_err();
        assert_eq!((complaint.at, complaint.message.as_str()), (at, message), "{line}");
    }

    #[test]
    fn words_are_separated_by_spaces_however_many() {
        assert_eq!(words("  a  bc "), [b"a".to_vec(), b"bc".to_vec()]);
        assert!(words("   ").is_empty());
    }

    #[test]
    fn quotes_hold_spaces_and_escapes_and_the_empty_word() {
        assert_eq!(
            words(r#""a b" "" "\n\t\\\"\0\xfF""#),
            [b"a b".to_vec(), Vec::new(), b"\n\t\\\"\0\xff".to_vec()]
        );
    }

    #[test]
    fn a_backslash_outside_quotes_is_itself() {
        assert_eq!(words(r"a\nb"), [br"a\nb".to_vec()]);
    }

    #[test]
    fn slips_are_refused_where_they_stand() {
        refused("a \"b", 2, "the quote is not closed");
        refused("a b\"c", 3, "a double quote inside a word");
        refused("\"a\"b", 3, "text directly behind a closing quote");
        refused(r#""a\q""#, 2, "an unknown escape");
        refused(r#""\x1g""#, 1, "\\x without two hex digits");
        refused(r#""\x1"#, 1, "\\x without two hex digits");
        refused("\"\\", 1, "an unknown escape");
        refused("a\tb", 1, "a tab");
        refused("ab\r", 2, "a carriage return");
        refused("a\0", 1, "a NUL byte");
        refused("\"\u{1}\"", 1, "the control character 0x01");
        refused(&"w ".repeat(MAX_WORDS + 1), 2 * MAX_WORDS, "too many words");
    }

    #[test]
    fn every_pair_of_bytes_is_read_back_as_it_was_printed() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                let bytes = [first, second];
                assert_eq!(words(&print_word(&bytes)), [bytes.to_vec()]);
                assert_eq!(words(&print_data(&bytes)), [bytes.to_vec()]);
            }
        }
        assert_eq!(words(&print_word(b"")), [Vec::<u8>::new()]);
    }

    #[test]
    fn utf8_stands_as_it_is() {
        assert_eq!(print_word("tü".as_bytes()), "tü");
        assert_eq!(print_word("t ü\u{85}".as_bytes()), "\"t ü\u{85}\"");
        assert_eq!(printable(b"t\xff\xc3\xbc"), "t\\xffü");
    }

    #[test]
    fn a_long_word_is_cut_in_messages() {
        assert_eq!(shown(&[b'a'; 100_000]).len(), SHOWN_CHARACTERS + 3);
        assert_eq!(shown(b"abc"), "abc");
    }
}
