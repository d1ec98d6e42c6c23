//! What may go wrong in a program's calls: a [`Fault`].
//!
//! A fault is data: which calls it is about, and what happens. It happens each time, or where a search decides so. Neighbours:
//! `plan` (faults as text), `faulty` (where they happen).

use std::time::Duration;

use standin::layer::Call;
use standin::{Errno, Pid};

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
    pub(super) what: What,
    /// The call's name; any if it is not said.
    pub(super) call: Option<String>,
    /// The program's path, or the actor's label.
    pub(super) program: Option<String>,
    /// The process's number.
    pub(super) process: Option<Pid>,
    /// A pattern of the call's path.
    pub(super) path: Option<String>,
    /// Which of the calls that fit, from 1.
    pub(super) nth: Option<u64>,
    /// How often it happens at most.
    pub(super) most: u64,
    pub(super) is_decided: bool,
    /// By chance: once in so many of the calls that fit, with this seed.
    pub(super) chance: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum What {
    Fails(Errno),
    Dies,
    Waits(Duration),
    Shortens(usize),
}

impl Fault {
    pub(super) const fn new(what: What, call: Option<String>) -> Self {
        Self {
            what,
            call,
            program: None,
            process: None,
            path: None,
            nth: None,
            most: u64::MAX,
            is_decided: false,
            chance: None,
        }
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

    /// In calls of the program at this path alone; of a transcript, in those of the actor with this label.
    #[must_use]
    pub fn of(mut self, program: &str) -> Self {
        self.program = Some(program.to_owned());
        self
    }

    /// In calls of the process with this number alone: the one that the machine's first PID namespace has for it.
    ///
    /// ```
    /// use standin::{Errno, ExitCode, fs};
    /// use standin_sim::{Fault, Machine};
    ///
    /// let machine = |builder: standin_sim::Builder| {
    ///     let machine = builder.build();
    ///     machine.program("/bin/manager", |kernel, _| {
    ///         let made = fs::create_dir(kernel, "/sys/fs/cgroup/a");
    ///         ExitCode(i32::from(made.is_err()))
    ///     });
    ///     machine
    /// };
    /// let pid = machine(Machine::builder()).launch(&["/bin/manager"]).unwrap();
    /// let refused = Fault::fails("mkdir", Errno::ENOSPC).of_process(pid);
    /// let [first, second] = [(); 2].map(|()| machine(Machine::builder().fault(refused.clone())));
    /// first.run("/bin/manager", &[]).unwrap();
    /// assert_eq!(first.look().faults()[0].1, 1, "the number is the same in every run");
    /// second.run("/bin/true", &[]).unwrap();
    /// second.run("/bin/manager", &[]).unwrap();
    /// assert_eq!(second.look().faults()[0].1, 0, "another process had it");
    /// ```
    #[must_use]
    pub const fn of_process(mut self, process: Pid) -> Self {
        self.process = Some(process);
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

    /// Whether it is about a call that a program makes as this process.
    pub(super) fn fits(&self, program: &[u8], process: Pid, call: &Call) -> bool {
        let is_about = |pattern: &String| {
            call.path().is_some_and(|path| matches(pattern.as_bytes(), path.as_bytes()))
        };
        self.call.as_ref().is_none_or(|name| name == call.name)
            && self.program.as_ref().is_none_or(|wanted| wanted.as_bytes() == program)
            && self.process.is_none_or(|wanted| wanted == process)
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
