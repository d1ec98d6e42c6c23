//! Credentials, limits, sessions and signals.

use standin::id::Mode;
use standin::transcript::{
    CapabilityChange, CapabilitySetName, Id, IdentityOp, Limit, LimitPair, ListOrNone, MaskChange,
    Op, Prctl, PriorityOf, RlimitName, SignalAction, SignalArg, Switch, Who,
};

use super::super::belief::Belief;
use super::file::someone;
use super::process::{fork_plain, spare};
use super::{Made, Move, Pick, actor, data, row};

pub(super) const MOVES: &[Move] = &[
    row("ids", 1, ids),
    row("caps", 1, caps),
    row("setresuid", 1, setresuid),
    row("setresgid", 1, setresgid),
    row("setuid", 1, setuid),
    row("setgid", 1, setgid),
    row("grouplist", 1, grouplist),
    row("capset", 2, capset),
    row("prctl", 2, prctl),
    row("rlimit", 2, rlimit),
    row("priority", 2, priority),
    row("umask", 1, umask),
    row("setsid", 1, setsid),
    row("setpgid", 1, setpgid),
    row("getpgid", 1, getpgid),
    row("getsid", 1, getsid),
    row("killpg", 1, killpg),
    row("signal", 2, signal),
    row("sigmask", 1, sigmask),
    row("sigcount", 1, sigcount),
    row("sigpending", 1, sigpending),
];

const USR1: SignalArg = SignalArg(10);
const CONT: SignalArg = SignalArg(18);
/// An id that is left as it is.
const LEFT: Id = Id(u32::MAX);

const fn op(role: usize, op: IdentityOp) -> Made {
    Some((role, Op::Identity(op)))
}

fn ids(belief: &mut Belief, pick: Pick) -> Made {
    op(belief.anybody(pick.who), IdentityOp::Ids {})
}

fn caps(belief: &mut Belief, pick: Pick) -> Made {
    op(belief.anybody(pick.who), IdentityOp::Caps {})
}

fn setresuid(belief: &mut Belief, pick: Pick) -> Made {
    if pick.a % 2 == 1
        && let Some(role) = belief.other_root(pick.who)
    {
        belief.actors.at_mut(role).is_root = false;
        let id = Id(1000);
        return op(role, IdentityOp::Setresuid { real: id, effective: id, saved: id });
    }
    let role = belief.anybody(pick.who);
    op(role, IdentityOp::Setresuid { real: LEFT, effective: LEFT, saved: LEFT })
}

fn setresgid(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.root(pick.who);
    let id = Pick::of(pick.a, &[0, 1000])?;
    belief.actors.at_mut(role).gid = id;
    let id = Id(id);
    op(role, IdentityOp::Setresgid { real: id, effective: id, saved: id })
}

fn setuid(belief: &mut Belief, pick: Pick) -> Made {
    if pick.a % 2 == 1
        && let Some(role) = belief.other_root(pick.who)
    {
        belief.actors.at_mut(role).is_root = false;
        return op(role, IdentityOp::Setuid { uid: Id(1000) });
    }
    op(belief.root(pick.who), IdentityOp::Setuid { uid: Id(0) })
}

fn setgid(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.root(pick.who);
    let id = Pick::of(pick.a, &[0, 1000])?;
    belief.actors.at_mut(role).gid = id;
    op(role, IdentityOp::Setgid { gid: Id(id) })
}

fn grouplist(belief: &mut Belief, pick: Pick) -> Made {
    let groups = Pick::of(pick.a, &[&[][..], &[Id(4)][..], &[Id(4), Id(1000)][..]])?;
    let groups = ListOrNone(groups.to_vec());
    op(belief.root(pick.who), IdentityOp::Grouplist { groups })
}

fn capset(belief: &mut Belief, pick: Pick) -> Made {
    if pick.a.is_multiple_of(3) {
        let set = CapabilitySetName::Ambient;
        let change = CapabilityChange { set, capability: None, to: Switch::Off };
        return op(belief.anybody(pick.who), IdentityOp::Capset { change });
    }
    let Some(role) = belief.other_root(pick.who) else { return fork_plain(belief, pick) };
    let sets = [CapabilitySetName::Effective, CapabilitySetName::Bounding];
    let (set, capability) = (Pick::of(pick.b, &sets)?, Some(spare(pick.c)?));
    let change = CapabilityChange { set, capability, to: Switch::Off };
    op(role, IdentityOp::Capset { change })
}

