//! /proc/sys: the kernel's settings (proc_sys(5)). What the caller's UTS namespace is called is there, and little else yet;
//! every other name may be one of Linux, and is not modelled.
//!
//! A file's text is made for each read, and may be read and written from any offset. Permission goes by mode and id alone:
//! no capability helps, and none is needed.

use standin::backend::{Access, FileKind, NamespaceKind};
use standin::id::Mode;
use standin::{Capability, Errno, Failure, Gid, Uid};

use super::ProcNode;
use crate::kernel::Kernel;
use crate::namespace::pid;
use crate::namespace::user::MOST;
use crate::namespace::uts::{self, Name, Which};
use crate::notify;
use crate::notify::setting::Limit;
use crate::step::Step;
use crate::task::{Credentials, ThreadKey};

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SettingId(u8);

struct Row {
    /// The directory that it is in; none for what is in /proc/sys itself.
    above: Option<SettingId>,
    name: &'static [u8],
    mode: Mode,
    setting: Setting,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Setting {
    Directory,
    Name(Which),
    System,
    Release,
    Build,
    Hardware,
    Swappiness,
    /// How many namespaces of a kind the caller's user namespace lets a user have (namespaces(7)).
    Limit(NamespaceKind),
    Watching(Limit),
    /// The highest number of a process, and the last (`namespace::pid`).
    LastNumber,
    NumberEnd,
}

const fn row(above: Option<u8>, name: &'static [u8], mode: u16, setting: Setting) -> Row {
    let above = match above {
        Some(above) => Some(SettingId(above)),
        None => None,
    };
    Row { above, name, mode: Mode::new(mode), setting }
}

/// A limit of /proc/sys/user.
const fn limit(name: &'static [u8], kind: NamespaceKind) -> Row {
    row(Some(9), name, 0o644, Setting::Limit(kind))
}

const ROWS: [Row; 25] = [
    row(None, b"kernel", 0o555, Setting::Directory),
    row(Some(0), b"arch", 0o444, Setting::Hardware),
    row(Some(0), b"domainname", 0o644, Setting::Name(Which::Domain)),
    row(Some(0), b"hostname", 0o644, Setting::Name(Which::Host)),
    row(Some(0), b"osrelease", 0o444, Setting::Release),
    row(Some(0), b"ostype", 0o444, Setting::System),
    row(Some(0), b"version", 0o444, Setting::Build),
    row(None, b"vm", 0o555, Setting::Directory),
    row(Some(7), b"swappiness", 0o644, Setting::Swappiness),
    row(None, b"user", 0o555, Setting::Directory),
    limit(b"max_cgroup_namespaces", NamespaceKind::Cgroup),
    limit(b"max_ipc_namespaces", NamespaceKind::Ipc),
    limit(b"max_mnt_namespaces", NamespaceKind::Mount),
    limit(b"max_net_namespaces", NamespaceKind::Net),
    limit(b"max_pid_namespaces", NamespaceKind::Pid),
    limit(b"max_time_namespaces", NamespaceKind::Time),
    limit(b"max_user_namespaces", NamespaceKind::User),
    limit(b"max_uts_namespaces", NamespaceKind::Uts),
    row(None, b"fs", 0o555, Setting::Directory),
    row(Some(18), b"inotify", 0o555, Setting::Directory),
    row(Some(19), b"max_queued_events", 0o644, Setting::Watching(Limit::Events)),
    row(Some(19), b"max_user_instances", 0o644, Setting::Watching(Limit::Watchers)),
    row(Some(19), b"max_user_watches", 0o644, Setting::Watching(Limit::Watches)),
    row(Some(0), b"ns_last_pid", 0o666, Setting::LastNumber),
    row(Some(0), b"pid_max", 0o644, Setting::NumberEnd),
];

impl SettingId {
    fn row(self) -> &'static Row {
        match ROWS.get(usize::from(self.0)) {
            Some(row) => row,
            None => panic!("no row {} of /proc/sys", self.0),
        }
    }

    pub(super) const fn number(self) -> u8 {
        self.0
    }

    pub(super) fn mode(self) -> Mode {
        self.row().mode
    }

    pub(super) fn kind(self) -> FileKind {
        if self.row().setting == Setting::Directory { FileKind::Dir } else { FileKind::File }
    }

    pub(super) fn above(self) -> Option<Self> {
        self.row().above
    }
}

/// What stands behind a name in /proc/sys, or in a directory below.
pub(super) fn find(above: Option<SettingId>, name: &[u8]) -> Option<ProcNode> {
    let place = ROWS.iter().position(|row| row.above == above && row.name == name)?;
    Some(ProcNode::Setting(SettingId(u8::try_from(place).ok()?)))
}

