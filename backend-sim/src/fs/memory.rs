//! Where paths led before, so that the next path to or through there need not be walked from the root.
//!
//! What is remembered are plain ways down: an absolute path without links and `..`, to a directory, control file or file of
//! a process that no caller needs a permission bit on the way to who may search everywhere. It holds until a directory of a
//! tmpfs, or a mount, comes or goes ([`PathMemory::forget`]); a group, control file or process is asked whether it is still
//! there, and each has one name for life. Nothing that is answered depends on what is remembered.

use std::cell::RefCell;
use std::hash::Hasher;

use rustc_hash::FxHasher;
use standin::backend::{FileKind, OpenFlags};

use super::component::slash_before_last;
use super::lookup::cover;
use super::permission::searches_everywhere;
use super::walk::RESOLVE;
use super::{Node, Spot, is_dead, kind, proc};
use crate::cgroup::{events, filesystem};
use crate::kernel::Kernel;
use crate::namespace;
use crate::task::ThreadKey;

/// How many are remembered at first, and at most; each takes the place of one whose path hashes alike.
const FEWEST: usize = 32;
const MOST: usize = 256;

/// Where paths led.
#[derive(Default)]
pub(crate) struct PathMemory {
    /// Made when the first is remembered.
    entries: RefCell<Vec<Remembered>>,
    /// How often everything was forgotten.
    generation: u64,
}

/// A snapshot remembers nothing: paths are walked anew there.
impl Clone for PathMemory {
    fn clone(&self) -> Self {
        Self::default()
    }
}

#[derive(Clone, Default)]
struct Remembered {
    path: Vec<u8>,
    spot: Option<Spot>,
    generation: u64,
}

/// The place of a path among so many: a power of two.
fn index(path: &[u8], places: usize) -> usize {
    let mut hasher = FxHasher::default();
    hasher.write(path);
    let places = u64::try_from(places).unwrap_or(1);
    usize::try_from(hasher.finish() & (places - 1)).unwrap_or_default()
}

impl PathMemory {
    /// Where a path leads, if that is remembered. What is there may be gone.
    fn get(&self, path: &[u8]) -> Option<Spot> {
        let entries = self.entries.borrow();
        // Where there is no place yet, this finds none.
        let entry = entries.get(index(path, entries.len().max(1)))?;
        if entry.generation == self.generation && entry.path == path { entry.spot } else { None }
    }

    /// Remembers where a path leads.
    fn note(&self, path: &[u8], spot: Spot) {
        let mut entries = self.entries.borrow_mut();
        if entries.is_empty() {
            entries.resize_with(FEWEST, Remembered::default);
        }
        let stands_in_the_way = |other: &Remembered| {
            other.generation == self.generation && other.spot.is_some() && other.path != path
        };
        // Most machines of tests see few paths: they neither fill nor free the room for many.
        if entries.len() < MOST
            && entries.get(index(path, entries.len())).is_some_and(stands_in_the_way)
        {
            grow(&mut entries);
        }
        let place = index(path, entries.len());
        if let Some(entry) = entries.get_mut(place) {
            if entry.path != path {
                entry.path.clear();
                entry.path.extend_from_slice(path);
            }
            entry.spot = Some(spot);
            entry.generation = self.generation;
        }
    }

    /// A directory or a mount has come or gone, or a process has another name: nothing that was remembered holds.
    pub(crate) const fn forget(&mut self) {
        self.generation += 1;
    }
}

/// Makes room for twice as many.
#[cold]
fn grow(entries: &mut Vec<Remembered>) {
    let places = entries.len() * 2;
    let old = std::mem::take(entries);
    entries.resize_with(places, Remembered::default);
    for entry in old.into_iter().filter(|entry| entry.spot.is_some()) {
        let place = index(&entry.path, places);
        if let Some(free) = entries.get_mut(place) {
            *free = entry;
        }
    }
}

/// Whether a walk begins so that where it leads depends on the path alone, as long as no link and no `..` is met.
#[inline]
pub(super) fn is_plain(kernel: &Kernel, caller: ThreadKey, path: &[u8], flags: OpenFlags) -> bool {
    path.first() == Some(&b'/')
        && !flags.intersects(RESOLVE)
        && searches_everywhere(kernel.credentials(caller))
        && namespace::mount::starts_at_first_root(kernel, caller)
}

/// What a path leads to, if that or its directory is remembered and still there. It is no link, so that none would be
/// followed.
#[inline]
pub(super) fn recall(
    kernel: &Kernel,
    caller: ThreadKey,
    path: &[u8],
    flags: OpenFlags,
) -> Option<Spot> {
    if !is_plain(kernel, caller, path, flags) {
        return None;
    }
    match kernel.vfs.paths.get(path) {
        Some(spot) if !is_dead(kernel, spot.node) => Some(spot),
        Some(_) | None => recall_file(kernel, path),
    }
}

/// The control file that a path leads to, if its group is remembered.
#[inline(never)]
fn recall_file(kernel: &Kernel, path: &[u8]) -> Option<Spot> {
    let slash = slash_before_last(path);
    let Spot { mount, node } = kernel.vfs.paths.get(path.get(..slash)?)?;
    let Node::Cgroup(group) = node else { return None };
    if is_dead(kernel, node) {
        return None;
    }
    let name = path.get(slash + 1..)?;
    let spot = Spot { mount, node: filesystem::control_file(kernel, group, name)? };
    events::look_up(&kernel.cgroups, group, name);
    if cover(kernel, spot).is_some() {
        return None;
    }
    kernel.vfs.paths.note(path, spot);
    Some(spot)
}

