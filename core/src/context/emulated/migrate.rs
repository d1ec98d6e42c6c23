//! Moving into a context.

use super::group::{Group, Held};
use super::record::{Init, Record};
use super::{Emulated, Result, to};
use crate::backend::{ContextFlags, MigrateFlags, OpenOptions};
use crate::capability::CapabilitySet;
use crate::context::{ContextId, Refusal};

impl Emulated<'_> {
    /// Moves the caller's process into a context.
    pub(in crate::context) fn migrate(&self, id: ContextId, flags: MigrateFlags) -> Result<()> {
        let root = self.enter_as_host()?;
        let Held { group, record } = self.hold(&root, id)?.ok_or(Refusal::NotFound)?;
        let private =
            record.has(ContextFlags::INFO_PRIVATE) && !record.has(ContextFlags::STATE_SETUP);
        if !record.has(ContextFlags::STATE_ADMIN) || private {
            return Err(Refusal::Sealed.into());
        }
        let init =
            if flags.contains(MigrateFlags::SET_INIT) { Some(self.as_init()?) } else { None };
        let reaper = flags.contains(MigrateFlags::SET_REAPER);
        if reaper {
            to("become a reaper", self.kernel.set_subreaper(true))?;
        }
        let moved = self.move_in(&group, &record);
        if moved.is_err() && reaper {
            to("be a reaper no more", self.kernel.set_subreaper(false))?;
        }
        moved?;
        if let Some(init) = init {
            let flags = record.flags.difference(ContextFlags::STATE_INIT);
            group.write_record(&Record { flags, init: Some(init), ..record })?;
        }
        Ok(())
    }

    /// The caller's process, as a record names it.
    fn as_init(&self) -> Result<Init> {
        let pid = to("ask for the own number", self.kernel.pid())?;
        let own = to("hold the own process", self.kernel.open_pid(pid))?;
        let info = to("inspect the own process", self.kernel.inspect(&own))?;
        Ok(Init { pid, started_ticks: info.started_ticks })
    }

    /// Moves the caller's process into a group, with no more capabilities than the context allows. They go first: should
    /// the move be refused, the caller is left with less, and not inside with more.
    pub(super) fn move_in(&self, group: &Group<'_>, record: &Record) -> Result<()> {
        let procs = group.open_file("cgroup.procs", &OpenOptions::write());
        let procs = to("open its cgroup.procs", procs)?;
        self.cut(record.allowed())?;
        to("move into its group", self.kernel.write(&procs, b"0")).map(drop)
    }

    fn cut(&self, allowed: CapabilitySet) -> Result<()> {
        let own = to("ask for the own capabilities", self.kernel.capabilities())?;
        for capability in own.bounding.difference(allowed) {
            to("drop a capability", self.kernel.drop_bounding(capability))?;
        }
        let kept = [own.effective, own.permitted, own.inheritable];
        if kept.iter().all(|set| allowed.contains_all(*set)) {
            return Ok(());
        }
        let [effective, permitted, inheritable] = kept.map(|set| set.intersection(allowed));
        let cut = self.kernel.set_capabilities(effective, permitted, inheritable);
        to("drop capabilities", cut)
    }
}
