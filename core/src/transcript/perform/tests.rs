//! Operations over a kernel of a few calls: what they ask for, and the form of what they answer.

use std::sync::Arc;

use parking_lot::Mutex;

use super::*;
use crate::backend::{
    Channels, Clock, Files, Namespaces, OpenOptions, Processes, WaitOptions, WaitStatus,
};
use crate::errno::Errno;
use crate::handle::{File, Owner, Scope};
use crate::id::{Bytes, Gid, Uid};
use crate::path::{Follow, Place};
use crate::signal::Signal;
use crate::transcript::ActorId;

/// One file, `/f`, and a log of what was asked. Every other name is missing; `/secret` may not be opened.
#[derive(Default)]
struct Small {
    content: Vec<u8>,
    log: Arc<Mutex<Vec<String>>>,
}

struct Closes(Arc<Mutex<Vec<String>>>);

impl Owner for Closes {
    fn release(&self, number: u32) {
        self.0.lock().push(format!("close {number}"));
    }
}

impl Small {
    fn holding(content: &[u8]) -> Self {
        Self { content: content.to_vec(), log: Arc::default() }
    }

    fn note(&self, line: String) {
        self.log.lock().push(line);
    }

    fn read_at(&self, file: &File, buffer: &mut [u8], offset: usize) -> Result<usize> {
        file.descriptor().number_in(Scope(1))?;
        let rest = self.content.get(offset..).unwrap_or_default();
        let length = rest.len().min(buffer.len()).min(3);
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}

impl Files for Small {
    fn open(&self, place: Place<'_>, _options: &OpenOptions) -> Result<File> {
        self.note(format!("open {}", place.path));
        match place.path.as_bytes() {
            b"/secret" => Err(Errno::EACCES.into()),
            b"/f" | b"/g/cgroup.procs" | b"/proc/7/cgroup" => {
                let owner = Arc::new(Closes(Arc::clone(&self.log)));
                let number = u32::try_from(self.log.lock().len()).unwrap();
                Ok(Descriptor::new(owner, Scope(1), number).into())
            }
            _ => Err(Errno::ENOENT.into()),
        }
    }

    /// Three bytes at a time.
    fn read(&self, file: &File, buffer: &mut [u8]) -> Result<usize> {
        let offset = self.log.lock().iter().filter(|line| line.starts_with("read")).count() * 3;
        self.note(format!("read {offset}"));
        self.read_at(file, buffer, offset)
    }

    fn pread(&self, file: &File, buffer: &mut [u8], offset: Bytes) -> Result<usize> {
        self.read_at(file, buffer, usize::try_from(offset.0).unwrap())
    }

    fn write(&self, file: &File, bytes: &[u8]) -> Result<usize> {
        file.descriptor().number_in(Scope(1))?;
        self.note(format!("write {}", String::from_utf8_lossy(bytes)));
        if bytes == b"bad" { Err(Errno::EINVAL.into()) } else { Ok(bytes.len()) }
    }

    fn chown(&self, _: Place<'_>, owner: Option<Uid>, group: Option<Gid>, _: Follow) -> Result<()> {
        self.note(format!("chown {owner:?} {group:?}"));
        Ok(())
    }
}

impl Processes for Small {
    fn signal(&self, _process: &PidHandle, signal: Option<Signal>) -> Result<()> {
        self.note(format!("signal {signal:?}"));
        if signal.is_none() { Err(Errno::EPERM.into()) } else { Ok(()) }
    }

