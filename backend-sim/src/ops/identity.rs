//! Operations of `Processes` on the caller itself: ids, capabilities, limits, priority, umask, sessions.

use standin::backend::{
    AmbientChange, CapabilitySets, Credentials, GroupIds, PriorityOf, Rlimit, RlimitResource,
    UserIds,
};
use standin::id::Mode;
use standin::{
    Capability, CapabilitySet, Errno, Gid, KPath, KPathBuf, Pid, Securebits, Signal, Uid,
};

use super::operation::operation;
use crate::context;
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::{Name, ThreadKey, footing, identity, job, limit, priority};

/// Commits a change of the caller's credentials.
fn become_new(
    kernel: &mut Kernel,
    caller: ThreadKey,
    change: impl FnOnce(&crate::task::Credentials) -> Result<crate::task::Credentials, standin::Errno>,
) -> Step<()> {
    let new = change(kernel.credentials(caller))?;
    identity::commit(kernel, caller, new);
    Ok(())
}

/// Who the caller means by an id; `None` leaves one. EINVAL: nobody in its user namespace.
fn users(
    kernel: &Kernel,
    caller: ThreadKey,
    ids: [Option<Uid>; 3],
) -> Result<[Option<Uid>; 3], Errno> {
    let within = kernel.credentials(caller).namespace;
    let mut meant = ids;
    for id in meant.iter_mut().flatten() {
        *id = kernel.namespaces.meant_user(within, *id).ok_or(Errno::EINVAL)?;
    }
    Ok(meant)
}

/// The same of groups.
fn groups(
    kernel: &Kernel,
    caller: ThreadKey,
    ids: [Option<Gid>; 3],
) -> Result<[Option<Gid>; 3], Errno> {
    let within = kernel.credentials(caller).namespace;
    let mut meant = ids;
    for id in meant.iter_mut().flatten() {
        *id = kernel.namespaces.meant_group(within, *id).ok_or(Errno::EINVAL)?;
    }
    Ok(meant)
}

/// Who user 0 is in the caller's user namespace.
fn zero(kernel: &Kernel, caller: ThreadKey) -> Option<Uid> {
    kernel.namespaces.meant_user(kernel.credentials(caller).namespace, Uid::ROOT)
}

