//! From a path to a [`Spot`] (path_resolution(7), openat2(2)): components, links, mounts, and the right to search.
//!
//! A walk changes nothing. It stops before the last component for those who make, remove or open a name, or goes all the way.

use std::borrow::Cow;

use standin::Errno;
use standin::backend::{FileKind, FilesystemType, MountFlags, OpenFlags};
use standin::path::{Follow, Resolve};

use super::component::{after_slashes, end_of_component};
use super::lookup::{look_up, uncovered};
use super::memory::{self, is_plain, recall};
use super::permission::{STICKY, check_search, searches_everywhere};
use super::{FileKey, Node, Spot, attributes_of, cached, descriptors, kind, proc, tmpfs};
use crate::kernel::Kernel;
use crate::namespace;
use crate::ops::PlaceArg;
use crate::profile::Release;
use crate::step::Step;
use crate::task::{ThreadKey, footing};

/// `PATH_MAX`: bytes of a path with its NUL.
pub(crate) const PATH_LENGTH: usize = 4096;

/// Links that one walk follows.
const MOST_LINKS: u32 = 40;

/// The flags that change a walk (`RESOLVE_*` of openat2(2)).
pub(crate) const RESOLVE: OpenFlags = OpenFlags::NO_CROSSING
    .union(OpenFlags::NO_MAGIC_LINKS)
    .union(OpenFlags::NO_SYMLINKS)
    .union(OpenFlags::BENEATH)
    .union(OpenFlags::IN_ROOT)
    .union(OpenFlags::CACHED);

/// What a walk stops before.
pub(crate) enum Last<'a> {
    /// `/` alone.
    Root,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// A name.
    Name(Name<'a>),
}

/// The last component of a path.
pub(crate) struct Name<'a> {
    text: Text<'a>,
    from: usize,
    to: usize,
    /// A slash stood behind it.
    pub(crate) slash: bool,
}

type Text<'a> = Cow<'a, [u8]>;

impl<'a> Last<'a> {
    /// The component from one place of a path to another, behind which only slashes stand.
    fn of(text: Text<'a>, from: usize, to: usize) -> Self {
        let slash = to < text.len();
        match text.get(from..to).unwrap_or_default() {
            b"." => Self::Dot,
            b".." => Self::DotDot,
            _ => Self::Name(Name { text, from, to, slash }),
        }
    }
}

impl Name<'_> {
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.get(self.from..self.to).unwrap_or_default()
    }
}

/// A directory, and a name in it that may or may not be there.
pub(crate) struct Parent<'a> {
    pub(crate) directory: Spot,
    pub(crate) last: Last<'a>,
}

/// What a place names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// A file or directory, by name.
    Spot(Spot),
    /// The open file behind a descriptor.
    File(FileKey),
}

/// A walk in progress.
pub(crate) struct Walk<'k> {
    kernel: &'k Kernel,
    caller: ThreadKey,
    /// Where absolute paths and links start, and what `..` does not leave.
    root: Spot,
    here: Spot,
    flags: OpenFlags,
    links: u32,
    /// The caller needs no permission bit to search a directory.
    searches_everywhere: bool,
    /// It goes plainly down from the root, so that where it comes to may be remembered.
    is_plain: bool,
}

/// Which part of a path a component is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Inner,
    Trailing,
}

/// The flags that stand for a [`Resolve`].
pub(crate) const fn flags_of(resolve: Resolve) -> OpenFlags {
    match resolve {
        Resolve::Kernel => OpenFlags::empty(),
        Resolve::Beneath => {
            OpenFlags::BENEATH.union(OpenFlags::NO_SYMLINKS).union(OpenFlags::NO_MAGIC_LINKS)
        }
    }
}

/// ENOENT and ENAMETOOLONG: what is wrong with a path before anybody looks where it leads.
pub(crate) const fn check_path(path: &[u8]) -> Result<(), Errno> {
    if path.is_empty() {
        Err(Errno::ENOENT)
    } else if path.len() >= PATH_LENGTH {
        Err(Errno::ENAMETOOLONG)
    } else {
        Ok(())
    }
}

