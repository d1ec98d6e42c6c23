//! The control files of cgroup v2 for the generator: a row a file, with values that are right for it; and what is wrong
//! with values, for any file. (Those of v1: `file_v1`.)

use super::random::Random;

/// How a file is read so that two plays of it say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it is.
    Steady,
    /// It counts what differs from play to play: only its shape.
    Volatile,
}
use Reading::{Steady, Volatile};

/// A control file.
#[derive(Debug)]
pub(super) struct File {
    /// What its name begins with: its controller, or `cgroup`, or `pressure` for those that every group has.
    pub(super) controller: &'static str,
    pub(super) name: &'static str,
    pub(super) reading: Reading,
    /// Any value of it leaves the members of the group as they are, but for what is told of them.
    pub(super) is_calm: bool,
    /// No kernel has it where the generator mostly is.
    pub(super) is_rare: bool,
    /// Values that it takes; none if it is not written.
    pub(super) good: &'static [&'static str],
}

pub(super) const fn file(
    controller: &'static str,
    name: &'static str,
    reading: Reading,
    good: &'static [&'static str],
) -> File {
    File { controller, name, reading, is_calm: true, is_rare: false, good }
}

/// A file whose values may slow down, or end, what runs in the group.
pub(super) const fn harsh(
    controller: &'static str,
    name: &'static str,
    reading: Reading,
    good: &'static [&'static str],
) -> File {
    File { controller, name, reading, is_calm: false, is_rare: false, good }
}

/// A file that no kernel has there.
pub(super) const fn rare(
    controller: &'static str,
    name: &'static str,
    good: &'static [&'static str],
) -> File {
    File { controller, name, reading: Steady, is_calm: true, is_rare: true, good }
}

pub(super) const SWITCH: &[&str] = &["0", "1"];
pub(super) const COUNT: &[&str] = &["0", "1", "2", "3", "5", "max"];
pub(super) const BYTES: &[&str] =
    &["0", "max", "4096", "4097", "8191", "1M", "1G", "64k", "100000000", "268435456"];
pub(super) const WEIGHT: &[&str] = &["1", "100", "50", "10000", "200"];
const TRIGGER: &[&str] = &[
    "some 150000 1000000",
    "full 150000 1000000",
    "some 500000 500000",
    "full 70000 2000000",
    "some 1 500000",
    "some 10000000 10000000",
];
const MASK: &[&str] = &["0", "1", "0-1", "0,1", "", "1-1"];

/// Every file; those of one controller stand together.
pub(super) const FILES: &[File] = &[
    file("cgroup", "cgroup.type", Steady, &["threaded", "threaded", "domain"]),
    file("cgroup", "cgroup.freeze", Steady, &["1", "0"]),
    file("cgroup", "cgroup.kill", Steady, &["1"]),
    file("cgroup", "cgroup.max.depth", Steady, COUNT),
    file("cgroup", "cgroup.max.descendants", Steady, COUNT),
    file("cgroup", "cgroup.pressure", Steady, SWITCH),
    file("cgroup", "cgroup.subtree_control", Steady, &["+pids"]),
    file("cgroup", "cgroup.procs", Steady, &[]),
    file("cgroup", "cgroup.threads", Steady, &[]),
    file("cgroup", "cgroup.controllers", Steady, &[]),
    file("cgroup", "cgroup.events", Steady, &[]),
    file("cgroup", "cgroup.stat", Volatile, &[]),
    file("cgroup", "cpu.stat", Volatile, &[]),
    file("cgroup", "cpu.stat.local", Volatile, &[]),
    file("pressure", "cpu.pressure", Volatile, TRIGGER),
    file("pressure", "memory.pressure", Volatile, TRIGGER),
    file("pressure", "io.pressure", Volatile, TRIGGER),
    file("pids", "pids.max", Steady, COUNT),
    file("pids", "pids.current", Steady, &[]),
    file("pids", "pids.peak", Steady, &[]),
    file("pids", "pids.events", Steady, &[]),
    file("pids", "pids.events.local", Steady, &[]),
    file("memory", "memory.min", Steady, BYTES),
    file("memory", "memory.low", Steady, BYTES),
    harsh("memory", "memory.high", Steady, BYTES),
    harsh("memory", "memory.max", Steady, BYTES),
    file("memory", "memory.oom.group", Steady, SWITCH),
    harsh("memory", "memory.swap.max", Steady, BYTES),
    harsh("memory", "memory.swap.high", Steady, BYTES),
    file("memory", "memory.peak", Volatile, &["reset", "x"]),
    file("memory", "memory.swap.peak", Volatile, &["reset", "x"]),
    harsh(
        "memory",
        "memory.reclaim",
        Steady,
        &["1M", "4096", "1G swappiness=0", "0", "1M swappiness=60"],
    ),
    rare("memory", "memory.zswap.max", BYTES),
    rare("memory", "memory.zswap.writeback", SWITCH),
    file("memory", "memory.current", Volatile, &[]),
    file("memory", "memory.stat", Volatile, &[]),
    file("memory", "memory.numa_stat", Volatile, &[]),
    file("memory", "memory.events", Volatile, &[]),
    file("memory", "memory.events.local", Volatile, &[]),
    file("memory", "memory.swap.current", Steady, &[]),
    file("memory", "memory.swap.events", Steady, &[]),
    file("cpu", "cpu.weight", Steady, WEIGHT),
    file("cpu", "cpu.weight.nice", Steady, &["0", "-20", "19", "5", "-1"]),
    harsh(
        "cpu",
        "cpu.max",
        Steady,
        &[
            "max",
            "max 100000",
            "50000",
            "50000 100000",
            "1000 1000",
            "1000000 1000000",
            "max 1000000",
        ],
    ),
    harsh("cpu", "cpu.max.burst", Steady, &["0", "1000", "50000", "100000"]),
    file("cpu", "cpu.idle", Steady, SWITCH),
    file("cpuset", "cpuset.cpus", Steady, MASK),
    file("cpuset", "cpuset.mems", Steady, &["0", "", "0-0", "1"]),
    file("cpuset", "cpuset.cpus.partition", Steady, &["member", "root", "isolated"]),
    file("cpuset", "cpuset.cpus.exclusive", Steady, MASK),
    file("cpuset", "cpuset.cpus.effective", Steady, &[]),
    file("cpuset", "cpuset.mems.effective", Steady, &[]),
    file("cpuset", "cpuset.cpus.exclusive.effective", Steady, &[]),
    file("cpuset", "cpuset.cpus.isolated", Steady, &[]),
    file(
        "io",
        "io.weight",
        Steady,
        &["default 100", "100", "default 1", "10000", "8:0 200", "8:0 default"],
    ),
    file("io", "io.max", Steady, &["8:0 rbps=1048576", "8:16 wiops=max", "254:0 rbps=max wbps=1"]),
    rare("io", "io.latency", &["8:0 target=10"]),
    rare("io", "io.cost.qos", &["8:0 enable=1", "8:0 ctrl=auto"]),
    rare("io", "io.cost.model", &["8:0 ctrl=auto", "8:0 model=linear"]),
    rare("io", "io.prio.class", &["no-change", "idle"]),
    rare("io", "io.bfq.weight", WEIGHT),
    file("io", "io.stat", Steady, &[]),
    file("hugetlb", "hugetlb.2MB.max", Steady, BYTES),
    file("hugetlb", "hugetlb.2MB.rsvd.max", Steady, BYTES),
    file("hugetlb", "hugetlb.1GB.max", Steady, BYTES),
    file("hugetlb", "hugetlb.1GB.rsvd.max", Steady, BYTES),
    file("hugetlb", "hugetlb.2MB.current", Steady, &[]),
    file("hugetlb", "hugetlb.2MB.events", Steady, &[]),
    file("hugetlb", "hugetlb.2MB.numa_stat", Steady, &[]),
    file("rdma", "rdma.max", Steady, &["mlx4_0 hca_handle=2", "mlx4_0 hca_object=max"]),
    file("rdma", "rdma.current", Steady, &[]),
    file("misc", "misc.max", Steady, &["sev 1", "res_a max"]),
    file("misc", "misc.current", Steady, &[]),
    file("misc", "misc.capacity", Steady, &[]),
    file("misc", "misc.events", Steady, &[]),
    file("misc", "misc.events.local", Steady, &[]),
    file("misc", "misc.peak", Steady, &[]),
];

