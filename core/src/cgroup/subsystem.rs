//! What a description is about: a controller, the group itself, or a named hierarchy ([`Subsystem`]).

use std::fmt;
use std::str::FromStr;

use super::error::{Action, Error, Result};
use super::hierarchy::{Hierarchies, Hierarchy};
use super::name::{check, shown};
use super::rule::Rule;
use crate::backend::Backend;
use crate::controller::Controller;

/// The longest name of a v1 hierarchy: the kernel refuses to mount one with a longer.
const MAX_HIERARCHY_NAME: usize = 63;

/// What libcgroup calls a controller: the name that says in which hierarchy a group is.
///
/// ```
/// use standin::Controller;
/// use standin::cgroup::Subsystem;
///
/// // The names of v1 and of v2 say the same.
/// assert_eq!("blkio".parse::<Subsystem>().unwrap(), Subsystem::Controller(Controller::Io));
/// assert_eq!("io".parse::<Subsystem>().unwrap(), Subsystem::Controller(Controller::Io));
/// assert_eq!("cgroup".parse::<Subsystem>().unwrap(), Subsystem::Core);
/// assert_eq!("name=systemd".parse::<Subsystem>().unwrap().to_string(), "name=systemd");
/// assert!("nosuch".parse::<Subsystem>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subsystem {
    /// The v2 hierarchy without any controller: the `cgroup.` files. libcgroup calls it `cgroup`.
    Core,
    /// A controller, wherever it is mounted.
    Controller(Controller),
    /// The v1 hierarchy with this name.
    Named(String),
}

impl Subsystem {
    /// The controller, if it is one.
    #[must_use]
    pub const fn controller(&self) -> Option<Controller> {
        match self {
            Self::Controller(controller) => Some(*controller),
            Self::Core | Self::Named(_) => None,
        }
    }
}

impl From<Controller> for Subsystem {
    fn from(controller: Controller) -> Self {
        Self::Controller(controller)
    }
}

impl FromStr for Subsystem {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "cgroup" {
            return Ok(Self::Core);
        }
        if let Some(name) = text.strip_prefix("name=") {
            check(name.as_bytes(), MAX_HIERARCHY_NAME)?;
            return Ok(Self::Named(name.to_owned()));
        }
        let known = Controller::from_name(text).or_else(|| Controller::from_v1_name(text));
        known.map(Self::Controller).ok_or_else(|| {
            let name = shown(text.as_bytes());
            Error::found(Action::Check, Rule::NoSuchController { name })
        })
    }
}

impl fmt::Display for Subsystem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core => out.write_str("cgroup"),
            Self::Controller(controller) => write!(out, "{controller}"),
            Self::Named(name) => write!(out, "name={name}"),
        }
    }
}

impl Hierarchies {
    /// The hierarchy that a subsystem is in.
    ///
    /// # Errors
    /// As [`unified`](Self::unified), [`with`](Self::with) and [`named`](Self::named).
    pub fn of(&self, backend: &dyn Backend, subsystem: &Subsystem) -> Result<&Hierarchy> {
        match subsystem {
            Subsystem::Core => self.unified(),
            Subsystem::Controller(controller) => self.with(backend, *controller),
            Subsystem::Named(name) => self.named(name),
        }
    }
}
