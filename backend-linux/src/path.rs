//! From a [`Place`] to the arguments of a system call.
//!
//! Three shapes, by what the call can take: [`Spot`] for calls that act on a name in a directory
//! (mkdirat(2)), [`Object`] for calls that take a directory, a path and `AT_EMPTY_PATH`
//! (fstatat(2)), [`Name`] for calls that take a path alone (setxattr(2)). `Resolve::Beneath` is
//! openat2(2)'s work: of the parent where the last component is a new or removed name, else of the
//! object, which is then held by an `O_PATH` descriptor.

use std::borrow::Cow;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use standin::Errno;
use standin::failure::Result;
use standin::path::{At, Follow, Place, Resolve};

use crate::handle::fd;
use crate::raw::refused;

/// What `Resolve::Beneath` asks of openat2(2).
pub(crate) const BENEATH: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// Whether a place is an open object itself.
pub(crate) fn is_itself(place: &Place<'_>) -> bool {
    matches!(place.at, At::Handle(_)) && place.path.as_bytes().is_empty()
}

/// The directory that relative paths start from.
pub(crate) fn start<'a>(place: &Place<'a>) -> Result<BorrowedFd<'a>> {
    match place.at {
        At::Cwd => Ok(CWD),
        At::Handle(handle) => fd(handle),
    }
}

/// A descriptor that was there, or one that resolving made.
enum Base<'a> {
    There(BorrowedFd<'a>),
    Made(OwnedFd),
}

impl AsFd for Base<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::There(there) => *there,
            Self::Made(made) => made.as_fd(),
        }
    }
}

/// A name in a directory: the call does not follow it.
pub(crate) struct Spot<'a> {
    base: Base<'a>,
    /// The name, or a path that the kernel may follow up to it.
    pub(crate) path: &'a [u8],
}

impl<'a> Spot<'a> {
    pub(crate) fn new(place: &Place<'a>) -> Result<Self> {
        let there = start(place)?;
        let path = place.path.as_bytes();
        match (place.resolve, split_last(path)) {
            (Resolve::Kernel, _) | (Resolve::Beneath, None) => {
                Ok(Self { base: Base::There(there), path })
            }
            (Resolve::Beneath, Some((parent, last))) => {
                let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
                let parent =
                    openat2(there, parent, flags, Mode::empty(), BENEATH).map_err(refused)?;
                Ok(Self { base: Base::Made(parent), path: last })
            }
        }
    }

    pub(crate) fn directory(&self) -> BorrowedFd<'_> {
        self.base.as_fd()
    }
}

/// Whether a path is one name, and neither the directory itself nor the one above.
pub(crate) fn is_name(path: &[u8]) -> bool {
    !matches!(path, b"" | b"." | b"..") && !path.contains(&b'/')
}

/// Everything up to the last component, and that component with the slashes behind it. `None` if
/// there is no slash before it.
fn split_last(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = path.iter().rposition(|byte| *byte != b'/')?;
    let slash = path.get(..=end)?.iter().rposition(|byte| *byte == b'/')?;
    path.split_at_checked(slash + 1)
}

/// Something that exists: by name, or held.
pub(crate) struct Object<'a> {
    base: Base<'a>,
    /// Empty if `itself`.
    pub(crate) path: &'a [u8],
    /// The descriptor is the object: the call wants `AT_EMPTY_PATH`.
    pub(crate) itself: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn new(place: &Place<'a>, follow: Follow) -> Result<Self> {
        let there = start(place)?;
        let path = place.path.as_bytes();
        if is_itself(place) {
            return Ok(Self { base: Base::There(there), path, itself: true });
        }
        match place.resolve {
            Resolve::Kernel => Ok(Self { base: Base::There(there), path, itself: false }),
            // A call that does not follow it stays in its directory.
            Resolve::Beneath if matches!(follow, Follow::No) && is_name(path) => {
                Ok(Self { base: Base::There(there), path, itself: false })
            }
            Resolve::Beneath => {
                let found = find(there, path, follow)?;
                Ok(Self { base: Base::Made(found), path: b"", itself: true })
            }
        }
    }

    pub(crate) fn base(&self) -> BorrowedFd<'_> {
        self.base.as_fd()
    }
}

