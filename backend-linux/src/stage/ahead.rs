//! Before an operation begins: what it would change is found as its actor finds it, and written down.
//!
//! The refusal before the run (`survey`) went by the script's text; here the paths are real, through links, mounts and
//! working directories. What neither is the run's own nor can be set back ends the run before it happens.

use std::io;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::FileType;
use standin::path::KPath;
use standin::transcript::{Op, Trouble};

use super::effect::{Change, Opened, Touch, touches};
use super::ground::{Found, Ground, Soil};
use super::host::Host;
use super::journal::{Entry, Journal, is_within};
use super::survey::{MOVING, is_in_root, is_root, moved};

/// Who is about to do it.
pub(super) struct Doer<'a> {
    /// Its directory in /proc.
    pub(super) directory: &'a str,
    /// It is in the initial pid namespace: numbers mean what they mean to the runner.
    pub(super) is_initial: bool,
    /// The machine is the runner's alone: what stands below a group of the run's by name needs no look.
    pub(super) is_alone: bool,
}

/// Writes down what an operation would change; answers with what of it could not be set back, in words.
///
/// # Errors
/// [`Trouble`] if it cannot be written.
pub(super) fn write_down(
    journal: &mut Journal,
    host: &Host,
    doer: &Doer<'_>,
    op: &Op,
    opened: &Opened,
) -> Result<Option<String>, Trouble> {
    let mut lasting = None;
    let mut touched = touches(op, opened);
    if let Some(pid) = touched.iter().find_map(moved).filter(|_| doer.is_initial) {
        lasting = Some(format!("it would move the process {pid}, which is no actor"));
    }
    if doer.is_alone {
        touched.retain(|touch| !is_own_by_name(journal, &touch.path));
    }
    if touched.is_empty() {
        return Ok(lasting);
    }
    // One that is gone does nothing.
    let Ok(ground) = Ground::of(host, doer.directory) else { return Ok(lasting) };
    for touch in &touched {
        let entry = if touch.change.makes() {
            made(&ground, touch)
        } else {
            match ground.find(&touch.path, touch.follows) {
                Some(found) => changed(journal, host, touch, &found).unwrap_or_else(|what| {
                    lasting = Some(what);
                    None
                }),
                None => None,
            }
        };
        if let Some(entry) = entry {
            journal.add(&entry).map_err(|error| Trouble(format!("the journal: {error}")))?;
        }
    }
    Ok(lasting)
}

/// Whether a path as it stands is below a group of the run's, or in /mnt.
fn is_own_by_name(journal: &Journal, path: &KPath) -> bool {
    let bytes = path.as_bytes();
    let is_plain = path.is_absolute() && !bytes.split(|byte| *byte == b'/').any(|it| it == b"..");
    is_plain && (is_within(bytes, b"/mnt") || journal.is_below_own_group(bytes))
}

/// What will be there and is not yet.
fn made(ground: &Ground<'_>, touch: &Touch<'_>) -> Option<Entry> {
    let spot = ground.spot(&touch.path).filter(|spot| spot.occupied.is_none())?;
    match spot.parent.soil {
        Soil::Group if touch.change == Change::MakeDirectory => {
            Some(Entry::Group { path: spot.path })
        }
        Soil::Group | Soil::Proc | Soil::Own => None,
        Soil::Host => Some(Entry::Made { path: spot.path }),
    }
}

/// What is there and will be otherwise.
fn changed(
    journal: &Journal,
    host: &Host,
    touch: &Touch<'_>,
    found: &Found,
) -> Result<Option<Entry>, String> {
    let may = match found.soil {
        Soil::Own => return Ok(None),
        Soil::Group if journal.is_own_group(&found.path) => return Ok(None),
        Soil::Host if journal.has_made(&found.path) => return Ok(None),
        Soil::Group => is_root(host, found) || is_in_root(host, found),
        Soil::Proc => touch.change == Change::Write,
        Soil::Host => false,
    };
    if !may {
        let path = String::from_utf8_lossy(&found.path);
        return Err(format!("it would change {path}, which is not its own"));
    }
    let path = found.path.clone();
    Ok(match touch.change {
        Change::Write if found.kind == FileType::RegularFile => {
            // A process's own files go with it; what cannot be read cannot be set back, and is an order, not a setting.
            let is_setting =
                found.soil == Soil::Group && !is_listing(&path) || path.starts_with(b"/proc/sys/");
            let old = content(&path).ok().filter(|_| is_setting);
            old.map(|old| Entry::Content { path, old })
        }
        Change::Inode => Some(Entry::Inode {
            path,
            mode: found.stat.st_mode & 0o7777,
            uid: found.stat.st_uid,
            gid: found.stat.st_gid,
        }),
        Change::Attribute => touch.attribute.and_then(|name| {
            let has = rustix::fs::lgetxattr(&*path, name.as_bytes(), &mut [0_u8; 0]).is_ok();
            (!has).then(|| Entry::Attribute { path, name: name.as_bytes().to_vec() })
        }),
        // Directories of the root are refused above; its files cannot be removed.
        Change::Write | Change::Remove | Change::Make | Change::MakeDirectory => None,
    })
}

/// Whether a control file lists who is in a group: to write that back would move them.
pub(super) fn is_listing(path: &[u8]) -> bool {
    MOVING.contains(&path.rsplit(|byte| *byte == b'/').next().unwrap_or_default())
}

/// The text of a control file.
pub(super) fn content(path: &[u8]) -> io::Result<Vec<u8>> {
    std::fs::read(std::ffi::OsStr::from_bytes(path))
}
