//! The data of mount(2) of a tmpfs: words between commas. What is done with them is in `mount`; those of proc are `proc::hide`'s, those
//! of cgroup2 `cgroup::options`'.

use standin::id::{Bytes, Gid, Mode, Uid};
use standin::{Errno, Failure};

use super::content::PAGE;
use super::tmpfs::Room;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::ThreadKey;

/// The words between commas, without the empty ones.
fn words(options: &[u8]) -> impl Iterator<Item = &[u8]> {
    options.split(|byte| *byte == b',').filter(|word| !word.is_empty())
}

/// What a tmpfs is to be.
pub(super) struct Tmpfs {
    pub(super) mode: Mode,
    pub(super) owner: Uid,
    pub(super) group: Gid,
    pub(super) room: Room,
    memory: Bytes,
}

impl Tmpfs {
    pub(super) fn new(kernel: &Kernel, caller: ThreadKey) -> Self {
        let memory = kernel.profile.memory;
        let room = Room::half_of(memory);
        let own = kernel.credentials(caller);
        let (owner, group) = (own.user.filesystem, own.group.filesystem);
        Self { mode: Mode::new(0o1777), owner, group, room, memory }
    }

    /// Reads the options (tmpfs(5)).
    ///
    /// # Errors
    /// EINVAL: none of them. `NotModelled`: one that changes something.
    pub(super) fn parse(&mut self, kernel: &Kernel, caller: ThreadKey, options: &[u8]) -> Step<()> {
        let (all, by) = (&kernel.namespaces, kernel.credentials(caller).namespace);
        for word in words(options) {
            let (key, value) = match word.iter().position(|byte| *byte == b'=') {
                Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
                None => (word, None),
            };
            let text = value.and_then(|value| std::str::from_utf8(value).ok());
            let number = || text.and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL);
            match key {
                b"size" => self.room.most_pages = pages(text, self.memory)?.div_ceil(PAGE),
                b"nr_blocks" => self.room.most_pages = amount(text)?,
                b"nr_inodes" => self.room.most_nodes = amount(text)?,
                b"mode" => {
                    let bits = text.and_then(|text| u16::from_str_radix(text, 8).ok());
                    self.mode = Mode::new(bits.ok_or(Errno::EINVAL)?);
                }
                b"uid" => self.owner = all.meant_user(by, Uid(number()?)).ok_or(Errno::EINVAL)?,
                b"gid" => self.group = all.meant_group(by, Gid(number()?)).ok_or(Errno::EINVAL)?,
                b"inode64" | b"inode32" if value.is_none() => {}
                b"huge" | b"mpol" | b"noswap" | b"quota" | b"usrquota" | b"grpquota" => {
                    return Err(Failure::NotModelled("this option of tmpfs").into());
                }
                _ => return Err(Errno::EINVAL.into()),
            }
        }
        Ok(())
    }
}

/// A number of bytes, or a part of the memory in percent.
fn pages(text: Option<&str>, memory: Bytes) -> Result<u64, Errno> {
    match text.and_then(|text| text.strip_suffix('%')) {
        Some(percent) => Ok(amount(Some(percent))?.saturating_mul(memory.0) / 100),
        None => amount(text),
    }
}

/// A number with one of the suffixes k, m, g, t, p, e.
fn amount(text: Option<&str>) -> Result<u64, Errno> {
    const SUFFIXES: &str = "kmgtpe";
    let text = text.ok_or(Errno::EINVAL)?;
    let (digits, shift) = match text.chars().last().map(|last| last.to_ascii_lowercase()) {
        Some(last) if !last.is_ascii_digit() => {
            let at =
                SUFFIXES.find(last).and_then(|at| u32::try_from(at).ok()).ok_or(Errno::EINVAL)?;
            (text.get(..text.len() - last.len_utf8()).unwrap_or_default(), 10 * (at + 1))
        }
        Some(_) | None => (text, 0),
    };
    let number: u64 = digits.parse().map_err(|_| Errno::EINVAL)?;
    number.checked_mul(1 << shift).ok_or(Errno::EINVAL)
}
