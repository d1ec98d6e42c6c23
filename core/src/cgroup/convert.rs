//! What a file of v1 says, said by one of v2, and the other way round: a table, with a rule for each row.
//!
//! It knows texts alone; `description` applies it to what is said of groups.

use super::form;
use super::hierarchy::Version;
use super::rule::Rule;

/// How a value becomes one of the other version.
#[derive(Clone, Copy)]
enum Way {
    /// It stays.
    Same,
    /// It stays; the kernel alone says it.
    Told,
    /// Bytes; `-1` in v1 is `max` in v2.
    Bytes,
    /// Shares of 1024 in v1, weights of 100 in v2.
    Weight,
    /// A weight of BFQ; v2 says `default` in front of it.
    Bfq,
    /// `1` in v1 is a `root` of its own in v2, `0` is a `member`.
    Partition,
    /// `FROZEN` and `THAWED` in v1, `1` and `0` in v2.
    Frozen,
}

/// A file of v1, that of v2, and how one becomes the other. A star stands for the same text in both.
const ROWS: &[(&str, &str, Way)] = &[
    ("cpu.shares", "cpu.weight", Way::Weight),
    ("cpu.cfs_burst_us", "cpu.max.burst", Way::Same),
    ("cpu.idle", "cpu.idle", Way::Same),
    ("cpuset.cpus", "cpuset.cpus", Way::Same),
    ("cpuset.mems", "cpuset.mems", Way::Same),
    ("cpuset.effective_cpus", "cpuset.cpus.effective", Way::Told),
    ("cpuset.effective_mems", "cpuset.mems.effective", Way::Told),
    ("cpuset.cpu_exclusive", "cpuset.cpus.partition", Way::Partition),
    ("memory.limit_in_bytes", "memory.max", Way::Bytes),
    ("memory.soft_limit_in_bytes", "memory.high", Way::Bytes),
    ("hugetlb.*.limit_in_bytes", "hugetlb.*.max", Way::Bytes),
    ("pids.max", "pids.max", Way::Same),
    ("freezer.state", "cgroup.freeze", Way::Frozen),
    ("blkio.bfq.weight", "io.bfq.weight", Way::Bfq),
];

/// The two files of v1 that are one in v2.
const QUOTA: &str = "cpu.cfs_quota_us";
const PERIOD: &str = "cpu.cfs_period_us";
const MAX: &str = "cpu.max";

/// Values that the other version has always, so that nothing has to be said of them.
const ALWAYS: &[(Version, &str, &str)] = &[
    (Version::V1, "notify_on_release", "0"),
    (Version::V1, "cgroup.clone_children", "0"),
    (Version::V1, "memory.use_hierarchy", "1"),
    (Version::V1, "memory.move_charge_at_immigrate", "0"),
    (Version::V1, "cpuset.mem_exclusive", "0"),
    (Version::V1, "cpuset.mem_hardwall", "0"),
    (Version::V1, "cpuset.memory_migrate", "1"),
    (Version::V1, "cpuset.memory_spread_page", "0"),
    (Version::V1, "cpuset.memory_spread_slab", "0"),
    (Version::V1, "cpuset.sched_load_balance", "1"),
    (Version::V2, "cgroup.max.depth", "max"),
    (Version::V2, "cgroup.max.descendants", "max"),
    (Version::V2, "memory.min", "0"),
    (Version::V2, "memory.low", "0"),
    (Version::V2, "memory.oom.group", "0"),
];

/// The kernel's own bounds: of shares, to which it corrects what it is told, and of weights, beyond which it takes none
/// (cgroup-v2.rst, `cpu.weight`).
const SHARES: (u64, u64) = (2, 262_144);
const WEIGHTS: (u64, u64) = (1, 10_000);
const BFQ_WEIGHTS: (u64, u64) = (1, 1000);
/// The least quota and period, and the longest period (sched-bwc.rst).
const SHORTEST_US: u64 = 1000;
const LONGEST_PERIOD_US: u64 = 1_000_000;

