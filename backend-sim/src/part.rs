//! A part of a machine's state that it owns outright until the state is cloned, as a snapshot does: then both share the part,
//! and whoever changes it first copies it (see ARCHITECTURE.md, State).
//!
//! Chunks of tables are such parts, and so is what few machines ever change. This file knows nothing of what is in them.

#![expect(
    unsafe_code,
    reason = "a part that nobody shares is changed without asking its counter, which would cost on every change"
)]

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A part of one state or of several.
pub(crate) struct Part<T> {
    content: Arc<T>,
    /// Whether another state may have it too: what is false is so for certain. Atomic only because a part may stand in a part
    /// that two threads have, and which both copy: what one of them notes here is ordered by the counter of the outer one.
    is_shared: AtomicBool,
}

impl<T> Part<T> {
    pub(crate) fn new(content: T) -> Self {
        Arc::new(content).into()
    }
}

impl<T> From<Arc<T>> for Part<T> {
    fn from(mut content: Arc<T>) -> Self {
        let is_shared = Arc::get_mut(&mut content).is_none();
        Self { content, is_shared: AtomicBool::new(is_shared) }
    }
}

/// Both share it from now on.
impl<T> Clone for Part<T> {
    fn clone(&self) -> Self {
        self.is_shared.store(true, Ordering::Relaxed);
        Self { content: Arc::clone(&self.content), is_shared: AtomicBool::new(true) }
    }
}

impl<T> Deref for Part<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.content
    }
}

impl<T: Clone> DerefMut for Part<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        if *self.is_shared.get_mut() {
            self.own();
        }
        let content = Arc::as_ptr(&self.content).cast_mut();
        // SAFETY: nobody else has this content. `is_shared` is false: it came from an `Arc` that nobody else had (`from`) and was
        // not cloned since, or `own` found that all others are gone; a clone needs this part, which is borrowed mutably for
        // as long as the answer lives. There are no weak references.
        unsafe { &mut *content }
    }
}

impl<T: Clone> Part<T> {
    /// Makes it this state's alone: by a copy, unless all others are gone.
    #[cold]
    #[inline(never)]
    fn own(&mut self) {
        if Arc::get_mut(&mut self.content).is_none() {
            self.content = Arc::new((*self.content).clone());
        }
        *self.is_shared.get_mut() = false;
    }
}

#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for Part<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

#[cfg(feature = "serde")]
impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for Part<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn who_changes_a_shared_part_leaves_the_others_as_it_was() {
        let mut one = Part::new(vec![1]);
        let mut other = one.clone();
        one.push(2);
        other.push(3);
        assert_eq!((&*one, &*other), (&vec![1, 2], &vec![1, 3]));
    }

    #[test]
    fn what_nobody_shares_any_more_is_changed_in_its_place() {
        let mut part = Part::new(1);
        drop(part.clone());
        let before = std::ptr::from_ref(&*part);
        *part = 2;
        assert!(std::ptr::eq(before, &*part));
    }
}
