//! How the kernel reads what is written to a control file, and prints numbers.
//!
//! Facts: kstrtox (any base by prefix, one newline behind it is allowed), strstrip, memparse, sscanf. A written text ends at its
//! first NUL. What the number means, and which values are allowed, is in the file of each row.

use standin::Errno;

/// What counts as white space in the kernel: that of C, and 0xa0.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, 9..=13 | b' ' | 0xa0)
}

/// Writes a text with some of its bytes in octal (seq_escape).
pub(crate) fn print_escaped(text: &[u8], escaped: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        if escaped.contains(byte) {
            out.push(b'\\');
            out.extend([6, 3, 0].map(|shift| b'0' + (byte >> shift & 7)));
        } else {
            out.push(*byte);
        }
    }
}

/// The bytes up to the first NUL.
pub(crate) fn text(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// Without white space at the start.
pub(super) fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    text
}

/// Without white space at both ends.
pub(crate) fn strip(text: &[u8]) -> &[u8] {
    let mut text = skip_spaces(text);
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

/// The digits at the start, in a base that a prefix tells (`0x`, `0`, else decimal), and what is behind them.
struct Digits<'a> {
    value: u64,
    count: usize,
    overflow: bool,
    rest: &'a [u8],
}

fn digits(text: &[u8]) -> Digits<'_> {
    let (base, mut rest) = match text {
        [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => {
            (16, text.get(2..).unwrap_or_default())
        }
        [b'0', ..] => (8, text),
        _ => (10, text),
    };
    let (mut value, mut count, mut overflow) = (0_u64, 0, false);
    while let [first, behind @ ..] = rest
        && let Some(digit) = char::from(*first).to_digit(base)
    {
        let (shifted, over) = value.overflowing_mul(u64::from(base));
        let (sum, more) = shifted.overflowing_add(u64::from(digit));
        overflow |= over || more;
        (value, count, rest) = (sum, count + 1, behind);
    }
    Digits { value, count, overflow, rest }
}

fn magnitude(text: &[u8]) -> Result<u64, Errno> {
    let digits = digits(text);
    if digits.overflow {
        return Err(Errno::ERANGE);
    }
    if digits.count == 0 || !matches!(digits.rest, [] | [b'\n']) {
        return Err(Errno::EINVAL);
    }
    Ok(digits.value)
}

/// An unsigned number of 64 bits, a plus before it allowed.
///
/// # Errors
/// EINVAL: no number, or more than one. ERANGE: too great.
pub(super) fn unsigned(text: &[u8]) -> Result<u64, Errno> {
    magnitude(text.strip_prefix(b"+").unwrap_or(text))
}

/// A signed number of 64 bits.
///
/// # Errors
/// As [`unsigned`].
pub(super) fn long(text: &[u8]) -> Result<i64, Errno> {
    match text.strip_prefix(b"-") {
        Some(text) => 0_i64.checked_sub_unsigned(magnitude(text)?).ok_or(Errno::ERANGE),
        None => i64::try_from(unsigned(text)?).map_err(|_| Errno::ERANGE),
    }
}

/// A signed number of 32 bits.
///
/// # Errors
/// As [`unsigned`].
pub(crate) fn int(text: &[u8]) -> Result<i32, Errno> {
    i32::try_from(long(text)?).map_err(|_| Errno::ERANGE)
}

/// The decimal number behind white space, as sscanf takes an unsigned one (no sign; it wraps at 64 bits), and what stands
/// behind it. `None` if there is no digit.
pub(super) fn scan(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = skip_spaces(text);
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = text.split_at_checked(count).filter(|_| count > 0)?;
    let add = |number: u64, digit: &u8| {
        number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    };
    Some((digits.iter().fold(0, add), behind))
}

/// A 0 or 1 with white space around it.
///
/// # Errors
/// EINVAL: no number. ERANGE: another number.
pub(super) fn flag(bytes: &[u8]) -> Result<bool, Errno> {
    match int(strip(bytes))? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::ERANGE),
    }
}

/// A size with one of the suffixes K to E (either case); it wraps at 64 bits. EINVAL if something stands behind it. No
/// digit at all is 0.
pub(super) fn size(text: &[u8]) -> Result<u64, Errno> {
    let (size, rest) = leading_size(text);
    if rest.is_empty() { Ok(size) } else { Err(Errno::EINVAL) }
}

/// The same, and what stands behind it.
pub(super) fn leading_size(text: &[u8]) -> (u64, &[u8]) {
    let Digits { value, mut rest, .. } = digits(text);
    let mut shift = 0;
    if let [suffix, behind @ ..] = rest
        && let Some(power) =
            b"kmgtpe".iter().position(|letter| *letter == suffix.to_ascii_lowercase())
    {
        shift = 10 * (power + 1);
        rest = behind;
    }
    (value << u32::try_from(shift).unwrap_or_default(), rest)
}

