//! Who is alive in a group: its [`Events`], a [`Watch`] on them, waiting until nobody is left, freezing and killing.
//!
//! v2 tells of changes (cgroup-v2.rst, `cgroup.events`). v1 tells of nothing, so there it is looked at again and again, with
//! pauses that get longer.

use std::time::Duration;

use super::control;
use super::deletion::{below, kill, sleep};
use super::error::{Action, Result};
use super::explain;
use super::group::{Group, files};
use super::hierarchy::Version;
use super::name::FileName;
use super::rule::Rule;
use super::value::Value;
use crate::backend::{Backend, Deadline, Interest, OpenOptions, PollEvents};
use crate::controller::Controller;
use crate::failure::Failure;
use crate::handle::File;
use crate::id::Bytes;

/// What a group says of those in it and below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Events {
    /// Somebody is alive.
    pub populated: bool,
    /// All of them stand still.
    pub frozen: bool,
}

/// The longest text of `cgroup.events`.
const LONGEST_TEXT: usize = 256;
/// Pauses between looks where nothing tells of changes.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(50);

impl Group {
    /// What it says now of those in it and below it. A v1 group is frozen if it is one of the freezer's and says so.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn events(&self, backend: &dyn Backend) -> Result<Events> {
        if self.hierarchy().version() == Version::V2 && !self.path().is_root() {
            let content = self.read(backend, &files::events())?;
            let flag = |key| content.entry::<u8>(key).map(|said| said == Some(1));
            return Ok(Events { populated: flag("populated")?, frozen: flag("frozen")? });
        }
        let mut populated = false;
        for group in below(backend, self)? {
            populated |= !group.threads(backend)?.is_empty();
        }
        let frozen = match self.freezer() {
            Some(file) => self.read(backend, &file)?.text()? == "FROZEN",
            None => false,
        };
        Ok(Events { populated, frozen })
    }

    /// Begins to watch a group of v2.
    ///
    /// # Errors
    /// [`Rule::NoFile`] of a root and in v1, which tell of nothing; [`Rule::Vanished`].
    pub fn watch(&self, backend: &dyn Backend) -> Result<Watch> {
        let file = files::events();
        let opened = backend.open(control::of(self.directory(), &file), &OpenOptions::read());
        let failed = |failure: Failure| {
            let rule = explain::read(backend, self, &file, &failure);
            self.failed(Action::Read, failure, rule).in_file(&file)
        };
        Ok(Watch { group: self.reopened(), file: opened.map_err(failed)? })
    }

    /// Waits until nobody is alive in it and below it; whether that came before the deadline. One that has ended counts until
    /// it is waited for in v1, and not in v2.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub fn wait_empty(&self, backend: &dyn Backend, deadline: Deadline) -> Result<bool> {
        self.wait(backend, deadline, |events| !events.populated)
    }

    /// Lets everybody in it and below it stand still, and waits until they do; whether that came before the deadline.
    ///
    /// # Errors
    /// [`Rule::Root`]; [`Rule::ControllerMissing`] in a v1 hierarchy without the freezer; as [`set`](Self::set).
    pub fn freeze(&self, backend: &dyn Backend, deadline: Deadline) -> Result<bool> {
        self.tell(backend, "1", "FROZEN")?;
        self.wait(backend, deadline, |events| events.frozen)
    }

    /// Lets everybody go on.
    ///
    /// # Errors
    /// As [`freeze`](Self::freeze).
    pub fn thaw(&self, backend: &dyn Backend) -> Result<()> {
        self.tell(backend, "0", "THAWED")
    }

    /// Kills everybody in it and below it: at once where the kernel can, one by one in v1.
    ///
    /// # Errors
    /// [`Rule::Root`]; as [`set`](Self::set).
    pub fn kill(&self, backend: &dyn Backend) -> Result<()> {
        if self.path().is_root() {
            return Err(self.found(Action::Write, Rule::Root));
        }
        kill(backend, self)
    }

    fn tell(&self, backend: &dyn Backend, v2: &str, v1: &str) -> Result<()> {
        if self.path().is_root() {
            return Err(self.found(Action::Write, Rule::Root));
        }
        let (file, text) = match (self.hierarchy().version(), self.freezer()) {
            (Version::V2, _) => (files::freeze(), v2),
            (Version::V1, Some(file)) => (file, v1),
            (Version::V1, None) => {
                let missing = Rule::ControllerMissing(Controller::Freezer.into());
                return Err(self.found(Action::Write, missing));
            }
        };
        self.write(backend, &file, &Value::try_from(text)?)
    }

    /// The file of the v1 freezer, if it has one.
    fn freezer(&self) -> Option<FileName> {
        let fixed = self.hierarchy().fixed_controllers()?;
        let has = fixed.contains(Controller::Freezer) && !self.path().is_root();
        has.then(files::freezer_state)
    }

    fn wait(
        &self,
        backend: &dyn Backend,
        deadline: Deadline,
        is_done: impl Fn(Events) -> bool,
    ) -> Result<bool> {
        if self.hierarchy().version() == Version::V2 && !self.path().is_root() {
            let watch = self.watch(backend)?;
            loop {
                if is_done(watch.now(backend)?) {
                    return Ok(true);
                }
                if !watch.changes(backend, deadline)? {
                    return Ok(is_done(watch.now(backend)?));
                }
            }
        }
        let mut pause = SHORTEST;
        loop {
            if is_done(self.events(backend)?) {
                return Ok(true);
            }
            let failed = |failure| self.failed(Action::Read, failure, None);
            let is_over = match deadline {
                Deadline::Now => true,
                Deadline::At(until) => backend.monotonic().map_err(failed)? >= until,
                Deadline::Never => false,
            };
            if is_over {
                return Ok(false);
            }
            sleep(backend, pause).map_err(failed)?;
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// A group that is watched, by its open `cgroup.events`: nothing that happens between two looks is missed.
#[derive(Debug)]
pub struct Watch {
    group: Group,
    file: File,
}

impl Watch {
    /// What the group says now.
    ///
    /// # Errors
    /// [`Rule::Vanished`].
    pub fn now(&self, backend: &dyn Backend) -> Result<Events> {
        let mut text = [0; LONGEST_TEXT];
        let length = backend.pread(&self.file, &mut text, Bytes(0)).map_err(|failure| {
            let rule = explain::gone(backend, &self.group, &failure);
            self.group.failed(Action::Read, failure, rule).in_file(&files::events())
        })?;
        let text = text.get(..length).unwrap_or_default();
        let has = |line: &[u8]| text.split(|byte| *byte == b'\n').any(|it| it == line);
        Ok(Events { populated: has(b"populated 1"), frozen: has(b"frozen 1") })
    }

    /// Waits for a change since the last look; whether one came before the deadline.
    ///
    /// # Errors
    /// As [`Clock::poll`](crate::backend::Clock::poll).
    pub fn changes(&self, backend: &dyn Backend, deadline: Deadline) -> Result<bool> {
        let interest = Interest { handle: self.file.descriptor(), events: PollEvents::PRIORITY };
        let ready = backend.poll(&[interest], deadline);
        let ready = ready.map_err(|failure| {
            self.group.failed(Action::Read, failure, None).in_file(&files::events())
        })?;
        Ok(ready.first().is_some_and(|ready| !ready.is_empty()))
    }
}
