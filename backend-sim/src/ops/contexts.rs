//! Operations of `Contexts`.

use standin::backend::{ContextFlags, MigrateFlags};
use standin::id::Xid;
use standin::{Pid, Signal};

use super::operation::operation;
use crate::context;

operation! {
    /// `vx_create`
    Create { xid: Xid, flags: ContextFlags } = "create" -> (): |op, kernel, caller| {
        context::create(kernel, caller, op.xid, op.flags)
    };

    /// `vx_migrate`
    Migrate { xid: Xid, flags: MigrateFlags } = "migrate" -> (): |op, kernel, caller| {
        context::migrate(kernel, caller, op.xid, op.flags)
    };

    /// `vx_task_xid`
    TaskXid { pid: Option<Pid> } = "task_xid" -> Xid: |op, kernel, caller| {
        context::task_xid(kernel, caller, op.pid)
    };

    /// `vx_kill`
    Kill { xid: Xid, pid: i32, signal: Option<Signal> } = "kill" -> (): |op, kernel, caller| {
        context::kill(kernel, caller, op.xid, op.pid, op.signal)
    };
}
