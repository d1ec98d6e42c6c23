//! [`Processes`] on the running kernel.

pub(crate) mod child;
pub(crate) mod clone;
pub(crate) mod identity;
pub(crate) mod inspect;
pub(crate) mod limits;
pub(crate) mod prctl;
pub(crate) mod signals;
pub(crate) mod spawn;
mod trace;
pub(crate) mod wait;

use std::time::Duration;

use standin::backend::{
    AmbientChange, CapabilitySets, Credentials, Delivery, PriorityOf, ProcessInfo, Processes,
    Rlimit, RlimitResource, Spawn, WaitOptions, WaitStatus,
};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::failure::Result;
use standin::handle::PidHandle;
use standin::id::{Bytes, ExitCode, Gid, Mode, Pid, Tid, Uid};
use standin::path::{KPath, KPathBuf};
use standin::signal::{Signal, SignalSet};

use crate::agent::children;
use crate::view::Linux;

const PROGRAM: &str = "it would end or replace the whole program; use Linux::agent";
const IDENTITY: &str = "threads of the program would have different rights; start a process with \
    Spawn::credentials, or use Linux::agent";
const ATTRIBUTE: &str = "it would change the program for all its parts; use Linux::agent";

impl Processes for Linux {
    fn spawn(&self, spawn: &Spawn<'_>) -> Result<PidHandle> {
        Ok(self.give(spawn::spawn(spawn)?))
    }

    fn exec(&self, path: &KPath, arguments: &[&[u8]], environment: &[&[u8]]) -> Result<()> {
        self.may_change_itself(PROGRAM)?;
        spawn::exec(path, arguments, environment)
    }

    fn exit(&self, code: ExitCode) -> Result<()> {
        self.may_change_itself(PROGRAM)?;
        child::leave(code.0)
    }

    fn open_pid(&self, pid: Pid) -> Result<PidHandle> {
        Ok(self.give(identity::open_pid(pid)?))
    }

    fn signal(&self, process: &PidHandle, signal: Option<Signal>) -> Result<()> {
        signals::signal(process, signal)
    }

    fn signal_group(&self, group: Option<Pid>, signal: Option<Signal>) -> Result<()> {
        signals::signal_group(group, signal)
    }

    fn wait(&self, process: &PidHandle, options: WaitOptions) -> Result<Option<WaitStatus>> {
        wait::wait(process, options)
    }

    fn wait_any(&self, options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>> {
        if self.is_shared() {
            children::wait_any(options)
        } else {
            wait::wait_for(&wait::Whom::Any, options)
        }
    }

    fn attach(&self, pid: Pid) -> Result<()> {
        trace::attach(pid)
    }

    fn processes(&self) -> Result<Vec<Pid>> {
        inspect::processes()
    }

    fn inspect(&self, process: &PidHandle) -> Result<ProcessInfo> {
        inspect::inspect(process)
    }

    fn pid(&self) -> Result<Pid> {
        identity::pid()
    }

    fn tid(&self) -> Result<Tid> {
        identity::tid().map(|pid| Tid(pid.0))
    }

    fn parent(&self) -> Result<Pid> {
        identity::parent()
    }

    fn credentials(&self) -> Result<Credentials> {
        identity::credentials()
    }

    fn set_user_ids(
        &self,
        real: Option<Uid>,
        effective: Option<Uid>,
        saved: Option<Uid>,
    ) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        identity::set_user_ids([real, effective, saved])
    }

