//! Programs of this program: what a registered path starts, and how the program finds out what it
//! was started as.
//!
//! A closure is never forked out of a program with threads. A path of the registry starts the
//! running program again, which sees in [`start`] that it is that path's program: by its first
//! argument and an environment variable together, so that neither alone does it by accident. An
//! agent starts in the same way.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt};
use std::sync::{Arc, OnceLock};

use rustix::fs::{Mode, OFlags};
use rustix::io::fcntl_dupfd_cloexec;
use standin::backend::Backend;
use standin::failure::{Failure, Result};
use standin::id::ExitCode;
use standin::path::{KPath, KPathBuf};

use crate::agent;
use crate::processes::child::{Strings, leave};
use crate::processes::spawn::texts;
use crate::raw::refused;
use crate::view::Linux;

/// What a program is: its view, and its arguments, the name it was called by first.
type Program = dyn Fn(&dyn Backend, &[Vec<u8>]) -> ExitCode + Send + Sync;

/// The environment variable of a program that was started again; its value is the role.
const VARIABLE: &str = "STANDIN_LINUX_ROLE";
/// The first argument, before the role.
const MARK: &str = "standin-linux:";
const PROGRAM: &str = "program";
const AGENT: &str = "agent";
#[cfg(feature = "transcript")]
const STAGE: &str = "stage";

/// Descriptors of our own stand from here on, out of the way of those that a program counts.
pub(crate) const FIRST_OWN: i32 = 900;

/// Paths that start a part of this program.
///
/// ```no_run
/// use standin::{Backend, ExitCode};
/// use standin_linux::Registry;
///
/// let registry = Registry::new().program("/bin/worker", |kernel, args| {
///     let _ = (kernel, args);
///     ExitCode::SUCCESS
/// });
/// standin_linux::start(&registry); // first in `main`
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    programs: BTreeMap<KPathBuf, Arc<Program>>,
}

impl Registry {
    /// One without programs; it is what agents need.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a program: what a process runs that was spawned, or called exec, with exactly this
    /// path. It gets a view of its own, which has all calls, and its arguments, the name it was
    /// called by first.
    ///
    /// # Panics
    /// If the path holds a NUL.
    #[must_use]
    pub fn program(
        mut self,
        path: &str,
        run: impl Fn(&dyn Backend, &[Vec<u8>]) -> ExitCode + Send + Sync + 'static,
    ) -> Self {
        let path = KPathBuf::new(path).expect("a path holds no NUL");
        self.programs.insert(path, Arc::new(run));
        self
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.programs.keys()).finish()
    }
}

/// What [`start`] found.
struct Started {
    registry: Registry,
    /// The running program's file.
    executable: OwnedFd,
}

static STARTED: OnceLock<Started> = OnceLock::new();

/// To be called first in `main`, while there is one thread: what makes agents and registered
/// programs possible. In a process that was started as one of them it does not return.
///
/// Without /proc there are none: spawning them answers `Unsupported`.
pub fn start(registry: &Registry) {
    let Ok(executable) = open_executable() else { return };
    if STARTED.set(Started { registry: registry.clone(), executable }).is_err() {
        return;
    }
    let mut arguments = std::env::args_os().map(OsStringExt::into_vec);
    let role = arguments.next().unwrap_or_default();
    let Some(role) = role.strip_prefix(MARK.as_bytes()) else { return };
    if std::env::var_os(VARIABLE).as_deref() != Some(OsStr::from_bytes(role)) {
        return;
    }
    if role == PROGRAM.as_bytes() {
        let path = arguments.next().unwrap_or_default();
        let arguments: Vec<_> = arguments.collect();
        leave(run(registry, &path, &arguments));
    }
    if role == AGENT.as_bytes() {
        agent::run();
    }
    #[cfg(feature = "transcript")]
    if role == STAGE.as_bytes() {
        crate::stage::play(arguments.collect());
    }
}

/// Runs a program; 127 if there is none, as a shell says.
fn run(registry: &Registry, path: &[u8], arguments: &[Vec<u8>]) -> i32 {
    match KPath::new(path).ok().and_then(|path| registry.programs.get(path)) {
        Some(program) => program(&Linux::own(), arguments).0,
        None => 127,
    }
}

fn open_executable() -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let opened = rustix::fs::open("/proc/self/exe", flags, Mode::empty()).map_err(refused)?;
    Ok(out_of_the_way(opened))
}

/// Moves a descriptor of ours to a high number, if there is one.
pub(crate) fn out_of_the_way(descriptor: OwnedFd) -> OwnedFd {
    fcntl_dupfd_cloexec(&descriptor, FIRST_OWN).unwrap_or(descriptor)
}

fn started() -> Result<&'static Started> {
    STARTED.get().ok_or(Failure::Unsupported(
        "this program cannot start itself again: call standin_linux::start first in main",
    ))
}

/// The running program's file, to be run again.
pub(crate) fn executable() -> Result<BorrowedFd<'static>> {
    Ok(started()?.executable.as_fd())
}

/// Arguments and environment for running this program again, if the path is registered.
pub(crate) fn image_of(
    path: &KPath,
    arguments: &[&[u8]],
    environment: &[&[u8]],
) -> Option<Result<(Strings, Strings)>> {
    let known = STARTED.get().is_some_and(|started| started.registry.programs.contains_key(path));
    known.then(|| image(PROGRAM, &[&[path.as_bytes()], arguments].concat(), environment))
}

/// Arguments and environment of an agent.
pub(crate) fn agent_image() -> Result<(Strings, Strings)> {
    image(AGENT, &[], &[])
}

/// Arguments and environment of a part of a stage.
#[cfg(feature = "transcript")]
pub(crate) fn stage_image(
    arguments: &[&[u8]],
    environment: &[&[u8]],
) -> Result<(Strings, Strings)> {
    image(STAGE, arguments, environment)
}

fn image(role: &str, arguments: &[&[u8]], environment: &[&[u8]]) -> Result<(Strings, Strings)> {
    let mark = format!("{MARK}{role}");
    let variable = format!("{VARIABLE}={role}");
    let arguments = [&[mark.as_bytes()], arguments].concat();
    let environment = [&[variable.as_bytes()], environment].concat();
    Ok((texts(&arguments)?, texts(&environment)?))
}
