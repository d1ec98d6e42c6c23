//! Device files: the few of memory that every machine has in /dev, and its disks. What they hold is another matter: the disks
//! are there to be opened.

use standin::backend::{Access, FileKind};
use standin::{Errno, Failure};

use super::Node;
use crate::cgroup::v1::devices::{self, Access as Use};
use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::step::Step;
use crate::task::ThreadKey;

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Device {
    pub(crate) kind: DeviceKind,
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// Which kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum DeviceKind {
    Block,
    Character,
}

/// The major number of the devices of memory, and that of NVMe drives.
const MEMORY: u32 = 1;
const NVME: u32 = 259;

const NULL: u32 = 3;
const ZERO: u32 = 5;
const FULL: u32 = 7;

/// Devices of memory, by name, minor number and permission bits.
const NODES: [(&str, u32, u16); 6] = [
    ("null", NULL, 0o666),
    ("zero", ZERO, 0o666),
    ("full", FULL, 0o666),
    ("random", 8, 0o666),
    ("urandom", 9, 0o666),
    ("kmsg", 11, 0o644),
];

/// The names, devices and permission bits of a machine's device files.
pub(super) fn all(profile: &Profile) -> impl Iterator<Item = (String, Device, u16)> {
    let character = |minor| Device { kind: DeviceKind::Character, major: MEMORY, minor };
    let memory =
        NODES.into_iter().map(move |(name, minor, bits)| (name.to_owned(), character(minor), bits));
    let drives = profile.disks.iter().filter(|disk| disk.major == NVME).map(|disk| {
        let device = Device { kind: DeviceKind::Block, major: NVME, minor: disk.minor };
        (format!("nvme{}n1", disk.minor), device, 0o600)
    });
    memory.chain(drives)
}

impl Device {
    pub(super) const fn file_kind(self) -> FileKind {
        match self.kind {
            DeviceKind::Block => FileKind::Block,
            DeviceKind::Character => FileKind::Character,
        }
    }
}

/// Whether the caller's group lets it use a device so; it is asked when permission bits allow it.
///
/// # Errors
/// EPERM: it does not.
pub(super) fn check(
    kernel: &Kernel,
    caller: ThreadKey,
    node: Node,
    access: Access,
) -> Result<(), Errno> {
    let Node::Tmp(key) = node else { return Ok(()) };
    let Some(device) = kernel.vfs.tmp.at(key).device() else { return Ok(()) };
    let mut wanted = Use::empty();
    wanted.set(Use::READ, access.contains(Access::READ));
    wanted.set(Use::WRITE, access.contains(Access::WRITE));
    devices::check(kernel, caller, device, wanted)
}

/// read(2): how much.
pub(super) fn read(device: Device, buffer: &mut [u8]) -> Step<usize> {
    match (device.kind, device.major, device.minor) {
        (DeviceKind::Character, MEMORY, NULL) => Ok(0),
        (DeviceKind::Character, MEMORY, ZERO | FULL) => {
            buffer.fill(0);
            Ok(buffer.len())
        }
        _ => Err(Failure::NotModelled("what is read from a device").into()),
    }
}

/// write(2): how much.
///
/// # Errors
/// ENOSPC: /dev/full.
pub(super) fn write(device: Device, bytes: &[u8]) -> Step<usize> {
    match (device.kind, device.major, device.minor) {
        (DeviceKind::Character, MEMORY, NULL | ZERO) => Ok(bytes.len()),
        (DeviceKind::Character, MEMORY, FULL) => Err(Errno::ENOSPC.into()),
        _ => Err(Failure::NotModelled("what is written to a device").into()),
    }
}
