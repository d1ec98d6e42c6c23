//! The agent's side: it reads a message, makes the call by its own view, and answers.

use std::sync::Arc;
use std::time::Duration;

use standin::backend::{
    Access, Address, AmbientChange, Channels, Clock, Deadline, Delivery, Files, Interest, Lock,
    Message, MountFlags, NamespaceKind, NamespaceKinds, Namespaces, OpenOptions, PeerCredentials,
    PollEvents, PriorityOf, Processes, RebootCommand, Receive, Rlimit, RlimitResource, SendFlags,
    ShutdownHow, SocketFlags, SocketOption, SocketType, Spawn, SpawnDescriptor, WaitOptions,
    WatchFlags, XattrMode,
};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::failure::Result;
use standin::handle::{Descriptor, Dir, File, Map, NsHandle, Owner, PidHandle, Socket, Watcher};
use standin::id::{Bytes, ExitCode, Gid, Mode, Pid, Uid, WatchId};
use standin::path::{Follow, KPath, KPathBuf, Place};
use standin::signal::{Signal, SignalSet};

use super::codec::OwnedCredentials;
use super::frame::{Gone, Line};
use super::operations::{self, part};
use super::wire::{Lent, MOST_BYTES, Malformed, Read, Reader, TOO_LONG, Wire, Writer};
use crate::handle::{FIRST_CLOSED, HERE, Keeping, close};
use crate::view::Linux;

/// Answers until the client is gone, or says what no client says.
pub(super) fn serve(line: &mut Line) -> Gone {
    let view = Linux::served();
    let owner: Arc<dyn Owner> = Arc::new(Keeping);
    loop {
        let message = match line.receive() {
            Ok(message) => message,
            Err(gone) => return gone,
        };
        let mut answer = Writer::new(Line::blank(), HERE);
        let mut message = Reader::new(&message, &owner, HERE);
        if carry_out(&view, &mut message, &mut answer).is_err() {
            return Gone;
        }
        if answer.bytes.len() > MOST_BYTES {
            answer = Writer::new(Line::blank(), HERE);
            Result::<()>::Err(TOO_LONG).put(&mut answer);
        }
        if let Err(gone) = line.send(answer.bytes) {
            return gone;
        }
    }
}

fn carry_out(view: &Linux, from: &mut Reader<'_>, to: &mut Writer) -> Read<()> {
    match u8::get(from)? {
        part::NOTHING => {
            for number in Vec::<u32>::get(from)? {
                if number >= FIRST_CLOSED {
                    close(number);
                }
            }
            Ok(())
        }
        part::FILES => operations::Files::carry_out(view, from, to),
        part::PROCESSES => operations::Processes::carry_out(view, from, to),
        part::NAMESPACES => operations::Namespaces::carry_out(view, from, to),
        part::CHANNELS => operations::Channels::carry_out(view, from, to),
        part::CLOCK => operations::Clock::carry_out(view, from, to),
        _ => Err(Malformed),
    }
}

/// One call: what came is kept, lent to the call, and given back where the call filled it. Four
/// calls borrow in several levels and have a function each.
macro_rules! one_call {
    ($view:ident, $from:ident, $to:ident, spawn($($rest:tt)*)) => {
        spawn($view, $from)?.put($to)
    };
    ($view:ident, $from:ident, $to:ident, exec($($rest:tt)*)) => {
        exec($view, $from)?.put($to)
    };
    ($view:ident, $from:ident, $to:ident, send($($rest:tt)*)) => {
        send($view, $from)?.put($to)
    };
    ($view:ident, $from:ident, $to:ident, poll($($rest:tt)*)) => {
        poll($view, $from)?.put($to)
    };
    ($view:ident, $from:ident, $to:ident, $name:ident($($arg:ident: $type:ty),*)) => {{
        $(let mut $arg = <$type as Lent>::keep($from)?;)*
        let answer = $view.$name($(<$type as Lent>::lend(&mut $arg)),*);
        answer.put($to);
        if answer.is_ok() {
            $(<$type as Lent>::give_back(&$arg, $to);)*
        }
    }};
}

