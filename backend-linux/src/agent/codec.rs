//! A row for each type that travels: what it consists of.

use std::time::Duration;

use standin::backend::{
    Access, AccessMode, Address, AmbientChange, CapabilitySets, Credentials, Deadline, Delivery,
    FileKind, FilesystemType, GroupIds, Listing, Lock, MountFlags, NamespaceKind, NamespaceKinds,
    OpenFlags, OpenOptions, PeerCredentials, PollEvents, PriorityOf, ProcessInfo, ProcessState,
    RebootCommand, Receive, Received, Rlimit, RlimitResource, SendFlags, ShutdownHow, SocketFlags,
    SocketOption, SocketType, SpawnCredentials, Stat, Uname, UserIds, WaitOptions, WaitStatus,
    WatchEvent, WatchFlags, XattrMode,
};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::handle::{Descriptor, Dir, File, Map, NsHandle, PidHandle, Socket, Watcher};
use standin::id::{
    Bytes, CgroupId, Device, ExitCode, Gid, Inode, Mode, Moment, NsId, Pid, Tid, Uid, WatchId,
};
use standin::path::{Follow, KPathBuf, Resolve};
use standin::signal::{Signal, SignalSet};

use super::wire::{Malformed, Read, Reader, Wire, Writer};

/// Numbers, as the processor has them: both sides are one program on one machine.
macro_rules! numbers {
    ($($type:ty),* $(,)?) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                to.bytes.extend_from_slice(&self.to_ne_bytes());
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                from.take().map(Self::from_ne_bytes)
            }
        }
    )*};
}

numbers! { u8, u16, u32, i32, u64, usize }

/// Structures: their fields in order, each by its own row.
macro_rules! records {
    ($($type:ty { $($field:tt),* })*) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                $(self.$field.put(to);)*
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                Ok(Self { $($field: Wire::get(from)?),* })
            }
        }
    )*};
}

records! {
    Pid { 0 } Tid { 0 } Uid { 0 } Gid { 0 } NsId { 0 } CgroupId { 0 } Inode { 0 } Device { 0 }
    WatchId { 0 } ExitCode { 0 } Bytes { 0 } Moment { ns } FilesystemType { 0 }
    OpenOptions { access, flags, mode }
    Stat { kind, mode, owner, group, size, links, modified, device, inode }
    WatchEvent { watch, flags, cookie, name }
    WaitOptions { nonblocking, keep, stopped, continued }
    ProcessInfo { pid, parent, user, group, cgroup, state, started_ticks }
    UserIds { real, effective, saved, filesystem }
    GroupIds { real, effective, saved, filesystem }
    Credentials { user, group, groups }
    CapabilitySets { effective, permitted, inheritable, bounding, ambient }
    Rlimit { soft, hard }
    Receive { peek, wait_all, nonblocking, descriptors, credentials, process }
    Received {
        length, from, credentials, descriptors, process, truncated, control_truncated
    }
    PeerCredentials { pid, uid, gid }
    Setup { namespaces, has_cgroup, limits, credentials }
    OwnedCredentials { uid, gid, groups, bounding, no_new_privileges }
    Uname { sysname, nodename, release, version, machine, domainname }
}

/// Enums: a number, and the fields of the variant.
macro_rules! choices {
    ($($type:ty { $($number:literal $variant:ident $({ $($field:tt: $name:ident),* })?;)* })*) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                match self {$(
                    Self::$variant { $($($field: $name),*)? } => {
                        let number: u8 = $number;
                        number.put(to);
                        $($($name.put(to);)*)?
                    }
                )*}
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                Ok(match u8::get(from)? {
                    $($number => Self::$variant { $($($field: Wire::get(from)?),*)? },)*
                    _ => return Err(Malformed),
                })
            }
        }
    )*};
}

choices! {
    AccessMode { 0 Read; 1 Write; 2 ReadWrite; 3 Path; }
    FileKind { 0 File; 1 Dir; 2 Link; 3 Fifo; 4 Socket; 5 Character; 6 Block; 7 Other; }
    Follow { 0 Link; 1 No; }
    Resolve { 0 Kernel; 1 Beneath; }
    XattrMode { 0 Set; 1 Create; 2 Replace; }
    Lock { 0 Shared { nonblocking: a }; 1 Exclusive { nonblocking: a }; 2 Unlock; }
    WaitStatus { 0 Exited { 0: a }; 1 Killed { 0: a }; 2 Stopped { 0: a }; 3 Continued; }
    ProcessState { 0 Alive; 1 Stopped; 2 Zombie; }
    AmbientChange { 0 Raise { 0: a }; 1 Lower { 0: a }; 2 ClearAll; }
    Delivery { 0 Default; 1 Ignore; 2 Count; 3 CountAndRestart; }
    RlimitResource {
        0 Cpu; 1 FileSize; 2 Data; 3 Stack; 4 Core; 5 Rss; 6 Processes; 7 OpenFiles;
        8 LockedMemory; 9 AddressSpace; 10 Locks; 11 PendingSignals; 12 MessageQueue; 13 Nice;
        14 RealtimePriority; 15 RealtimeTime;
    }
    PriorityOf { 0 Process { 0: a }; 1 Group { 0: a }; 2 User { 0: a }; }
    NamespaceKind {
        0 Cgroup; 1 Ipc; 2 Mount; 3 Net; 4 Pid; 5 PidForChildren; 6 Time; 7 TimeForChildren;
        8 User; 9 Uts;
    }
    RebootCommand { 0 Restart; 1 Halt; 2 PowerOff; }
    SocketType { 0 Stream; 1 Datagram; 2 SeqPacket; }
    Address { 0 Unnamed; 1 Path { 0: a }; 2 Abstract { 0: a }; 3 Unspecified; }
    ShutdownHow { 0 Read; 1 Write; 2 Both; }
    SocketOption {
        0 PassCredentials; 1 PassProcess; 2 PassRights; 3 Listening; 4 Error; 5 SendBuffer;
        6 ReceiveBuffer;
    }
    Deadline { 0 Now; 1 At { 0: a }; 2 Never; }
}

