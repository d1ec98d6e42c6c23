//! What is believed of a machine in the middle of a case: who lives, which groups and files there are, what is open.
//!
//! It is what makes most operations of a case succeed: each is chosen so that it can, and is then believed to have. Nothing is
//! asked of a machine, so the same bytes are the same operations everywhere: a case can be printed before it runs, and run
//! where there is no machine. It knows far less than a kernel; where it is wrong, an operation fails, and no more. Neighbours:
//! `ground` (the names), `generate` (the operations).

use standin::transcript::SocketType;

use super::ground::{self, GROUPS, NODES, Place, ROLES, ROOT_V1, ROOT_V2, SOCKETS};
use crate::profile::{Layout, Release};

/// A few values that are found by small numbers which are always in range.
#[derive(Clone, Debug)]
pub(super) struct Slots<T, const N: usize>(pub(super) [T; N]);

impl<T, const N: usize> Slots<T, N> {
    pub(super) fn at(&self, slot: usize) -> &T {
        self.0.get(slot).expect("a slot's number is below their count")
    }

    pub(super) fn at_mut(&mut self, slot: usize) -> &mut T {
        self.0.get_mut(slot).expect("a slot's number is below their count")
    }

    /// One of the slots that fit, if any does: the first for 0.
    #[inline]
    pub(super) fn pick(&self, by: u8, fits: impl Fn(usize, &T) -> bool) -> Option<usize> {
        const { assert!(N <= u8::BITS as usize, "a bit for each slot") };
        let mut fitting = 0_u8;
        for (slot, value) in self.0.iter().enumerate() {
            fitting |= u8::from(fits(slot, value)) << slot;
        }
        let nth = u32::from(by).checked_rem(fitting.count_ones())?;
        (0..nth).for_each(|_| fitting &= fitting - 1);
        Some(fitting.trailing_zeros() as usize)
    }
}

/// How far an actor is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Life {
    /// Never made, or gone.
    #[default]
    Absent,
    Alive,
    /// Its parent has not waited for it.
    Zombie,
}

/// What ids an actor's user namespace knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ids {
    #[default]
    Initial,
    /// A namespace of its own, in which nothing was mapped, and groups not denied.
    Unmapped,
    /// Groups were denied.
    Denied,
    Mapped,
}

/// A process or thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Actor {
    pub(super) life: Life,
    /// The slot of its process's first thread; its own, mostly.
    pub(super) process: usize,
    /// The process that is to wait for it; none if that is the machine's first.
    pub(super) parent: Option<usize>,
    /// It is user 0 with all that belongs to it, in the first user namespace.
    pub(super) is_root: bool,
    pub(super) ids: Ids,
    pub(super) gid: u32,
    /// Its groups in v2 and v1.
    pub(super) groups: [usize; 2],
    /// It is the first of a PID namespace.
    pub(super) is_nested: bool,
    /// It makes no children: they would be in another PID namespace.
    pub(super) is_childless: bool,
    /// Its network namespace is its own: names of sockets elsewhere mean nothing there.
    pub(super) is_apart: bool,
}

/// What belongs to a process, whichever thread acts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Process {
    pub(super) is_stopped: bool,
    pub(super) is_subreaper: bool,
    pub(super) leads_session: bool,
    pub(super) leads_group: bool,
    /// USR1 is counted, and so kills nobody.
    pub(super) counts: bool,
    pub(super) has_handle: bool,
    /// What its descriptors are: places in the list of objects.
    pub(super) open: [Option<u8>; 4],
}

/// A group, by its place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub(super) is_there: bool,
    /// Controllers for those below: bits of [`CONTROLLERS`].
    pub(super) enables: u8,
    pub(super) has_attribute: bool,
}

/// The controllers that a case turns on and off.
pub(super) const CONTROLLERS: [&str; 3] = ["pids", "cpu", "memory"];

/// What a name at /mnt is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Node {
    #[default]
    Absent,
    File,
    Directory,
    Link,
    Mounted,
}

/// An open file or socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    /// A control file: `cgroup.procs` if it lists, else one that takes a number.
    Control {
        group: usize,
        lists: bool,
    },
    /// One that nothing more can be done with.
    Spent,
    File,
    Counter(u64),
    Watcher {
        watches: bool,
        queued: bool,
    },
    Socket(End),
}

