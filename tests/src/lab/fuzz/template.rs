//! What scripts are made of: themes, lines with slots, and the words for most slots.

/// What is not generated although it could be: a pattern of operations, and why. (What depends on earlier lines is left out
/// where the generator keeps in mind what it believes of them.)
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("write /sys/fs/cgroup/memory.reclaim *", "what can be reclaimed from a whole machine is luck"),
    ("read~ *cgroup.procs", "how many processes a kernel has besides the actors is its own"),
    ("read~ *cgroup.threads", "how many processes a kernel has besides the actors is its own"),
    (
        "read /sys/fs/cgroup/cpu.pressure",
        "how long all that runs on a kernel has waited is its own",
    ),
    (
        "read /sys/fs/cgroup/memory.pressure",
        "how long all that runs on a kernel has waited is its own",
    ),
    ("read /sys/fs/cgroup/io.pressure", "how long all that runs on a kernel has waited is its own"),
    ("eventfd *", "the machine has no event counters yet"),
    ("signal CHLD ignore", "how children ended that nobody waits for, old kernels tell nobody"),
    ("fwrite * <init>*", "init stays where it is"),
];

/// What a script is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// Values of control files; nobody lives in the groups.
    Settings,
    /// Processes in groups.
    Members,
    /// The same, with somebody who owns a part of the tree.
    Delegation,
    /// Processes that use memory, in groups with little of it.
    Load,
    /// Files, processes, signals and credentials without groups.
    Plain,
    /// Hierarchies of v1 that the script mounts.
    Mounts,
}
use Theme::{Delegation, Load, Members, Plain, Settings};

/// How often, which, and controllers whose settings are tried (so many of these).
pub(super) const THEMES: &[(usize, Theme, usize)] =
    &[(44, Settings, 2), (22, Members, 2), (18, Delegation, 1), (6, Load, 0), (10, Plain, 0)];

/// Controllers, as often as each is tried.
pub(super) const FOCUS: &[&str] = &[
    "pids", "pids", "memory", "memory", "memory", "cpu", "cpu", "cpuset", "cpuset", "io",
    "hugetlb", "rdma", "misc", "pressure",
];

const SMD: &[Theme] = &[Settings, Members, Delegation];
const MD: &[Theme] = &[Members, Delegation];
const S: &[Theme] = &[Settings];
const L: &[Theme] = &[Load];
const SMDL: &[Theme] = &[Settings, Members, Delegation, Load];
const D: &[Theme] = &[Delegation];
const P: &[Theme] = &[Plain];
const MDP: &[Theme] = &[Members, Delegation, Plain];