/// Sets of bits; bits without a name travel too.
macro_rules! flags {
    ($($type:ty: $from:ident),* $(,)?) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                self.bits().put(to);
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                Wire::get(from).map(Self::$from)
            }
        }
    )*};
}

flags! {
    OpenFlags: from_bits_retain, Access: from_bits_retain, WatchFlags: from_bits_retain,
    MountFlags: from_bits_retain, NamespaceKinds: from_bits_retain, SocketFlags: from_bits_retain,
    SendFlags: from_bits_retain, PollEvents: from_bits_retain, Securebits: from_bits_retain,
    CapabilitySet: from_bits, SignalSet: from_bits, Mode: new,
}

/// What has a number, but not every number is one.
macro_rules! numbered {
    ($($type:ty),* $(,)?) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                self.number().put(to);
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                Self::new(Wire::get(from)?).ok_or(Malformed)
            }
        }
    )*};
}

numbered! { Signal, Capability }

/// Handles: their number.
macro_rules! handles {
    ($($type:ty),* $(,)?) => {$(
        impl Wire for $type {
            fn put(&self, to: &mut Writer) {
                to.handle(self.as_ref());
            }

            fn get(from: &mut Reader<'_>) -> Read<Self> {
                from.handle().map(Self::from)
            }
        }
    )*};
}

handles! { File, Dir, PidHandle, NsHandle, Socket, Watcher, Map }

impl Wire for Descriptor {
    fn put(&self, to: &mut Writer) {
        to.handle(self);
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        from.handle()
    }
}

impl Wire for () {
    fn put(&self, _to: &mut Writer) {}

    fn get(_from: &mut Reader<'_>) -> Read<Self> {
        Ok(())
    }
}

impl Wire for bool {
    fn put(&self, to: &mut Writer) {
        u8::from(*self).put(to);
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Ok(u8::get(from)? != 0)
    }
}

impl Wire for Duration {
    fn put(&self, to: &mut Writer) {
        self.as_secs().put(to);
        self.subsec_nanos().put(to);
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        let (seconds, nanoseconds) = <(u64, u32)>::get(from)?;
        Ok(Self::from_secs(seconds).saturating_add(Self::from_nanos(nanoseconds.into())))
    }
}

impl Wire for KPathBuf {
    fn put(&self, to: &mut Writer) {
        to.raw(self.as_bytes());
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Self::new(from.raw()?).map_err(|_| Malformed)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Ok((A::get(from)?, B::get(from)?))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(value) = self {
            value.put(to);
        }
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        Ok(if bool::get(from)? { Some(T::get(from)?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, to: &mut Writer) {
        put_list(self, to);
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        (0..from.length()?).map(|_| T::get(from)).collect()
    }
}

/// The same as a vector of them.
pub(super) fn put_list<T: Wire>(list: &[T], to: &mut Writer) {
    to.length(list.len());
    for value in list {
        value.put(to);
    }
}

impl Wire for Listing {
    fn put(&self, to: &mut Writer) {
        to.length(self.len());
        for entry in self.iter() {
            to.raw(entry.name.as_bytes());
            entry.kind.put(to);
            entry.inode.put(to);
        }
    }

    fn get(from: &mut Reader<'_>) -> Read<Self> {
        let length = from.length()?;
        let mut listing = Self::default();
        for _ in 0..length {
            let name = from.raw()?;
            listing.push(name, FileKind::get(from)?, Inode::get(from)?);
        }
        Ok(listing)
    }
}

/// What an agent is told before it is one.
pub(super) struct Setup {
    pub(super) namespaces: NamespaceKinds,
    pub(super) has_cgroup: bool,
    pub(super) limits: Vec<(RlimitResource, Rlimit)>,
    pub(super) credentials: Option<OwnedCredentials>,
}

/// Credentials as they arrive.
pub(super) struct OwnedCredentials {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
    bounding: CapabilitySet,
    no_new_privileges: bool,
}

impl OwnedCredentials {
    pub(super) fn lend(&self) -> SpawnCredentials<'_> {
        SpawnCredentials {
            uid: self.uid,
            gid: self.gid,
            groups: &self.groups,
            bounding: self.bounding,
            no_new_privileges: self.no_new_privileges,
        }
    }
}

impl From<&SpawnCredentials<'_>> for OwnedCredentials {
    fn from(lent: &SpawnCredentials<'_>) -> Self {
        Self {
            uid: lent.uid,
            gid: lent.gid,
            groups: lent.groups.to_vec(),
            bounding: lent.bounding,
            no_new_privileges: lent.no_new_privileges,
        }
    }
}
