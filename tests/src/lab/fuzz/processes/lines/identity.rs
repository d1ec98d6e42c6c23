//! Users, groups, capabilities, and what they are asked for.

use super::super::theme::{I, IF, IN};
use super::Lines;

pub(super) const LINES: Lines = &[
    (10, IN, "{actor}> ids"),
    (10, IN, "{actor}> caps"),
    (4, IN, "{actor}> setresuid {id} {id} {id}"),
    (4, IN, "{actor}> setresgid {id} {id} {id}"),
    (6, I, "{actor}> setresuid {id} {id} {id}"),
    (3, I, "{actor}> setresgid {id} {id} {id}"),
    (4, IN, "{actor}> setuid {id}"),
    (3, IN, "{actor}> setgid {id}"),
    (4, IN, "{actor}> setid {uid}:{uid}"),
    (4, IN, "{actor}> grouplist {groups}"),
    (4, I, "{actor}> capset inh {capability} {switch}"),
    (3, I, "{actor}> capset prm {capability} {switch}"),
    (6, I, "{actor}> capset eff {capability} {switch}"),
    (3, I, "{actor}> capset bnd {capability} off"),
    (4, I, "{actor}> capset amb {capability} {switch}"),
    (1, I, "{actor}> capset amb all off"),
    (3, IN, "{actor}> capdrop {capability}"),
    (3, I, "{actor}> prctl keepcaps {bit}"),
    (1, I, "{actor}> prctl keepcaps"),
    (2, I, "{actor}> prctl no_new_privs {bit}"),
    (1, I, "{actor}> prctl no_new_privs"),
    (4, I, "{actor}> prctl securebits {securebits}"),
    (1, I, "{actor}> prctl securebits"),
    (2, I, "{actor}> umask {mode}"),
    (2, I, "{actor}> unshare user"),
    // What is asked for them.
    (4, IF, "{actor}> chown {name} {owner}"),
    (4, IF, "{actor}> chmod {name} {mode}"),
    (3, IF, "{actor}> stat {name}"),
    (3, IF, "{actor}> create {name}"),
    (2, IF, "{actor}> access {name} {access}"),
    (2, IF, "{actor}> write {name} {text}"),
    (2, I, "{actor}> kill {target} 0"),
    (1, I, "{actor}> unlink {name}"),
    (1, I, "{actor}> xset {name} {attribute} {text}"),
];
