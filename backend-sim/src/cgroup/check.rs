//! What must hold of the groups between two calls. For tests: it goes through everything, and changes nothing.

use super::{Cgroup, CgroupKey, THREADED, domain, freeze, memory, tree};
use crate::kernel::Kernel;
use crate::list::iterate;

/// What is wrong, if anything: the first group and rule.
///
/// # Errors
/// A sentence that names the group by its path.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let cgroups = &kernel.cgroups;
    for (key, record) in cgroups.table.iter() {
        let checked = links(kernel, key, record)
            .and_then(|()| counts(kernel, key, record))
            .and_then(|()| rules(kernel, key, record))
            .and_then(|()| if record.removed { Ok(()) } else { freeze::check(kernel, key) });
        if let Err(wrong) = checked {
            let mut path = Vec::new();
            tree::path(kernel, key, &mut path);
            return Err(format!("{}: {wrong}", String::from_utf8_lossy(&path)));
        }
    }
    let live = cgroups.table.iter().filter(|(_, record)| !record.removed).count();
    if live != tree::subtree(&cgroups.table, cgroups.root).count() {
        return Err("a group is not reached from the root".to_owned());
    }
    if cgroups.index.len() + 1 != live {
        return Err(format!("{} names for {live} groups", cgroups.index.len()));
    }
    let dead = kernel.tasks.threads.iter().filter(|(_, thread)| thread.exited).count();
    if dead != cgroups.dead {
        return Err(format!("{dead} exited threads, counted {}", cgroups.dead));
    }
    Ok(())
}

fn equal(what: &str, is: usize, counted: u32) -> Result<(), String> {
    if u32::try_from(is) == Ok(counted) {
        Ok(())
    } else {
        Err(format!("{is} {what}, counted {counted}"))
    }
}

fn links(kernel: &Kernel, key: CgroupKey, record: &Cgroup) -> Result<(), String> {
    let cgroups = &kernel.cgroups;
    let members = iterate(&kernel.tasks.threads, record.members, |thread| &thread.members);
    equal(
        "members",
        members.filter(|(_, thread)| thread.cgroup == key && !thread.exited).count(),
        record.members.len(),
    )?;
    for (child, below) in iterate(&cgroups.table, record.children, |child| &child.siblings) {
        if below.parent != Some(key) || below.removed || below.level != record.level + 1 {
            return Err("a child does not know its parent".to_owned());
        }
        if cgroups.index.find(&cgroups.table, key, &below.name) != Some(child) {
            return Err("a child is not found by its name".to_owned());
        }
    }
    if record.removed && record.is_populated() {
        return Err("removed, yet populated".to_owned());
    }
    Ok(())
}

fn counts(kernel: &Kernel, key: CgroupKey, record: &Cgroup) -> Result<(), String> {
    let cgroups = &kernel.cgroups;
    let threads = &kernel.tasks.threads;
    let dead = threads.iter().filter(|(_, thread)| thread.exited && thread.cgroup == key).count();
    equal("exited threads", dead, record.dead)?;
    memory::check(cgroups, key, record)?;
    if record.removed {
        return Ok(());
    }
    let children: Vec<_> =
        iterate(&cgroups.table, record.children, |child| &child.siblings).collect();
    let threaded = |child: CgroupKey| domain::is_threaded(&cgroups.table, child);
    let count = |wanted: &dyn Fn(CgroupKey, &Cgroup) -> bool| {
        children.iter().filter(|(child, below)| wanted(*child, below)).count()
    };
    equal("threaded children", count(&|child, _| threaded(child)), record.threaded_children)?;
    equal(
        "populated domains",
        count(&|child, below| below.is_populated() && !threaded(child)),
        record.populated_domain_children,
    )?;
    equal(
        "populated threaded children",
        count(&|child, below| below.is_populated() && threaded(child)),
        record.populated_threaded_children,
    )?;
    equal("groups below", tree::subtree(&cgroups.table, key).count() - 1, record.descendants)?;
    let dying = cgroups.table.iter().filter(|(other, other_record)| {
        other_record.removed
            && !other_record.released
            && tree::is_within(&cgroups.table, *other, key)
    });
    equal("dying groups below", dying.count(), record.dying_descendants)?;
    if let Some(pids) = &record.pids {
        let charged = threads.iter().filter(|(thread, other)| {
            let start = cgroups.strays.get(thread).copied().unwrap_or(other.cgroup);
            tree::is_within(&cgroups.table, start, key)
        });
        equal("processes charged", charged.count(), pids.current)?;
    }
    Ok(())
}

fn rules(kernel: &Kernel, key: CgroupKey, record: &Cgroup) -> Result<(), String> {
    let cgroups = &kernel.cgroups;
    if record.removed {
        return Ok(());
    }
    if !cgroups.enabled(key).contains_all(record.subtree_control) {
        return Err(format!(
            "shares out {} but has {}",
            record.subtree_control,
            cgroups.enabled(key)
        ));
    }
    if record.pids.is_some()
        != (record.parent.is_some() && cgroups.present(key).contains(standin::Controller::Pids))
    {
        return Err(
            "the pids controller counts where it is not, or does not where it is".to_owned()
        );
    }
    let shares_domain = !record.subtree_control.difference(THREADED).is_empty();
    if record.parent.is_some() && shares_domain && !record.members.is_empty() {
        return Err(format!("has processes and shares out {}", record.subtree_control));
    }
    Ok(())
}
