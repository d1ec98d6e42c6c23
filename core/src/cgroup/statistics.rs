//! What a group has used, typed, and the same in v1 and v2: [`CpuStatistics`] and its like.
//!
//! Which number stands where is a table, a row a number. What is not in it is reachable by [`Group::get`] and the readers of
//! [`Content`], whatever its length.

use std::collections::BTreeMap;
use std::time::Duration;

use super::content::Content;
use super::error::{Action, Error, Result};
use super::group::Group;
use super::hierarchy::Version;
use super::name::FileName;
use super::rule::Rule;
use crate::backend::Backend;
use crate::id::Bytes;

/// Where a number stands: a file that it fills, a file and a key; nothing where a version does not have it.
type Cell = &'static str;

/// A number that counts something.
trait Measure {
    fn of(number: u64, cell: Cell) -> Self;
}

impl Measure for u64 {
    fn of(number: u64, _: Cell) -> Self {
        number
    }
}

impl Measure for Bytes {
    fn of(number: u64, _: Cell) -> Self {
        Self(number)
    }
}

impl Measure for Duration {
    /// Nanoseconds, or microseconds where the name says so: v2 always does.
    fn of(number: u64, cell: Cell) -> Self {
        if cell.ends_with("_usec") { Self::from_micros(number) } else { Self::from_nanos(number) }
    }
}

