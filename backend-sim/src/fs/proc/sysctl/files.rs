//! /proc/sys/fs (proc_sys_fs(5)).

use super::row::{NATURAL, Names, Of, Row, Setting, bound, dir, number, other, shown, special};
use crate::notify::setting::Limit;
use crate::profile::Release;

const AT: &str = "fs";

pub(super) const ROWS: &[Row] = &[
    special(AT, "aio-max-nr", Setting::Long(65_536)),
    other(AT, "aio-nr", 0o444),
    number(AT, "dir-notify-enable", 1, NATURAL),
    dir(AT, "epoll", Names::All),
    other("fs/epoll", "max_user_watches", 0o644),
    other(AT, "file-max", 0o644),
    other(AT, "file-nr", 0o444),
    dir(AT, "inotify", Names::All),
    watching("max_queued_events", Limit::Events),
    watching("max_user_instances", Limit::Watchers),
    watching("max_user_watches", Limit::Watches),
    number(AT, "lease-break-time", 45, NATURAL),
    number(AT, "leases-enable", 1, NATURAL),
    bound(AT, "mount-max", 100_000, 1..=0x7fff_ffff, 100_000..=0x7fff_ffff),
    dir(AT, "mqueue", Names::All),
    number("fs/mqueue", "msg_default", 10, 1..=65_536).of(Of::Ipc),
    number("fs/mqueue", "msg_max", 10, 1..=65_536).of(Of::Ipc),
    number("fs/mqueue", "msgsize_default", 8192, 128..=16_777_216).of(Of::Ipc),
    number("fs/mqueue", "msgsize_max", 8192, 128..=16_777_216).of(Of::Ipc),
    number("fs/mqueue", "queues_max", 256, NATURAL).of(Of::Ipc),
    number(AT, "nr_open", 1_048_576, 64..=0x7fff_ffc0),
    bound(AT, "overflowgid", 65_534, 0..=65_535, 65_534..=65_534),
    bound(AT, "overflowuid", 65_534, 0..=65_535, 65_534..=65_534),
    bound(AT, "pipe-max-size", 1_048_576, NATURAL, 1_048_576..=1_048_576),
    number(AT, "pipe-user-pages-hard", 0, NATURAL),
    number(AT, "pipe-user-pages-soft", 16_384, NATURAL),
    bound(AT, "protected_fifos", 0, 0..=2, 0..=0),
    bound(AT, "protected_hardlinks", 1, 0..=1, 1..=1),
    bound(AT, "protected_regular", 0, 0..=2, 0..=0),
    bound(AT, "protected_symlinks", 1, 0..=1, 1..=1).until(Release::V6_12),
    bound(AT, "protected_symlinks", 0, 0..=1, 0..=0).since(Release::V6_18),
    number(AT, "suid_dumpable", 0, 0..=2),
    shown(AT, "dentry-state", Setting::Unmodelled),
    shown(AT, "inode-nr", Setting::Unmodelled),
    shown(AT, "inode-state", Setting::Unmodelled),
];

const fn watching(name: &'static str, limit: Limit) -> Row {
    special("fs/inotify", name, Setting::Watching(limit))
}
