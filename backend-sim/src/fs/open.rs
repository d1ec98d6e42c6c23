//! Opening and making files (open(2), openat2(2)).

use std::borrow::Cow;

use standin::Errno;
use standin::Failure;
use standin::backend::{
    Access, AccessMode, FileKind, FilesystemType, MountFlags, OpenFlags, OpenOptions, WatchFlags,
};
use standin::id::Mode;
use standin::path::Follow;

use super::attributes::{empty, vet_content};
use super::lookup::look_up;
use super::memory::recall;
use super::permission::{asked, check, check_creation, check_writable};
use super::walk::{Last, RESOLVE, Walk, check_path, flags_of};
use super::{
    Node, OpenFile, OpenKind, Spot, descriptors, kind, names, opened, opened::Beginning, proc,
    serve::Served,
};
use crate::cgroup::filesystem;
use crate::kernel::Kernel;
use crate::namespace::user;
use crate::notify;
use crate::ops::PlaceArg;
use crate::profile::Release;
use crate::step::Step;
use crate::task::ThreadKey;

/// What a walk came to.
struct Found {
    spot: Spot,
    /// A slash stood behind the name.
    directory: bool,
    created: bool,
}

/// Opens a file, making it if that is asked for; its descriptor.
///
/// # Errors
/// In this order: EINVAL and EAGAIN (flags), ENOENT and ENAMETOOLONG (the path itself), EMFILE, and what the walk, the
/// directory or the file refuses.
pub(crate) fn open(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    options: &OpenOptions,
) -> Step<u32> {
    let flags = options.flags;
    check_flags(options)?;
    check_path(place.path.as_bytes())?;
    let process = kernel.tasks.threads.at(caller).process;
    let number = descriptors::next_number(kernel, process)?;
    let resolve = flags | flags_of(place.resolve);
    let found = match recall(kernel, caller, place.path.as_bytes(), resolve) {
        Some(spot) => {
            Found { spot, directory: flags.contains(OpenFlags::DIRECTORY), created: false }
        }
        None => find(kernel, caller, place, options)?,
    };
    if !found.created {
        check_found(kernel, caller, &found, options)?;
    }
    let mut beginning = Beginning::default();
    match found.spot.node {
        _ if options.access == AccessMode::Path => {}
        Node::Control(..) => {
            filesystem::open(kernel, caller, found.spot.node, options.access)?;
            beginning.namespace = opened::of_group(kernel, caller);
        }
        Node::Proc(node) => beginning = proc::open(kernel, caller, node, options.access)?,
        Node::Tmp(_) | Node::Cgroup(_) => {}
    }
    if options.access != AccessMode::Path {
        notify::vet(kernel, found.spot.node)?;
    }
    let truncates = flags.contains(OpenFlags::TRUNCATE) && !found.created;
    if truncates {
        vet_content(kernel, caller, found.spot.node)?;
        empty(kernel, caller, found.spot);
    }
    let opener = kernel.credentials(caller).opener();
    user::keep(kernel, opener.namespace);
    opened::keep(kernel, beginning.namespace);
    let file = OpenFile {
        spot: found.spot,
        access: options.access,
        flags,
        offset: 0,
        opener,
        descriptors: 1,
        kind: OpenKind::Node(Served::new(beginning)),
    };
    descriptors::install(kernel, process, number, file)?;
    if options.access != AccessMode::Path && !kernel.vfs.notify.is_empty() {
        tell(kernel, found.spot.node, truncates);
    }
    Ok(number)
}

/// Tells who watches the file that it was opened; 6.1 says first that it was emptied.
#[cold]
fn tell(kernel: &mut Kernel, node: Node, truncates: bool) {
    let is_emptied = truncates && kind(kernel, node) == FileKind::File;
    let mut events = [Some(WatchFlags::OPEN), is_emptied.then_some(WatchFlags::MODIFY)];
    if kernel.profile.release < Release::V6_12 {
        events.reverse();
    }
    for event in events.into_iter().flatten() {
        notify::happened(kernel, node, event);
    }
}

/// Flags that do not go together (openat2(2)).
fn check_flags(options: &OpenOptions) -> Result<(), Errno> {
    const WITH_PATH: OpenFlags = RESOLVE.union(OpenFlags::DIRECTORY).union(OpenFlags::NO_FOLLOW);
    let flags = options.flags;
    if flags.contains(OpenFlags::BENEATH | OpenFlags::IN_ROOT)
        || flags.contains(OpenFlags::CREATE | OpenFlags::DIRECTORY)
        || (options.access == AccessMode::Path && !WITH_PATH.contains(flags))
    {
        return Err(Errno::EINVAL);
    }
    if flags.contains(OpenFlags::CACHED)
        && flags.intersects(OpenFlags::TRUNCATE | OpenFlags::CREATE)
    {
        return Err(Errno::EAGAIN);
    }
    Ok(())
}

