//! io.cost.qos and io.cost.model: how well a block device shall serve, and what an operation costs it (cgroup-v2.rst, IO).
//!
//! A device that is told something is known to the cost model from then on, also if the rest of the line is refused. Each
//! has values of its own (`auto`) until somebody gives it others (`user`).

use standin::{Errno, Failure};

use super::disk::{self, Disk};
use super::rows::{Target, Write};
use super::value;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::step::Step;

/// What io.cost was told of a device.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Cost {
    pub(super) enabled: bool,
    is_qos_given: bool,
    qos: [u32; 6],
    is_model_given: bool,
    model: [u64; 6],
}

impl Default for Cost {
    fn default() -> Self {
        Self {
            enabled: false,
            is_qos_given: false,
            qos: AUTO_QOS,
            is_model_given: false,
            model: AUTO_MODEL,
        }
    }
}

/// What a number of io.cost.qos means.
#[derive(Clone, Copy)]
enum Unit {
    /// Of all requests, in parts of a million.
    Share,
    /// Microseconds.
    Latency,
    /// Of the model's speed, in parts of a million.
    Speed,
}

const QOS: [(&str, Unit); 6] = [
    ("rpct", Unit::Share),
    ("rlat", Unit::Latency),
    ("wpct", Unit::Share),
    ("wlat", Unit::Latency),
    ("min", Unit::Speed),
    ("max", Unit::Speed),
];

/// Those of a solid-state drive.
const AUTO_QOS: [u32; 6] = [0, 25_000, 0, 25_000, SLOWEST, FASTEST];

const SLOWEST: u32 = 10_000;
const FASTEST: u32 = 100_000_000;

const MODEL: [&str; 6] = ["rbps", "rseqiops", "rrandiops", "wbps", "wseqiops", "wrandiops"];

/// Those of a solid-state drive.
const AUTO_MODEL: [u64; 6] = [488_636_629, 8_932, 8_518, 427_891_549, 28_755, 21_940];

/// Parts of a million in a hundredth of a percent.
const PPM_IN_HUNDREDTHS: i64 = 100;

/// Bytes of a number from which on it is too long, since 6.12.
const TOO_LONG: usize = 24;

/// Longest text of a number with a fraction.
const FRACTION_MAX: usize = 31;

/// A word's `KEY=VALUE`, where neither is empty.
fn key_and_value(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = word.iter().position(|byte| *byte == b'=')?;
    let (key, value) = word.split_at_checked(equals)?;
    Some((key, value.get(1..).filter(|value| !value.is_empty())?))
}

/// A number without sign that fits 64 bits. ERANGE is one that does not.
fn number(text: &[u8], release: Release) -> Result<u64, Errno> {
    if !text.first().is_some_and(u8::is_ascii_digit) {
        return Err(Errno::EINVAL);
    }
    let number = value::unsigned(text)?;
    if release >= Release::V6_12 && text.len() >= TOO_LONG {
        Err(Errno::ERANGE)
    } else {
        Ok(number)
    }
}

fn signed(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, sign) = text.strip_prefix(b"-").map_or((text, 1), |digits| (digits, -1));
    let (number, behind) =
        value::scan(digits).filter(|_| digits.first().is_some_and(u8::is_ascii_digit))?;
    Some((number.cast_signed().wrapping_mul(sign), behind))
}

/// A number with a fraction, in hundredths; what stands behind it is not read. Numbers wrap, and so does the power of ten
/// that a fraction of more than eleven digits is divided by.
fn hundredths(text: &[u8]) -> Option<i64> {
    let (whole, behind) = signed(text).filter(|_| text.len() <= FRACTION_MAX)?;
    let fraction = behind.strip_prefix(b".").and_then(|text| {
        let (fraction, behind) = signed(text)?;
        Some((fraction, u32::try_from(text.len() - behind.len()).ok()?))
    });
    let hundredths = match fraction {
        None => 0,
        Some((..0, _)) => return None,
        Some((tenths, 1)) => tenths.wrapping_mul(10),
        Some((fraction, digits)) => {
            let unit = 10_i64.wrapping_pow(digits - 2);
            let sum = fraction.wrapping_add(unit / 2).cast_unsigned();
            let divisor = unit.cast_unsigned() & u64::from(u32::MAX);
            sum.checked_div(divisor)?.cast_signed()
        }
    };
    Some(whole.wrapping_mul(100).wrapping_add(hundredths))
}

impl Unit {
    fn read(self, text: &[u8], release: Release) -> Result<u32, Errno> {
        let hundredths = match self {
            Self::Latency => {
                let number = number(text, release).map_err(|_| Errno::EINVAL)?;
                let kept = number & u64::from(u32::MAX);
                return u32::try_from(kept).map_err(|_| Errno::EINVAL);
            }
            Self::Share | Self::Speed => {
                hundredths(text).filter(|number| *number >= 0).ok_or(Errno::EINVAL)?
            }
        };
        let ppm = match (self, hundredths) {
            (Self::Share, 10_001..) => return Err(Errno::EINVAL),
            (Self::Speed, speed) => {
                speed.wrapping_mul(PPM_IN_HUNDREDTHS).clamp(SLOWEST.into(), FASTEST.into())
            }
            (_, share) => share * PPM_IN_HUNDREDTHS,
        };
        u32::try_from(ppm).map_err(|_| Errno::EINVAL)
    }

    fn print(self, value: u32, out: &mut Vec<u8>) {
        match self {
            Self::Latency => value::print(value.into(), out),
            Self::Share | Self::Speed => {
                value::print((value / 10_000).into(), out);
                out.push(b'.');
                let hundredths = value % 10_000 / 100;
                value::print((hundredths / 10).into(), out);
                value::print((hundredths % 10).into(), out);
            }
        }
    }
}

