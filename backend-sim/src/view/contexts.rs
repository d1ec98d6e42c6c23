//! The `Contexts` trait of a view of a machine that has the patch. What is not here is not modelled.

use standin::backend::{ContextFlags, ContextWait, Contexts, MigrateFlags};
use standin::id::Xid;
use standin::{Failure, Pid, Signal};

use crate::context::WaitContext;
use crate::ops::contexts::{Create, Kill, Migrate, TaskXid};
use crate::view::View;

impl Contexts for View {
    fn create(&self, xid: Xid, flags: ContextFlags) -> Result<(), Failure> {
        self.carry(Create { xid, flags })
    }

    fn migrate(&self, xid: Xid, flags: MigrateFlags) -> Result<(), Failure> {
        self.carry(Migrate { xid, flags })
    }

    fn task_xid(&self, pid: Option<Pid>) -> Result<Xid, Failure> {
        self.carry(TaskXid { pid })
    }

    fn kill(&self, xid: Xid, pid: i32, signal: Option<Signal>) -> Result<(), Failure> {
        self.carry(Kill { xid, pid, signal })
    }

    fn wait_context(&self, xid: Xid) -> Result<ContextWait, Failure> {
        self.carry(WaitContext::new(xid))
    }
}
