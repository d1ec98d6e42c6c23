//! The numbers that processes and threads of nested namespaces have there.
//!
//! They are kept by the number in the first namespace, as long as that is in use: by a thread, or because a group or session is
//! called by it.

use std::sync::Arc;

use standin::Errno;

use super::{PidNsKey, init, setting};
use crate::kernel::Kernel;
use crate::namespace::{self, Held};
use crate::task::ThreadKey;

/// The numbers of one process or thread in nested namespaces, each with its namespace, from the outermost inwards. Handles and
/// messages hold them too, because they tell a number when its owner is gone.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Inner(Box<[(PidNsKey, u32)]>);

impl Inner {
    /// The namespace that the owner is in, and its number there.
    pub(crate) fn own(&self) -> (PidNsKey, u32) {
        match self.0.last() {
            Some(own) => *own,
            None => unreachable!("who is in no nested namespace has no inner numbers"),
        }
    }

    /// The number in a namespace; 0 if the owner is not there.
    pub(crate) fn told(&self, to: PidNsKey) -> u32 {
        self.0.iter().find(|(at, _)| *at == to).map_or(0, |(_, number)| *number)
    }

    /// The namespaces that the owner has a number in and that lie below another that it has one in.
    pub(crate) fn below(&self, above: PidNsKey) -> impl Iterator<Item = PidNsKey> {
        let skipped = self.0.iter().position(|(at, _)| *at == above).map_or(0, |at| at + 1);
        self.0.iter().skip(skipped).map(|(at, _)| *at)
    }

    /// Each namespace, and the number there.
    pub(crate) fn each(&self) -> &[(PidNsKey, u32)] {
        &self.0
    }
}

/// Numbers for who is to be born.
#[derive(Debug)]
pub(crate) struct Taken {
    /// In the first namespace.
    pub(crate) number: u32,
    inner: Option<Arc<Inner>>,
}

impl Kernel {
    /// The further numbers of who has this one in the first namespace; nothing if it is not in a nested one.
    pub(crate) fn inner(&self, number: u32) -> Option<&Arc<Inner>> {
        if self.tasks.inner.is_empty() { None } else { self.tasks.inner.get(&number) }
    }

    /// The PID namespace that a thread is in.
    pub(crate) fn pid_ns(&self, thread: ThreadKey) -> PidNsKey {
        let first = self.namespaces.first.pid_for_children;
        if self.tasks.inner.is_empty() {
            return first;
        }
        self.inner(self.tasks.threads.at(thread).number).map_or(first, |inner| inner.own().0)
    }

    /// How many PID namespaces are above that of who has this number in the first one.
    pub(crate) fn pid_level(&self, number: u32) -> usize {
        self.inner(number).map_or(0, |inner| inner.0.len())
    }

    /// What a number of the first namespace is in another; 0 if its owner is not there.
    pub(crate) fn number_in(&self, to: PidNsKey, number: u32) -> u32 {
        if to == self.namespaces.first.pid_for_children {
            number
        } else {
            self.inner(number).map_or(0, |inner| inner.told(to))
        }
    }

    /// What a number of the first namespace is to a reader; 0 if its owner is not there for it.
    pub(crate) fn number_for(&self, reader: ThreadKey, number: u32) -> u32 {
        if self.tasks.inner.is_empty() {
            number
        } else {
            self.number_in(self.pid_ns(reader), number)
        }
    }

    /// The number in the first namespace that is meant by one in another.
    pub(crate) fn number_meant_in(&self, by: PidNsKey, number: u32) -> Option<u32> {
        if by == self.namespaces.first.pid_for_children {
            Some(number)
        } else {
            self.pids(by).numbers.get(&number).copied()
        }
    }

    /// The number in the first namespace that a caller means by one.
    pub(crate) fn number_meant(&self, by: ThreadKey, number: u32) -> Option<u32> {
        if self.tasks.inner.is_empty() {
            Some(number)
        } else {
            self.number_meant_in(self.pid_ns(by), number)
        }
    }
}

/// What the number of somebody who may be gone is to a reader; 0 if that one was not there for it.
pub(crate) fn told(kernel: &Kernel, reader: ThreadKey, number: u32, inner: Option<&Inner>) -> u32 {
    let to = kernel.pid_ns(reader);
    if to == kernel.namespaces.first.pid_for_children {
        number
    } else {
        inner.map_or(0, |inner| inner.told(to))
    }
}

