//! Makes an inventory of a kernel's state.

use std::collections::BTreeMap;

use standin::Pid;

use super::{Inventory, Thing};
use crate::cgroup::look::{self as groups, path_of};
use crate::cgroup::{CgroupKey, filesystem};
use crate::fs::{Node, OpenFile, OpenKind, proc};
use crate::kernel::Kernel;
use crate::namespace;
use crate::socket;
use crate::task::State;

impl Inventory {
    pub(crate) fn of(kernel: &Kernel) -> Self {
        let mut things = BTreeMap::new();
        add_groups(kernel, &mut things);
        add_processes(kernel, &mut things);
        for (key, mount) in kernel.vfs.mounts.iter() {
            let mut at = Vec::new();
            // Below /proc a place has no path here; it is a mount all the same.
            let known = proc::add_path(kernel, key, &mut at).is_ok();
            let at = match (known, at.is_empty()) {
                (false, _) => "somewhere in /proc".to_owned(),
                (true, true) => "/".to_owned(),
                (true, false) => String::from_utf8_lossy(&at).into_owned(),
            };
            let state = format!("{} on {at}", mount.name);
            things.insert(Thing::Mount { order: mount.order }, state);
        }
        for (kind, number, holders) in namespace::look::all(&kernel.namespaces) {
            let kind = format!("{kind:?}").to_lowercase();
            things.insert(Thing::Namespace { kind, number }, format!("{holders} hold it"));
        }
        for (number, state) in socket::look::all(&kernel.sockets) {
            things.insert(Thing::Socket { number }, state);
        }
        Self { things }
    }
}

fn add_groups(kernel: &Kernel, things: &mut BTreeMap<Thing, String>) {
    for group in groups::all(kernel) {
        let (hierarchy, path) = (group.hierarchy, group.path);
        for (file, value) in group.settings {
            let (hierarchy, path) = (hierarchy.clone(), path.clone());
            things.insert(Thing::Setting { hierarchy, path, file }, value);
        }
        let state = format!("of user {}", group.owner);
        things.insert(Thing::Cgroup { hierarchy, path }, state);
    }
}

fn add_processes(kernel: &Kernel, things: &mut BTreeMap<Thing, String>) {
    for (_, process) in kernel.tasks.processes.iter() {
        let pid = Pid(process.number);
        let leader = kernel.tasks.threads.at(process.leader);
        let name = String::from_utf8_lossy(&leader.name).into_owned();
        let parent = process.parent.map(|parent| kernel.tasks.processes.at(parent).number);
        let state = match process.state {
            State::Zombie(status) => format!("zombie, {status:?}"),
            State::Stopped { .. } => "stopped".to_owned(),
            State::Alive if leader.stands_still() => "frozen".to_owned(),
            State::Alive => "running".to_owned(),
        };
        let place = path_of(kernel, leader.cgroup);
        let state =
            format!("{name}, {state}, in {place}, a child of {}", parent.unwrap_or_default());
        things.insert(Thing::Process(pid), state);
        for (number, file) in process.descriptors.iter() {
            let state = opened(kernel, kernel.vfs.files.at(file));
            things.insert(Thing::Handle { process: pid, number }, state);
        }
    }
}

/// What a descriptor leads to.
fn opened(kernel: &Kernel, file: &OpenFile) -> String {
    let there = |group: CgroupKey| kernel.cgroups.table.get(group).is_some();
    match &file.kind {
        OpenKind::Node(_) => match file.spot.node {
            Node::Cgroup(group) if there(group) => format!("cgroup {}", path_of(kernel, group)),
            Node::Control(group, _) if there(group) => {
                let name = filesystem::name_of(file.spot.node).unwrap_or_default();
                format!("{name} of cgroup {}", path_of(kernel, group))
            }
            Node::Cgroup(_) | Node::Control(..) => "a cgroup that is gone".to_owned(),
            Node::Tmp(_) => "a file".to_owned(),
            Node::Proc(_) => "a file of /proc".to_owned(),
        },
        OpenKind::Process(process, _) => match kernel.tasks.processes.get(*process) {
            Some(process) => format!("process {}", process.number),
            None => "a process that is gone".to_owned(),
        },
        OpenKind::Socket(socket) => format!("socket {}", socket.index()),
        OpenKind::Pipe(..) => "a pipe".to_owned(),
        OpenKind::Counter(_) => "an event counter".to_owned(),
        OpenKind::Watcher(_) => "a set of watches".to_owned(),
        OpenKind::Namespace(_) => "a namespace".to_owned(),
    }
}
