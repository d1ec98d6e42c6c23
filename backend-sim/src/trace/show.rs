//! The parts of calls as values.

use std::time::Duration;

use standin::backend::{
    Access, Address, AmbientChange, ContextFlags, Deadline, Delivery, Lock, MigrateFlags,
    MountFlags, NamespaceKind, NamespaceKinds, OpenOptions, PriorityOf, RebootCommand, Receive,
    Rlimit, RlimitResource, SendFlags, ShutdownHow, SocketFlags, SocketOption, SocketType,
    WaitOptions, WatchFlags,
};
use standin::id::{Bytes, Gid, Mode, Moment, Tid, Uid, WatchId, Xid};
use standin::path::Follow;
use standin::{Capability, CapabilitySet, ExitCode, KPath, Pid, Securebits, Signal, SignalSet};

use super::Value;
use crate::cgroup::memory::Charging;
use crate::fs::xattr::NewXattr;
use crate::namespace::{time::OffsetClock, uts};
use crate::ops::PlaceArg;
use crate::ops::poll::InterestArg;
use crate::task::exec::Program;

/// The parts of a call, gathered.
#[derive(Default)]
pub(crate) struct Parts {
    pub(super) values: Vec<(&'static str, Value)>,
    /// What the call's answer fills.
    filled: Option<(&'static str, Vec<u8>)>,
}

impl Parts {
    /// All of them; `length` is how much of the room the answer filled, `None` if there is no answer: then it is told how much
    /// room there is.
    pub(super) fn behind(self, length: Option<usize>) -> Vec<(&'static str, Value)> {
        let Self { mut values, filled } = self;
        if let Some((name, mut bytes)) = filled {
            values.push(match length {
                Some(length) => {
                    bytes.truncate(length);
                    (name, Value::Bytes(bytes))
                }
                None => (name, Value::Text(format!("[{} bytes]", bytes.len()))),
            });
        }
        values
    }
}

/// A part of a call.
pub(crate) trait Show {
    /// As a value; none if it is no part of what was asked.
    fn show(&self) -> Option<Value>;

    /// As one of a call's parts.
    fn add(&self, name: &'static str, parts: &mut Parts) {
        parts.values.extend(self.show().map(|value| (name, value)));
    }
}

/// Room for an answer.
impl Show for &mut [u8] {
    fn show(&self) -> Option<Value> {
        None
    }

    fn add(&self, name: &'static str, parts: &mut Parts) {
        parts.filled = Some((name, self.to_vec()));
    }
}

macro_rules! show {
    (printed: $($printed:ty),* ; numbers: $($number:ty),* ; not told: $($not_told:ty),* $(,)?) => {
        $(impl Show for $printed {
            fn show(&self) -> Option<Value> {
                Some(Value::Text(format!("{self:?}")))
            }
        })*
        $(impl Show for $number {
            fn show(&self) -> Option<Value> {
                Some(Value::Number((*self).into()))
            }
        })*
        $(impl Show for $not_told {
            fn show(&self) -> Option<Value> {
                None
            }
        })*
    };
}

show! {
    printed: OpenOptions, WatchFlags, Lock, Follow, Access, MountFlags, Option<Signal>, WaitOptions, Duration,
        SocketType, SocketFlags, &Address, ShutdownHow, SocketOption, Signal, Delivery, SignalSet, NamespaceKinds,
        NamespaceKind, uts::Which, Xid, ContextFlags, MigrateFlags, i32, OffsetClock, &[Gid], CapabilitySet,
        Capability, AmbientChange, Securebits, RlimitResource, Rlimit, PriorityOf, RebootCommand, SendFlags, Receive, Deadline, bool, WatchId, ExitCode,
        Vec<InterestArg>, Vec<(u32, u32)>, Moment;
    numbers: u32, u64;
    not told: Charging,
}

macro_rules! numbers {
    ($($name:ident),*) => {
        $(impl Show for $name {
            fn show(&self) -> Option<Value> {
                Some(Value::Number(self.0.into()))
            }
        })*
    };
}

numbers! { Bytes, Gid, Uid, Pid, Tid }

impl<T: Show> Show for Option<T>
where
    T: Maybe,
{
    fn show(&self) -> Option<Value> {
        self.as_ref().and_then(Show::show)
    }
}

/// What a call may leave out.
pub(crate) trait Maybe {}

macro_rules! maybe {
    ($($name:ty),*) => { $(impl Maybe for $name {})* };
}

maybe! { u32, Bytes, Gid, Uid, Pid, Moment }

impl Show for PlaceArg<'_> {
    fn show(&self) -> Option<Value> {
        let Self { at, path, resolve: _ } = *self;
        Some(match at {
            Some(number) if path.as_bytes().is_empty() => Value::Number(number.into()),
            // Relative to a directory that is open.
            Some(number) if !path.as_bytes().starts_with(b"/") => {
                Value::Text(format!("{number}:{path:?}"))
            }
            Some(_) | None => Value::Path(path.to_owned()),
        })
    }
}

impl Show for &KPath {
    fn show(&self) -> Option<Value> {
        Some(Value::Path((*self).to_owned()))
    }
}

impl Show for &[u8] {
    fn show(&self) -> Option<Value> {
        Some(Value::Bytes(self.to_vec()))
    }
}

impl Show for Vec<u8> {
    fn show(&self) -> Option<Value> {
        Some(Value::Bytes(self.clone()))
    }
}

impl Show for Mode {
    fn show(&self) -> Option<Value> {
        Some(Value::Text(format!("{:04o}", self.bits())))
    }
}

impl Show for NewXattr<'_> {
    fn show(&self) -> Option<Value> {
        Some(Value::Text(format!("{self:?}")))
    }
}

impl Show for Program<'_> {
    fn show(&self) -> Option<Value> {
        let words = self.arguments.iter().map(|word| word.escape_ascii().to_string());
        Some(Value::Text(format!("{:?} {:?}", self.path, words.collect::<Vec<_>>())))
    }
}