/// A socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) kind: SocketType,
    pub(super) state: State,
    /// Messages that wait.
    pub(super) queued: u8,
    /// It takes no more for now.
    pub(super) is_full: bool,
}

/// How far a socket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    New,
    Bound(usize),
    /// It listens, and so many connections wait.
    Listens(usize, u8),
    /// The other end's place in the list of objects; none if that was not accepted yet.
    Connected(Option<u8>),
    Shut,
}

/// Connections that may wait at a socket.
pub(super) const BACKLOG: u8 = 3;

/// What is believed.
#[derive(Clone, Debug)]
pub(super) struct Belief {
    pub(super) release: Release,
    pub(super) layout: Layout,
    pub(super) actors: Slots<Actor, ROLES>,
    pub(super) processes: Slots<Process, ROLES>,
    pub(super) groups: Slots<Group, GROUPS>,
    /// Which groups were frozen themselves: a bit a place.
    frozen: u8,
    /// The groups that each is in, itself among them: bits like these.
    within: Slots<u8, GROUPS>,
    pub(super) nodes: Slots<Node, { NODES.len() }>,
    /// Some file at /mnt has or had two names: what happens to one is not modelled for who watches.
    pub(super) has_links: bool,
    /// Somebody watches /mnt, or did: who is believed to have stopped may go on.
    pub(super) was_watched: bool,
    /// Which names at /mnt have an attribute.
    pub(super) attributes: Slots<bool, { NODES.len() }>,
    pub(super) objects: Vec<Object>,
    /// Names of sockets that are taken.
    pub(super) taken: Slots<bool, { SOCKETS.len() }>,
}

impl Belief {
    pub(super) fn new(release: Release, layout: Layout) -> Self {
        let mut groups = Slots([Group::default(); GROUPS]);
        groups.at_mut(ROOT_V2).is_there = layout != Layout::Legacy;
        groups.at_mut(ROOT_V1).is_there = layout != Layout::Unified;
        let mut actors = Slots([Actor::default(); ROLES]);
        let groups_of_init = [ROOT_V2, ROOT_V1];
        *actors.at_mut(0) =
            Actor { life: Life::Alive, is_root: true, groups: groups_of_init, ..Actor::default() };
        let mut processes = Slots([Process::default(); ROLES]);
        (processes.at_mut(0).leads_session, processes.at_mut(0).leads_group) = (true, true);
        let mut within = Slots([0; GROUPS]);
        for (group, place) in ground::places(layout).iter().enumerate() {
            // A parent stands before its children.
            *within.at_mut(group) = bit(group) | *within.at(place.parent);
        }
        Self {
            release,
            layout,
            actors,
            processes,
            groups,
            frozen: 0,
            within,
            nodes: Slots([Node::Absent; NODES.len()]),
            has_links: false,
            was_watched: false,
            attributes: Slots([false; NODES.len()]),
            objects: Vec::new(),
            taken: Slots([false; SOCKETS.len()]),
        }
    }