macro_rules! statistics {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty, $v1:literal, $v2:literal;)* })*) => {
        $(
            $(#[$doc])*
            ///
            /// What the kernel does not count is `None`.
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            #[non_exhaustive]
            pub struct $name {
                $($(#[$about])* #[doc = concat!("\n\nv1: `", $v1, "`, v2: `", $v2, "`.")] pub $field: Option<$kind>,)*
            }

            impl $name {
                fn read(version: Version, mut look: impl FnMut(Cell) -> Result<Option<u64>>) -> Result<Self> {
                    Ok(Self {
                        $($field: {
                            let cell = match version {
                                Version::V1 => $v1,
                                Version::V2 => $v2,
                            };
                            let number = if cell.is_empty() { None } else { look(cell)? };
                            number.map(|number| <$kind as Measure>::of(number, cell))
                        },)*
                    })
                }
            }
        )*
    };
}

statistics! {
    /// Processor time of a group and of those below it. In v1 the time is counted by `cpuacct`, and what was kept from running
    /// by `cpu`: both are there if they are mounted together.
    CpuStatistics {
        /// What was used.
        usage: Duration, "cpuacct.usage", "cpu.stat usage_usec";
        /// Of it, in programs.
        user: Duration, "cpuacct.usage_user", "cpu.stat user_usec";
        /// Of it, in the kernel.
        system: Duration, "cpuacct.usage_sys", "cpu.stat system_usec";
        /// Of it, by niced processes.
        nice: Duration, "", "cpu.stat nice_usec";
        /// Periods in which somebody wanted to run.
        periods: u64, "cpu.stat nr_periods", "cpu.stat nr_periods";
        /// Those in which the quota was used up.
        throttled_periods: u64, "cpu.stat nr_throttled", "cpu.stat nr_throttled";
        /// How long nobody ran for that.
        throttled: Duration, "cpu.stat throttled_time", "cpu.stat throttled_usec";
        /// Periods in which saved time was used.
        bursts: u64, "cpu.stat nr_bursts", "cpu.stat nr_bursts";
        /// How much of it.
        burst: Duration, "cpu.stat burst_time", "cpu.stat burst_usec";
    }

    /// Memory of a group and of those below it.
    MemoryStatistics {
        /// What is in use.
        current: Bytes, "memory.usage_in_bytes", "memory.current";
        /// The most that was.
        peak: Bytes, "memory.max_usage_in_bytes", "memory.peak";
        /// Swap space in use.
        swap: Bytes, "memory.stat total_swap", "memory.swap.current";
        /// How often the limit was met.
        limit_hits: u64, "memory.failcnt", "memory.events max";
        /// How often the upper bound was passed, and processes had to reclaim.
        high_hits: u64, "", "memory.events high";
        /// How often memory was reclaimed although it was protected as far as possible.
        low_hits: u64, "", "memory.events low";
        /// How often the group was about to be out of memory.
        out_of_memory: u64, "", "memory.events oom";
        /// Processes that were killed for it.
        oom_kills: u64, "memory.oom_control oom_kill", "memory.events oom_kill";
        /// Memory of programs that no file stands behind.
        anonymous: Bytes, "memory.stat total_rss", "memory.stat anon";
        /// Memory that caches files, shared memory too.
        file: Bytes, "memory.stat total_cache", "memory.stat file";
        /// Shared memory.
        shared: Bytes, "memory.stat total_shmem", "memory.stat shmem";
        /// Files that are mapped.
        mapped: Bytes, "memory.stat total_mapped_file", "memory.stat file_mapped";
        /// Cached data that is not written yet.
        dirty: Bytes, "memory.stat total_dirty", "memory.stat file_dirty";
        /// Cached data that is being written.
        writeback: Bytes, "memory.stat total_writeback", "memory.stat file_writeback";
        /// Programs' memory that was not used of late.
        inactive_anonymous: Bytes, "memory.stat total_inactive_anon", "memory.stat inactive_anon";
        /// Programs' memory that was.
        active_anonymous: Bytes, "memory.stat total_active_anon", "memory.stat active_anon";
        /// Files' memory that was not used of late: without it, what is in use is the working set.
        inactive_file: Bytes, "memory.stat total_inactive_file", "memory.stat inactive_file";
        /// Files' memory that was.
        active_file: Bytes, "memory.stat total_active_file", "memory.stat active_file";
        /// Memory that cannot be reclaimed.
        unevictable: Bytes, "memory.stat total_unevictable", "memory.stat unevictable";
        /// Memory of the kernel for it.
        kernel: Bytes, "memory.kmem.usage_in_bytes", "memory.stat kernel";
        /// Page faults.
        faults: u64, "memory.stat total_pgfault", "memory.stat pgfault";
        /// Those that had to wait for a disk.
        major_faults: u64, "memory.stat total_pgmajfault", "memory.stat pgmajfault";
    }

    /// Tasks of a group and of those below it.
    PidsStatistics {
        /// Those that are there.
        current: u64, "pids.current", "pids.current";
        /// The most there were.
        peak: u64, "pids.peak", "pids.peak";
        /// How often a limit kept one from being born.
        limit_hits: u64, "pids.events max", "pids.events max";
    }

    /// What a group and those below it did with one device.
    IoStatistics {
        /// What was read.
        read: Bytes, "blkio.throttle.io_service_bytes_recursive Read", "io.stat rbytes";
        /// What was written.
        written: Bytes, "blkio.throttle.io_service_bytes_recursive Write", "io.stat wbytes";
        /// What was discarded.
        discarded: Bytes, "blkio.throttle.io_service_bytes_recursive Discard", "io.stat dbytes";
        /// How often it was read from.
        reads: u64, "blkio.throttle.io_serviced_recursive Read", "io.stat rios";
        /// How often it was written to.
        writes: u64, "blkio.throttle.io_serviced_recursive Write", "io.stat wios";
        /// How often something was discarded.
        discards: u64, "blkio.throttle.io_serviced_recursive Discard", "io.stat dios";
    }

    /// Huge pages of one size, of a group and of those below it.
    HugetlbStatistics {
        /// Those in use.
        current: Bytes, "hugetlb.*.usage_in_bytes", "hugetlb.*.current";
        /// The most that were.
        peak: Bytes, "hugetlb.*.max_usage_in_bytes", "";
        /// Those that are reserved.
        reserved: Bytes, "hugetlb.*.rsvd.usage_in_bytes", "hugetlb.*.rsvd.current";
        /// How often the limit was met.
        limit_hits: u64, "hugetlb.*.failcnt", "hugetlb.*.events max";
    }

    /// Groups below a group.
    GroupStatistics {
        /// Those that are there.
        groups: u64, "", "cgroup.stat nr_descendants";
        /// Those that were removed and are still in use by somebody.
        dying: u64, "", "cgroup.stat nr_dying_descendants";
    }
}

/// A block device by its two numbers, as `8:0`: ordered by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Device {
    /// Which driver's.
    pub major: u32,
    /// Which of the driver's.
    pub minor: u32,
}

impl Device {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once(':')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl std::fmt::Display for Device {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.major, self.minor)
    }
}