/// Walks to the file, and makes it if it is to be made.
#[inline(never)]
fn find(
    kernel: &mut Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    options: &OpenOptions,
) -> Step<Found> {
    let flags = options.flags;
    let creates = flags.contains(OpenFlags::CREATE);
    // An exclusive creation meets a link and does not follow it.
    let exclusive = creates && flags.contains(OpenFlags::EXCLUSIVE);
    let mut follow =
        if exclusive || flags.contains(OpenFlags::NO_FOLLOW) { Follow::No } else { Follow::Link };
    let mut walk = Walk::start(kernel, caller, place, flags | flags_of(place.resolve))?;
    let mut text = Cow::Borrowed(place.path.as_bytes());
    let mut directory = flags.contains(OpenFlags::DIRECTORY);
    loop {
        let name = match walk.go_to_last(text)? {
            Last::Root | Last::Dot => break,
            Last::DotDot => {
                walk.up()?;
                break;
            }
            Last::Name(name) => name,
        };
        if name.slash {
            if creates {
                return Err(Errno::EISDIR.into());
            }
            follow = Follow::Link;
            directory = true;
        }
        let above = walk.here();
        if creates && look_up(kernel, caller, above, name.bytes())?.is_none() {
            check_writable(kernel, above.mount)?;
            check_creation(kernel, caller, above)?;
            if kernel.vfs.mounts.at(above.mount).kind != FilesystemType::TMPFS {
                return Err(Errno::EACCES.into());
            }
            let mode = names::masked(kernel, caller, options.mode);
            let name = name.bytes().to_vec();
            let node = names::make_file(kernel, caller, above, &name, mode)?;
            let spot = Spot { mount: above.mount, node };
            return Ok(Found { spot, directory: false, created: true });
        }
        match walk.last_name(&name, follow) {
            Ok(Some(target)) => text = Cow::Owned(target),
            Ok(None) => break,
            Err(stop) if flags.contains(OpenFlags::CACHED) && stop == Errno::ENOENT.into() => {
                return Err(Errno::EAGAIN.into());
            }
            Err(stop) => return Err(stop),
        }
    }
    walk.remember_end(place.path.as_bytes());
    Ok(Found { spot: walk.here(), directory, created: false })
}

/// Whether what was there may be opened so.
fn check_found(
    kernel: &Kernel,
    caller: ThreadKey,
    found: &Found,
    options: &OpenOptions,
) -> Step<()> {
    let flags = options.flags;
    let spot = found.spot;
    let kind = kind(kernel, spot.node);
    if flags.contains(OpenFlags::CREATE) {
        if flags.contains(OpenFlags::EXCLUSIVE) {
            return Err(Errno::EEXIST.into());
        }
        if kind == FileKind::Dir {
            return Err(Errno::EISDIR.into());
        }
    }
    if found.directory && kind != FileKind::Dir {
        return Err(Errno::ENOTDIR.into());
    }
    if options.access == AccessMode::Path {
        return Ok(());
    }
    let truncates = flags.contains(OpenFlags::TRUNCATE);
    if truncates && kind == FileKind::File {
        check_writable(kernel, spot.mount)?;
    }
    let mut wanted = asked(options.access);
    if truncates {
        wanted |= Access::WRITE;
    }
    match kind {
        FileKind::Link => return Err(Errno::ELOOP.into()),
        FileKind::Dir if wanted.contains(Access::WRITE) => return Err(Errno::EISDIR.into()),
        FileKind::Socket => {
            check(kernel, caller, spot, wanted)?;
            return Err(Errno::ENXIO.into());
        }
        FileKind::Fifo => return Err(Failure::NotModelled("open of a named pipe").into()),
        FileKind::Character | FileKind::Block
            if kernel.vfs.mounts.at(spot.mount).flags.contains(MountFlags::NO_DEV) =>
        {
            return Err(Errno::EACCES.into());
        }
        FileKind::Dir
        | FileKind::File
        | FileKind::Character
        | FileKind::Block
        | FileKind::Other => {}
    }
    check(kernel, caller, spot, wanted)?;
    if matches!(options.access, AccessMode::Write | AccessMode::ReadWrite) {
        check_writable(kernel, spot.mount)?;
    }
    Ok(())
}

/// open(2) with `O_DIRECTORY`: a directory to list and to start from.
pub(crate) fn open_dir(kernel: &mut Kernel, caller: ThreadKey, place: PlaceArg<'_>) -> Step<u32> {
    open(kernel, caller, place, &OpenOptions::read().with(OpenFlags::DIRECTORY).mode(Mode::new(0)))
}
