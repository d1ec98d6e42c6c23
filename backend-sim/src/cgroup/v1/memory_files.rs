//! Pages of a tmpfs: cache of the group of who made them (cgroup-v1/memory.rst, 2.3 Shared Page Accounting). memory.stat of v1
//! tells of them; no limit counts them here.

use standin::{Controller, Failure};

use crate::cgroup::{CgroupKey, Cgroups, memory, tree};
use crate::fs::content::Pages;
use crate::fs::{TmpKey, tmpfs};
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// Whose a file's pages are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) enum Payer {
    /// A group's.
    Group(CgroupKey),
    /// Groups' below this one, which were removed.
    Below(CgroupKey),
    /// Some are one's and some another's.
    Several,
}

/// A thread is about to make pages of a file.
pub(crate) fn pay(kernel: &mut Kernel, caller: ThreadKey, file: TmpKey) {
    if !kernel.cgroups.home(Controller::Memory).is_v1() {
        return;
    }
    let group = memory::group_of(kernel, kernel.tasks.process_of(caller));
    let is_root = kernel.cgroups.table.at(group).parent.is_none();
    let Some(pages) = kernel.vfs.tmp.at(file).pages() else { return };
    let payer = Payer::Group(group);
    let payer = match pages.payer {
        Some(other) if pages.page_count() > 0 && other != payer => Payer::Several,
        // Who is not known is the root, which had them before there were groups.
        None if pages.page_count() > 0 && !is_root => Payer::Several,
        Some(_) | None => payer,
    };
    tmpfs::set_payer(&mut kernel.vfs, file, payer);
}

/// A group was removed: its pages are of what is below its parent.
pub(super) fn removed(kernel: &mut Kernel, group: CgroupKey, parent: CgroupKey) {
    if kernel.cgroups.home(Controller::Memory) != kernel.cgroups.table.at(group).hierarchy {
        return;
    }
    let is_paid = |pages: &Pages| matches!(pages.payer, Some(Payer::Group(payer) | Payer::Below(payer)) if payer == group);
    let files = kernel.vfs.tmp.iter().filter(|(_, node)| node.pages().is_some_and(is_paid));
    for file in files.map(|(key, _)| key).collect::<Vec<_>>() {
        tmpfs::set_payer(&mut kernel.vfs, file, Payer::Below(parent));
    }
}

/// How many pages are a group's own, and how many with those of groups below it.
pub(super) fn of(kernel: &Kernel, group: CgroupKey) -> Result<(u64, u64), Failure> {
    let cgroups = &kernel.cgroups;
    let root = cgroups.hierarchy_of(group).root;
    let (mut own, mut total) = (0, 0);
    for pages in kernel.vfs.tmp.iter().filter_map(|(_, node)| node.pages()) {
        let count = pages.page_count();
        let (payer, is_own) = match payer_of(cgroups, pages) {
            None => (root, true),
            Some(Payer::Group(payer)) => (payer, true),
            Some(Payer::Below(payer)) => (payer, false),
            Some(Payer::Several) => {
                return Err(Failure::NotModelled("memory.stat while groups share a file"));
            }
        };
        own += if is_own && payer == group { count } else { 0 };
        total += if tree::is_within(&cgroups.table, payer, group) { count } else { 0 };
    }
    Ok((own, total))
}

/// Who pays, unless the hierarchy has ended.
fn payer_of(cgroups: &Cgroups, pages: &Pages) -> Option<Payer> {
    pages.payer.filter(|payer| match payer {
        Payer::Group(group) | Payer::Below(group) => cgroups.table.get(*group).is_some(),
        Payer::Several => pages.page_count() > 0,
    })
}