/// How often, in which themes, and a line.
pub(super) const TEMPLATES: &[(usize, &[Theme], &str)] = &[
    (8, SMD, "{actor}> mkdir {free}"),
    (4, SMD, "{actor}> rmdir {group}"),
    (1, SMD, "{actor}> mkdir {free} {mode}"),
    (1, SMD, "{actor}> mkdir {odd}"),
    (1, SMD, "{actor}> rename {group} {free}"),
    (12, SMD, "{actor}> write {group}/cgroup.subtree_control {controllers}"),
    (40, S, "{actor}> write {below}/{setting} {value}"),
    (14, MD, "{actor}> write {below}/{setting} {value}"),
    (3, SMD, "{actor}> write {group}/{setting} {value}"),
    (1, S, "{actor}> write /sys/fs/cgroup/{onroot} {value}"),
    (1, S, "{actor}> read /sys/fs/cgroup/{onroot}"),
    (1, SMD, "{actor}> write {group}/{file} {value}"),
    (20, S, "{actor}> read {below}/{steady}"),
    (12, MD, "{actor}> read {below}/{steady}"),
    (3, SMD, "{actor}> read {group}/{steady}"),
    (3, SMD, "{actor}> read~ {group}/{file}"),
    (2, SMD, "{actor}> key {group}/cgroup.stat nr_descendants"),
    (2, SMD, "{actor}> key {below}/cgroup.events {event}"),
    (2, SMD, "{actor}> ls {group}"),
    (2, SMD, "{actor}> stat {group}/{file}"),
    (1, SMD, "{actor}> stat {group}"),
    (1, SMD, "{actor}> access {group}/{file} {access}"),
    (1, SMD, "{actor}> access {group} {access}"),
    (1, SMD, "{actor}> chmod {below}/{file} {mode}"),
    (1, SMD, "{actor}> chmod {below} {mode}"),
    (1, SMD, "{actor}> chown {below}/{file} {owner}"),
    (1, SMD, "{actor}> create {below}/{file}"),
    (1, SMD, "{actor}> unlink {below}/{file}"),
    (4, SMD, "{actor}> open {fd} {below}/{setting} {open}"),
    (1, SMD, "{actor}> open {fd} {below}/{steady} r"),
    (2, SMD, "{actor}> fread {opened}"),
    (4, SMD, "{actor}> fwrite {opened} {value}"),
    (1, SMD, "{actor}> close {opened}"),
    (1, SMD, "{actor}> poll {opened} in,pri 0"),
    // Processes in groups.
    (10, MD, "{actor}> fork {child} into={below}"),
    (5, MD, "{actor}> fork {child}"),
    (3, MD, "{actor}> fork {child} into={group} uid={uid}"),
    (4, MD, "{actor}> thread {child}"),
    (14, MD, "{actor}> write {group}/cgroup.procs {member}"),
    (8, MD, "{actor}> write {group}/cgroup.threads {member}"),
    (5, MD, "{actor}> write {below}/cgroup.type threaded"),
    (5, MD, "{actor}> write {below}/cgroup.freeze {flag}"),
    (1, MD, "{actor}> write {below}/cgroup.kill 1"),
    (2, MD, "{actor}> open m {group}/cgroup.procs rw"),
    (2, MD, "{actor}> fwrite m {member}"),
    (4, MD, "{actor}> proc {target} cgroup"),
    (5, MD, "{actor}> read {group}/{members}"),
    // Processes that use memory.
    (10, L, "{actor}> write {below}/memory.max {room}"),
    (3, L, "{actor}> write {below}/memory.low {room}"),
    (3, L, "{actor}> write {below}/memory.oom.group {flag}"),
    (20, L, "{other}> alloc {size}"),
    (4, L, "{other}> release"),
    (8, L, "{actor}> fork {child} into={below}"),
    (3, L, "{actor}> write {below}/cgroup.procs <{target}>"),
    (3, L, "{actor}> key {below}/memory.events {memory}"),
    (2, L, "{actor}> key {below}/memory.events.local {memory}"),
    (8, L, "{actor}> test {below}/memory.current {measure}"),
    (3, L, "{actor}> test {below}/memory.peak {measure}"),
    (2, L, "{actor}> read {below}/{members}"),
    (3, L, "{actor}> status {target}"),
    (2, L, "{actor}> wait {target} nohang"),
    (2, L, "{actor}> kill {target} KILL"),
    // Somebody owns a part of the tree.
    (4, D, "{actor}> chown {below} {owner}"),
    (6, D, "{actor}> chown {below}/{delegated} {owner}"),
    (2, D, "{actor}> setid {uid}:{uid}"),
    (2, D, "{actor}> capdrop {capability}"),
    (1, D, "{actor}> access {below}/cgroup.procs w"),
    // Processes, wherever they are.
    (3, MDP, "{actor}> exit {code}"),
    (6, MDP, "{actor}> kill {target} {signal}"),
    (4, MDP, "{actor}> wait {target} nohang"),
    (1, MDP, "{actor}> wait {target}"),
    (5, MDP, "{actor}> status {target}"),
    (1, MDP, "init> join {target}"),
    (1, MDP, "{actor}> ppid"),
    (1, MDP, "{actor}> pid"),
    (1, MDP, "{actor}> subreaper {switch}"),
    (4, P, "{actor}> fork {child}"),
    (3, P, "{actor}> fork {child} uid={uid}"),
    (2, P, "{actor}> thread {child}"),
    (2, P, "{actor}> setid {uid}:{uid}"),
    (2, P, "{actor}> setresuid {id} {id} {id}"),
    (1, P, "{actor}> setresgid {id} {id} {id}"),
    (1, P, "{actor}> grouplist {uid},{uid}"),
    (2, P, "{actor}> ids"),
    (1, P, "{actor}> caps"),
    (2, P, "{actor}> capdrop {capability}"),
    (1, P, "{actor}> umask {mode}"),
    (2, P, "{actor}> signal {catchable} {action}"),
    (2, P, "{actor}> sigmask {change} {catchable}"),
    (2, P, "{actor}> sigcount {catchable}"),
    (1, P, "{actor}> sigpending"),
    (1, P, "{actor}> setsid"),
    (1, P, "{actor}> getsid {target}"),
    (1, P, "{actor}> getpgid {target}"),
    (1, P, "{actor}> setpgid {target} {target}"),
    (2, P, "{actor}> rlimit {target} nofile {limits}"),
    (1, P, "{actor}> rlimit {target} nofile"),
    (1, P, "{actor}> priority process {target} {nice}"),
    (1, P, "{actor}> priority process {target}"),
    (3, P, "{actor}> mkdir {plain} {mode}"),
    (4, P, "{actor}> create {plain}"),
    (3, P, "{actor}> write {plain} {text}"),
    (3, P, "{actor}> read {plain}"),
    (2, P, "{actor}> rename {plain} {plain}"),
    (2, P, "{actor}> link {plain} {plain}"),
    (2, P, "{actor}> symlink {plain} {plain}"),
    (1, P, "{actor}> readlink {plain}"),
    (2, P, "{actor}> unlink {plain}"),
    (1, P, "{actor}> rmdir {plain}"),
    (3, P, "{actor}> stat {plain}"),
    (2, P, "{actor}> ls {plain}"),
    (2, P, "{actor}> chmod {plain} {mode}"),
    (2, P, "{actor}> chown {plain} {owner}"),
    (2, P, "{actor}> access {plain} {access}"),
    (1, P, "{actor}> truncate {plain} {nice}"),
    (1, P, "{actor}> xset {plain} {attribute} {text}"),
    (1, P, "{actor}> xget {plain} {attribute}"),
    (1, P, "{actor}> xlist {plain}"),
    (1, P, "{actor}> xdel {plain} {attribute}"),
    (2, P, "{actor}> open {fd} {plain} {open}"),
    (1, P, "{actor}> fread {opened}"),
    (1, P, "{actor}> fwrite {opened} {text}"),
    (1, P, "{actor}> flock {opened} {lock} nonblock"),
    (1, P, "{actor}> dup {opened} {fd}"),
    (2, P, "{actor}> socketpair {fd} {end} {type} nonblock"),
    (1, P, "{actor}> socket {fd} {type} nonblock"),
    (1, P, "{actor}> bind {fd} {address}"),
    (1, P, "{actor}> listen {fd} {uid}"),
    (1, P, "{actor}> connect {fd} {address}"),
    (2, P, "{actor}> send {end} {text} nonblock"),
    (2, P, "{actor}> recv {fd} 100 nonblock"),
    (1, P, "{actor}> shutdown {fd} {open}"),
    (1, P, "{actor}> poll {end} in,out,hup 0"),
    (1, P, "{actor}> peercred {end}"),
    (1, P, "{actor}> eventfd {fd} {code} nonblock"),
    (1, P, "{actor}> evread {fd}"),
    (1, P, "{actor}> evwrite {fd} {code}"),
];

