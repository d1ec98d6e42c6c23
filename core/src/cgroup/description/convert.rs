//! From one version of the interface to the other: a description of v1 said in v2's words, or the other way round.

use super::super::convert::{Said, convert};
use super::super::error::{Action, Error, Result};
use super::super::hierarchy::Version;
use super::super::name::FileName;
use super::super::rule::Rule;
use super::super::subsystem::Subsystem;
use super::super::value::Value;
use super::part::Setting;
use super::{Description, Part};
use crate::controller::Controller;

/// What came of saying a description in the other version's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// All that could be said, to be written.
    pub description: Description,
    /// What could not, and why: [`Rule::NoCounterpart`], or [`Rule::BadValue`] of what is no value of its file.
    pub refused: Vec<Error>,
}

impl Converted {
    /// The description, if all could be said.
    ///
    /// # Errors
    /// The first that could not be; [`Error::left`] has the others.
    pub fn whole(self) -> Result<Description> {
        let mut refused = self.refused.into_iter();
        match refused.next() {
            Some(first) => Err(first.leaving(refused.collect())),
            None => Ok(self.description),
        }
    }
}

/// Controllers that have become part of every group of v2.
const IN_CORE: [Controller; 2] = [Controller::Cpuacct, Controller::Freezer];
/// Those of v1 that are none in v2: programs of the kernel's (BPF) do what they did.
const V1_ALONE: [Controller; 3] = [Controller::Devices, Controller::NetCls, Controller::NetPrio];

impl Description {
    /// Says it in the words of a version; it is taken for one of the other. Nothing is left out without an error, and nothing
    /// is in it that the kernel would not take.
    ///
    /// | v1 | v2 | |
    /// |---|---|---|
    /// | `cpu.shares` | `cpu.weight` | 1024 are 100, rounded down. The kernel's bounds hold: shares are corrected to 2 to 262144 as it does itself, and weights to 1 to 10000; a weight beyond them is refused, as it does |
    /// | `cpu.cfs_quota_us`, `cpu.cfs_period_us` | `cpu.max` | −1 is `max`; a quota alone leaves the period as it is; a period alone cannot be said in v2 |
    /// | `cpu.cfs_burst_us`, `cpu.idle` | `cpu.max.burst`, `cpu.idle` | as they are |
    /// | `cpuset.cpus`, `cpuset.mems` | the same | as they are |
    /// | `cpuset.effective_cpus`, `cpuset.effective_mems` | `cpuset.cpus.effective`, `cpuset.mems.effective` | never written |
    /// | `cpuset.cpu_exclusive` | `cpuset.cpus.partition` | 1 is `root`, 0 is `member` |
    /// | `memory.limit_in_bytes`, `memory.soft_limit_in_bytes`, `hugetlb.SIZE.limit_in_bytes` | `memory.max`, `memory.high`, `hugetlb.SIZE.max` | −1, and what v1 says for it, is `max`, which is −1 again, since the number depends on the length of pages |
    /// | `pids.max` | `pids.max` | as it is |
    /// | `freezer.state` | `cgroup.freeze` | `FROZEN` is 1, `THAWED` is 0 |
    /// | `blkio.bfq.weight` | `io.bfq.weight` | as it is |
    ///
    /// What one version sets and the other does always, as `memory.use_hierarchy` of 1, needs no word. The freezer and accounts
    /// of processor time are in every group of v2.
    ///
    /// Shares and weights are libcgroup's: both defaults become each other, and groups that share a processor do so by the
    /// same ratio afterwards. Container runtimes spread 2 to 262144 evenly over 1 to 10000 instead, so that 1024 shares are 39:
    /// less than a group beside it that nobody set.
    ///
    /// ```
    /// use standin::Controller;
    /// use standin::cgroup::{Code, Description, GroupPath, Subsystem, Version};
    ///
    /// let mut web = Description::new(GroupPath::new("web").unwrap());
    /// let cpu = web.add(Controller::Cpu).unwrap();
    /// cpu.add("cpu.shares", 512).unwrap();
    /// cpu.add("cpu.cfs_quota_us", 20000).unwrap();
    /// cpu.add("cpu.cfs_period_us", 50000).unwrap();
    /// web.add(Controller::Freezer).unwrap().add("freezer.state", "FROZEN").unwrap();
    ///
    /// let v2 = web.convert(Version::V2).whole().unwrap();
    /// let cpu = v2.part(&Controller::Cpu.into()).unwrap();
    /// assert_eq!(cpu.get("cpu.weight").unwrap().text().unwrap(), "50");
    /// assert_eq!(cpu.get("cpu.max").unwrap().text().unwrap(), "20000 50000");
    /// assert!(v2.part(&Subsystem::Core).unwrap().get("cgroup.freeze").unwrap().flag().unwrap());
    ///
    /// web.part_mut(&Controller::Cpu.into()).unwrap().add("cpu.rt_runtime_us", 1000).unwrap();
    /// let some = web.convert(Version::V2);
    /// assert_eq!(some.description, v2, "all that can be said");
    /// assert_eq!(some.refused[0].code(), Code::NO_VERSION_CONVERT);
    /// ```
    #[must_use]
    pub fn convert(&self, to: Version) -> Converted {
        let new = Self { owners: self.owners, modes: self.modes, ..Self::new(self.path.clone()) };
        let mut converted = Converted { description: new, refused: Vec::new() };
        for part in &self.parts {
            converted.add(to, part);
        }
        converted
    }

