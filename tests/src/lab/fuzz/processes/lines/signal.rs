//! Signals, process groups and sessions.

use super::super::theme::{ALL, G};
use super::Lines;

pub(super) const LINES: Lines = &[
    (1, ALL, "{actor}> kill {target} {signal}"),
    (16, G, "{actor}> kill {target} {signal}"),
    (2, G, "{actor}> kill {target} {oddsignal}"),
    (8, G, "{actor}> signal {catchable} {action}"),
    (1, G, "{actor}> signal {oddsignal} {action}"),
    (6, G, "{actor}> sigmask {change} {catchable}"),
    (3, G, "{actor}> sigmask {change} {catchable},{signal}"),
    (1, G, "{actor}> sigmask set none"),
    (8, G, "{actor}> sigcount {catchable}"),
    (6, G, "{actor}> sigpending"),
    (6, G, "{actor}> setpgid {who} {who}"),
    (4, G, "{actor}> setsid"),
    (4, G, "{actor}> getpgid {who}"),
    (3, G, "{actor}> getsid {who}"),
    (6, G, "{actor}> killpg {who} {signal}"),
    (3, G, "{other}> setpgid 0 0"),
    // Somebody who sleeps, for a signal to wake.
    (2, G, "{actor}> socketpair {fd} {end} {type}"),
    (3, G, "{other}> recv {socket} 10"),
    (2, G, "{other}> send {socket} x"),
];
