//! /proc/sys/vm (proc_sys_vm(5)).

use crate::profile::Release;

use super::row::{NATURAL, Row, Setting, bound, number, other, special};

const AT: &str = "vm";

pub(super) const ROWS: &[Row] = &[
    other(AT, "compact_memory", 0o200),
    number(AT, "dirty_expire_centisecs", 3000, NATURAL),
    number(AT, "dirty_writeback_centisecs", 500, NATURAL),
    other(AT, "drop_caches", 0o200),
    number(AT, "laptop_mode", 0, NATURAL),
    bound(AT, "max_map_count", 65_530, NATURAL, 65_530..=0x7fff_ffff).until(Release::V6_12),
    other(AT, "max_map_count", 0o644).since(Release::V6_18),
    special(AT, "mmap_min_addr", Setting::Long(65_536)).until(Release::V6_12),
    other(AT, "mmap_min_addr", 0o644).since(Release::V6_18),
    number(AT, "oom_dump_tasks", 1, NATURAL),
    bound(AT, "oom_kill_allocating_task", 0, NATURAL, 0..=0),
    bound(AT, "overcommit_memory", 0, 0..=2, 0..=1),
    number(AT, "overcommit_ratio", 50, NATURAL),
    number(AT, "page-cluster", 3, 0..=31),
    bound(AT, "panic_on_oom", 0, 0..=2, 0..=0),
    number(AT, "stat_interval", 1, NATURAL),
    special(AT, "swappiness", Setting::Swappiness),
    number(AT, "unprivileged_userfaultfd", 0, 0..=1),
    number(AT, "vfs_cache_pressure", 100, NATURAL),
    number(AT, "watermark_scale_factor", 10, 1..=3000),
    number(AT, "zone_reclaim_mode", 0, NATURAL),
];
