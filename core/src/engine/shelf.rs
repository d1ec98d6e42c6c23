//! An engine's records, with or without an index of them.

use super::files::StateFiles;
use super::index::Known;
use super::{Container, Engine, FindError};
use crate::backend::Backend;
use crate::path::KPathBuf;

/// An engine's records.
pub(super) struct Shelf<'a> {
    pub(super) engine: Engine,
    pub(super) files: StateFiles,
    /// What is known of them, if anything is.
    pub(super) known: Option<&'a Known>,
}

impl Shelf<'_> {
    /// Which records these are.
    pub(super) fn place(&self) -> (Engine, KPathBuf) {
        (self.engine, self.files.path().to_owned())
    }

    /// The ids of all containers, in ascending order.
    pub(super) fn ids(&self, kernel: &dyn Backend) -> Result<Vec<String>, FindError> {
        (self.engine.row().ids)(kernel, &self.files)
    }

    /// Those that begin so.
    pub(super) fn beginning(
        &self,
        kernel: &dyn Backend,
        beginning: &str,
    ) -> Result<Vec<String>, FindError> {
        if let Some(known) = self.known {
            return Ok(known.beginning(beginning));
        }
        let mut ids = self.ids(kernel)?;
        ids.retain(|id| id.starts_with(beginning));
        Ok(ids)
    }

    /// Those whose record may say this name: all, as far as nothing is known.
    pub(super) fn called(
        &self,
        kernel: &dyn Backend,
        name: &str,
    ) -> Result<Vec<String>, FindError> {
        self.known.map_or_else(|| self.ids(kernel), |known| Ok(known.called(name)))
    }

    /// What the record of a container says now; `None` if there is no such container (any more).
    pub(super) fn read(
        &self,
        kernel: &dyn Backend,
        id: &str,
    ) -> Result<Option<Container>, FindError> {
        (self.engine.row().read)(kernel, &self.files, id)
    }
}
