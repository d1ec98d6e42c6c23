//! Credentials, capabilities, limits, sessions and signals.

use super::operations;
use crate::capability::Capability;
use crate::id::Mode;
use crate::transcript::argument::{Argument, Value, Words, Wrong};
use crate::transcript::choice::{ListOrNone, Switch, choices};
use crate::transcript::error::Complaint;
use crate::transcript::name::SignalArg;
use crate::transcript::value::{Data, Id, Who, number};

operations! {
    /// Operations on what an actor is and may.
    IdentityOp of Identity {
        /// Prints the user and group ids and the groups.
        Ids is "ids" "" {}
        /// Prints the capability sets, securebits, keepcaps and no_new_privs.
        Caps is "caps" "" {}
        /// Sets the real, effective and saved user id: setresuid(2); -1 leaves one.
        Setresuid is "setresuid" "R E S" { real: Id, effective: Id, saved: Id }
        /// Sets the real, effective and saved group id: setresgid(2); -1 leaves one.
        Setresgid is "setresgid" "R E S" { real: Id, effective: Id, saved: Id }
        /// Sets the user id: setuid(2).
        Setuid is "setuid" "N" { uid: Id }
        /// Sets the group id: setgid(2).
        Setgid is "setgid" "N" { gid: Id }
        /// Sets the groups: setgroups(2).
        Grouplist is "grouplist" "N,...|none" { groups: ListOrNone<Id> }
        /// Changes one capability in one set; `bnd` only goes off, `amb all off` empties it.
        Capset is "capset" "inh|prm|eff|bnd|amb CAP|all on|off" { change: CapabilityChange }
        /// Sets keepcaps, no_new_privs, securebits (hex), pdeathsig, name, or prints it: prctl(2).
        Prctl is "prctl" "NAME [VALUE]" { prctl: Prctl }
        /// Sets a resource limit, or prints it: prlimit(2); `inf` is none.
        Rlimit is "rlimit" "WHO NAME [SOFT:HARD]" { who: Who, name: RlimitName, to: Option<LimitPair> }
        /// Sets the nice value, or prints it: setpriority(2); for `user` WHO is a uid, not 0.
        Priority is "priority" "process|pgrp|user WHO [N]" { of: PriorityOf, to: Option<i32> }
        /// Sets the umask and prints the old one: umask(2).
        Umask is "umask" "MODE" { mask: Mode }
        /// Becomes the leader of a new session: setsid(2).
        Setsid is "setsid" "" {}
        /// Puts a process into a process group: setpgid(2).
        Setpgid is "setpgid" "WHO PGRP" { who: Who, group: Who }
        /// Prints a process's group: getpgid(2).
        Getpgid is "getpgid" "WHO" { who: Who }
        /// Prints a process's session: getsid(2).
        Getsid is "getsid" "WHO" { who: Who }
        /// Sends a signal to a process group: kill(2); 0 is the own one.
        Killpg is "killpg" "WHO SIG" { group: Who, signal: SignalArg }
        /// Says what a signal does: sigaction(2); `count` and `restart` count it.
        Signal is "signal" "SIG default|ignore|count|restart" { signal: SignalArg, disposition: SignalAction }
        /// Changes the signal mask of this thread.
        Sigmask is "sigmask" "block|unblock|set SIG,...|none" {
            change: MaskChange, signals: ListOrNone<SignalArg>,
        }
        /// Prints how often a signal was delivered since this was last asked.
        Sigcount is "sigcount" "SIG" { signal: SignalArg }
        /// Prints the pending signals: sigpending(2).
        Sigpending is "sigpending" "" {}
    }
}

choices! {
    /// A capability set.
    pub CapabilitySetName is "a capability set" {
        Inheritable = "inh", Permitted = "prm", Effective = "eff", Bounding = "bnd", Ambient = "amb",
    }

    /// A resource that has a limit (getrlimit(2)).
    pub RlimitName is "a resource limit" {
        Cpu = "cpu", Fsize = "fsize", Data = "data", Stack = "stack", Core = "core", Rss = "rss", Nproc = "nproc",
        Nofile = "nofile", Memlock = "memlock", As = "as", Locks = "locks", Sigpending = "sigpending",
        Msgqueue = "msgqueue", Nice = "nice", Rtprio = "rtprio", Rttime = "rttime",
    }

    /// What a signal does.
    pub SignalAction is "a disposition" {
        Default = "default", Ignore = "ignore", Count = "count", Restart = "restart",
    }

    /// How the signal mask changes.
    pub MaskChange is "a change of the signal mask" { Block = "block", Unblock = "unblock", Set = "set" }

    /// What prctl(2) is asked about.
    PrctlName is "a name of prctl" {
        Keepcaps = "keepcaps", NoNewPrivs = "no_new_privs", Securebits = "securebits", Pdeathsig = "pdeathsig",
        Name = "name",
    }

    /// Whose priority.
    PriorityKind is "whose priority it is" { Process = "process", Group = "pgrp", User = "user" }
}

/// One capability in one set, on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapabilityChange {
    /// In which set.
    pub set: CapabilitySetName,
    /// Which; `None` is all of the ambient set.
    pub capability: Option<Capability>,
    /// On or off; the bounding set, and all of the ambient set, only go off.
    pub to: Switch,
}