/// A file that is to have a text, or that the kernel will say it of.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) file: String,
    pub(super) text: String,
    pub(super) is_written: bool,
}

/// What a file's text is in the other version; nothing if it is said already by what becomes of another file, which `beside`
/// has, or always so.
pub(super) fn convert<'a>(
    to: Version,
    file: &str,
    text: &str,
    beside: impl Fn(&str) -> Option<&'a str>,
) -> Result<Vec<Said>, Rule> {
    let said = |file: &str, text: String| Said { file: file.to_owned(), text, is_written: true };
    match (to, file) {
        (Version::V2, QUOTA) => {
            let text = max(text, beside(PERIOD)).ok_or(Rule::BadValue)?;
            return Ok(vec![said(MAX, text)]);
        }
        (Version::V2, PERIOD) => {
            let why = "cpu.max has a period behind a quota alone, and none is said";
            return beside(QUOTA).map(|_| Vec::new()).ok_or(Rule::NoCounterpart { why });
        }
        (Version::V1, MAX) => {
            let (quota, period) = quota(text).ok_or(Rule::BadValue)?;
            let period = period.map(|period| said(PERIOD, period));
            return Ok(period.into_iter().chain([said(QUOTA, quota)]).collect());
        }
        _ => {}
    }
    let is_always = |(version, name, value): &(Version, &str, &str)| {
        *version != to && *name == file && *value == text
    };
    if ALWAYS.iter().any(is_always) {
        return Ok(Vec::new());
    }
    let why = "it has no such file, nor one for this value";
    let (other, way) = counterpart(to, file).ok_or(Rule::NoCounterpart { why })?;
    let is_written = !matches!(way, Way::Told);
    Ok(vec![Said { file: other, text: way.convert(to, text)?, is_written }])
}

/// The other version's file.
fn counterpart(to: Version, file: &str) -> Option<(String, Way)> {
    ROWS.iter().find_map(|(v1, v2, way)| {
        let (from, other) = match to {
            Version::V1 => (v2, v1),
            Version::V2 => (v1, v2),
        };
        let Some((start, end)) = from.split_once('*') else {
            return (*from == file).then(|| ((*other).to_owned(), *way));
        };
        let middle = file.strip_prefix(start)?.strip_suffix(end)?;
        Some((other.replace('*', middle), *way))
    })
}

impl Way {
    fn convert(self, to: Version, text: &str) -> Result<String, Rule> {
        let number = |text: &str| text.parse::<u64>().map_err(|_| Rule::BadValue);
        let same = |is_fine: bool| if is_fine { Ok(text.to_owned()) } else { Err(Rule::BadValue) };
        let one_of = |pairs: &[(&str, &str)]| {
            let pair =
                pairs.iter().find(|(v1, v2)| text == if to == Version::V2 { *v1 } else { *v2 });
            pair.map(|(v1, v2)| (if to == Version::V2 { *v2 } else { *v1 }).to_owned())
        };
        match (self, to) {
            (Self::Same | Self::Told, _) => same(true),
            (Self::Bytes, _) => {
                let (none, other) = match to {
                    Version::V1 => ("max", "-1"),
                    Version::V2 => ("-1", "max"),
                };
                match form::bytes(text, none, 1) {
                    Some(u64::MAX) => Ok(other.to_owned()),
                    known => same(known.is_some()),
                }
            }
            (Self::Weight, Version::V2) => {
                let shares = number(text)?.clamp(SHARES.0, SHARES.1);
                Ok((shares * 100 / 1024).clamp(WEIGHTS.0, WEIGHTS.1).to_string())
            }
            (Self::Weight, Version::V1) => {
                let weight = number(text)?;
                let shares = weight.saturating_mul(1024) / 100;
                let is_weight = (WEIGHTS.0..=WEIGHTS.1).contains(&weight);
                if is_weight { Ok(shares.to_string()) } else { Err(Rule::BadValue) }
            }
            (Self::Bfq, _) => {
                let text = text.strip_prefix("default ").unwrap_or(text);
                let is_weight = (BFQ_WEIGHTS.0..=BFQ_WEIGHTS.1).contains(&number(text)?);
                if is_weight { Ok(text.to_owned()) } else { Err(Rule::BadValue) }
            }
            (Self::Partition, _) => {
                let why = "v1 knows processors of one's own and shared ones, and no more";
                one_of(&[("1", "root"), ("0", "member")]).ok_or(match to {
                    Version::V1 => Rule::NoCounterpart { why },
                    Version::V2 => Rule::BadValue,
                })
            }
            (Self::Frozen, _) => {
                one_of(&[("FROZEN", "1"), ("THAWED", "0"), ("FREEZING", "1")]).ok_or(Rule::BadValue)
            }
        }
    }
}

