//! Numbers as files of /proc/sys take them: separated by white space, decimal, octal behind 0 or hexadecimal behind 0x.

use standin::Errno;

/// The longest number that is looked at.
const LENGTH: usize = 21;

/// What stands between numbers.
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// A number and its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) negative: bool,
    pub(super) magnitude: u64,
}

impl Signed {
    /// As one of 32 bits.
    pub(super) fn int(self) -> Option<i64> {
        let magnitude = i64::try_from(self.magnitude).ok()?;
        let number = if self.negative { -magnitude } else { magnitude };
        i32::try_from(number).ok().map(i64::from)
    }
}

/// The first number of a text, and what stands behind it; `None` where only white space is left.
///
/// # Errors
/// EINVAL: no number, or something else right behind one.
pub(super) fn next(text: &[u8]) -> Result<Option<(Signed, &[u8])>, Errno> {
    let blank = text.iter().take_while(|byte| is_blank(**byte)).count();
    let text = text.get(blank..).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(text) => (true, text),
        None => (false, text),
    };
    if !text.first().is_some_and(u8::is_ascii_digit) {
        return Err(Errno::EINVAL);
    }
    let (radix, digits) = match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16_u64, digits)
        }
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let mut magnitude = 0_u64;
    let mut used = 0;
    for byte in digits {
        let Some(digit) = char::from(*byte).to_digit(16).map(u64::from) else { break };
        if digit >= radix {
            break;
        }
        magnitude = magnitude
            .checked_mul(radix)
            .and_then(|magnitude| magnitude.checked_add(digit))
            .ok_or(Errno::EINVAL)?;
        used += 1;
    }
    let rest = digits.get(used..).unwrap_or_default();
    let ends = rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
    if !ends || text.len() - rest.len() > LENGTH {
        return Err(Errno::EINVAL);
    }
    Ok(Some((Signed { negative, magnitude }, rest)))
}

#[cfg(test)]
mod tests {
    use super::{Signed, next};

    #[test]
    fn a_number_may_have_a_sign_and_blanks_around_and_one_of_three_radices() {
        let read = |text: &[u8]| next(text).map(|found| found.and_then(|(number, _)| number.int()));
        assert_eq!(read(b" 12\n"), Ok(Some(12)));
        assert_eq!(read(b"-12 x"), Ok(Some(-12)));
        assert_eq!(
            (read(b"0x1f"), read(b"017"), read(b"0")),
            (Ok(Some(31)), Ok(Some(15)), Ok(Some(0)))
        );
        assert_eq!(read(b" \n"), Ok(None));
        for wrong in ["x", "-", "1x", "08", "--1", "+1", "1.5", "99999999999999999999999"] {
            assert_eq!(read(wrong.as_bytes()), Err(standin::Errno::EINVAL), "{wrong}");
        }
        let (_, rest) = next(b"1 2").unwrap().unwrap();
        assert_eq!(rest, b" 2");
        assert_eq!(Signed { negative: false, magnitude: 1 << 40 }.int(), None);
    }
}
