//! cgroup.event_control: event counters that are told of a group's memory (cgroup-v1/memcg_test.rst, cgroup-v1/memory.rst, 9. to
//! 11.): of thresholds that its usage crosses, of processes that find no room, of pressure. Each hears of the group's removal.

use standin::backend::Access;
use standin::{Errno, Failure};

use crate::cgroup::rows::{self, Write};
use crate::cgroup::{CgroupKey, Cgroups, setting, tree, value};
use crate::counter::{self, CounterKey};
use crate::fs::{FileKey, Node, OpenKind, attributes_of, descriptors, permission};
use crate::kernel::Kernel;
use crate::step::Step;

/// A counter and what it counts.
#[derive(Clone, Copy)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(in crate::cgroup) struct Watch {
    counter: CounterKey,
    group: CgroupKey,
    of: Watched,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Watched {
    /// The usage comes to so many bytes, or below; whether it is there.
    Usage { threshold: u64, is_reached: bool },
    /// Somebody found no room.
    NoRoom,
    /// Memory was hard to find.
    Pressure,
}

/// Numbers that no descriptor of a machine's process has, though something is open there (`fs::descriptors`).
const FIRST: u32 = 3;

/// Levels of pressure, and who hears of it.
const LEVELS: [&[u8]; 3] = [b"low", b"medium", b"critical"];
const MODES: [&[u8]; 3] = [b"default", b"hierarchy", b"local"];

/// What is read of a level and a mode: as much as the longest of both.
const LONGEST_LEVEL: usize = "critical,hierarchy".len() + 1;

/// Writes cgroup.event_control: the number of an event counter, that of an open file of this group, and what that file wants.
///
/// # Errors
/// EINVAL: no two numbers, or no such files. EBADF: not open. EACCES: the file may not be read.
pub(in crate::cgroup) fn store(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let (counter, rest) = number(value::strip(write.bytes));
    let rest = rest.strip_prefix(b" ").ok_or(Errno::EINVAL)?;
    let (control, rest) = number(rest);
    let arguments = match rest {
        [] => rest,
        [b' ', arguments @ ..] => arguments,
        _ => return Err(Errno::EINVAL.into()),
    };
    let counter = match kernel.vfs.files.at(opened(kernel, write, counter)?).kind {
        OpenKind::Counter(counter) => counter,
        OpenKind::Node(_)
        | OpenKind::Watcher(_)
        | OpenKind::Process(..)
        | OpenKind::Socket(_)
        | OpenKind::Pipe(..)
        | OpenKind::Namespace(_) => return Err(Errno::EINVAL.into()),
    };
    let control = opened(kernel, write, control)?;
    let file = kernel.vfs.files.at(control);
    if !file.is_named() {
        return Err(Errno::EINVAL.into());
    }
    let node = file.spot.node;
    let attributes = attributes_of(kernel, write.caller, node);
    if !permission::allows(kernel.rights(write.caller), &attributes, Access::READ) {
        return Err(Errno::EACCES.into());
    }
    let Node::Control(group, id) = node else { return Err(Errno::EINVAL.into()) };
    let name = rows::of(id).map_or("", |row| row.name);
    let of = match name {
        _ if group != write.group => return Err(Errno::EINVAL.into()),
        "memory.usage_in_bytes" | "memory.memsw.usage_in_bytes" => {
            let threshold = setting::size_v1(arguments)?;
            let is_reached = is_reached(kernel, group, threshold)?;
            Watched::Usage { threshold, is_reached }
        }
        "memory.oom_control" => Watched::NoRoom,
        "memory.pressure_level" if is_level(arguments) => Watched::Pressure,
        _ => return Err(Errno::EINVAL.into()),
    };
    kernel.cgroups.memory_watches.push(Watch { counter, group, of });
    if of == Watched::NoRoom && super::memory_oom::is_under(&kernel.cgroups, group) {
        counter::signal(kernel, counter);
    }
    Ok(())
}

/// The decimal digits at the start, and what is behind them.
fn number(text: &[u8]) -> (u64, &[u8]) {
    match text.first() {
        Some(digit) if digit.is_ascii_digit() => value::scan(text).unwrap_or((0, text)),
        _ => (0, text),
    }
}

