//! A process's table of descriptors, and the life of the open files behind them.
//!
//! 0, 1 and 2 are never given out: a machine's processes have them from the start, as every process does, though nothing
//! stands behind them unless a parent put something there.

use standin::backend::{AccessMode, NamespaceKind, OpenFlags, RlimitResource, WatchFlags};
use standin::{Errno, Failure};

use super::{FileKey, Lockable, OpenFile, OpenKind, Spot, keep, let_go, lock, opened, process_of};
use crate::kernel::Kernel;
use crate::namespace::{self, user};
use crate::notify;
use crate::step::Step;
use crate::task::{ProcessKey, ThreadKey};
use crate::{counter, pipe, socket};

/// The lowest number that is given out.
const FIRST: u32 = 3;

/// A process's descriptors, by number.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Descriptors {
    slots: Vec<Option<Slot>>,
    /// No number from [`FIRST`] to here is free.
    lowest: u32,
}

/// A descriptor.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Slot {
    file: FileKey,
    /// It outlives execve(2).
    inherited: bool,
}

impl Descriptors {
    fn slot(&self, number: u32) -> Option<&Slot> {
        self.slots.get(usize::try_from(number).ok()?)?.as_ref()
    }

    /// The lowest free number.
    fn free(&self) -> u32 {
        self.free_from(self.lowest.max(FIRST))
    }

    /// The lowest free number from one on.
    fn free_from(&self, first: u32) -> u32 {
        let taken = self.slots.iter().skip(usize::try_from(first).unwrap_or(usize::MAX));
        let taken = taken.take_while(|slot| slot.is_some()).count();
        first.saturating_add(u32::try_from(taken).unwrap_or(u32::MAX))
    }

    fn put(&mut self, number: u32, slot: Slot) -> Option<FileKey> {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if self.slots.len() <= index {
            self.slots.resize(index.saturating_add(1), None);
        }
        let place = self.slots.get_mut(index)?;
        if number == self.lowest.max(FIRST) {
            self.lowest = number.saturating_add(1);
        }
        place.replace(slot).map(|before| before.file)
    }

    fn take(&mut self, number: u32) -> Option<FileKey> {
        let place = self.slots.get_mut(usize::try_from(number).ok()?)?;
        let slot = place.take()?;
        self.lowest = self.lowest.min(number);
        Some(slot.file)
    }

    /// Open descriptors and what is behind them, in ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, FileKey)> {
        self.slots.iter().zip(0..).filter_map(|(slot, number)| Some((number, slot.as_ref()?.file)))
    }

    /// What a number leads to.
    pub(crate) fn get(&self, number: u32) -> Option<FileKey> {
        self.slot(number).map(|slot| slot.file)
    }

    /// Whether a number outlives execve(2).
    pub(crate) fn is_inherited(&self, number: u32) -> bool {
        self.slot(number).is_some_and(|slot| slot.inherited)
    }

    /// How many numbers the table has room for (/proc/PID/status, `FDSize`).
    pub(crate) fn room(&self) -> usize {
        self.slots.len()
    }
}

