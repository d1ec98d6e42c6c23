//! The namespaces of one kind: each has a number, is held by sets and handles, and knows who made it.

use standin::Uid;

use super::number::Numbers;
use super::user::UserNs;
use crate::stock::Stock;
use crate::table::{Key, Table};

/// A namespace of a kind, which is what `T` is.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Namespace<T> {
    pub(crate) content: T,
    pub(super) number: u32,
    /// Sets and handles that it is in.
    pub(super) holders: u32,
    pub(super) maker: Maker,
}

/// Who made a namespace, and the user namespace that this was done in: who is capable there may change it, and there and in all
/// above it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Maker {
    pub(crate) within: UserNs,
    pub(crate) user: Uid,
}

impl Maker {
    /// Of what a machine boots with.
    pub(super) const KERNEL: Self = Self { within: None, user: Uid::ROOT };
}

/// All of one kind.
#[derive(Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct All<T> {
    table: Table<Namespace<T>>,
}

impl<T: Clone> All<T> {
    /// The one that a machine boots with, which is never let go.
    pub(super) fn boot(number: u32, content: T) -> (Self, Key<Namespace<T>>) {
        let mut table = Table::default();
        let first = table.insert(Namespace { content, number, holders: 1, maker: Maker::KERNEL });
        (Self { table }, first)
    }

    /// How many there are.
    pub(super) fn take_stock(&self, what: &'static str, all: &mut Stock) {
        all.table(what, &self.table);
    }

    /// Whether it has not ended.
    pub(super) fn has(&self, key: Key<Namespace<T>>) -> bool {
        self.table.get(key).is_some()
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

    /// A new one, which nobody holds yet.
    pub(super) fn make(
        &mut self,
        maker: Maker,
        numbers: &mut Numbers,
        content: T,
    ) -> Key<Namespace<T>> {
        let number = numbers.take();
        self.table.insert(Namespace { content, number, holders: 0, maker })
    }

    pub(super) fn keep(&mut self, key: Key<Namespace<T>>) {
        self.table.at_mut(key).holders += 1;
    }

    /// A holder has gone; with the last one the namespace does: then what it was.
    pub(super) fn let_go(
        &mut self,
        key: Key<Namespace<T>>,
        numbers: &mut Numbers,
    ) -> Option<Namespace<T>> {
        let namespace = self.table.at_mut(key);
        namespace.holders -= 1;
        if namespace.holders > 0 {
            return None;
        }
        let gone = self.table.remove(key)?;
        numbers.give_back(gone.number);
        Some(gone)
    }
}
