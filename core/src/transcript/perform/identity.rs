//! Credentials, capabilities, sessions and signals. Limits and priorities are next door.

use super::file::given;
use super::process::send;
use super::{Act, Performed, done, limit, name_to_nul};
use crate::backend::{AmbientChange, Delivery};
use crate::capability::{CapabilitySet, Securebits};
use crate::errno::Errno;
use crate::id::{Gid, Uid};
use crate::signal::{Signal, SignalSet};
use crate::transcript::choice::Switch;
use crate::transcript::name::SignalArg;
use crate::transcript::op::{
    CapabilityChange, CapabilitySetName, IdentityOp, MaskChange, Prctl, SignalAction,
};
use crate::transcript::outcome::{Outcome, PidRule};
use crate::transcript::value::Id;

pub(super) fn run(act: &Act<'_>, op: &IdentityOp) -> Performed {
    let kernel = act.kernel;
    let (uid, gid) = (|id: &Id| given(*id).map(Uid), |id: &Id| given(*id).map(Gid));
    match op {
        IdentityOp::Ids {} => ids(act),
        IdentityOp::Caps {} => capabilities(act),
        IdentityOp::Setresuid { real, effective, saved } => {
            done(kernel.set_user_ids(uid(real), uid(effective), uid(saved)))
        }
        IdentityOp::Setresgid { real, effective, saved } => {
            done(kernel.set_group_ids(gid(real), gid(effective), gid(saved)))
        }
        IdentityOp::Setuid { uid } => done(kernel.set_user_id(Uid(uid.0))),
        IdentityOp::Setgid { gid } => done(kernel.set_group_id(Gid(gid.0))),
        IdentityOp::Grouplist { groups } => {
            let groups: Vec<Gid> = groups.0.iter().map(|id| Gid(id.0)).collect();
            done(kernel.set_groups(&groups))
        }
        IdentityOp::Capset { change } => change_capability(act, *change),
        IdentityOp::Prctl { prctl } => control(act, prctl),
        IdentityOp::Rlimit { who, name, to } => limit::resource(act, who, *name, *to),
        IdentityOp::Priority { of, to } => limit::priority(act, of, *to),
        IdentityOp::Umask { mask } => Ok(Outcome::status(kernel.set_umask(*mask)?.to_string())),
        IdentityOp::Setsid {} => {
            kernel.set_session()?;
            Ok(Outcome::ok())
        }
        IdentityOp::Setpgid { who, group } => {
            done(kernel.set_process_group(act.who(who), act.who(group)))
        }
        IdentityOp::Getpgid { who } => {
            Ok(Outcome::process(kernel.process_group(act.who(who))?, PidRule::Label))
        }
        IdentityOp::Getsid { who } => {
            Ok(Outcome::process(kernel.session(act.who(who))?, PidRule::Label))
        }
        IdentityOp::Killpg { group, signal } => {
            let group = act.who(group);
            done(send(*signal, |signal| kernel.signal_group(group, signal)))
        }
        IdentityOp::Signal { signal, disposition } => {
            done(kernel.set_delivery(real(*signal)?, (*disposition).into()))
        }
        IdentityOp::Sigmask { change, signals } => change_mask(act, *change, &signals.0),
        IdentityOp::Sigcount { signal } => {
            Ok(Outcome::status(kernel.take_deliveries(real(*signal)?)?.to_string()))
        }
        IdentityOp::Sigpending {} => {
            let pending = kernel.pending_signals()?;
            let names: Vec<&str> = pending.iter().map(Signal::name).collect();
            Ok(Outcome::status(if names.is_empty() { "none".to_owned() } else { names.join(" ") }))
        }
    }
}

/// A signal that exists; the kernel takes no other where it is asked about one.
fn real(signal: SignalArg) -> Result<Signal, Errno> {
    signal.signal().ok_or(Errno::EINVAL)
}

fn ids(act: &Act<'_>) -> Performed {
    let it = act.kernel.credentials()?;
    let (user, group) = (it.user, it.group);
    let mut text = format!(
        "uid {} {} {} {}\ngid {} {} {} {}\ngroups",
        user.real,
        user.effective,
        user.saved,
        user.filesystem,
        group.real,
        group.effective,
        group.saved,
        group.filesystem
    );
    it.groups.iter().for_each(|group| text.push_str(&format!(" {group}")));
    text.push('\n');
    Ok(Outcome::text(text))
}

