//! What may go wrong in a program's calls: a [`Fault`], and the count of those that did ([`Faults`]).
//!
//! A fault is data: which calls it is about, and what happens. It happens each time, or where a search decides so.

use std::sync::Arc;
use std::time::Duration;

use standin::backend::{Clock as _, Deadline};
use standin::layer::{Call, Layer};
use standin::{Errno, Failure};

use super::footprint::Footprint;
use super::generator::Generator;
use crate::machine::Shared;
use crate::run;
use crate::task::{ThreadKey, signal};
use crate::view::View;

/// Something that goes wrong in calls of a machine's programs: for [`Builder::fault`](crate::Builder::fault).
///
/// ```
/// use standin::backend::WaitStatus;
/// use standin::{Errno, ExitCode, fs};
/// use standin_sim::{Fault, Machine};
///
/// let full = Fault::fails("mkdir", Errno::ENOSPC).of("/bin/manager").on("/sys/fs/cgroup/*").nth(2);
/// let machine = Machine::builder().fault(full).build();
/// machine.program("/bin/manager", |kernel, _| {
///     fs::create_dir(kernel, "/sys/fs/cgroup/a").unwrap();
///     let refused = fs::create_dir(kernel, "/sys/fs/cgroup/b").unwrap_err();
///     assert_eq!(refused.errno(), Some(Errno::ENOSPC));
///     fs::create_dir(kernel, "/sys/fs/cgroup/b").unwrap();
///     ExitCode::SUCCESS
/// });
/// assert_eq!(machine.run("/bin/manager", &[]), Ok(WaitStatus::Exited(0)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fault {
    what: What,
    /// The call's name; any if it is not said.
    call: Option<String>,
    /// The program's path.
    program: Option<String>,
    /// A pattern of the call's path.
    path: Option<String>,
    /// Which of the calls that fit, from 1.
    nth: Option<u64>,
    /// How often it happens at most.
    most: u64,
    is_decided: bool,
    /// By chance: once in so many of the calls that fit, with this seed.
    chance: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum What {
    Fails(Errno),
    Dies,
    Waits(Duration),
    Shortens(usize),
}

impl Fault {
    const fn new(what: What, call: Option<String>) -> Self {
        let (program, path, nth) = (None, None, None);
        Self { what, call, program, path, nth, most: u64::MAX, is_decided: false, chance: None }
    }

    /// A call answers this, and does nothing. Calls are named as the backend's methods are.
    #[must_use]
    pub fn fails(call: &str, errno: Errno) -> Self {
        Self::new(What::Fails(errno), Some(call.to_owned()))
    }

    /// A program is killed before any of its calls: as if by SIGKILL, so that nothing of it does anything any more.
    #[must_use]
    pub const fn dies() -> Self {
        Self::new(What::Dies, None)
    }

    /// A call comes later than it was made, in virtual time.
    #[must_use]
    pub fn waits(call: &str, time: Duration) -> Self {
        Self::new(What::Waits(time), Some(call.to_owned()))
    }

    /// A `read`, `pread`, `write` or `pwrite` of a file, pipe or socket transfers so many bytes at most, and at least one. That a call
    /// of a control file is short, no kernel does.
    ///
    /// ```
    /// use standin::backend::{Files as _, OpenOptions};
    /// use standin::{ExitCode, KPath, Place};
    /// use standin_sim::{Fault, Machine};
    ///
    /// let machine = Machine::builder().fault(Fault::shortens("write", 3).nth(1)).build();
    /// machine.program("/bin/writer", |kernel, _| {
    ///     let place = Place::cwd(KPath::new("/mnt/log").unwrap());
    ///     let file = kernel.open(place, &OpenOptions::write().create()).unwrap();
    ///     assert_eq!(kernel.write(&file, b"a line"), Ok(3));
    ///     assert_eq!(kernel.write(&file, b"ine"), Ok(3));
    ///     ExitCode::SUCCESS
    /// });
    /// machine.run("/bin/writer", &[]).unwrap();
    /// ```
    #[must_use]
    pub fn shortens(call: &str, bytes: usize) -> Self {
        Self::new(What::Shortens(bytes.max(1)), Some(call.to_owned()))
    }

    /// In calls of this name alone.
    #[must_use]
    pub fn in_calls(mut self, call: &str) -> Self {
        self.call = Some(call.to_owned());
        self
    }

    /// By chance: in one of so many of the calls that fit, on average. The same seed is the same calls.
    #[must_use]
    pub const fn once_in(mut self, calls: u64, seed: u64) -> Self {
        self.chance = Some((if calls == 0 { 1 } else { calls }, seed));
        self
    }

    /// In calls of the program at this path alone.
    #[must_use]
    pub fn of(mut self, program: &str) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// In calls about such a path alone; `*` stands for anything or nothing. It is the path as the call has it: of an open
    /// file it has none.
    #[must_use]
    pub fn on(mut self, path: &str) -> Self {
        self.path = Some(path.to_owned());
        self
    }

    /// In the `nth` of the calls that fit alone, counted from 1.
    #[must_use]
    pub const fn nth(mut self, nth: u64) -> Self {
        self.nth = Some(nth);
        self
    }

    /// So often at most.
    #[must_use]
    pub const fn at_most(mut self, times: u64) -> Self {
        self.most = times;
        self
    }

