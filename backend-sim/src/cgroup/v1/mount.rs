//! Mounting v1 hierarchies: what the options ask for, which hierarchy that is, and when one ends (cgroup-v1/cgroups.rst, 2.1).

use standin::{Capability, Controller, ControllerSet, Errno};

use crate::cgroup::hierarchy::{self, Options};
use crate::cgroup::{CgroupKey, HierarchyId};
use crate::fs::{Node, mount};
use crate::kernel::Kernel;
use crate::namespace;
use crate::profile::Profile;
use crate::step::Step;
use crate::task::ThreadKey;

/// The longest name of a hierarchy, in bytes.
const LONGEST_NAME: usize = 63;

/// What mount options ask for.
#[derive(Default)]
struct Wanted {
    controllers: ControllerSet,
    /// No controllers.
    none: bool,
    /// All that there are.
    all: bool,
    options: Options,
    clone_children: bool,
    release_agent: Option<Box<[u8]>>,
}

/// The hierarchies that a machine boots with, each with one controller, in the order of the profile.
pub(crate) fn boot(kernel_profile: &Profile, cgroups: &mut crate::cgroup::Cgroups) {
    for controllers in kernel_profile.v1_hierarchies() {
        let id = cgroups.begin_hierarchy(Options::default());
        hierarchy::bind(cgroups, controllers, id);
    }
    for name in kernel_profile.named_hierarchies() {
        let name = Some((*name).into());
        cgroups.begin_hierarchy(Options { name, ..Options::default() });
    }
}

/// The hierarchy that options ask for: one that is there, or a new one.
///
/// # Errors
/// EINVAL: options that are none, or contradict each other. EBUSY: the name belongs to another set of controllers, or a controller
/// is in use elsewhere. EPERM: a new one from within a cgroup namespace.
pub(crate) fn to_use(kernel: &mut Kernel, caller: ThreadKey, text: &[u8]) -> Step<HierarchyId> {
    let wanted = Wanted::read(kernel, caller, text)?;
    mount::check_admin(kernel, caller, namespace::owner_of_groups(kernel, caller))?;
    let cgroups = &kernel.cgroups;
    // The kernel asks from the one that was made last.
    for (id, there) in cgroups.v1_hierarchies() {
        let is_named = match &wanted.options.name {
            Some(_) if wanted.options.name != there.options.name => continue,
            Some(_) => true,
            None => false,
        };
        if (wanted.none || !wanted.controllers.is_empty())
            && wanted.controllers != there.controllers
        {
            if is_named {
                return Err(Errno::EBUSY.into());
            }
            continue;
        }
        return Ok(id);
    }
    if wanted.controllers.is_empty() && !wanted.none {
        return Err(Errno::EINVAL.into());
    }
    if !namespace::cgroup::is_first(kernel, caller) {
        return Err(Errno::EPERM.into());
    }
    // The number that a hierarchy gets is used up, also if a controller cannot come.
    let cgroups = &mut kernel.cgroups;
    let id = cgroups.begin_hierarchy(wanted.options);
    if let Err(errno) = hierarchy::may_bind(cgroups, wanted.controllers, id) {
        hierarchy::end(cgroups, id);
        return Err(errno.into());
    }
    hierarchy::bind(cgroups, wanted.controllers, id);
    let root = cgroups.hierarchy(id).root;
    cgroups.hierarchy_of_mut(root).release_agent = wanted.release_agent.unwrap_or_default();
    cgroups.table.at_mut(root).clone_children = wanted.clone_children;
    Ok(id)
}

/// Other options for a hierarchy that is mounted: other controllers, or another program.
///
/// # Errors
/// EINVAL: another name or flag, or what [`to_use`] refuses. EBUSY: it has groups, or a controller is in use elsewhere.
pub(crate) fn remount(
    kernel: &mut Kernel,
    caller: ThreadKey,
    root: CgroupKey,
    text: &[u8],
) -> Step<()> {
    let wanted = Wanted::read(kernel, caller, text)?;
    let cgroups = &mut kernel.cgroups;
    let id = cgroups.table.at(root).hierarchy;
    let there = cgroups.hierarchy(id);
    let flags = |options: &Options| Options { name: None, ..options.clone() };
    let is_renamed = wanted.options.name.is_some() && wanted.options.name != there.options.name;
    if is_renamed || flags(&wanted.options) != flags(&there.options) {
        return Err(Errno::EINVAL.into());
    }
    if !cgroups.table.at(root).children.is_empty() {
        return Err(Errno::EBUSY.into());
    }
    let added = wanted.controllers.difference(there.controllers);
    let removed = there.controllers.difference(wanted.controllers);
    hierarchy::may_bind(cgroups, added, id)?;
    hierarchy::bind(cgroups, added, id);
    hierarchy::bind(cgroups, removed, HierarchyId::V2);
    if let Some(agent) = wanted.release_agent {
        cgroups.hierarchy_of_mut(root).release_agent = agent;
    }
    Ok(())
}