impl Argument for CapabilityChange {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        let set = CapabilitySetName::take(words)?;
        let all = words.peek().filter(|word| word.bytes == b"all");
        let capability = match all {
            Some(_) => words.next().map(|_| None)?,
            None => Some(Capability::take(words)?),
        };
        if let Some(word) = all.filter(|_| set != CapabilitySetName::Ambient) {
            return Err(words.complain(word, "`all` is for the set amb alone"));
        }
        let only_off = set == CapabilitySetName::Bounding || all.is_some();
        let switch = words.peek();
        let to = Switch::take(words)?;
        match switch.filter(|_| only_off && to == Switch::On) {
            Some(word) => Err(words.complain(word, "this only goes off")),
            None => Ok(Self { set, capability, to }),
        }
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        self.set.put(out);
        out.push(self.capability.map_or_else(|| b"all".to_vec(), |capability| capability.spell()));
        self.to.put(out);
    }
}

/// What `prctl` sets; `None` prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prctl {
    /// PR_SET_KEEPCAPS; 0 or 1, others for the kernel to refuse.
    Keepcaps(Option<u64>),
    /// PR_SET_NO_NEW_PRIVS; 1, others for the kernel to refuse.
    NoNewPrivs(Option<u64>),
    /// PR_SET_SECUREBITS.
    Securebits(Option<u64>),
    /// PR_SET_PDEATHSIG.
    Pdeathsig(Option<SignalArg>),
    /// PR_SET_NAME.
    Name(Option<Data>),
}

impl Argument for Prctl {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        Ok(match PrctlName::take(words)? {
            PrctlName::Keepcaps => Self::Keepcaps(Argument::take(words)?),
            PrctlName::NoNewPrivs => Self::NoNewPrivs(Argument::take(words)?),
            PrctlName::Securebits => {
                let bits: Option<Hex> = Argument::take(words)?;
                Self::Securebits(bits.map(|Hex(bits)| bits))
            }
            PrctlName::Pdeathsig => Self::Pdeathsig(Argument::take(words)?),
            PrctlName::Name => Self::Name(Argument::take(words)?),
        })
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        match self {
            Self::Keepcaps(value) => {
                PrctlName::Keepcaps.put(out);
                value.put(out);
            }
            Self::NoNewPrivs(value) => {
                PrctlName::NoNewPrivs.put(out);
                value.put(out);
            }
            Self::Securebits(bits) => {
                PrctlName::Securebits.put(out);
                bits.map(Hex).put(out);
            }
            Self::Pdeathsig(signal) => {
                PrctlName::Pdeathsig.put(out);
                signal.put(out);
            }
            Self::Name(name) => {
                PrctlName::Name.put(out);
                name.put(out);
            }
        }
    }
}

/// A number in hexadecimal, without a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hex(u64);

impl Value for Hex {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let digits = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'));
        let bits = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        bits.map(Self).ok_or_else(|| Wrong::not(word, "a hexadecimal number", "such as 2f"))
    }

    fn spell(&self) -> Vec<u8> {
        format!("{:x}", self.0).into_bytes()
    }
}

/// A limit: a number, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The number, in the resource's unit.
    To(u64),
    /// `inf`: RLIM_INFINITY.
    Infinite,
}

impl Value for Limit {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        if word == b"inf" {
            return Ok(Self::Infinite);
        }
        number(word).map(Self::To).ok_or_else(|| Wrong::not(word, "a limit", "a number or inf"))
    }

    fn spell(&self) -> Vec<u8> {
        match self {
            Self::To(limit) => limit.spell(),
            Self::Infinite => b"inf".to_vec(),
        }
    }
}

/// `SOFT:HARD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitPair {
    /// The limit that bites.
    pub soft: Limit,
    /// How far the soft one may be raised.
    pub hard: Limit,
}

impl Value for LimitPair {
    fn read(word: &[u8]) -> Result<Self, Wrong> {
        let mut parts = word.splitn(2, |&byte| byte == b':');
        let (Some(soft), Some(hard)) = (parts.next(), parts.next()) else {
            return Err(Wrong::not(word, "a pair of limits", "SOFT:HARD, such as 16:inf"));
        };
        Ok(Self { soft: Limit::read(soft)?, hard: Limit::read(hard)? })
    }

    fn spell(&self) -> Vec<u8> {
        [self.soft.spell(), self.hard.spell()].join(&b':')
    }
}

/// Whose priority (getpriority(2)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriorityOf {
    /// One process.
    Process(Who),
    /// All of a process group.
    Group(Who),
    /// All of a user, who is not 0.
    User(Id),
}

impl Argument for PriorityOf {
    fn take(words: &mut Words<'_>) -> Result<Self, Complaint> {
        match PriorityKind::take(words)? {
            PriorityKind::Process => Argument::take(words).map(Self::Process),
            PriorityKind::Group => Argument::take(words).map(Self::Group),
            PriorityKind::User => {
                let word = words.peek();
                let uid = Id::take(words)?;
                match word.filter(|_| uid == Id(0)) {
                    Some(word) => {
                        Err(words.complain(word, "root's processes are not the script's"))
                    }
                    None => Ok(Self::User(uid)),
                }
            }
        }
    }

    fn put(&self, out: &mut Vec<Vec<u8>>) {
        match self {
            Self::Process(who) => {
                PriorityKind::Process.put(out);
                who.put(out);
            }
            Self::Group(who) => {
                PriorityKind::Group.put(out);
                who.put(out);
            }
            Self::User(uid) => {
                PriorityKind::User.put(out);
                uid.put(out);
            }
        }
    }
}
