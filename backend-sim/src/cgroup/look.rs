//! The groups of all hierarchies, as somebody sees them who stands above the machine.

use super::{CgroupKey, path, rows, subtree};
use crate::kernel::Kernel;

/// A group that was not removed.
pub(crate) struct Found {
    /// Its hierarchy: `v2`, or the controllers or the name of one of v1.
    pub(crate) hierarchy: String,
    pub(crate) path: String,
    pub(crate) owner: u32,
    pub(crate) settings: Vec<(&'static str, String)>,
}

/// Every group, by hierarchy, parents first.
pub(crate) fn all(kernel: &Kernel) -> Vec<Found> {
    let cgroups = &kernel.cgroups;
    let v1 = cgroups.v1_hierarchies().map(|(_, hierarchy)| (hierarchy.text(), hierarchy.root));
    let mut found = Vec::new();
    for (hierarchy, root) in [("v2".to_owned(), cgroups.root)].into_iter().chain(v1) {
        for (group, record) in subtree(&cgroups.table, root) {
            found.push(Found {
                hierarchy: hierarchy.clone(),
                path: path_of(kernel, group),
                owner: record.owner.0,
                settings: rows::settings(kernel, group),
            });
        }
    }
    found
}

/// The path of a group in its hierarchy, `/` of a root.
pub(crate) fn path_of(kernel: &Kernel, group: CgroupKey) -> String {
    let mut bytes = Vec::new();
    path(kernel, group, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
