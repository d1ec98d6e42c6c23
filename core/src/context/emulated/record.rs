//! What is known of a context, as the one value of an extended attribute: so it is read and written as a whole.
//!
//! The text is words `key=value` behind a version, numbers in hexadecimal: `1 state=live flags=700000000 ...`.

use std::fmt::Write as _;

use crate::backend::ContextFlags;
use crate::capability::{Capability, CapabilitySet};
use crate::id::Pid;

/// The attribute's name. Only `CAP_SYS_ADMIN` of the initial user namespace sees it.
pub(super) const NAME: &str = "trusted.standin.context";

const VERSION: &str = "1";

/// How far a context has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Its maker has not entered it yet.
    Unborn,
    /// It is there.
    Live,
    /// It has ended; who waits reads how.
    Over,
}

/// A context's first process: its number, and when it started, which tells it from a later one of that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Init {
    pub(super) pid: Pid,
    pub(super) started_ticks: u64,
}

/// A context's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) state: State,
    pub(super) flags: ContextFlags,
    /// Its maker's bounding set.
    pub(super) bounding: CapabilitySet,
    pub(super) init: Option<Init>,
    /// How its last task did, as wait(2) packs it, if anybody knew.
    pub(super) exit: Option<u32>,
}

const STATES: [(State, &str); 3] =
    [(State::Unborn, "unborn"), (State::Live, "live"), (State::Over, "over")];

impl Record {
    /// Of a context that is being made.
    pub(super) const fn new(flags: ContextFlags, bounding: CapabilitySet) -> Self {
        Self { state: State::Unborn, flags, bounding, init: None, exit: None }
    }

    pub(super) const fn has(&self, flag: ContextFlags) -> bool {
        self.flags.contains(flag)
    }

    /// What who enters may keep: a context masks `CAP_SETPCAP` unless it is under construction.
    pub(super) fn allowed(&self) -> CapabilitySet {
        if self.has(ContextFlags::STATE_SETUP) {
            self.bounding
        } else {
            self.bounding.without(Capability::SETPCAP)
        }
    }

    /// As it is stored.
    pub(super) fn print(&self) -> String {
        let state = STATES.iter().find(|row| row.0 == self.state).map_or("", |row| row.1);
        let (flags, bounding) = (self.flags.bits(), self.bounding.bits());
        let mut text = format!("{VERSION} state={state} flags={flags:x} bounding={bounding:x}");
        if let Some(Init { pid, started_ticks }) = self.init {
            let _ = write!(text, " init={:x} started={started_ticks:x}", pid.0);
        }
        if let Some(exit) = self.exit {
            let _ = write!(text, " exit={exit:x}");
        }
        text
    }

    /// What was stored; `None` if that is no record of this version, whole and with nothing beside it.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(text).ok()?.split(' ').peekable();
        if words.next()? != VERSION {
            return None;
        }
        let mut value = |key: &str| {
            let value = words.peek()?.strip_prefix(key)?.strip_prefix('=')?;
            words.next();
            Some(value)
        };
        let state = value("state")?;
        let record = Self {
            state: STATES.iter().find(|row| row.1 == state)?.0,
            flags: ContextFlags::from_bits_retain(number(value("flags")?)?),
            bounding: CapabilitySet::from_bits(number(value("bounding")?)?),
            init: match value("init") {
                Some(pid) => Some(Init {
                    pid: Pid(u32::try_from(number(pid)?).ok()?),
                    started_ticks: number(value("started")?)?,
                }),
                None => None,
            },
            exit: match value("exit") {
                Some(exit) => Some(u32::try_from(number(exit)?).ok()?),
                None => None,
            },
        };
        words.next().is_none().then_some(record)
    }
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Init, Record, State};
    use crate::backend::ContextFlags;
    use crate::capability::{Capability, CapabilitySet};
    use crate::id::Pid;

    fn record() -> Record {
        Record {
            state: State::Over,
            init: Some(Init { pid: Pid(4_194_303), started_ticks: u64::MAX }),
            exit: Some(0x700),
            ..Record::new(ContextFlags::from_bits_retain(u64::MAX), CapabilitySet::ALL)
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let plain = Record::new(ContextFlags::NEW, CapabilitySet::EMPTY);
        assert_eq!(plain.print(), "1 state=unborn flags=700000000 bounding=0");
        for record in [plain, record(), Record { init: None, ..record() }] {
            assert_eq!(Record::parse(record.print().as_bytes()), Some(record));
        }
    }

    #[test]
    fn what_is_damaged_is_no_record() {
        let whole = record().print();
        for end in 0..whole.len() {
            let start = &whole.as_bytes()[..end];
            let cut = Record::parse(start);
            assert!(cut.is_none_or(|cut| cut.print().as_bytes() == start), "{end} of {whole}");
        }
        for text in [
            "",
            "2 state=live flags=0 bounding=0",
            "1 state=dead flags=0 bounding=0",
            "1 state=live flags=+1 bounding=0",
            "1 state=live flags= bounding=0",
            "1 state=live flags=11111111111111111 bounding=0",
            "1 state=live flags=0 bounding=0 ",
            "1 state=live flags=0 bounding=0 more=1",
            "1 state=live flags=0 bounding=0 init=1",
            "1 state=live flags=0 bounding=0 init=100000000 started=1",
            "1 flags=0 state=live bounding=0",
        ] {
            assert_eq!(Record::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Record::parse(b"\xff\xfe"), None);
    }

    #[test]
    fn a_context_masks_setpcap_unless_it_is_under_construction() {
        let all = CapabilitySet::ALL;
        assert_eq!(Record::new(ContextFlags::NEW, all).allowed(), all);
        let sealed = Record::new(ContextFlags::empty(), all);
        assert_eq!(sealed.allowed(), all.without(Capability::SETPCAP));
    }
}
