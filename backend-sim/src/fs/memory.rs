//! Directories that paths led to before, so that the next path through one of them need not be walked from the root.
//!
//! What is remembered are plain ways down: an absolute path without links and `..`, to a directory that no caller needs a
//! permission bit for who may search everywhere. It holds until a directory of a tmpfs, or a mount, comes or goes
//! ([`PathMemory::forget`]); a group is asked whether it is still there, and groups have one name for life. Nothing that is
//! answered depends on what is remembered.

use std::cell::RefCell;
use std::hash::Hasher;

use rustc_hash::FxHasher;

use super::Spot;

/// How many are remembered; each takes the place of one whose path hashes alike.
const PLACES: usize = 256;

/// The directories that paths led to.
#[derive(Default)]
pub(crate) struct PathMemory {
    /// Made when the first is remembered.
    entries: RefCell<Vec<Remembered>>,
    /// How often everything was forgotten.
    generation: u64,
}

#[derive(Clone, Default)]
struct Remembered {
    path: Vec<u8>,
    spot: Option<Spot>,
    generation: u64,
}

fn index(path: &[u8]) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(path);
    usize::try_from(hasher.finish() % PLACES as u64).unwrap_or_default()
}

impl PathMemory {
    /// Where a path leads, if that is remembered. A group may be gone.
    pub(super) fn get(&self, path: &[u8]) -> Option<Spot> {
        let entries = self.entries.borrow();
        let entry = entries.get(index(path))?;
        if entry.generation == self.generation && entry.path == path { entry.spot } else { None }
    }

    /// Remembers where a path leads.
    pub(super) fn note(&self, path: &[u8], spot: Spot) {
        let mut entries = self.entries.borrow_mut();
        if entries.is_empty() {
            entries.resize_with(PLACES, Remembered::default);
        }
        if let Some(entry) = entries.get_mut(index(path)) {
            entry.path.clear();
            entry.path.extend_from_slice(path);
            entry.spot = Some(spot);
            entry.generation = self.generation;
        }
    }

    /// A directory or a mount has come or gone: nothing that was remembered holds.
    pub(super) const fn forget(&mut self) {
        self.generation += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::PathMemory;
    use crate::cgroup::Cgroups;
    use crate::fs::{Spot, Vfs};
    use crate::profile::Profile;

    fn spot() -> Spot {
        let profile = Profile::default();
        Vfs::boot(&profile, Cgroups::boot(&profile).root).root
    }

    #[test]
    fn a_path_is_remembered_until_all_is_forgotten() {
        let mut memory = PathMemory::default();
        let spot = spot();
        assert_eq!(memory.get(b"/a"), None);
        memory.note(b"/a", spot);
        assert_eq!(memory.get(b"/a"), Some(spot));
        assert_eq!(memory.get(b"/a/"), None);
        memory.forget();
        assert_eq!(memory.get(b"/a"), None);
        memory.note(b"/a", spot);
        assert_eq!(memory.get(b"/a"), Some(spot));
    }
}
