//! How much a group's processes wait for what they need (psi.rst): [`Pressure`] tells, and a [`Trigger`] wakes somebody.

use std::fmt;
use std::time::Duration;

use super::content::Content;
use super::control;
use super::error::{Action, Error, Result};
use super::explain;
use super::group::Group;
use super::name::FileName;
use super::rule::Rule;
use crate::backend::{Backend, Deadline, Interest, OpenOptions, PollEvents};
use crate::errno::Errno;
use crate::failure::Failure;
use crate::handle::File;

/// What processes wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A processor.
    Cpu,
    /// Memory.
    Memory,
    /// A disk.
    Io,
    /// The end of interrupts; only kernels that count their time have it, and only as [`Share::Full`].
    Irq,
}

impl Resource {
    fn file(self) -> FileName {
        FileName::known(match self {
            Self::Cpu => "cpu.pressure",
            Self::Memory => "memory.pressure",
            Self::Io => "io.pressure",
            Self::Irq => "irq.pressure",
        })
    }
}

/// Whether anybody waits, or everybody who could run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// At least one.
    Some,
    /// All at once: nobody gets on.
    Full,
}

impl Share {
    const fn name(self) -> &'static str {
        match self {
            Self::Some => "some",
            Self::Full => "full",
        }
    }
}

/// A part of the time in hundredths of a percent, as the kernel says it: exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hundredths(pub u32);

impl Hundredths {
    /// Of `1.28`, with two digits behind the point.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.')?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let is_said = !whole.is_empty() && part.len() == 2 && is_number(whole) && is_number(part);
        let (whole, part): (u32, u32) = (whole.parse().ok()?, part.parse().ok()?);
        is_said.then_some(Self(whole.checked_mul(100)?.checked_add(part)?))
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// How long was waited, on the average of a while and since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// Percent of the last 10 seconds.
    pub avg10: Hundredths,
    /// Percent of the last minute.
    pub avg60: Hundredths,
    /// Percent of the last five minutes.
    pub avg300: Hundredths,
    /// All the time, in microseconds.
    pub total: Duration,
}

/// What a pressure file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// While somebody waited; not told of interrupts.
    pub some: Option<Stall>,
    /// While nobody got on; old kernels do not tell it of processors.
    pub full: Option<Stall>,
}

impl Pressure {
    fn parse(content: &Content) -> Result<Self> {
        let mut found = Self::default();
        for (share, values) in content.table::<String>()? {
            let is_not = || content.is_not("lines of pressure");
            let of = |name| {
                let value = values.iter().find(|(it, _)| *it == name);
                value.map(|(_, value)| value.as_str()).ok_or_else(is_not)
            };
            let average = |name| Hundredths::parse(of(name)?).ok_or_else(is_not);
            let stall = Stall {
                avg10: average("avg10")?,
                avg60: average("avg60")?,
                avg300: average("avg300")?,
                total: Duration::from_micros(of("total")?.parse().map_err(|_| is_not())?),
            };
            match share {
                "some" => found.some = Some(stall),
                "full" => found.full = Some(stall),
                _ => return Err(is_not()),
            }
        }
        Ok(found)
    }
}

/// Who is woken when: as soon as processes waited for so long within such a window.
///
/// A window is up to 10 s long, half a second at least before Linux 6.5, and for callers without `CAP_SYS_RESOURCE` a multiple
/// of 2 s. Both are whole microseconds, and the threshold is more than nothing and not longer than the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Threshold {
    /// Somebody, or everybody.
    pub share: Share,
    /// For how long, all in all.
    pub stall: Duration,
    /// Within which time.
    pub window: Duration,
}

impl Group {
    /// How much its processes, and those below it, wait.
    ///
    /// ```
    /// use standin::cgroup::{Creation, GroupPath, Hierarchies, Resource};
    ///
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// let hierarchy = hierarchies.unified().unwrap();
    /// let web = Creation::new(GroupPath::new("web").unwrap()).create(&kernel, hierarchy).unwrap();
    /// let some = web.pressure(&kernel, Resource::Memory).unwrap().some.unwrap();
    /// assert_eq!((some.avg10.to_string(), some.total.as_micros()), ("0.00".into(), 0));
    /// ```
    ///
    /// # Errors
    /// [`Rule::PressureOff`]; [`Rule::NoFile`] of a resource that the kernel does not know; as [`get`](Self::get).
    pub fn pressure(&self, backend: &dyn Backend, resource: Resource) -> Result<Pressure> {
        let file = resource.file();
        let place = control::of(self.directory(), &file);
        let text = control::read(backend, place).map_err(|trouble| {
            let explain = |failure: &_| self.why_no_pressure(backend, &file, failure);
            self.trouble(Action::Read, trouble, explain).in_file(&file)
        })?;
        Pressure::parse(&Content::new(self.path(), &file, text))
    }

