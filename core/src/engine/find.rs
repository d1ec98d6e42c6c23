//! From a name to one container, or to none: never to some container.

use super::files::StateFiles;
use super::shelf::Shelf;
use super::table::ROWS;
use super::{Container, ContainerName, Engine};
use crate::backend::Backend;
use crate::failure::Failure;
use crate::path::KPathBuf;

/// The engines of a host, and where they keep their records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engines {
    places: Vec<(Engine, KPathBuf)>,
}

/// Why a name leads to no container.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FindError {
    /// None is called this.
    #[error("no container is called {name}")]
    NotFound {
        /// What was asked for.
        name: ContainerName,
    },
    /// Several are.
    #[error("{name} may be {}: say more of the id", among.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: ContainerName,
        /// Which containers it may be, as `ENGINE:ID`.
        among: Vec<String>,
    },
    /// A record that may be the container's is not what its engine writes.
    #[error("{path}: {why}")]
    Damaged {
        /// The record.
        path: KPathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The kernel did not let the records be read.
    #[error("{operation} {path}: {failure}")]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: KPathBuf,
        /// Why not.
        failure: Failure,
    },
}

impl Engines {
    /// No engine.
    #[must_use]
    pub const fn none() -> Self {
        Self { places: Vec::new() }
    }

    /// Every engine, with its records where it keeps them if nobody moved them.
    #[must_use]
    pub fn usual() -> Self {
        let place = |engine: Engine| Some((engine, engine.usual_directory().try_into().ok()?));
        Self { places: ROWS.iter().filter_map(|row| place(row.engine)).collect() }
    }

    /// One more engine, with its records in this directory.
    #[must_use]
    pub fn with(mut self, engine: Engine, directory: KPathBuf) -> Self {
        self.places.push((engine, directory));
        self
    }

    /// The container that a name stands for: the one whose id it is, else the one of that name, else the one whose id
    /// begins with it. What is recorded is read anew each time: all of it for a name, which [`Index`](super::Index) spares who asks
    /// often.
    ///
    /// # Errors
    /// [`FindError::Ambiguous`] if there are several at the first of these levels that has any;
    /// [`FindError::NotFound`]; [`FindError::Damaged`] if a record can't be read that would decide;
    /// [`FindError::Failed`].
    pub fn find(&self, kernel: &dyn Backend, name: &ContainerName) -> Result<Container, FindError> {
        among(kernel, &self.shelves(kernel, name)?, name)
    }

    /// The records of the engines that a name may be of.
    pub(super) fn shelves(
        &self,
        kernel: &dyn Backend,
        name: &ContainerName,
    ) -> Result<Vec<Shelf<'static>>, FindError> {
        let mut shelves = Vec::new();
        for (engine, path) in &self.places {
            if name.engine().is_none_or(|wanted| wanted == *engine) {
                let files = StateFiles::open(kernel, path)?;
                shelves.extend(files.map(|files| Shelf { engine: *engine, files, known: None }));
            }
        }
        Ok(shelves)
    }
}

/// The container that a name stands for among these.
pub(super) fn among(
    kernel: &dyn Backend,
    shelves: &[Shelf<'_>],
    name: &ContainerName,
) -> Result<Container, FindError> {
    let mut found = by_id(kernel, shelves, name)?;
    if found.is_empty() {
        found = by_name(kernel, shelves, name)?;
    }
    if found.is_empty() {
        found = by_beginning(kernel, shelves, name)?;
    }
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(FindError::NotFound { name: name.clone() }),
        (Some(only), true) => Ok(only),
        (Some(last), false) => Err(FindError::Ambiguous {
            name: name.clone(),
            among: found.iter().chain([&last]).map(Container::to_string).collect(),
        }),
    }
}

fn by_id(
    kernel: &dyn Backend,
    shelves: &[Shelf<'_>],
    name: &ContainerName,
) -> Result<Vec<Container>, FindError> {
    let mut found = Vec::new();
    for shelf in shelves {
        if let Some(id) = name.id() {
            found.extend(shelf.read(kernel, id)?);
        }
    }
    Ok(found)
}

fn by_beginning(
    kernel: &dyn Backend,
    shelves: &[Shelf<'_>],
    name: &ContainerName,
) -> Result<Vec<Container>, FindError> {
    let Some(beginning) = name.beginning() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for shelf in shelves {
        for id in &shelf.beginning(kernel, beginning)? {
            found.extend(shelf.read(kernel, id)?);
        }
    }
    Ok(found)
}

/// A damaged record hides its name: it decides if no other record has the name.
fn by_name(
    kernel: &dyn Backend,
    shelves: &[Shelf<'_>],
    name: &ContainerName,
) -> Result<Vec<Container>, FindError> {
    let mut found = Vec::new();
    let mut damaged = None;
    for shelf in shelves {
        for id in &shelf.called(kernel, name.text())? {
            match shelf.read(kernel, id) {
                Ok(container) => found.extend(
                    container
                        .filter(|container| container.names.iter().any(|own| own == name.text())),
                ),
                Err(error @ FindError::Damaged { .. }) => damaged = Some(error),
                Err(error) => return Err(error),
            }
        }
    }
    match damaged {
        Some(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}
