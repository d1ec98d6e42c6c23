//! What each user has running: processes and queued signals, counted by real user id (getrlimit(2), `RLIMIT_NPROC` and
//! `RLIMIT_SIGPENDING`), in each context and user namespace for itself. Processes count for the maker of the namespace too, right above
//! it.

use rustc_hash::FxHashMap;
use standin::Uid;

use crate::context::Label;
use crate::namespace::user::{UserKey, UserNs};
use crate::stock::Stock;
use crate::table::{Key, Table};

pub(crate) type AccountKey = Key<Account>;

/// The counts of one user.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Account {
    pub(crate) user: Uid,
    pub(crate) label: Label,
    pub(crate) namespace: UserNs,
    /// Those of the user namespace's maker, and how many threads it lets be.
    pub(crate) above: Option<(AccountKey, Option<u64>)>,
    /// Threads, zombies included until they are waited for, of namespaces below too.
    pub(crate) threads: u32,
    /// Signals that wait for these threads to take them.
    pub(crate) signals: u32,
}

/// A user, in a context and a user namespace.
type Whose = (Label, UserNs, Uid);

/// The users that ever ran something.
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Accounts {
    table: Table<Account>,
    #[cfg_attr(feature = "serde", serde(with = "crate::written::map"))]
    by_user: FxHashMap<Whose, AccountKey>,
}

impl Accounts {
    /// How many there are.
    pub(super) fn take_stock(&self, all: &mut Stock) {
        all.table("users", &self.table);
    }

    /// The account of a user, a new one below `above` if need be.
    pub(crate) fn of(
        &mut self,
        whose: Whose,
        above: Option<(AccountKey, Option<u64>)>,
    ) -> AccountKey {
        let (label, namespace, user) = whose;
        let table = &mut self.table;
        *self.by_user.entry(whose).or_insert_with(|| {
            table.insert(Account { user, label, namespace, above, threads: 0, signals: 0 })
        })
    }

    /// The account of another user beside this one: who makes a namespace counts by its effective id.
    pub(crate) fn of_maker(&mut self, beside: AccountKey, user: Uid) -> AccountKey {
        let Account { label, namespace, above, .. } = *self.table.at(beside);
        self.of((label, namespace, user), above)
    }

    /// An account, and those that count what it counts.
    pub(crate) fn chain(&self, key: AccountKey) -> impl Iterator<Item = AccountKey> {
        let above = |key: &AccountKey| self.table.at(*key).above.map(|(above, _)| above);
        std::iter::successors(Some(key), above)
    }

    /// One thread more, for all that count it.
    pub(crate) fn add_thread(&mut self, key: AccountKey) {
        self.change(key, |threads| *threads += 1);
    }

    /// One thread less.
    pub(crate) fn remove_thread(&mut self, key: AccountKey) {
        self.change(key, |threads| *threads -= 1);
    }

    fn change(&mut self, key: AccountKey, change: impl Fn(&mut u32)) {
        let mut next = Some(key);
        while let Some(key) = next {
            let account = self.table.at_mut(key);
            change(&mut account.threads);
            next = account.above.map(|(above, _)| above);
        }
    }

    /// Whether with so many threads more there are too many for the limit, or for that of a namespace that they are in.
    pub(crate) fn exceed(&self, key: AccountKey, more: u32, limit: Option<u64>) -> bool {
        let (mut key, mut limit) = (key, limit);
        loop {
            let account = self.table.at(key);
            if limit.is_some_and(|limit| u64::from(account.threads + more) > limit) {
                return true;
            }
            let Some(above) = account.above else { return false };
            (key, limit) = above;
        }
    }

    /// A user namespace is gone, in which nobody runs any more.
    pub(crate) fn forget(&mut self, namespace: UserKey) {
        let table = &mut self.table;
        self.by_user.retain(|(_, of, _), key| {
            let stays = *of != Some(namespace);
            if !stays {
                table.discard(*key);
            }
            stays
        });
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
