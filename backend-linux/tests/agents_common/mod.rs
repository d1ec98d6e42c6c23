//! What the suite of agents needs besides its tests: their list by name, and who may run them.

use standin::Uid;
use standin::backend::{Processes, WaitOptions, WaitStatus};
use standin::handle::PidHandle;
use standin::path::KPathBuf;
use standin_linux::Linux;

/// Each test by its name.
macro_rules! trials {
    ($($name:ident)*) => {
        vec![$(Trial::test(stringify!($name), || {
            $name();
            Ok(())
        })),*]
    };
}

/// Whether the test can do what only root may; says so if not.
pub(crate) fn is_root() -> bool {
    let root = Linux::here().credentials().unwrap().user.effective == Uid::ROOT;
    if !root {
        println!("skipped: needs root");
    }
    root
}

/// A path of a test.
pub(crate) fn path(text: &str) -> KPathBuf {
    KPathBuf::new(text).unwrap()
}

/// How a child of the program ended.
pub(crate) fn wait(child: &PidHandle) -> WaitStatus {
    Linux::here().wait(child, WaitOptions::default()).unwrap().unwrap()
}
