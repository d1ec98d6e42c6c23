//! Printing numbers into a text, fast.

/// Digits of the highest number.
const MOST_DIGITS: usize = 20;

/// Adds a number in decimal.
pub(super) fn decimal(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [b'0'; MOST_DIGITS];
    let mut used = 1;
    for slot in digits.iter_mut().rev() {
        *slot = digit(number % 10);
        number /= 10;
        if number == 0 {
            break;
        }
        used += 1;
    }
    text.extend_from_slice(digits.get(MOST_DIGITS - used..).unwrap_or_default());
}

/// Adds a number that may be negative.
pub(super) fn signed(text: &mut Vec<u8>, number: i64) {
    if number < 0 {
        text.push(b'-');
    }
    decimal(text, number.unsigned_abs());
}

/// Adds 16 hexadecimal digits.
pub(super) fn hex16(text: &mut Vec<u8>, bits: u64) {
    let nibbles = (0..16).rev().map(|place| digit(bits >> (4 * place) & 0xf));
    text.extend(nibbles);
}

/// Adds a text and blanks up to a width.
pub(super) fn padded(text: &mut Vec<u8>, word: &[u8], width: usize) {
    text.extend_from_slice(word);
    text.extend(std::iter::repeat_n(b' ', width.saturating_sub(word.len())));
}

/// The digit of a number below 16.
fn digit(number: u64) -> u8 {
    match u8::try_from(number) {
        Ok(number @ 0..=9) => b'0' + number,
        Ok(number @ 10..=15) => b'a' + number - 10,
        Ok(_) | Err(_) => b'?',
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, hex16, padded, signed};

    fn made(make: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        make(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_print_as_they_do_elsewhere() {
        for number in [0, 7, 10, 99, 100, 4_194_304, u64::MAX] {
            assert_eq!(made(|text| decimal(text, number)), number.to_string());
            assert_eq!(made(|text| hex16(text, number)), format!("{number:016x}"));
        }
        for number in [0, -1, 19, -20, i64::MIN] {
            assert_eq!(made(|text| signed(text, number)), number.to_string());
        }
        assert_eq!(made(|text| padded(text, b"ab", 4)), "ab  ");
    }
}
