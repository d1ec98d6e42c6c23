//! rename(2) of a v1 group: another name below the same parent (cgroup-v1/cgroups.rst).

use standin::Errno;

use crate::cgroup::CgroupKey;
use crate::fs::Node;
use crate::kernel::Kernel;
use crate::step::Step;

/// Gives a group another name; permission was checked.
///
/// # Errors
/// EPERM: a v2 hierarchy. EINVAL: a newline in the name. ENOTDIR: a control file. EIO: another parent. EEXIST: the name is taken.
pub(crate) fn rename(
    kernel: &mut Kernel,
    from: CgroupKey,
    source: Node,
    to: CgroupKey,
    name: &[u8],
    is_taken: bool,
) -> Step<()> {
    let cgroups = &mut kernel.cgroups;
    if !cgroups.table.at(from).hierarchy.is_v1() {
        return Err(Errno::EPERM.into());
    }
    if name.contains(&b'\n') {
        return Err(Errno::EINVAL.into());
    }
    let Node::Cgroup(group) = source else { return Err(Errno::ENOTDIR.into()) };
    if from != to {
        return Err(Errno::EIO.into());
    }
    if is_taken {
        return Err(Errno::EEXIST.into());
    }
    cgroups.index.remove(&mut cgroups.table, group);
    cgroups.table.at_mut(group).name = name.into();
    cgroups.index.insert(&mut cgroups.table, group);
    kernel.vfs.paths.forget();
    Ok(())
}
