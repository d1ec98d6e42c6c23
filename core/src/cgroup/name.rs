//! Names of groups and files, checked before a kernel sees them: [`GroupName`], [`GroupPath`], [`FileName`].
//!
//! A name that passed cannot leave the directory it is used in, and means the same to the kernel and to the reader of
//! an error. Nothing is normalised and nothing is cut.

use std::fmt;

use crate::controller::Controller;
use crate::path::{KPath, KPathBuf};

/// The longest name of a group or file: what C programs can read from a directory (readdir(3)).
pub const MAX_NAME: usize = 255;
/// The longest path below the hierarchy's root, one less than the kernel's `PATH_MAX`.
pub const MAX_PATH: usize = 4095;

/// How much of a name a message shows.
const SHOWN: usize = 64;

/// Why something is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no name: {why}")]
pub struct NameError {
    /// The name, cut if it is long.
    pub name: String,
    /// What is wrong.
    pub why: Fault,
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing between two slashes, or nothing at all.
    #[error("it is empty")]
    Empty,
    /// `.` or `..`, which lead elsewhere.
    #[error("\".\" and \"..\" lead elsewhere")]
    Dots,
    /// A slash in a single name.
    #[error("it holds a slash")]
    Slash,
    /// A NUL byte.
    #[error("it holds a NUL byte")]
    Nul,
    /// A newline, which would split lines of /proc/PID/cgroup.
    #[error("it holds a newline")]
    Newline,
    /// Longer than [`MAX_NAME`] or, as a path, [`MAX_PATH`].
    #[error("it has {length} bytes, at most {most} are allowed")]
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The most there may be.
        most: usize,
    },
}

impl NameError {
    pub(super) fn new(name: &[u8], why: Fault) -> Self {
        Self { name: shown(name), why }
    }
}

/// As a message shows it, cut if it is long.
pub(super) fn shown(name: &[u8]) -> String {
    let shown = String::from_utf8_lossy(name.get(..SHOWN).unwrap_or(name)).into_owned();
    if name.len() > SHOWN { shown + "…" } else { shown }
}

/// Checks one component.
pub(super) fn check(name: &[u8], most: usize) -> Result<(), NameError> {
    let why = match name {
        b"" => Fault::Empty,
        b"." | b".." => Fault::Dots,
        _ if name.contains(&b'/') => Fault::Slash,
        _ if name.contains(&0) => Fault::Nul,
        _ if name.contains(&b'\n') => Fault::Newline,
        _ if name.len() > most => Fault::TooLong { length: name.len(), most },
        _ => return Ok(()),
    };
    Err(NameError::new(name, why))
}

/// Bytes that were checked.
fn path(name: &[u8]) -> Result<KPathBuf, NameError> {
    KPathBuf::new(name).map_err(|_| NameError::new(name, Fault::Nul))
}

/// The name of a group in its parent: any bytes but slash, NUL and newline, at most [`MAX_NAME`] of them.
///
/// ```
/// use standin::cgroup::{Fault, GroupName};
/// assert_eq!(GroupName::new("web 1").unwrap().to_string(), "web 1");
/// assert_eq!(GroupName::new("..").unwrap_err().why, Fault::Dots);
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(KPathBuf);

impl GroupName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, NameError> {
        check(name.as_ref(), MAX_NAME)?;
        Ok(Self(path(name.as_ref())?))
    }

    /// A name that a kernel listed. It may be longer than those that can be read with readdir(3).
    pub(super) fn listed(name: &KPath) -> Option<Self> {
        check(name.as_bytes(), MAX_PATH).ok()?;
        Some(Self(name.to_owned()))
    }

    /// As a path of one component.
    #[must_use]
    pub fn as_path(&self) -> &KPath {
        &self.0
    }
}