/// The lines that a script of a theme begins with, and how often each stands there.
pub(super) const BEGINNINGS: &[(usize, &[Theme], &str)] = &[
    (90, SMDL, "init> write /sys/fs/cgroup/cgroup.subtree_control {focus}"),
    (100, SMDL, "init> mkdir /sys/fs/cgroup/a"),
    (75, SMDL, "init> write /sys/fs/cgroup/a/cgroup.subtree_control {focus}"),
    (60, SMDL, "init> mkdir /sys/fs/cgroup/a/b"),
    (100, D, "init> chown /sys/fs/cgroup/a 1000:1000"),
    (80, D, "init> chown /sys/fs/cgroup/a/cgroup.procs 1000:1000"),
    (60, D, "init> chown /sys/fs/cgroup/a/cgroup.subtree_control 1000:1000"),
    (40, D, "init> chown /sys/fs/cgroup/a/cgroup.threads 1000:1000"),
    (60, D, "init> fork {child} into=/sys/fs/cgroup/a uid=1000"),
    (60, D, "init> fork {child} uid=1000"),
    (70, MDP, "init> fork {child}"),
    (30, P, "init> chmod /mnt 01777"),
    (100, L, "init> fork {child} into=/sys/fs/cgroup/a"),
    (60, L, "init> write /sys/fs/cgroup/a/memory.max {room}"),
    (60, L, "init> fork {child} into=/sys/fs/cgroup/a/b"),
];

