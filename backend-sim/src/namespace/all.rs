//! The namespaces of one kind: each has a number, is held by sets and handles, and counts as its maker's
//! (/proc/sys/user/max_*_namespaces).

use rustc_hash::FxHashMap;
use standin::{Errno, Uid};

use super::number::Numbers;
use crate::table::{Key, Table};

/// A namespace of a kind, which is what `T` is.
pub(crate) struct Namespace<T> {
    pub(crate) content: T,
    pub(super) number: u32,
    /// Sets and handles that it is in.
    pub(super) holders: u32,
    /// Nobody's is the first.
    maker: Option<Uid>,
}

/// All of one kind.
pub(super) struct All<T> {
    table: Table<Namespace<T>>,
    /// How many each user has made that are still there.
    counts: FxHashMap<Uid, u64>,
}

impl<T> All<T> {
    /// The one that a machine boots with, which is never let go.
    pub(super) fn boot(number: u32, content: T) -> (Self, Key<Namespace<T>>) {
        let mut table = Table::default();
        let first = table.insert(Namespace { content, number, holders: 1, maker: None });
        (Self { table, counts: FxHashMap::default() }, first)
    }

    #[track_caller]
    pub(super) fn at(&self, key: Key<Namespace<T>>) -> &Namespace<T> {
        self.table.at(key)
    }

    #[track_caller]
    pub(super) fn at_mut(&mut self, key: Key<Namespace<T>>) -> &mut Namespace<T> {
        self.table.at_mut(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key<Namespace<T>>, &Namespace<T>)> {
        self.table.iter()
    }

    /// Whether a user may make one more: ENOSPC beyond `most`.
    pub(super) fn check_room(&self, user: Uid, most: Option<u64>) -> Result<(), Errno> {
        let made = self.counts.get(&user).copied().unwrap_or_default();
        if most.is_some_and(|most| made >= most) { Err(Errno::ENOSPC) } else { Ok(()) }
    }

    /// A new one, which nobody holds yet.
    pub(super) fn make(
        &mut self,
        user: Uid,
        numbers: &mut Numbers,
        content: T,
    ) -> Key<Namespace<T>> {
        *self.counts.entry(user).or_default() += 1;
        let number = numbers.take();
        self.table.insert(Namespace { content, number, holders: 0, maker: Some(user) })
    }

    pub(super) fn keep(&mut self, key: Key<Namespace<T>>) {
        self.table.at_mut(key).holders += 1;
    }

    /// A holder has gone; with the last one the namespace does: then what it was.
    pub(super) fn let_go(&mut self, key: Key<Namespace<T>>, numbers: &mut Numbers) -> Option<T> {
        let namespace = self.table.at_mut(key);
        namespace.holders -= 1;
        if namespace.holders > 0 {
            return None;
        }
        let gone = self.table.remove(key)?;
        numbers.give_back(gone.number);
        if let Some(count) = gone.maker.and_then(|maker| self.counts.get_mut(&maker)) {
            *count -= 1;
        }
        Some(gone.content)
    }

    /// Whether every namespace is counted for who made it.
    pub(super) fn counts_agree(&self) -> bool {
        let made = self.table.iter().filter(|(_, namespace)| namespace.maker.is_some()).count();
        self.counts.values().sum::<u64>() == made as u64
    }
}
