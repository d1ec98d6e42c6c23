//! /proc/sys: the kernel's settings (proc_sys(5)).
//!
//! A setting is a row: of [`kernel`], [`files`], [`memory`] or [`network`], in the form that [`row`] gives. What was written is in
//! [`store`], [`write`] reads what is written. Some settings mean something to other parts of the machine, which keep them
//! (`namespace::uts`, `notify`); most are kept for who reads them. A directory that has more than the table knows says
//! `NotModelled` for other names, and for a list of them.
//!
//! A file's text is made for each read, and may be read and written from any offset. Permission goes by mode and id alone,
//! but in settings of namespaces the privileged of their user namespace are as root is.

mod files;
mod kernel;
mod meant;
mod memory;
mod network;
mod number;
mod row;
mod store;
mod write;

use standin::backend::{Access, FileKind, Listing};
use standin::id::Mode;
use standin::{Capability, Errno, Failure, Gid, Uid};

use super::{ProcNode, inode};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::namespace::user::UserNs;
use crate::namespace::uts;
use crate::namespace::{self, Held, NetKey, pid, user};
use crate::notify;
use crate::profile::Release;
use crate::step::Step;
use crate::task::{Credentials, RlimitTable, ThreadKey};
pub(crate) use meant::Meant;
pub(super) use meant::namespace;
#[cfg(feature = "serde")]
pub(super) use row::names;
use row::{Of, Setting};
pub(crate) use store::Settings;
pub(crate) use write::write;

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct SettingId(u16);

impl SettingId {
    pub(super) const fn number(self) -> u16 {
        self.0
    }

    pub(super) fn mode(self) -> Mode {
        self.row().mode
    }