fn prctl(belief: &mut Belief, pick: Pick) -> Made {
    let prctl = match pick.a % 8 {
        0 => Prctl::Name(None),
        1 => Prctl::Name(Some(data(Pick::of(pick.b, &["worker", "manager"])?))),
        2 => Prctl::NoNewPrivs(None),
        3 => Prctl::NoNewPrivs(Some(1)),
        4 => Prctl::Keepcaps(Some(u64::from(pick.b % 2))),
        5 => Prctl::Securebits(None),
        6 => Prctl::Pdeathsig(None),
        _ => Prctl::Pdeathsig(Some(SignalArg(0))),
    };
    op(belief.anybody(pick.who), IdentityOp::Prctl { prctl })
}

fn rlimit(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let (name, to) = match pick.a % 4 {
        3 => {
            let none = Limit::To(0);
            (RlimitName::Core, Some(LimitPair { soft: none, hard: none }))
        }
        _ => (Pick::of(pick.b, RlimitName::ALL)?, None),
    };
    op(role, IdentityOp::Rlimit { who: Who::Zero, name, to })
}

fn priority(belief: &mut Belief, pick: Pick) -> Made {
    let of = PriorityOf::Process(Who::Zero);
    if pick.a % 2 == 1 {
        let to = Some(i32::from(pick.b % 20));
        return op(belief.root(pick.who), IdentityOp::Priority { of, to });
    }
    op(belief.anybody(pick.who), IdentityOp::Priority { of, to: None })
}

fn umask(belief: &mut Belief, pick: Pick) -> Made {
    let mask = Mode::new(Pick::of(pick.a, &[0, 0o022, 0o002])?);
    op(belief.anybody(pick.who), IdentityOp::Umask { mask })
}

fn setsid(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |role: usize| belief.is_ready(role) && !belief.process(role).leads_group;
    let Some(role) = belief.actors.pick(pick.who, |role, _| fits(role)) else {
        return getsid(belief, pick);
    };
    let process = belief.process_mut(role);
    (process.leads_session, process.leads_group) = (true, true);
    op(role, IdentityOp::Setsid {})
}

fn setpgid(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |role: usize| belief.is_ready(role) && !belief.process(role).leads_session;
    let Some(role) = belief.actors.pick(pick.who, |role, _| fits(role)) else {
        return getpgid(belief, pick);
    };
    belief.process_mut(role).leads_group = true;
    op(role, IdentityOp::Setpgid { who: Who::Zero, group: Who::Zero })
}

/// The actor itself, or somebody who is there.
fn who(belief: &Belief, role: usize, by: u8) -> Who {
    if by.is_multiple_of(2) || belief.actors.at(role).is_childless {
        return Who::Zero;
    }
    Who::Actor(actor(belief.actors.at(someone(belief, by / 2)).process).clone())
}

fn getpgid(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    op(role, IdentityOp::Getpgid { who: who(belief, role, pick.a) })
}

fn getsid(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    op(role, IdentityOp::Getsid { who: who(belief, role, pick.a) })
}

fn killpg(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.root(pick.who);
    let signal = Pick::of(pick.a, &[SignalArg(0), CONT])?;
    if signal == CONT {
        // Whom it reaches depends on sessions and groups; who was stopped may be so no more.
        for role in 0..super::super::ground::ROLES {
            if belief.processes.at(role).is_stopped {
                return op(belief.root(pick.who), IdentityOp::Sigpending {});
            }
        }
    }
    op(role, IdentityOp::Killpg { group: Who::Zero, signal })
}

fn signal(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let disposition = Pick::of(pick.a, SignalAction::ALL)?;
    belief.process_mut(role).counts = disposition != SignalAction::Default;
    op(role, IdentityOp::Signal { signal: USR1, disposition })
}

fn sigmask(belief: &mut Belief, pick: Pick) -> Made {
    let change = Pick::of(pick.a, MaskChange::ALL)?;
    let signals = ListOrNone(vec![Pick::of(pick.b, &[SignalArg(12), SignalArg(1)])?]);
    op(belief.anybody(pick.who), IdentityOp::Sigmask { change, signals })
}

fn sigcount(belief: &mut Belief, pick: Pick) -> Made {
    op(belief.anybody(pick.who), IdentityOp::Sigcount { signal: USR1 })
}

fn sigpending(belief: &mut Belief, pick: Pick) -> Made {
    op(belief.anybody(pick.who), IdentityOp::Sigpending {})
}