/// Serves a trait, from its table.
macro_rules! by_call {
    (trait $trait:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)* }) => {
        impl operations::$trait {
            fn carry_out(view: &Linux, from: &mut Reader<'_>, to: &mut Writer) -> Read<()> {
                match Self::from_number(u8::get(from)?).ok_or(Malformed)? {$(
                    Self::$name => one_call!(view, from, to, $name($($arg: $type),*)),
                )*}
                Ok(())
            }
        }
    };
}

standin::Files! { by_call }
standin::Processes! { by_call }
standin::Namespaces! { by_call }
standin::Channels! { by_call }
standin::Clock! { by_call }

/// A list of texts, to borrow from.
fn borrow(texts: &[Vec<u8>]) -> Vec<&[u8]> {
    texts.iter().map(Vec::as_slice).collect()
}

fn exec(view: &Linux, from: &mut Reader<'_>) -> Read<Result<()>> {
    let path = KPathBuf::get(from)?;
    let (arguments, environment) = <(Vec<Vec<u8>>, Vec<Vec<u8>>)>::get(from)?;
    Ok(view.exec(&path, &borrow(&arguments), &borrow(&environment)))
}

fn spawn(view: &Linux, from: &mut Reader<'_>) -> Read<Result<PidHandle>> {
    let path = KPathBuf::get(from)?;
    let (arguments, environment) = <(Vec<Vec<u8>>, Vec<Vec<u8>>)>::get(from)?;
    let descriptors = Vec::<(Descriptor, u32)>::get(from)?;
    let cgroup = Option::<Dir>::get(from)?;
    let namespaces = Wire::get(from)?;
    let join = Option::<(PidHandle, NamespaceKinds)>::get(from)?;
    let credentials = Option::<OwnedCredentials>::get(from)?;
    let limits = Vec::<(RlimitResource, Rlimit)>::get(from)?;
    let directory = Option::<Dir>::get(from)?;
    let (session, parent_death) = Wire::get(from)?;
    let credentials = credentials.as_ref().map(OwnedCredentials::lend);
    let descriptors: Vec<_> =
        descriptors.iter().map(|(from, to)| SpawnDescriptor { from, to: *to }).collect();
    Ok(view.spawn(&Spawn {
        path: &path,
        arguments: &borrow(&arguments),
        environment: &borrow(&environment),
        descriptors: &descriptors,
        cgroup: cgroup.as_ref(),
        namespaces,
        join: join.as_ref().map(|(process, kinds)| (process, *kinds)),
        credentials: credentials.as_ref(),
        limits: &limits,
        directory: directory.as_ref(),
        session,
        parent_death,
    }))
}

fn send(view: &Linux, from: &mut Reader<'_>) -> Read<Result<usize>> {
    let socket = Socket::get(from)?;
    let bytes = from.raw()?;
    let to = Option::<Address>::get(from)?;
    let descriptors = Vec::<Descriptor>::get(from)?;
    let credentials = Option::<PeerCredentials>::get(from)?;
    let flags = SendFlags::get(from)?;
    let descriptors: Vec<_> = descriptors.iter().collect();
    let message = Message { bytes, to: to.as_ref(), descriptors: &descriptors, credentials };
    Ok(view.send(&socket, &message, flags))
}

fn poll(view: &Linux, from: &mut Reader<'_>) -> Read<Result<Vec<PollEvents>>> {
    let interests = Vec::<(Descriptor, PollEvents)>::get(from)?;
    let deadline = Deadline::get(from)?;
    let interests: Vec<_> =
        interests.iter().map(|(handle, events)| Interest { handle, events: *events }).collect();
    Ok(view.poll(&interests, deadline))
}
