//! Which program stands at which path.

use std::collections::BTreeMap;
use std::sync::Arc;

use standin::{Backend, ExitCode, KPath, KPathBuf};

use super::builtin;

/// A closure that runs as a process.
pub(crate) type Program = Arc<dyn Fn(&dyn Backend, &[Vec<u8>]) -> ExitCode + Send + Sync>;

/// The programs of a machine by path, besides those that every machine has in /bin.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    programs: BTreeMap<KPathBuf, Program>,
}

impl Registry {
    /// Adds a program, or puts it in another's place.
    pub(crate) fn add(&mut self, path: &KPath, program: Program) {
        self.programs.insert(path.to_owned(), program);
    }

    /// The paths of the programs, in their order.
    #[cfg(feature = "serde")]
    pub(crate) fn paths(&self) -> impl Iterator<Item = &KPathBuf> {
        self.programs.keys()
    }

    /// With a program whose closure is still to be told; it must not be started before.
    #[cfg(feature = "serde")]
    pub(crate) fn awaiting(mut self, path: KPathBuf) -> Self {
        let program = |_: &dyn Backend, _: &[Vec<u8>]| -> ExitCode {
            panic!(
                "it was in the snapshot that was read: tell the machine again with Machine::program"
            )
        };
        self.programs.insert(path, Arc::new(program));
        self
    }

    /// The program at this path.
    pub(crate) fn get(&self, path: &KPath) -> Option<Program> {
        self.programs.get(path).cloned().or_else(|| built_in(path))
    }
}

fn built_in(path: &KPath) -> Option<Program> {
    let (_, program) =
        builtin::PROGRAMS.into_iter().find(|(known, _)| known.as_bytes() == path.as_bytes())?;
    Some(Arc::new(program))
}