    fn set_group_ids(
        &self,
        real: Option<Gid>,
        effective: Option<Gid>,
        saved: Option<Gid>,
    ) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        identity::set_group_ids([real, effective, saved])
    }

    fn set_groups(&self, groups: &[Gid]) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        identity::set_groups(groups)
    }

    fn set_user_id(&self, uid: Uid) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        identity::set_user_id(uid)
    }

    fn set_group_id(&self, gid: Gid) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        identity::set_group_id(gid)
    }

    fn capabilities(&self) -> Result<CapabilitySets> {
        prctl::capabilities()
    }

    fn set_capabilities(
        &self,
        effective: CapabilitySet,
        permitted: CapabilitySet,
        inheritable: CapabilitySet,
    ) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::set_capabilities(effective, permitted, inheritable)
    }

    fn drop_bounding(&self, capability: Capability) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::drop_bounding(capability)
    }

    fn change_ambient(&self, change: AmbientChange) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::change_ambient(change)
    }

    fn securebits(&self) -> Result<Securebits> {
        prctl::securebits()
    }

    fn set_securebits(&self, securebits: Securebits) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::set_securebits(securebits)
    }

    fn keep_capabilities(&self) -> Result<bool> {
        prctl::keep_capabilities()
    }

    fn set_keep_capabilities(&self, keep: bool) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::set_keep_capabilities(keep)
    }

    fn no_new_privileges(&self) -> Result<bool> {
        prctl::no_new_privileges()
    }

    fn set_no_new_privileges(&self) -> Result<()> {
        self.may_change_itself(IDENTITY)?;
        prctl::set_no_new_privileges()
    }

    fn set_subreaper(&self, subreaper: bool) -> Result<()> {
        self.may_change_itself(ATTRIBUTE)?;
        prctl::set_subreaper(subreaper)
    }

    fn set_parent_death_signal(&self, signal: Option<Signal>) -> Result<()> {
        self.may_change_itself(ATTRIBUTE)?;
        prctl::set_parent_death_signal(signal)
    }

    fn parent_death_signal(&self) -> Result<Option<Signal>> {
        prctl::parent_death_signal()
    }

    fn set_name(&self, name: &KPath) -> Result<()> {
        self.may_change_itself(ATTRIBUTE)?;
        prctl::set_name(name)
    }

    fn name(&self) -> Result<KPathBuf> {
        prctl::name()
    }

    fn rlimit(&self, process: Option<Pid>, resource: RlimitResource) -> Result<Rlimit> {
        limits::rlimit(process, resource)
    }

    fn set_rlimit(
        &self,
        process: Option<Pid>,
        resource: RlimitResource,
        limit: Rlimit,
    ) -> Result<()> {
        if process.is_none() {
            self.may_change_itself(ATTRIBUTE)?;
        }
        limits::set_rlimit(process, resource, limit)
    }

    fn priority(&self, of: PriorityOf) -> Result<i32> {
        limits::priority(of)
    }

    fn set_priority(&self, of: PriorityOf, nice: i32) -> Result<()> {
        if of == PriorityOf::Process(None) {
            self.may_change_itself(ATTRIBUTE)?;
        }
        limits::set_priority(of, nice)
    }

    fn set_umask(&self, mask: Mode) -> Result<Mode> {
        self.may_change_itself(ATTRIBUTE)?;
        Ok(limits::set_umask(mask))
    }

    fn set_session(&self) -> Result<Pid> {
        self.may_change_itself(ATTRIBUTE)?;
        identity::set_session()
    }

    fn session(&self, process: Option<Pid>) -> Result<Pid> {
        identity::session(process)
    }

    fn set_process_group(&self, process: Option<Pid>, group: Option<Pid>) -> Result<()> {
        if process.is_none() {
            self.may_change_itself(ATTRIBUTE)?;
        }
        identity::set_process_group(process, group)
    }

    fn process_group(&self, process: Option<Pid>) -> Result<Pid> {
        identity::process_group(process)
    }

    fn set_delivery(&self, signal: Signal, delivery: Delivery) -> Result<()> {
        self.may_change_itself(ATTRIBUTE)?;
        signals::set_delivery(signal, delivery)
    }

    fn take_deliveries(&self, signal: Signal) -> Result<u64> {
        Ok(signals::take_deliveries(signal))
    }

    fn signal_mask(&self) -> Result<SignalSet> {
        signals::mask()
    }

    fn set_signal_mask(&self, mask: SignalSet) -> Result<()> {
        self.may_change_itself(ATTRIBUTE)?;
        signals::set_mask(mask)
    }

    fn pending_signals(&self) -> Result<SignalSet> {
        signals::pending()
    }

    fn use_memory(&self, amount: Bytes) -> Result<()> {
        limits::use_memory(amount)
    }

    fn release_memory(&self) -> Result<()> {
        limits::release_memory()
    }

    fn use_processor(&self, time: Duration) -> Result<()> {
        limits::use_processor(time);
        Ok(())
    }
}
