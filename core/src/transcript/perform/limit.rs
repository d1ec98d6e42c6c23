//! Resource limits and priorities.

use super::{Act, Performed, done};
use crate::backend::{self, Rlimit, RlimitResource};
use crate::id::Uid;
use crate::transcript::op::{Limit, LimitPair, PriorityOf, RlimitName};
use crate::transcript::outcome::Outcome;
use crate::transcript::value::Who;

pub(super) fn resource(
    act: &Act<'_>,
    who: &Who,
    name: RlimitName,
    to: Option<LimitPair>,
) -> Performed {
    let who = act.who(who);
    match to {
        Some(LimitPair { soft, hard }) => {
            let limit = Rlimit { soft: number(soft), hard: number(hard) };
            done(act.kernel.set_rlimit(who, name.into(), limit))
        }
        None => {
            let limit = act.kernel.rlimit(who, name.into())?;
            let word = |limit: Option<u64>| limit.map_or("inf".to_owned(), |it| it.to_string());
            Ok(Outcome::status(format!("{}:{}", word(limit.soft), word(limit.hard))))
        }
    }
}

pub(super) fn priority(act: &Act<'_>, of: &PriorityOf, to: Option<i32>) -> Performed {
    let of = match of {
        PriorityOf::Process(who) => backend::PriorityOf::Process(act.who(who)),
        PriorityOf::Group(who) => backend::PriorityOf::Group(act.who(who)),
        PriorityOf::User(id) => backend::PriorityOf::User(Some(Uid(id.0))),
    };
    match to {
        Some(nice) => done(act.kernel.set_priority(of, nice)),
        None => Ok(Outcome::status(act.kernel.priority(of)?.to_string())),
    }
}

/// A limit; the highest number is RLIM_INFINITY.
fn number(limit: Limit) -> Option<u64> {
    match limit {
        Limit::To(u64::MAX) | Limit::Infinite => None,
        Limit::To(number) => Some(number),
    }
}

impl From<RlimitName> for RlimitResource {
    fn from(name: RlimitName) -> Self {
        match name {
            RlimitName::Cpu => Self::Cpu,
            RlimitName::Fsize => Self::FileSize,
            RlimitName::Data => Self::Data,
            RlimitName::Stack => Self::Stack,
            RlimitName::Core => Self::Core,
            RlimitName::Rss => Self::Rss,
            RlimitName::Nproc => Self::Processes,
            RlimitName::Nofile => Self::OpenFiles,
            RlimitName::Memlock => Self::LockedMemory,
            RlimitName::As => Self::AddressSpace,
            RlimitName::Locks => Self::Locks,
            RlimitName::Sigpending => Self::PendingSignals,
            RlimitName::Msgqueue => Self::MessageQueue,
            RlimitName::Nice => Self::Nice,
            RlimitName::Rtprio => Self::RealtimePriority,
            RlimitName::Rttime => Self::RealtimeTime,
        }
    }
}