/// The unsigned number at the start, in the base that its prefix tells, and what is behind it; it wraps at 64 bits, and no
/// digit at all is 0.
pub(super) fn leading_unsigned(text: &[u8]) -> (u64, &[u8]) {
    let Digits { value, rest, .. } = digits(text);
    (value, rest)
}

/// The signed number at the start, whatever is behind it; it wraps at 64 bits, and a minus alone is 0.
pub(super) fn leading_long(text: &[u8]) -> Option<i64> {
    match text.strip_prefix(b"-") {
        Some(text) => Some(digits(text).value.wrapping_neg().cast_signed()),
        None => {
            let digits = digits(text);
            (digits.count > 0).then(|| digits.value.cast_signed())
        }
    }
}

/// Prints a number in decimal.
pub(super) fn print(number: u64, out: &mut Vec<u8>) {
    if let Ok(digit @ 0..10) = u8::try_from(number) {
        out.push(b'0' + digit);
        return;
    }
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut start = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        start = index;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Prints a number and ends the line.
pub(super) fn print_line(number: u64, out: &mut Vec<u8>) {
    print(number, out);
    out.push(b'\n');
}

/// Prints a line `KEY NUMBER`.
pub(super) fn print_keyed(key: &str, number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(key.as_bytes());
    // Most counts have one digit.
    if let Ok(digit @ 0..10) = u8::try_from(number) {
        out.extend_from_slice(&[b' ', b'0' + digit, b'\n']);
    } else {
        out.push(b' ');
        print_line(number, out);
    }
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::{flag, int, long, print, scan, size, strip, text, unsigned};

    #[test]
    fn numbers_are_read_in_the_base_that_their_prefix_tells() {
        for (text, value) in [
            ("7", 7),
            ("0x10", 16),
            ("0X1f", 31),
            ("010", 8),
            ("+3", 3),
            ("-0", 0),
            ("00", 0),
            ("-12", -12),
            ("5\n", 5),
        ] {
            assert_eq!(int(text.as_bytes()), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_alone_is_invalid() {
        for text in [
            "", "\n", " ", "0x", "08", "1 2", "1\n2", "1.0", "1e1", "0,", "--1", "+-1", "-+1",
            "5\n\n", "junk",
        ] {
            assert_eq!(int(text.as_bytes()), Err(Errno::EINVAL), "{text:?}");
        }
    }

    #[test]
    fn a_number_too_great_is_out_of_range_whatever_stands_behind_it() {
        assert_eq!(int(b"2147483648"), Err(Errno::ERANGE));
        assert_eq!(int(b"-2147483649"), Err(Errno::ERANGE));
        assert_eq!(int(b"-2147483648"), Ok(i32::MIN));
        assert_eq!(long(b"9223372036854775808"), Err(Errno::ERANGE));
        assert_eq!(long(b"-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(unsigned(b"18446744073709551615"), Ok(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616junk"), Err(Errno::ERANGE));
    }

    #[test]
    fn white_space_is_that_of_the_kernel_and_a_text_ends_at_nul() {
        assert_eq!(strip(b" \t\x0b\x0c\r\n\xa0 a b \n"), b"a b");
        assert_eq!(strip(b" \n"), b"");
        assert_eq!(text(b"0\0junk"), b"0");
    }

    #[test]
    fn a_flag_is_zero_or_one() {
        assert_eq!(flag(b" 01\n"), Ok(true));
        assert_eq!(flag(b"0x0"), Ok(false));
        assert_eq!(flag(b"2"), Err(Errno::ERANGE));
        assert_eq!(flag(b"true"), Err(Errno::EINVAL));
    }

    #[test]
    fn scanned_numbers_end_with_their_digits() {
        assert_eq!(scan(b" 12junk"), Some((12, b"junk".as_slice())));
        assert_eq!(scan(b"0x10"), Some((0, b"x10".as_slice())));
        assert_eq!(scan(b"18446744073709551617"), Some((1, b"".as_slice())));
        for text in ["", " ", "-1", "+1", "max"] {
            assert_eq!(scan(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_suffixes_and_wrap() {
        assert_eq!(size(b"64M"), Ok(64 << 20));
        assert_eq!(size(b"0x10k"), Ok(16 << 10));
        assert_eq!(size(b"16E"), Ok(0));
        assert_eq!(size(b""), Ok(0));
        assert_eq!(size(b"18446744073709551616"), Ok(0));
        for text in ["-1", "16 K", "1KK", "1b"] {
            assert_eq!(size(text.as_bytes()), Err(Errno::EINVAL), "{text}");
        }
    }

    #[test]
    fn numbers_are_printed_in_decimal() {
        for number in [0, 9, 10, 4_194_304, u64::MAX] {
            let mut out = Vec::new();
            print(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
