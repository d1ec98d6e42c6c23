//! What generated scripts are about: each subject has tables and a generator of its own.

/// What scripts are about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Control groups and their files, and processes in them.
    #[default]
    Cgroups,
    /// Processes: credentials, signals, sessions, limits, namespaces, mounts, files, local sockets.
    Processes,
    /// What /proc tells of processes and takes from them.
    Proc,
}

impl Subject {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Cgroups, Self::Processes, Self::Proc];

    /// How it is called.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cgroups => "cgroups",
            Self::Processes => "processes",
            Self::Proc => "proc",
        }
    }
}
