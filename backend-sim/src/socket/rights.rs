//! Open files under way in messages (`SCM_RIGHTS`, unix(7)): taking them up, counting them, and letting go of them.
//!
//! A file under way is held by its message as a descriptor holds it. How many each user has under way is counted, since a
//! message is no way around the limit of open files.

use standin::backend::RlimitResource;
use standin::{Capability, Errno, Failure, Uid};

use super::{SocketKey, collect};
use crate::fs::{FileKey, OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::task::ThreadKey;

/// The most descriptors in one message (`SCM_MAX_FD`).
const MOST_FILES: usize = 253;

/// From so many sockets under way on the kernel looks at each message for some that nobody can receive.
const MANY_SOCKETS: u32 = 16_000;

/// What a message carries beside its bytes.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct Rights {
    pub(super) files: Vec<FileKey>,
    /// For whom they are counted.
    sender: Option<Uid>,
}

/// The open files behind a message's descriptors; a place alone is one too.
///
/// # Errors
/// EINVAL: too many. EBADF: not open.
pub(super) fn named(
    kernel: &Kernel,
    caller: ThreadKey,
    numbers: &[u32],
) -> Result<Vec<FileKey>, Failure> {
    if numbers.len() > MOST_FILES {
        return Err(Errno::EINVAL.into());
    }
    if !numbers.is_empty() && kernel.sockets.sockets_under_way > MANY_SOCKETS {
        return Err(Failure::NotModelled("a message beside thousands of sockets under way"));
    }
    let files = numbers.iter().map(|number| descriptors::get(kernel, caller, *number));
    Ok(files.collect::<Result<_, _>>()?)
}

/// Whether the caller may have more files under way.
///
/// # Errors
/// ETOOMANYREFS: its user has more than it may open, and it has neither `CAP_SYS_RESOURCE` nor `CAP_SYS_ADMIN`.
pub(super) fn check_number(kernel: &Kernel, caller: ThreadKey) -> Result<(), Errno> {
    let own = kernel.credentials(caller);
    let under_way = kernel.sockets.under_way.get(&own.user.real).copied().unwrap_or_default();
    let limit =
        kernel.soft_limit(kernel.tasks.threads.at(caller).process, RlimitResource::OpenFiles);
    let free = own.capable(Capability::SYS_RESOURCE) || own.capable(Capability::SYS_ADMIN);
    if free || limit.is_none_or(|limit| u64::from(under_way) <= limit) {
        Ok(())
    } else {
        Err(Errno::ETOOMANYREFS)
    }
}

/// Puts files under way for the caller, who was found to be allowed to.
pub(super) fn take_up(kernel: &mut Kernel, caller: ThreadKey, files: &[FileKey]) -> Rights {
    if files.is_empty() {
        return Rights::default();
    }
    let sender = kernel.credentials(caller).user.real;
    *kernel.sockets.under_way.entry(sender).or_default() += count(files);
    for file in files {
        kernel.vfs.files.at_mut(*file).descriptors += 1;
    }
    kernel.sockets.sockets_under_way += sockets_among(kernel, files);
    Rights { files: files.to_vec(), sender: Some(sender) }
}

/// The files have arrived: they are under way no more, and the caller holds what the message held.
pub(super) fn arrive(kernel: &mut Kernel, rights: Rights) -> Vec<FileKey> {
    let Rights { files, sender } = rights;
    if files.is_empty() {
        return files;
    }
    kernel.sockets.sockets_under_way -= sockets_among(kernel, &files);
    if let Some(under_way) = sender.and_then(|sender| kernel.sockets.under_way.get_mut(&sender)) {
        *under_way -= count(&files);
    }
    files
}

/// Other holders of the files in a message that was only looked at.
pub(super) fn copy(kernel: &mut Kernel, files: &[FileKey]) -> Vec<FileKey> {
    for file in files {
        kernel.vfs.files.at_mut(*file).descriptors += 1;
    }
    files.to_vec()
}

/// Lets go of files. What that closes may hold messages with files itself: they follow one after the other.
pub(super) fn let_go(kernel: &mut Kernel, files: Vec<FileKey>) {
    if files.is_empty() {
        return;
    }
    let was_closing = !kernel.sockets.closing.is_empty();
    kernel.sockets.closing.extend(files);
    if was_closing {
        return;
    }
    // A file stays in the list until it is closed, which tells that somebody goes through the list.
    while let Some(file) = kernel.sockets.closing.front().copied() {
        descriptors::release(kernel, file);
        kernel.sockets.closing.pop_front();
    }
    collect::collect_if_closed(kernel);
}

/// The socket that an open file is, if it is one.
pub(super) fn socket_of(kernel: &Kernel, file: FileKey) -> Option<SocketKey> {
    match kernel.vfs.files.at(file).kind {
        OpenKind::Socket(socket) => Some(socket),
        OpenKind::Node(_)
        | OpenKind::Process(..)
        | OpenKind::Namespace(_)
        | OpenKind::Pipe(..)
        | OpenKind::Counter(_)
        | OpenKind::Watcher(_) => None,
    }
}

fn sockets_among(kernel: &Kernel, files: &[FileKey]) -> u32 {
    let sockets = files.iter().filter(|file| socket_of(kernel, **file).is_some());
    u32::try_from(sockets.count()).unwrap_or(u32::MAX)
}

fn count(files: &[FileKey]) -> u32 {
    u32::try_from(files.len()).unwrap_or(u32::MAX)
}