    /// Only where a [`Search`](crate::Search) decides so: it tries the calls that fit.
    #[must_use]
    pub const fn perhaps(mut self) -> Self {
        self.is_decided = true;
        self
    }

    fn fits(&self, program: &[u8], call: &Call) -> bool {
        let is_about = |pattern: &String| {
            call.path().is_some_and(|path| matches(pattern.as_bytes(), path.as_bytes()))
        };
        self.call.as_ref().is_none_or(|name| name == call.name)
            && self.program.as_ref().is_none_or(|wanted| wanted.as_bytes() == program)
            && self.path.as_ref().is_none_or(is_about)
    }
}

/// Whether a text is like a pattern, in which `*` stands for anything or nothing.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => {
            (0..=text.len()).any(|skipped| text.get(skipped..).is_some_and(|it| matches(rest, it)))
        }
        [first, rest @ ..] => {
            text.split_first().is_some_and(|(it, text)| it == first && matches(rest, text))
        }
    }
}

/// A machine's faults.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Faults {
    /// Each with how often it fitted and happened.
    all: Vec<(Fault, u64, u64)>,
    /// What happened, in words.
    told: Vec<String>,
    /// Programs that were killed.
    deaths: u64,
    /// How much the calls that are under way transfer at most.
    #[cfg_attr(feature = "serde", serde(skip))]
    short: Vec<(ThreadKey, usize)>,
}

impl Faults {
    pub(crate) fn new(faults: &[Fault]) -> Self {
        let all = faults.iter().map(|fault| (fault.clone(), 0, 0)).collect();
        Self { all, ..Self::default() }
    }

    /// What may happen.
    #[cfg(feature = "watchdog")]
    pub(super) fn plan(&self) -> Vec<Fault> {
        self.all.iter().map(|(fault, ..)| fault.clone()).collect()
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How much a call that a thread makes may transfer.
    pub(crate) fn most_transferred(&self, thread: ThreadKey) -> Option<usize> {
        self.short.iter().find(|(short, _)| *short == thread).map(|(_, most)| *most)
    }

    /// How many programs were killed by them.
    pub(super) const fn deaths(&self) -> u64 {
        self.deaths
    }

    /// What happened, a sentence for each fault.
    pub(crate) fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    fn tell(&mut self, what: What, program: &[u8], call: &Call) {
        let program = String::from_utf8_lossy(program);
        self.told.push(match what {
            What::Fails(errno) => format!("{program}: {call} fails with {errno}"),
            What::Dies => format!("{program} dies before {call}"),
            What::Waits(time) => format!("{program} is held for {time:?} before {call}"),
            What::Shortens(bytes) => format!("{program}: {call} transfers {bytes} bytes at most"),
        });
        self.deaths += u64::from(what == What::Dies);
    }
}

/// What stands between a program and its machine.
pub(crate) struct Faulty {
    pub(crate) shared: Arc<Shared>,
    pub(crate) thread: ThreadKey,
    pub(crate) program: Vec<u8>,
    pub(crate) view: View,
}

impl Faulty {
    /// The first fault that happens to a call.
    fn what(&self, call: &Call) -> Option<What> {
        let kernel = &mut *self.shared.lock();
        let (faults, order) = (&mut kernel.faults, &mut kernel.order);
        let what = faults.all.iter_mut().find_map(|(fault, fitted, happened)| {
            if *happened >= fault.most || !fault.fits(&self.program, call) {
                return None;
            }
            // Which of the calls that fit it is depends on all the others.
            if let Some(order) = order {
                order.touched(&Footprint::everything());
            }
            *fitted += 1;
            if fault.nth.is_some_and(|nth| nth != *fitted) {
                return None;
            }
            if let Some((calls, seed)) = fault.chance
                && Generator::new(seed.wrapping_add(*fitted)).below(calls) != 0
            {
                return None;
            }
            if fault.is_decided && !order.as_mut().is_some_and(|order| order.goes_wrong()) {
                return None;
            }
            *happened += 1;
            Some(fault.what)
        })?;
        faults.tell(what, &self.program, call);
        Some(what)
    }
}

impl Layer for Faulty {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        match self.what(call) {
            None => Ok(()),
            Some(What::Fails(errno)) => Err(errno.into()),
            Some(What::Waits(time)) => {
                let until = self.view.monotonic()?.after(time);
                self.view.poll(&[], Deadline::At(until)).map(drop)
            }
            Some(What::Shortens(bytes)) => {
                self.shared.lock().faults.short.push((self.thread, bytes));
                Ok(())
            }
            Some(What::Dies) => {
                let mut kernel = self.shared.lock();
                let process = kernel.tasks.process_of(self.thread);
                signal::kill(&mut kernel, process, signal::Force::Yes);
                drop(kernel);
                run::leave_for_good(self.shared.id, self.thread);
                Err(Failure::CallerDied)
            }
        }
    }

    fn after(&self, _: &Call, _: Option<&Failure>) {
        let faults = &mut self.shared.lock().faults;
        faults.short.retain(|(thread, _)| *thread != self.thread);
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything_or_nothing() {
        for (pattern, text, expected) in [
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/a/", true),
            ("*/cgroup.procs", "/x/cgroup.procs", true),
            ("/a/*/c", "/a/b/d", false),
            ("", "/", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }
}