/// A group's files, each read once: numbers of one file belong together.
struct Files<'a> {
    backend: &'a dyn Backend,
    group: &'a Group,
    read: BTreeMap<String, Option<Content>>,
    /// Why the first one that is not there is not.
    missing: Option<Error>,
}

impl<'a> Files<'a> {
    fn of(backend: &'a dyn Backend, group: &'a Group) -> Self {
        Self { backend, group, read: BTreeMap::new(), missing: None }
    }

    fn get(&mut self, name: &str) -> Result<Option<&Content>> {
        if !self.read.contains_key(name) {
            let content = match self.group.get(self.backend, name) {
                Ok(content) => Some(content),
                Err(error) => match error.rule() {
                    Some(Rule::NoFile | Rule::ControllerOff(_) | Rule::ControllerMissing(_)) => {
                        self.missing.get_or_insert(error);
                        None
                    }
                    _ => return Err(error),
                },
            };
            self.read.insert(name.to_owned(), content);
        }
        Ok(self.read.get(name).and_then(Option::as_ref))
    }

    /// The number in a file, or that of a key; `middle` is what the file's name has for a star.
    fn number(&mut self, cell: Cell, middle: &str) -> Result<Option<u64>> {
        let (file, key) =
            cell.split_once(' ').map_or((cell, None), |(file, key)| (file, Some(key)));
        let Some(content) = self.get(&file.replace('*', middle))? else { return Ok(None) };
        match key {
            Some(key) => content.entry(key),
            None => content.number().map(Some),
        }
    }

    /// What was read; the first refusal if there was nothing.
    fn checked<T>(self, read: T) -> Result<T> {
        match self.missing {
            Some(error) if self.read.values().all(Option::is_none) => Err(error),
            _ => Ok(read),
        }
    }
}

/// What is counted of a group.
///
/// ```
/// use standin::backend::Processes;
/// use standin::cgroup::{Creation, GroupPath, Hierarchies};
/// use standin::Controller;
///
/// # let machine = standin_sim::Machine::builder().build();
/// # let kernel = machine.root();
/// let hierarchies = Hierarchies::find(&kernel).unwrap();
/// let web = Creation::new(GroupPath::new("web").unwrap())
///     .with(Controller::Pids)
///     .create(&kernel, hierarchies.unified().unwrap())
///     .unwrap();
/// web.attach(&kernel, kernel.fork().unwrap().pid().unwrap()).unwrap();
/// let pids = web.pids_statistics(&kernel).unwrap();
/// assert_eq!((pids.current, pids.limit_hits), (Some(1), Some(0)));
///
/// // Processor time is counted without a controller, and quotas are not.
/// let cpu = web.cpu_statistics(&kernel).unwrap();
/// assert!(cpu.usage.is_some() && cpu.periods.is_none());
///
/// let refused = web.memory_statistics(&kernel).unwrap_err();
/// assert!(refused.to_string().contains("memory is not enabled here"));
/// ```
impl Group {
    fn counted<T>(
        &self,
        backend: &dyn Backend,
        read: impl FnOnce(Version, &mut dyn FnMut(Cell) -> Result<Option<u64>>) -> Result<T>,
    ) -> Result<T> {
        let mut files = Files::of(backend, self);
        let found = read(self.hierarchy().version(), &mut |cell| files.number(cell, ""))?;
        files.checked(found)
    }

    /// Processor time.
    ///
    /// # Errors
    /// As [`get`](Self::get), if none of the files is there.
    pub fn cpu_statistics(&self, backend: &dyn Backend) -> Result<CpuStatistics> {
        self.counted(backend, |version, look| CpuStatistics::read(version, look))
    }

