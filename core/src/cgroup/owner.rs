//! Who owns a group and who may do what with it: [`Owner`], [`Owners`], [`Modes`]. Data alone; `plan` applies it.

use std::fmt;

use super::group::files;
use super::name::FileName;
use crate::backend::Stat;
use crate::id::{Gid, Mode, Uid};

/// A user and a group of users; what is not said stays as it is (chown(2)).
///
/// ```
/// use standin::cgroup::Owner;
/// use standin::{Gid, Uid};
/// assert_eq!(Owner::from((Uid(1), Gid(2))), Owner { user: Some(Uid(1)), group: Some(Gid(2)) });
/// assert_eq!(Owner { user: Some(Uid(1)), group: None }.to_string(), "1:");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Owner.
    pub user: Option<Uid>,
    /// Group.
    pub group: Option<Gid>,
}

impl Owner {
    /// Whether nothing is said.
    #[must_use]
    pub const fn is_unset(self) -> bool {
        self.user.is_none() && self.group.is_none()
    }

    /// Whether a file is its own.
    pub(super) fn is_of(self, file: &Stat) -> bool {
        self.user.is_none_or(|user| user == file.owner)
            && self.group.is_none_or(|group| group == file.group)
    }
}

impl From<(Uid, Gid)> for Owner {
    fn from((user, group): (Uid, Gid)) -> Self {
        Self { user: Some(user), group: Some(group) }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = self.user {
            write!(out, "{}", user.0)?;
        }
        out.write_str(":")?;
        if let Some(group) = self.group {
            write!(out, "{}", group.0)?;
        }
        Ok(())
    }
}

/// Who owns a group: who may change what it is allowed (`control`), and who may say who is in it (`members`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owners {
    /// Of the group's directory and its files.
    pub control: Owner,
    /// Of `tasks` in v1, `cgroup.procs` and `cgroup.threads` in v2. What is not said is as `control` says.
    pub members: Owner,
}

impl Owners {
    /// Whether nothing is said.
    #[must_use]
    pub const fn is_unset(&self) -> bool {
        self.control.is_unset() && self.members.is_unset()
    }

    /// The owner of a file, or of the directory.
    pub(super) fn of(&self, file: Option<&FileName>) -> Owner {
        if !file.is_some_and(lists_members) {
            return self.control;
        }
        Owner {
            user: self.members.user.or(self.control.user),
            group: self.members.group.or(self.control.group),
        }
    }
}

/// What may be done with a group. Each bit is given only if the file has it for somebody: no file becomes writable that the
/// kernel does not let be written, none executable. Given again, they change nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Modes {
    /// Of the directory.
    pub directory: Option<Mode>,
    /// Of its files.
    pub files: Option<Mode>,
    /// Of those that say who is in it; without it they are as the other files.
    pub members: Option<Mode>,
}

impl Modes {
    /// Whether nothing is said.
    #[must_use]
    pub const fn is_unset(&self) -> bool {
        self.directory.is_none() && self.files.is_none() && self.members.is_none()
    }

    /// The bits of a file, or of the directory, that has these now.
    pub(super) fn of(&self, file: Option<&FileName>, now: Mode) -> Option<Mode> {
        let wanted = match file {
            None => self.directory,
            Some(file) if lists_members(file) => self.members.or(self.files),
            Some(_) => self.files,
        };
        wanted.map(|wanted| mask(wanted, now))
    }
}

/// The bits that somebody has now, for everybody; those above the lowest nine are kept.
fn mask(wanted: Mode, now: Mode) -> Mode {
    const ABOVE: u16 = 0o7000;
    let now = now.bits();
    let somebody = (now >> 6 | now >> 3 | now) & 0o7;
    Mode::new(wanted.bits() & (ABOVE | somebody << 6 | somebody << 3 | somebody))
}

fn lists_members(file: &FileName) -> bool {
    [files::tasks(), files::procs(), files::threads()].contains(file)
}

#[cfg(test)]
mod tests {
    use super::{Modes, Owner, Owners};
    use crate::cgroup::FileName;
    use crate::{Gid, Mode, Uid};

    fn file(name: &str) -> FileName {
        FileName::new(name).unwrap()
    }

    #[test]
    fn a_bit_is_given_only_where_somebody_has_it_and_stays_when_it_is_given_again() {
        let modes = Modes { files: Some(Mode::new(0o471)), ..Modes::default() };
        let of = |now| modes.of(Some(&file("pids.max")), Mode::new(now)).map(Mode::bits);
        assert_eq!((of(0o644), of(0o444), of(0o200)), (Some(0o460), Some(0o440), Some(0o020)));
        assert_eq!((of(0o460), of(0o440), of(0o020)), (Some(0o460), Some(0o440), Some(0o020)));
        assert_eq!(modes.of(None, Mode::new(0o755)), None, "nothing was said of the directory");
    }

    #[test]
    fn files_of_members_may_have_an_owner_and_a_mode_of_their_own() {
        let control = Owner::from((Uid(1), Gid(2)));
        let owners = Owners { control, members: Owner { user: Some(Uid(3)), group: None } };
        for name in ["tasks", "cgroup.procs", "cgroup.threads"] {
            assert_eq!(owners.of(Some(&file(name))), Owner::from((Uid(3), Gid(2))), "{name}");
        }
        assert_eq!(owners.of(Some(&file("cgroup.freeze"))), control);
        assert_eq!(owners.of(None), control);
        let modes = Modes { members: Some(Mode::new(0o660)), ..Modes::default() };
        assert_eq!(modes.of(Some(&file("tasks")), Mode::new(0o644)), Some(Mode::new(0o660)));
        assert_eq!(modes.of(Some(&file("pids.max")), Mode::new(0o644)), None);
    }
}