/// The open file behind a descriptor of the caller, a place alone included. EBADF if there is none.
pub(crate) fn get(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<FileKey, Errno> {
    let process = process_of(kernel, caller);
    kernel.tasks.processes.at(process).descriptors.get(number).ok_or(Errno::EBADF)
}

/// The same, but EBADF for a place alone (`O_PATH`).
pub(crate) fn get_opened(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
) -> Result<FileKey, Errno> {
    look(kernel, caller, number).map(|(key, _)| key)
}

/// The same, with the open file itself.
#[inline]
pub(crate) fn look(
    kernel: &Kernel,
    caller: ThreadKey,
    number: u32,
) -> Result<(FileKey, &OpenFile), Errno> {
    let key = get(kernel, caller, number)?;
    let file = kernel.vfs.files.at(key);
    if file.access == AccessMode::Path { Err(Errno::EBADF) } else { Ok((key, file)) }
}

/// The number that the next descriptor of the process will have. EMFILE if its limit forbids one (getrlimit(2)).
#[inline]
pub(crate) fn next_number(kernel: &Kernel, process: ProcessKey) -> Result<u32, Errno> {
    let record = kernel.tasks.processes.at(process);
    let number = record.descriptors.free();
    let limit = kernel.tasks.limits_of(record).get(RlimitResource::OpenFiles).soft;
    if limit.is_some_and(|limit| u64::from(number) >= limit) {
        Err(Errno::EMFILE)
    } else {
        Ok(number)
    }
}

/// Whether the caller may have this many more descriptors, of new open files. EMFILE if its limit forbids that.
pub(crate) fn check_room(kernel: &Kernel, caller: ThreadKey, count: u32) -> Step<()> {
    let process = process_of(kernel, caller);
    let mut number = next_number(kernel, process)?;
    for _ in 1..count {
        number = kernel.tasks.processes.at(process).descriptors.free_from(number.saturating_add(1));
    }
    let limit = kernel.soft_limit(process, RlimitResource::OpenFiles);
    if limit.is_some_and(|limit| u64::from(number) >= limit) {
        return Err(Errno::EMFILE.into());
    }
    let more = usize::try_from(count).unwrap_or(usize::MAX);
    if kernel.vfs.files.len().saturating_add(more) > kernel.profile.limits.open_files {
        return Err(Failure::LimitReached("open files").into());
    }
    Ok(())
}

/// Puts a new open file behind a number that [`next_number`] gave.
#[inline]
pub(crate) fn install(
    kernel: &mut Kernel,
    process: ProcessKey,
    number: u32,
    file: OpenFile,
) -> Step<()> {
    if kernel.vfs.files.len() >= kernel.profile.limits.open_files {
        return Err(Failure::LimitReached("open files").into());
    }
    if file.is_named() {
        keep(kernel, file.spot);
    }
    let file = kernel.vfs.files.insert(file);
    let slot = Slot { file, inherited: false };
    kernel.tasks.processes.at_mut(process).descriptors.put(number, slot);
    Ok(())
}

/// A descriptor of something that stands in no filesystem.
pub(crate) fn install_object(kernel: &mut Kernel, caller: ThreadKey, kind: OpenKind) -> Step<u32> {
    install_opened(kernel, caller, kind, AccessMode::ReadWrite, OpenFlags::empty())
}

/// The same, opened in this way.
pub(crate) fn install_opened(
    kernel: &mut Kernel,
    caller: ThreadKey,
    kind: OpenKind,
    access: AccessMode,
    flags: OpenFlags,
) -> Step<u32> {
    let process = process_of(kernel, caller);
    let number = next_number(kernel, process)?;
    let opener = kernel.credentials(caller).opener();
    user::keep(kernel, opener.namespace);
    let file =
        OpenFile { spot: kernel.vfs.root, access, flags, offset: 0, opener, descriptors: 1, kind };
    install(kernel, process, number, file)?;
    Ok(number)
}

/// A descriptor that holds a process.
pub(crate) fn open_process(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
) -> Step<u32> {
    let record = kernel.tasks.processes.get(process);
    let inner = record.and_then(|record| kernel.inner(record.number)).cloned();
    install_object(kernel, caller, OpenKind::Process(process, inner))
}

/// A descriptor that holds a namespace of a thread; it is open for reading, of which there is nothing.
pub(crate) fn open_namespace(
    kernel: &mut Kernel,
    caller: ThreadKey,
    thread: ThreadKey,
    kind: NamespaceKind,
) -> Step<u32> {
    next_number(kernel, process_of(kernel, caller))?;
    let held = namespace::hold(kernel, thread, kind)?;
    let number = install_object(kernel, caller, OpenKind::Namespace(held));
    match number.and_then(|number| Ok((number, get(kernel, caller, number)?))) {
        Ok((number, file)) => {
            kernel.vfs.files.at_mut(file).access = AccessMode::Read;
            Ok(number)
        }
        Err(stop) => {
            namespace::release(kernel, held);
            Err(stop)
        }
    }
}

/// dup(2)
pub(crate) fn duplicate(kernel: &mut Kernel, caller: ThreadKey, number: u32) -> Step<u32> {
    let file = get(kernel, caller, number)?;
    let process = process_of(kernel, caller);
    let number = next_number(kernel, process)?;
    kernel.vfs.files.at_mut(file).descriptors += 1;
    kernel.tasks.processes.at_mut(process).descriptors.put(number, Slot { file, inherited: false });
    Ok(number)
}

/// A descriptor of a file that is under way to the caller, which holds it from now on.
///
/// # Errors
/// EMFILE: the caller holds nothing then.
pub(crate) fn receive(kernel: &mut Kernel, caller: ThreadKey, file: FileKey) -> Result<u32, Errno> {
    let process = process_of(kernel, caller);
    let number = next_number(kernel, process)?;
    kernel.tasks.processes.at_mut(process).descriptors.put(number, Slot { file, inherited: false });
    Ok(number)
}

/// fcntl(2) `O_NONBLOCK`, of the open file: all its descriptors change.
///
/// # Errors
/// EBADF.
pub(crate) fn set_nonblocking(
    kernel: &mut Kernel,
    caller: ThreadKey,
    number: u32,
    nonblocking: bool,
) -> Step<()> {
    let file = get_opened(kernel, caller, number)?;
    kernel.vfs.files.at_mut(file).flags.set(OpenFlags::NONBLOCKING, nonblocking);
    Ok(())
}

/// Closes a descriptor; nothing happens if it is not open or the process is gone.
pub(crate) fn close(kernel: &mut Kernel, process: ProcessKey, number: u32) {
    let Some(record) = kernel.tasks.processes.get_mut(process) else { return };
    if let Some(file) = record.descriptors.take(number) {
        release(kernel, file);
    }
}

/// A descriptor leads to an open file no more, or a map shows it no more; with the last of them the file is closed.
pub(crate) fn release(kernel: &mut Kernel, key: FileKey) {
    let file = kernel.vfs.files.at_mut(key);
    file.descriptors -= 1;
    if file.descriptors > 0 {
        return;
    }
    let (spot, namespace) = (file.spot, file.opener.namespace);
    let access = file.access;
    match &file.kind {
        OpenKind::Node(served) => {
            let of = served.of;
            lock::forget(kernel, key, Lockable::Node(spot.node));
            match access {
                AccessMode::Path => {}
                AccessMode::Read => {
                    notify::happened(kernel, spot.node, WatchFlags::CLOSE_NOWRITE);
                }
                AccessMode::Write | AccessMode::ReadWrite => {
                    notify::happened(kernel, spot.node, WatchFlags::CLOSE_WRITE);
                }
            }
            kernel.cgroups.file_closed(key);
            let_go(kernel, spot);
            opened::let_go(kernel, of);
        }
        OpenKind::Process(..) => {}
        &OpenKind::Namespace(held) => namespace::release(kernel, held),
        &OpenKind::Socket(socket) => socket::close(kernel, socket),
        &OpenKind::Pipe(pipe, end) => pipe::close(kernel, pipe, end),
        &OpenKind::Counter(counter) => {
            lock::forget(kernel, key, Lockable::Nameless);
            counter::close(kernel, counter);
        }
        &OpenKind::Watcher(watcher) => {
            lock::forget(kernel, key, Lockable::Nameless);
            notify::close(kernel, watcher);
        }
    }
    kernel.vfs.files.discard(key);
    user::let_go(kernel, namespace);
}

/// A child's table: the same open files behind the same numbers.
pub(crate) fn fork(kernel: &mut Kernel, parent: ProcessKey) -> Descriptors {
    let of = &kernel.tasks.processes.at(parent).descriptors;
    if of.slots.iter().all(Option::is_none) {
        return Descriptors::default();
    }
    let copy = Descriptors { slots: of.slots.clone(), lowest: of.lowest };
    for (_, file) in copy.iter() {
        kernel.vfs.files.at_mut(file).descriptors += 1;
    }
    copy
}

/// Closes all descriptors of a process that is dead.
#[expect(clippy::needless_pass_by_value, reason = "nobody may use them any more")]
pub(crate) fn close_all(kernel: &mut Kernel, all: Descriptors) {
    for (_, file) in all.iter() {
        release(kernel, file);
    }
}

/// Closes what does not outlive execve(2): all but what [`arrange`] put there.
pub(crate) fn close_on_exec(kernel: &mut Kernel, process: ProcessKey) {
    let descriptors = &mut kernel.tasks.processes.at_mut(process).descriptors;
    if descriptors.slots.is_empty() {
        return;
    }
    let closed: Vec<(u32, FileKey)> = descriptors
        .iter()
        .filter(|(number, _)| descriptors.slot(*number).is_some_and(|slot| !slot.inherited))
        .collect();
    for (number, _) in &closed {
        descriptors.take(*number);
    }
    for (_, file) in closed {
        release(kernel, file);
    }
}

/// Puts open files behind other numbers, from where they outlive execve(2): pairs of a number now and a number then.
///
/// # Errors
/// EBADF: nothing stands behind a number, or one is too high for the process's limit.
pub(crate) fn arrange(
    kernel: &mut Kernel,
    process: ProcessKey,
    pairs: &[(u32, u32)],
) -> Result<(), Errno> {
    let limit = kernel.soft_limit(process, RlimitResource::OpenFiles);
    let descriptors = &kernel.tasks.processes.at(process).descriptors;
    let mut files = Vec::with_capacity(pairs.len());
    for (from, to) in pairs {
        if limit.is_some_and(|limit| u64::from(*to) >= limit) {
            return Err(Errno::EBADF);
        }
        files.push((descriptors.get(*from).ok_or(Errno::EBADF)?, *to));
    }
    for (file, to) in files {
        kernel.vfs.files.at_mut(file).descriptors += 1;
        let slot = Slot { file, inherited: true };
        if let Some(before) = kernel.tasks.processes.at_mut(process).descriptors.put(to, slot) {
            release(kernel, before);
        }
    }
    Ok(())
}

/// The spot of a descriptor that is a directory; ENOTDIR if it is none.
pub(crate) fn directory(kernel: &Kernel, caller: ThreadKey, number: u32) -> Result<Spot, Errno> {
    let file = kernel.vfs.files.at(get(kernel, caller, number)?);
    let is_dir =
        file.is_named() && super::kind(kernel, file.spot.node) == standin::backend::FileKind::Dir;
    if is_dir { Ok(file.spot) } else { Err(Errno::ENOTDIR) }
}
