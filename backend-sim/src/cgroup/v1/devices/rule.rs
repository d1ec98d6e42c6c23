//! One rule about devices: which, and what may be done with them.

use bitflags::bitflags;
use standin::Errno;

use crate::cgroup::value;
use crate::fs::device::{Device, DeviceKind};

/// What is listed where all devices are allowed, but for exceptions.
pub(super) const ALL: &[u8] = b"a *:* rwm\n";

/// Most digits of a number.
const DIGITS: usize = 11;

/// Letters of access that are looked at.
const LETTERS: usize = 3;

bitflags! {
    /// What is done with a device.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub(crate) struct Access: u8 {
        const READ = 1;
        const WRITE = 2;
        const MAKE = 4;
    }
}

impl Access {
    /// In the order in which they are listed.
    const LETTERS: [(u8, Self); 3] = [(b'r', Self::READ), (b'w', Self::WRITE), (b'm', Self::MAKE)];
}

/// A device, or devices: a number that is missing is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Rule {
    kind: DeviceKind,
    major: Option<u32>,
    minor: Option<u32>,
    pub(super) access: Access,
}

/// What is written to devices.allow and devices.deny.
pub(super) enum Wanted {
    All,
    Rule(Rule),
}

impl Wanted {
    /// `a` and anything, or `TYPE MAJOR:MINOR ACCESS`. What stands behind the third letter of the access is not looked at.
    pub(super) fn read(text: &[u8]) -> Result<Self, Errno> {
        let (kind, rest) = match text {
            [b'a', ..] => return Ok(Self::All),
            [b'b', rest @ ..] => (DeviceKind::Block, rest),
            [b'c', rest @ ..] => (DeviceKind::Character, rest),
            _ => return Err(Errno::EINVAL),
        };
        let (major, rest) = number(space(rest)?)?;
        let rest = rest.strip_prefix(b":").ok_or(Errno::EINVAL)?;
        let (minor, rest) = number(rest)?;
        let access = access(space(rest)?)?;
        Ok(Self::Rule(Rule { kind, major, minor, access }))
    }
}

/// One white space.
fn space(text: &[u8]) -> Result<&[u8], Errno> {
    match text {
        [first, rest @ ..] if value::is_space(*first) => Ok(rest),
        _ => Err(Errno::EINVAL),
    }
}

/// A star or a decimal number; the greatest is the star.
fn number(text: &[u8]) -> Result<(Option<u32>, &[u8]), Errno> {
    if let [b'*', rest @ ..] = text {
        return Ok((None, rest));
    }
    let count = text.iter().take(DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).ok_or(Errno::EINVAL)?;
    let digits = std::str::from_utf8(digits).map_err(|_| Errno::EINVAL)?;
    let number: u32 = digits.parse().map_err(|_| Errno::EINVAL)?;
    Ok(((number != u32::MAX).then_some(number), rest))
}

fn access(text: &[u8]) -> Result<Access, Errno> {
    let mut access = Access::empty();
    for place in 0..LETTERS {
        let letter = match text.get(place) {
            None | Some(b'\n') => break,
            Some(letter) => letter,
        };
        let known = Access::LETTERS.iter().find(|(known, _)| known == letter);
        access |= known.ok_or(Errno::EINVAL)?.1;
    }
    Ok(access)
}

impl Rule {
    /// The rule about one device.
    pub(super) const fn of(device: Device, access: Access) -> Self {
        Self { kind: device.kind, major: Some(device.major), minor: Some(device.minor), access }
    }

    /// Whether it is for just the same devices.
    pub(super) fn is_for_same(&self, other: &Self) -> bool {
        (self.kind, self.major, self.minor) == (other.kind, other.major, other.minor)
    }

    /// Whether it is about all that another is about.
    pub(super) fn contains(&self, other: &Self) -> bool {
        let all = |own: Option<u32>, other| own.is_none() || own == other;
        self.kind == other.kind
            && all(self.major, other.major)
            && all(self.minor, other.minor)
            && self.access.contains(other.access)
    }

    /// Whether it is about part of what another is about.
    pub(super) fn touches(&self, other: &Self) -> bool {
        let some =
            |own: Option<u32>, other: Option<u32>| own.is_none() || other.is_none() || own == other;
        self.kind == other.kind
            && some(self.major, other.major)
            && some(self.minor, other.minor)
            && self.access.intersects(other.access)
    }

    /// Its line of devices.list.
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.kind {
            DeviceKind::Block => b"b ",
            DeviceKind::Character => b"c ",
        });
        let number = |number: Option<u32>, out: &mut Vec<u8>| match number {
            Some(number) => value::print(number.into(), out),
            None => out.push(b'*'),
        };
        number(self.major, out);
        out.push(b':');
        number(self.minor, out);
        out.push(b' ');
        let letters = Access::LETTERS.iter().filter(|(_, access)| self.access.contains(*access));
        out.extend(letters.map(|(letter, _)| *letter));
        out.push(b'\n');
    }
}
