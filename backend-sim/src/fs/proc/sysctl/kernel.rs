//! /proc/sys/kernel (proc_sys_kernel(5)).

use super::row::{
    INT, NATURAL, Names, Of, Row, Setting, bound, dir, number, other, shown, special,
};
use crate::namespace::uts::Which;
use crate::profile::Release;

const AT: &str = "kernel";

const fn here(name: &'static str, setting: Setting) -> Row {
    special(AT, name, setting)
}

pub(super) const ROWS: &[Row] = &[
    shown(AT, "arch", Setting::Hardware),
    shown(AT, "cap_last_cap", Setting::Fixed("40")),
    here("core_pattern", Setting::Text("core", 127)),
    number(AT, "core_uses_pid", 0, INT),
    number(AT, "ctrl-alt-del", 1, INT),
    number(AT, "dmesg_restrict", 1, 0..=1),
    here("domainname", Setting::Name(Which::Domain)),
    here("hostname", Setting::Name(Which::Host)),
    number(AT, "io_uring_disabled", 0, 0..=2).since(Release::V6_12),
    dir(AT, "keys", Names::All),
    other("kernel/keys", "gc_delay", 0o644),
    number("kernel/keys", "maxbytes", 20_000, NATURAL),
    number("kernel/keys", "maxkeys", 200, NATURAL),
    other("kernel/keys", "persistent_keyring_expiry", 0o644),
    number("kernel/keys", "root_maxbytes", 25_000_000, NATURAL),
    number("kernel/keys", "root_maxkeys", 1_000_000, NATURAL),
    number(AT, "kptr_restrict", 0, 0..=2),
    here("modprobe", Setting::Text("/sbin/modprobe", 255)).until(Release::V6_12),
    number(AT, "modules_disabled", 0, 0..=1).until(Release::V6_12),
    number(AT, "msgmax", 8192, NATURAL).of(Of::Ipc),
    number(AT, "msgmnb", 16_384, NATURAL).of(Of::Ipc),
    number(AT, "msgmni", 32_000, 0..=32_768).of(Of::Ipc),
    shown(AT, "ngroups_max", Setting::Fixed("65536")),
    shown(AT, "osrelease", Setting::Release),
    shown(AT, "ostype", Setting::System),
    bound(AT, "overflowgid", 65_534, 0..=65_535, 65_534..=65_534),
    bound(AT, "overflowuid", 65_534, 0..=65_535, 65_534..=65_534),
    here("ns_last_pid", Setting::LastNumber).mode(0o666),
    // As those kernels were booted.
    number(AT, "panic", -1, INT).until(Release::V6_12),
    number(AT, "panic", 1, INT).since(Release::V6_18),
    number(AT, "panic_on_oops", 0, INT),
    number(AT, "perf_event_paranoid", 3, INT).until(Release::V6_12),
    number(AT, "perf_event_paranoid", 2, INT).since(Release::V6_18),
    here("pid_max", Setting::NumberEnd),
    here("poweroff_cmd", Setting::Text("/sbin/poweroff", 255)),
    number(AT, "print-fatal-signals", 0, INT),
    here("printk", Setting::Numbers(&[4, 4, 1, 7])),
    dir(AT, "pty", Names::All),
    number("kernel/pty", "max", 4096, NATURAL),
    other("kernel/pty", "nr", 0o444),
    other("kernel/pty", "reserve", 0o644),
    dir(AT, "random", Names::All),
    other("kernel/random", "boot_id", 0o444),
    shown("kernel/random", "entropy_avail", Setting::Fixed("256")),
    shown("kernel/random", "poolsize", Setting::Fixed("256")),
    number("kernel/random", "urandom_min_reseed_secs", 60, INT),
    other("kernel/random", "uuid", 0o444),
    number("kernel/random", "write_wakeup_threshold", 256, INT),
    number(AT, "randomize_va_space", 2, INT),
    number(AT, "sched_autogroup_enabled", 0, 0..=1).until(Release::V6_1),
    number(AT, "sched_autogroup_enabled", 1, 0..=1).since(Release::V6_12),
    bound(AT, "sched_rt_period_us", 1_000_000, INT, 1_000_000..=1_000_000),
    bound(AT, "sched_rt_runtime_us", 950_000, INT, 950_000..=950_000),
    dir(AT, "seccomp", Names::All),
    shown("kernel/seccomp", "actions_avail", Setting::Fixed(ACTIONS)),
    other("kernel/seccomp", "actions_logged", 0o644),
    here("sem", Setting::NumbersTo(&[32_000, 1_024_000_000, 500, 32_000], 32_768)).of(Of::Ipc),
    number(AT, "shm_rmid_forced", 0, 0..=1).of(Of::Ipc),
    here("shmall", Setting::Long(MOST_SEGMENTS)).of(Of::Ipc),
    here("shmmax", Setting::Long(MOST_SEGMENTS)).of(Of::Ipc),
    number(AT, "shmmni", 4096, 0..=32_768).of(Of::Ipc),
    number(AT, "softlockup_panic", 0, 0..=1),
    bound(AT, "sysctl_writes_strict", 1, -1..=1, 1..=1),
    number(AT, "sysrq", 438, INT).until(Release::V6_12),
    other(AT, "tainted", 0o644),
    here("threads-max", Setting::Threads),
    bound(AT, "unprivileged_bpf_disabled", 2, 0..=2, 2..=2),
    number(AT, "unprivileged_userns_clone", 1, INT).until(Release::V6_12),
    dir(AT, "usermodehelper", Names::All),
    other("kernel/usermodehelper", "bset", 0o600),
    other("kernel/usermodehelper", "inheritable", 0o600),
    shown(AT, "version", Setting::Build),
    number(AT, "watchdog", 1, 0..=1),
    dir(AT, "yama", Names::All).until(Release::V6_12),
    bound("kernel/yama", "ptrace_scope", 0, 0..=3, 0..=0).until(Release::V6_12),
];

/// What a filter of system calls can do (seccomp(2)).
const ACTIONS: &str = "kill_process kill_thread trap errno user_notif trace log allow";

/// As much as there can be: 2^24 less than all.
const MOST_SEGMENTS: u64 = u64::MAX - (1 << 24);
