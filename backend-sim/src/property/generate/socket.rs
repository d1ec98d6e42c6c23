//! Local sockets, and what all descriptors share. None of them waits: what would is asked for with `nonblock`.

use standin::transcript::{
    Address, Copies, Credentials, Id, List, ListOrNone, Nonblock, Op, PollEvent, RecvOptions,
    SendOptions, ShutdownHow, Size, SocketName, SocketOp, SocketType, Switch,
};

use super::super::belief::{BACKLOG, Belief, End, Object, State};
use super::super::ground::SOCKETS;
use super::{Made, Move, Pick, actor, data, fd, row};
use crate::profile::Release;

pub(super) const MOVES: &[Move] = &[
    row("socket", 2, socket),
    row("socketpair", 3, socketpair),
    row("bind", 2, bind),
    row("connect", 5, connect),
    row("listen", 2, listen),
    row("accept", 5, accept),
    row("send", 6, send),
    row("fill", 1, fill),
    row("recv", 5, recv),
    row("sockopt", 2, sockopt),
    row("peercred", 1, peercred),
    row("peerpidfd", 1, peerpidfd),
    row("shutdown", 1, shutdown),
    row("poll", 2, poll),
    row("sockname", 1, sockname),
    row("peername", 1, peername),
    row("dup", 2, dup),
];

const NONBLOCK: Option<Nonblock> = Some(Nonblock::Nonblock);

/// Messages that a socket of a case takes at most before it is emptied.
const MOST_QUEUED: u8 = 8;

const fn op(role: usize, op: SocketOp) -> Made {
    Some((role, Op::Sockets(op)))
}

const fn end(kind: SocketType, state: State) -> End {
    End { kind, state, queued: 0, is_full: false }
}

/// Somebody's socket of which this holds.
fn own(
    belief: &Belief,
    pick: Pick,
    fits: impl Fn(&End) -> bool,
) -> Option<(usize, usize, u8, End)> {
    let fits = |object: &Object| matches!(object, Object::Socket(end) if fits(end));
    match belief.holder(pick.who, pick.a, fits)? {
        (role, slot, place, Object::Socket(end)) => Some((role, slot, place, end)),
        _ => None,
    }
}

fn socket(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let kind = Pick::of(pick.a, SocketType::ALL)?;
    let slot = belief.room(role, pick.b);
    let place = belief.add(Object::Socket(end(kind, State::New)))?;
    belief.install(role, slot, Some(place));
    op(role, SocketOp::Socket { fd: fd(slot), kind, nonblock: NONBLOCK })
}

fn socketpair(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let kind = Pick::of(pick.a, SocketType::ALL)?;
    let one = belief.room(role, pick.b);
    belief.install(role, one, None);
    let first = belief.add(Object::Socket(end(kind, State::New)))?;
    belief.install(role, one, Some(first));
    // With one place left, the other label is another one's.
    let mut other = belief.room(role, pick.c);
    if other == one {
        other = (one + 1) % 4;
    }
    let second = belief.add(Object::Socket(end(kind, State::Connected(Some(first)))))?;
    belief.set_object(first, Object::Socket(end(kind, State::Connected(Some(second)))));
    belief.install(role, other, Some(second));
    op(role, SocketOp::Socketpair { fd: fd(one), new: fd(other), kind, nonblock: NONBLOCK })
}

fn name(slot: usize) -> Option<Address> {
    SOCKETS.get(slot).map(|name| Address::Abstract(name.as_bytes().to_vec()))
}

fn bind(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, place, end)) = own(belief, pick, |end| end.state == State::New) else {
        return socket(belief, pick);
    };
    if belief.actors.at(role).is_apart {
        return op(role, SocketOp::Sockname { fd: fd(slot) });
    }
    let Some(free) = belief.taken.pick(pick.b, |_, taken| !taken) else {
        return op(role, SocketOp::Sockname { fd: fd(slot) });
    };
    *belief.taken.at_mut(free) = true;
    belief.set_object(place, Object::Socket(End { state: State::Bound(free), ..end }));
    op(role, SocketOp::Bind { fd: fd(slot), address: name(free)? })
}

