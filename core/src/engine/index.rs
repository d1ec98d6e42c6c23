//! The names of a host's containers, known without reading all records: watches tell what has changed (inotify(7)).
//!
//! An answer is never taken from here: which records may bear a name is, and these are read anew (`find`). Where nothing can be
//! watched every record is read, as without an index. Neighbour: `shelf`, an engine's records with or without it.

use std::collections::{BTreeMap, BTreeSet};

use super::shelf::Shelf;
use super::{Container, ContainerName, Engine, Engines, FindError};
use crate::backend::{Backend, WatchEvent, WatchFlags};
use crate::errno::Errno;
use crate::failure::Result;
use crate::handle::{Dir, Watcher};
use crate::id::{Device, Inode, WatchId};
use crate::path::{Follow, KPathBuf, Place};

/// Containers come and go.
const COMING: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::MOVED_TO);
/// A record is written. Not each write: that would also tell of every line of a container's log beside it.
const WRITING: WatchFlags = COMING.union(WatchFlags::CLOSE_WRITE);
/// What is watched is not where it was.
const ITSELF: WatchFlags = WatchFlags::DELETE_SELF.union(WatchFlags::MOVE_SELF);
/// Nothing that is known is sure any more.
const LOST: WatchFlags =
    ITSELF.union(WatchFlags::UNMOUNT).union(WatchFlags::IGNORED).union(WatchFlags::QUEUE_OVERFLOW);
const DIRECTORY: WatchFlags = WatchFlags::ONLY_DIR.union(WatchFlags::DONT_FOLLOW);

/// Looks up containers as [`Engines::find`] does, in a time that does not grow with how many there are: for who looks up often.
///
/// It keeps a watcher for each engine, with a watch for each container (inotify(7)), for the kernel that it was first used with.
/// A record that its engine writes in place is known under its new name once it is closed; Docker replaces records.
///
/// ```
/// use standin::engine::{ContainerName, Engine, Engines, Index};
/// use standin::fs;
///
/// let machine = standin_sim::Machine::builder().build();
/// let root = machine.root();
/// let directory = format!("/tmp/docker/containers/{}", "4f0c".repeat(16));
/// fs::create_dir_all(&root, &directory).unwrap();
/// fs::write(&root, format!("{directory}/config.v2.json"), r#"{"Name":"/web"}"#).unwrap();
///
/// let mut index = Index::of(Engines::none().with(Engine::Docker, "/tmp/docker".try_into().unwrap()));
/// let [web, shop] = ["web", "shop"].map(|name| ContainerName::new(name).unwrap());
/// assert!(index.find(&root, &web).is_ok());
///
/// fs::write(&root, format!("{directory}/config.v2.json"), r#"{"Name":"/shop"}"#).unwrap();
/// assert!(index.find(&root, &web).is_err());
/// assert!(index.find(&root, &shop).is_ok());
/// ```
#[derive(Debug)]
pub struct Index {
    engines: Engines,
    known: BTreeMap<(Engine, KPathBuf), Known>,
}

impl Index {
    /// Of these engines' containers; nothing is read yet.
    #[must_use]
    pub const fn of(engines: Engines) -> Self {
        Self { engines, known: BTreeMap::new() }
    }

    /// The container that a name stands for, as [`Engines::find`] says it.
    ///
    /// # Errors
    /// As [`Engines::find`].
    pub fn find(
        &mut self,
        kernel: &dyn Backend,
        name: &ContainerName,
    ) -> Result<Container, FindError> {
        let mut shelves = self.engines.shelves(kernel, name)?;
        for shelf in &shelves {
            self.refresh(kernel, shelf);
        }
        for shelf in &mut shelves {
            shelf.known = self.known.get(&shelf.place());
        }
        super::find::among(kernel, &shelves, name)
    }

    /// Learns what has changed; forgets all where that cannot be known.
    fn refresh(&mut self, kernel: &dyn Backend, shelf: &Shelf<'_>) {
        let place = shelf.place();
        let known = self.known.remove(&place).and_then(|known| known.refreshed(kernel, shelf));
        let known = known.or_else(|| Known::new(kernel, shelf).ok().flatten());
        self.known.extend(known.map(|known| (place, known)));
    }
}

/// What is known of an engine's records.
#[derive(Debug)]
pub(super) struct Known {
    watcher: Watcher,
    /// The directory of all containers, and the watch on it.
    all: (Device, Inode),
    watch: WatchId,
    /// Each container's id, with the names that its record says.
    containers: BTreeMap<String, Vec<String>>,
    /// Those whose record cannot be read, and may say any name.
    unread: BTreeSet<String>,
    /// Whose directory a watch is on.
    watched: BTreeMap<WatchId, String>,
    /// Whose name it is, or was: a record says so itself.
    called: BTreeMap<String, BTreeSet<String>>,
}

