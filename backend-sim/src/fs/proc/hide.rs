//! What a mount of /proc hides (proc(5), Mount options): the processes of others, and everything but processes.
//!
//! The options belong to the filesystem, so all its mounts follow a remount. A process that is hidden can be named, but not be
//! asked for, and its directory not be entered: who looks learns of it nothing, or no more than that it is there.

use standin::{Errno, Gid};

use super::ProcNode;
use crate::fs::MountKey;
use crate::kernel::Kernel;
use crate::task::{self, ThreadKey};

/// How much of whom one may not look into is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Level {
    Nothing,
    /// What their directories hold.
    Contents,
    /// That they are there.
    Processes,
    /// The same, also from the group.
    FromAll,
}

/// Each level with its number and its word.
const LEVELS: [(Level, u32, &[u8]); 4] = [
    (Level::Nothing, 0, b"off"),
    (Level::Contents, 1, b"noaccess"),
    (Level::Processes, 2, b"invisible"),
    (Level::FromAll, 4, b"ptraceable"),
];

/// What is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Hiding {
    level: Level,
    /// From whom nothing is hidden. Root's group is the usual one, and is not told.
    group: Gid,
    /// Whether it has processes alone.
    processes_only: bool,
}

impl Default for Hiding {
    fn default() -> Self {
        Self::NONE
    }
}

impl Hiding {
    /// Nothing.
    pub(crate) const NONE: Self =
        Self { level: Level::Nothing, group: Gid::ROOT, processes_only: false };

    /// With options of mount(2), of which each changes what it names.
    ///
    /// # Errors
    /// EINVAL
    pub(crate) fn with(
        mut self,
        kernel: &Kernel,
        caller: ThreadKey,
        options: &[u8],
    ) -> Result<Self, Errno> {
        let words = options.split(|byte| *byte == b',').filter(|word| !word.is_empty());
        for word in words {
            let at = word.iter().position(|byte| *byte == b'=').ok_or(Errno::EINVAL)?;
            let (key, value) = (word.get(..at), word.get(at + 1..).unwrap_or_default());
            match key.unwrap_or_default() {
                b"hidepid" => {
                    let meant = |(_, number, name): &&(Level, u32, &[u8])| {
                        *name == value || self::number(value) == Ok(*number)
                    };
                    self.level = LEVELS.iter().find(meant).ok_or(Errno::EINVAL)?.0;
                }
                b"gid" => {
                    let by = kernel.credentials(caller).namespace;
                    let group = Gid(number(value)?);
                    // A number that is no group's is nobody's.
                    self.group = kernel.namespaces.meant_group(by, group).unwrap_or(Gid(u32::MAX));
                }
                b"subset" if value == b"pid" => self.processes_only = true,
                _ => return Err(Errno::EINVAL),
            }
        }
        Ok(self)
    }

    /// Whether the files of the whole system are not there.
    pub(super) const fn hides_files(self) -> bool {
        self.processes_only
    }

    /// Whether the way to a process depends on who goes it.
    pub(crate) fn hides_processes(self) -> bool {
        self.level != Level::Nothing
    }

    /// The options as mountinfo has them.
    pub(super) fn print(self, kernel: &Kernel, reader: ThreadKey, out: &mut Vec<u8>) {
        if self.group != Gid::ROOT {
            let to = kernel.credentials(reader).namespace;
            let group = kernel.namespaces.told_group(to, self.group);
            out.extend_from_slice(format!(",gid={group}").as_bytes());
        }
        let name =
            LEVELS.iter().find(|(level, ..)| *level == self.level && *level != Level::Nothing);
        if let Some((_, _, name)) = name {
            out.extend_from_slice(b",hidepid=");
            out.extend_from_slice(name);
        }
        if self.processes_only {
            out.extend_from_slice(b",subset=pid");
        }
    }

    /// Whether so much of a process is told.
    fn tells(self, kernel: &Kernel, caller: ThreadKey, of: ThreadKey, what: Level) -> bool {
        let credentials = kernel.credentials(caller);
        let is_free = self.level < what || credentials.in_group(self.group);
        self.level != Level::FromAll && is_free || task::may_look_into(kernel, caller, of)
    }
}

/// Whether a list has a process, and whether somebody who asks for it is told that it is there.
pub(super) fn shows(kernel: &Kernel, caller: ThreadKey, mount: MountKey, of: ThreadKey) -> bool {
    kernel.vfs.room(mount).hiding.tells(kernel, caller, of, Level::Processes)
}

/// What somebody may not ask for.
///
/// # Errors
/// ENOENT: a process that is hidden.
pub(crate) fn check_seen(
    kernel: &Kernel,
    caller: ThreadKey,
    mount: MountKey,
    node: ProcNode,
) -> Result<(), Errno> {
    let ProcNode::Process(of) = node else { return Ok(()) };
    let is_gone = kernel.tasks.threads.get(of).is_none();
    if is_gone || shows(kernel, caller, mount, of) { Ok(()) } else { Err(Errno::ENOENT) }
}

/// Whether the directory of a process may be used at all.
///
/// # Errors
/// EPERM, or ENOENT where nobody shall learn that it is there. (Linux says EPERM of a process of which nobody but who traces it
/// is told, if somebody was told of it before: its name is then remembered.)
pub(crate) fn check_entered(
    kernel: &Kernel,
    caller: ThreadKey,
    mount: MountKey,
    node: ProcNode,
) -> Result<(), Errno> {
    let ProcNode::Process(of) = node else { return Ok(()) };
    let hiding = kernel.vfs.room(mount).hiding;
    let is_told =
        kernel.tasks.threads.get(of).is_none() || hiding.tells(kernel, caller, of, Level::Contents);
    match hiding.level {
        _ if is_told => Ok(()),
        Level::Processes | Level::FromAll => Err(Errno::ENOENT),
        Level::Nothing | Level::Contents => Err(Errno::EPERM),
    }
}

/// A number of 32 bits without sign: decimal, octal behind 0 or hexadecimal behind 0x.
fn number(text: &[u8]) -> Result<u32, Errno> {
    let text = std::str::from_utf8(text).map_err(|_| Errno::EINVAL)?;
    let (digits, radix) = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (text, 8),
        None => (text, 10),
    };
    if digits.starts_with('+') {
        return Err(Errno::EINVAL);
    }
    u32::from_str_radix(digits, radix).map_err(|_| Errno::EINVAL)
}

#[cfg(test)]
mod tests {
    use super::number;
    use standin::Errno;

    #[test]
    fn a_number_has_one_of_three_radices_and_no_sign() {
        assert_eq!((number(b"2"), number(b"0x2"), number(b"010")), (Ok(2), Ok(2), Ok(8)));
        for wrong in [&b""[..], b"-1", b"+1", b"junk", b"4294967296"] {
            assert_eq!(number(wrong), Err(Errno::EINVAL));
        }
    }
}
