//! Cgroup namespaces: which groups a thread sees as the roots of the hierarchies (cgroup_namespaces(7)): those that the maker of
//! the namespace was in. They stay the roots wherever processes go.

use standin::backend::NamespaceKind;

use super::all::{Maker, Namespace};
use super::of;
use crate::cgroup::{CgroupKey, Cgroups, HierarchyId, Stand};
use crate::kernel::Kernel;
use crate::table::Key;
use crate::task::ThreadKey;

pub(crate) type CgroupNsKey = Key<Namespace<Stand>>;

/// The roots that a new namespace of the caller has, kept for it.
pub(super) fn copy(kernel: &mut Kernel, caller: ThreadKey, maker: Maker) -> CgroupNsKey {
    let stand = Stand::of(kernel.tasks.threads.at(caller));
    kernel.cgroups.keep_stand(stand);
    kernel
        .namespaces
        .make(maker, NamespaceKind::Cgroup, stand, |all| (&mut all.cgroup, &mut all.numbers))
}

/// The root of a hierarchy as a thread sees it.
pub(crate) fn root(kernel: &Kernel, reader: ThreadKey, hierarchy: HierarchyId) -> CgroupKey {
    kernel.cgroups.stands_at(stand(kernel, reader), hierarchy)
}

/// The root of a hierarchy as a namespace has it.
pub(crate) fn root_of(kernel: &Kernel, key: CgroupNsKey, hierarchy: HierarchyId) -> CgroupKey {
    kernel.cgroups.stands_at(kernel.namespaces.cgroup.at(key).content, hierarchy)
}

/// Whether a thread is in the first namespace.
pub(crate) fn is_first(kernel: &Kernel, thread: ThreadKey) -> bool {
    of(kernel, thread).cgroup == kernel.namespaces.first.cgroup
}

fn stand(kernel: &Kernel, reader: ThreadKey) -> Stand {
    kernel.namespaces.cgroup.at(of(kernel, reader).cgroup).content
}

/// The roots of all hierarchies.
pub(super) fn first(cgroups: &Cgroups) -> Stand {
    Stand { v2: cgroups.root, v1: None }
}