/// Where a group is, from the root of its hierarchy: names, or none for the root itself. It prints as the kernel
/// writes it in /proc/PID/cgroup, with a slash in front.
///
/// ```
/// use standin::cgroup::GroupPath;
/// let path = GroupPath::new("/system/web").unwrap();
/// assert_eq!(path, GroupPath::new("system/web").unwrap());
/// assert_eq!(path.to_string(), "/system/web");
/// assert_eq!(path.parent().unwrap().to_string(), "/system");
/// assert!(GroupPath::new("/").unwrap().is_root());
/// for escape in ["../up", "a/../../b", "a//b", "a/", "a\0b", "", "."] {
///     assert!(GroupPath::new(escape).is_err(), "{escape:?}");
/// }
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupPath(KPathBuf);

impl GroupPath {
    /// Checks a path; one slash in front is no part of it. `/` alone is the root.
    ///
    /// # Errors
    /// [`NameError`] names the part that is none.
    pub fn new(text: impl AsRef<[u8]>) -> Result<Self, NameError> {
        let text = text.as_ref();
        if text == b"/" {
            return Ok(Self::root());
        }
        let relative = text.strip_prefix(b"/").unwrap_or(text);
        if relative.len() > MAX_PATH {
            let why = Fault::TooLong { length: relative.len(), most: MAX_PATH };
            return Err(NameError::new(relative, why));
        }
        for name in relative.split(|byte| *byte == b'/') {
            check(name, MAX_NAME)?;
        }
        Ok(Self(path(relative)?))
    }

    /// The root of the hierarchy.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// Whether it is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.as_bytes().is_empty()
    }

    /// The group above; the root has none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.split().map(|(parent, _)| parent)
    }

    /// The group's own name; the root has none.
    #[must_use]
    pub fn name(&self) -> Option<GroupName> {
        self.split().map(|(_, name)| name)
    }

    fn split(&self) -> Option<(Self, GroupName)> {
        let name = GroupName(path(self.0.file_name()).ok()?);
        let bytes = self.0.as_bytes();
        let above = bytes.len().checked_sub(name.0.as_bytes().len())?;
        let parent = bytes.get(..above.saturating_sub(1))?;
        (!self.is_root()).then_some((Self(path(parent).ok()?), name))
    }

    /// A group in this one.
    ///
    /// # Errors
    /// [`Fault::TooLong`] if the path gets longer than [`MAX_PATH`].
    pub fn join(&self, name: &GroupName) -> Result<Self, NameError> {
        let joined = self.0.join(&name.0);
        let length = joined.as_bytes().len();
        if length > MAX_PATH {
            let why = Fault::TooLong { length, most: MAX_PATH };
            return Err(NameError::new(joined.as_bytes(), why));
        }
        Ok(Self(joined))
    }

    /// As a path from the directory of the hierarchy's root; empty if it is the root.
    #[must_use]
    pub fn as_path(&self) -> &KPath {
        &self.0
    }
}

/// The name of a control file, as `pids.max`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName(KPathBuf);

/// Files that begin with a controller's name and are there without it: the kernel counts these for every group
/// (cgroup-v2.rst, CPU Interface Files and Pressure Stall Information).
const ALWAYS_THERE: [&[u8]; 2] = [b"cpu.stat", b"cpu.stat.local"];
const PRESSURE: &[u8] = b".pressure";

impl FileName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`NameError`] says what is wrong with it.
    pub fn new(name: impl AsRef<[u8]>) -> Result<Self, NameError> {
        check(name.as_ref(), MAX_NAME)?;
        Ok(Self(path(name.as_ref())?))
    }

    /// A name that this module writes down itself: no NUL is in it.
    pub(super) fn known(name: &'static str) -> Self {
        Self(KPathBuf::new(name).unwrap_or_default())
    }

    /// As a path of one component.
    #[must_use]
    pub fn as_path(&self) -> &KPath {
        &self.0
    }

    /// Whether its name begins with a controller's, as v1 or v2 has it.
    pub(super) fn belongs_to(&self, controller: Controller) -> bool {
        let name = self.0.as_bytes();
        [controller.name(), controller.v1_name()].iter().any(|prefix| {
            name.strip_prefix(prefix.as_bytes()).is_some_and(|rest| rest.starts_with(b"."))
        })
    }

    /// The controller that the file belongs to, if it is one that has to be enabled.
    #[must_use]
    pub fn controller(&self) -> Option<Controller> {
        let name = self.0.as_bytes();
        if ALWAYS_THERE.contains(&name) || name.ends_with(PRESSURE) {
            return None;
        }
        let dot = name.iter().position(|byte| *byte == b'.')?;
        let prefix = name.get(..dot).and_then(|prefix| std::str::from_utf8(prefix).ok())?;
        Controller::from_name(prefix).or_else(|| Controller::from_v1_name(prefix))
    }
}