fn capabilities(act: &Act<'_>) -> Performed {
    let kernel = act.kernel;
    let sets = kernel.capabilities()?;
    let rows = [
        ("inh", sets.inheritable),
        ("prm", sets.permitted),
        ("eff", sets.effective),
        ("bnd", sets.bounding),
        ("amb", sets.ambient),
    ];
    let mut text: String = rows.iter().map(|(name, set)| format!("{name} {set:016x}\n")).collect();
    text.push_str(&format!("securebits {:x}\n", kernel.securebits()?.bits()));
    text.push_str(&format!("keepcaps {}\n", u8::from(kernel.keep_capabilities()?)));
    text.push_str(&format!("no_new_privs {}\n", u8::from(kernel.no_new_privileges()?)));
    Ok(Outcome::text(text))
}

fn change_capability(act: &Act<'_>, change: CapabilityChange) -> Performed {
    let kernel = act.kernel;
    let on = change.to == Switch::On;
    let Some(capability) = change.capability else {
        return done(kernel.change_ambient(AmbientChange::ClearAll));
    };
    if change.set == CapabilitySetName::Bounding {
        return done(kernel.drop_bounding(capability));
    }
    if change.set == CapabilitySetName::Ambient {
        let change =
            if on { AmbientChange::Raise(capability) } else { AmbientChange::Lower(capability) };
        return done(kernel.change_ambient(change));
    }
    let mut sets = kernel.capabilities()?;
    let set: &mut CapabilitySet = match change.set {
        CapabilitySetName::Inheritable => &mut sets.inheritable,
        CapabilitySetName::Permitted => &mut sets.permitted,
        CapabilitySetName::Effective => &mut sets.effective,
        CapabilitySetName::Bounding => &mut sets.bounding,
        CapabilitySetName::Ambient => &mut sets.ambient,
    };
    *set = if on { set.with(capability) } else { set.without(capability) };
    done(kernel.set_capabilities(sets.effective, sets.permitted, sets.inheritable))
}

/// `prctl`: sets, or prints.
fn control(act: &Act<'_>, prctl: &Prctl) -> Performed {
    let kernel = act.kernel;
    match prctl {
        Prctl::Keepcaps(None) => {
            Ok(Outcome::status(u8::from(kernel.keep_capabilities()?).to_string()))
        }
        Prctl::Keepcaps(Some(to)) => {
            // Values are looked at before the locks (prctl(2)).
            done(kernel.set_keep_capabilities(match to {
                0 => false,
                1 => true,
                _ => return Err(Errno::EINVAL.into()),
            }))
        }
        Prctl::NoNewPrivs(None) => {
            Ok(Outcome::status(u8::from(kernel.no_new_privileges()?).to_string()))
        }
        Prctl::NoNewPrivs(Some(1)) => done(kernel.set_no_new_privileges()),
        Prctl::NoNewPrivs(Some(_)) => Err(Errno::EINVAL.into()),
        Prctl::Securebits(None) => {
            Ok(Outcome::status(format!("{:x}", kernel.securebits()?.bits())))
        }
        Prctl::Securebits(Some(bits)) => match u32::try_from(*bits) {
            Ok(bits) => done(kernel.set_securebits(Securebits::from_bits_retain(bits))),
            // No kernel knows a bit so high: it is refused as any unknown one.
            Err(_) => done(kernel.set_securebits(Securebits::from_bits_retain(u32::MAX))),
        },
        Prctl::Pdeathsig(None) => {
            let signal = kernel.parent_death_signal()?;
            Ok(Outcome::status(signal.map_or_else(|| "0".to_owned(), |it| it.to_string())))
        }
        Prctl::Pdeathsig(Some(SignalArg(0))) => done(kernel.set_parent_death_signal(None)),
        Prctl::Pdeathsig(Some(signal)) => {
            done(kernel.set_parent_death_signal(Some(real(*signal)?)))
        }
        Prctl::Name(None) => {
            let name = kernel.name()?;
            // Recorded so: an empty name is a line of its own.
            let bytes = name.as_bytes();
            Ok(if bytes.is_empty() { Outcome::text("\n") } else { Outcome::value(bytes) })
        }
        Prctl::Name(Some(name)) => done(kernel.set_name(name_to_nul(&name.0))),
    }
}

fn change_mask(act: &Act<'_>, change: MaskChange, signals: &[SignalArg]) -> Performed {
    let named: SignalSet = signals.iter().copied().map(real).collect::<Result<_, _>>()?;
    let old = act.kernel.signal_mask()?;
    done(act.kernel.set_signal_mask(match change {
        MaskChange::Block => old.union(named),
        MaskChange::Unblock => old.difference(named),
        MaskChange::Set => named,
    }))
}

impl From<SignalAction> for Delivery {
    fn from(action: SignalAction) -> Self {
        match action {
            SignalAction::Default => Self::Default,
            SignalAction::Ignore => Self::Ignore,
            SignalAction::Count => Self::Count,
            SignalAction::Restart => Self::CountAndRestart,
        }
    }
}
