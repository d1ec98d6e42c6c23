//! Mounts, how they spread, and what names are beside them.

use super::super::theme::M;
use super::Lines;

pub(super) const LINES: Lines = &[
    (8, M, "{actor}> mount tmpfs {place}"),
    (5, M, "{actor}> mount tmpfs {place} {data}"),
    (6, M, "{actor}> mount tmpfs {place} {spread}"),
    (5, M, "{actor}> mount tmpfs {place} {remount}"),
    (1, M, "{actor}> mount proc {place}"),
    (8, M, "{actor}> umount {mounted}"),
    (6, M, "{actor}> unshare mnt"),
    (2, M, "{actor}> unshare user,mnt"),
    (3, M, "{actor}> setns {target} mnt"),
    (1, M, "{actor}> setns {target} user,mnt"),
    (2, M, "{actor}> nsid {target} mnt"),
    (2, M, "{actor}> fork {child} new=mnt"),
    (6, M, "{actor}> mkdir {place}"),
    (2, M, "{actor}> rmdir {place}"),
    (2, M, "{actor}> rename {place} {place}"),
    (6, M, "{actor}> create {name}"),
    (6, M, "{actor}> ls {place}"),
    (5, M, "{actor}> stat {place}"),
    (2, M, "{actor}> statfs {place}"),
    (3, M, "{actor}> chdir {place}"),
    (2, M, "{actor}> ls ."),
    (3, M, "{actor}> open {fd} {name} {mode3}"),
    (2, M, "{actor}> open {fd} {place} r"),
    (2, M, "{actor}> write {name} {text}"),
    (2, M, "{actor}> fwrite {file} {text}"),
    (2, M, "{actor}> read {name}"),
    (2, M, "{actor}> openat2 {fd} {dir} {tail} {mode4} {resolve}"),
    (1, M, "{actor}> access {name} {access}"),
    (1, M, "{actor}> link {name} {name}"),
    (1, M, "{actor}> chmod {place} {mode}"),
    (1, M, "{actor}> unlink {name}"),
];
