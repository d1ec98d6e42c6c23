//! Files of a process that are a number or a few.

use standin::{Capability, Errno, Failure, Uid};

use super::text;
use crate::cgroup::{oom, value};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::list::iterate;
use crate::namespace::pid::PidNsKey;
use crate::namespace::user;
use crate::step::Step;
use crate::task::{self, ProcessKey, ThreadKey};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Small {
    /// The processes that a thread is the parent of (proc_pid_task(5)).
    Children,
    /// What dumps of memory leave out, as bits (core(5)).
    CoreFilter,
    LoginUid,
    /// The old scale of `oom_score_adj`.
    OomAdj,
    OomScore,
    Personality,
    SessionId,
    /// By how much its timers may be late, in ns (prctl(2), `PR_SET_TIMERSLACK`).
    TimerSlack,
    /// Where in the kernel it waits.
    Wchan,
    /// The same text for every process.
    Same(&'static [u8]),
}

/// What was set of a process that most leave alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Marks {
    /// Who has logged in, and which session of the audit that was; none if nobody has.
    login: Option<(Uid, u32)>,
    timer_slack_ns: u64,
    default_slack_ns: u64,
    core_filter: u32,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            login: None,
            timer_slack_ns: SLACK_NS,
            default_slack_ns: SLACK_NS,
            core_filter: CORE_FILTER,
        }
    }
}

impl Marks {
    /// What a child starts with: the slack of its parent is what it comes back to.
    pub(crate) const fn inherited(self) -> Self {
        Self { default_slack_ns: self.timer_slack_ns, ..self }
    }
}

/// What processes start with (recorded).
const SLACK_NS: u64 = 50_000;
const CORE_FILTER: u32 = 0x33;
/// The bits that there are.
const CORE_FILTERS: u32 = 0x1ff;

/// No user, and no session.
const NONE: u32 = u32::MAX;

/// The old scale of the adjustment: 15 for always, -17 for never.
const OLD_MOST: i64 = 15;
const OLD_LEAST: i64 = -16;
const OLD_NEVER: i64 = -17;
const NEW_MOST: i64 = 1000;

impl Small {
    /// Whether pwrite(2) finds a place in it.
    pub(super) const fn takes_offset(self) -> bool {
        matches!(self, Self::CoreFilter | Self::LoginUid | Self::OomAdj | Self::SessionId)
    }
}

fn marks(kernel: &Kernel, process: ProcessKey) -> Marks {
    let more = kernel.tasks.processes.at(process).more.as_ref();
    more.map_or_else(Marks::default, |more| more.marks)
}

/// Prints it.
///
/// # Errors
/// EPERM: somebody else's, and the caller may not look. `NotModelled`: where a process waits in the kernel.
pub(super) fn print(
    kernel: &Kernel,
    (caller, to): (ThreadKey, PidNsKey),
    key: ThreadKey,
    small: Small,
    out: &mut Vec<u8>,
) -> Step<()> {
    let thread = kernel.tasks.threads.at(key);
    let marks = || marks(kernel, thread.process);
    match small {
        Small::Children => {
            let process = kernel.tasks.processes.at(thread.process);
            let children =
                iterate(&kernel.tasks.processes, process.children, |child| &child.siblings);
            for (_, child) in children.filter(|(_, child)| child.parent_thread == Some(key)) {
                text::decimal(out, kernel.number_in(to, child.number).into());
                out.push(b' ');
            }
            return Ok(());
        }
        // What has exited has no memory to be dumped.
        Small::CoreFilter if thread.exited => return Ok(()),
        Small::CoreFilter => {
            out.extend_from_slice(format!("{:08x}", marks().core_filter).as_bytes())
        }
        Small::LoginUid => {
            let namespace = kernel.credentials(caller).namespace;
            let told = marks().login.map(|(user, _)| kernel.namespaces.told_user(namespace, user));
            text::decimal(out, told.map_or(NONE, |user| user.0).into());
            return Ok(());
        }
        Small::SessionId => {
            text::decimal(out, marks().login.map_or(NONE, |(_, session)| session).into());
            return Ok(());
        }
        Small::OomAdj => text::signed(out, old_scale(adjustment(kernel, thread.process))),
        Small::OomScore => text::decimal(out, score(kernel, key)),
        Small::Personality => {
            if !task::may_look_into(kernel, caller, key) {
                return Err(Errno::EPERM.into());
            }
            out.extend_from_slice(b"00000000");
        }
        Small::TimerSlack => {
            may_time(kernel, caller, key)?;
            text::decimal(out, marks().timer_slack_ns);
        }
        Small::Wchan => {
            let runs = key == caller || thread.exited;
            if !runs && task::may_look_into(kernel, caller, key) {
                return Err(Failure::NotModelled("where in the kernel a process waits").into());
            }
            out.push(b'0');
            return Ok(());
        }
        Small::Same(same) => {
            out.extend_from_slice(same);
            return Ok(());
        }
    }
    out.push(b'\n');
    Ok(())
}

