//! What went wrong: [`Error`] says what was tried, on which group and file, what the kernel answered, and which
//! [`Rule`] stood in the way.

use std::fmt;
use std::io;

use super::code::Code;
use super::name::{FileName, GroupPath, NameError};
use super::rule::Rule;
use super::value::ValueError;
use crate::errno::Errno;
use crate::failure::Failure;

/// What every function here returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Taking a text for a name or a value.
    Check,
    /// Describing a group.
    Describe,
    /// Finding the hierarchies.
    Find,
    /// Opening a group.
    Open,
    /// Making a group.
    Create,
    /// Enabling controllers for a group's children.
    Enable,
    /// Disabling them.
    Disable,
    /// Reading a file.
    Read,
    /// Writing a file.
    Write,
    /// Giving a group or a file of it to somebody, or saying who may do what with it.
    Give,
    /// Moving a process.
    Attach,
    /// Moving a thread.
    AttachThread,
    /// Listing a group's children.
    List,
    /// Removing a group.
    Delete,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Describe => "describe",
            Self::Find => "find the hierarchies by",
            Self::Open => "open",
            Self::Create => "create",
            Self::Enable => "enable controllers in",
            Self::Disable => "disable controllers in",
            Self::Read => "read",
            Self::Write => "write",
            Self::Give => "give",
            Self::Attach => "attach a process by",
            Self::AttachThread => "attach a thread by",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }
}

/// Why something was not done.
///
/// ```
/// use standin::cgroup::{Code, GroupPath, Hierarchies, Rule};
/// use standin::Errno;
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let root = hierarchies.unified().unwrap().open(&kernel, &GroupPath::root()).unwrap();
/// let refused = root.set(&kernel, "cgroup.max.depth", "deep").unwrap_err();
/// assert_eq!(refused.errno(), Some(Errno::EINVAL));
/// assert_eq!(refused.rule(), Some(&Rule::BadValue));
/// assert_eq!(refused.code(), Code::OTHER);
/// assert_eq!(
///     refused.to_string(),
///     "write cgroup.max.depth of /: EINVAL (the file does not take this value: cgroup-v2.rst says which)"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    action: Action,
    group: Option<GroupPath>,
    file: Option<String>,
    failure: Option<Failure>,
    rule: Option<Rule>,
    left: Vec<Error>,
}

impl Error {
    fn new(action: Action, failure: Option<Failure>, rule: Option<Rule>) -> Self {
        Self(Box::new(Inner { action, group: None, file: None, failure, rule, left: Vec::new() }))
    }

    /// This was found before any kernel was asked, or in what it answered.
    pub(super) fn found(action: Action, rule: Rule) -> Self {
        Self::new(action, None, Some(rule))
    }

    /// The backend failed; the rule is why, as far as could be found out.
    pub(super) fn failed(action: Action, failure: Failure, rule: Option<Rule>) -> Self {
        Self::new(action, Some(failure), rule)
    }

    pub(super) fn on(mut self, group: &GroupPath) -> Self {
        self.0.group = Some(group.clone());
        self
    }

    pub(super) fn in_file(mut self, file: &FileName) -> Self {
        self.0.file = Some(file.to_string());
        self
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        self.0.file = Some(path.to_owned());
        self
    }

    /// With what could not be taken back.
    pub(super) fn leaving(mut self, left: Vec<Self>) -> Self {
        self.0.left = left;
        self
    }

    /// What was tried.
    #[must_use]
    pub fn action(&self) -> Action {
        self.0.action
    }

    /// On which group, if it was about one.
    #[must_use]
    pub fn group(&self) -> Option<&GroupPath> {
        self.0.group.as_ref()
    }