operation! {
    /// getresuid(2), getresgid(2), getgroups(2)
    GetCredentials {} = "credentials" -> Credentials: |_op, kernel, caller| {
        let own = kernel.credentials(caller);
        let all = &kernel.namespaces;
        let user = |id| all.told_user(own.namespace, id);
        let group = |id| all.told_group(own.namespace, id);
        Ok(Credentials {
            user: UserIds {
                real: user(own.user.real),
                effective: user(own.user.effective),
                saved: user(own.user.saved),
                filesystem: user(own.user.filesystem),
            },
            group: GroupIds {
                real: group(own.group.real),
                effective: group(own.group.effective),
                saved: group(own.group.saved),
                filesystem: group(own.group.filesystem),
            },
            groups: own.groups().iter().copied().map(group).collect(),
        })
    };

    /// setresuid(2)
    SetUserIds { real: Option<Uid>, effective: Option<Uid>, saved: Option<Uid> } = "set_user_ids" -> ():
    |op, kernel, caller| {
        let zero = zero(kernel, caller);
        let [real, effective, saved] = users(kernel, caller, [op.real, op.effective, op.saved])?;
        become_new(kernel, caller, |own| own.with_users(real, effective, saved, zero))
    };

    /// setresgid(2)
    SetGroupIds { real: Option<Gid>, effective: Option<Gid>, saved: Option<Gid> } = "set_group_ids" -> ():
    |op, kernel, caller| {
        let [real, effective, saved] = groups(kernel, caller, [op.real, op.effective, op.saved])?;
        become_new(kernel, caller, |own| own.with_group_ids(real, effective, saved))
    };

    /// setgroups(2)
    SetGroups<'a> { groups: &'a [Gid] } = "set_groups" -> (): |op, kernel, caller| {
        let new = kernel.credentials(caller).with_groups(&kernel.namespaces, op.groups)?;
        become_new(kernel, caller, |_| Ok(new))
    };

    /// setuid(2)
    SetUserId { uid: Uid } = "set_user_id" -> (): |op, kernel, caller| {
        let zero = zero(kernel, caller);
        let within = kernel.credentials(caller).namespace;
        let uid = kernel.namespaces.meant_user(within, op.uid).ok_or(Errno::EINVAL)?;
        become_new(kernel, caller, |own| own.with_user(uid, zero))
    };

    /// setgid(2)
    SetGroupId { gid: Gid } = "set_group_id" -> (): |op, kernel, caller| {
        let within = kernel.credentials(caller).namespace;
        let gid = kernel.namespaces.meant_group(within, op.gid).ok_or(Errno::EINVAL)?;
        become_new(kernel, caller, |own| own.with_group(gid))
    };

    /// capget(2) and the two sets that prctl(2) reads.
    GetCapabilities {} = "capabilities" -> CapabilitySets: |_op, kernel, caller| {
        Ok(kernel.credentials(caller).capabilities)
    };

    /// capset(2)
    SetCapabilities { effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet }
    = "set_capabilities" -> (): |op, kernel, caller| {
        context::is_unmasked(kernel, caller)?;
        become_new(kernel, caller, |own| own.with_capabilities(op.effective, op.permitted, op.inheritable))
    };

    /// `PR_CAPBSET_DROP`
    DropBounding { capability: Capability } = "drop_bounding" -> (): |op, kernel, caller| {
        context::is_unmasked(kernel, caller)?;
        become_new(kernel, caller, |own| own.without_bounding(op.capability))
    };

    /// `PR_CAP_AMBIENT`
    ChangeAmbient { change: AmbientChange } = "change_ambient" -> (): |op, kernel, caller| {
        become_new(kernel, caller, |own| own.with_ambient(op.change))
    };

    /// `PR_GET_SECUREBITS`
    GetSecurebits {} = "securebits" -> Securebits: |_op, kernel, caller| Ok(kernel.credentials(caller).securebits);

    /// `PR_SET_SECUREBITS`
    SetSecurebits { securebits: Securebits } = "set_securebits" -> (): |op, kernel, caller| {
        let release = kernel.profile.release;
        context::is_unmasked(kernel, caller)?;
        become_new(kernel, caller, |own| own.with_securebits(op.securebits, release))
    };

    /// `PR_SET_KEEPCAPS`
    SetKeepCapabilities { keep: bool } = "set_keep_capabilities" -> (): |op, kernel, caller| {
        become_new(kernel, caller, |own| own.with_keep_capabilities(op.keep))
    };

    /// `PR_GET_NO_NEW_PRIVS`
    NoNewPrivileges {} = "no_new_privileges" -> bool: |_op, kernel, caller| {
        Ok(kernel.credentials(caller).no_new_privileges)
    };

    /// `PR_SET_NO_NEW_PRIVS`
    SetNoNewPrivileges {} = "set_no_new_privileges" -> (): |_op, kernel, caller| {
        kernel.tasks.threads.at_mut(caller).credentials.no_new_privileges = true;
        Ok(())
    };

    /// `PR_SET_PDEATHSIG`
    SetParentDeathSignal { signal: Option<Signal> } = "set_parent_death_signal" -> (): |op, kernel, caller| {
        kernel.tasks.threads.at_mut(caller).parent_death = op.signal;
        Ok(())
    };

    /// `PR_GET_PDEATHSIG`
    ParentDeathSignal {} = "parent_death_signal" -> Option<Signal>: |_op, kernel, caller| {
        Ok(kernel.tasks.threads.at(caller).parent_death)
    };

    /// `PR_SET_NAME`
    SetName<'a> { name: &'a KPath } = "set_name" -> (): |op, kernel, caller| {
        kernel.tasks.threads.at_mut(caller).name = Name::new(op.name.as_bytes());
        Ok(())
    };

    /// `PR_GET_NAME`
    GetName {} = "name" -> KPathBuf: |_op, kernel, caller| {
        Ok(KPathBuf::new(kernel.tasks.threads.at(caller).name.to_vec()).unwrap_or_default())
    };

    /// prlimit(2), reading.
    GetLimit { process: u32, resource: RlimitResource } = "rlimit" -> Rlimit: |op, kernel, caller| {
        Ok(limit::read(kernel, caller, op.process, op.resource)?)
    };

    /// prlimit(2), setting.
    SetLimit { process: u32, resource: RlimitResource, limit: Rlimit } = "set_rlimit" -> (): |op, kernel, caller| {
        Ok(limit::write(kernel, caller, op.process, op.resource, op.limit)?)
    };

    /// getpriority(2)
    GetPriority { of: PriorityOf } = "priority" -> i32: |op, kernel, caller| Ok(priority::read(kernel, caller, op.of)?);

    /// setpriority(2)
    SetPriority { of: PriorityOf, nice: i32 } = "set_priority" -> (): |op, kernel, caller| {
        Ok(priority::write(kernel, caller, op.of, op.nice)?)
    };

    /// umask(2)
    SetUmask { mask: Mode } = "set_umask" -> Mode: |op, kernel, caller| {
        let mask = Mode::new(op.mask.bits() & 0o777);
        Ok(footing::set_umask(kernel, caller, mask))
    };

    /// setsid(2)
    SetSession {} = "set_session" -> Pid: |_op, kernel, caller| Ok(Pid(job::set_session(kernel, caller)?));

    /// getsid(2)
    GetSession { process: u32 } = "session" -> Pid: |op, kernel, caller| {
        let process = kernel.named(caller, op.process)?;
        Ok(Pid(kernel.number_for(caller, kernel.tasks.job_of(process).session)))
    };

    /// setpgid(2)
    SetProcessGroup { process: u32, group: u32 } = "set_process_group" -> (): |op, kernel, caller| {
        Ok(job::set_process_group(kernel, caller, op.process, op.group)?)
    };

    /// getpgid(2)
    GetProcessGroup { process: u32 } = "process_group" -> Pid: |op, kernel, caller| {
        let process = kernel.named(caller, op.process)?;
        Ok(Pid(kernel.number_for(caller, kernel.tasks.job_of(process).number)))
    };
}