    pub(super) fn place(&self, group: usize) -> &'static Place {
        ground::places(self.layout).get(group).expect("a group has a place")
    }

    /// The contrary of what is believed, as far as a wrong belief harms nobody: what is there is not, who may not may.
    pub(super) fn careless(&self) -> Self {
        let mut wrong = self.clone();
        for at in 0..GROUPS {
            let is_root = self.place(at).parent == at;
            let group = wrong.groups.at_mut(at);
            group.is_there = if is_root { group.is_there } else { !group.is_there };
        }
        for role in 1..ROLES {
            wrong.actors.at_mut(role).is_root |= self.is_ready(role);
        }
        for node in &mut wrong.nodes.0 {
            *node = if *node == Node::Absent { Node::File } else { Node::Absent };
        }
        wrong
    }

    // Who.

    pub(super) fn is_alive(&self, role: usize) -> bool {
        self.actors.at(role).life == Life::Alive
    }

    /// Whether it can act: nothing holds it. All of it is asked at once, since chance decides what is so: a branch would be
    /// foreseen by no processor.
    pub(super) fn is_ready(&self, role: usize) -> bool {
        let actor = self.actors.at(role);
        let is_held = self.processes.at(actor.process).is_stopped;
        let [one, other] = actor.groups.map(|group| *self.within.at(group));
        (actor.life == Life::Alive) & !is_held & (self.frozen & (one | other) == 0)
    }

    /// Anybody who can act; `init` for 0.
    pub(super) fn anybody(&self, by: u8) -> usize {
        self.actors.pick(by, |role, _| self.is_ready(role)).unwrap_or(0)
    }

    /// Somebody with all rights.
    pub(super) fn root(&self, by: u8) -> usize {
        self.actors.pick(by, |role, it| it.is_root & self.is_ready(role)).unwrap_or(0)
    }

    /// The same, of those that the case can do without, and that are the only thread of their process.
    pub(super) fn other_root(&self, by: u8) -> Option<usize> {
        self.actors.pick(by, |role, it| it.is_root & self.is_ready(role) && self.is_single(role))
    }

    /// Whether it is a process with one thread, and not `init`.
    pub(super) fn is_single(&self, role: usize) -> bool {
        role != 0 && self.actors.at(role).process == role && self.threads(role).count() == 1
    }

    /// The live threads of a process.
    pub(super) fn threads(&self, process: usize) -> impl Iterator<Item = usize> {
        let all = self.actors.0.iter().enumerate();
        let own =
            all.filter(move |(_, actor)| actor.life == Life::Alive && actor.process == process);
        own.map(|(role, _)| role)
    }

    pub(super) fn process(&self, role: usize) -> &Process {
        self.processes.at(self.actors.at(role).process)
    }

    pub(super) fn process_mut(&mut self, role: usize) -> &mut Process {
        self.processes.at_mut(self.actors.at(role).process)
    }

    /// A process ends, with all its threads.
    pub(super) fn end(&mut self, process: usize) {
        let parent = self.actors.at(process).parent;
        let heir = std::iter::successors(parent, |it| self.actors.at(*it).parent)
            .find(|it| self.is_alive(*it) && self.processes.at(*it).is_subreaper);
        for role in 0..ROLES {
            let actor = self.actors.at_mut(role);
            if actor.life != Life::Absent && actor.process == process {
                let waits = role == process && parent.is_some();
                actor.life = if waits { Life::Zombie } else { Life::Absent };
            } else if actor.parent == Some(process) && role != process {
                actor.parent = heir;
                if heir.is_none() && actor.life == Life::Zombie {
                    actor.life = Life::Absent;
                }
            }
        }
        let open = std::mem::take(&mut self.processes.at_mut(process).open);
        open.into_iter().flatten().for_each(|object| self.released(object));
    }

    // Groups.

    /// It is made, with nothing in it and nothing set.
    pub(super) fn appears(&mut self, group: usize) {
        *self.groups.at_mut(group) = Group { is_there: true, ..Group::default() };
        self.frozen &= !bit(group);
    }

    /// It is removed, and what is open of it leads nowhere.
    pub(super) fn vanishes(&mut self, group: usize) {
        *self.groups.at_mut(group) = Group::default();
        self.frozen &= !bit(group);
        for object in &mut self.objects {
            if matches!(object, Object::Control { group: of, .. } if *of == group) {
                *object = Object::Spent;
            }
        }
    }

    /// Whether it was frozen itself.
    pub(super) fn is_frozen(&self, group: usize) -> bool {
        self.frozen & bit(group) != 0
    }

    /// It is frozen if it was not, and thawed if it was.
    pub(super) fn freezes_or_thaws(&mut self, group: usize) {
        self.frozen ^= bit(group);
    }

    pub(super) fn is_within(&self, group: usize, above: usize) -> bool {
        self.within.at(group) & bit(above) != 0
    }

    /// Whether somebody lives in it or below it.
    pub(super) fn has_members(&self, group: usize) -> bool {
        let inside = |actor: &Actor| actor.groups.iter().any(|own| self.is_within(*own, group));
        self.actors.0.iter().any(|actor| actor.life == Life::Alive && inside(actor))
    }

    pub(super) fn has_children(&self, group: usize) -> bool {
        let is_child = |it: usize| it != group && self.place(it).parent == group;
        (0..GROUPS).any(|it| is_child(it) && self.groups.at(it).is_there)
    }

    /// Whether it has files of a controller.
    pub(super) fn has(&self, group: usize, controller: usize) -> bool {
        let place = self.place(group);
        let parent = self.groups.at(place.parent);
        place.parent != group
            && if place.is_v1 { controller == 0 } else { parent.enables & (1 << controller) != 0 }
    }

    // Descriptors.

    /// One of an actor's descriptors that fits: its slot, its place in the list of objects, and what it is.
    pub(super) fn descriptor(
        &self,
        role: usize,
        by: u8,
        fits: impl Fn(&Object) -> bool,
    ) -> Option<(usize, u8, Object)> {
        let open = Slots(self.process(role).open);
        let object = |place: &Option<u8>| self.object((*place)?);
        let slot = open.pick(by, |_, place| object(place).is_some_and(|it| fits(&it)))?;
        let place = (*open.at(slot))?;
        Some((slot, place, self.object(place)?))
    }

    /// Somebody who can act and has a descriptor that fits.
    pub(super) fn holder(
        &self,
        by: u8,
        which: u8,
        fits: impl Fn(&Object) -> bool,
    ) -> Option<(usize, usize, u8, Object)> {
        let holds = |role: usize| self.descriptor(role, 0, &fits).is_some();
        let role = self.actors.pick(by, |role, _| self.is_ready(role) && holds(role))?;
        let (slot, place, object) = self.descriptor(role, which, &fits)?;
        Some((role, slot, place, object))
    }

    pub(super) fn object(&self, place: u8) -> Option<Object> {
        self.objects.get(usize::from(place)).copied()
    }

    pub(super) fn set_object(&mut self, place: u8, object: Object) {
        if let Some(old) = self.objects.get_mut(usize::from(place)) {
            *old = object;
        }
    }

    /// A new object; none if there were too many.
    pub(super) fn add(&mut self, object: Object) -> Option<u8> {
        let place = u8::try_from(self.objects.len()).ok()?;
        self.objects.push(object);
        Some(place)
    }

    /// A label's slot for something new: a free one if there is one.
    pub(super) fn room(&self, role: usize, by: u8) -> usize {
        let open = Slots(self.process(role).open);
        open.pick(0, |_, place| place.is_none()).unwrap_or(usize::from(by) % open.0.len())
    }

    /// What a slot holds from now on; what it held is closed.
    pub(super) fn install(&mut self, role: usize, slot: usize, object: Option<u8>) {
        let Some(place) = self.process_mut(role).open.get_mut(slot) else { return };
        let old = std::mem::replace(place, object);
        old.into_iter().for_each(|old| self.released(old));
    }

    /// Somebody has closed an object: if nobody holds it any more, it is gone, and the other end of a connection hears of it.
    fn released(&mut self, place: u8) {
        let holds = |process: &Process| process.open.contains(&Some(place));
        let is_held = |role: usize| {
            self.actors.at(role).process == role
                && self.is_alive(role)
                && holds(self.processes.at(role))
        };
        if (0..ROLES).any(is_held) {
            return;
        }
        let Some(object) = self.object(place) else { return };
        self.set_object(place, Object::Spent);
        let Object::Socket(end) = object else { return };
        match end.state {
            State::Bound(name) | State::Listens(name, _) => *self.taken.at_mut(name) = false,
            State::Connected(Some(peer)) => {
                if let Some(Object::Socket(other)) = self.object(peer) {
                    self.set_object(peer, Object::Socket(End { state: State::Shut, ..other }));
                }
            }
            State::New | State::Connected(None) | State::Shut => {}
        }
        if let State::Listens(..) = end.state {
            // Who waited to be accepted is refused.
            for object in &mut self.objects {
                if let Object::Socket(end) = object
                    && end.state == State::Connected(None)
                {
                    end.state = State::Shut;
                }
            }
        }
    }

    /// Something happened at /mnt.
    pub(super) fn noticed(&mut self) {
        for object in &mut self.objects {
            if let Object::Watcher { watches: true, queued } = object {
                *queued = true;
            }
        }
    }
}

/// The bit of a group's place.
const fn bit(group: usize) -> u8 {
    1 << group
}