/// A number of microseconds that the kernel takes.
fn micros(text: &str, longest: u64) -> Option<u64> {
    text.parse().ok().filter(|number| (SHORTEST_US..=longest).contains(number))
}

/// `cpu.max` for a quota and a period.
fn max(quota: &str, period: Option<&str>) -> Option<String> {
    let quota = match quota.parse::<i64>().ok()? {
        ..0 => "max".to_owned(),
        _ => micros(quota, u64::MAX)?.to_string(),
    };
    Some(match period {
        Some(period) => format!("{quota} {}", micros(period, LONGEST_PERIOD_US)?),
        None => quota,
    })
}

/// Quota and period of `cpu.max`.
fn quota(text: &str) -> Option<(String, Option<String>)> {
    let (quota, period) =
        text.split_once(' ').map_or((text, None), |(quota, period)| (quota, Some(period)));
    let quota = match quota {
        "max" => "-1".to_owned(),
        _ => micros(quota, i64::MAX.unsigned_abs())?.to_string(),
    };
    let period = period.map(|period| micros(period, LONGEST_PERIOD_US).ok_or(()));
    Some((quota, period.transpose().ok()?.map(|period| period.to_string())))
}

#[cfg(test)]
mod tests {
    use super::{ALWAYS, ROWS, Version, convert};
    use crate::cgroup::{FileName, Rule, Subsystem};

    fn to(version: Version, file: &str, text: &str) -> Result<String, Rule> {
        let said = convert(version, file, text, |_| None)?;
        let lines = said.into_iter().map(|said| format!("{} {}", said.file, said.text));
        Ok(lines.collect::<Vec<_>>().join("; "))
    }

    #[track_caller]
    fn both(v1: (&str, &str), v2: (&str, &str)) {
        assert_eq!(to(Version::V2, v1.0, v1.1).unwrap(), format!("{} {}", v2.0, v2.1));
        assert_eq!(to(Version::V1, v2.0, v2.1).unwrap(), format!("{} {}", v1.0, v1.1));
    }

    #[test]
    fn each_file_stands_once_on_each_side_and_belongs_to_somebody() {
        for (index, (v1, v2, _)) in ROWS.iter().enumerate() {
            assert!(ROWS.iter().skip(index + 1).all(|(one, other, _)| one != v1 && other != v2));
            for name in [v1, v2] {
                FileName::new(name).unwrap();
                name.split('.').next().unwrap().parse::<Subsystem>().unwrap();
                assert!(ALWAYS.iter().all(|(_, always, _)| always != name), "{name}");
            }
        }
    }

