//! A view: one thread of a machine, as a backend.

mod channels;
mod clock;
mod contexts;
mod files;
mod namespaces;
mod processes;

use std::fmt;
use std::sync::Arc;

use standin::backend::{Contexts, Fallback};
use standin::handle::{Descriptor, Owner, Scope};
use standin::{Backend, ExitCode, Failure, Place};

use crate::door::{self, Operation};
use crate::fs::descriptors;
use crate::kernel::Kernel;
use crate::machine::{Guard, Shared};
use crate::ops::PlaceArg;
use crate::ops::fork::Fork;
use crate::ops::processes::ExitThread;
use crate::run;
use crate::schedule;
use crate::shared;
use crate::task::{ProcessKey, ThreadKey};
use crate::trace;

/// One process of a machine, as a [`Backend`]: what a program is given, and what a test drives from outside.
///
/// Cloning a view gives another handle on the same process. A view is one thread: two calls of it at the same time, from
/// two threads of the host, are refused.
#[derive(Clone)]
pub struct View {
    inner: Arc<Inner>,
}

struct Inner {
    machine: Hold,
    thread: ThreadKey,
    /// Its process; none of who died at birth.
    process: Option<ProcessKey>,
    scope: Scope,
}

/// How a view holds its machine.
#[derive(Clone)]
enum Hold {
    /// From outside: the machine does not end before.
    Outside(Arc<Guard>),
    /// From a program of the machine itself.
    Inside(Arc<Shared>),
}

impl Inner {
    fn shared(&self) -> &Arc<Shared> {
        match &self.machine {
            Hold::Outside(guard) => &guard.shared,
            Hold::Inside(shared) => shared,
        }
    }
}

impl View {
    /// A view that is held outside of the machine.
    pub(crate) fn outside(guard: &Arc<Guard>, thread: ThreadKey) -> Self {
        let (process, serial) = known(&guard.shared, thread);
        Self::new(Hold::Outside(Arc::clone(guard)), thread, process, serial)
    }

    /// A view for a program of the machine.
    pub(crate) fn inside(shared: &Arc<Shared>, thread: ThreadKey) -> Self {
        let (process, serial) = known(shared, thread);
        Self::new(Hold::Inside(Arc::clone(shared)), thread, process, serial)
    }

    fn new(machine: Hold, thread: ThreadKey, process: Option<ProcessKey>, serial: u32) -> Self {
        let mut inner = Inner { machine, thread, process, scope: Scope(serial.into()) };
        inner.scope.0 |= inner.shared().id << 32;
        Self { inner: Arc::new(inner) }
    }

    /// The same thread of another machine, which goes on from a snapshot of this one's.
    #[cfg(feature = "transcript")]
    pub(crate) fn on(&self, shared: &Arc<Shared>) -> Self {
        let Scope(scope) = self.inner.scope;
        let serial = u32::try_from(scope & u64::from(u32::MAX)).unwrap_or_default();
        let Inner { thread, process, .. } = *self.inner;
        Self::new(Hold::Inside(Arc::clone(shared)), thread, process, serial)
    }

    /// fork(2): a child without a program, which is driven through its view. It has the parent's credentials, group,
    /// working directory and descriptors.
    ///
    /// # Errors
    /// EAGAIN: a limit of processes.
    pub fn fork(&self) -> Result<Self, Failure> {
        self.make(Fork::default())
    }

    /// clone(2) with `CLONE_THREAD`: another thread of this process, which is driven through its view.
    ///
    /// # Errors
    /// EAGAIN: a limit of processes, which counts threads.
    pub fn spawn_thread(&self) -> Result<Self, Failure> {
        self.make(Fork { is_thread: true, ..Fork::default() })
    }

    fn make(&self, fork: Fork) -> Result<Self, Failure> {
        let born = self.carry(fork)?;
        Ok(Self::new(self.inner.machine.clone(), born.thread, born.process, born.serial))
    }

    /// exit(2), the system call: ends this thread alone; the last one ends the process. Every later call of this view
    /// answers [`Failure::CallerDied`], this one first.
    ///
    /// # Errors
    /// Always.
    pub fn exit_thread(&self, code: ExitCode) -> Result<(), Failure> {
        self.carry(ExitThread { code })
    }

    /// Which thread it is.
    pub(crate) fn thread(&self) -> ThreadKey {
        self.inner.thread
    }

    /// The table that its handles stand in: one a process.
    pub(crate) fn scope(&self) -> Scope {
        self.inner.scope
    }

    /// Carries an operation through the kernel.
    pub(crate) fn carry<O: Operation>(&self, operation: O) -> Result<O::Answer, Failure> {
        let shared = self.inner.shared();
        shared.note_foreign(O::NAME);
        door::carry(shared, self.inner.thread, operation)
    }

    /// A handle on a descriptor of this process.
    pub(crate) fn handle(&self, number: u32) -> Descriptor {
        let owner: Arc<dyn Owner> = Arc::<Inner>::clone(&self.inner);
        Descriptor::new(owner, self.inner.scope, number)
    }

    /// A place, with its directory as a number of this process's table.
    pub(crate) fn place<'a>(&self, place: Place<'a>) -> Result<PlaceArg<'a>, Failure> {
        PlaceArg::new(place, self.inner.scope)
    }
}

fn known(shared: &Shared, thread: ThreadKey) -> (Option<ProcessKey>, u32) {
    let kernel = shared.lock();
    (Some(kernel.tasks.process_of(thread)), kernel.process(thread).serial)
}

impl Inner {
    /// Who is told of as the one who closes a descriptor: a thread that is gone leaves what it opened to the others of its
    /// process.
    fn closer(&self, kernel: &Kernel) -> ThreadKey {
        let tasks = &kernel.tasks;
        if tasks.threads.get(self.thread).is_some() {
            return self.thread;
        }
        let process = self.process.and_then(|process| tasks.processes.get(process));
        process.and_then(|process| process.threads.first(&tasks.threads)).unwrap_or(self.thread)
    }

    /// Notes a close and what it touches, where somebody asks.
    #[cold]
    #[inline(never)]
    fn note_release(&self, kernel: &mut Kernel, number: u32) {
        let thread = self.closer(kernel);
        if kernel.order.is_some() {
            let is_inside = run::is_inside(self.shared().id);
            let footprint = schedule::of_close(kernel, thread, number);
            if let Some(order) = &mut kernel.order {
                if is_inside { order.touched(&footprint) } else { order.barrier() }
            }
        }
        if kernel.trace.is_some() {
            trace::close(kernel, thread, number);
        }
    }
}

impl Owner for Inner {
    fn release(&self, number: u32) {
        let shared = self.shared();
        shared.note_foreign("close");
        let mut kernel = shared.lock();
        if kernel.order.is_some() || kernel.trace.is_some() {
            self.note_release(&mut kernel, number);
        }
        if let Some(process) = self.process
            && !shared::unmap(&mut kernel, process, number)
        {
            descriptors::close(&mut kernel, process, number);
        }
        drop(kernel);
        crate::outside::notify(shared);
    }
}

impl fmt::Debug for View {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "View of thread {:?} of machine {}", self.inner.thread, self.inner.shared().id)
    }
}

impl Fallback for View {
    /// Counted like every other question that the machine has no answer to.
    fn not_modelled(&self, operation: &'static str) -> Failure {
        let failure = Failure::NotModelled(operation);
        self.inner.shared().lock().census.note(&failure);
        failure
    }
}

impl Backend for View {
    fn contexts(&self) -> Option<&dyn Contexts> {
        if self.inner.shared().lock().profile.contexts { Some(self) } else { None }
    }
}
