//! Which children of this process are agents: nobody else's business.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use standin::backend::{WaitOptions, WaitStatus};
use standin::failure::Result;
use standin::id::Pid;

use crate::processes::wait::{Whom, wait_for};

static AGENTS: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());

/// waitid(2) for whichever child is first, agents apart.
pub(crate) fn wait_any(options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>> {
    loop {
        if AGENTS.lock().is_empty() {
            return wait_for(&Whom::Any, options);
        }
        let look = WaitOptions { keep: true, ..options };
        let Some((pid, status)) = wait_for(&Whom::Any, look)? else { return Ok(None) };
        if AGENTS.lock().remove(&pid) {
            wait_for(&Whom::Number(pid.0), WaitOptions { nonblocking: true, ..options })?;
        } else if options.keep {
            return Ok(Some((pid, status)));
        } else {
            return wait_for(&Whom::Number(pid.0), options);
        }
    }
}
