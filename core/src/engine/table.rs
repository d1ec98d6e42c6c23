//! The engines: a row each.

use std::fmt;

use super::docker;
use super::files::StateFiles;
use super::{Container, FindError};
use crate::backend::Backend;
use crate::failure::Result;

/// A container engine whose records can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Engine {
    /// Docker, from 1.5 on.
    Docker,
}

type Read = fn(&dyn Backend, &StateFiles, &str) -> Result<Option<Container>, FindError>;

/// What is known of an engine, and its reader.
pub(super) struct Row {
    pub(super) engine: Engine,
    /// The word before the colon in `docker:web`.
    pub(super) name: &'static str,
    /// Where it keeps its records if nobody moved them.
    pub(super) directory: &'static str,
    /// The directory in which each of its containers has one.
    pub(super) containers: &'static str,
    /// Whether such a directory can be a container's, by its name.
    pub(super) is_id: fn(&str) -> bool,
    /// The ids of its containers, in ascending order.
    pub(super) ids: fn(&dyn Backend, &StateFiles) -> Result<Vec<String>, FindError>,
    /// One container's record; `None` if there is no such container (any more).
    pub(super) read: Read,
}

pub(super) const ROWS: [Row; 1] = [Row {
    engine: Engine::Docker,
    name: "docker",
    directory: "/var/lib/docker",
    containers: docker::CONTAINERS,
    is_id: docker::is_id,
    ids: docker::ids,
    read: docker::read,
}];

impl Engine {
    /// Every engine, in the order in which they are asked.
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.engine)
    }

    /// The engine of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.engine)
    }

    /// Its name, as it stands before the colon in `docker:web`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Where it keeps its records if nobody moved them.
    #[must_use]
    pub const fn usual_directory(self) -> &'static str {
        self.row().directory
    }

    pub(super) const fn row(self) -> &'static Row {
        let [docker] = &ROWS;
        match self {
            Self::Docker => docker,
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, ROWS};

    #[test]
    fn each_row_is_its_engine_s() {
        for row in &ROWS {
            assert_eq!(row.engine.row().name, row.name);
            assert_eq!(Engine::from_name(row.name), Some(row.engine));
            assert!(row.directory.starts_with('/'), "{}", row.directory);
            assert!(row.name.bytes().all(|byte| byte.is_ascii_lowercase()), "{}", row.name);
        }
        assert_eq!(Engine::all().count(), ROWS.len());
    }
}