/// A mount of a hierarchy has gone: one of v1 without groups, removed ones that are still held among them, ends with its last.
pub(crate) fn unmounted(kernel: &mut Kernel, id: HierarchyId) {
    let cgroups = &kernel.cgroups;
    let is_of =
        |node| matches!(node, Node::Cgroup(group) if cgroups.table.at(group).hierarchy == id);
    let is_shown = kernel.vfs.mounts.iter().any(|(_, mount)| is_of(mount.root));
    let root = cgroups.table.at(cgroups.hierarchy(id).root);
    let has_groups = !root.children.is_empty() || root.dying_descendants > 0;
    if id.is_v1() && !has_groups && !is_shown {
        hierarchy::end(&mut kernel.cgroups, id);
    }
}

impl Wanted {
    fn read(kernel: &Kernel, caller: ThreadKey, text: &[u8]) -> Result<Self, Errno> {
        let known = kernel.profile.v1_controllers();
        let mut wanted = Self::default();
        for word in text.split(|byte| *byte == b',').filter(|word| !word.is_empty()) {
            wanted.take(kernel, caller, known, word)?;
        }
        if wanted.controllers.is_empty() && !wanted.none && wanted.options.name.is_none() {
            wanted.all = true;
        }
        if wanted.all {
            if !wanted.controllers.is_empty() {
                return Err(Errno::EINVAL);
            }
            wanted.controllers = known;
        }
        let nothing = wanted.controllers.is_empty();
        let only_cpuset = ControllerSet::EMPTY.with(Controller::Cpuset);
        if (nothing && wanted.options.name.is_none())
            || (wanted.options.noprefix && !wanted.controllers.difference(only_cpuset).is_empty())
            || (!nothing && wanted.none)
        {
            return Err(Errno::EINVAL);
        }
        Ok(wanted)
    }

    /// One word of the options.
    fn take(
        &mut self,
        kernel: &Kernel,
        caller: ThreadKey,
        known: ControllerSet,
        word: &[u8],
    ) -> Result<(), Errno> {
        let (key, value) = match word.iter().position(|byte| *byte == b'=') {
            Some(at) => (word.get(..at).unwrap_or_default(), word.get(at + 1..)),
            None => (word, None),
        };
        let options = &mut self.options;
        match (key, value) {
            (b"name", Some(value)) => {
                let name = std::str::from_utf8(value).map_err(|_| Errno::EINVAL)?;
                let is_plain = |byte: char| byte.is_ascii_alphanumeric() || ".-_".contains(byte);
                if name.is_empty()
                    || name.len() > LONGEST_NAME
                    || !name.chars().all(is_plain)
                    || options.name.is_some()
                {
                    return Err(Errno::EINVAL);
                }
                options.name = Some(name.into());
            }
            (b"release_agent", Some(value)) => {
                if value.is_empty()
                    || self.release_agent.is_some()
                    || namespace::owner_of_groups(kernel, caller).is_some()
                    || !kernel.credentials(caller).capable(Capability::SYS_ADMIN)
                {
                    return Err(Errno::EINVAL);
                }
                self.release_agent = Some(value.into());
            }
            (b"none", None) => self.none = true,
            (b"all", None) => self.all = true,
            (b"noprefix", None) => options.noprefix = true,
            (b"clone_children", None) => self.clone_children = true,
            (b"cpuset_v2_mode", None) => options.cpuset_v2_mode = true,
            (b"xattr", None) => options.xattr = true,
            (b"favordynmods", None) => options.favordynmods = true,
            (b"nofavordynmods", None) => options.favordynmods = false,
            (name, _) => {
                let mut all = known.iter();
                let found = all.find(|controller| controller.v1_name().as_bytes() == name);
                self.controllers.insert(found.ok_or(Errno::EINVAL)?);
            }
        }
        Ok(())
    }
}
