//! The `Processes` trait of a view: handles become numbers of the process's table, numbers become handles.

use std::time::Duration;

use standin::backend::{
    AmbientChange, CapabilitySets, Credentials, Delivery, PriorityOf, ProcessInfo, Processes,
    Rlimit, RlimitResource, Spawn, WaitOptions, WaitStatus,
};
use standin::handle::PidHandle;
use standin::id::{Bytes, Mode};
use standin::{
    Capability, CapabilitySet, ExitCode, Failure, Gid, KPath, KPathBuf, Pid, Securebits, Signal,
    SignalSet, Tid, Uid,
};

use crate::cgroup::memory::Charging;
use crate::ops::{identity, processes, signals};
use crate::run;
use crate::task::exec::Program;
use crate::view::View;

type Result<T> = std::result::Result<T, Failure>;

/// A process number of the caller's choice, 0 for itself.
fn or_self(process: Option<Pid>) -> u32 {
    process.map_or(0, |pid| pid.0)
}

impl View {
    fn number(&self, handle: &PidHandle) -> Result<u32> {
        handle.descriptor().number_in(self.scope())
    }

    /// `PR_SET_DUMPABLE`: what changed its credentials does not hide it from its user.
    #[cfg(feature = "transcript")]
    pub(crate) fn stay_dumpable(&self) {
        let mut kernel = self.inner.shared().lock();
        if kernel.tasks.is_alive(self.thread()) {
            kernel.process_mut(self.thread()).dumpable = true;
        }
    }

    /// Whether a program of the machine stands at this path.
    fn knows(&self, path: &KPath) -> bool {
        self.inner.shared().programs.lock().get(path).is_some()
    }
}

impl Processes for View {
    fn spawn(&self, spawn: &Spawn<'_>) -> Result<PidHandle> {
        let scope = self.scope();
        let descriptors =
            spawn.descriptors.iter().map(|pair| Ok((pair.from.number_in(scope)?, pair.to)));
        let number = self.carry(processes::Spawn {
            program: Program {
                path: spawn.path,
                arguments: spawn.arguments,
                environment: spawn.environment,
                known: self.knows(spawn.path),
            },
            cgroup: spawn.cgroup.map(|dir| dir.descriptor().number_in(scope)).transpose()?,
            descriptors: descriptors.collect::<Result<_>>()?,
            credentials: spawn.credentials,
            limits: spawn.limits,
            directory: spawn.directory.map(|dir| dir.descriptor().number_in(scope)).transpose()?,
            session: spawn.session,
            parent_death: spawn.parent_death,
            join: spawn
                .join
                .map(|(process, kinds)| Ok::<_, Failure>((self.number(process)?, kinds)))
                .transpose()?,
            new: spawn.namespaces,
        })?;
        Ok(self.handle(number).into())
    }

    fn exec(&self, path: &KPath, arguments: &[&[u8]], environment: &[&[u8]]) -> Result<()> {
        let program = Program { path, arguments, environment, known: self.knows(path) };
        self.carry(processes::Exec { program })?;
        // What called is no more: its stack is left if it has one, and from outside it is told so.
        run::leave_for_good(self.inner.shared().id, self.thread());
        Err(Failure::CallerDied)
    }

    fn exit(&self, code: ExitCode) -> Result<()> {
        self.carry(processes::Exit { code })
    }

    fn open_pid(&self, pid: Pid) -> Result<PidHandle> {
        Ok(self.handle(self.carry(processes::OpenPid { pid })?).into())
    }

    fn signal(&self, process: &PidHandle, signal: Option<Signal>) -> Result<()> {
        self.carry(processes::SendSignal { process: self.number(process)?, signal })
    }

    fn signal_group(&self, group: Option<Pid>, signal: Option<Signal>) -> Result<()> {
        self.carry(processes::SignalGroup { group: or_self(group), signal })
    }

    fn wait(&self, process: &PidHandle, options: WaitOptions) -> Result<Option<WaitStatus>> {
        self.carry(processes::WaitFor { process: self.number(process)?, options })
    }

    fn wait_any(&self, options: WaitOptions) -> Result<Option<(Pid, WaitStatus)>> {
        self.carry(processes::WaitAny { options })
    }

    fn attach(&self, pid: Pid) -> Result<()> {
        self.carry(processes::Attach { pid })
    }

    fn processes(&self) -> Result<Vec<Pid>> {
        self.carry(processes::ListProcesses {})
    }

    fn inspect(&self, process: &PidHandle) -> Result<ProcessInfo> {
        self.carry(processes::Inspect { process: self.number(process)? })
    }

    fn pid(&self) -> Result<Pid> {
        self.carry(processes::GetPid {})
    }

    fn tid(&self) -> Result<Tid> {
        self.carry(processes::GetTid {})
    }

    fn parent(&self) -> Result<Pid> {
        self.carry(processes::GetParent {})
    }

    fn credentials(&self) -> Result<Credentials> {
        self.carry(identity::GetCredentials {})
    }

    fn set_user_ids(
        &self,
        real: Option<Uid>,
        effective: Option<Uid>,
        saved: Option<Uid>,
    ) -> Result<()> {
        self.carry(identity::SetUserIds { real, effective, saved })
    }

