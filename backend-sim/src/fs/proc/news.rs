//! Files of /proc that have news for who polls them, once for each time they were opened (poll(2)): lists of mounts when the mounts
//! of their namespace change, and the two names of the system when somebody sets one, in whatever namespace.
//!
//! Neighbours: `ops::poll`, which asks, and `fs::open`, since what was before is no news.

use standin::backend::PollEvents;

use super::row::Content;
use super::{ProcNode, sysctl};
use crate::fs::opened::Beginning;
use crate::fs::{FileKey, Node, OpenKind, opened};
use crate::kernel::Kernel;
use crate::namespace::{Held, mount, uts};
use crate::wait::Channel;

/// What a file is ready for when there are no news: it can be read, and a setting also written.
const LIST: PollEvents = PollEvents::INPUT;
const SETTING: PollEvents = PollEvents::INPUT.union(PollEvents::OUTPUT);
const NEWS: PollEvents = PollEvents::PRIORITY.union(PollEvents::ERROR);
const ENDED: PollEvents = PollEvents::ERROR.union(PollEvents::HANG_UP);

/// How often what a file is about has changed so far, and what tells of the next time; `None` for most files.
fn count(kernel: &Kernel, node: ProcNode, namespace: Option<Held>) -> Option<(u64, Channel)> {
    if let ProcNode::Setting(id) = node {
        let which = sysctl::name_of_system(id)?;
        return Some((uts::times_set(kernel, which), Channel::Name(which)));
    }
    match namespace {
        Some(Held::Mount(of)) if node.content() != Content::MountStatistics => {
            Some((mount::changes(kernel, of), Channel::Mounts(of)))
        }
        Some(_) | None => None,
    }
}

/// What a file begins with that is opened now: nothing that has happened so far is news.
pub(super) fn beginning(kernel: &Kernel, node: ProcNode, namespace: Option<Held>) -> Beginning {
    let seen = count(kernel, node, namespace).map(|(count, _)| count);
    Beginning { namespace, seen }
}

/// What an open file of /proc is ready for, and what tells when it has news; `None` for those that never have.
pub(crate) fn poll(
    kernel: &Kernel,
    (file, node): (FileKey, ProcNode),
    seen: Option<u64>,
) -> Option<(PollEvents, Channel)> {
    let (count, channel) = count(kernel, node, opened::namespace_of(kernel, file))?;
    let usual = if matches!(node, ProcNode::Setting(_)) { SETTING } else { LIST };
    let news = if seen == Some(count) { PollEvents::empty() } else { NEWS };
    Some((usual | news, channel))
}

/// What a file is ready for whose namespace has ended.
pub(crate) fn poll_ended(kernel: &Kernel, file: FileKey) -> Option<PollEvents> {
    let held = opened::namespace_of(kernel, file)?;
    (!kernel.namespaces.exists(held)).then_some(ENDED)
}

/// Somebody was told what news an open file had.
pub(crate) fn told(kernel: &mut Kernel, file: FileKey) {
    let Node::Proc(node) = kernel.vfs.files.at(file).spot.node else { return };
    let Some((count, _)) = count(kernel, node, opened::namespace_of(kernel, file)) else { return };
    if let OpenKind::Node(served) = &mut kernel.vfs.files.at_mut(file).kind {
        served.seen = Some(count);
    }
}