macro_rules! shown {
    ($($name:ident $slash:literal;)*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!($slash, "{}"), &*self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{:?}", self.to_string())
            }
        }
    )*};
}

shown! {
    GroupName "";
    GroupPath "/";
    FileName "";
}

#[cfg(test)]
mod tests {
    use super::{Fault, FileName, GroupName, GroupPath, MAX_NAME, MAX_PATH};
    use crate::Controller;

    #[test]
    fn a_name_that_leads_elsewhere_or_cannot_be_told_is_refused() {
        let cases: [(&[u8], Fault); 8] = [
            (b"", Fault::Empty),
            (b".", Fault::Dots),
            (b"..", Fault::Dots),
            (b"a/b", Fault::Slash),
            (b"../x", Fault::Slash),
            (b"a\0", Fault::Nul),
            (b"a\nb", Fault::Newline),
            (&[b'x'; 256], Fault::TooLong { length: 256, most: MAX_NAME }),
        ];
        for (name, why) in cases {
            assert_eq!(GroupName::new(name).unwrap_err().why, why);
            assert_eq!(FileName::new(name).unwrap_err().why, why);
        }
        for name in ["a", "...", " ", "a b", "-", "ü", "cgroup.x"] {
            assert_eq!(GroupName::new(name).unwrap().to_string(), name);
        }
        assert!(GroupName::new([0xff, 0xfe]).is_ok(), "names are bytes");
    }

    #[test]
    fn a_path_is_refused_for_any_part_of_it_and_the_part_is_named() {
        let refused = GroupPath::new("/a/../b").unwrap_err();
        assert_eq!((refused.name.as_str(), refused.why), ("..", Fault::Dots));
        assert_eq!(refused.to_string(), "\"..\" is no name: \".\" and \"..\" lead elsewhere");
        for text in ["", "//", "//a", "a//b", "a/", "/a/", "./a", "a\nb", "a\0"] {
            assert!(GroupPath::new(text).is_err(), "{text:?}");
        }
        let long = "x/".repeat(2048);
        let refused = GroupPath::new(&long).unwrap_err();
        assert_eq!(refused.why, Fault::TooLong { length: 4096, most: MAX_PATH });
        assert!(refused.name.len() < 100, "a message stays short");
    }

    #[test]
    fn a_path_goes_up_and_down_one_name_at_a_time() {
        let path = GroupPath::new("a/b").unwrap();
        let name = path.name().unwrap();
        assert_eq!(
            (name.to_string(), path.parent().unwrap().to_string()),
            ("b".into(), "/a".into())
        );
        assert_eq!(path.parent().unwrap().join(&name).unwrap(), path);
        let top = path.parent().unwrap();
        assert_eq!(top.parent(), Some(GroupPath::root()));
        assert_eq!((GroupPath::root().parent(), GroupPath::root().name()), (None, None));
    }

    #[test]
    fn a_file_belongs_to_the_controller_that_it_begins_with() {
        let of = |name: &str| FileName::new(name).unwrap().controller();
        assert_eq!(of("pids.max"), Some(Controller::Pids));
        assert_eq!(of("hugetlb.2MB.max"), Some(Controller::Hugetlb));
        assert_eq!(of("blkio.weight"), Some(Controller::Io), "as v1 says it");
        for none in ["cgroup.procs", "cpu.pressure", "memory.pressure", "cpu.stat", "tasks", "x.y"]
        {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
