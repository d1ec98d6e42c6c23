//! Linux-VServer contexts: the commands of a patched kernel, as that kernel has them.
//!
//! The library `standin::context` is built on this where it exists, and on the other traits where it does not.

use bitflags::bitflags;

use crate::backend::Fallback;
use crate::capability::CapabilitySet;
use crate::failure::Result;
use crate::id::{Pid, Xid};
use crate::signal::Signal;

/// `CAP_CONTEXT`, which the context commands ask for. The first patches had it as bit 31, which mainline gave to
/// `CAP_SETFCAP`; here it is bit 63, as in the later ones, and in no set of a kernel without the patch.
pub const CONTEXT_CAPABILITY: CapabilitySet = CapabilitySet::from_bits(1 << 63);

macro_rules! commands {
    ($($(#[$doc:meta])* fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $answer:ty;)*) => {
        /// The context commands. Each first asks for the capabilities and the standing of the caller: ENOSYS without
        /// `CAP_CONTEXT`, EPERM without `CAP_SYS_ADMIN` and, for those that change a context, without
        /// `CAP_SYS_RESOURCE` or from inside a context, ESRCH for a context that is not there, EACCES for one that
        /// cannot be administered any more.
        ///
        /// Where a context is named, an id with the highest bit set is the caller's own.
        #[expect(clippy::missing_errors_doc, reason = "the errnos are told once, for all commands")]
        pub trait Contexts: Fallback {$(
            $(#[$doc])*
            fn $name(&self $(, $arg: $type)*) -> Result<$answer> {
                $(let _ = $arg;)*
                Err(self.not_modelled(concat!("vx_", stringify!($name))))
            }
        )*}
    };
}

commands! {
    /// Makes a context and moves the calling task into it. EINVAL for an id that no context can have; EBUSY if the id is
    /// that of a context under construction, EEXIST if it is another's; EACCES for `INFO_PRIVATE` without `STATE_SETUP`.
    fn create(&self, xid: Xid, flags: ContextFlags) -> ();
    /// Moves the calling task into a context, for good. EACCES if it may not be entered. [`Xid::SPECTATOR`] is allowed
    /// from inside a context too.
    fn migrate(&self, xid: Xid, flags: MigrateFlags) -> ();
    /// Which context a task is in, by its number on the host; `None` is the caller. EPERM for another from inside a
    /// context.
    fn task_xid(&self, pid: Option<Pid>) -> Xid;
    /// A context's id and first process.
    fn info(&self, xid: Xid) -> ContextInfo;
    /// The context's capability mask.
    fn capability_mask(&self, xid: Xid) -> FlagWord;
    /// Changes bits of the capability mask.
    fn set_capability_mask(&self, xid: Xid, change: FlagWord) -> ();
    /// The context's own capabilities.
    fn context_capabilities(&self, xid: Xid) -> FlagWord;
    /// Changes bits of them.
    fn set_context_capabilities(&self, xid: Xid, change: FlagWord) -> ();
    /// The context's flags.
    fn flags(&self, xid: Xid) -> FlagWord;
    /// Changes bits of the flags; one-time bits are only ever cleared.
    fn set_flags(&self, xid: Xid, change: FlagWord) -> ();
    /// Signals processes of a context, as the kernel does: all (0), all but the first (-1), the first (1), or one by its
    /// number on the host. `None` probes. ESRCH if there is none.
    fn kill(&self, xid: Xid, pid: i32, signal: Option<Signal>) -> ();
    /// Waits until the context has ended. EINTR.
    fn wait_context(&self, xid: Xid) -> ContextWait;
    /// One of the context's names.
    fn context_name(&self, xid: Xid, field: UnameField) -> Vec<u8>;
    /// Sets one of them, at most 64 bytes.
    fn set_context_name(&self, xid: Xid, field: UnameField, value: &[u8]) -> ();
}

bitflags! {
    /// What a context is and how it is treated (`VXF_*`). The kernel keeps bits without a name as they are.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
    pub struct ContextFlags: u64 {
        /// Account all processes as one; without effect.
        const INFO_SCHED = 1 << 1;
        /// Limits of processes hold for the context; without effect.
        const INFO_NPROC = 1 << 2;
        /// It cannot be entered, except while it is under construction.
        const INFO_PRIVATE = 1 << 3;
        /// Members see its first process as process 1.
        const INFO_INIT = 1 << 4;
        /// Superseded by `HIDE_VINFO`; without effect.
        const INFO_HIDE = 1 << 5;
        /// Resource limits hold for the context; without effect.
        const INFO_ULIMIT = 1 << 6;
        /// It has a mount namespace of its own; without effect.
        const INFO_NSPACE = 1 << 7;
        /// It is held when it has used up its share of the processors.
        const SCHED_HARD = 1 << 8;
        /// Its share moves its processes' priorities.
        const SCHED_PRIO = 1 << 9;
        /// None of its processes runs.
        const SCHED_PAUSE = 1 << 10;
        /// Members see its limits as the machine's memory.
        const VIRT_MEM = 1 << 16;
        /// Members see the time since its creation as the machine's.
        const VIRT_UPTIME = 1 << 17;
        /// Members see its processors alone; without effect.
        const VIRT_CPU = 1 << 18;
        /// Members see its load as the machine's.
        const VIRT_LOAD = 1 << 19;
        /// Members may have another time of day.
        const VIRT_TIME = 1 << 20;
        /// Members see no mount tables.
        const HIDE_MOUNT = 1 << 24;
        /// Members see no foreign network interfaces; a matter of network contexts, without effect here.
        const HIDE_NETIF = 1 << 25;
        /// What /proc tells of a task's context is hidden.
        const HIDE_VINFO = 1 << 26;
        /// Under construction. Can be given at creation and taken away, not given again.
        const STATE_SETUP = 1 << 32;
        /// No first process was chosen yet. Can be taken away, not given again.
        const STATE_INIT = 1 << 33;
        /// The host may administer it. Can be taken away, not given again.
        const STATE_ADMIN = 1 << 34;
        /// A program of the host is told of its begin and end.
        const SC_HELPER = 1 << 36;
        /// reboot(2) inside kills every member.
        const REBOOT_KILL = 1 << 37;
        /// It does not end with its last task.
        const PERSISTENT = 1 << 38;
        /// No forks while its memory is at the limit.
        const FORK_RSS = 1 << 48;
        /// It may make contexts; without effect.
        const PROLIFIC = 1 << 49;
        /// Raising priorities without permission is ignored rather than refused.
        const IGNEG_NICE = 1 << 52;
        const _ = !0;
    }
}

impl ContextFlags {
    /// What the kernel gives a context that is made without flags, and what most callers want: under construction, to be
    /// administered, its first process yet to be chosen.
    pub const NEW: Self = Self::STATE_SETUP.union(Self::STATE_INIT).union(Self::STATE_ADMIN);
}

bitflags! {
    /// What a task becomes in the context that it enters (`VXM_*`). Other bits are ignored.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct MigrateFlags: u64 {
        /// The caller's process is its first; another one is no more.
        const SET_INIT = 1;
        /// Orphans of the context become the caller's process's children.
        const SET_REAPER = 2;
    }
}

/// A word of bits and which of them are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FlagWord {
    /// Values.
    pub flags: u64,
    /// Which bits.
    pub mask: u64,
}

/// A context's id and its first process, as the host numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContextInfo {
    /// The context.
    pub xid: Xid,
    /// Its first process, if it has one.
    pub init: Option<Pid>,
}

/// How a context ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ContextWait {
    /// The last reboot(2) command accepted inside, 0 if none.
    pub reboot_command: u32,
    /// The status of the last task to exit, as wait(2) packs it: code << 8, or the signal's number.
    pub exit_status: i32,
}

/// Which name of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnameField {
    /// The context's own.
    Context,
    /// See [`Uname`](super::Uname).
    Sysname,
    /// Host name.
    Nodename,
    /// Kernel release.
    Release,
    /// Build.
    Version,
    /// Hardware.
    Machine,
    /// Domain name.
    Domainname,
}
