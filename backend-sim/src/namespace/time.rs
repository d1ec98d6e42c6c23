//! Time namespaces: by how much the clocks that count from some start are set on or back (time_namespaces(7)).

use standin::backend::NamespaceKind;
use standin::id::Moment;
use standin::{Capability, Errno};

use super::all::{Maker, Namespace};
use super::{Namespaces, of, user};
use crate::fs::FileKey;
use crate::kernel::Kernel;
use crate::profile::Release;
use crate::table::Key;
use crate::task::ThreadKey;

pub(crate) type TimeNsKey = Key<Namespace<Offsets>>;

const NS_PER_S: i128 = 1_000_000_000;

/// The most that the kernel can count, in s (`KTIME_SEC_MAX`). No clock may stand beyond half of that.
const MOST_S: i128 = 9_223_372_036;

/// The clocks that have offsets, by name and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetClock {
    Monotonic,
    Boottime,
}

const CLOCKS: [(OffsetClock, &str, &str); 2] =
    [(OffsetClock::Monotonic, "monotonic", "1"), (OffsetClock::Boottime, "boottime", "7")];

/// What is added to a clock, as it was written: 6.18 lets the ns be negative.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Offset {
    seconds: i64,
    rest_ns: i64,
}

impl Offset {
    const NONE: Self = Self { seconds: 0, rest_ns: 0 };

    fn ns(self) -> i128 {
        i128::from(self.seconds) * NS_PER_S + i128::from(self.rest_ns)
    }
}

/// What a time namespace is: what is added to its clocks.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Offsets {
    monotonic: Offset,
    boottime: Offset,
    /// Somebody has been in it: they stay as they are.
    fixed: bool,
}

impl Offsets {
    pub(super) const fn first() -> Self {
        Self { monotonic: Offset::NONE, boottime: Offset::NONE, fixed: true }
    }

    const fn get(&self, clock: OffsetClock) -> Offset {
        match clock {
            OffsetClock::Monotonic => self.monotonic,
            OffsetClock::Boottime => self.boottime,
        }
    }
}

/// A new namespace with the offsets of that for the caller's children, which nobody holds yet.
pub(super) fn copy(namespaces: &mut Namespaces, maker: Maker, from: TimeNsKey) -> TimeNsKey {
    let offsets = Offsets { fixed: false, ..namespaces.time.at(from).content };
    namespaces.make(maker, NamespaceKind::Time, offsets, |all| (&mut all.time, &mut all.numbers))
}

/// Somebody is in it from here on.
pub(super) fn entered(namespaces: &mut Namespaces, key: TimeNsKey) {
    namespaces.time.at_mut(key).content.fixed = true;
}

/// What a clock of the kernel shows a thread.
pub(crate) fn shown(
    kernel: &Kernel,
    thread: ThreadKey,
    clock: OffsetClock,
    moment: Moment,
) -> Moment {
    if kernel.tasks.threads.at(thread).namespaces.is_none() {
        return moment;
    }
    let offset = kernel.namespaces.time.at(of(kernel, thread).time).content.get(clock).ns();
    Moment { ns: u64::try_from(i128::from(moment.ns) + offset).unwrap_or_default() }
}

/// The moment of the kernel's monotonic clock that a thread means by one of its own.
pub(crate) fn meant(kernel: &Kernel, thread: ThreadKey, moment: Moment) -> Moment {
    if kernel.tasks.threads.at(thread).namespaces.is_none() {
        return moment;
    }
    let offsets = &kernel.namespaces.time.at(of(kernel, thread).time).content;
    Moment { ns: u64::try_from(i128::from(moment.ns) - offsets.monotonic.ns()).unwrap_or_default() }
}

/// /proc/PID/timens_offsets: of the namespace that the thread's children are born in.
pub(crate) fn print(kernel: &Kernel, thread: ThreadKey, text: &mut Vec<u8>) {
    let key = of(kernel, thread).time_for_children;
    let offsets = &kernel.namespaces.time.at(key).content;
    for (clock, name, _) in CLOCKS {
        let Offset { seconds, rest_ns } = offsets.get(clock);
        text.extend_from_slice(format!("{name:<10} {seconds:>10} {rest_ns:>9}\n").as_bytes());
    }
}

/// One write: a clock, seconds and ns a line. More than two lines are not read: how much was.
///
/// # Errors
/// EINVAL: no such lines, or negative ns. EPERM: the opener had no `CAP_SYS_TIME` where the namespace was made. ERANGE: the
/// clock would stand before its start or too late. EACCES: somebody has been in the namespace.
pub(crate) fn write(
    kernel: &mut Kernel,
    file: FileKey,
    thread: ThreadKey,
    offset: u64,
    bytes: &[u8],
) -> Result<usize, Errno> {
    let (wanted, read) = parse(offset, bytes).ok_or(Errno::EINVAL)?;
    let key = of(kernel, thread).time_for_children;
    let namespace = kernel.namespaces.time.at(key);
    let opener = kernel.vfs.files.at(file).opener.holder();
    if !user::capable(kernel, opener, namespace.maker.within, Capability::SYS_TIME) {
        return Err(Errno::EPERM);
    }
    let now = i128::from(kernel.clock.monotonic().ns);
    let has_sign = kernel.profile.release == Release::V6_18;
    for (_, offset) in &wanted {
        if offset.rest_ns < 0 && !has_sign {
            return Err(Errno::EINVAL);
        }
        let shown = (now + offset.ns()).div_euclid(NS_PER_S);
        let is_counted = (-MOST_S..=MOST_S).contains(&i128::from(offset.seconds));
        if !is_counted || !(0..=MOST_S / 2).contains(&shown) {
            return Err(Errno::ERANGE);
        }
    }
    if namespace.content.fixed {
        return Err(Errno::EACCES);
    }
    let offsets = &mut kernel.namespaces.time.at_mut(key).content;
    for (clock, offset) in wanted {
        match clock {
            OffsetClock::Monotonic => offsets.monotonic = offset,
            OffsetClock::Boottime => offsets.boottime = offset,
        }
    }
    Ok(read)
}

/// The first two lines, and how long they are.
fn parse(offset: u64, bytes: &[u8]) -> Option<(Vec<(OffsetClock, Offset)>, usize)> {
    if offset != 0 || bytes.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let lines: Vec<&str> = text.split_inclusive('\n').take(CLOCKS.len()).collect();
    let read = lines.iter().map(|line| line.len()).sum();
    Some((lines.into_iter().map(line).collect::<Option<_>>()?, read))
}

/// The ns are read without a sign, and kept with one.
fn line(line: &str) -> Option<(OffsetClock, Offset)> {
    let mut words = line.split_ascii_whitespace();
    let named = words.next()?;
    let (clock, ..) = CLOCKS.iter().find(|(_, name, number)| named == *name || named == *number)?;
    let seconds: i64 = words.next()?.parse().ok()?;
    let rest_ns = words.next()?.parse::<u64>().ok()?.cast_signed();
    if words.next().is_some() || i128::from(rest_ns) >= NS_PER_S {
        return None;
    }
    Some((*clock, Offset { seconds, rest_ns }))
}