/// Values that some parser stumbles over.
const ODD: &[&str] = &[
    "",
    "\n",
    " ",
    "0",
    "1",
    "2",
    "-1",
    "+1",
    "-0",
    "max",
    "Max",
    "MAX",
    "maxx",
    "ma",
    " max",
    "max ",
    "max\n",
    "max max",
    "1\n",
    " 1",
    "1 ",
    "\t1",
    "1\t",
    " 1 \n",
    "\n1",
    "1\n2",
    "1 1",
    "01",
    "010",
    "08",
    "0x10",
    "0X1f",
    "0xg",
    "1e1",
    "1.5",
    "1k",
    "1K",
    "1m",
    "1M",
    "1G",
    "1T",
    "1P",
    "1E",
    "16E",
    "1KB",
    "1 K",
    "+max",
    "junk",
    "on",
    "true",
    "default",
    "0-",
    "-",
    ",",
    "0,",
    "0-1-2",
    "3",
    "10000",
    "10001",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967295",
    "4294967296",
    "4194304",
    "4194305",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854771712",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "1\u{0}",
    "1\u{0}2",
    "\u{0}",
    "é",
    "1;",
    "1#",
];

/// A value for a file: mostly one that it takes, as it is or spoilt a little; else an odd one.
pub(super) fn value(random: &mut Random, good: &[&'static str]) -> Vec<u8> {
    let odd = good.is_empty() || random.chance(35);
    let mut value = random.word(if odd { ODD } else { good }).as_bytes().to_vec();
    if random.chance(30) {
        spoil(random, &mut value);
    }
    value
}

/// Something that is easily done to a value.
fn spoil(random: &mut Random, value: &mut Vec<u8>) {
    let at = random.below(value.len() + 1);
    match random.below(14) {
        0 => value.push(b'\n'),
        1 => value.insert(0, b' '),
        2 => value.push(b' '),
        3 => value.insert(at, b'\t'),
        4 => value.insert(0, b'+'),
        5 => value.insert(0, b'-'),
        6 => value.insert(0, b'0'),
        7 => value.make_ascii_uppercase(),
        8 => value.push(*random.one(b"kKmMgGtx0,%").unwrap_or(&b'k')),
        9 => drop(value.pop()),
        10 => {
            let once = value.clone();
            value.push(*random.one(b" \n,").unwrap_or(&b' '));
            value.extend(once);
        }
        11 => value.insert(at, *random.one(b" =:-x\n\0").unwrap_or(&b' ')),
        12 => value.splice(0..0, *b"0x").for_each(drop),
        _ => drop((at < value.len()).then(|| value.remove(at))),
    }
}
