//! Time namespaces: by how much the clocks that count from some start are set on or back (time_namespaces(7)).

use standin::backend::NamespaceKind;
use standin::id::Moment;
use standin::{Capability, Errno};

use super::all::{Maker, Namespace};
use super::{Namespaces, of, user};
use crate::fs::FileKey;
use crate::kernel::Kernel;
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

/// What a time namespace is: what is added to its clocks, in ns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offsets {
    monotonic_ns: i128,
    boottime_ns: i128,
    /// Somebody has been in it: they stay as they are.
    fixed: bool,
}

impl Offsets {
    pub(super) const fn first() -> Self {
        Self { monotonic_ns: 0, boottime_ns: 0, fixed: true }
    }

    const fn get(&self, clock: OffsetClock) -> i128 {
        match clock {
            OffsetClock::Monotonic => self.monotonic_ns,
            OffsetClock::Boottime => self.boottime_ns,
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
    let offset = kernel.namespaces.time.at(of(kernel, thread).time).content.get(clock);
    Moment { ns: u64::try_from(i128::from(moment.ns) + offset).unwrap_or_default() }
}

/// The moment of the kernel's monotonic clock that a thread means by one of its own.
pub(crate) fn meant(kernel: &Kernel, thread: ThreadKey, moment: Moment) -> Moment {
    if kernel.tasks.threads.at(thread).namespaces.is_none() {
        return moment;
    }
    let offsets = &kernel.namespaces.time.at(of(kernel, thread).time).content;
    Moment { ns: u64::try_from(i128::from(moment.ns) - offsets.monotonic_ns).unwrap_or_default() }
}

/// /proc/PID/timens_offsets: of the namespace that the thread's children are born in.
pub(crate) fn print(kernel: &Kernel, thread: ThreadKey, text: &mut Vec<u8>) {
    let key = of(kernel, thread).time_for_children;
    let offsets = &kernel.namespaces.time.at(key).content;
    for (clock, name, _) in CLOCKS {
        let ns = offsets.get(clock);
        let (seconds, rest) = (ns.div_euclid(NS_PER_S), ns.rem_euclid(NS_PER_S));
        text.extend_from_slice(format!("{name:<10} {seconds:>10} {rest:>9}\n").as_bytes());
    }
}

/// One write: a clock, seconds and ns a line. More than two lines are not read: how much was.
///
/// # Errors
/// EINVAL: no such lines. EPERM: the opener had no `CAP_SYS_TIME` where the namespace was made. ERANGE: the clock would stand before
/// its start or too late. EACCES: somebody has been in the namespace.
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
    for (_, ns) in &wanted {
        let shown = now + ns;
        let within = |ns: i128, from, to| (from..=to).contains(&ns.div_euclid(NS_PER_S));
        if !within(*ns, -MOST_S, MOST_S) || !within(shown, 0, MOST_S / 2) {
            return Err(Errno::ERANGE);
        }
    }
    if namespace.content.fixed {
        return Err(Errno::EACCES);
    }
    let offsets = &mut kernel.namespaces.time.at_mut(key).content;
    for (clock, ns) in wanted {
        match clock {
            OffsetClock::Monotonic => offsets.monotonic_ns = ns,
            OffsetClock::Boottime => offsets.boottime_ns = ns,
        }
    }
    Ok(read)
}

/// The first two lines, and how long they are.
fn parse(offset: u64, bytes: &[u8]) -> Option<(Vec<(OffsetClock, i128)>, usize)> {
    if offset != 0 || bytes.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let lines: Vec<&str> = text.split_inclusive('\n').take(CLOCKS.len()).collect();
    let read = lines.iter().map(|line| line.len()).sum();
    Some((lines.into_iter().map(line).collect::<Option<_>>()?, read))
}

fn line(line: &str) -> Option<(OffsetClock, i128)> {
    let mut words = line.split_ascii_whitespace();
    let named = words.next()?;
    let (clock, ..) = CLOCKS.iter().find(|(_, name, number)| named == *name || named == *number)?;
    let seconds: i64 = words.next()?.parse().ok()?;
    let ns: u64 = words.next()?.parse().ok()?;
    if words.next().is_some() || i128::from(ns) >= NS_PER_S {
        return None;
    }
    Some((*clock, i128::from(seconds) * NS_PER_S + i128::from(ns)))
}
