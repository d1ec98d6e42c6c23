//! The system as a whole.

use super::{Act, Performed, done};
use crate::backend::RebootCommand;
use crate::id::{Moment, Pid};
use crate::transcript::op::{ClockName, RebootHow, SystemOp, UnameField};
use crate::transcript::outcome::Outcome;

pub(super) fn run(act: &Act<'_>, op: &SystemOp) -> Performed {
    let kernel = act.kernel;
    match op {
        SystemOp::Uname { field } => {
            let names = kernel.uname()?;
            Ok(Outcome::value(match field {
                UnameField::Sysname => names.sysname.as_bytes(),
                UnameField::Nodename => names.nodename.as_bytes(),
                UnameField::Machine => names.machine.as_bytes(),
                UnameField::Domainname => names.domainname.as_bytes(),
                UnameField::Release => two_numbers(names.release.as_bytes()),
            }))
        }
        SystemOp::Reboot { how } => done(kernel.reboot(match how {
            RebootHow::Restart => RebootCommand::Restart,
            RebootHow::Halt => RebootCommand::Halt,
            RebootHow::PowerOff => RebootCommand::PowerOff,
        })),
        SystemOp::Clock { clock } => {
            let now = match clock {
                ClockName::Realtime => kernel.realtime()?,
                ClockName::Monotonic => kernel.monotonic()?,
                ClockName::Boottime => kernel.boottime()?,
            };
            let Some(initial) = act.aim.initial else {
                return Err(Outcome::Broken("the runner gave no initial clock".to_owned()));
            };
            Ok(Outcome::status(whole_seconds(now, initial).to_string()))
        }
        SystemOp::Attach { who } => done(kernel.attach(act.who(who).unwrap_or(Pid::ZERO))),
    }
}

/// `6.12` of `6.12.111+deb12`.
fn two_numbers(release: &[u8]) -> &[u8] {
    let mut dots = release.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_digit());
    let end = dots.nth(1).map_or(release.len(), |(at, _)| at);
    release.get(..end).unwrap_or(release)
}

/// How much later `now` is, rounded to the nearest second.
fn whole_seconds(now: Moment, initial: Moment) -> i128 {
    const SECOND_NS: i128 = 1_000_000_000;
    let apart = i128::from(now.ns) - i128::from(initial.ns);
    (apart + SECOND_NS / 2).div_euclid(SECOND_NS)
}

#[cfg(test)]
mod tests {
    use super::{two_numbers, whole_seconds};
    use crate::id::Moment;

    #[test]
    fn a_release_is_its_first_two_numbers() {
        for (release, short) in [("6.12.111-x", "6.12"), ("6.18", "6.18"), ("6.1-rc3", "6.1")] {
            assert_eq!(two_numbers(release.as_bytes()), short.as_bytes());
        }
    }

    #[test]
    fn clocks_differ_by_whole_seconds_in_either_direction() {
        let at = |ms: u64| Moment { ns: ms * 1_000_000 };
        assert_eq!(whole_seconds(at(105_001), at(5_000)), 100);
        assert_eq!(whole_seconds(at(5_000), at(15_003)), -10);
        assert_eq!(whole_seconds(at(5_002), at(5_000)), 0);
    }
}
