//! The parts that this program plays for a stage: the watcher, and the first actor.
//!
//! It is started again for them. On a machine of the runner's own, where scripts are many and the runner has one thread,
//! it copies itself instead, which costs less.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use standin::failure::Result;
use standin::id::Pid;

use super::undo::mark_entry;
use super::{Tenancy, debut, watcher};
use crate::processes::child::{Image, Kept, Plan, leave};
use crate::processes::clone::Birth;
use crate::processes::spawn;
use crate::raw::refused;
use crate::registry;

/// The name of a part, as its first argument says it.
const WATCHER: &[u8] = b"watcher";
const ACTOR: &[u8] = b"actor";

/// Behind a watcher's other arguments: whose the machine is, if it is not shared.
const TENANCIES: [(&[u8], Tenancy); 2] = [(b"alone", Tenancy::Own), (b"fresh", Tenancy::Fresh)];

/// The tenancy of a watcher with this last argument.
pub(super) fn tenancy_of(word: &[u8]) -> Option<Tenancy> {
    TENANCIES.iter().find(|(known, _)| *known == word).map(|(_, tenancy)| *tenancy)
}

/// What a part is told, behind its role.
pub(super) type Arguments = Vec<Vec<u8>>;

/// The whole life of a process that was started as a part of a stage.
pub(crate) fn play(mut arguments: Arguments) -> ! {
    if arguments.is_empty() {
        leave(127);
    }
    let part = arguments.remove(0);
    if part == WATCHER {
        watcher::run(&arguments);
    }
    if part == ACTOR {
        debut::run();
    }
    leave(127)
}

/// Starts the watcher. It keeps the runner's stderr, for what only it can tell.
pub(super) fn start_watcher(
    journal: &[u8],
    mark: &str,
    tenancy: Tenancy,
    socket: &OwnedFd,
    turn: &OwnedFd,
) -> Result<(Pid, OwnedFd)> {
    // The watcher does not bear the mark itself: it ends what does.
    let mut arguments: Vec<&[u8]> = vec![WATCHER, journal, mark.as_bytes()];
    let known = TENANCIES.iter().find(|(_, known)| *known == tenancy);
    arguments.extend(known.map(|(word, _)| *word));
    let stderr = std::io::stderr();
    let kept = [(socket, watcher::SOCKET), (turn, watcher::TURN)];
    start(&arguments, &[], tenancy, stderr.as_fd(), &kept)
}

/// Starts the first actor, as a child of the watcher. It takes the rest through its socket.
pub(super) fn start_actor(
    mark: &str,
    tenancy: Tenancy,
    socket: &OwnedFd,
) -> Result<(Pid, OwnedFd)> {
    let environment = mark_entry(mark);
    let null = null()?;
    let kept = [(socket, debut::SOCKET)];
    start(&[ACTOR], &[environment.as_bytes()], tenancy, null.as_fd(), &kept)
}

fn null() -> Result<OwnedFd> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).map_err(refused)
}

fn start(
    arguments: &[&[u8]],
    environment: &[&[u8]],
    tenancy: Tenancy,
    stderr: BorrowedFd<'_>,
    others: &[(&OwnedFd, i32)],
) -> Result<(Pid, OwnedFd)> {
    let null = null()?;
    let image = if tenancy.is_alone() {
        let arguments = arguments.iter().map(|argument| argument.to_vec()).collect();
        Image::Part(|arguments| play(arguments), arguments)
    } else {
        Image::Open(registry::executable()?.as_raw_fd())
    };
    let (arguments, environment) = registry::stage_image(arguments, environment)?;
    let streams = [(null.as_fd(), 0), (null.as_fd(), 1), (stderr, 2)];
    let others = others.iter().map(|(from, to)| (from.as_fd(), *to));
    let kept = streams.into_iter().chain(others);
    let kept = kept.map(|(from, to)| Kept { from: from.as_raw_fd(), between: -1, to }).collect();
    let plan = Plan {
        session: true,
        kept,
        directory: None,
        limits: Vec::new(),
        identity: None,
        parent_death: 0,
        mask: 0,
        image,
        arguments,
        environment,
    };
    let birth = Birth { clear_handlers: true, ..Birth::default() };
    spawn::start(plan, birth, None)
}
