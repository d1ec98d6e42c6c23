//! The mount options of cgroup2 (cgroup-v2.rst, Mounting; Delegation): they are the hierarchy's, whoever sees it.
//!
//! Each mount and remount from the first cgroup namespace sets all of them; one from another namespace leaves them as they are.
//! What follows from one is where it does: `filesystem` and `procs` (delegation), `memory_events`, `pids`, `memory_reclaim`.

use standin::Errno;

use super::{CgroupKey, Cgroups, tree};
use crate::profile::Release;

/// Options, each a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Options(u8);

impl Options {
    /// Cgroup namespaces are borders of delegation.
    pub(crate) const NS_DELEGATE: Self = Self(1);
    /// Moves of processes wait less for others; nobody sees it.
    const FAVOR_DYNMODS: Self = Self(1 << 1);
    /// memory.events counts what memory.events.local does.
    pub(crate) const MEMORY_LOCAL_EVENTS: Self = Self(1 << 2);
    /// What is protected and claimed by nobody below is for all below.
    pub(crate) const MEMORY_RECURSIVE_PROT: Self = Self(1 << 3);
    /// Huge pages are charged as memory too; nobody has any here.
    const MEMORY_HUGETLB_ACCOUNTING: Self = Self(1 << 4);
    /// pids.events counts refused births where the threads are that were refused.
    pub(crate) const PIDS_LOCAL_EVENTS: Self = Self(1 << 5);

    /// Whether it is among these.
    pub(crate) const fn has(self, one: Self) -> bool {
        self.0 & one.0 != 0
    }

    /// Of the words between commas.
    ///
    /// # Errors
    /// EINVAL: a word that the kernel does not know.
    pub(crate) fn parse(release: Release, text: &[u8]) -> Result<Self, Errno> {
        let words = text.split(|byte| *byte == b',').filter(|word| !word.is_empty());
        words.into_iter().try_fold(Self::default(), |all, word| {
            let row = ROWS.iter().find(|row| row.0 == word && row.1 <= release);
            row.map(|row| Self(all.0 | row.2.0)).ok_or(Errno::EINVAL)
        })
    }

    /// As mountinfo has them behind `rw`.
    pub(crate) fn print(self, out: &mut Vec<u8>) {
        for (word, ..) in ROWS.iter().filter(|row| self.has(row.2)) {
            out.push(b',');
            out.extend_from_slice(word);
        }
    }
}

/// The word, the first kernel that knows it, the option; in the order in which they are told.
const ROWS: [(&[u8], Release, Options); 6] = [
    (b"nsdelegate", Release::V6_1, Options::NS_DELEGATE),
    (b"favordynmods", Release::V6_1, Options::FAVOR_DYNMODS),
    (b"memory_localevents", Release::V6_1, Options::MEMORY_LOCAL_EVENTS),
    (b"memory_recursiveprot", Release::V6_1, Options::MEMORY_RECURSIVE_PROT),
    (b"memory_hugetlb_accounting", Release::V6_12, Options::MEMORY_HUGETLB_ACCOUNTING),
    (b"pids_localevents", Release::V6_12, Options::PIDS_LOCAL_EVENTS),
];

/// Whether somebody in a cgroup namespace with this root may bring a process from one group into another.
///
/// # Errors
/// ENOENT: one of them is outside, and namespaces are borders.
pub(super) fn check_border(
    cgroups: &Cgroups,
    root: CgroupKey,
    (from, to): (CgroupKey, CgroupKey),
) -> Result<(), Errno> {
    let is_inside = |group| tree::is_within(&cgroups.table, group, root);
    if cgroups.options.has(Options::NS_DELEGATE) && !(is_inside(from) && is_inside(to)) {
        return Err(Errno::ENOENT);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::Options;
    use crate::profile::Release;

    #[test]
    fn words_are_told_in_the_kernels_order_and_each_once() {
        let options = Options::parse(Release::V6_12, b"pids_localevents,,nsdelegate,nsdelegate,");
        let mut told = Vec::new();
        options.unwrap().print(&mut told);
        assert_eq!(told, b",nsdelegate,pids_localevents");
    }

    #[test]
    fn a_word_that_a_kernel_does_not_know_is_refused_with_all_others() {
        for text in ["nsdelegate,pids_localevents", "nsdelegate=1", "Nsdelegate"] {
            assert_eq!(
                Options::parse(Release::V6_1, text.as_bytes()),
                Err(Errno::EINVAL),
                "{text}"
            );
        }
    }
}
