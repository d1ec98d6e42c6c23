//! Which numbers a process has: one in each pid namespace from the initial one to its own.

#![expect(unsafe_code, reason = "NS_GET_PARENT has no wrapper")]

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use standin::id::{NsId, Pid};

/// `NS_GET_PARENT` (ioctl_nsfs(2))
const GET_PARENT: libc::Ioctl = 0xb702;

/// The deepest nesting that the kernel allows, and one.
const MOST_LEVELS: usize = 33;

/// The numbers of a process or thread, from the initial pid namespace inwards.
#[derive(Clone, Debug, Default)]
pub(super) struct Numbers {
    levels: Vec<(Option<NsId>, Pid)>,
}

impl Numbers {
    /// Numbers that /proc told, in the namespaces that a link of /proc/PID/ns leads to. Of a zombie there is no link; then
    /// its own namespace stays unknown, and nobody can be in it who asks.
    pub(super) fn new(numbers: &[Pid], link: &str) -> Self {
        let namespaces = namespaces(link);
        let known = |level| namespaces.get(level).copied();
        Self { levels: numbers.iter().enumerate().map(|(at, pid)| (known(at), *pid)).collect() }
    }

    /// The number that somebody has who has `of`, as the owner of these numbers sees it.
    pub(super) fn see(&self, of: &Self) -> Option<Pid> {
        let (own, _) = self.levels.last()?;
        let namespace = (*own)?;
        of.levels.iter().find(|(at, _)| *at == Some(namespace)).map(|(_, pid)| *pid)
    }

    /// Whether the owner's own namespace is known.
    pub(super) fn is_known(&self) -> bool {
        self.levels.last().is_some_and(|(namespace, _)| namespace.is_some())
    }

    /// Whether the owner is in the initial pid namespace.
    pub(super) fn is_initial(&self) -> bool {
        self.levels.len() <= 1
    }
}

/// The pid namespaces from the initial one to that of a link; none if there is no such link.
fn namespaces(link: &str) -> Vec<NsId> {
    let Ok(own) = File::open(link) else { return Vec::new() };
    let (mut found, mut next) = (Vec::new(), Some(own));
    while let Some(namespace) = next.take()
        && found.len() < MOST_LEVELS
    {
        let Ok(told) = namespace.metadata() else { break };
        found.push(NsId(told.ino()));
        // SAFETY: an open descriptor, and no argument.
        let parent = unsafe { libc::ioctl(namespace.as_raw_fd(), GET_PARENT) };
        if parent >= 0 {
            // SAFETY: the kernel has just made it for us.
            next = Some(unsafe { OwnedFd::from_raw_fd(parent) }.into());
        }
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(levels: &[(u64, u32)]) -> Numbers {
        Numbers { levels: levels.iter().map(|(ns, pid)| (Some(NsId(*ns)), Pid(*pid))).collect() }
    }

    #[test]
    fn a_process_sees_those_below_its_namespace_and_no_others() {
        let (outer, inner) = (numbers(&[(1, 100)]), numbers(&[(1, 101), (2, 1)]));
        let beside = numbers(&[(1, 102), (3, 1)]);
        assert_eq!(outer.see(&inner), Some(Pid(101)));
        assert_eq!(inner.see(&inner), Some(Pid(1)));
        assert_eq!(inner.see(&outer), None);
        assert_eq!(inner.see(&beside), None);
        assert!(outer.is_initial() && !inner.is_initial());
    }

    #[test]
    fn this_process_sees_itself() {
        let own = Pid(std::process::id());
        let numbers = Numbers::new(&[own], "/proc/self/ns/pid");
        assert_eq!(numbers.see(&numbers), Some(own));
    }
}