/// Numbers in a namespace and all above it. What becomes of the call, the next ones begin behind them.
///
/// # Errors
/// EAGAIN: all are in use in one of them. ENOMEM: nobody is born in the namespace any more.
pub(crate) fn take(kernel: &mut Kernel, home: PidNsKey) -> Result<Taken, Errno> {
    if home == kernel.namespaces.first.pid_for_children {
        let number = kernel.tasks.next_number().ok_or(Errno::EAGAIN)?;
        return Ok(Taken { number, inner: None });
    }
    let mut inner = Vec::new();
    let mut next = Some(home);
    while let Some(key) = next {
        let end = setting::end(kernel, key);
        let namespace = kernel.pids_mut(key);
        next = namespace.parent;
        if next.is_some() {
            inner.push((key, namespace.next_number(end).ok_or(Errno::EAGAIN)?));
        }
    }
    inner.reverse();
    let number = kernel.tasks.next_number().ok_or(Errno::EAGAIN)?;
    if kernel.pids(home).is_closed {
        return Err(Errno::ENOMEM);
    }
    Ok(Taken { number, inner: Some(Arc::new(Inner(inner.into()))) })
}

impl super::PidNs {
    /// The next free number, as in the first namespace (`task::number`).
    fn next_number(&mut self, end: u32) -> Option<u32> {
        let next = self.last + 1;
        let lowest = setting::lowest(next);
        let number = (next..end)
            .chain(lowest..next.min(end))
            .find(|number| !self.numbers.contains_key(number))?;
        self.last = number;
        Some(number)
    }
}

/// Who was to be born is not: a namespace whose first process cannot be made never has one.
pub(crate) fn give_up(kernel: &mut Kernel, home: PidNsKey) {
    if home != kernel.namespaces.first.pid_for_children {
        let namespace = kernel.pids_mut(home);
        namespace.is_closed |= namespace.init.is_none();
    }
}

/// Numbers are somebody's.
pub(crate) fn give(kernel: &mut Kernel, taken: Taken) {
    let Taken { number, inner: Some(inner) } = taken else { return };
    for (key, own) in &inner.0 {
        kernel.pids_mut(*key).numbers.insert(*own, number);
    }
    kernel.namespaces.keep(Held::Pid(inner.own().0));
    kernel.tasks.inner.insert(number, inner);
}

/// A process was made: in a namespace without a process it is the first.
pub(crate) fn born(kernel: &mut Kernel, child: ThreadKey) {
    let record = kernel.tasks.threads.at(child);
    let process = record.process;
    if let Some(inner) = kernel.inner(record.number) {
        let (key, _) = inner.own();
        kernel.pids_mut(key).init.get_or_insert(process);
    }
}

/// A process that was made a moment ago is the first of a new namespace.
pub(crate) fn enter_new(kernel: &mut Kernel, child: ThreadKey, key: PidNsKey) {
    const FIRST: u32 = 1;
    let number = kernel.tasks.threads.at(child).number;
    let before = kernel.tasks.inner.remove(&number);
    let outer = before.as_deref().map(|before| &*before.0).unwrap_or_default();
    let inner = Inner([outer, &[(key, FIRST)]].concat().into());
    let namespace = kernel.pids_mut(key);
    namespace.numbers.insert(FIRST, number);
    namespace.last = FIRST;
    kernel.namespaces.keep(Held::Pid(key));
    kernel.tasks.inner.insert(number, Arc::new(inner));
    if let Some(before) = before {
        namespace::release(kernel, Held::Pid(before.own().0));
    }
    born(kernel, child);
}

/// Nobody has this number of the first namespace any more, or a group or session is no longer called by it: if it is free now, so
/// are those that go with it.
pub(crate) fn release(kernel: &mut Kernel, number: u32) {
    if kernel.tasks.inner.is_empty() || kernel.tasks.in_use(number) {
        return;
    }
    let Some(inner) = kernel.tasks.inner.remove(&number) else { return };
    for (key, own) in &inner.0 {
        kernel.pids_mut(*key).numbers.remove(own);
    }
    for (key, _) in inner.0.iter().rev() {
        init::resume(kernel, *key);
    }
    namespace::release(kernel, Held::Pid(inner.own().0));
}