impl Known {
    /// Reads all records; `None` if there are none to watch yet.
    fn new(kernel: &dyn Backend, shelf: &Shelf<'_>) -> Result<Option<Self>> {
        let Some((directory, all)) = stand(kernel, shelf)? else { return Ok(None) };
        let watcher = kernel.watcher(true)?;
        let watch =
            kernel.watch(&watcher, Place::of(directory.as_ref()), COMING | ITSELF | DIRECTORY)?;
        let mut known = Self {
            watcher,
            all,
            watch,
            containers: BTreeMap::new(),
            unread: BTreeSet::new(),
            watched: BTreeMap::new(),
            called: BTreeMap::new(),
        };
        // Watched first: who comes while they are read is told.
        for entry in kernel.list(&directory)?.iter() {
            if let Ok(id) = std::str::from_utf8(entry.name.as_bytes()) {
                known.learn(kernel, shelf, id)?;
            }
        }
        Ok(Some(known))
    }

    /// The same with what has happened since; `None` if that is not known.
    fn refreshed(mut self, kernel: &dyn Backend, shelf: &Shelf<'_>) -> Option<Self> {
        let (_, all) = stand(kernel, shelf).ok()??;
        if all != self.all {
            return None;
        }
        let mut changed: BTreeSet<String> = BTreeSet::new();
        for event in self.events(kernel)? {
            if let Some(id) = self.watched.get(&event.watch) {
                changed.insert(id.clone());
                if event.flags.intersects(LOST) {
                    self.watched.remove(&event.watch);
                }
            } else if event.flags.contains(WatchFlags::QUEUE_OVERFLOW) {
                return None;
            } else if event.watch == self.watch {
                let name = event.name.filter(|_| !event.flags.intersects(LOST))?;
                changed.extend(std::str::from_utf8(name.as_bytes()).map(str::to_owned));
            }
        }
        for id in changed {
            self.learn(kernel, shelf, &id).ok()?;
        }
        Some(self)
    }

    /// All that is queued; `None` if that cannot be told.
    fn events(&self, kernel: &dyn Backend) -> Option<Vec<WatchEvent>> {
        match kernel.watched(&self.watcher) {
            Ok(events) => Some(events),
            Err(failure) if failure.is(Errno::EAGAIN) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    /// Reads the record of one container, which may have come, changed or gone.
    fn learn(&mut self, kernel: &dyn Backend, shelf: &Shelf<'_>, id: &str) -> Result<()> {
        self.forget(id);
        let row = shelf.engine.row();
        if !(row.is_id)(id) {
            return Ok(());
        }
        let folder = path(row.containers).join(&path(id));
        let Some(directory) = shelf.files.directory(kernel, &folder)? else { return Ok(()) };
        let place = Place::of(directory.as_ref());
        let watch = kernel.watch(&self.watcher, place, WRITING | ITSELF | DIRECTORY)?;
        self.watched.insert(watch, id.to_owned());
        let names = match shelf.read(kernel, id) {
            Ok(container) => container.map_or_else(Vec::new, |container| container.names),
            Err(_) => {
                self.unread.insert(id.to_owned());
                Vec::new()
            }
        };
        for name in &names {
            self.called.entry(name.clone()).or_default().insert(id.to_owned());
        }
        self.containers.insert(id.to_owned(), names);
        Ok(())
    }

    fn forget(&mut self, id: &str) {
        self.unread.remove(id);
        for name in self.containers.remove(id).iter().flatten() {
            if let Some(ids) = self.called.get_mut(name) {
                ids.remove(id);
                if ids.is_empty() {
                    self.called.remove(name);
                }
            }
        }
    }

    /// Whose record may say this name: those that said so, and those that cannot be read.
    pub(super) fn called(&self, name: &str) -> Vec<String> {
        let mut ids = self.unread.clone();
        ids.extend(self.called.get(name).into_iter().flatten().cloned());
        ids.into_iter().collect()
    }

    /// The ids that begin so.
    pub(super) fn beginning(&self, beginning: &str) -> Vec<String> {
        let from = self.containers.range(beginning.to_owned()..).map(|(id, _)| id);
        from.take_while(|id| id.starts_with(beginning)).cloned().collect()
    }
}

/// The directory of all containers, and which one it is; `None` if it is not there.
fn stand(kernel: &dyn Backend, shelf: &Shelf<'_>) -> Result<Option<(Dir, (Device, Inode))>> {
    let all = path(shelf.engine.row().containers);
    let Some(directory) = shelf.files.directory(kernel, &all)? else { return Ok(None) };
    let stat = kernel.stat(Place::of(directory.as_ref()), Follow::Link)?;
    Ok(Some((directory, (stat.device, stat.inode))))
}

fn path(text: &str) -> KPathBuf {
    // Names of directories hold no NUL.
    KPathBuf::new(text).unwrap_or_default()
}
