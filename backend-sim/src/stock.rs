//! How much of what a machine holds: for tests that show that nothing stays behind.
//!
//! A row is a table or a map of the kernel's. Where the same is made and goes again, the counts are as before; [`Count::places`]
//! says how many records a table ever had at once, which bounds its memory.

use std::fmt;

use crate::kernel::Kernel;
use crate::table::Table;

/// What a machine holds, by what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    rows: Vec<Count>,
}

/// How many of something there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What they are.
    pub what: &'static str,
    /// How many live.
    pub live: usize,
    /// How many places there are for them, taken and free; as many as live where that is not kept in places.
    pub places: usize,
}

impl Stock {
    pub(crate) fn of(kernel: &Kernel) -> Self {
        let mut all = Self::default();
        kernel.tasks.take_stock(&mut all);
        kernel.cgroups.take_stock(&mut all);
        kernel.vfs.take_stock(&mut all);
        kernel.namespaces.take_stock(&mut all);
        kernel.sockets.take_stock(&mut all);
        kernel.contexts.take_stock(&mut all);
        all.table("pipes", &kernel.pipes);
        all.table("event counters", &kernel.counters);
        kernel.waits.take_stock(&mut all);
        all
    }

    pub(crate) fn table<T>(&mut self, what: &'static str, table: &Table<T>) {
        self.rows.push(Count { what, live: table.len(), places: table.places() });
    }

    pub(crate) fn map(&mut self, what: &'static str, live: usize) {
        self.rows.push(Count { what, live, places: live });
    }

    /// All rows, always in the same order.
    #[must_use]
    pub fn rows(&self) -> &[Count] {
        &self.rows
    }

    /// What there is more or less of than in another of the same machine, in words; nothing if there is as much of each.
    #[must_use]
    pub fn changes(&self, before: &Self) -> Vec<String> {
        let pairs = self.rows.iter().zip(&before.rows);
        let changed = pairs.filter(|(now, then)| now.live != then.live);
        changed
            .map(|(now, then)| format!("{}: {} and now {}", now.what, then.live, now.live))
            .collect()
    }
}

impl fmt::Display for Stock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Count { what, live, places } in &self.rows {
            writeln!(out, "{live:8} {what} ({places} places)")?;
        }
        Ok(())
    }
}
