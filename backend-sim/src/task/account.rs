//! What each user has running: processes and queued signals, counted by real user id (getrlimit(2), `RLIMIT_NPROC` and
//! `RLIMIT_SIGPENDING`), in each context for itself.

use rustc_hash::FxHashMap;
use standin::Uid;

use crate::context::Label;
use crate::table::{Key, Table};

pub(crate) type AccountKey = Key<Account>;

/// The counts of one user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pub(crate) user: Uid,
    pub(crate) label: Label,
    /// Threads, zombies included until they are waited for.
    pub(crate) threads: u32,
    /// Signals that wait for these threads to take them.
    pub(crate) signals: u32,
}

/// The users that ever ran something.
#[derive(Default)]
pub(crate) struct Accounts {
    table: Table<Account>,
    by_user: FxHashMap<(Label, Uid), AccountKey>,
}

impl Accounts {
    /// The account of a user, a new one if need be.
    pub(crate) fn of(&mut self, label: Label, user: Uid) -> AccountKey {
        let table = &mut self.table;
        *self
            .by_user
            .entry((label, user))
            .or_insert_with(|| table.insert(Account { user, label, threads: 0, signals: 0 }))
    }

    pub(crate) fn get(&self, key: AccountKey) -> &Account {
        self.table.at(key)
    }

    pub(crate) fn get_mut(&mut self, key: AccountKey) -> &mut Account {
        self.table.at_mut(key)
    }

    /// Every account.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (AccountKey, &Account)> {
        self.table.iter()
    }
}