    /// Puts a file into the part that it belongs to.
    fn put(&mut self, said: Said) -> Result<()> {
        let (file, value) = (FileName::new(&said.file)?, Value::try_from(said.text)?);
        let setting = Setting {
            file,
            text: value.as_bytes().to_vec(),
            change: said.is_written.then_some(value),
        };
        let name = said.file.split('.').next().unwrap_or_default();
        let subsystem: Subsystem = name.parse()?;
        self.name(&subsystem);
        if let Some(part) = self.part_mut(&subsystem) {
            part.settings.push(setting);
        }
        Ok(())
    }

    /// Has a part for a subsystem.
    fn name(&mut self, subsystem: &Subsystem) {
        if self.part(subsystem).is_none() {
            self.parts.push(Part::new(&self.path, subsystem.clone()));
        }
    }
}

impl Converted {
    fn add(&mut self, to: Version, part: &Part) {
        let refuse = |rule| Error::found(Action::Describe, rule).on(self.description.path());
        let subsystem = match subsystem(to, part) {
            Ok(subsystem) => subsystem,
            Err(why) => return self.refused.push(refuse(Rule::NoCounterpart { why })),
        };
        if let Some(subsystem) = subsystem {
            self.description.name(&subsystem);
        }
        for setting in &part.settings {
            let beside = |name: &str| {
                let there = part.settings.iter().find(|it| it.file.to_string() == name);
                there.and_then(text)
            };
            let said = text(setting).ok_or(Rule::BadValue);
            let said = said.and_then(|text| convert(to, &setting.file.to_string(), text, beside));
            let put = match said {
                Ok(said) => said.into_iter().try_for_each(|said| self.description.put(said)),
                Err(rule) => Err(Error::found(Action::Describe, rule)),
            };
            let refused = |error: Error| error.on(self.description.path()).in_file(&setting.file);
            self.refused.extend(put.err().map(refused));
        }
    }
}

fn text(setting: &Setting) -> Option<&str> {
    str::from_utf8(&setting.text).ok()
}

/// The other version's subsystem for a part, if it is there without files; why there is none.
fn subsystem(to: Version, part: &Part) -> std::result::Result<Option<Subsystem>, &'static str> {
    match (to, part.subsystem()) {
        (Version::V2, Subsystem::Named(_)) => Err("it has no hierarchy with a name"),
        (Version::V2, Subsystem::Controller(one)) if V1_ALONE.contains(one) => {
            Err("it has no such controller")
        }
        (Version::V2, Subsystem::Controller(one)) if IN_CORE.contains(one) => {
            Ok(Some(Subsystem::Core))
        }
        (Version::V1, Subsystem::Core) if part.settings.is_empty() => {
            Err("it has no group without a controller")
        }
        (Version::V1, Subsystem::Core) => Ok(None),
        (_, subsystem) => Ok(Some(subsystem.clone())),
    }
}
