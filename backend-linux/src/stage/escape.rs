//! Bytes in lines of text: as the kernel escapes them in /proc, and as the journal does.

/// Undoes `\ooo`, as mountinfo and /proc/PID/cgroup write what would break a line.
pub(super) fn from_octal(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'\\'
            && let Some((digits, after)) = behind.split_first_chunk::<3>()
            && let Some(byte) = digits.iter().try_fold(0_u8, octal)
        {
            bytes.push(byte);
            rest = after;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}

fn octal(so_far: u8, digit: &u8) -> Option<u8> {
    let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
    so_far.checked_mul(8)?.checked_add(digit)
}

/// A word of the journal: printable, without blanks.
pub(super) fn to_word(bytes: &[u8]) -> String {
    let mut word = String::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_graphic() && *byte != b'%' {
            word.push(char::from(*byte));
        } else {
            word.push_str(&format!("%{byte:02x}"));
        }
    }
    if word.is_empty() { "%".to_owned() } else { word }
}

/// The bytes of a word of the journal; `None` if it is none.
pub(super) fn from_word(word: &str) -> Option<Vec<u8>> {
    if word == "%" {
        return Some(Vec::new());
    }
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some(at) = rest.find('%') {
        let (plain, escaped) = rest.split_at_checked(at)?;
        bytes.extend_from_slice(plain.as_bytes());
        bytes.push(u8::from_str_radix(escaped.get(1..3)?, 16).ok()?);
        rest = escaped.get(3..)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_from_a_word() {
        for name in [&b""[..], b"/a/b", b"t\n", b"% %25", b"\xff\x00"] {
            assert_eq!(from_word(&to_word(name)).as_deref(), Some(name));
            assert!(!to_word(name).contains([' ', '\n']));
        }
        assert_eq!(from_word("%2"), None);
        assert_eq!(from_word("%zz"), None);
    }

    #[test]
    fn octal_escapes_are_bytes() {
        assert_eq!(from_octal(b"/a\\040b\\012"), b"/a b\n");
        assert_eq!(from_octal(b"\\9\\777\\"), b"\\9\\777\\");
    }
}