    /// Memory.
    ///
    /// # Errors
    /// As [`get`](Self::get), if none of the files is there.
    pub fn memory_statistics(&self, backend: &dyn Backend) -> Result<MemoryStatistics> {
        self.counted(backend, |version, look| MemoryStatistics::read(version, look))
    }

    /// Tasks.
    ///
    /// # Errors
    /// As [`get`](Self::get), if none of the files is there.
    pub fn pids_statistics(&self, backend: &dyn Backend) -> Result<PidsStatistics> {
        self.counted(backend, |version, look| PidsStatistics::read(version, look))
    }

    /// Groups below.
    ///
    /// # Errors
    /// [`Rule::NoFile`] in v1.
    pub fn group_statistics(&self, backend: &dyn Backend) -> Result<GroupStatistics> {
        let file = FileName::known("cgroup.stat");
        if self.hierarchy().version() == Version::V1 {
            return Err(self.found(Action::Read, Rule::NoFile).in_file(&file));
        }
        self.counted(backend, |version, look| GroupStatistics::read(version, look))
    }

    /// Devices, those alone with which something was done. In v1 it is what passed the throttle.
    ///
    /// # Errors
    /// As [`get`](Self::get), if none of the files is there; [`Rule::NotA`].
    pub fn io_statistics(&self, backend: &dyn Backend) -> Result<BTreeMap<Device, IoStatistics>> {
        let version = self.hierarchy().version();
        let mut files = Files::of(backend, self);
        let mut numbers: BTreeMap<Device, BTreeMap<String, u64>> = BTreeMap::new();
        IoStatistics::read(version, |cell| {
            let Some((file, _)) = cell.split_once(' ') else { return Ok(None) };
            let Some(content) = files.get(file)? else { return Ok(None) };
            for (device, name, number) in by_device(content, version)? {
                numbers.entry(device).or_default().insert(format!("{file} {name}"), number);
            }
            Ok(None)
        })?;
        let of_device = |named: BTreeMap<String, u64>| {
            IoStatistics::read(version, |cell| Ok(named.get(cell).copied()))
        };
        let found: Result<BTreeMap<_, _>> =
            numbers.into_iter().map(|(device, named)| Ok((device, of_device(named)?))).collect();
        files.checked(found?)
    }

    /// Huge pages by their size, as `2MB`.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`Rule::NoFile`] if no size has a file.
    pub fn hugetlb_statistics(
        &self,
        backend: &dyn Backend,
    ) -> Result<BTreeMap<String, HugetlbStatistics>> {
        let mut all = BTreeMap::new();
        for file in self.files(backend)? {
            let name = file.to_string();
            let rest = name.strip_prefix("hugetlb.").and_then(|rest| rest.split_once('.'));
            let Some((size, _)) = rest.filter(|(size, _)| !all.contains_key(*size)) else {
                continue;
            };
            let mut files = Files::of(backend, self);
            let version = self.hierarchy().version();
            let found = HugetlbStatistics::read(version, |cell| files.number(cell, size))?;
            all.insert(size.to_owned(), files.checked(found)?);
        }
        if all.is_empty() {
            // Why there is none: the controller is off, or no size is known.
            self.get(backend, "hugetlb.*")?;
        }
        Ok(all)
    }
}

/// The numbers of a file with lines by device: names and values in v2; in v1 a line for each name, and a sum at the end.
fn by_device(content: &Content, version: Version) -> Result<Vec<(Device, &str, u64)>> {
    const WANTED: &str = "numbers by device";
    let is_not = || content.is_not(WANTED);
    let mut all = Vec::new();
    if version == Version::V2 {
        for (device, named) in content.table::<u64>()? {
            let device = Device::parse(device).ok_or_else(is_not)?;
            all.extend(named.into_iter().map(|(name, number)| (device, name, number)));
        }
        return Ok(all);
    }
    for line in content.text()?.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["Total", _] => {}
            [device, name, number] => {
                let device = Device::parse(device).ok_or_else(is_not)?;
                all.push((device, name, number.parse().map_err(|_| is_not())?));
            }
            _ => return Err(is_not()),
        }
    }
    Ok(all)
}
