//! Mode, owner and numbers of groups' directories and files.

use standin::backend::FileKind;
use standin::id::{Bytes, Inode, Mode};

use super::rare::Changed;
use super::rows::{self, Row};
use super::{Cgroup, CgroupKey, Cgroups, RowId};
use crate::fs::{AttributeChange, Attributes};

/// A group's directory.
pub(super) fn of_group(cgroups: &Cgroups, group: CgroupKey) -> Attributes {
    let record = cgroups.table.at(group);
    Attributes {
        kind: FileKind::Dir,
        mode: record.mode,
        owner: record.owner,
        group: record.group,
        size: Bytes(0),
        links: 2 + record.children.len(),
        modified: record.made,
        inode: Inode(record.id),
    }
}

/// The inode number of a file.
pub(super) fn inode(record: &Cgroup, row: u16) -> Inode {
    Inode(record.id + 1 + u64::from(row))
}

fn at_first(cgroups: &Cgroups, record: &Cgroup, row: &Row) -> Changed {
    let (owner, group) = record.enabler(row.class);
    Changed { mode: row.mode(cgroups.release), owner, group }
}

fn current(cgroups: &Cgroups, record: &Cgroup, id: RowId) -> Changed {
    record.changed(id).unwrap_or_else(|| match rows::of(id) {
        Some(row) => at_first(cgroups, record, row),
        None => Changed { mode: Mode::new(0), owner: record.owner, group: record.group },
    })
}

/// A control file.
pub(super) fn of_file(cgroups: &Cgroups, group: CgroupKey, id: RowId) -> Attributes {
    let record = cgroups.table.at(group);
    let Changed { mode, owner, group } = current(cgroups, record, id);
    Attributes {
        kind: FileKind::File,
        mode,
        owner,
        group,
        size: Bytes(0),
        links: 1,
        modified: record.made,
        inode: inode(record, id.row),
    }
}

/// Changes a directory's mode and owner.
pub(super) fn change_group(cgroups: &mut Cgroups, group: CgroupKey, change: AttributeChange) {
    let record = cgroups.table.at_mut(group);
    record.mode = change.mode.unwrap_or(record.mode);
    record.owner = change.owner.unwrap_or(record.owner);
    record.group = change.group.unwrap_or(record.group);
}

/// Changes a file's mode and owner; they last as long as the file.
pub(super) fn change_file(
    cgroups: &mut Cgroups,
    group: CgroupKey,
    id: RowId,
    change: AttributeChange,
) {
    let old = current(cgroups, cgroups.table.at(group), id);
    let new = Changed {
        mode: change.mode.unwrap_or(old.mode),
        owner: change.owner.unwrap_or(old.owner),
        group: change.group.unwrap_or(old.group),
    };
    cgroups.table.at_mut(group).set_changed(id, new);
}
