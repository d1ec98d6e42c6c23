//! Processes: how they come to be and end, and who waits for them.

use super::super::theme::{ALL, G, GL, I, IN};
use super::Lines;

pub(super) const LINES: Lines = &[
    (6, ALL, "{actor}> fork {child}"),
    (3, ALL, "{actor}> fork {child} uid={uid}"),
    (4, ALL, "{actor}> thread {child}"),
    (3, ALL, "{other}> exit {code}"),
    (3, ALL, "{actor}> kill {target} KILL"),
    (2, ALL, "{actor}> wait {target} nohang"),
    (1, ALL, "{other}> wait {target}"),
    (2, ALL, "{actor}> status {target}"),
    (3, ALL, "init> join {waiting}"),
    (6, GL, "{actor}> fork {child}"),
    (5, G, "{actor}> wait {target} nohang"),
    (3, G, "{other}> wait {target}"),
    (5, G, "{actor}> status {target}"),
    (4, G, "{actor}> ppid"),
    (1, G, "{actor}> pid"),
    (3, G, "{actor}> subreaper {switch}"),
    (3, G, "{actor}> prctl pdeathsig {signal}"),
    (2, G, "{actor}> prctl pdeathsig"),
    (3, IN, "{actor}> attach {who}"),
    (1, G, "{actor}> attach {who}"),
    (2, I, "{actor}> prctl name {comm}"),
    (2, I, "{actor}> prctl name"),
    (1, I, "{actor}> proc {target} comm"),
    (1, I, "{actor}> write /proc/self/comm {comm}"),
];
