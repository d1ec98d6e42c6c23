//! Processes and threads.

use standin::Capability;
use standin::transcript::{
    AtLeastOne, ForkOptions, Id, List, NamespaceKind, Nohang, Op, Owner, ProcessOp, SignalArg,
    Switch,
};

use super::super::belief::{Actor, Belief, Group, Ids, Life, Process};
use super::file::{someone, someones_label};
use super::{Made, Move, Pick, actor, path, row};

pub(super) const MOVES: &[Move] = &[
    row("fork", 9, fork),
    row("thread", 3, thread),
    row("exit", 4, exit),
    row("kill", 6, kill),
    row("wait", 6, wait),
    row("status", 1, status),
    row("pid", 1, pid),
    row("ppid", 1, ppid),
    row("subreaper", 1, subreaper),
    row("setid", 2, setid),
    row("capdrop", 1, capdrop),
    row("proc", 3, proc),
    row("exec", 1, exec),
    row("join", 1, join),
];

const KILL: i32 = 9;
const USR1: i32 = 10;
const CONT: i32 = 18;
const STOP: i32 = 19;
const WINCH: i32 = 28;

/// A capability that no other operation of a case needs.
pub(super) fn spare(by: u8) -> Option<Capability> {
    let name = Pick::of(by, &["net_raw", "sys_boot", "mknod", "sys_time", "wake_alarm"])?;
    Capability::from_name(name)
}

/// A slot for somebody new.
fn cradle(belief: &Belief, by: u8) -> Option<usize> {
    // Threads that are left of a process stand in its way.
    belief
        .actors
        .pick(by, |role, it| it.life == Life::Absent && belief.threads(role).next().is_none())
}

/// Makes a child as these options say.
pub(super) fn born(belief: &mut Belief, parent: usize, child: usize, options: ForkOptions) -> Made {
    let maker = *belief.actors.at(parent);
    let process = *belief.process(parent);
    let kinds: &[NamespaceKind] = options.new.as_ref().map_or(&[], |List(kinds)| kinds);
    let has = |kind: NamespaceKind| kinds.contains(&kind);
    *belief.actors.at_mut(child) = Actor {
        life: Life::Alive,
        process: child,
        parent: Some(maker.process),
        is_root: maker.is_root && options.uid.is_none() && !has(NamespaceKind::User),
        ids: if has(NamespaceKind::User) { Ids::Unmapped } else { maker.ids },
        gid: options.uid.map_or(maker.gid, |Id(uid)| uid),
        is_nested: has(NamespaceKind::Pid),
        is_childless: has(NamespaceKind::Pid),
        is_apart: maker.is_apart || has(NamespaceKind::Net),
        ..maker
    };
    *belief.processes.at_mut(child) = Process {
        is_stopped: false,
        is_subreaper: false,
        leads_session: false,
        leads_group: false,
        ..process
    };
    Some((parent, Op::Processes(ProcessOp::Fork { child: actor(child).clone(), options })))
}

/// Somebody who makes children.
pub(super) fn parent(belief: &Belief, by: u8, is_root: bool) -> usize {
    let fits = |role: usize, it: &Actor| {
        belief.is_ready(role) & !it.is_childless & (it.is_root | !is_root)
    };
    belief.actors.pick(by, fits).unwrap_or(0)
}

fn fork(belief: &mut Belief, pick: Pick) -> Made {
    let Some(child) = cradle(belief, pick.a) else { return wait(belief, pick) };
    let mut options = ForkOptions::default();
    match pick.b % 8 {
        5 => options.uid = Some(Id(1000)),
        6 => {
            let takes = |at: usize, it: &Group| {
                it.is_there && it.enables == 0 && !belief.is_frozen(at) && !belief.place(at).is_v1
            };
            if let Some(group) = belief.groups.pick(pick.c, takes) {
                let maker = parent(belief, pick.who, true);
                options.into = Some(path(belief.place(group).path));
                let made = born(belief, maker, child, options);
                belief.actors.at_mut(child).groups[0] = group;
                return made;
            }
        }
        7 => {
            const NEW: [NamespaceKind; 7] = [
                NamespaceKind::Uts,
                NamespaceKind::Ipc,
                NamespaceKind::User,
                NamespaceKind::Pid,
                NamespaceKind::Net,
                NamespaceKind::Cgroup,
                NamespaceKind::Mnt,
            ];
            options.new = Some(List(vec![Pick::of(pick.c, &NEW)?]));
        }
        _ => {}
    }
    let needs_root = options.new.is_some() || options.uid.is_some();
    let maker = parent(belief, pick.who, needs_root);
    born(belief, maker, child, options)
}

/// Makes a child in new namespaces.
pub(super) fn fork_new(belief: &mut Belief, pick: Pick, kind: NamespaceKind) -> Made {
    let Some(child) = cradle(belief, pick.a) else { return wait(belief, pick) };
    let options = ForkOptions { new: Some(List(vec![kind])), ..ForkOptions::default() };
    let maker = parent(belief, pick.who, true);
    born(belief, maker, child, options)
}

/// Makes another process with all rights.
pub(super) fn fork_plain(belief: &mut Belief, pick: Pick) -> Made {
    let Some(child) = cradle(belief, pick.a) else { return wait(belief, pick) };
    let maker = parent(belief, pick.who, true);
    born(belief, maker, child, ForkOptions::default())
}

fn thread(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = cradle(belief, pick.a) else { return wait(belief, pick) };
    let fits = |at: usize, it: &Actor| belief.is_ready(at) && !it.is_childless;
    let maker = belief.actors.pick(pick.who, fits)?;
    *belief.actors.at_mut(role) = Actor { parent: None, ..*belief.actors.at(maker) };
    Some((maker, Op::Processes(ProcessOp::Thread { thread: actor(role).clone() })))
}

