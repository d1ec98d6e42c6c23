//! Block devices, as far as control groups know them: which one a line names, and what all groups share of it.
//!
//! Facts: cgroup-v2.rst, IO Interface Files; the forms are recorded on 6.1 and 6.12.

use standin::Errno;

use super::io_cost::Cost;
use super::value;
use crate::profile::BlockDevice;

/// A block device.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Disk {
    device: BlockDevice,
    /// What io.cost was told of it.
    pub(super) cost: Option<Cost>,
    /// Some group was given a limit for it, or a line that begins so.
    pub(super) throttled: bool,
}

impl Disk {
    pub(super) const fn new(device: BlockDevice) -> Self {
        Self { device, cost: None, throttled: false }
    }

    /// Prints what its lines begin with.
    pub(super) fn print_name(&self, out: &mut Vec<u8>) {
        value::print(self.device.major.into(), out);
        out.push(b':');
        value::print(self.device.minor.into(), out);
    }
}

/// How the kernel keeps a device's two numbers: in 32 bits, 20 of them for the minor one, which may run over.
const fn packed(major: u64, minor: u64) -> u64 {
    (major << 20 | minor) & u32::MAX as u64
}

/// The device that a line begins with, as `MAJOR:MINOR` and white space, by its place among `disks`, and what stands
/// behind that.
///
/// # Errors
/// EINVAL: the line begins otherwise. ENODEV: there is no such device.
pub(super) fn named<'line>(
    disks: &[Disk],
    line: &'line [u8],
) -> Result<(usize, &'line [u8]), Errno> {
    let numbers = value::scan(line).and_then(|(major, behind)| {
        let (minor, behind) = value::scan(behind.strip_prefix(b":")?)?;
        Some((packed(major, minor), behind))
    });
    let (number, behind) = numbers.ok_or(Errno::EINVAL)?;
    if !behind.first().is_some_and(|byte| value::is_space(*byte)) {
        return Err(Errno::EINVAL);
    }
    let is_it = |disk: &Disk| packed(disk.device.major.into(), disk.device.minor.into()) == number;
    let place = disks.iter().position(is_it).ok_or(Errno::ENODEV)?;
    Ok((place, value::skip_spaces(behind)))
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::{Disk, named};
    use crate::profile::BlockDevice;

    #[track_caller]
    fn check(line: &str, expected: Result<(usize, &str), Errno>) {
        let disks =
            [(259, 0), (8, 16)].map(|(major, minor)| Disk::new(BlockDevice { major, minor }));
        let found = named(&disks, line.as_bytes());
        assert_eq!(found, expected.map(|(disk, rest)| (disk, rest.as_bytes())), "{line:?}");
    }

    #[test]
    fn a_line_begins_with_two_numbers_and_white_space() {
        check("259:0 rbps=2", Ok((0, "rbps=2")));
        check(" 8: 016\t\n junk", Ok((1, "junk")));
        for line in ["", "8", "8:16", "8:16x ", "8 :16 ", "+8:16 ", "-8:16 ", "0x8:16 ", "sda "] {
            check(line, Err(Errno::EINVAL));
        }
    }

    #[test]
    fn numbers_that_name_no_device_may_run_over_into_one_that_is_there() {
        check("8:0 ", Err(Errno::ENODEV));
        check("99999999999999999999:0 x", Err(Errno::ENODEV));
        check("0:271581184 ", Ok((0, "")));
        check("4355:4294967296 ", Ok((0, "")));
    }
}
