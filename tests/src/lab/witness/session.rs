//! The table of sessions: which commands of libcgroup's tools are run one after the other, and where.
//!
//! All groups are called `standin-w`; `<p>` is a process that sleeps, in every root.

/// Where a session's controller must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// In a hierarchy of v1, mounted under its name.
    V1(&'static str),
    /// In that of v2, beside those of v1.
    V2(&'static str),
}

/// Commands that belong together.
#[derive(Debug, PartialEq, Eq)]
pub struct Session {
    /// The recording's name.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// What a kernel and layout must have for it.
    pub needs: &'static [Needed],
    /// The commands, as a shell would be given them; no word has a blank.
    pub commands: &'static [&'static str],
}

impl Session {
    /// The session of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SESSIONS.iter().find(|session| session.name == name)
    }

    /// Whether its commands name a process.
    #[must_use]
    pub fn has_process(&self) -> bool {
        self.commands.iter().any(|command| command.contains(PROCESS))
    }
}

/// The name of the sessions' groups.
pub const GROUP: &str = "standin-w";
/// What stands for the process's number.
pub const PROCESS: &str = "<p>";

use Needed::{V1, V2};

/// All sessions.
pub const SESSIONS: &[Session] = &[
    Session {
        name: "hierarchies",
        about: "lssubsys and lscgroup look at every hierarchy",
        needs: &[],
        commands: &["lssubsys", "lssubsys -am", "lscgroup"],
    },
    Session {
        name: "blkio",
        about: "a group of blkio made, looked at, changed and removed",
        needs: &[V1("blkio")],
        commands: &[
            "cgcreate -g blkio:standin-w",
            "lscgroup blkio:/standin-w",
            "cgget -g blkio:standin-w",
            "cgset -r blkio.throttle.read_bps_device=junk standin-w",
            "cgset -r blkio.bfq.weight=200 standin-w",
            "cgget -r blkio.bfq.weight standin-w",
            "cgget -r blkio.throttle.io_serviced standin-w",
            "cgclassify -g blkio:standin-w <p>",
            "cgdelete -g blkio:standin-w",
        ],
    },
    Session {
        name: "cpu",
        about: "a group of cpu made, looked at, changed and removed",
        needs: &[V1("cpu")],
        commands: &[
            "cgcreate -g cpu:standin-w",
            "lscgroup cpu:/standin-w",
            "cgget -g cpu:standin-w",
            "cgset -r cpu.shares=512 standin-w",
            "cgset -r cpu.cfs_quota_us=50000 standin-w",
            "cgset -r cpu.shares=-5 standin-w",
            "cgget -r cpu.shares standin-w",
            "cgget -r cpu.cfs_quota_us standin-w",
            "cgclassify -g cpu:standin-w <p>",
            "cgdelete -g cpu:standin-w",
        ],
    },
    Session {
        name: "cpuacct",
        about: "a group of cpuacct made, looked at, changed and removed",
        needs: &[V1("cpuacct")],
        commands: &[
            "cgcreate -g cpuacct:standin-w",
            "lscgroup cpuacct:/standin-w",
            "cgget -g cpuacct:standin-w",
            "cgset -r cpuacct.usage=0 standin-w",
            "cgget -r cpuacct.stat standin-w",
            "cgclassify -g cpuacct:standin-w <p>",
            "cgdelete -g cpuacct:standin-w",
        ],
    },
    Session {
        name: "cpuset",
        about: "a group of cpuset made, looked at, changed and removed",
        needs: &[V1("cpuset")],
        commands: &[
            "cgcreate -g cpuset:standin-w",
            "lscgroup cpuset:/standin-w",
            "cgget -g cpuset:standin-w",
            "cgclassify -g cpuset:standin-w <p>",
            "cgset -r cpuset.cpus=0 standin-w",
            "cgset -r cpuset.mems=0 standin-w",
            "cgset -r cpuset.cpus=9999 standin-w",
            "cgget -r cpuset.cpus standin-w",
            "cgget -r cpuset.effective_cpus standin-w",
            "cgclassify -g cpuset:standin-w <p>",
            "cgdelete -g cpuset:standin-w",
        ],
    },
    Session {
        name: "cpuset_v2",
        about: "a group of cpuset where v2 has it",
        needs: &[V2("cpuset")],
        commands: &[
            "cgcreate -g cpuset:standin-w",
            "lscgroup cpuset:/standin-w",
            "cgget -g cpuset:standin-w",
            "cgset -r cpuset.cpus=0 standin-w",
            "cgset -r cpuset.cpus=9999 standin-w",
            "cgset -r cpuset.cpus.partition=root standin-w",
            "cgget -r cpuset.cpus.partition standin-w",
            "cgget -r cpuset.cpus.effective standin-w",
            "cgclassify -g cpuset:standin-w <p>",
            "cgdelete -g cpuset:standin-w",
        ],
    },
    Session {
        name: "devices",
        about: "a group of devices made, looked at, changed and removed",
        needs: &[V1("devices")],
        commands: &[
            "cgcreate -g devices:standin-w",
            "lscgroup devices:/standin-w",
            "cgget -g devices:standin-w",
            "cgset -r devices.deny=a standin-w",
            "cgset -r devices.deny=b standin-w",
            "cgget -r devices.list standin-w",
            "cgclassify -g devices:standin-w <p>",
            "cgdelete -g devices:standin-w",
        ],
    },
    Session {
        name: "freezer",
        about: "a group of freezer made, looked at, changed and removed",
        needs: &[V1("freezer")],
        commands: &[
            "cgcreate -g freezer:standin-w",
            "lscgroup freezer:/standin-w",
            "cgget -g freezer:standin-w",
            "cgset -r freezer.state=FROZEN standin-w",
            "cgset -r freezer.state=THAWED standin-w",
            "cgset -r freezer.state=junk standin-w",
            "cgget -r freezer.state standin-w",
            "cgclassify -g freezer:standin-w <p>",
            "cgdelete -g freezer:standin-w",
        ],
    },
    Session {
        name: "hugetlb",
        about: "a group of hugetlb made, looked at, changed and removed",
        needs: &[V1("hugetlb")],
        commands: &[
            "cgcreate -g hugetlb:standin-w",
            "lscgroup hugetlb:/standin-w",
            "cgget -g hugetlb:standin-w",
            "cgset -r hugetlb.2MB.limit_in_bytes=4M standin-w",
            "cgset -r hugetlb.2MB.limit_in_bytes=junk standin-w",
            "cgget -r hugetlb.2MB.limit_in_bytes standin-w",
            "cgclassify -g hugetlb:standin-w <p>",
            "cgdelete -g hugetlb:standin-w",
        ],
    },
    Session {
        name: "memory",
        about: "a group of memory made, looked at, changed and removed",
        needs: &[V1("memory")],
        commands: &[
            "cgcreate -g memory:standin-w",
            "lscgroup memory:/standin-w",
            "cgget -g memory:standin-w",
            "cgset -r memory.limit_in_bytes=64M standin-w",
            "cgset -r memory.limit_in_bytes=-1 standin-w",
            "cgset -r memory.swappiness=10 standin-w",
            "cgset -r memory.limit_in_bytes=junk standin-w",
            "cgget -r memory.limit_in_bytes standin-w",
            "cgget -r memory.swappiness standin-w",
            "cgclassify -g memory:standin-w <p>",
            "cgdelete -g memory:standin-w",
        ],
    },
    Session {
        name: "memory_v2",
        about: "a group of memory where v2 has it, and one below it",
        needs: &[V2("memory")],
        commands: &[
            "cgcreate -g memory:standin-w",
            "lscgroup memory:/standin-w",
            "cgget -g memory:standin-w",
            "cgset -r memory.max=64M standin-w",
            "cgset -r memory.high=junk standin-w",
            "cgset -r memory.low=1M -r memory.max=max standin-w",
            "cgget -r memory.low standin-w",
            "cgcreate -g memory:standin-w/b",
            "cgclassify -g memory:standin-w/b <p>",
            "cgdelete -g memory:standin-w",
            "cgdelete -r -g memory:standin-w",
        ],
    },
    Session {
        name: "misc",
        about: "a group of misc made, looked at and removed",
        needs: &[V1("misc")],
        commands: &[
            "cgcreate -g misc:standin-w",
            "lscgroup misc:/standin-w",
            "cgget -g misc:standin-w",
            "cgclassify -g misc:standin-w <p>",
            "cgdelete -g misc:standin-w",
        ],
    },
    Session {
        name: "net_cls",
        about: "a group of net_cls made, looked at, changed and removed",
        needs: &[V1("net_cls")],
        commands: &[
            "cgcreate -g net_cls:standin-w",
            "lscgroup net_cls:/standin-w",
            "cgget -g net_cls:standin-w",
            "cgset -r net_cls.classid=0x100001 standin-w",
            "cgset -r net_cls.classid=junk standin-w",
            "cgget -r net_cls.classid standin-w",
            "cgclassify -g net_cls:standin-w <p>",
            "cgdelete -g net_cls:standin-w",
        ],
    },
    Session {
        name: "net_prio",
        about: "a group of net_prio made, looked at, changed and removed",
        needs: &[V1("net_prio")],
        commands: &[
            "cgcreate -g net_prio:standin-w",
            "lscgroup net_prio:/standin-w",
            "cgget -g net_prio:standin-w",
            "cgset -r net_prio.ifpriomap=junk standin-w",
            "cgget -r net_prio.prioidx standin-w",
            "cgclassify -g net_prio:standin-w <p>",
            "cgdelete -g net_prio:standin-w",
        ],
    },
    Session {
        name: "perf_event",
        about: "a group of perf_event, which has no files of its own",
        needs: &[V1("perf_event")],
        commands: &[
            "cgcreate -g perf_event:standin-w",
            "lscgroup perf_event:/standin-w",
            "cgget -g perf_event:standin-w",
            "cgclassify -g perf_event:standin-w <p>",
            "cgdelete -g perf_event:standin-w",
        ],
    },
    Session {
        name: "pids",
        about: "a group of pids made, looked at, changed and removed",
        needs: &[V1("pids")],
        commands: &[
            "cgcreate -g pids:standin-w",
            "lscgroup pids:/standin-w",
            "cgget -g pids:standin-w",
            "cgset -r pids.max=7 standin-w",
            "cgset -r pids.max=max standin-w",
            "cgset -r pids.max=junk standin-w",
            "cgget -r pids.max standin-w",
            "cgget -r pids.current standin-w",
            "cgclassify -g pids:standin-w <p>",
            "cgdelete -g pids:standin-w",
        ],
    },
    Session {
        name: "rdma",
        about: "a group of rdma made, looked at, changed and removed",
        needs: &[V1("rdma")],
        commands: &[
            "cgcreate -g rdma:standin-w",
            "lscgroup rdma:/standin-w",
            "cgget -g rdma:standin-w",
            "cgset -r rdma.max=junk standin-w",
            "cgclassify -g rdma:standin-w <p>",
            "cgdelete -g rdma:standin-w",
        ],
    },
    Session {
        name: "two",
        about: "groups in two hierarchies with one command, and with owners",
        needs: &[V1("cpu"), V1("pids")],
        commands: &[
            "cgcreate -a daemon:daemon -t bin:bin -d 755 -f 640 -s 660 -g cpu,pids:standin-w",
            "cgget -a standin-w",
            "cgset -r pids.max=5 -r cpu.shares=100 standin-w",
            "cgcreate -g pids:standin-w/b",
            "lscgroup pids:/standin-w",
            "cgdelete -g pids:standin-w",
            "cgdelete -r -g pids:standin-w",
            "cgdelete -g cpu:standin-w",
            "cgdelete -g cpu:standin-w",
        ],
    },
];