/// Whether somebody may use a setting, or a directory of them, so. Limits are for who has `CAP_SYS_RESOURCE` in its user namespace,
/// others may read them.
pub(crate) fn allows(
    credentials: &Credentials,
    setting: Option<SettingId>,
    mode: Mode,
    access: Access,
) -> bool {
    let mode = mode.bits();
    let is_limit = setting.is_some_and(|id| matches!(id.row().setting, Setting::Limit(_)));
    let granted = if is_limit {
        let able = credentials.capable_here(Capability::SYS_RESOURCE);
        if able { mode >> 6 } else { mode & 0o4 }
    } else if credentials.user.effective == Uid::ROOT {
        mode >> 6
    } else if credentials.group.effective == Gid::ROOT || credentials.in_group(Gid::ROOT) {
        mode >> 3
    } else {
        mode
    };
    access.bits() & 7 & !u32::from(granted) == 0
}

/// Whether a setting is the caller's though its mode does not say so.
pub(crate) fn owns(kernel: &Kernel, caller: ThreadKey, setting: Option<SettingId>) -> bool {
    setting.is_some_and(|id| id.row().setting == Setting::NumberEnd)
        && pid::setting::owns_end(kernel, caller)
}

/// Copies what stands at `offset`; how much.
pub(crate) fn read(
    kernel: &Kernel,
    caller: ThreadKey,
    id: SettingId,
    offset: u64,
    buffer: &mut [u8],
) -> Step<usize> {
    let release = kernel.profile.release;
    let number;
    let text = match id.row().setting {
        Setting::Directory => return Err(Errno::EISDIR.into()),
        Setting::Name(which) => uts::name_of(kernel, caller, which).as_bytes(),
        Setting::System => uts::SYSTEM.as_bytes(),
        Setting::Release => release.full_name().as_bytes(),
        Setting::Build => release.build().as_bytes(),
        Setting::Hardware => uts::HARDWARE.as_bytes(),
        Setting::Swappiness => {
            number = kernel.cgroups.swappiness.to_string();
            number.as_bytes()
        }
        Setting::Limit(kind) => {
            let limits = &kernel.namespaces.user(kernel.credentials(caller).namespace).limits;
            number = limits.get(kind).to_string();
            number.as_bytes()
        }
        Setting::Watching(limit) => {
            number = notify::setting::get(kernel, limit)?.to_string();
            number.as_bytes()
        }
        Setting::LastNumber => {
            number = pid::setting::read_last(kernel, caller).to_string();
            number.as_bytes()
        }
        Setting::NumberEnd => {
            number = pid::setting::read_end(kernel, caller).to_string();
            number.as_bytes()
        }
    };
    let rest = text.iter().chain(b"\n").skip(usize::try_from(offset).unwrap_or(usize::MAX));
    Ok(buffer.iter_mut().zip(rest).map(|(to, byte)| *to = *byte).count())
}

/// One write: from `offset` on the name is what was written, up to the first NUL or newline and to the longest that a name
/// can be. Behind the end of the old name nothing changes. All bytes count as written.
pub(crate) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    id: SettingId,
    offset: u64,
    bytes: &[u8],
) -> Step<usize> {
    let which = match id.row().setting {
        Setting::Name(which) => which,
        Setting::Swappiness => return Err(Failure::NotModelled("a number in /proc/sys").into()),
        Setting::Limit(kind) => return Ok(write_limit(kernel, caller, kind, offset, bytes)?),
        Setting::Watching(limit) => {
            if offset == 0 {
                notify::setting::set(kernel, limit, bytes)?;
            }
            return Ok(bytes.len());
        }
        Setting::LastNumber | Setting::NumberEnd if offset > 0 => return Ok(bytes.len()),
        Setting::LastNumber => {
            pid::setting::write_last(kernel, caller, bytes)?;
            return Ok(bytes.len());
        }
        Setting::NumberEnd => {
            pid::setting::write_end(kernel, caller, bytes)?;
            return Ok(bytes.len());
        }
        Setting::Directory
        | Setting::System
        | Setting::Release
        | Setting::Build
        | Setting::Hardware => return Err(Errno::EACCES.into()),
    };
    let old = uts::name_of(kernel, caller, which).as_bytes();
    let kept = usize::try_from(offset).ok().and_then(|offset| old.get(..offset));
    if let Some(kept) = kept.filter(|_| !bytes.is_empty()) {
        let new = bytes.split(|byte| matches!(byte, 0 | b'\n')).next().unwrap_or_default();
        let name = Name::cut(&[kept, new].concat());
        uts::put_name(kernel, caller, which, name);
    }
    Ok(bytes.len())
}

/// One write of a limit, a number from 0 to the highest; what stands behind it is not looked at.
///
/// # Errors
/// EINVAL: no such number.
fn write_limit(
    kernel: &mut Kernel,
    caller: ThreadKey,
    kind: NamespaceKind,
    offset: u64,
    bytes: &[u8],
) -> Result<usize, Errno> {
    if offset > 0 || bytes.is_empty() {
        return Ok(bytes.len());
    }
    let text = bytes.trim_ascii_start();
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, behind) = text.split_at_checked(digits).ok_or(Errno::EINVAL)?;
    if behind.first().is_some_and(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | 0)) {
        return Err(Errno::EINVAL);
    }
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    let most = number.filter(|most| *most <= MOST).ok_or(Errno::EINVAL)?;
    let namespace = kernel.credentials(caller).namespace;
    kernel.namespaces.user_mut(namespace).limits.set(kind, most);
    Ok(bytes.len())
}