/// The directory that a path's last component stands in.
pub(crate) fn parent<'a>(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'a>,
) -> Step<Parent<'a>> {
    let mut walk = Walk::start(kernel, caller, place, flags_of(place.resolve))?;
    let last = walk.go_to_last(Cow::Borrowed(place.path.as_bytes()))?;
    Ok(Parent { directory: walk.here, last })
}

/// What a path leads to.
pub(crate) fn spot(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
) -> Step<Spot> {
    let flags = flags_of(place.resolve);
    if let Some(spot) = recall(kernel, caller, place.path.as_bytes(), flags) {
        return Ok(spot);
    }
    let mut walk = Walk::start(kernel, caller, place, flags)?;
    walk.go_to_end(Cow::Borrowed(place.path.as_bytes()), follow)?;
    walk.remember_end(place.path.as_bytes());
    Ok(walk.here)
}

/// What a place names: an open file if the path is empty and there is one.
pub(crate) fn object(
    kernel: &Kernel,
    caller: ThreadKey,
    place: PlaceArg<'_>,
    follow: Follow,
) -> Step<Object> {
    match place.at {
        Some(number) if place.path.as_bytes().is_empty() => {
            Ok(Object::File(descriptors::get(kernel, caller, number)?))
        }
        Some(_) | None => Ok(Object::Spot(spot(kernel, caller, place, follow)?)),
    }
}

impl<'k> Walk<'k> {
    /// Where a path starts.
    pub(crate) fn start(
        kernel: &'k Kernel,
        caller: ThreadKey,
        place: PlaceArg<'_>,
        flags: OpenFlags,
    ) -> Step<Self> {
        let path = place.path.as_bytes();
        check_path(path)?;
        let root = namespace::mount::root(kernel, caller);
        let credentials = kernel.credentials(caller);
        let searches_everywhere = searches_everywhere(credentials);
        let (here, links) = (root, 0);
        let is_plain = is_plain(kernel, caller, path, flags);
        let mut walk =
            Self { kernel, caller, root, here, flags, links, searches_everywhere, is_plain };
        if path.first() == Some(&b'/') && !flags.contains(OpenFlags::IN_ROOT) {
            if flags.contains(OpenFlags::BENEATH) {
                return Err(Errno::EXDEV.into());
            }
            return Ok(walk);
        }
        walk.here = match place.at {
            None => footing::directory(kernel, caller),
            Some(number) => {
                let file = kernel.vfs.files.at(descriptors::get(kernel, caller, number)?);
                if !file.is_named() || kind(kernel, file.spot.node) != FileKind::Dir {
                    return Err(Errno::ENOTDIR.into());
                }
                file.spot
            }
        };
        if walk.is_scoped() {
            walk.root = walk.here;
        }
        if flags.contains(OpenFlags::CACHED) && cached::is_asked(kernel, walk.here.mount) {
            return Err(Errno::EAGAIN.into());
        }
        Ok(walk)
    }

    /// Where it has come to.
    pub(crate) const fn here(&self) -> Spot {
        self.here
    }

    const fn is_scoped(&self) -> bool {
        self.flags.intersects(OpenFlags::BENEATH.union(OpenFlags::IN_ROOT))
    }