    /// On which file, if it was about one.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// What the backend answered; `None` if it was not asked, or did what it was told.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.0.failure.as_ref()
    }

    /// The kernel's error number, if a kernel refused.
    #[must_use]
    pub fn errno(&self) -> Option<Errno> {
        self.0.failure.as_ref().and_then(Failure::errno)
    }

    /// The rule that stood in the way. `None` if the kernel refused for a reason that could not be found out.
    #[must_use]
    pub fn rule(&self) -> Option<&Rule> {
        self.0.rule.as_ref()
    }

    /// What was done before this failed and could not be taken back: why not, one by one. Usually nothing.
    #[must_use]
    pub fn left(&self) -> &[Error] {
        &self.0.left
    }

    /// The number that libcgroup has for it.
    #[must_use]
    pub fn code(&self) -> Code {
        match (&self.0.rule, self.0.action, self.errno()) {
            (Some(rule), action, errno) => rule.code(action, errno),
            (None, Action::Create, Some(Errno::EPERM)) => Code::NOT_OWNER,
            (None, Action::Create, Some(_)) => Code::NOT_ALLOWED,
            (None, _, _) => Code::OTHER,
        }
    }
}

impl Rule {
    /// What libcgroup returns where this rule stands in the way, or would if it looked.
    fn code(&self, action: Action, errno: Option<Errno>) -> Code {
        match self {
            Self::Name(_) | Self::Value(_) | Self::NotA { .. } => Code::INVALID,
            Self::NotMounted | Self::BadMountList { .. } => Code::NOT_MOUNTED,
            Self::Missing | Self::Vanished => Code::NOT_EXIST,
            Self::NoSuchController { .. } => Code::SUBSYSTEM_NOT_MOUNTED,
            Self::ControllerTwice(_) => Code::CONTROLLER_EXISTS,
            Self::ValueTwice => Code::VALUE_EXISTS,
            Self::WantedTwice => Code::INVALID,
            Self::SaysOther { .. } => Code::CANT_SET_VALUE,
            Self::NoCounterpart { .. } => Code::NO_VERSION_CONVERT,
            Self::PressureOff => Code::UNSUPPORTED,
            Self::Window => Code::INVALID,
            Self::NoValue => Code::VALUE_NOT_EXIST,
            Self::Taken => Code::NOT_CREATED,
            Self::Root => Code::FAIL,
            Self::NoFile | Self::ControllerOff(_) => Code::VALUE_NOT_EXIST,
            Self::ControllerMissing(_) => Code::SUBSYSTEM_NOT_MOUNTED,
            Self::Occupied { .. } => Code::NON_EMPTY,
            Self::Kind(_) if action == Action::Read => Code::UNSUPPORTED,
            Self::Permission if matches!(action, Action::Give | Action::Delete) => Code::OTHER,
            Self::Permission | Self::Containment if errno == Some(Errno::EPERM) => Code::NOT_OWNER,
            Self::Permission | Self::Containment | Self::Full { .. } => Code::NOT_ALLOWED,
            Self::NotReadable
            | Self::NotWritable
            | Self::BadValue
            | Self::Irrevocable
            | Self::TooLong { .. }
            | Self::Cut { .. }
            | Self::Endless { .. }
            | Self::InternalProcesses { .. }
            | Self::SharesOut(_)
            | Self::UsedBelow { .. }
            | Self::Kind(_)
            | Self::NoSuchTask
            | Self::EmptyCpuset
            | Self::Immovable => Code::OTHER,
        }
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Self::found(Action::Check, Rule::Name(error))
    }
}

impl From<ValueError> for Error {
    fn from(error: ValueError) -> Self {
        Self::found(Action::Check, Rule::Value(error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { action, group, file, failure, rule, left } = &*self.0;
        out.write_str(action.name())?;
        match (file, group) {
            (Some(file), Some(group)) => write!(out, " {file} of {group}")?,
            (Some(file), None) => write!(out, " {file}")?,
            (None, Some(group)) => write!(out, " {group}")?,
            (None, None) => {}
        }
        match (failure, rule) {
            (Some(failure), Some(rule)) => write!(out, ": {failure} ({rule})")?,
            (Some(failure), None) => write!(out, ": {failure}")?,
            (None, Some(rule)) => write!(out, ": {rule}")?,
            (None, None) => {}
        }
        for left in left {
            write!(out, "\n  not taken back: {left}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.failure.as_ref().map(|failure| failure as _)
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.failure() {
            Some(failure) => Self::from(failure.clone()).kind(),
            None => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
