//! Linux-VServer contexts: the commands of a patched kernel, as that kernel has them.
//!
//! The library `standin::context` is built on this where it exists, and on the other traits where it does not.

use crate::backend::Namespaces;
use crate::failure::{Failure, Result};
use crate::id::{Pid, Xid};
use crate::signal::Signal;

macro_rules! commands {
    ($($(#[$doc:meta])* fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $answer:ty;)*) => {
        /// The context commands. Each first asks for the capabilities and the standing of the caller: ENOSYS without
        /// `CAP_CONTEXT`, EPERM without `CAP_SYS_ADMIN`, ESRCH for a context that is not there, EACCES for one that
        /// cannot be administered any more.
        #[expect(clippy::missing_errors_doc, reason = "the errnos are told once, for all commands")]
        pub trait Contexts: Namespaces {$(
            $(#[$doc])*
            fn $name(&self $(, $arg: $type)*) -> Result<$answer> {
                $(let _ = $arg;)*
                Err(Failure::NotModelled(concat!("vx_", stringify!($name))))
            }
        )*}
    };
}

commands! {
    /// Makes a context and moves the caller into it. EBUSY or EEXIST if the id is taken, EINVAL outside 2 to 65535.
    fn create(&self, xid: Xid, flags: ContextFlags) -> Xid;
    /// Moves the caller into a context.
    fn migrate(&self, xid: Xid, flags: ContextFlags) -> Xid;
    /// Which context a task is in; `None` is the caller.
    fn task_xid(&self, pid: Option<Pid>) -> Xid;
    /// A context's id and first process.
    fn info(&self, xid: Xid) -> ContextInfo;
    /// The context's capability mask.
    fn capability_mask(&self, xid: Xid) -> ContextFlags;
    /// Changes bits of the capability mask.
    fn set_capability_mask(&self, xid: Xid, change: ContextFlags) -> ();
    /// The context's own capabilities.
    fn context_capabilities(&self, xid: Xid) -> ContextFlags;
    /// Changes bits of them.
    fn set_context_capabilities(&self, xid: Xid, change: ContextFlags) -> ();
    /// The context's flags.
    fn flags(&self, xid: Xid) -> ContextFlags;
    /// Changes bits of the flags; one-time bits are only ever cleared.
    fn set_flags(&self, xid: Xid, change: ContextFlags) -> ();
    /// Signals processes of a context: all (0), all but the first (-1), the first (1), or one by its number.
    fn kill(&self, xid: Xid, pid: i32, signal: Option<Signal>) -> ();
    /// Waits until the context has ended.
    fn wait_context(&self, xid: Xid) -> ContextWait;
    /// One of the context's names.
    fn context_name(&self, xid: Xid, field: UnameField) -> Vec<u8>;
    /// Sets one of them, at most 64 bytes.
    fn set_context_name(&self, xid: Xid, field: UnameField, value: &[u8]) -> ();
}

/// A flag word and which of its bits are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContextFlags {
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
pub struct ContextWait {
    /// The last reboot(2) command accepted inside, 0 if none.
    pub reboot_command: u32,
    /// The wait status of the last task to exit.
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