fn exit(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = belief.actors.pick(pick.a, |it, _| it != 0 && belief.is_ready(it)) else {
        return fork(belief, pick);
    };
    let process = belief.actors.at(role).process;
    if process == role {
        belief.end(process);
    } else {
        belief.actors.at_mut(role).life = Life::Absent;
    }
    Some((role, Op::Processes(ProcessOp::Exit { code: i32::from(pick.b) })))
}

fn kill(belief: &mut Belief, pick: Pick) -> Made {
    let leads = |role: usize, it: &Actor| role != 0 && it.process == role && belief.is_alive(role);
    let Some(target) = belief.actors.pick(pick.a, leads) else { return fork(belief, pick) };
    let sends = |role: usize, it: &Actor| {
        it.is_root && belief.is_ready(role) && it.process != target && !it.is_nested
    };
    let sender = belief.actors.pick(pick.who, sends).unwrap_or(0);
    let counts = belief.processes.at(target).counts;
    let is_stopped = belief.processes.at(target).is_stopped;
    let signal = match pick.b % 6 {
        0 => 0,
        1 => KILL,
        2 if !is_stopped => STOP,
        2 | 3 => CONT,
        4 if counts => USR1,
        _ => WINCH,
    };
    match signal {
        KILL => belief.end(target),
        STOP => belief.processes.at_mut(target).is_stopped = true,
        CONT => belief.processes.at_mut(target).is_stopped = false,
        _ => {}
    }
    let op = ProcessOp::Kill { target: actor(target).clone(), signal: SignalArg(signal) };
    Some((sender, Op::Processes(op)))
}

pub(super) fn wait(belief: &mut Belief, pick: Pick) -> Made {
    let waits = |parent: usize| belief.threads(parent).find(|role| belief.is_ready(*role));
    let is_waited_for = |life: Life| {
        move |_: usize, it: &Actor| it.life == life && it.parent.and_then(waits).is_some()
    };
    let dead = belief.actors.pick(pick.a, is_waited_for(Life::Zombie));
    let child = dead.or_else(|| {
        let fits = is_waited_for(Life::Alive);
        belief.actors.pick(pick.a, |role, it| it.process == role && fits(role, it))
    });
    let Some(child) = child else {
        // Without this the two would ask each other for ever.
        return cradle(belief, pick.a).and_then(|_| fork_plain(belief, pick));
    };
    let waiter = belief.actors.at(child).parent.and_then(waits)?;
    let nohang = (dead.is_none() || pick.b % 2 == 1).then_some(Nohang::Nohang);
    if dead.is_some() {
        belief.actors.at_mut(child).life = Life::Absent;
    }
    let op = ProcessOp::Wait { target: actor(child).clone(), nohang };
    Some((waiter, Op::Processes(op)))
}

fn status(belief: &mut Belief, pick: Pick) -> Made {
    let target = someones_label(belief, pick.a);
    Some((belief.anybody(pick.who), Op::Processes(ProcessOp::Status { target })))
}

fn pid(belief: &mut Belief, pick: Pick) -> Made {
    Some((belief.anybody(pick.who), Op::Processes(ProcessOp::Pid {})))
}

fn ppid(belief: &mut Belief, pick: Pick) -> Made {
    Some((belief.anybody(pick.who), Op::Processes(ProcessOp::Ppid {})))
}

fn subreaper(belief: &mut Belief, pick: Pick) -> Made {
    let role = belief.anybody(pick.who);
    let is_on = pick.a.is_multiple_of(2);
    belief.process_mut(role).is_subreaper = is_on;
    let to = if is_on { Switch::On } else { Switch::Off };
    Some((role, Op::Processes(ProcessOp::Subreaper { to })))
}

/// Gives up all rights.
fn setid(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = belief.other_root(pick.who) else { return fork_plain(belief, pick) };
    let id = Pick::of(pick.a, &[1000, 1001])?;
    let actor = belief.actors.at_mut(role);
    (actor.is_root, actor.gid) = (false, id);
    let owner = Owner { uid: Id(id), gid: Id(id) };
    Some((role, Op::Processes(ProcessOp::Setid { owner })))
}

fn capdrop(belief: &mut Belief, pick: Pick) -> Made {
    let Some(role) = belief.other_root(pick.who) else { return fork_plain(belief, pick) };
    let capabilities = AtLeastOne(vec![spare(pick.a)?]);
    Some((role, Op::Processes(ProcessOp::Capdrop { capabilities })))
}

fn proc(belief: &mut Belief, pick: Pick) -> Made {
    let target = actor(someone(belief, pick.a)).clone();
    let file = path(Pick::of(pick.b, &["cgroup", "status", "stat", "comm", "uid_map", "limits"])?);
    Some((belief.anybody(pick.who), Op::Processes(ProcessOp::Proc { target, file })))
}

/// Becomes a program that ends at once.
fn exec(belief: &mut Belief, pick: Pick) -> Made {
    let fits =
        |role: usize, it: &Actor| belief.is_single(role) && belief.is_ready(role) && !it.is_nested;
    let Some(role) = belief.actors.pick(pick.who, fits) else { return fork_plain(belief, pick) };
    belief.end(role);
    let program = path(Pick::of(pick.a, &["/bin/true", "/bin/false"])?);
    Some((role, Op::Processes(ProcessOp::Exec { program, arguments: Vec::new() })))
}

fn join(belief: &mut Belief, pick: Pick) -> Made {
    let label = someones_label(belief, pick.a);
    Some((belief.anybody(pick.who), Op::Processes(ProcessOp::Join { actor: label })))
}
