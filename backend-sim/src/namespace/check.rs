//! What must hold of all namespaces between two calls.

use rustc_hash::FxHashMap;

use super::{Held, Namespaces};
use crate::fs::OpenKind;
use crate::kernel::Kernel;

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that says what.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let Namespaces { sets, uts, cgroup, first, .. } = &kernel.namespaces;
    let mut threads = FxHashMap::default();
    for (_, thread) in kernel.tasks.threads.iter() {
        if let Some(set) = thread.namespaces {
            *threads.entry(set).or_insert(0_u32) += 1;
        }
    }
    let mut holders = FxHashMap::default();
    let mut group_holders = FxHashMap::default();
    holders.insert(first.uts, 1_u32);
    group_holders.insert(first.cgroup, 1_u32);
    for (key, shared) in sets.iter() {
        let counted = threads.get(&key).copied().unwrap_or_default();
        require(counted > 0 && shared.threads == counted, "a set counts its threads")?;
        require(shared.set != *first, "who is in the first namespaces has no set")?;
        *holders.entry(shared.set.uts).or_default() += 1;
        *group_holders.entry(shared.set.cgroup).or_default() += 1;
    }
    for (_, file) in kernel.vfs.files.iter() {
        let OpenKind::Namespace(held) = file.kind else { continue };
        match held {
            Held::Uts(key) => *holders.entry(key).or_default() += 1,
            Held::Cgroup(key) => *group_holders.entry(key).or_default() += 1,
            Held::First(_) => {}
        }
    }
    for (key, uts) in uts.iter() {
        require(holders.get(&key) == Some(&uts.holders), "a UTS namespace counts its holders")?;
    }
    for (key, cgroup) in cgroup.iter() {
        let holders = group_holders.get(&key);
        require(holders == Some(&cgroup.holders), "a cgroup namespace counts its holders")?;
    }
    require(uts.counts_agree() && cgroup.counts_agree(), "a user's namespaces are counted")
}

fn require(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("namespaces: does not hold: {what}")) }
}
