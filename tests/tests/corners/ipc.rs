//! Pacemaker's daemon IPC: one exchange, and everything that can go wrong in it, between two processes of a machine and
//! between two of this host; and with Debian's Pacemaker at the other end.

use std::fs;

use crate::Corner;

mod debian;
mod exchange;
mod hostile_client;
mod hostile_server;
mod pair;
mod raw;

pub(crate) fn corners() -> Vec<Corner> {
    let corner = |name, missing, show: fn()| Corner { name, missing, show };
    vec![
        corner("ipc: two programs of a machine connect, ask, answer and part", None, || {
            pair::on_a_machine(&exchange::pairs());
        }),
        corner("ipc: a machine's clients and servers get over each other's faults", None, || {
            pair::on_a_machine(&hostile_client::pairs());
            pair::on_a_machine(&hostile_server::pairs());
        }),
        corner("ipc: two views of this host connect, ask, answer and part", no_memory(), || {
            pair::on_this_host(&exchange::pairs());
        }),
        corner(
            "ipc: this host's clients and servers get over each other's faults",
            no_memory(),
            || {
                pair::on_this_host(&hostile_client::pairs());
                pair::on_this_host(&hostile_server::pairs());
            },
        ),
        corner("ipc: Debian's crmadmin -P is answered", debian::no_crmadmin(), debian::crmadmin),
        corner(
            "ipc: Debian's pacemaker-schedulerd calculates for us",
            debian::no_scheduler(),
            debian::scheduler,
        ),
        corner(
            "ipc: Debian's pacemaker-based registers us and tells its configuration",
            debian::no_cib_manager(),
            debian::cib_manager,
        ),
    ]
}

/// Why rings cannot be made here.
fn no_memory() -> Option<String> {
    fs::metadata("/dev/shm").err().map(|error| format!("/dev/shm: {error}"))
}
