//! What calls are given, where it is not one of `codec`'s values behind a reference: copies, paths,
//! buffers, places, and what is borrowed in several levels.

use std::time::Duration;

use standin::backend::{
    Access, AmbientChange, Deadline, Delivery, Interest, Lock, Message, MountFlags, NamespaceKind,
    NamespaceKinds, PriorityOf, RebootCommand, Receive, Rlimit, RlimitResource, SendFlags,
    ShutdownHow, SocketFlags, SocketOption, SocketType, Spawn, SpawnDescriptor, WaitOptions,
    WatchFlags, XattrMode,
};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::handle::{Descriptor, PidHandle};
use standin::id::{Bytes, ExitCode, Gid, Mode, Pid, Uid, WatchId};
use standin::path::{At, Follow, KPath, KPathBuf, Place, Resolve};
use standin::signal::{Signal, SignalSet};

use super::codec::{OwnedCredentials, put_list};
use super::wire::{Argument, Lent, MOST_BYTES, Malformed, Read, Reader, TOO_LONG, Wire, Writer};

/// What calls are given by value.
macro_rules! given {
    ($($type:ty),* $(,)?) => {$(
        impl Argument for $type {
            fn write(&self, to: &mut Writer) {
                self.put(to);
            }
        }

        impl Lent<'_> for $type {
            type Kept = Self;

            fn keep(from: &mut Reader<'_>) -> Read<Self> {
                Wire::get(from)
            }

            fn lend(kept: &mut Self) -> Self {
                *kept
            }
        }
    )*};
}

given! {
    bool, u32, i32, Duration, Bytes, Mode, Pid, Uid, Gid, ExitCode, WatchId,
    Option<Pid>, Option<Uid>, Option<Gid>, Option<Signal>, Signal, SignalSet,
    Capability, CapabilitySet, Securebits, AmbientChange,
    Follow, Access, XattrMode, Lock, WatchFlags, MountFlags,
    WaitOptions, RlimitResource, Rlimit, PriorityOf, Delivery,
    NamespaceKind, NamespaceKinds, RebootCommand,
    SocketType, SocketFlags, SocketOption, SendFlags, Receive, ShutdownHow, Deadline,
}

// What is borrowed without being a value behind a reference.

impl Argument for &KPath {
    fn write(&self, to: &mut Writer) {
        to.raw(self.as_bytes());
    }
}

impl<'kept> Lent<'kept> for &'kept KPath {
    type Kept = KPathBuf;

    fn keep(from: &mut Reader<'_>) -> Read<KPathBuf> {
        KPathBuf::get(from)
    }

    fn lend(kept: &'kept mut KPathBuf) -> Self {
        kept
    }
}

impl Argument for &[u8] {
    fn write(&self, to: &mut Writer) {
        to.raw(self);
    }
}

impl<'kept> Lent<'kept> for &'kept [u8] {
    type Kept = Vec<u8>;

    fn keep(from: &mut Reader<'_>) -> Read<Vec<u8>> {
        from.raw().map(<[u8]>::to_vec)
    }

    fn lend(kept: &'kept mut Vec<u8>) -> Self {
        kept
    }
}

/// A buffer that the call fills: its length goes there; its content comes back, as far as it is
/// not zero.
impl Argument for &mut [u8] {
    fn write(&self, to: &mut Writer) {
        if self.len() > MOST_BYTES / 2 {
            to.refuse(TOO_LONG);
        }
        to.length(self.len());
    }

    fn fill(self, from: &mut Reader<'_>) -> Read<()> {
        let content = from.raw()?;
        let (filled, rest) = self.split_at_mut_checked(content.len()).ok_or(Malformed)?;
        filled.copy_from_slice(content);
        rest.fill(0);
        Ok(())
    }
}