    fn set_group_ids(
        &self,
        real: Option<Gid>,
        effective: Option<Gid>,
        saved: Option<Gid>,
    ) -> Result<()> {
        self.carry(identity::SetGroupIds { real, effective, saved })
    }

    fn set_groups(&self, groups: &[Gid]) -> Result<()> {
        self.carry(identity::SetGroups { groups })
    }

    fn set_user_id(&self, uid: Uid) -> Result<()> {
        self.carry(identity::SetUserId { uid })
    }

    fn set_group_id(&self, gid: Gid) -> Result<()> {
        self.carry(identity::SetGroupId { gid })
    }

    fn capabilities(&self) -> Result<CapabilitySets> {
        self.carry(identity::GetCapabilities {})
    }

    fn set_capabilities(
        &self,
        effective: CapabilitySet,
        permitted: CapabilitySet,
        inheritable: CapabilitySet,
    ) -> Result<()> {
        self.carry(identity::SetCapabilities { effective, permitted, inheritable })
    }

    fn drop_bounding(&self, capability: Capability) -> Result<()> {
        self.carry(identity::DropBounding { capability })
    }

    fn change_ambient(&self, change: AmbientChange) -> Result<()> {
        self.carry(identity::ChangeAmbient { change })
    }

    fn securebits(&self) -> Result<Securebits> {
        self.carry(identity::GetSecurebits {})
    }

    fn set_securebits(&self, securebits: Securebits) -> Result<()> {
        self.carry(identity::SetSecurebits { securebits })
    }

    fn keep_capabilities(&self) -> Result<bool> {
        Ok(self.securebits()?.contains(Securebits::KEEP_CAPS))
    }

    fn set_keep_capabilities(&self, keep: bool) -> Result<()> {
        self.carry(identity::SetKeepCapabilities { keep })
    }

    fn no_new_privileges(&self) -> Result<bool> {
        self.carry(identity::NoNewPrivileges {})
    }

    fn set_no_new_privileges(&self) -> Result<()> {
        self.carry(identity::SetNoNewPrivileges {})
    }

    fn set_subreaper(&self, subreaper: bool) -> Result<()> {
        self.carry(processes::SetSubreaper { subreaper })
    }

    fn use_memory(&self, amount: Bytes) -> Result<()> {
        self.carry(processes::UseMemory { amount, charging: Charging::default() })
    }

    fn use_processor(&self, time: Duration) -> Result<()> {
        self.carry(processes::UseProcessor { time, begun: false })
    }

    fn release_memory(&self) -> Result<()> {
        self.carry(processes::ReleaseMemory {})
    }

    fn set_parent_death_signal(&self, signal: Option<Signal>) -> Result<()> {
        self.carry(identity::SetParentDeathSignal { signal })
    }

    fn parent_death_signal(&self) -> Result<Option<Signal>> {
        self.carry(identity::ParentDeathSignal {})
    }

    fn set_name(&self, name: &KPath) -> Result<()> {
        self.carry(identity::SetName { name })
    }

    fn name(&self) -> Result<KPathBuf> {
        self.carry(identity::GetName {})
    }

    fn rlimit(&self, process: Option<Pid>, resource: RlimitResource) -> Result<Rlimit> {
        self.carry(identity::GetLimit { process: or_self(process), resource })
    }

    fn set_rlimit(
        &self,
        process: Option<Pid>,
        resource: RlimitResource,
        limit: Rlimit,
    ) -> Result<()> {
        self.carry(identity::SetLimit { process: or_self(process), resource, limit })
    }

    fn priority(&self, of: PriorityOf) -> Result<i32> {
        self.carry(identity::GetPriority { of })
    }

    fn set_priority(&self, of: PriorityOf, nice: i32) -> Result<()> {
        self.carry(identity::SetPriority { of, nice })
    }

    fn set_umask(&self, mask: Mode) -> Result<Mode> {
        self.carry(identity::SetUmask { mask })
    }

    fn set_session(&self) -> Result<Pid> {
        self.carry(identity::SetSession {})
    }

    fn session(&self, process: Option<Pid>) -> Result<Pid> {
        self.carry(identity::GetSession { process: or_self(process) })
    }

    fn set_process_group(&self, process: Option<Pid>, group: Option<Pid>) -> Result<()> {
        self.carry(identity::SetProcessGroup { process: or_self(process), group: or_self(group) })
    }

    fn process_group(&self, process: Option<Pid>) -> Result<Pid> {
        self.carry(identity::GetProcessGroup { process: or_self(process) })
    }

    fn set_delivery(&self, signal: Signal, delivery: Delivery) -> Result<()> {
        self.carry(signals::SetDelivery { signal, delivery })
    }

    fn take_deliveries(&self, signal: Signal) -> Result<u64> {
        self.carry(signals::TakeDeliveries { signal })
    }

    fn signal_mask(&self) -> Result<SignalSet> {
        self.carry(signals::GetMask {})
    }

    fn set_signal_mask(&self, mask: SignalSet) -> Result<()> {
        self.carry(signals::SetMask { mask })
    }

    fn pending_signals(&self) -> Result<SignalSet> {
        self.carry(signals::Pending {})
    }
}
