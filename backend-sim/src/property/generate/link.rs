//! Opening below a directory, locks, watches, counters, handles.

use standin::transcript::{
    EventfdOptions, Flock, LinkOp, List, ListOrNone, Nonblock, Op, OpenAt, OpenAtFlag, OpenAtMode,
    WatchEvent,
};

use super::super::belief::{Belief, Node, Object};
use super::control::{control, made_group};
use super::{Made, Move, Pick, fd, label, node, path, row};

pub(super) const MOVES: &[Move] = &[
    row("openat2", 2, openat2),
    row("flock", 1, flock),
    row("inotify", 1, inotify),
    row("watch", 2, watch),
    row("unwatch", 1, unwatch),
    row("events", 2, events),
    row("eventfd", 1, eventfd),
    row("evread", 2, evread),
    row("evwrite", 2, evwrite),
    row("handle", 1, handle),
    row("samehandle", 1, samehandle),
];

/// What watches and handles are called.
const NAME: &str = "w";

const fn op(role: usize, op: LinkOp) -> Made {
    Some((role, Op::Links(op)))
}

fn openat2(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.root(pick.who);
    let file = belief.nodes.pick(pick.b, |_, it| *it == Node::File);
    let (path, object) = match (file, made_group(belief, pick.b)) {
        (Some(slot), _) if pick.a.is_multiple_of(2) => (node(slot), Object::File),
        (_, Some(group)) => {
            (control(belief, group, "cgroup.procs"), Object::Control { group, lists: true })
        }
        _ => return super::node::create(belief, pick),
    };
    let slot = belief.room(role, pick.d);
    let place = belief.add(object)?;
    belief.install(role, slot, Some(place));
    let flag = Pick::of(pick.c, &[OpenAtFlag::Nofollow, OpenAtFlag::NoSymlinks])?;
    op(
        role,
        LinkOp::Openat2 {
            new: fd(slot),
            dir: OpenAt::WorkingDirectory,
            path,
            mode: OpenAtMode::ReadWrite,
            flags: Some(List(vec![flag])),
        },
    )
}

fn flock(belief: &mut Belief, pick: Pick) -> Made {
    let Some((role, slot, ..)) = belief.holder(pick.who, pick.a, |it| *it == Object::File) else {
        return super::file::open(belief, Pick { a: 1, ..pick });
    };
    let to = Pick::of(pick.b, &[Flock::Shared, Flock::Unlock])?;
    op(role, LinkOp::Flock { fd: fd(slot), to, nonblock: Some(Nonblock::Nonblock) })
}

fn inotify(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let slot = belief.room(role, pick.a);
    let place = belief.add(Object::Watcher { watches: false, queued: false })?;
    belief.install(role, slot, Some(place));
    op(role, LinkOp::Inotify { fd: fd(slot), nonblock: Some(Nonblock::Nonblock) })
}

/// Watches /mnt.
fn watch(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Watcher { watches: false, .. });
    let fits = |it: &Object| fits(it) && !belief.has_links;
    let Some((role, slot, place, object)) = belief.holder(pick.who, pick.a, fits) else {
        return inotify(belief, pick);
    };
    if let Object::Watcher { queued, .. } = object {
        belief.set_object(place, Object::Watcher { watches: true, queued });
    }
    belief.was_watched = true;
    let events = ListOrNone(vec![WatchEvent::All]);
    op(role, LinkOp::Watch { fd: fd(slot), name: label(NAME), path: path("/mnt"), events })
}

fn unwatch(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Watcher { watches: true, .. });
    let Some((role, slot, place, _)) = belief.holder(pick.who, pick.a, fits) else {
        return watch(belief, pick);
    };
    // That it is gone is an event too.
    belief.set_object(place, Object::Watcher { watches: false, queued: true });
    op(role, LinkOp::Unwatch { fd: fd(slot), name: label(NAME) })
}

fn events(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Watcher { queued: true, .. });
    let Some((role, slot, place, object)) = belief.holder(pick.who, pick.a, fits) else {
        let watches = |it: &Object| matches!(it, Object::Watcher { watches: true, .. });
        return if belief.holder(0, 0, watches).is_some() {
            super::node::create(belief, pick)
        } else {
            watch(belief, pick)
        };
    };
    if let Object::Watcher { watches, .. } = object {
        belief.set_object(place, Object::Watcher { watches, queued: false });
    }
    op(role, LinkOp::Events { fd: fd(slot) })
}

fn eventfd(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let slot = belief.room(role, pick.a);
    let count = u32::from(pick.b % 4);
    let place = belief.add(Object::Counter(u64::from(count)))?;
    belief.install(role, slot, Some(place));
    let options = EventfdOptions { nonblock: true, semaphore: false };
    op(role, LinkOp::Eventfd { fd: fd(slot), count, options })
}

fn evread(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Counter(1..));
    let Some((role, slot, place, _)) = belief.holder(pick.who, pick.a, fits) else {
        return evwrite(belief, pick);
    };
    belief.set_object(place, Object::Counter(0));
    op(role, LinkOp::Evread { fd: fd(slot) })
}

fn evwrite(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |it: &Object| matches!(it, Object::Counter(_));
    let Some((role, slot, place, object)) = belief.holder(pick.who, pick.a, fits) else {
        return eventfd(belief, pick);
    };
    let count = u64::from(pick.b % 8) + 1;
    if let Object::Counter(before) = object {
        belief.set_object(place, Object::Counter(before + count));
    }
    op(role, LinkOp::Evwrite { fd: fd(slot), count })
}

fn handle(belief: &mut Belief, pick: Pick) -> Made {
    let group = super::control::some_group(belief, pick.a)?;
    let role = belief.anybody(pick.who);
    belief.process_mut(role).has_handle = true;
    let path = path(belief.place(group).path);
    op(role, LinkOp::Handle { name: label(NAME), path })
}

fn samehandle(belief: &mut Belief, pick: Pick) -> Made {
    let fits = |role: usize| belief.is_ready(role) && belief.process(role).has_handle;
    let Some(role) = belief.actors.pick(pick.who, |role, _| fits(role)) else {
        return handle(belief, pick);
    };
    let group = super::control::some_group(belief, pick.a)?;
    let path = path(belief.place(group).path);
    op(role, LinkOp::Samehandle { name: label(NAME), path })
}