    pub(super) fn kind(self) -> FileKind {
        if matches!(self.row().setting, Setting::Directory(_)) {
            FileKind::Dir
        } else {
            FileKind::File
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether who reads decides whether it is there.
    pub(super) fn depends_on_reader(self) -> bool {
        matches!(self.row().of, Of::FirstNet | Of::OtherNets)
    }
}

/// Whether a reader finds a row.
fn is_seen(kernel: &Kernel, reader: ThreadKey, id: SettingId) -> bool {
    let row = id.row();
    let in_first_net = || namespace::of(kernel, reader).net == kernel.namespaces.first.net;
    row.is_in(kernel.profile.release)
        && !is_hidden(kernel, reader, row.at)
        && match row.of {
            Of::Machine | Of::Net | Of::Ipc => true,
            Of::FirstNet => in_first_net(),
            Of::OtherNets => !in_first_net(),
        }
}

/// A directory in which 6.1 shows nothing to whom it is a network of another user namespace than the first.
const OF_FIRST_USERS: &str = "net/core";

/// Whether the names of a directory are hidden from a reader.
fn is_hidden(kernel: &Kernel, reader: ThreadKey, directory: &str) -> bool {
    directory == OF_FIRST_USERS
        && kernel.profile.release == Release::V6_1
        && namespace::owner_of_net(kernel, reader).is_some()
}

/// Whether a directory has no other names than those of the table; /proc/sys itself for `None`.
fn has_all(above: Option<SettingId>) -> bool {
    match above.map(|above| &above.row().setting) {
        Some(Setting::Directory(names)) => names.are_all(),
        Some(_) | None => true,
    }
}

/// What stands behind a name in /proc/sys, or in a directory below.
///
/// # Errors
/// ENOENT, or `NotModelled` where Linux has more than the table.
pub(super) fn find(
    kernel: &Kernel,
    reader: ThreadKey,
    above: Option<SettingId>,
    name: &[u8],
) -> Step<ProcNode> {
    let named = row::named(above, name);
    // A name of the table that this reader does not see is not there.
    let is_known = !named.is_empty() || has_all(above);
    match named.iter().copied().find(|id| is_seen(kernel, reader, *id)) {
        Some(id) => Ok(ProcNode::Setting(id)),
        None if is_known => Err(Errno::ENOENT.into()),
        None => Err(Failure::NotModelled("a file below /proc/sys").into()),
    }
}

/// All names of a directory.
///
/// # Errors
/// `NotModelled` where Linux has more than the table.
pub(super) fn list(
    kernel: &Kernel,
    reader: ThreadKey,
    above: Option<SettingId>,
    listing: &mut Listing,
) -> Step<()> {
    if !has_all(above) {
        return Err(Failure::NotModelled("a list of settings").into());
    }
    for id in row::inside(above).filter(|id| is_seen(kernel, reader, *id)) {
        listing.push(id.name().as_bytes(), id.kind(), inode(ProcNode::Setting(id)));
    }
    Ok(())
}

/// The user namespace whose root has a setting of a namespace; `None` for one of the machine.
fn keeper(kernel: &Kernel, meant: &Meant, id: SettingId) -> Option<UserNs> {
    match id.row().of {
        Of::Net | Of::OtherNets => Some(namespace::owner(kernel, Held::Net(meant.net))),
        Of::Ipc => Some(namespace::owner(kernel, Held::Ipc(meant.ipc))),
        Of::Machine | Of::FirstNet => None,
    }
}

/// Whose a setting is, as root's number in the user namespace that has it.
pub(super) fn owner(kernel: &Kernel, meant: &Meant, id: SettingId) -> (Uid, Gid) {
    match keeper(kernel, meant, id) {
        Some(keeper) => {
            let all = &kernel.namespaces;
            (
                all.meant_user(keeper, Uid::ROOT).unwrap_or(Uid::ROOT),
                all.meant_group(keeper, Gid::ROOT).unwrap_or(Gid::ROOT),
            )
        }
        None => (Uid::ROOT, Gid::ROOT),
    }
}

/// The directory of the limits that user namespaces set.
const USER: &str = "user";

/// Whether somebody may use a setting, or a directory of them, so. Limits are for who has `CAP_SYS_RESOURCE` in its user
/// namespace, others may read them; settings of the network also for who has `CAP_NET_ADMIN` there.
pub(crate) fn allows(
    kernel: &Kernel,
    reader: ThreadKey,
    (setting, meant): (Option<SettingId>, &Meant),
    mode: Mode,
    access: Access,
) -> bool {
    let credentials = kernel.credentials(reader);
    let capable = |over, capability| user::capable(kernel, credentials.holder(), over, capability);
    let mode = mode.bits();
    let is_end = |id: SettingId| id.row().setting == Setting::NumberEnd;
    let granted = match setting.map(|id| (id, id.row().of)) {
        Some((id, ..)) if id.row().at == USER => {
            let able = capable(meant.user, Capability::SYS_RESOURCE);
            if able { mode >> 6 } else { mode & 0o4 }
        }
        // The highest number is also for who may do so where its PID namespace was made.
        Some((id, _)) if is_end(id) && pid::setting::owns_end(kernel, reader, meant.pids) => {
            mode >> 6
        }
        Some((id, Of::Net))
            if keeper(kernel, meant, id)
                .is_some_and(|over| capable(over, Capability::NET_ADMIN)) =>
        {
            mode >> 6
        }
        Some((id, _)) => granted(credentials, owner(kernel, meant, id), mode),
        None => granted(credentials, (Uid::ROOT, Gid::ROOT), mode),
    };
    access.bits() & 7 & !u32::from(granted) == 0
}

/// The bits of a mode that count for somebody.
fn granted(credentials: &Credentials, (user, group): (Uid, Gid), mode: u16) -> u16 {
    if credentials.user.effective == user {
        mode >> 6
    } else if credentials.group.effective == group || credentials.in_group(group) {
        mode >> 3
    } else {
        mode
    }
}

/// The namespaces whose setting is read or written, if that is still permitted: who does it is asked anew each time.
///
/// # Errors
/// ENOENT: the namespace has ended. EPERM: it is not the caller's to use so.
fn meant_by(
    kernel: &Kernel,
    caller: ThreadKey,
    (file, id): (FileKey, SettingId),
    access: Access,
) -> Result<Meant, Errno> {
    let meant = Meant::opened(kernel, caller, file)?;
    let is_allowed = allows(kernel, caller, (Some(id), &meant), id.mode(), access);
    if is_allowed { Ok(meant) } else { Err(Errno::EPERM) }
}

/// Copies what stands at `offset`; how much.
///
/// # Errors
/// EISDIR, and what [`meant_by`] refuses.
pub(crate) fn read(
    kernel: &Kernel,
    caller: ThreadKey,
    (file, id): (FileKey, SettingId),
    offset: u64,
    buffer: &mut [u8],
) -> Step<usize> {
    if id.kind() == FileKind::Dir {
        return Err(Errno::EISDIR.into());
    }
    let meant = meant_by(kernel, caller, (file, id), Access::READ)?;
    let release = kernel.profile.release;
    let number;
    let text = match &id.row().setting {
        Setting::Directory(_) => return Err(Errno::EISDIR.into()),
        Setting::Name(which) => uts::name_of(kernel, caller, *which).as_bytes(),
        Setting::System => uts::SYSTEM.as_bytes(),
        Setting::Release => release.full_name().as_bytes(),
        Setting::Build => release.build().as_bytes(),
        Setting::Hardware => uts::HARDWARE.as_bytes(),
        Setting::Swappiness => {
            number = kernel.cgroups.swappiness.to_string();
            number.as_bytes()
        }
        Setting::Threads => {
            let written = written(kernel, "kernel", "threads-max");
            let most = written.unwrap_or_else(|| RlimitTable::most_threads(&kernel.profile));
            number = most.to_string();
            number.as_bytes()
        }
        Setting::Limit(kind) => {
            let limits = &kernel.namespaces.user(meant.user).limits;
            number = limits.get(*kind).to_string();
            number.as_bytes()
        }
        Setting::Watching(limit) => {
            number = notify::setting::get(kernel, *limit)?.to_string();
            number.as_bytes()
        }
        Setting::LastNumber => {
            number = pid::setting::read_last(kernel, caller).to_string();
            number.as_bytes()
        }
        Setting::NumberEnd => {
            number = pid::setting::end(kernel, meant.pids).to_string();
            number.as_bytes()
        }
        Setting::Unmodelled => return Err(Failure::NotModelled("a file below /proc/sys").into()),
        Setting::Fixed(_)
        | Setting::Number(_)
        | Setting::Long(_)
        | Setting::Numbers(_)
        | Setting::NumbersTo(..)
        | Setting::Text(..) => match store::get(kernel, &meant, id) {
            Some(text) => text,
            None => {
                number = write::first(&id.row().setting);
                number.as_bytes()
            }
        },
    };
    let rest = text.iter().chain(b"\n").skip(usize::try_from(offset).unwrap_or(usize::MAX));
    Ok(buffer.iter_mut().zip(rest).map(|(to, byte)| *to = *byte).count())
}

/// Which name of the system a setting is, if it is one.
pub(super) fn name_of_system(id: SettingId) -> Option<uts::Which> {
    if let Setting::Name(which) = id.row().setting { Some(which) } else { None }
}

/// The most descriptors that a process may be let have (/proc/sys/fs/nr_open), if that was written.
pub(crate) fn most_open_files(kernel: &Kernel) -> Option<u64> {
    written(kernel, "fs", "nr_open")
}

/// Threads that a kernel has itself: so many at least, and so many at most.
const KERNEL_THREADS: std::ops::Range<u64> = 50..300;

/// Whether there may be one thread more (/proc/sys/kernel/threads-max, if that was written).
///
/// # Errors
/// EAGAIN: all that there may be are there. `NotModelled`: it depends on how many the kernel has itself.
pub(crate) fn check_threads(kernel: &Kernel) -> Step<()> {
    let Some(most) = written(kernel, "kernel", "threads-max") else { return Ok(()) };
    let own = kernel.tasks.threads.len() as u64;
    if own + KERNEL_THREADS.start >= most {
        Err(Errno::EAGAIN.into())
    } else if own + KERNEL_THREADS.end >= most {
        Err(Failure::NotModelled("threads-max near to what the kernel has itself").into())
    } else {
        Ok(())
    }
}

/// Whether user namespaces are for the privileged alone: a switch of Debian's kernels.
pub(crate) fn users_are_for_admins(kernel: &Kernel) -> bool {
    written(kernel, "kernel", "unprivileged_userns_clone") == Some(0)
}

/// The number that was written to a setting of the machine.
fn written(kernel: &Kernel, directory: &str, name: &str) -> Option<u64> {
    let settings = &kernel.vfs.settings;
    if settings.is_empty() {
        return None;
    }
    let text = settings.get(row::at(directory, name, kernel.profile.release)?)?;
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Numbers that the sockets of a network namespace go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketNumber {
    /// How many connections listen(2) lets wait at most.
    Connections,
    /// How many messages wait at a socket, and connections until listen(2) says how many.
    Datagrams,
}

/// What was written to one of them, if anything was.
pub(crate) fn socket_number(kernel: &Kernel, net: NetKey, which: SocketNumber) -> Option<u32> {
    let settings = kernel.namespaces.settings_of_net(net);
    if settings.is_empty() {
        return None;
    }
    let release = kernel.profile.release;
    let id = match which {
        SocketNumber::Connections => row::at("net/core", "somaxconn", release)?,
        SocketNumber::Datagrams => row::at("net/unix", "max_dgram_qlen", release)?,
    };
    // A negative one is as large as there can be.
    let number: i64 = std::str::from_utf8(settings.get(id)?).ok()?.parse().ok()?;
    Some(u32::try_from(number).unwrap_or(u32::MAX))
}