/// Holds what stands below a directory.
fn find(there: BorrowedFd<'_>, path: &[u8], follow: Follow) -> Result<OwnedFd> {
    let link = match follow {
        Follow::Link => OFlags::empty(),
        Follow::No => OFlags::NOFOLLOW,
    };
    openat2(there, path, OFlags::PATH | OFlags::CLOEXEC | link, Mode::empty(), BENEATH)
        .map_err(refused)
}

/// Something that exists, for a call that takes a path alone.
pub(crate) enum Name<'a> {
    /// The path to give.
    Path(Cow<'a, [u8]>),
    /// An open object.
    Held(BorrowedFd<'a>),
    /// An object that was found, held as a place.
    Found(OwnedFd),
}

impl<'a> Name<'a> {
    pub(crate) fn new(place: &Place<'a>, follow: Follow) -> Result<Self> {
        let path = place.path.as_bytes();
        let At::Handle(handle) = place.at else {
            return match place.resolve {
                Resolve::Kernel => Ok(Self::Path(Cow::Borrowed(path))),
                Resolve::Beneath => find(CWD, path, follow).map(Self::Found),
            };
        };
        let there = fd(handle)?;
        match place.resolve {
            _ if path.is_empty() => Ok(Self::Held(there)),
            Resolve::Beneath => find(there, path, follow).map(Self::Found),
            Resolve::Kernel if place.path.is_absolute() => Ok(Self::Path(Cow::Borrowed(path))),
            Resolve::Kernel => {
                let mut name = proc_path(there);
                name.push(b'/');
                name.extend_from_slice(path);
                Ok(Self::Path(Cow::Owned(name)))
            }
        }
    }

    /// A path that leads there, and whether it ends in a link of /proc, which must be followed.
    pub(crate) fn path(&self) -> (Cow<'_, [u8]>, bool) {
        match self {
            Self::Path(path) => (Cow::Borrowed(path), false),
            Self::Held(held) => (Cow::Owned(proc_path(*held)), true),
            Self::Found(found) => (Cow::Owned(proc_path(found.as_fd())), true),
        }
    }
}

/// The name that /proc has for a descriptor of this process.
pub(crate) fn proc_path(descriptor: BorrowedFd<'_>) -> Vec<u8> {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd()).into_bytes()
}

/// A path for a call of libc. A [`KPath`](standin::KPath) holds no NUL.
pub(crate) fn c_string(path: &[u8]) -> Result<std::ffi::CString> {
    std::ffi::CString::new(path).map_err(|_| Errno::EINVAL.into())
}

#[cfg(test)]
mod tests {
    use super::{is_name, split_last};

    #[test]
    fn a_name_leads_nowhere_else() {
        for (path, is) in [("a", true), ("..a", true), ("..", false), (".", false), ("", false)] {
            assert_eq!(is_name(path.as_bytes()), is, "{path:?}");
        }
        assert!(!["a/b", "/a", "a/"].iter().any(|path| is_name(path.as_bytes())));
    }

    #[test]
    fn a_path_splits_before_its_last_component_and_keeps_the_slashes_behind_it() {
        let split = |path: &'static str| {
            split_last(path.as_bytes())
                .map(|(a, b)| (String::from_utf8_lossy(a), String::from_utf8_lossy(b)))
        };
        assert_eq!(split("a/b/c"), Some(("a/b/".into(), "c".into())));
        assert_eq!(split("a/b//"), Some(("a/".into(), "b//".into())));
        assert_eq!(split("/a"), Some(("/".into(), "a".into())));
        assert_eq!(split("a"), None);
        assert_eq!(split("a/"), None);
        assert_eq!(split("//"), None);
    }
}
