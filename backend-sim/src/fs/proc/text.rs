//! Printing numbers into a text, fast.

/// Digits of the highest number.
const MOST_DIGITS: usize = 20;

/// Adds a number in decimal.
pub(super) fn decimal(text: &mut Vec<u8>, mut number: u64) {
    if number < 10 {
        text.push(b'0' + (number % 10) as u8);
        return;
    }
    let mut digits = [b'0'; MOST_DIGITS];
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (number % 10) as u8;
        number /= 10;
        used += 1;
        if number == 0 {
            break;
        }
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
    let mut digits = [b'0'; 16];
    if bits != 0 {
        for (slot, place) in digits.iter_mut().rev().zip((0..64).step_by(4)) {
            *slot = hex_digit((bits >> place & 0xf) as u8);
        }
    }
    text.extend_from_slice(&digits);
}

/// The digit of a number below 16.
const fn hex_digit(number: u8) -> u8 {
    if number < 10 { b'0' + number } else { b'a' - 10 + number }
}

/// Adds a mask of so many low bits as the kernel prints bitmaps: words of 32, the first as long as it needs to be.
pub(super) fn low_bits(text: &mut Vec<u8>, count: u32) {
    let first = count.saturating_sub(1) % 32 + 1;
    for digit in (0..first.div_ceil(4)).rev() {
        let bits = (first - 4 * digit).min(4);
        text.push(hex_digit((((1_u32 << bits) - 1) & 0xf) as u8));
    }
    for _ in 0..count.saturating_sub(1) / 32 {
        text.extend_from_slice(b",ffffffff");
    }
}

/// Adds a text and blanks up to a width.
pub(super) fn padded(text: &mut Vec<u8>, word: &[u8], width: usize) {
    text.extend_from_slice(word);
    text.extend(std::iter::repeat_n(b' ', width.saturating_sub(word.len())));
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
