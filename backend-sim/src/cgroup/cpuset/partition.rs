//! What a group is to the processors above it: a member, or the root of a partition (cgroup-v2.rst, Cpuset Interface Files,
//! cpuset.cpus.partition).

use crate::profile::Release;

/// What cpuset.cpus.partition says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum State {
    #[default]
    Member,
    /// It has processors for itself.
    Valid(Kind),
    /// It should have, and has not.
    Invalid(Kind),
}

/// The kinds of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Kind {
    Root,
    /// Nobody balances load between its processors.
    Isolated,
}

impl State {
    /// The state that a written word asks for.
    pub(super) fn wanted(word: &[u8]) -> Option<Self> {
        match word {
            b"member" => Some(Self::Member),
            b"root" => Some(Self::Valid(Kind::Root)),
            b"isolated" => Some(Self::Valid(Kind::Isolated)),
            _ => None,
        }
    }

    pub(super) const fn is_valid(self) -> bool {
        matches!(self, Self::Valid(_))
    }

    pub(super) const fn is_invalid(self) -> bool {
        matches!(self, Self::Invalid(_))
    }

    /// Valid if it was invalid, and the other way round.
    pub(super) const fn inverted(self) -> Self {
        match self {
            Self::Member => Self::Member,
            Self::Valid(kind) => Self::Invalid(kind),
            Self::Invalid(kind) => Self::Valid(kind),
        }
    }

    /// Prints its line.
    pub(super) fn print(self, reason: Option<Reason>, release: Release, out: &mut Vec<u8>) {
        out.extend_from_slice(match self {
            Self::Member => b"member",
            Self::Valid(Kind::Root) | Self::Invalid(Kind::Root) => b"root",
            Self::Valid(Kind::Isolated) | Self::Invalid(Kind::Isolated) => b"isolated",
        });
        if self.is_invalid() {
            out.extend_from_slice(b" invalid");
            if let Some(reason) = reason {
                out.extend_from_slice(b" (");
                out.extend_from_slice(reason.text(release).as_bytes());
                out.push(b')');
            }
        }
        out.push(b'\n');
    }
}

/// Why a partition is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Reason {
    /// None of its processors can be had.
    BadList,
    ParentInvalid,
    ParentNoPartition,
    NotExclusive,
    /// Tasks would be left without processors.
    ParentNeedsThem,
    NoneNamed,
    /// Only who has `CAP_SYS_ADMIN` makes partitions below what is none.
    NotPermitted,
    RemoteBelow,
}

impl Reason {
    /// In the kernel's words.
    const fn text(self, release: Release) -> &'static str {
        let exclusive_lists = !matches!(release, Release::V6_1);
        match self {
            Self::BadList if exclusive_lists => "Invalid cpu list in cpuset.cpus.exclusive",
            Self::BadList => "Invalid cpu list in cpuset.cpus",
            Self::ParentInvalid => "Parent is an invalid partition root",
            Self::ParentNoPartition => "Parent is not a partition root",
            Self::NotExclusive => "Cpu list in cpuset.cpus not exclusive",
            Self::ParentNeedsThem => "Parent unable to distribute cpu downstream",
            Self::NoneNamed if exclusive_lists => "cpuset.cpus and cpuset.cpus.exclusive are empty",
            Self::NoneNamed => "cpuset.cpus is empty",
            Self::NotPermitted => "Enable partition not permitted",
            Self::RemoteBelow => "Have remote partition underneath",
        }
    }
}