/// Whether `ctrl=` says that values are given.
fn is_given(value: &[u8]) -> Result<bool, Errno> {
    match value {
        b"auto" => Ok(false),
        b"user" => Ok(true),
        _ => Err(Errno::EINVAL),
    }
}

impl Cost {
    fn tell_qos(&mut self, word: &[u8], release: Release) -> Result<(), Failure> {
        let (key, value) = key_and_value(word).ok_or(Errno::EINVAL)?;
        if key == b"ctrl" {
            self.is_qos_given = is_given(value)?;
            return Ok(());
        }
        if key == b"enable" {
            self.enabled = match number(value, release) {
                // What becomes of one that is too great depends on what was on the kernel's stack.
                Err(Errno::ERANGE) if release < Release::V6_12 => {
                    return Err(Failure::NotModelled("io.cost.qos"));
                }
                number => number? != 0,
            };
            return Ok(());
        }
        let mut kept = self.qos.iter_mut().zip(QOS);
        let found = kept.find(|(_, (name, _))| name.as_bytes() == key);
        let (kept, (_, unit)) = found.ok_or(Errno::EINVAL)?;
        *kept = unit.read(value, release)?;
        self.is_qos_given = true;
        Ok(())
    }

    fn tell_model(&mut self, word: &[u8], release: Release) -> Result<(), Failure> {
        let (key, value) = key_and_value(word).ok_or(Errno::EINVAL)?;
        match key {
            b"ctrl" => self.is_model_given = is_given(value)?,
            b"model" if value == b"linear" => {}
            _ => {
                let mut kept = self.model.iter_mut().zip(MODEL);
                let (kept, _) =
                    kept.find(|(_, name)| name.as_bytes() == key).ok_or(Errno::EINVAL)?;
                *kept = number(value, release).map_err(|_| Errno::EINVAL)?;
                self.is_model_given = true;
            }
        }
        Ok(())
    }
}

/// Words behind the device: parted by blanks, tabs and newlines alone.
fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| b" \t\n".contains(byte)).filter(|word| !word.is_empty())
}

/// Prints a line for each device that the model knows, the newest first.
fn show(kernel: &Kernel, out: &mut Vec<u8>, line: impl Fn(&Cost, &mut Vec<u8>)) {
    let known = kernel.cgroups.disks.iter().rev();
    for (disk, cost) in known.filter_map(|disk| Some((disk, disk.cost.as_ref()?))) {
        disk.print_name(out);
        line(cost, out);
        out.push(b'\n');
    }
}

fn print_control(is_given: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if is_given { b" ctrl=user" } else { b" ctrl=auto" });
}

pub(super) fn show_qos(kernel: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    show(kernel, out, |cost, out| {
        out.extend_from_slice(if cost.enabled { b" enable=1" } else { b" enable=0" });
        print_control(cost.is_qos_given, out);
        for (value, (name, unit)) in cost.qos.into_iter().zip(QOS) {
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            unit.print(value, out);
        }
    });
    Ok(())
}

pub(super) fn show_model(kernel: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    show(kernel, out, |cost, out| {
        print_control(cost.is_model_given, out);
        out.extend_from_slice(b" model=linear");
        for (value, name) in cost.model.into_iter().zip(MODEL) {
            out.push(b' ');
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
            value::print(value, out);
        }
    });
    Ok(())
}

/// What io.cost is told of the device of a line, which it knows from now on, and what stands behind the device.
fn told<'disks, 'line>(
    disks: &'disks mut [Disk],
    line: &'line [u8],
) -> Result<(&'disks mut Cost, &'line [u8]), Errno> {
    let (place, text) = disk::named(disks, line)?;
    let disk = disks.get_mut(place).ok_or(Errno::ENODEV)?;
    Ok((disk.cost.get_or_insert_default(), text))
}

/// Writes io.cost.qos: a device and `KEY=VALUE`s, all of them or none.
pub(super) fn store_qos(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let release = kernel.cgroups.release;
    let (kept, text) = told(&mut kernel.cgroups.disks, write.bytes)?;
    let mut cost = *kept;
    for word in words(text) {
        cost.tell_qos(word, release)?;
    }
    let [.., slowest, fastest] = cost.qos;
    if slowest > fastest {
        return Err(Errno::EINVAL.into());
    }
    if !cost.is_qos_given {
        cost.qos = AUTO_QOS;
    }
    *kept = cost;
    Ok(())
}

/// Writes io.cost.model, in the same way.
pub(super) fn store_model(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let release = kernel.cgroups.release;
    let (kept, text) = told(&mut kernel.cgroups.disks, write.bytes)?;
    let mut cost = *kept;
    for word in words(text) {
        cost.tell_model(word, release)?;
    }
    if !cost.is_model_given {
        cost.model = AUTO_MODEL;
    }
    *kept = cost;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn fractions_are_rounded_to_hundredths() {
        for (text, value) in [
            ("5", 500),
            ("5.", 500),
            ("5.1", 510),
            ("5.25", 525),
            ("5.255", 526),
            ("5.254", 525),
            ("5.25junk", 525),
            ("5junk", 500),
            ("5.x", 500),
            ("5.-0", 500),
            ("-1.5", -50),
        ] {
            assert_eq!(hundredths(text.as_bytes()), Some(value), "{text}");
        }
        for text in ["", ".5", "x", "+1", "5.-1", "-", "00000000000000000000000000000001"] {
            assert_eq!(hundredths(text.as_bytes()), None, "{text}");
        }
    }
}