    fn wait(&self, _process: &PidHandle, options: WaitOptions) -> Result<Option<WaitStatus>> {
        Ok((!options.nonblocking).then_some(WaitStatus::Killed(Signal::TERM)))
    }
}

impl Namespaces for Small {}
impl Channels for Small {}
impl Clock for Small {}
impl crate::backend::Fallback for Small {}

impl Backend for Small {}

fn act(kernel: &Small, actor: &Actor, op: &str) -> Outcome {
    let numbers = vec![(Label::new("p").unwrap(), Pid(7))];
    let aim = Aim { target: Some(ActorId(1)), in_proc: Some(Pid(7)), numbers, initial: None };
    let target = PidHandle::from(Descriptor::new(Arc::new(Closes(Arc::default())), Scope(1), 9));
    perform(kernel, actor, &Task { op: op.parse().unwrap(), aim }, Some(&target))
}

/// What each operation comes to, on a kernel whose file holds `content`.
#[track_caller]
fn check(content: &[u8], operations: &[(&str, Outcome)]) {
    for (op, outcome) in operations {
        assert_eq!(act(&Small::holding(content), &Actor::new(), op), *outcome, "{op}");
    }
}

#[test]
fn what_fails_at_opening_says_so_where_the_transfer_can_fail_too() {
    let opening = |errno| Outcome::failed(errno).while_opening();
    check(
        b"",
        &[
            ("write /secret x", opening(Errno::EACCES)),
            ("read /secret", opening(Errno::EACCES)),
            ("read~ /none", opening(Errno::ENOENT)),
            ("key /none k", opening(Errno::ENOENT)),
            ("test /none == 1", opening(Errno::ENOENT)),
            ("proc p none", opening(Errno::ENOENT)),
            ("setgroups p deny", opening(Errno::ENOENT)),
            ("write /f bad", Outcome::failed(Errno::EINVAL)),
            ("open f /secret r", Outcome::failed(Errno::EACCES)),
            ("create /secret", Outcome::failed(Errno::EACCES)),
        ],
    );
}

#[test]
fn keys_and_numbers_are_found_in_a_file() {
    check(
        b"low 0\nmax 12\nword max\n",
        &[
            ("key /f max", Outcome::value("12")),
            ("key /f lo", Outcome::status("nokey")),
            ("test /f max >= 12", Outcome::status("true")),
            ("test /f max < 12", Outcome::status("false")),
            ("test /f none == 1", Outcome::status("nokey")),
            ("test /f word == 1", Outcome::status("nonumber")),
            ("read~ /f", Outcome::text("low #\nmax #\nword max\n")),
        ],
    );
    check(b"17\n", &[("test /f == 17", Outcome::status("true"))]);
}

#[test]
fn only_the_files_that_list_processes_are_listings() {
    check(
        b"7\n8\n",
        &[
            ("read /f", Outcome::text("7\n8\n")),
            ("read /g/cgroup.procs", Outcome::listing("7\n8\n")),
            ("proc p cgroup", Outcome::text("7\n8\n")),
        ],
    );
    let (kernel, actor) = (Small::holding(b"7\n8\n"), Actor::new());
    assert!(act(&kernel, &actor, "open f /g/cgroup.procs r").is_ok());
    assert_eq!(act(&kernel, &actor, "fread f"), Outcome::listing("7\n8\n"));
}

#[test]
fn marks_in_data_are_numbers_of_processes_and_descriptors() {
    let (kernel, actor) = (Small::default(), Actor::new());
    act(&kernel, &actor, "open f /f r");
    kernel.log.lock().clear();
    act(&kernel, &actor, "write /f \"<p> <q> <fd:f> <fd:g>\"");
    assert_eq!(kernel.log.lock()[1], "write 7 4194304 1 -1");
}

#[test]
fn a_label_is_closed_before_it_is_filled_again() {
    let (kernel, actor) = (Small::default(), Actor::new());
    assert!(act(&kernel, &actor, "open f /f r").is_ok());
    assert_eq!(act(&kernel, &actor, "open f /none r"), Errno::ENOENT.into());
    assert_eq!(act(&kernel, &actor, "fread f"), Errno::EBADF.into());
    assert_eq!(act(&kernel, &actor, "close f"), Errno::EBADF.into());
    assert_eq!(*kernel.log.lock(), ["open /f", "close 1", "open /none"]);
}

#[test]
fn a_thread_shares_labels_and_a_child_has_its_own() {
    let (kernel, actor) = (Small::default(), Actor::new());
    act(&kernel, &actor, "open f /f r");
    let owner = Arc::new(Closes(Arc::default()));
    let closed = Arc::clone(&owner.0);
    let child =
        actor.inherit(&|number| Descriptor::new(Arc::<Closes>::clone(&owner), Scope(2), number));
    let thread = actor.clone();
    assert!(act(&kernel, &thread, "close f").is_ok());
    assert_eq!(act(&kernel, &actor, "close f"), Errno::EBADF.into());
    // The child's handle stands in another table than this kernel's.
    assert_eq!(act(&kernel, &child, "fread f"), Errno::EBADF.into());
    child.abandon();
    assert_eq!(act(&kernel, &child, "close f"), Errno::EBADF.into());
    assert!(closed.lock().is_empty());
    assert_eq!(Arc::strong_count(&owner), 1, "what is left open does not keep its owner");
}

#[test]
fn a_number_that_is_no_signal_is_invalid_after_the_process_was_found() {
    let kernel = Small::default();
    let actor = Actor::new();
    assert!(act(&kernel, &actor, "kill p TERM").is_ok());
    assert_eq!(act(&kernel, &actor, "kill p 0"), Errno::EPERM.into());
    assert_eq!(act(&kernel, &actor, "kill p 65"), Errno::EINVAL.into());
    assert_eq!(act(&kernel, &actor, "signal 65 count"), Errno::EINVAL.into());
}

#[test]
fn minus_one_leaves_an_owner_and_what_is_not_modelled_says_so() {
    let kernel = Small::default();
    let actor = Actor::new();
    assert!(act(&kernel, &actor, "chown /f -1:5").is_ok());
    assert_eq!(*kernel.log.lock(), ["chown None Some(Gid(5))"]);
    assert_eq!(act(&kernel, &actor, "mkdir /a"), Outcome::NotModelled);
    assert_eq!(act(&kernel, &actor, "wait p"), Outcome::status("killed TERM"));
    assert_eq!(act(&kernel, &actor, "wait p nohang"), Outcome::status("running"));
    assert!(matches!(act(&kernel, &actor, "join p"), Outcome::Broken(_)));
}
