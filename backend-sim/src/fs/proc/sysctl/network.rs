//! /proc/sys/net (Documentation/admin-guide/sysctl/net.rst): settings of a network namespace, some of all of them together.

use super::row::{INT, NATURAL, Names, Of, Row, Setting, bound, dir, number, special};
use crate::profile::Release;

pub(super) const ROWS: &[Row] = &[
    dir("net", "core", Names::Some).of(Of::Net),
    number("net/core", "netdev_max_backlog", 1000, NATURAL).of(Of::FirstNet),
    shared("rmem_default", 212_992),
    shared("rmem_default", 212_992).of(Of::OtherNets).mode(0o444),
    shared("rmem_max", 212_992).until(Release::V6_12),
    shared("rmem_max", 212_992).until(Release::V6_12).of(Of::OtherNets).mode(0o444),
    shared("rmem_max", 4_194_304).since(Release::V6_18),
    shared("rmem_max", 4_194_304).since(Release::V6_18).of(Of::OtherNets).mode(0o444),
    number("net/core", "somaxconn", 4096, NATURAL).of(Of::Net),
    shared("wmem_default", 212_992),
    shared("wmem_default", 212_992).of(Of::OtherNets).mode(0o444),
    shared("wmem_max", 212_992).until(Release::V6_12),
    shared("wmem_max", 212_992).until(Release::V6_12).of(Of::OtherNets).mode(0o444),
    shared("wmem_max", 4_194_304).since(Release::V6_18),
    shared("wmem_max", 4_194_304).since(Release::V6_18).of(Of::OtherNets).mode(0o444),
    dir("net", "ipv4", Names::Some),
    number("net/ipv4", "ip_forward", 0, INT).of(Of::Net),
    number("net/ipv4", "ip_unprivileged_port_start", 1024, 0..=65_535).of(Of::Net),
    special("net/ipv4", "ping_group_range", Setting::Numbers(&[1, 0])).of(Of::Net),
    number("net/ipv4", "tcp_syncookies", 1, 0..=2).of(Of::Net),
    dir("net", "unix", Names::All).of(Of::Net),
    number("net/unix", "max_dgram_qlen", 10, INT).of(Of::Net).until(Release::V6_1),
    number("net/unix", "max_dgram_qlen", 10, NATURAL).of(Of::Net).since(Release::V6_12),
];

/// The size of a socket's buffer, which every network namespace sees and the first one alone sets.
const fn shared(name: &'static str, bytes: i64) -> Row {
    let least = 2048;
    bound("net/core", name, bytes, least..=0x7fff_ffff, bytes..=bytes).of(Of::FirstNet)
}