    /// Goes through all components but the last.
    pub(crate) fn go_to_last<'a>(&mut self, path: Text<'a>) -> Step<Last<'a>> {
        let mut text = path;
        let mut known = 0;
        if self.is_plain
            && let Some((spot, end)) = memory::recall_beginning(self.kernel, &text)
        {
            (self.here, known) = (spot, end);
        }
        let mut at = after_slashes(&text, known);
        // What is left of the paths in which a link stood, the outermost first.
        let mut left: Vec<(Text<'a>, usize)> = Vec::new();
        if at == text.len() {
            return Ok(Last::Root);
        }
        loop {
            if !self.searches_everywhere {
                check_search(self.kernel, self.caller, self.here)?;
            }
            if let Node::Proc(node) = self.here.node {
                proc::check_entered(self.kernel, self.caller, self.here.mount, node)?;
                proc::check_search(self.kernel, self.caller, node)?;
            }
            let from = at;
            let to = end_of_component(&text, from);
            at = after_slashes(&text, to);
            let is_last = at == text.len();
            if is_last && left.is_empty() {
                let directories = text.get(..from.saturating_sub(1)).unwrap_or_default();
                if directories.len() != known {
                    self.remember(directories);
                }
                return Ok(Last::of(text, from, to));
            }
            let link = self.component(text.get(from..to).unwrap_or_default())?;
            if is_last && let Some((outer, next)) = left.pop() {
                (text, at) = (outer, next);
            }
            match link {
                Some(target) => {
                    let start = after_slashes(&target, 0);
                    left.push((std::mem::replace(&mut text, Cow::Owned(target)), at));
                    at = start;
                }
                None => self.must_be_directory()?,
            }
        }
    }

    /// Remembers that the beginning of a path, or all of it, led here.
    fn remember(&self, path: &[u8]) {
        if self.is_plain {
            memory::remember(self.kernel, path, self.here);
        }
    }

    /// The same of a whole path at the end of a walk.
    pub(crate) fn remember_end(&self, path: &[u8]) {
        if path.last() != Some(&b'/') {
            self.remember(path);
        }
    }

    /// Goes all the way.
    pub(crate) fn go_to_end<'a>(&mut self, path: Text<'a>, follow: Follow) -> Step<()> {
        let mut follow = follow;
        let mut directory = false;
        let mut text = path;
        loop {
            let name = match self.go_to_last(text)? {
                Last::Root | Last::Dot => break,
                Last::DotDot => {
                    self.up()?;
                    break;
                }
                Last::Name(name) => name,
            };
            if name.slash {
                follow = Follow::Link;
                directory = true;
            }
            match self.last_name(&name, follow)? {
                Some(target) => text = Cow::Owned(target),
                None => break,
            }
        }
        if directory { self.must_be_directory() } else { Ok(()) }
    }

    fn must_be_directory(&self) -> Step<()> {
        if kind(self.kernel, self.here.node) == FileKind::Dir {
            Ok(())
        } else {
            Err(Errno::ENOTDIR.into())
        }
    }

    /// Takes one step; the text of a link if that is what was met and it leads on by its text.
    fn component(&mut self, name: &[u8]) -> Step<Option<Vec<u8>>> {
        match name {
            b"." => Ok(None),
            b".." => {
                self.up()?;
                Ok(None)
            }
            _ => match look_up(self.kernel, self.caller, self.here, name)? {
                Some(node) => self.enter(node, Position::Inner, Follow::Link),
                None => Err(Errno::ENOENT.into()),
            },
        }
    }

    /// The last step of a path that ends in a name; the text of a link that is to be followed.
    pub(crate) fn last_name(&mut self, name: &Name<'_>, follow: Follow) -> Step<Option<Vec<u8>>> {
        match look_up(self.kernel, self.caller, self.here, name.bytes())? {
            Some(node) => self.enter(node, Position::Trailing, follow),
            None => Err(Errno::ENOENT.into()),
        }
    }

    /// Steps to a node of this directory.
    fn enter(&mut self, node: Node, position: Position, follow: Follow) -> Step<Option<Vec<u8>>> {
        if self.flags.contains(OpenFlags::CACHED) {
            cached::check(self.kernel, self.here.mount, node)?;
        }
        let spot = self.cross(Spot { mount: self.here.mount, node })?;
        if kind(self.kernel, spot.node) == FileKind::Link
            && (position == Position::Inner || follow == Follow::Link)
        {
            return self.follow(spot, position);
        }
        self.here = spot;
        Ok(None)
    }

    /// Into what is mounted on a spot.
    fn cross(&self, spot: Spot) -> Step<Spot> {
        let top = uncovered(self.kernel, spot);
        if top.mount == spot.mount {
            return Ok(spot);
        }
        if self.flags.contains(OpenFlags::NO_CROSSING) {
            return Err(Errno::EXDEV.into());
        }
        Ok(top)
    }

    fn follow(&mut self, link: Spot, position: Position) -> Step<Option<Vec<u8>>> {
        self.links += 1;
        self.is_plain = false;
        if self.links > MOST_LINKS {
            return Err(Errno::ELOOP.into());
        }
        if position == Position::Trailing && !self.may_follow(link) {
            return Err(Errno::EACCES.into());
        }
        if self.flags.contains(OpenFlags::NO_SYMLINKS) {
            return Err(Errno::ELOOP.into());
        }
        let target = match link.node {
            Node::Tmp(key) => match &self.kernel.vfs.tmp.at(key).content {
                tmpfs::Content::Link(target) => target.to_vec(),
                tmpfs::Content::Dir(_)
                | tmpfs::Content::File(_)
                | tmpfs::Content::Socket(_)
                | tmpfs::Content::Device(_) => Vec::new(),
            },
            Node::Proc(node) => match proc::jump(self.kernel, self.caller, node)? {
                Some(target) => {
                    self.jump(target)?;
                    return Ok(None);
                }
                None => proc::readlink(self.kernel, self.caller, (link.mount, node))?,
            },
            Node::Cgroup(_) | Node::Control(..) => Vec::new(),
        };
        if target.first() == Some(&b'/') {
            self.go_to_root()?;
        }
        Ok(if after_slashes(&target, 0) == target.len() { None } else { Some(target) })
    }

    /// Back to where absolute links start.
    fn go_to_root(&mut self) -> Step<()> {
        if self.flags.contains(OpenFlags::BENEATH)
            || (self.flags.contains(OpenFlags::NO_CROSSING) && self.here.mount != self.root.mount)
        {
            return Err(Errno::EXDEV.into());
        }
        self.here = self.root;
        Ok(())
    }

    /// Over a magic link of /proc, which leads to an object and not to a path.
    fn jump(&mut self, target: Spot) -> Step<()> {
        if self.flags.contains(OpenFlags::NO_MAGIC_LINKS) {
            return Err(Errno::ELOOP.into());
        }
        if self.is_scoped()
            || (self.flags.contains(OpenFlags::NO_CROSSING) && self.here.mount != target.mount)
        {
            return Err(Errno::EXDEV.into());
        }
        self.here = target;
        Ok(())
    }

    /// Links in sticky directories that all may write are followed for their owner and the directory's
    /// (proc(5), protected_symlinks). Debian's kernels start with that on; the recorded 6.18 has it off.
    fn may_follow(&self, link: Spot) -> bool {
        const OPEN_TO_ALL: u16 = STICKY | 0o002;
        if self.kernel.profile.release >= Release::V6_18 {
            return true;
        }
        let file = attributes_of(self.kernel, self.caller, link.node);
        let above = attributes_of(self.kernel, self.caller, self.here.node);
        file.owner == self.kernel.credentials(self.caller).user.filesystem
            || above.mode.bits() & OPEN_TO_ALL != OPEN_TO_ALL
            || above.owner == file.owner
    }

    /// To the directory above.
    pub(crate) fn up(&mut self) -> Step<()> {
        self.is_plain = false;
        let mut at = self.here;
        loop {
            if at == self.root {
                if self.flags.contains(OpenFlags::BENEATH) {
                    return Err(Errno::EXDEV.into());
                }
                // The root is its own parent, also for who stands in what is mounted on it.
                self.here = self.cross(self.root)?;
                return Ok(());
            }
            let mount = self.kernel.vfs.mounts.at(at.mount);
            if at.node != mount.root {
                break;
            }
            let Some(below) = mount.on else { break };
            at = below;
        }
        if at.mount != self.here.mount && self.flags.contains(OpenFlags::NO_CROSSING) {
            return Err(Errno::EXDEV.into());
        }
        let node = match at.node {
            Node::Tmp(key) => Node::Tmp(tmpfs::parent(&self.kernel.vfs, key)),
            Node::Cgroup(group) => {
                Node::Cgroup(self.kernel.cgroups.table.at(group).parent.unwrap_or(group))
            }
            Node::Control(group, _) => Node::Cgroup(group),
            Node::Proc(node) => Node::Proc(proc::parent(self.kernel, node)),
        };
        self.here = self.cross(Spot { mount: at.mount, node })?;
        Ok(())
    }
}

/// Whether a mount is one that programs may not be started from: cgroup2 and proc never let one start.
pub(crate) fn forbids_programs(kernel: &Kernel, spot: Spot) -> bool {
    let mount = kernel.vfs.mounts.at(spot.mount);
    mount.kind != FilesystemType::TMPFS || mount.flags.contains(MountFlags::NO_EXEC)
}
