//! Resource limits and priorities.

use super::super::theme::{ALL, L};
use super::Lines;

pub(super) const LINES: Lines = &[
    (10, L, "{actor}> rlimit {who} {limit} {pair}"),
    (6, L, "{actor}> rlimit {who} {known} {pair}"),
    (10, L, "{actor}> rlimit {who} {known}"),
    (6, L, "{actor}> priority process {who} {nice}"),
    (6, L, "{actor}> priority process {who}"),
    (4, L, "{actor}> priority pgrp {who} {nice}"),
    (4, L, "{actor}> priority pgrp {who}"),
    (2, L, "{actor}> priority user {anybody} {nice}"),
    (2, L, "{actor}> priority user {anybody}"),
    (2, L, "{actor}> setid {uid}:{uid}"),
    (2, L, "{actor}> capdrop sys_nice"),
    (2, L, "{actor}> capdrop sys_resource"),
    (3, L, "{actor}> setpgid {who} {who}"),
    (1, L, "{actor}> setsid"),
    (2, L, "{actor}> unshare user"),
    // What limits bite.
    (3, L, "{actor}> rlimit {who} nofile {few}"),
    (3, L, "{actor}> rlimit {who} nproc {few}"),
    (3, L, "{actor}> rlimit {who} fsize {few}"),
    (2, L, "{actor}> rlimit {who} sigpending {few}"),
    (4, L, "{actor}> open {fd} /mnt r"),
    (2, L, "{actor}> dup {any} {fd}"),
    (2, L, "{actor}> socketpair {fd} {end} {type}"),
    (2, L, "{actor}> eventfd {fd} 0"),
    (3, L, "{actor}> create {name}"),
    (4, L, "{actor}> write {name} {text}"),
    (2, L, "{actor}> open {fd} {name} rw"),
    (3, L, "{actor}> fwrite {file} {text}"),
    (3, L, "{actor}> truncate {name} {length}"),
    (2, L, "{actor}> signal XFSZ {action}"),
    (1, L, "{actor}> sigcount XFSZ"),
    (2, L, "{actor}> sigmask block {catchable}"),
    (3, L, "{actor}> kill {target} {catchable}"),
    (2, L, "{actor}> sigpending"),
    (2, L, "{actor}> send {socket} x fds={any} nonblock"),
    (1, ALL, "{actor}> close {any}"),
];
