//! Which program stands at which path.

use std::collections::BTreeMap;
use std::sync::Arc;

use standin::{Backend, ExitCode, KPath, KPathBuf};

use super::builtin;

/// A closure that runs as a process.
pub(crate) type Program = Arc<dyn Fn(&dyn Backend, &[Vec<u8>]) -> ExitCode + Send + Sync>;

/// The programs of a machine by path.
#[derive(Default)]
pub(crate) struct Registry {
    programs: BTreeMap<KPathBuf, Program>,
}

impl Registry {
    /// The programs that every machine has, in /bin.
    pub(crate) fn built_in() -> Self {
        let mut registry = Self::default();
        for (path, program) in builtin::PROGRAMS {
            if let Ok(path) = KPath::new(path) {
                registry.add(path, Arc::new(program));
            }
        }
        registry
    }

    /// Adds a program, or puts it in another's place.
    pub(crate) fn add(&mut self, path: &KPath, program: Program) {
        self.programs.insert(path.to_owned(), program);
    }

    /// The program at this path.
    pub(crate) fn get(&self, path: &KPath) -> Option<Program> {
        self.programs.get(path).cloned()
    }
}