    #[test]
    fn limits_states_and_lists_come_back_as_they_were() {
        both(("memory.limit_in_bytes", "1048576"), ("memory.max", "1048576"));
        both(("memory.limit_in_bytes", "-1"), ("memory.max", "max"));
        both(("memory.soft_limit_in_bytes", "5M"), ("memory.high", "5M"));
        both(("hugetlb.2MB.rsvd.limit_in_bytes", "0"), ("hugetlb.2MB.rsvd.max", "0"));
        both(("cpuset.cpus", "0-3,5"), ("cpuset.cpus", "0-3,5"));
        both(("cpuset.cpu_exclusive", "1"), ("cpuset.cpus.partition", "root"));
        both(("freezer.state", "FROZEN"), ("cgroup.freeze", "1"));
        both(("pids.max", "max"), ("pids.max", "max"));
        both(("cpu.shares", "1024"), ("cpu.weight", "100"));
        both(("cpu.cfs_quota_us", "-1"), ("cpu.max", "max"));
        let none = "9223372036854771712";
        assert_eq!(to(Version::V2, "memory.limit_in_bytes", none).unwrap(), "memory.max max");
        assert_eq!(to(Version::V2, "freezer.state", "FREEZING").unwrap(), "cgroup.freeze 1");
        let weight = to(Version::V1, "io.bfq.weight", "default 100").unwrap();
        assert_eq!(weight, "blkio.bfq.weight 100");
    }

    #[test]
    fn every_weight_and_all_shares_become_ones_that_the_kernel_takes() {
        let value = |version, file: &str, number: u64| -> u64 {
            let said = to(version, file, &number.to_string()).unwrap();
            said.split_once(' ').unwrap().1.parse().unwrap()
        };
        let weight = |shares| value(Version::V2, "cpu.shares", shares);
        assert_eq!([0, 2, 10, 11, 512, 102_400].map(weight), [1, 1, 1, 1, 50, 10_000]);
        assert_eq!([262_144, u64::MAX].map(weight), [10_000, 10_000]);
        for weight in 1..=10_000 {
            let shares = value(Version::V1, "cpu.weight", weight);
            assert!((2..=262_144).contains(&shares), "{weight}");
            assert!(weight.abs_diff(value(Version::V2, "cpu.shares", shares)) <= 1, "{weight}");
        }
        for wrong in ["0", "10001", "-1", "max", ""] {
            assert_eq!(to(Version::V1, "cpu.weight", wrong), Err(Rule::BadValue), "{wrong}");
        }
    }

    #[test]
    fn a_quota_and_its_period_are_one_value_in_v2() {
        let period = |file: &str| (file == "cpu.cfs_period_us").then_some("50000");
        let said = convert(Version::V2, "cpu.cfs_quota_us", "20000", period).unwrap();
        assert_eq!((said[0].file.as_str(), said[0].text.as_str()), ("cpu.max", "20000 50000"));
        let quota = |file: &str| (file == "cpu.cfs_quota_us").then_some("20000");
        assert_eq!(convert(Version::V2, "cpu.cfs_period_us", "50000", quota), Ok(Vec::new()));
        assert!(matches!(
            to(Version::V2, "cpu.cfs_period_us", "50000"),
            Err(Rule::NoCounterpart { .. })
        ));
        assert_eq!(
            to(Version::V1, "cpu.max", "max 100000").unwrap(),
            "cpu.cfs_period_us 100000; cpu.cfs_quota_us -1"
        );
        for wrong in ["999", "5000 999", "5000 1000001", "5000 x", "x", "", "-1"] {
            assert_eq!(to(Version::V1, "cpu.max", wrong), Err(Rule::BadValue), "{wrong}");
        }
    }

    #[test]
    fn what_the_other_version_has_always_needs_no_word_and_all_else_is_refused() {
        assert_eq!(to(Version::V2, "notify_on_release", "0").unwrap(), "");
        assert_eq!(to(Version::V1, "memory.low", "0").unwrap(), "");
        for (version, file, text) in [
            (Version::V2, "notify_on_release", "1"),
            (Version::V2, "cpu.stat", "nr_periods 0"),
            (Version::V2, "memory.low", "0"),
            (Version::V1, "memory.low", "1M"),
            (Version::V1, "cpuset.cpus.partition", "isolated"),
            (Version::V1, "io.weight", "default 100"),
        ] {
            let refused = to(version, file, text);
            assert!(matches!(refused, Err(Rule::NoCounterpart { .. })), "{file} {refused:?}");
        }
    }
}
