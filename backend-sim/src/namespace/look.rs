//! The namespaces that there are, as somebody sees them who stands above the machine.

use standin::backend::NamespaceKind;

use super::Namespaces;
use super::all::All;

/// Every namespace: its kind, its number and how many sets and handles hold it.
pub(crate) fn all(namespaces: &Namespaces) -> Vec<(NamespaceKind, u32, u32)> {
    fn add<T: Clone>(
        found: &mut Vec<(NamespaceKind, u32, u32)>,
        kind: NamespaceKind,
        all: &All<T>,
    ) {
        found.extend(all.iter().map(|(_, one)| (kind, one.number, one.holders)));
    }
    let mut found = Vec::new();
    add(&mut found, NamespaceKind::Uts, &namespaces.uts);
    add(&mut found, NamespaceKind::Cgroup, &namespaces.cgroup);
    add(&mut found, NamespaceKind::Net, &namespaces.net);
    add(&mut found, NamespaceKind::Ipc, &namespaces.ipc);
    add(&mut found, NamespaceKind::Mount, &namespaces.mount);
    add(&mut found, NamespaceKind::Pid, &namespaces.pid);
    add(&mut found, NamespaceKind::Time, &namespaces.time);
    add(&mut found, NamespaceKind::User, &namespaces.user);
    found
}
