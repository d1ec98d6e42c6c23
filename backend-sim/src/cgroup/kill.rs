//! cgroup.kill: the end of every process in a group and below (cgroup-v2.rst, cgroup.kill).

use standin::Errno;

use super::rows::Write;
use super::{domain, tree, value};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::step::Step;
use crate::task::{ProcessKey, signal};

/// Writes cgroup.kill. ERANGE: a number other than 1. EOPNOTSUPP: a threaded group, since processes die as a whole.
pub(super) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    if value::int(value::strip(write.bytes))? != 1 {
        return Err(Errno::ERANGE.into());
    }
    let table = &mut kernel.cgroups.table;
    if domain::is_threaded(table, write.group) {
        return Err(Errno::EOPNOTSUPP.into());
    }
    let mut doomed: Vec<ProcessKey> = Vec::new();
    let mut next = Some(write.group);
    while let Some(key) = next {
        let group = table.at_mut(key);
        group.kills = group.kills.wrapping_add(1);
        for (_, thread) in iterate(&kernel.tasks.threads, group.members, |thread| &thread.members) {
            // Threads of one process mostly stand side by side; a second signal would do nothing.
            if doomed.last() != Some(&thread.process) {
                doomed.push(thread.process);
            }
        }
        next = tree::next_below(table, write.group, key);
    }
    // What the signal is to each is so at this moment: the writer may be the first to end.
    let doomed: Vec<_> = doomed
        .into_iter()
        .map(|process| (process, signal::force(kernel, write.caller, process)))
        .collect();
    for (process, force) in doomed {
        signal::kill(kernel, process, force);
    }
    Ok(())
}
