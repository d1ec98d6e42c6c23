//! Lists of processors and memory nodes as they are written: `0-3,6`, `0-7:1/2`, `N`, `all` (cpuset(7), Formats, List
//! format; the two words and the parts of ranges are in the kernel's kernel-parameters.rst, Cpu lists).

use standin::Errno;

use super::mask::Mask;
use crate::cgroup::value;

/// The numbers of a list, of which there are `count` in all. The list ends at a newline that stands right behind a number; other
/// newlines are white space, which parts numbers as commas do. Those for which a [`Mask`] has no room are left out, so `None`
/// if any is not below [`Mask::BITS`].
///
/// # Errors
/// EINVAL: no such list. ERANGE: a number that is not below `count`. EOVERFLOW: one of more than 32 bits.
pub(super) fn parse(text: &[u8], count: u32) -> Result<Option<Mask>, Errno> {
    let mut found = Found { mask: Mask::EMPTY, too_high: false };
    let mut rest = text;
    loop {
        while let [b',', behind @ ..] = value::skip_spaces(rest) {
            rest = behind;
        }
        rest = value::skip_spaces(rest);
        if rest.is_empty() {
            break;
        }
        let (part, behind) = Part::parse(rest, count)?;
        part.check(count)?;
        part.fill(&mut found);
        match behind {
            Some(behind) => rest = behind,
            None => break,
        }
    }
    Ok((!found.too_high).then_some(found.mask))
}

struct Found {
    mask: Mask,
    too_high: bool,
}

/// `start-end:used/of`: of each `of` numbers in a range the first `used`.
struct Part {
    start: u32,
    end: u32,
    used: u32,
    of: u32,
}

impl Part {
    /// The part at the start of a text, and what stands behind it; nothing if the list ends with it.
    fn parse(text: &[u8], count: u32) -> Result<(Self, Option<&[u8]>), Errno> {
        let last = count.wrapping_sub(1);
        let (start, end, rest) = match text {
            [a, l, k, rest @ ..] if [*a, *l, *k].eq_ignore_ascii_case(b"all") => (0, last, rest),
            _ => {
                let (start, rest) = number(text, last)?;
                if let Some(behind) = ended(rest) {
                    return Ok((Self::whole(start, start), behind));
                }
                let rest = rest.strip_prefix(b"-").ok_or(Errno::EINVAL)?;
                let (end, rest) = number(rest, last)?;
                (start, end, rest)
            }
        };
        if let Some(behind) = ended(rest) {
            return Ok((Self::whole(start, end), behind));
        }
        let rest = rest.strip_prefix(b":").ok_or(Errno::EINVAL)?;
        let (used, rest) = number(rest, last)?;
        let rest = rest.strip_prefix(b"/").ok_or(Errno::EINVAL)?;
        let (of, rest) = number(rest, last)?;
        // Whatever stands behind this number begins the next part.
        Ok((Self { start, end, used, of }, Some(rest)))
    }

    /// A range of which all is used. The greatest number of 32 bits is no end of one: the length of its group wraps to 0.
    const fn whole(start: u32, end: u32) -> Self {
        Self { start, end, used: end.wrapping_add(1), of: end.wrapping_add(1) }
    }

    fn check(&self, count: u32) -> Result<(), Errno> {
        if self.start > self.end || self.of == 0 || self.used > self.of {
            Err(Errno::EINVAL)
        } else if self.end >= count {
            Err(Errno::ERANGE)
        } else {
            Ok(())
        }
    }

    fn fill(&self, found: &mut Found) {
        let mut start = self.start;
        while start <= self.end {
            let length = self.used.min(self.end - start + 1);
            for number in start..start + length {
                found.too_high |= number >= Mask::BITS;
                found.mask = found.mask.with(number);
            }
            // It wraps: groups of nearly 32 bits go backwards.
            start = start.wrapping_add(self.of);
        }
    }
}

/// A number in decimal, or `N`, the last one; and what stands behind it.
fn number(text: &[u8], last: u32) -> Result<(u32, &[u8]), Errno> {
    if let [b'N', rest @ ..] = text {
        return Ok((last, rest));
    }
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).unwrap_or_default();
    if digits.is_empty() {
        return Err(Errno::EINVAL);
    }
    let number = digits.iter().try_fold(0_u32, |number, digit| {
        number.checked_mul(10)?.checked_add(u32::from(digit.wrapping_sub(b'0')))
    });
    Ok((number.ok_or(Errno::EOVERFLOW)?, rest))
}

/// Whether a part ends here; what stands behind it then, or nothing if the list ends too.
const fn ended(rest: &[u8]) -> Option<Option<&[u8]>> {
    match rest {
        [] | [b'\n', ..] => Some(None),
        [first, ..] if *first == b',' || value::is_space(*first) => Some(Some(rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::parse;

    /// A list of 8 numbers, and those that it has.
    #[track_caller]
    fn check(text: &str, expected: Result<&str, Errno>) {
        let told = parse(text.as_bytes(), 8).map(|mask| {
            let mut list = Vec::new();
            mask.unwrap().print_list(&mut list);
            String::from_utf8(list).unwrap()
        });
        assert_eq!(told, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn numbers_and_ranges_are_parted_by_commas_and_white_space() {
        check("0-2,4 6\t7", Ok("0-2,4,6-7"));
        check(",, 1,,2 ,", Ok("1-2"));
        check("007", Ok("7"));
        check("", Ok(""));
        check(",", Ok(""));
    }

    #[test]
    fn a_list_ends_at_a_newline_right_behind_a_number() {
        check("0\n1", Ok("0"));
        check("0,\n1", Ok("0-1"));
        check("0-3:1/2\n7", Ok("0,2,7"));
    }

    #[test]
    fn of_a_range_parts_may_be_used() {
        check("0-7:1/2", Ok("0,2,4,6"));
        check("all:2/4", Ok("0-1,4-5"));
        check("0-7:0/2", Ok(""));
        check("0-6:2/20-1", Err(Errno::EINVAL));
        check("0-6:2/4N", Ok("0-1,4-5,7"));
        check("2-3:1/4294967295", Ok("0-2"));
    }

    #[test]
    fn all_and_n_stand_for_numbers() {
        check("ALL", Ok("0-7"));
        check("N", Ok("7"));
        check("5-N", Ok("5-7"));
        check("n", Err(Errno::EINVAL));
    }

    #[test]
    fn what_is_no_list_is_invalid() {
        for text in
            ["x", "-1", "1-", "3-2", "0x1", "1-2-3", "0-3:1", "0-3:3/2", "0-3:1/0", "+1", "1;2"]
        {
            check(text, Err(Errno::EINVAL));
        }
    }

    #[test]
    fn numbers_may_be_out_of_range() {
        check("8", Err(Errno::ERANGE));
        check("0-8", Err(Errno::ERANGE));
        check("4294967295", Err(Errno::EINVAL));
        check("4294967296", Err(Errno::EOVERFLOW));
        check("99999999999999999999999", Err(Errno::EOVERFLOW));
    }
}
