//! What a process is asked to do that no call of its own does: a child without a program, a handle that somebody else holds
//! for it. For whoever drives processes from outside: the stage of transcripts, and the cases of properties.

use std::sync::Arc;

use standin::backend::{Files as _, Rlimit, RlimitResource};
use standin::handle::Dir;
use standin::transcript::ForkOptions;
use standin::{Errno, Failure, Place};

use crate::door::Operation;
use crate::fs::{OpenKind, descriptors};
use crate::kernel::Kernel;
use crate::namespace::pid::Inner;
use crate::ops::fork::Fork;
use crate::step::Step;
use crate::task::{ProcessKey, ThreadKey, limit};
use crate::view::View;

/// Makes a child as `fork` of the language does, but for the step that `uid` asks of the child.
pub(crate) fn give_birth(view: &View, options: &ForkOptions) -> Result<ThreadKey, Failure> {
    view.carry(Room {})?;
    let into: Option<Dir> =
        options.into.as_ref().map(|path| view.open_dir(Place::cwd(path))).transpose()?;
    let into = into.as_ref().map(|into| into.descriptor().number());
    let kinds = options.new.iter().flat_map(|kinds| kinds.0.iter().copied());
    let new = kinds.map(Into::into).collect();
    Ok(view.carry(Fork { into, is_thread: false, new })?.thread)
}

/// `fork` wants two free numbers (spec/transcript.md, Descriptors).
struct Room {}

impl Operation for Room {
    type Answer = ();
    const NAME: &'static str = "fork";
    const IS_TOLD: bool = false;

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<()> {
        const STANDARD: u64 = 3;
        let process = kernel.tasks.process_of(caller);
        let open = kernel.tasks.processes.at(process).descriptors.iter().count() as u64;
        let limit = kernel.soft_limit(process, RlimitResource::OpenFiles);
        let full = limit.is_some_and(|limit| STANDARD + open + 2 > limit);
        if full { Err(Errno::EMFILE.into()) } else { Ok(()) }
    }
}

/// A handle of an actor's process, as the stage has held it since its birth.
pub(crate) struct Hold {
    pub(crate) process: ProcessKey,
    pub(crate) inner: Option<Arc<Inner>>,
}

impl Operation for Hold {
    type Answer = u32;
    const NAME: &'static str = "open_pid";
    const IS_TOLD: bool = false;

    fn handle(&mut self, kernel: &mut Kernel, caller: ThreadKey) -> Step<u32> {
        // It is the stage's own, above all numbers that the actor can have: no limit of the actor's concerns it.
        let process = kernel.tasks.process_of(caller);
        let limit = kernel.limit(process, RlimitResource::OpenFiles);
        limit::set(kernel, process, RlimitResource::OpenFiles, Rlimit { soft: None, hard: None });
        let handle = OpenKind::Process(self.process, self.inner.take());
        let number = descriptors::install_object(kernel, caller, handle);
        limit::set(kernel, process, RlimitResource::OpenFiles, limit);
        number
    }
}
