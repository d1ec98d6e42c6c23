//! Processes: what an actor does to itself and to the process it is aimed at.

use super::file::{given, read};
use super::{Act, Performed, done, not_an_actors};
use crate::backend::{WaitOptions, WaitStatus};
use crate::capability::Capability;
use crate::errno::Errno;
use crate::failure::{Failure, Result};
use crate::id::{ExitCode, Gid, Pid, Uid};
use crate::path::{KPath, KPathBuf, Place};
use crate::signal::Signal;
use crate::transcript::choice::Switch;
use crate::transcript::name::SignalArg;
use crate::transcript::op::ProcessOp;
use crate::transcript::outcome::{Outcome, PidRule};
use crate::transcript::value::{Data, Owner};

pub(super) fn run(act: &Act<'_>, op: &ProcessOp) -> Performed {
    let kernel = act.kernel;
    match op {
        ProcessOp::Fork { .. }
        | ProcessOp::Thread { .. }
        | ProcessOp::Status { .. }
        | ProcessOp::Join { .. } => not_an_actors(op.name()),
        ProcessOp::Exit { code } => done(kernel.exit(ExitCode(*code))),
        ProcessOp::Kill { signal, .. } => {
            let target = act.target()?;
            done(send(*signal, |signal| kernel.signal(target, signal)))
        }
        ProcessOp::Wait { nohang, .. } => {
            let options = WaitOptions { nonblocking: nohang.is_some(), ..WaitOptions::default() };
            let status = kernel.wait(act.target()?, options)?;
            Ok(Outcome::status(status.map_or_else(|| "running".to_owned(), ended)))
        }
        ProcessOp::Pid {} => Ok(Outcome::process(kernel.pid()?, PidRule::Number)),
        ProcessOp::Ppid {} => Ok(Outcome::process(kernel.parent()?, PidRule::Label)),
        ProcessOp::Subreaper { to } => done(kernel.set_subreaper(*to == Switch::On)),
        ProcessOp::Setid { owner } => set_ids(act, *owner),
        ProcessOp::Capdrop { capabilities } => drop_capabilities(act, &capabilities.0),
        ProcessOp::Proc { file, .. } => {
            in_proc(act, file, |place| Ok(Outcome::text(read(act, place)?)))
        }
        ProcessOp::Exec { program, arguments } => execute(act, program, arguments),
    }
}

/// Sends a signal that may be none: what the kernel answers then is told by a probe, which asks for permission last.
pub(super) fn send(signal: SignalArg, send: impl Fn(Option<Signal>) -> Result<()>) -> Result<()> {
    match (signal.signal(), signal.0) {
        (None, 0) => send(None),
        (Some(signal), _) => send(Some(signal)),
        (None, _) => match send(None) {
            Ok(()) | Err(Failure::Errno(Errno::EPERM)) => Err(Errno::EINVAL.into()),
            other => other,
        },
    }
}

/// Opens a file of the target in the initial proc mount.
pub(super) fn in_proc(
    act: &Act<'_>,
    file: &KPath,
    then: impl FnOnce(Place<'_>) -> Performed,
) -> Performed {
    let Some(Pid(pid)) = act.aim.in_proc else {
        return Err(Outcome::Broken("the runner gave no number of TARGET".to_owned()));
    };
    let below = |root: &str| KPathBuf::new(format!("{root}{pid}")).map(|at| at.join(file));
    let proc = act.actor.proc();
    let path = below(if proc.is_some() { "" } else { "/proc/" });
    let path = path.map_err(|nul| Outcome::Broken(nul.to_string()))?;
    match &proc {
        Some(directory) => then(Place::at(directory, &path)),
        None => then(Place::cwd(&path)),
    }
}

fn ended(status: WaitStatus) -> String {
    match status {
        WaitStatus::Exited(code) => format!("exited {code}"),
        WaitStatus::Killed(signal) => format!("killed {signal}"),
        WaitStatus::Stopped(signal) => format!("stopped {signal}"),
        WaitStatus::Continued => "continued".to_owned(),
    }
}

fn set_ids(act: &Act<'_>, owner: Owner) -> Performed {
    let (uid, gid) = (given(owner.uid).map(Uid), given(owner.gid).map(Gid));
    act.kernel.set_groups(&[])?;
    act.kernel.set_group_ids(gid, gid, gid)?;
    done(act.kernel.set_user_ids(uid, uid, uid))
}

fn drop_capabilities(act: &Act<'_>, capabilities: &[Capability]) -> Performed {
    for capability in capabilities {
        act.kernel.drop_bounding(*capability)?;
    }
    let mut sets = act.kernel.capabilities()?;
    for capability in capabilities {
        sets.effective.remove(*capability);
        sets.permitted.remove(*capability);
        sets.inheritable.remove(*capability);
    }
    done(act.kernel.set_capabilities(sets.effective, sets.permitted, sets.inheritable))
}

fn execute(act: &Act<'_>, program: &KPath, arguments: &[Data]) -> Performed {
    let mut words = vec![program.as_bytes()];
    words.extend(arguments.iter().map(|argument| argument.0.as_slice()));
    done(act.kernel.exec(program, &words, &[]))
}
