//! Agents: views that are processes of their own.
//!
//! Starting one makes two processes. The program starts itself again as a *guard* (`guard`), which has
//! one thread and so can be copied; its copy, born as the options say, is the agent (`serve`). The
//! guard waits until the program or the agent is gone, and ends the agent in the first case: so
//! nothing is left behind, whatever the agent waits for. Both are children of the program. Calls
//! and answers (`client`, `serve`) are messages (`frame`) of values (`wire`, `codec`, `arguments`); their numbers
//! (`operations`) come from the traits' own tables.

mod arguments;
pub(crate) mod children;
mod client;
mod codec;
mod frame;
mod guard;
mod operations;
mod serve;
mod wire;

use std::os::fd::{AsFd as _, AsRawFd as _};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use standin::backend::{NamespaceKinds, Rlimit, RlimitResource, SpawnCredentials};
use standin::failure::Result;
use standin::handle::Dir;

use children::Child;
pub use client::Agent;
pub(crate) use guard::run;

use crate::handle::fd;
use crate::processes::child::{Image, Kept, Plan};
use crate::processes::clone::Birth;
use crate::processes::spawn;
use crate::raw::refused;
use crate::registry;

/// How an agent is born. All is the calling process's unless said otherwise; it leads a session of
/// its own and blocks no signal.
///
/// ```no_run
/// use standin::backend::{NamespaceKinds, Namespaces};
/// use standin_linux::{AgentOptions, Linux, Registry};
///
/// standin_linux::start(&Registry::new()); // first in `main`
/// let options = AgentOptions { namespaces: NamespaceKinds::UTS, ..AgentOptions::default() };
/// let agent = Linux::agent(&options)?;
/// agent.set_hostname(standin::KPath::new("inside").unwrap())?;
/// # Ok::<(), standin::Failure>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AgentOptions<'a> {
    /// New namespaces, of the agent itself: with `PID` it is their first process.
    pub namespaces: NamespaceKinds,
    /// The cgroup2 group it is born in.
    pub cgroup: Option<&'a Dir>,
    /// Limits that are set first.
    pub limits: &'a [(RlimitResource, Rlimit)],
    /// Who it is, as after running a program with these credentials.
    pub credentials: Option<&'a SpawnCredentials<'a>>,
}

/// Starts an agent and waits until it serves.
pub(crate) fn start(options: &AgentOptions<'_>) -> Result<Agent> {
    let executable = registry::executable()?;
    let (kind, flags) = (SocketType::STREAM, SocketFlags::CLOEXEC);
    let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, flags, None).map_err(refused)?;
    let (watched, lifeline) = pipe_with(PipeFlags::CLOEXEC).map_err(refused)?;
    let mut given = vec![theirs.as_fd(), watched.as_fd()];
    if let Some(cgroup) = options.cgroup {
        given.push(fd(cgroup.descriptor())?);
    }
    let kept = given.iter().zip(guard::SOCKET..);
    let kept = kept.map(|(from, to)| Kept { from: from.as_raw_fd(), between: -1, to }).collect();
    let (arguments, environment) = registry::agent_image()?;
    let plan = Plan {
        session: true,
        kept,
        directory: None,
        limits: Vec::new(),
        identity: None,
        parent_death: 0,
        mask: 0,
        image: Image::Open(executable.as_raw_fd()),
        arguments,
        environment,
    };
    let birth = Birth { clear_handlers: true, ..Birth::default() };
    let (pid, pidfd) = spawn::start(plan, birth, None)?;
    let guard = Child::held(pid, pidfd);
    drop((theirs, watched));
    client::meet(options, ours, lifeline, guard)
}
