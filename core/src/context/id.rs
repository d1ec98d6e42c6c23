//! The ids of contexts, and what a task may be in.

use std::fmt;

use crate::id::Xid;

/// The id of a context: 2 to 65535. 0 is the host and 1 the spectator, which are no contexts.
///
/// ```
/// use standin::context::ContextId;
/// assert_eq!(ContextId::new(100).unwrap().to_string(), "100");
/// assert_eq!(ContextId::new(65536).unwrap_err().to_string(), "no context has the id 65536; an id is 2 to 65535");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextId(u16);

/// A number that no context can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no context has the id {0}; an id is 2 to 65535")]
pub struct NoContextId(pub u32);

impl ContextId {
    /// The lowest.
    pub const MIN: Self = Self(2);
    /// The highest.
    pub const MAX: Self = Self(u16::MAX);

    /// Takes a number as an id.
    ///
    /// # Errors
    /// [`NoContextId`] below 2 and above 65535.
    pub const fn new(number: u32) -> Result<Self, NoContextId> {
        let [low, high, ..] = number.to_le_bytes();
        if Xid(number).is_context() {
            Ok(Self(u16::from_le_bytes([low, high])))
        } else {
            Err(NoContextId(number))
        }
    }

    /// As the kernel takes it.
    #[must_use]
    pub const fn xid(self) -> Xid {
        Xid(self.0 as u32)
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, out)
    }
}

/// What a task is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Membership {
    /// No context.
    Host,
    /// None either, but it sees all. Only kernels with the commands have spectators.
    Spectator,
    /// A context.
    Context(ContextId),
}

impl Membership {
    /// What the kernel's number stands for.
    pub(super) const fn from_xid(xid: Xid) -> Result<Self, NoContextId> {
        match xid {
            Xid::HOST => Ok(Self::Host),
            Xid::SPECTATOR => Ok(Self::Spectator),
            Xid(number) => match ContextId::new(number) {
                Ok(id) => Ok(Self::Context(id)),
                Err(none) => Err(none),
            },
        }
    }
}

impl fmt::Display for Membership {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host => out.write_str("host"),
            Self::Spectator => out.write_str("spectator"),
            Self::Context(id) => write!(out, "context {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ContextId, Membership, NoContextId};
    use crate::id::Xid;

    #[test]
    fn an_id_is_2_to_65535() {
        for number in [2, 100, 65_535] {
            assert_eq!(ContextId::new(number).map(ContextId::xid), Ok(Xid(number)));
        }
        for number in [0, 1, 65_536, 65_538, 0x8000_0002, u32::MAX] {
            assert_eq!(ContextId::new(number), Err(NoContextId(number)));
        }
        assert_eq!([ContextId::MIN, ContextId::MAX].map(|id| id.xid().0), [2, 65_535]);
    }

    #[test]
    fn host_and_spectator_are_no_contexts() {
        assert_eq!(Membership::from_xid(Xid(0)), Ok(Membership::Host));
        assert_eq!(Membership::from_xid(Xid(1)), Ok(Membership::Spectator));
        assert_eq!(Membership::from_xid(Xid(7)).unwrap().to_string(), "context 7");
        assert!(Membership::from_xid(Xid(70_000)).is_err());
    }
}
