//! PID namespaces: numbers, signals across them, who ends with whom.

use super::super::theme::P;
use super::Lines;

pub(super) const LINES: Lines = &[
    (8, P, "{actor}> unshare {pidful}"),
    (8, P, "{actor}> setns {target} pid"),
    (2, P, "{actor}> setns {target} user,pid"),
    (4, P, "{actor}> fork {child} new={pidful}"),
    (8, P, "{actor}> fork {child}"),
    (8, P, "{actor}> pid"),
    (6, P, "{actor}> ppid"),
    (5, P, "{actor}> nsid {target} {pids}"),
    (4, P, "{other}> exit {code}"),
    (10, P, "{actor}> kill {target} {signal}"),
    (3, P, "{actor}> kill {target} 0"),
    (3, P, "{actor}> signal {catchable} {action}"),
    (5, P, "{actor}> wait {target} nohang"),
    (2, P, "{other}> wait {target}"),
    (4, P, "{actor}> status {target}"),
    (2, P, "{actor}> subreaper {switch}"),
    (2, P, "{actor}> prctl pdeathsig {signal}"),
    (2, P, "{actor}> setsid"),
    (3, P, "{actor}> getsid {who}"),
    (3, P, "{actor}> getpgid {who}"),
    (2, P, "{actor}> setpgid {who} {who}"),
    (2, P, "{actor}> killpg {who} {signal}"),
    (2, P, "{actor}> priority process {who} {nice}"),
    (2, P, "{actor}> proc {target} comm"),
    (3, P, "{actor}> mount proc /mnt/a"),
    (2, P, "{actor}> mkdir /mnt/a"),
    (2, P, "{actor}> unshare user,pid,mnt"),
    (2, P, "{actor}> stat /mnt/a/self/comm"),
    (2, P, "{actor}> read /mnt/a/thread-self/comm"),
    (2, P, "{actor}> read /mnt/a/self/comm"),
];