/// The writer's open file of this number.
fn opened(kernel: &Kernel, write: &Write<'_>, number: u64) -> Result<FileKey, Errno> {
    match u32::try_from(number & u64::from(u32::MAX)) {
        Ok(0..FIRST) => Err(Errno::EINVAL),
        Ok(number) => descriptors::get_opened(kernel, write.caller, number),
        Err(_) => Err(Errno::EBADF),
    }
}

/// Whether words are a level of pressure, and who hears of it; what stands behind that does not matter.
fn is_level(text: &[u8]) -> bool {
    let text = text.get(..LONGEST_LEVEL).unwrap_or(text);
    let mut words = text.split(|byte| *byte == b',');
    words.next().is_some_and(|level| LEVELS.contains(&level))
        && words.next().is_none_or(|mode| MODES.contains(&mode))
}

/// Whether a group uses so much. The root never uses more than there is, and how much is not modelled.
fn is_reached(kernel: &Kernel, group: CgroupKey, threshold: u64) -> Result<bool, Failure> {
    let record = kernel.cgroups.table.at(group);
    match record.parent {
        Some(_) => Ok(record.usage() >= threshold),
        None if threshold > kernel.profile.memory.0 => Ok(false),
        None => Err(Failure::NotModelled("a threshold of the whole machine's memory")),
    }
}

/// Signals thresholds that were crossed since it was last asked.
pub(crate) fn look(kernel: &mut Kernel) {
    for at in 0..kernel.cgroups.memory_watches.len() {
        let cgroups = &mut kernel.cgroups;
        let Some(Watch { counter, group, of }) = cgroups.memory_watches.get(at).copied() else {
            return;
        };
        let Watched::Usage { threshold, is_reached } = of else { continue };
        let now = cgroups.table.get(group).is_some_and(|record| record.usage() >= threshold);
        if now == is_reached {
            continue;
        }
        if let Some(watch) = cgroups.memory_watches.get_mut(at) {
            watch.of = Watched::Usage { threshold, is_reached: now };
        }
        counter::signal(kernel, counter);
    }
}

/// Somebody found no room in a group: those who watch it or a group below hear of it.
pub(in crate::cgroup) fn out_of_memory(kernel: &mut Kernel, group: CgroupKey) {
    let cgroups = &kernel.cgroups;
    let watches = cgroups.memory_watches.iter().filter(|watch| watch.of == Watched::NoRoom);
    let below = watches.filter(|watch| tree::is_within(&cgroups.table, watch.group, group));
    for counter in below.map(|watch| watch.counter).collect::<Vec<_>>() {
        counter::signal(kernel, counter);
    }
}

/// A group was removed: who watched it hears of that, and of nothing more.
pub(super) fn removed(kernel: &mut Kernel, group: CgroupKey) {
    let gone = kernel.cgroups.memory_watches.extract_if(.., |watch| watch.group == group);
    for watch in gone.collect::<Vec<_>>() {
        counter::signal_soon(kernel, watch.counter);
    }
}

/// A counter was closed.
pub(crate) fn forget(cgroups: &mut Cgroups, counter: CounterKey) {
    cgroups.memory_watches.retain(|watch| watch.counter != counter);
}

/// Whether the machine knows who hears that memory is hard to find in a group.
pub(in crate::cgroup) fn vet(cgroups: &Cgroups, group: CgroupKey) -> Result<(), Failure> {
    let watched = cgroups.memory_watches.iter().filter(|watch| watch.of == Watched::Pressure);
    let mut groups = watched.map(|watch| watch.group);
    if groups.any(|watched| tree::is_within(&cgroups.table, group, watched)) {
        return Err(Failure::NotModelled("what memory.pressure_level tells"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{is_level, number};

    #[test]
    fn a_level_may_have_a_mode_behind_it_and_what_is_too_long_is_cut() {
        for text in ["low", "medium,default", "critical,hierarchy", "critical,hierarchy,x"] {
            assert!(is_level(text.as_bytes()), "{text}");
        }
        for text in ["", "high", "LOW", "low,", ",local", "low, local", "critical,hierarchyx"] {
            assert!(!is_level(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn numbers_have_no_sign_and_no_blanks_before_them() {
        assert_eq!(number(b"12 3"), (12, b" 3".as_slice()));
        for text in [&b" 1"[..], b"-1", b"+1", b""] {
            assert_eq!(number(text), (0, text));
        }
    }
}