    /// Sets a trigger, which lasts as long as what is returned.
    ///
    /// ```
    /// use std::time::Duration;
    /// use standin::backend::{Clock, Deadline};
    /// use standin::cgroup::{Creation, GroupPath, Hierarchies, Resource, Share, Threshold};
    ///
    /// # let machine = standin_sim::Machine::builder().build();
    /// # let kernel = machine.root();
    /// let hierarchies = Hierarchies::find(&kernel).unwrap();
    /// let hierarchy = hierarchies.unified().unwrap();
    /// let web = Creation::new(GroupPath::new("web").unwrap()).create(&kernel, hierarchy).unwrap();
    /// let (stall, window) = (Duration::from_millis(150), Duration::from_secs(1));
    /// let threshold = Threshold { share: Share::Some, stall, window };
    /// let trigger = web.trigger(&kernel, Resource::Memory, threshold).unwrap();
    ///
    /// // Nobody is in the group, so nobody waits for memory.
    /// let soon = kernel.monotonic().unwrap().after(Duration::from_secs(5));
    /// assert!(!trigger.wait(&kernel, Deadline::At(soon)).unwrap());
    ///
    /// let wrong = Threshold { stall: Duration::from_secs(2), ..threshold };
    /// let refused = web.trigger(&kernel, Resource::Memory, wrong).unwrap_err();
    /// assert!(refused.to_string().contains("not longer than its window"));
    /// ```
    ///
    /// # Errors
    /// [`Rule::Window`], of what is no whole number of microseconds before the kernel is asked; [`Rule::PressureOff`];
    /// [`Rule::NoFile`]; [`Rule::Permission`]; [`Rule::Vanished`].
    pub fn trigger(
        &self,
        backend: &dyn Backend,
        resource: Resource,
        threshold: Threshold,
    ) -> Result<Trigger> {
        let name = resource.file();
        let micros = |time: Duration| {
            let number = u32::try_from(time.as_micros()).ok();
            number.filter(|_| time.subsec_nanos().is_multiple_of(1000))
        };
        let Some((stall, window)) = micros(threshold.stall).zip(micros(threshold.window)) else {
            return Err(self.found(Action::Write, Rule::Window).in_file(&name));
        };
        let refused = |failure: Failure| {
            let rule = match failure.errno() {
                Some(Errno::EINVAL) => Some(Rule::Window),
                _ => self.why_no_pressure(backend, &name, &failure),
            };
            self.failed(Action::Write, failure, rule).in_file(&name)
        };
        let place = control::of(self.directory(), &name);
        let file = backend.open(place, &OpenOptions::read_write()).map_err(refused)?;
        let line = format!("{} {stall} {window}", threshold.share.name());
        let taken = backend.write(&file, line.as_bytes()).map_err(refused)?;
        if taken != line.len() {
            return Err(self.found(Action::Write, Rule::Cut { taken }).in_file(&name));
        }
        Ok(Trigger { group: self.reopened(), name, file })
    }

    fn why_no_pressure(
        &self,
        backend: &dyn Backend,
        file: &FileName,
        failure: &Failure,
    ) -> Option<Rule> {
        const SWITCH: &str = "cgroup.pressure";
        match explain::read(backend, self, file, failure) {
            // Booted without, or switched off here.
            _ if failure.is(Errno::EOPNOTSUPP) => Some(Rule::PressureOff),
            Some(Rule::NoFile) => {
                let is_on = self.get(backend, SWITCH).and_then(|said| said.flag());
                Some(if is_on == Ok(false) { Rule::PressureOff } else { Rule::NoFile })
            }
            rule => rule,
        }
    }
}

/// Somebody who waits for pressure. Dropping it ends that.
#[derive(Debug)]
pub struct Trigger {
    group: Group,
    name: FileName,
    file: File,
}

impl Trigger {
    /// Waits until the threshold is reached, at most once a window; whether that came before the deadline.
    ///
    /// # Errors
    /// [`Rule::Vanished`] if the group was removed, or its pressure switched off; as
    /// [`Clock::poll`](crate::backend::Clock::poll).
    pub fn wait(&self, backend: &dyn Backend, deadline: Deadline) -> Result<bool> {
        let refused = |error: Error| error.in_file(&self.name);
        let interest = Interest { handle: self.file.descriptor(), events: PollEvents::PRIORITY };
        let ready = backend.poll(&[interest], deadline);
        let ready = ready
            .map_err(|failure| refused(self.group.failed(Action::Read, failure, None)))?
            .into_iter()
            .fold(PollEvents::empty(), PollEvents::union);
        if ready.contains(PollEvents::ERROR) {
            return Err(refused(self.group.found(Action::Read, Rule::Vanished)));
        }
        Ok(ready.contains(PollEvents::PRIORITY))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Content, FileName, Hundredths, Pressure, Resource};
    use crate::cgroup::GroupPath;

    fn parse(text: &str) -> Option<Pressure> {
        let file: FileName = Resource::Cpu.file();
        Pressure::parse(&Content::new(&GroupPath::root(), &file, text.as_bytes().to_vec())).ok()
    }

    #[test]
    fn averages_are_exact_and_a_line_may_be_missing() {
        let some = "some avg10=1.28 avg60=100.00 avg300=0.04 total=42391893580\n";
        let read = parse(some).unwrap();
        let stall = read.some.unwrap();
        let averages = [stall.avg10, stall.avg60, stall.avg300];
        assert_eq!(averages, [128, 10_000, 4].map(Hundredths));
        assert_eq!(averages.map(|it| it.to_string()), ["1.28", "100.00", "0.04"]);
        assert_eq!(stall.total, Duration::from_micros(42_391_893_580));
        assert_eq!(read.full, None);
        let both = parse(&format!("{some}{}", some.replace("some", "full"))).unwrap();
        assert_eq!(both.full, both.some);
        assert_eq!(parse("").unwrap(), Pressure::default());
    }

    #[test]
    fn what_is_no_pressure_is_refused() {
        let line = "some avg10=1.28 avg60=1.75 avg300=4.44 total=5\n";
        for (old, new) in [
            ("some", "none"),
            ("1.28", "1.2"),
            ("1.28", "1"),
            ("1.28", "-1.28"),
            ("1.28", "+1.28"),
            ("total=5", ""),
            ("=5", "=x"),
        ] {
            assert_eq!(parse(&line.replace(old, new)), None, "{new}");
        }
    }
}
