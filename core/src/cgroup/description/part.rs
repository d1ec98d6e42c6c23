//! What a description says of one controller: files and what is, or shall be, in them ([`Part`]).

use super::super::content::Content;
use super::super::error::{Action, Error, Result};
use super::super::name::{FileName, GroupPath};
use super::super::rule::Rule;
use super::super::subsystem::Subsystem;
use super::super::value::{Value, ValueError};

/// A file and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) file: FileName,
    pub(super) text: Vec<u8>,
    /// What is to be written; none of what was only read.
    pub(super) change: Option<Value>,
}

/// The values of one controller, in the order in which they were given.
///
/// ```
/// use standin::Controller;
/// use standin::cgroup::{Code, Description, GroupPath};
///
/// let mut web = Description::new(GroupPath::new("web").unwrap());
/// let pids = web.add(Controller::Pids).unwrap();
/// pids.add("pids.max", 5).unwrap();
/// assert_eq!(pids.add("pids.max", 6).unwrap_err().code(), Code::VALUE_EXISTS);
/// pids.set("pids.max", 7).unwrap();
/// assert_eq!(pids.get("pids.max").unwrap().number::<u64>().unwrap(), 7);
/// assert_eq!(pids.get("pids.current").unwrap_err().code(), Code::VALUE_NOT_EXIST);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    group: GroupPath,
    subsystem: Subsystem,
    pub(super) settings: Vec<Setting>,
}

impl Part {
    pub(super) fn new(group: &GroupPath, subsystem: Subsystem) -> Self {
        Self { group: group.clone(), subsystem, settings: Vec::new() }
    }

    /// What it is about.
    #[must_use]
    pub fn subsystem(&self) -> &Subsystem {
        &self.subsystem
    }

    /// Adds a value, to be written.
    ///
    /// # Errors
    /// [`Rule::Name`], [`Rule::Value`]; [`Rule::ValueTwice`] if there is one for this file.
    pub fn add<V>(&mut self, file: &str, value: V) -> Result<()>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let (file, value) = self.check(file, value)?;
        if self.find(&file).is_some() {
            return Err(self.refused(Rule::ValueTwice).in_file(&file));
        }
        self.settings.push(Setting { file, text: value.as_bytes().to_vec(), change: Some(value) });
        Ok(())
    }

    /// Sets a value, to be written: in the place of one that is there, or behind the others.
    ///
    /// # Errors
    /// [`Rule::Name`], [`Rule::Value`].
    pub fn set<V>(&mut self, file: &str, value: V) -> Result<()>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let (file, value) = self.check(file, value)?;
        let setting = Setting { file, text: value.as_bytes().to_vec(), change: Some(value) };
        match self.settings.iter_mut().find(|it| it.file == setting.file) {
            Some(there) => *there = setting,
            None => self.settings.push(setting),
        }
        Ok(())
    }

    /// What a file says: as it was read, or shall be written.
    ///
    /// # Errors
    /// [`Rule::Name`]; [`Rule::NoValue`] if there is none for this file.
    pub fn get(&self, file: &str) -> Result<Content> {
        let name = FileName::new(file).map_err(|error| self.refused(Rule::Name(error)))?;
        let setting = self.find(&name);
        let setting = setting.ok_or_else(|| self.refused(Rule::NoValue).in_file(&name))?;
        Ok(Content::new(&self.group, &setting.file, setting.text.clone()))
    }

    /// The files that it has values for.
    #[must_use]
    pub fn files(&self) -> impl ExactSizeIterator<Item = &FileName> {
        self.settings.iter().map(|setting| &setting.file)
    }

    /// Whether both say the same of the same files, in whatever order.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let is_there = |setting: &Setting| {
            other.find(&setting.file).is_some_and(|there| there.text == setting.text)
        };
        self.subsystem == other.subsystem
            && self.settings.len() == other.settings.len()
            && self.settings.iter().all(is_there)
    }

    /// The same of another group, with every value to be written that can be.
    pub(super) fn of(&self, group: &GroupPath) -> Self {
        Self { group: group.clone(), ..self.clone() }
    }

    fn find(&self, file: &FileName) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.file == *file)
    }

    fn check<V>(&self, file: &str, value: V) -> Result<(FileName, Value)>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let file = FileName::new(file).map_err(|error| self.refused(Rule::Name(error)))?;
        let value = value.try_into().map_err(ValueError::from);
        let value = value.map_err(|error| self.refused(Rule::Value(error)).in_file(&file))?;
        Ok((file, value))
    }

    fn refused(&self, rule: Rule) -> Error {
        Error::found(Action::Describe, rule).on(&self.group)
    }
}
