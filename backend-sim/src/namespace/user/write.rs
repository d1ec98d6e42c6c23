//! The files that say which ids a namespace has: /proc/PID/uid_map, gid_map, projid_map and setgroups (user_namespaces(7)).

use standin::{Capability, Errno, Gid, Uid};

use super::map::skip_blanks;
use super::{IdMap, NO_ID, User, UserNs, capable};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::task::{Opener, ThreadKey};

/// What is written is less than a page.
const MOST_BYTES: usize = 4095;

/// What is written into setgroups is shorter than this.
const SETGROUPS_BYTES: usize = 8;

/// Ids of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Which {
    Users,
    Groups,
    Projects,
}

impl Which {
    const fn of(self, user: &User) -> &IdMap {
        match self {
            Self::Users => &user.users,
            Self::Groups => &user.groups,
            Self::Projects => &user.projects,
        }
    }

    /// What lets somebody be any of them.
    const fn capability(self) -> Option<Capability> {
        match self {
            Self::Users => Some(Capability::SETUID),
            Self::Groups => Some(Capability::SETGID),
            Self::Projects => None,
        }
    }
}

/// A line for each range, with the outer ids as the reader's namespace has them; in the namespace itself as the parent has them.
pub(crate) fn read_map(
    kernel: &Kernel,
    reader: UserNs,
    of: UserNs,
    which: Which,
    text: &mut Vec<u8>,
) {
    let user = kernel.namespaces.user(of);
    let seen_from =
        which.of(kernel.namespaces.user(if reader == of { user.parent } else { reader }));
    for range in which.of(user).ranges() {
        let outer = seen_from.inside(range.outer).unwrap_or(NO_ID);
        let line = format!("{:>10} {:>10} {:>10}\n", range.inner, outer, range.count);
        text.extend_from_slice(line.as_bytes());
    }
}

/// One write into a map.
///
/// # Errors
/// EPERM: it is the first namespace's, the file was opened elsewhere than there or right above, the map is written already, or what
/// was asked for is not the writer's to give. EINVAL: no map.
pub(crate) fn write_map(
    kernel: &mut Kernel,
    caller: ThreadKey,
    file: FileKey,
    (of, which): (UserNs, Which),
    offset: u64,
    text: &[u8],
) -> Result<(), Errno> {
    let opener = &kernel.vfs.files.at(file).opener;
    let user = kernel.namespaces.user(of);
    if of.is_none() || (opener.namespace != of && opener.namespace != user.parent) {
        return Err(Errno::EPERM);
    }
    if offset != 0 || text.len() > MOST_BYTES {
        return Err(Errno::EINVAL);
    }
    let lacks = |over, capability| !capable(kernel, opener.holder(), over, capability);
    if which.of(user).is_written()
        || (which.capability().is_some() && lacks(of, Capability::SYS_ADMIN))
    {
        return Err(Errno::EPERM);
    }
    let map = IdMap::parse(text).ok_or(Errno::EINVAL)?;
    if !is_permitted(kernel, caller, opener, of, which, &map) {
        return Err(Errno::EPERM);
    }
    let map = map.below(which.of(kernel.namespaces.user(user.parent))).ok_or(Errno::EPERM)?;
    let user = kernel.namespaces.user_mut(of);
    match which {
        Which::Users => user.users = map,
        Which::Groups => user.groups = map,
        Which::Projects => user.projects = map,
    }
    Ok(())
}

/// Whether these ids may be given to the namespace: one that is the owner's own, or any by who may be anybody in the parent.
fn is_permitted(
    kernel: &Kernel,
    caller: ThreadKey,
    opener: &Opener,
    of: UserNs,
    which: Which,
    map: &IdMap,
) -> bool {
    let user = kernel.namespaces.user(of);
    if which == Which::Users && !may_map_root(kernel, opener, of, map) {
        return false;
    }
    let namespaces = &kernel.namespaces;
    if let [only] = map.ranges()
        && only.count == 1
        && user.owner == opener.effective
    {
        let own = match which {
            Which::Users => {
                namespaces.meant_user(user.parent, Uid(only.outer)) == Some(opener.effective)
            }
            Which::Groups => {
                !user.setgroups
                    && namespaces.meant_group(user.parent, Gid(only.outer))
                        == Some(opener.effective_group)
            }
            Which::Projects => false,
        };
        if own {
            return true;
        }
    }
    let Some(capability) = which.capability() else { return true };
    capable(kernel, kernel.credentials(caller).holder(), user.parent, capability)
        && capable(kernel, opener.holder(), user.parent, capability)
}

/// Whether user 0 of the parent may be in a map, if it is: files with capabilities would be its own.
fn may_map_root(kernel: &Kernel, opener: &Opener, of: UserNs, map: &IdMap) -> bool {
    if map.ranges().iter().all(|range| range.outer != 0) {
        return true;
    }
    let user = kernel.namespaces.user(of);
    if opener.namespace == of {
        user.maker_could_set_file_capabilities
    } else {
        capable(kernel, opener.holder(), user.parent, Capability::SETFCAP)
    }
}

/// Whether setgroups may be opened for writing: EACCES without `CAP_SYS_ADMIN` in the namespace.
pub(crate) fn may_open_setgroups(
    kernel: &Kernel,
    caller: ThreadKey,
    of: UserNs,
) -> Result<(), Errno> {
    let able = capable(kernel, kernel.credentials(caller).holder(), of, Capability::SYS_ADMIN);
    if able { Ok(()) } else { Err(Errno::EACCES) }
}

/// What setgroups says.
pub(crate) fn read_setgroups(kernel: &Kernel, of: UserNs) -> &'static [u8] {
    if kernel.namespaces.user(of).setgroups { b"allow\n" } else { b"deny\n" }
}

/// One write into setgroups.
///
/// # Errors
/// EINVAL: neither `allow` nor `deny`. EPERM: to allow what is denied, or to deny it after groups were mapped.
pub(crate) fn write_setgroups(
    kernel: &mut Kernel,
    of: UserNs,
    offset: u64,
    text: &[u8],
) -> Result<(), Errno> {
    if offset != 0 || text.len() >= SETGROUPS_BYTES {
        return Err(Errno::EINVAL);
    }
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let (allows, rest) = match (text.strip_prefix(b"allow"), text.strip_prefix(b"deny")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Err(Errno::EINVAL),
    };
    if !skip_blanks(rest).is_empty() {
        return Err(Errno::EINVAL);
    }
    let user = kernel.namespaces.user_mut(of);
    let refused = if allows { !user.setgroups } else { user.groups.is_written() };
    if refused {
        return Err(Errno::EPERM);
    }
    user.setgroups = allows;
    Ok(())
}