fn adjustment(kernel: &Kernel, process: ProcessKey) -> i64 {
    kernel.tasks.processes.at(process).more.as_ref().map_or(0, |more| more.oom_adjustment.into())
}

fn old_scale(adjustment: i64) -> i64 {
    if adjustment == NEW_MOST {
        OLD_MOST
    } else {
        (adjustment * -OLD_NEVER / NEW_MOST).min(OLD_MOST)
    }
}

/// How likely it is that the process is ended when memory runs out: two thirds of thousandths of the machine's memory, from
/// the adjustment on (proc_pid_oom_score(5)). 0 of what has no memory, or is never ended.
fn score(kernel: &Kernel, key: ThreadKey) -> u64 {
    const PAGE: u64 = 4096;
    let thread = kernel.tasks.threads.at(key);
    let adjustment = adjustment(kernel, thread.process);
    if thread.exited || adjustment == -NEW_MOST {
        return 0;
    }
    let total = i64::try_from(kernel.profile.memory.0 / PAGE).unwrap_or(i64::MAX).max(1);
    let own = oom::resident(kernel, thread.process);
    let points = own.saturating_add(adjustment * (total / NEW_MOST));
    let thousandths = points.saturating_mul(NEW_MOST) / total;
    u64::try_from((NEW_MOST + thousandths) * 2 / 3).unwrap_or(0)
}

