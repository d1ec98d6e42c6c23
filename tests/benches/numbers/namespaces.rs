//! Namespaces made and joined. The host's own process does it, since an agent would be measured with it: it goes back at the end.

#![expect(
    unsafe_code,
    reason = "namespaces of the caller itself are no call of a backend on a real kernel"
)]

use std::fs::File;
use std::os::fd::AsRawFd;

use standin::backend::{NamespaceKinds, Namespaces, Processes};
use standin_sim::Machine;

use crate::measure::{Row, each};
use crate::rows::path;

/// unshare(2) with sethostname(2), and setns(2) by process handle; on this host too if it may be used.
pub(crate) fn all(on_host: bool, print: &mut dyn FnMut(&Row)) {
    let machine = Machine::builder().build();
    let (root, other) = (machine.root(), machine.root().fork().unwrap());
    let unshare = each(2_000, || {
        root.unshare(NamespaceKinds::UTS).unwrap();
        root.set_hostname(path("standin")).unwrap();
    });
    let handle = root.open_pid(other.pid().unwrap()).unwrap();
    let join = each(2_000, || root.join(&handle, NamespaceKinds::UTS).unwrap());
    let host = on_host.then(host);
    for (what, floor_ns, goal_ns, machine_ns, host_ns) in [
        ("unshare + sethostname", 200.0, 100.0, unshare, host.map(|both| both.0)),
        ("setns by process handle", 100.0, 60.0, join, host.map(|both| both.1)),
    ] {
        let what = what.to_owned();
        print(&Row { what, floor_ns, goal_ns, machine_ns, host_ns, directory_ns: None });
    }
}

fn host() -> (f64, f64) {
    let home = File::open("/proc/self/ns/uts").unwrap();
    let name = b"standin";
    let unshare = each(500, || {
        // SAFETY: no memory is handed over.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWUTS) }, 0);
        // SAFETY: the name is as long as is said. The namespace is our own.
        assert_eq!(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }, 0);
    });
    let join = || {
        // SAFETY: no memory is handed over, and the descriptor is open.
        assert_eq!(unsafe { libc::setns(home.as_raw_fd(), libc::CLONE_NEWUTS) }, 0);
    };
    (unshare, each(500, join))
}