fn listen(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |end: &End| end.kind != SocketType::Dgram && matches!(end.state, State::Bound(_));
    let Some((role, slot, place, end)) = own(belief, pick, fits) else { return bind(belief, pick) };
    if let State::Bound(name) = end.state {
        belief.set_object(place, Object::Socket(End { state: State::Listens(name, 0), ..end }));
    }
    op(role, SocketOp::Listen { fd: fd(slot), backlog: i32::from(BACKLOG) })
}

/// Connects a new socket to one of its type that listens.
fn connect(belief: &mut Belief, pick: Pick) -> Made {
    let listens = |object: &Object| match object {
        Object::Socket(End { kind, state: State::Listens(name, waiting), .. })
            if *waiting < BACKLOG =>
        {
            Some((*kind, *name))
        }
        Object::Control { .. }
        | Object::Spent
        | Object::File
        | Object::Counter(_)
        | Object::Watcher { .. }
        | Object::Socket(_) => None,
    };
    let mut listening = belief.objects.iter().enumerate();
    let found = listening.find_map(|(at, object)| Some((at, listens(object)?)));
    let Some((at, (kind, name_of))) = found else { return listen(belief, pick) };
    let fits = |end: &End| end.kind == kind && end.state == State::New;
    let Some((role, slot, place, end)) = own(belief, pick, fits) else {
        let which = if kind == SocketType::Stream { 0 } else { 2 };
        return socket(belief, Pick { a: which, ..pick });
    };
    if belief.actors.at(role).is_apart {
        return op(role, SocketOp::Sockname { fd: fd(slot) });
    }
    belief.set_object(place, Object::Socket(End { state: State::Connected(None), ..end }));
    if let Some(Object::Socket(End { state: State::Listens(_, waiting), .. })) =
        belief.objects.get_mut(at)
    {
        *waiting += 1;
    }
    op(role, SocketOp::Connect { fd: fd(slot), address: name(name_of)? })
}

fn accept(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |end: &End| matches!(end.state, State::Listens(_, 1..));
    let Some((role, slot, place, listening)) = own(belief, pick, fits) else {
        return connect(belief, pick);
    };
    if let State::Listens(name, waiting) = listening.state {
        let state = State::Listens(name, waiting - 1);
        belief.set_object(place, Object::Socket(End { state, ..listening }));
    }
    let kind = listening.kind;
    let waits = |object: &Object| matches!(object, Object::Socket(it) if it.kind == kind && it.state == State::Connected(None));
    let peer = belief.objects.iter().position(waits).and_then(|at| u8::try_from(at).ok());
    let mut new = belief.room(role, pick.b);
    if new == slot {
        new = (slot + 1) % 4;
    }
    let made = belief.add(Object::Socket(end(kind, State::Connected(peer))))?;
    if let Some(peer) = peer {
        let connected = end(kind, State::Connected(Some(made)));
        belief.set_object(peer, Object::Socket(connected));
    }
    belief.install(role, new, Some(made));
    op(role, SocketOp::Accept { fd: fd(slot), new: fd(new), nonblock: NONBLOCK })
}

/// A socket whose other end takes more.
fn writer(belief: &Belief, pick: Pick) -> Option<(usize, usize, u8, End)> {
    let takes = |peer: u8| {
        matches!(belief.object(peer), Some(Object::Socket(end))
            if end.queued < MOST_QUEUED && !end.is_full)
    };
    own(belief, pick, |end| matches!(end.state, State::Connected(Some(peer)) if takes(peer)))
}

fn send(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, _, end)) = writer(belief, pick) else {
        return socketpair(belief, pick);
    };
    if let State::Connected(Some(peer)) = end.state
        && let Some(Object::Socket(other)) = belief.object(peer)
    {
        belief.set_object(peer, Object::Socket(End { queued: other.queued + 1, ..other }));
    }
    let mut options = SendOptions { nonblock: pick.d % 2 == 1, ..SendOptions::default() };
    match pick.c % 8 {
        6 => options.fds = Some(List(vec![Copies { fd: fd(slot), times: 1 }])),
        7 if belief.actors.at(role).is_root => {
            let own = actor(belief.actors.at(role).process).clone();
            options.cred = Some(Credentials { actor: own, uid: Id(0), gid: Id(0) });
        }
        _ => {}
    }
    let data = data(Pick::of(pick.b, &["x", "hello", "a longer message"])?);
    op(role, SocketOp::Send { fd: fd(slot), data, options })
}