impl<'kept> Lent<'kept> for &'kept mut [u8] {
    type Kept = Vec<u8>;

    fn keep(from: &mut Reader<'_>) -> Read<Vec<u8>> {
        let length = from.length()?;
        if length > MOST_BYTES { Err(Malformed) } else { Ok(vec![0; length]) }
    }

    fn lend(kept: &'kept mut Vec<u8>) -> Self {
        kept
    }

    fn give_back(kept: &Vec<u8>, to: &mut Writer) {
        let end = kept.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        to.raw(kept.get(..end).unwrap_or(kept));
    }
}

impl Argument for &[Gid] {
    fn write(&self, to: &mut Writer) {
        put_list(self, to);
    }
}

impl<'kept> Lent<'kept> for &'kept [Gid] {
    type Kept = Vec<Gid>;

    fn keep(from: &mut Reader<'_>) -> Read<Vec<Gid>> {
        Wire::get(from)
    }

    fn lend(kept: &'kept mut Vec<Gid>) -> Self {
        kept
    }
}

impl Argument for Option<&PidHandle> {
    fn write(&self, to: &mut Writer) {
        put_option(*self, to);
    }
}

impl<'kept> Lent<'kept> for Option<&'kept PidHandle> {
    type Kept = Option<PidHandle>;

    fn keep(from: &mut Reader<'_>) -> Read<Option<PidHandle>> {
        Wire::get(from)
    }

    fn lend(kept: &'kept mut Option<PidHandle>) -> Self {
        kept.as_ref()
    }
}

fn put_option<T: Wire>(value: Option<&T>, to: &mut Writer) {
    value.is_some().put(to);
    if let Some(value) = value {
        value.put(to);
    }
}

impl Argument for Place<'_> {
    fn write(&self, to: &mut Writer) {
        match self.at {
            At::Cwd => false.put(to),
            At::Handle(handle) => {
                true.put(to);
                handle.put(to);
            }
        }
        to.raw(self.path.as_bytes());
        self.resolve.put(to);
    }
}

impl<'kept> Lent<'kept> for Place<'kept> {
    type Kept = (Option<Descriptor>, (KPathBuf, Resolve));

    fn keep(from: &mut Reader<'_>) -> Read<Self::Kept> {
        Wire::get(from)
    }

    fn lend((at, (path, resolve)): &'kept mut Self::Kept) -> Self {
        Self { at: at.as_ref().map_or(At::Cwd, At::Handle), path, resolve: *resolve }
    }
}

// What is borrowed in several levels: written here, read by `serve`.

impl Argument for &[&[u8]] {
    fn write(&self, to: &mut Writer) {
        to.length(self.len());
        for bytes in *self {
            to.raw(bytes);
        }
    }
}

impl Argument for &Spawn<'_> {
    fn write(&self, to: &mut Writer) {
        to.raw(self.path.as_bytes());
        Argument::write(&self.arguments, to);
        Argument::write(&self.environment, to);
        to.length(self.descriptors.len());
        for SpawnDescriptor { from, to: number } in self.descriptors {
            from.put(to);
            number.put(to);
        }
        put_option(self.cgroup, to);
        self.namespaces.put(to);
        self.join.is_some().put(to);
        if let Some((process, kinds)) = self.join {
            process.put(to);
            kinds.put(to);
        }
        self.credentials.map(OwnedCredentials::from).put(to);
        to.length(self.limits.len());
        for (resource, limit) in self.limits {
            resource.put(to);
            limit.put(to);
        }
        put_option(self.directory, to);
        self.session.put(to);
        self.parent_death.put(to);
    }
}

impl Argument for &Message<'_> {
    fn write(&self, to: &mut Writer) {
        to.raw(self.bytes);
        put_option(self.to, to);
        to.length(self.descriptors.len());
        for descriptor in self.descriptors {
            descriptor.put(to);
        }
        self.credentials.put(to);
    }
}

impl Argument for &[Interest<'_>] {
    fn write(&self, to: &mut Writer) {
        to.length(self.len());
        for interest in *self {
            interest.handle.put(to);
            interest.events.put(to);
        }
    }
}
