//! What must hold of the groups between two calls. For tests: it goes through everything, and changes nothing.

use standin::Controller;

use super::{Cgroup, CgroupKey, THREADED, domain, freeze, memory, tree, v1};
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::task::Thread;

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
    let roots: Vec<CgroupKey> = std::iter::once(cgroups.root)
        .chain(cgroups.v1_hierarchies().map(|(_, hierarchy)| hierarchy.root))
        .collect();
    let reached: usize =
        roots.iter().map(|root| tree::subtree(&cgroups.table, *root).count()).sum();
    if live != reached {
        return Err("a group is not reached from its root".to_owned());
    }
    if cgroups.index.len() + roots.len() != live {
        return Err(format!("{} names for {live} groups", cgroups.index.len()));
    }
    v1::freezer::check(kernel)?;
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
    let counted = if record.parent.is_some() && record.hierarchy.is_v1() {
        let here = |thread: &Thread| cgroups.place(thread, record.hierarchy) == key;
        kernel.tasks.threads.iter().filter(|(_, thread)| !thread.exited && here(thread)).count()
    } else {
        0
    };
    equal("threads of a v1 group", counted, record.population)?;
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
    // Nobody counts those of a v1 root.
    if record.parent.is_some() || !record.hierarchy.is_v1() {
        let here = |thread: &Thread| cgroups.place(thread, record.hierarchy) == key;
        let dead = threads.iter().filter(|(_, thread)| thread.exited && here(thread)).count();
        equal("exited threads", dead, record.dead)?;
    }
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
    // Those of v1 are not told of by events, and not counted.
    let is_counted = |below: &Cgroup| below.is_populated() && !below.hierarchy.is_v1();
    equal(
        "populated domains",
        count(&|child, below| is_counted(below) && !threaded(child)),
        record.populated_domain_children,
    )?;
    equal(
        "populated threaded children",
        count(&|child, below| is_counted(below) && threaded(child)),
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
            let own = cgroups.group_of(other, Controller::Pids);
            let start = cgroups.strays.get(thread).copied().unwrap_or(own);
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
        != (record.parent.is_some() && cgroups.present(key).contains(Controller::Pids))
    {
        return Err(
            "the pids controller counts where it is not, or does not where it is".to_owned()
        );
    }
    v1::cpuset::check(cgroups, key)?;
    let shares_domain = !record.subtree_control.difference(THREADED).is_empty();
    if record.parent.is_some() && shares_domain && !record.members.is_empty() {
        return Err(format!("has processes and shares out {}", record.subtree_control));
    }
    Ok(())
}