/// What may stand in a slot that needs no thought.
pub(super) const WORDS: &[(&str, &[&str])] = &[
    ("mode", &["0755", "0700", "0000", "0777", "01777", "0555", "0644"]),
    (
        "odd",
        &[
            "/sys/fs/cgroup/a/.",
            "\"/sys/fs/cgroup/a\\nb\"",
            "/sys/fs/cgroup/a/pids.max",
            "/sys/fs/cgroup/a/cpu.x",
            "/sys/fs/cgroup/cgroup.x",
            "/sys/fs/cgroup/memory.max",
            "/sys/fs/cgroup/a/cgroup.procs/x",
            "/sys/fs/cgroup/a/b/c/d",
        ],
    ),
    // Between what whole megabytes come to, so that what a kernel is charged for besides does not decide.
    ("room", &["13184K", "17280K", "25472K", "max", "13500416"]),
    ("size", &["1M", "2M", "3M", "5M", "9M", "14M", "30M"]),
    // How often a kernel looks for somebody to end until there is room (`oom`) is luck.
    ("memory", &["oom_kill", "low", "high", "oom_group_kill"]),
    ("measure", &["> 3040870", "< 20866662", "<= 17721000", "> 9332326", "< 5138022"]),
    (
        "onroot",
        &[
            "io.cost.qos",
            "io.cost.model",
            "cpu.pressure",
            "memory.pressure",
            "cgroup.pressure",
            "cgroup.max.depth",
            "cgroup.max.descendants",
            "cgroup.type",
            "io.weight",
            "misc.capacity",
        ],
    ),
    ("event", &["populated", "frozen", "nothing"]),
    ("access", &["r", "w", "rw", "x", "f"]),
    ("owner", &["1000:1000", "0:0", "1001:1001", "-1:1000", "1000:-1"]),
    ("fd", &["f", "g"]),
    ("end", &["f", "h"]),
    ("open", &["rw", "w", "r"]),
    ("uid", &["1000", "1001", "0"]),
    ("id", &["1000", "0", "-1", "1001"]),
    ("flag", &["1", "0", "0", "\"1\\n\"", "2"]),
    (
        "members",
        &["cgroup.procs", "cgroup.threads", "cgroup.type", "cgroup.events", "pids.current"],
    ),
    ("delegated", &["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]),
    (
        "capability",
        &[
            "dac_override",
            "sys_admin",
            "chown",
            "fowner",
            "kill",
            "setuid setgid",
            "dac_override dac_read_search",
        ],
    ),
    ("code", &["0", "1", "7", "255", "256"]),
    ("signal", &["KILL", "TERM", "STOP", "CONT", "CONT", "0", "CHLD", "USR1"]),
    ("catchable", &["TERM", "USR1", "USR2", "HUP", "CHLD"]),
    ("action", &["ignore", "count", "default", "restart"]),
    ("change", &["block", "unblock", "set"]),
    ("switch", &["on", "off"]),
    ("limits", &["100:200", "10:10", "200:100", "2000:inf", "5:5"]),
    ("nice", &["0", "5", "-5", "19", "100"]),
    ("text", &["hello", "\"\"", "x", "\"a b\\n\""]),
    ("attribute", &["user.a", "trusted.a", "security.a", "system.a", "a"]),
    ("lock", &["sh", "ex", "un"]),
    ("type", &["stream", "dgram", "seqpacket"]),
    ("address", &["/mnt/s", "@s", "/mnt/a", "/nothing/s"]),
    (
        "plain",
        &[
            "/mnt/a",
            "/mnt/b",
            "/mnt/a/x",
            "/mnt/a/y",
            "/mnt/b/x",
            "/mnt/c",
            "/mnt/a/x/z",
            "/mnt/c/",
            "/mnt/a/../b",
            "/mnt/a/.",
        ],
    ),
];
