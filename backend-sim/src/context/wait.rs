//! Waiting for the end of a context.

use std::sync::{Arc, OnceLock};

use standin::backend::ContextWait;
use standin::id::Xid;

use super::ContextKey;
use super::gate::{self, Command};
use crate::door::Operation;
use crate::kernel::Kernel;
use crate::step::{Step, Wait};
use crate::task::ThreadKey;
use crate::trace::{Parts, Show as _};
use crate::wait::Channel;

/// The command. Once it has found its context it waits for that one, whatever becomes of the id.
pub(crate) struct WaitContext {
    pub(crate) xid: Xid,
    found: Option<(ContextKey, Arc<OnceLock<ContextWait>>)>,
}

impl WaitContext {
    pub(crate) const fn new(xid: Xid) -> Self {
        Self { xid, found: None }
    }
}

impl Operation for WaitContext {
    type Answer = ContextWait;
    const NAME: &'static str = "wait_context";

    fn show(&self, parts: &mut Parts) {
        self.xid.add("xid", parts);
    }

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<ContextWait> {
        if let Some((key, end)) = &self.found {
            return match end.get() {
                Some(end) => Ok(*end),
                None => Err(Wait::on(Channel::Context(*key)).into()),
            };
        }
        gate::may(kernel, caller, Command::Open)?;
        let key = gate::target(kernel, caller, self.xid)?;
        // Of the record that is this machine's own: a snapshot may have shared it.
        self.found = Some((key, kernel.contexts.table.at_mut(key).end.held()));
        Err(Wait::on(Channel::Context(key)).into())
    }
}
