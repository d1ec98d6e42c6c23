//! All groups of a hierarchy, or of a part of it, one after the other: [`Walk`].
//!
//! It goes down by the directories that it holds, so a group that is renamed meanwhile leads nowhere else. It knows nothing of
//! what is done with the groups.

use std::vec;

use super::error::{Error, Result};
use super::group::Group;
use super::hierarchy::Hierarchy;
use super::name::{GroupName, GroupPath};
use super::rule::Rule;
use crate::backend::Backend;

/// The groups on the way down, or on the way up. Each step is an answer of its own: after an error it goes on beside what could
/// not be opened or listed.
///
/// A group's children are listed when it is their turn, so those that are made meanwhile below it are met and those that
/// are removed are not; a group that vanishes before it could be opened is left out. Only the end of the group at the top is
/// an error. At any time it holds one directory for each level that it is below the top, and no lists but theirs.
///
/// ```
/// use standin::cgroup::{Creation, Group, GroupPath, Hierarchies};
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let hierarchy = hierarchies.unified().unwrap();
/// for path in ["a/x/deep", "a/y"] {
///     Creation::new(GroupPath::new(path).unwrap()).create(&kernel, hierarchy).unwrap();
/// }
/// let a = hierarchy.open(&kernel, &GroupPath::new("a").unwrap()).unwrap();
/// let path = |group: standin::cgroup::Result<Group>| group.unwrap().path().to_string();
/// let down: Vec<String> = a.walk(&kernel).map(path).collect();
/// assert_eq!(down, ["/a", "/a/x", "/a/x/deep", "/a/y"]);
/// let up: Vec<String> = a.walk(&kernel).deepest_first().map(path).collect();
/// assert_eq!(up, ["/a/x/deep", "/a/x", "/a/y", "/a"]);
/// let children: Vec<String> = a.walk(&kernel).at_most(1).map(path).collect();
/// assert_eq!(children, ["/a", "/a/x", "/a/y"]);
///
/// // What is yielded may be removed.
/// for group in a.walk(&kernel).deepest_first() {
///     group.unwrap().delete(&kernel).unwrap();
/// }
/// ```
pub struct Walk<'a> {
    backend: &'a dyn Backend,
    is_upward: bool,
    deepest: usize,
    /// The group at the top until it is its turn.
    top: Option<Group>,
    /// From the top to where it is.
    way: Vec<Level>,
}

/// A group on the way, and those in it whose turn is still to come, once they are listed.
struct Level {
    group: Group,
    left: Option<vec::IntoIter<GroupName>>,
}

impl Walk<'_> {
    /// Each group after those in it, rather than before.
    #[must_use]
    pub fn deepest_first(mut self) -> Self {
        self.is_upward = true;
        self
    }

    /// No more than so many levels below the top; 0 is the top alone.
    #[must_use]
    pub fn at_most(mut self, levels: usize) -> Self {
        self.deepest = levels;
        self
    }

    /// Steps into a group: it is the answer on the way down.
    fn enter(&mut self, group: Group) -> Option<Group> {
        let met = (!self.is_upward).then(|| group.reopened());
        self.way.push(Level { group, left: None });
        met
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Group>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(top) = self.top.take()
            && let Some(met) = self.enter(top)
        {
            return Some(Ok(met));
        }
        loop {
            let depth = self.way.len().checked_sub(1)?;
            let level = self.way.last_mut()?;
            let Some(left) = &mut level.left else {
                let listed = if depth == self.deepest {
                    Ok(Vec::new())
                } else {
                    level.group.children(self.backend)
                };
                let gone = listed.as_ref().is_err_and(is_gone);
                match listed {
                    Ok(names) => level.left = Some(names.into_iter()),
                    Err(error) => {
                        self.way.pop();
                        if depth == 0 || !gone {
                            return Some(Err(error));
                        }
                    }
                }
                continue;
            };
            let Some(name) = left.next() else {
                let done = self.way.pop()?;
                if self.is_upward {
                    return Some(Ok(done.group));
                }
                continue;
            };
            match level.group.child(self.backend, &name) {
                Ok(group) => {
                    if let Some(met) = self.enter(group) {
                        return Some(Ok(met));
                    }
                }
                Err(error) if is_gone(&error) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

fn is_gone(error: &Error) -> bool {
    matches!(error.rule(), Some(Rule::Vanished | Rule::Missing))
}

impl Group {
    /// It and all groups below it, each before those in it, by name.
    #[must_use]
    pub fn walk<'a>(&self, backend: &'a dyn Backend) -> Walk<'a> {
        Walk {
            backend,
            is_upward: false,
            deepest: usize::MAX,
            top: Some(self.reopened()),
            way: Vec::new(),
        }
    }
}

impl Hierarchy {
    /// All of its groups, the root first.
    ///
    /// # Errors
    /// As [`open`](Self::open) of the root.
    pub fn walk<'a>(&self, backend: &'a dyn Backend) -> Result<Walk<'a>> {
        Ok(self.open(backend, &GroupPath::root())?.walk(backend))
    }
}
