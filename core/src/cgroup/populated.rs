//! Whether anybody is in a group or below it, found out with few calls. `deletion` asks before it changes anything.

use super::control;
use super::deletion::is_gone;
use super::error::Result;
use super::group::{Group, files};
use super::hierarchy::Version;
use super::name::GroupName;
use crate::backend::Backend;
use crate::path::{Follow, Place};

/// Links of a group's directory without groups in it: its name and its dot. Each group in it is one more.
const LINKS_OF_A_LEAF: u32 = 2;

/// Whether anybody is there. v2 says so itself; in v1, and of a root, every group is asked.
pub(super) fn is_populated(backend: &dyn Backend, top: &Group) -> Result<bool> {
    if top.hierarchy().version() == Version::V2 && !top.path().is_root() {
        let events = top.read(backend, &files::events())?;
        return Ok(events.entry::<u8>("populated")? == Some(1));
    }
    let mut left = vec![top.reopened()];
    while let Some(group) = left.pop() {
        if !group.threads(backend)?.is_empty() {
            return Ok(true);
        }
        for name in group.children(backend)? {
            if is_empty_leaf(backend, &group, &name) {
                continue;
            }
            match group.child(backend, &name) {
                Err(error) if is_gone(&error) => {}
                child => left.push(child?),
            }
        }
    }
    Ok(false)
}

/// Whether there is nobody and nothing in a child, by its name alone; false if that could not be found out.
fn is_empty_leaf(backend: &dyn Backend, group: &Group, name: &GroupName) -> bool {
    let above = group.directory().descriptor();
    let members = name.as_path().join(group.threads_file().as_path());
    let stat = backend.stat(Place::beneath(above, name.as_path()), Follow::No);
    stat.is_ok_and(|stat| stat.links == LINKS_OF_A_LEAF)
        && control::read(backend, Place::beneath(above, &members)).is_ok_and(|text| text.is_empty())
}