/// EPERM unless it is the caller's own, or the caller may change how others are scheduled (proc_pid_timerslack_ns(5)).
fn may_time(kernel: &Kernel, caller: ThreadKey, key: ThreadKey) -> Result<(), Errno> {
    let over = kernel.credentials(key).namespace;
    let own = kernel.credentials(caller).holder();
    if key == caller || user::capable(kernel, own, over, Capability::SYS_NICE) {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

/// One write: how many bytes of it count.
///
/// # Errors
/// EINVAL: no number; ERANGE: too great a one; EINVAL also of what nobody writes. EACCES, EPERM: not for this caller. ESRCH:
/// it has exited.
pub(super) fn write(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (key, small, file): (ThreadKey, Small, FileKey),
    offset: u64,
    bytes: &[u8],
) -> Step<usize> {
    let thread = kernel.tasks.threads.get(key).ok_or(Errno::ESRCH)?;
    let (process, exited) = (thread.process, thread.exited);
    match small {
        Small::CoreFilter => {
            let filter = unsigned(bytes, Radix::Any, u32::MAX.into())?;
            if exited {
                return Err(Errno::ESRCH.into());
            }
            let filter = u32::try_from(filter).unwrap_or(0) & CORE_FILTERS;
            kernel.tasks.processes.at_mut(process).more_mut().marks.core_filter = filter;
        }
        Small::LoginUid => {
            if key != caller {
                return Err(Errno::EPERM.into());
            }
            if offset > 0 {
                return Err(Errno::EINVAL.into());
            }
            alone(kernel, process)?;
            set_login(kernel, caller, (process, file), bytes)?;
        }
        Small::OomAdj => return Ok(write_old(kernel, caller, process, bytes)?),
        Small::TimerSlack => {
            let slack = unsigned(bytes, Radix::Ten, u64::MAX)?;
            may_time(kernel, caller, key)?;
            alone(kernel, process)?;
            let marks = &mut kernel.tasks.processes.at_mut(process).more_mut().marks;
            marks.timer_slack_ns = if slack == 0 { marks.default_slack_ns } else { slack };
        }
        Small::Children
        | Small::OomScore
        | Small::Personality
        | Small::SessionId
        | Small::Wchan
        | Small::Same(_) => return Err(Errno::EINVAL.into()),
    }
    Ok(bytes.len())
}

/// These are a thread's own, and kept of the process as a whole here.
fn alone(kernel: &Kernel, process: ProcessKey) -> Result<(), Failure> {
    if kernel.tasks.processes.at(process).threads.len() > 1 {
        Err(Failure::NotModelled("the login or the timer slack of one of several threads"))
    } else {
        Ok(())
    }
}

/// Who has logged in: set by anybody once, and then by who may audit.
fn set_login(
    kernel: &mut Kernel,
    caller: ThreadKey,
    (process, file): (ProcessKey, FileKey),
    bytes: &[u8],
) -> Step<()> {
    let id = u32::try_from(unsigned(bytes, Radix::Ten, NONE.into())?).unwrap_or(NONE);
    let user = if id == NONE {
        None
    } else {
        let by = kernel.vfs.files.at(file).opener.namespace;
        Some(kernel.namespaces.meant_user(by, Uid(id)).ok_or(Errno::EINVAL)?)
    };
    let set = marks(kernel, process).login.is_some();
    if set && !kernel.credentials(caller).capable(Capability::AUDIT_CONTROL) {
        return Err(Errno::EPERM.into());
    }
    let login = user.map(|user| {
        kernel.tasks.logins += 1;
        (user, kernel.tasks.logins)
    });
    kernel.tasks.processes.at_mut(process).more_mut().marks.login = login;
    Ok(())
}

/// Bytes of a write to `oom_adj` that the kernel looks at.
const OLD_LENGTH: usize = 12;

/// The adjustment in its old scale. Who may not exceed limits can only raise it.
fn write_old(
    kernel: &mut Kernel,
    caller: ThreadKey,
    process: ProcessKey,
    bytes: &[u8],
) -> Result<usize, Errno> {
    let bytes = bytes.get(..OLD_LENGTH).unwrap_or(bytes);
    let old = i64::from(value::int(value::strip(value::text(bytes)))?);
    if old != OLD_NEVER && !(OLD_LEAST..=OLD_MOST).contains(&old) {
        return Err(Errno::EINVAL);
    }
    let new = if old == OLD_MOST { NEW_MOST } else { old * NEW_MOST / -OLD_NEVER };
    let able = kernel.credentials(caller).capable(Capability::SYS_RESOURCE);
    if new < adjustment(kernel, process) && !able {
        return Err(Errno::EACCES);
    }
    let more = kernel.tasks.processes.at_mut(process).more_mut();
    more.oom_adjustment = i16::try_from(new).map_err(|_| Errno::EINVAL)?;
    kernel.waits.wake(crate::wait::Channel::Memory);
    Ok(bytes.len())
}

/// How a number may be spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Radix {
    Ten,
    /// With 0 or 0x before it.
    Any,
}

/// A number without sign and without anything beside it but a last newline.
///
/// # Errors
/// EINVAL: none. ERANGE: more than `most`.
fn unsigned(bytes: &[u8], radix: Radix, most: u64) -> Result<u64, Errno> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let (digits, base) = match text {
        [b'0', b'x' | b'X', digits @ ..] if radix == Radix::Any => (digits, 16),
        [b'0', digits @ ..] if radix == Radix::Any && !digits.is_empty() => (digits, 8),
        _ => (text, 10),
    };
    if digits.is_empty() {
        return Err(Errno::EINVAL);
    }
    let mut number = Some(0_u64);
    for byte in digits {
        let digit = char::from(*byte).to_digit(base).ok_or(Errno::EINVAL)?;
        number = number
            .and_then(|number| number.checked_mul(base.into()))
            .and_then(|number| number.checked_add(digit.into()));
    }
    number.filter(|number| *number <= most).ok_or(Errno::ERANGE)
}

#[cfg(test)]
mod tests {
    use standin::Errno;

    use super::{Radix, old_scale, unsigned};

    #[test]
    fn a_number_has_no_sign_and_nothing_beside_it() {
        assert_eq!(unsigned(b"7\n", Radix::Ten, 9), Ok(7));
        assert_eq!(unsigned(b"010", Radix::Any, 9), Ok(8));
        assert_eq!(unsigned(b"0x1f", Radix::Any, 99), Ok(31));
        assert_eq!(unsigned(b"10", Radix::Ten, 9), Err(Errno::ERANGE));
        for wrong in ["", "x", "-1", "1 2", "0x10", " 3", "3 "] {
            assert_eq!(unsigned(wrong.as_bytes(), Radix::Ten, 9), Err(Errno::EINVAL), "{wrong}");
        }
    }

    #[test]
    fn the_old_scale_is_a_coarse_one() {
        let pairs = [(1000, 15), (999, 15), (294, 4), (58, 0), (0, 0), (-999, -16), (-1000, -17)];
        for (new, old) in pairs {
            assert_eq!(old_scale(new), old, "{new}");
        }
    }
}