/// Where the directories of a plain path lead, or all but the last of them, and how much of the path that is.
pub(super) fn recall_beginning(kernel: &Kernel, path: &[u8]) -> Option<(Spot, usize)> {
    let mut beginning = path;
    for _ in 0..2 {
        let slash @ 1.. = slash_before_last(beginning) else { break };
        beginning = beginning.get(..slash)?;
        if let Some(spot) = kernel.vfs.paths.get(beginning)
            && !is_dead(kernel, spot.node)
            && kind(kernel, spot.node) == FileKind::Dir
        {
            return Some((spot, slash));
        }
    }
    None
}

/// Remembers where a plain path led, if what is there has one name for life.
pub(super) fn remember(kernel: &Kernel, path: &[u8], spot: Spot) {
    let lasts = match spot.node {
        Node::Tmp(_) => kind(kernel, spot.node) == FileKind::Dir,
        Node::Cgroup(_) | Node::Control(..) => true,
        Node::Proc(node) => {
            proc::has_one_name(node) && !kernel.vfs.room(spot.mount).hiding.hides_processes()
        }
    };
    if lasts && !path.is_empty() {
        kernel.vfs.paths.note(path, spot);
    }
}

#[cfg(test)]
mod tests {
    use standin::backend::{Files, MountFlags, Processes, WaitOptions};
    use standin::{Errno, ExitCode, KPath, Place, fs};

    use super::PathMemory;
    use crate::cgroup::Cgroups;
    use crate::fs::{Spot, Vfs};
    use crate::profile::Profile;
    use crate::{Machine, View};

    fn spot() -> Spot {
        let profile = Profile::default();
        Vfs::boot(&profile, &Cgroups::boot(&profile)).root
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

    /// Reads a file twice, so that the second time its path is known.
    fn read(root: &View, path: &str) -> Result<String, Option<Errno>> {
        let first = fs::read_to_string(root, path).map_err(|failure| failure.errno());
        let second = fs::read_to_string(root, path).map_err(|failure| failure.errno());
        assert_eq!(first, second, "{path}");
        second
    }

    #[test]
    fn a_known_path_leads_to_what_is_there_now() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let file = "/sys/fs/cgroup/a/cgroup.max.depth";
        fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
        fs::write(&root, file, "3").unwrap();
        assert_eq!(read(&root, file).unwrap(), "3\n");
        fs::remove_dir(&root, "/sys/fs/cgroup/a").unwrap();
        assert_eq!(read(&root, file), Err(Some(Errno::ENOENT)));
        fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
        assert_eq!(read(&root, file).unwrap(), "max\n");
        assert_eq!(read(&root, &format!("{file}/x")), Err(Some(Errno::ENOTDIR)));
        assert_eq!(read(&root, &format!("{file}/")), Err(Some(Errno::ENOTDIR)));
        machine.finish().unwrap();
    }

    #[test]
    fn a_known_file_goes_with_its_controller_and_when_it_is_hidden() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let (pids, pressure) = ("/sys/fs/cgroup/a/pids.max", "/sys/fs/cgroup/a/cpu.pressure");
        fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
        for (switch, on, off, file) in [
            ("/sys/fs/cgroup/cgroup.subtree_control", "+pids", "-pids", pids),
            ("/sys/fs/cgroup/a/cgroup.pressure", "1", "0", pressure),
        ] {
            fs::write(&root, switch, on).unwrap();
            assert!(read(&root, file).is_ok());
            fs::write(&root, switch, off).unwrap();
            assert_eq!(read(&root, file), Err(Some(Errno::ENOENT)));
            fs::write(&root, switch, on).unwrap();
            assert!(read(&root, file).is_ok());
        }
        machine.finish().unwrap();
    }

    #[test]
    fn a_known_file_is_covered_by_what_is_mounted_above() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let file = "/sys/fs/cgroup/a/cgroup.procs";
        fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
        assert_eq!(read(&root, file).unwrap(), "");
        let at = Place::cwd(KPath::new("/sys/fs/cgroup/a").unwrap());
        let tmpfs = KPath::new("tmpfs").unwrap();
        root.mount(tmpfs, at, MountFlags::empty(), KPath::empty()).unwrap();
        assert_eq!(read(&root, file), Err(Some(Errno::ENOENT)));
        root.umount(at).unwrap();
        assert_eq!(read(&root, file).unwrap(), "");
        machine.finish().unwrap();
    }

    #[test]
    fn a_known_process_is_gone_when_it_was_reaped() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let child = root.fork().unwrap();
        let pid = child.pid().unwrap();
        let handle = root.open_pid(pid).unwrap();
        let file = format!("/proc/{pid}/comm");
        assert!(read(&root, &file).is_ok());
        let _ = child.exit(ExitCode::SUCCESS);
        assert!(read(&root, &file).is_ok());
        root.wait(&handle, WaitOptions::default()).unwrap();
        assert_eq!(read(&root, &file), Err(Some(Errno::ENOENT)));
        machine.finish().unwrap();
    }

    #[test]
    fn a_thread_that_runs_a_program_is_found_by_its_new_number_alone() {
        let machine = Machine::builder().build();
        let root = machine.root();
        let process = root.fork().unwrap();
        let pid = process.pid().unwrap();
        let thread = process.spawn_thread().unwrap();
        let tid = thread.tid().unwrap();
        let (by_pid, by_tid) = (format!("/proc/{pid}/comm"), format!("/proc/{tid}/comm"));
        assert!(read(&root, &by_pid).is_ok() && read(&root, &by_tid).is_ok());
        let _ = thread.exec(KPath::new("/bin/true").unwrap(), &[b"true"], &[]);
        assert_eq!(read(&root, &by_pid).unwrap(), "true\n");
        assert_eq!(read(&root, &by_tid), Err(Some(Errno::ENOENT)));
        machine.finish().unwrap();
    }
}
