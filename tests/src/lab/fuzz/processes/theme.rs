//! What a script about processes is about, and how it begins.

/// What a script is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    /// Users, groups and capabilities.
    Identity,
    /// Signals, process groups, sessions, and how processes end.
    Signals,
    /// Resource limits and priorities.
    Limits,
    /// Namespaces and id maps.
    Namespaces,
    /// PID namespaces: who has which number where, whose end is whose.
    Pids,
    /// Mounts and mount namespaces.
    Mounts,
    /// Local sockets.
    Sockets,
    /// Names, links, locks, watches, counters.
    Files,
    /// Some of each.
    Mixed,
    /// What /proc tells of them: a subject of its own.
    Told,
}
use Theme::{Files, Identity, Limits, Mixed, Mounts, Namespaces, Pids, Signals, Sockets, Told};

/// How often which.
pub(super) const THEMES: &[(usize, Theme)] = &[
    (14, Identity),
    (14, Signals),
    (10, Limits),
    (16, Namespaces),
    (14, Pids),
    (10, Mounts),
    (18, Sockets),
    (12, Files),
    (10, Mixed),
];

pub(super) const ALL: &[Theme] =
    &[Identity, Signals, Limits, Namespaces, Pids, Mounts, Sockets, Files, Mixed, Told];
pub(super) const T: &[Theme] = &[Told];
pub(super) const I: &[Theme] = &[Identity, Mixed, Told];
pub(super) const G: &[Theme] = &[Signals, Mixed];
pub(super) const L: &[Theme] = &[Limits, Mixed];
pub(super) const N: &[Theme] = &[Namespaces, Mixed, Told];
pub(super) const P: &[Theme] = &[Pids, Mixed];
pub(super) const M: &[Theme] = &[Mounts, Mixed];
pub(super) const S: &[Theme] = &[Sockets, Mixed];
pub(super) const F: &[Theme] = &[Files, Mixed];
pub(super) const IN: &[Theme] = &[Identity, Namespaces, Mixed, Told];
pub(super) const IF: &[Theme] = &[Identity, Files, Mixed];
pub(super) const FM: &[Theme] = &[Files, Mounts, Mixed];
pub(super) const GL: &[Theme] = &[Signals, Limits, Mixed];
const ONLY_L: &[Theme] = &[Limits];
const ONLY_S: &[Theme] = &[Sockets];
const ONLY_P: &[Theme] = &[Pids];
const USERS: &[Theme] = &[Identity, Namespaces, Mounts, Mixed, Told];

/// In how many of a hundred scripts of which themes a line stands at the beginning.
pub(super) const BEGINNINGS: &[(usize, &[Theme], &str)] = &[
    // Limits are as the machine has them until a script sets them: only what init sets first is printed.
    (80, ONLY_L, "init> rlimit init nofile 40:80"),
    (60, ONLY_L, "init> rlimit init nproc 500:1000"),
    (60, ONLY_L, "init> rlimit init fsize 1000:2000"),
    (40, ONLY_L, "init> rlimit init nice 5:10"),
    (40, ONLY_L, "init> rlimit init sigpending 3:6"),
    (30, ONLY_L, "init> rlimit init rtprio 3:6"),
    (30, ONLY_L, "init> rlimit init locks 10:20"),
    (30, ONLY_L, "init> rlimit init msgqueue 1000:2000"),
    // What is set is set for the script alone.
    (100, T, "init> unshare uts,ipc,net"),
    (90, ALL, "init> chmod /mnt 01777"),
    (80, ALL, "init> chdir /mnt"),
    (50, FM, "init> mkdir /mnt/a 0777"),
    (30, FM, "init> create /mnt/f"),
    (30, M, "init> mount tmpfs /mnt/a"),
    (30, M, "init> mount tmpfs /mnt/a shared"),
    (30, ONLY_S, "init> socketpair f g {type} {nb}"),
    (70, ONLY_P, "init> fork p new=pid"),
    (50, ONLY_P, "p> fork q"),
    (40, ONLY_P, "p> unshare pid"),
    (30, ONLY_P, "q> fork r new=pid"),
    (80, ALL, "init> fork p uid=1000"),
    (60, ALL, "init> fork q"),
    (40, ALL, "p> fork r"),
    (30, ALL, "init> fork s uid=1001"),
    (50, USERS, "p> unshare {userful}"),
    (15, USERS, "q> unshare {userful}"),
    (35, N, "init> setgroups p deny"),
    (60, USERS, "init> idmap p uid {map}"),
    (50, USERS, "init> idmap p gid {map}"),
    (20, ALL, "p> thread t"),
    (35, ONLY_S, "p> socket f {type} {nb}"),
    (30, ONLY_S, "p> bind f {address}"),
    (25, ONLY_S, "p> listen f {backlog}"),
];