fn fill(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, _, end)) = writer(belief, pick) else {
        return socketpair(belief, pick);
    };
    if let State::Connected(Some(peer)) = end.state
        && let Some(Object::Socket(other)) = belief.object(peer)
    {
        belief.set_object(peer, Object::Socket(End { queued: 2, is_full: true, ..other }));
    }
    op(role, SocketOp::Fill { fd: fd(slot), size: Size(16 << 10) })
}

fn recv(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |end: &End| end.queued > 0 && matches!(end.state, State::Connected(Some(_)));
    let Some((role, slot, place, end)) = own(belief, pick, fits) else { return send(belief, pick) };
    let peeks = pick.b % 4 == 3;
    if !peeks {
        // A message at a time, or all at once: what is left is not relied upon.
        let end = End { queued: 0, is_full: end.is_full, ..end };
        belief.set_object(place, Object::Socket(end));
    }
    let options = RecvOptions {
        peek: peeks,
        cred: pick.c % 4 == 1,
        nonblock: true,
        ..RecvOptions::default()
    };
    op(role, SocketOp::Recv { fd: fd(slot), size: Size(1 << 10), options })
}

/// Any socket of somebody who can act.
fn any(belief: &Belief, pick: Pick) -> Option<(usize, usize, u8, End)> {
    own(belief, pick, |_| true)
}

fn sockopt(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = any(belief, pick) else { return socket(belief, pick) };
    const ASKED: [(SocketName, Option<Switch>); 5] = [
        (SocketName::Passcred, Some(Switch::On)),
        (SocketName::Passcred, None),
        (SocketName::Acceptconn, None),
        (SocketName::Error, None),
        (SocketName::Passpidfd, None),
    ];
    let known = if belief.release == Release::V6_1 { 4 } else { ASKED.len() };
    let (name, to) = Pick::of(pick.b, ASKED.get(..known)?)?;
    op(role, SocketOp::Sockopt { fd: fd(slot), name, to })
}

/// A connection whose other end was there all the time.
fn connected(belief: &Belief, pick: Pick) -> Option<(usize, usize, u8, End)> {
    own(belief, pick, |end| matches!(end.state, State::Connected(_)))
}

fn peercred(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = connected(belief, pick) else { return accept(belief, pick) };
    op(role, SocketOp::Peercred { fd: fd(slot) })
}

fn peerpidfd(belief: &mut Belief, pick: Pick) -> Made {
    // SO_PEERPIDFD came with 6.5.
    if belief.release == Release::V6_1 {
        return peercred(belief, pick);
    }
    let Some((role, slot, ..)) = connected(belief, pick) else { return accept(belief, pick) };
    op(role, SocketOp::Peerpidfd { fd: fd(slot) })
}

fn shutdown(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |end: &End| matches!(end.state, State::Connected(Some(_)));
    let Some((role, slot, place, end)) = own(belief, pick, fits) else {
        return socketpair(belief, pick);
    };
    belief.set_object(place, Object::Socket(End { state: State::Shut, ..end }));
    if let State::Connected(Some(peer)) = end.state
        && let Some(Object::Socket(other)) = belief.object(peer)
    {
        belief.set_object(peer, Object::Socket(End { state: State::Shut, ..other }));
    }
    op(role, SocketOp::Shutdown { fd: fd(slot), how: Pick::of(pick.b, ShutdownHow::ALL)? })
}

fn poll(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = belief.holder(pick.who, pick.a, |it| *it != Object::Spent) else {
        return socketpair(belief, pick);
    };
    let events = ListOrNone(vec![Pick::of(pick.b, &[PollEvent::In, PollEvent::Out])?]);
    op(role, SocketOp::Poll { fd: fd(slot), events, timeout_ms: i32::from(pick.c % 3) })
}

fn sockname(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = any(belief, pick) else { return listen(belief, pick) };
    op(role, SocketOp::Sockname { fd: fd(slot) })
}

fn peername(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = connected(belief, pick) else { return accept(belief, pick) };
    op(role, SocketOp::Peername { fd: fd(slot) })
}

fn dup(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, place, _)) = belief.holder(pick.who, pick.a, |it| *it != Object::Spent)
    else {
        return super::file::open(belief, pick);
    };
    let mut new = belief.room(role, pick.b);
    if new == slot {
        new = (slot + 1) % 4;
    }
    belief.install(role, new, Some(place));
    op(role, SocketOp::Dup { fd: fd(slot), new: fd(new) })
}
