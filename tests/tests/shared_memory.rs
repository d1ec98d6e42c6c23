//! Shared memory and futexes, on the machine and on this host's kernel; what takes several processes, or ends one, on the
//! machine, as it was seen on Linux 6.1 and 6.12.

use std::time::Duration;

use standin::backend::{
    AccessMode, Backend, Channels, Deadline, Delivery, Files, OpenOptions, Processes, Spawn,
    SpawnDescriptor, WaitOptions, WaitStatus,
};
use standin::handle::{File, Map};
use standin::id::{Bytes, Mode};
use standin::{Errno, ExitCode, Failure, KPath, KPathBuf, Place, Signal, fs};
use standin_linux::Linux;
use standin_sim::{Machine, View};

const PAGE: u64 = 4096;

/// What another process does with the ring.
type Peer = fn(&dyn Backend, &Map) -> ExitCode;

fn path(text: &str) -> &KPath {
    KPath::new(text).expect("no NUL")
}

/// Does the same on a machine, and on this host; each in a directory of its own in /dev/shm.
fn on_both(check: impl Fn(&dyn Backend, &str)) {
    let machine = Machine::builder().build();
    let directory =
        format!("/dev/shm/standin-{}-{:?}", std::process::id(), std::thread::current().id());
    let directory = directory.replace(['(', ')'], "");
    for kernel in [&machine.root() as &dyn Backend, &Linux::here()] {
        fs::create_dir(kernel, &directory).expect("/dev/shm");
        let clean = Clean { kernel, directory: &directory };
        check(kernel, &directory);
        drop(clean);
    }
    machine.check().expect("a sound machine");
    machine.finish().expect("nothing but what is modelled");
}

struct Clean<'a> {
    kernel: &'a dyn Backend,
    directory: &'a str,
}

impl Drop for Clean<'_> {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.kernel, self.directory).into_iter().flatten() {
            let _ = fs::remove_file(self.kernel, entry.path());
        }
        let _ = fs::remove_dir(self.kernel, self.directory);
    }
}

/// A new file of this length.
fn make(kernel: &dyn Backend, name: &str, length: u64) -> File {
    let options = OpenOptions::read_write().create().mode(Mode::new(0o600));
    let file = kernel.open(Place::cwd(path(name)), &options).expect("a new file");
    kernel.truncate(Place::of(file.descriptor()), Bytes(length)).expect("its length");
    file
}

fn bytes(kernel: &dyn Backend, map: &Map, offset: u64, length: usize) -> Vec<u8> {
    let mut buffer = vec![0; length];
    kernel.map_read(map, Bytes(offset), &mut buffer).expect("in the map");
    buffer
}

#[test]
fn a_map_and_the_calls_on_the_file_see_the_same_bytes() {
    on_both(|kernel, directory| {
        let name = format!("{directory}/ring");
        let file = make(kernel, &name, 2 * PAGE);
        let map = kernel.map(&file, Bytes(2 * PAGE), false).unwrap();
        kernel.pwrite(&file, b"over the border", Bytes(PAGE - 4)).unwrap();
        assert_eq!(bytes(kernel, &map, PAGE - 4, 15), b"over the border");
        kernel.map_write(&map, Bytes(PAGE), b"OTHER").unwrap();
        assert_eq!(&fs::read(kernel, &name).unwrap()[4092..4107], b"overOTHERborder");
        kernel.truncate(Place::of(file.descriptor()), Bytes(PAGE + 1)).unwrap();
        assert_eq!(bytes(kernel, &map, PAGE, 3), b"O\0\0", "what was cut off is gone");
    });
}

#[test]
fn a_file_that_stands_there_twice_goes_on_at_its_end() {
    on_both(|kernel, directory| {
        let file = make(kernel, &format!("{directory}/ring"), PAGE);
        let map = kernel.map(&file, Bytes(PAGE), true).unwrap();
        kernel.map_write(&map, Bytes(PAGE - 2), b"abcd").unwrap();
        assert_eq!(bytes(kernel, &map, 0, 2), b"cd");
        assert_eq!(bytes(kernel, &map, PAGE - 2, 4), b"abcd");
        kernel.map_store(&map, Bytes(PAGE + 8), 7).unwrap();
        assert_eq!(kernel.map_load(&map, Bytes(8)), Ok(7));
        let behind = kernel.map_read(&map, Bytes(2 * PAGE - 1), &mut [0; 2]);
        assert!(behind.unwrap_err().is(Errno::EFAULT));
        let uneven = kernel.map(&file, Bytes(100), true);
        assert!(uneven.unwrap_err().is(Errno::EINVAL));
    });
}

#[test]
fn a_map_outlives_descriptor_and_name() {
    on_both(|kernel, directory| {
        let name = format!("{directory}/ring");
        let file = make(kernel, &name, PAGE);
        let map = kernel.map(&file, Bytes(PAGE), false).unwrap();
        drop(file);
        fs::remove_file(kernel, &name).unwrap();
        kernel.map_store(&map, Bytes(0), 5).unwrap();
        assert_eq!(kernel.map_load(&map, Bytes(0)), Ok(5));
        drop(make(kernel, &name, PAGE));
        assert_eq!(fs::read(kernel, &name).unwrap()[..4], [0; 4], "the name is another file's");
    });
}

#[test]
fn behind_the_end_of_the_file_the_last_page_can_be_used() {
    on_both(|kernel, directory| {
        let name = format!("{directory}/ring");
        let file = make(kernel, &name, 10);
        let map = kernel.map(&file, Bytes(PAGE), false).unwrap();
        kernel.map_write(&map, Bytes(8), b"abcd").unwrap();
        assert_eq!(fs::read(kernel, &name).unwrap(), b"\0\0\0\0\0\0\0\0ab");
        assert_eq!(bytes(kernel, &map, 8, 4), b"abcd");
    });
}

#[test]
fn what_cannot_be_mapped_says_why() {
    on_both(|kernel, directory| {
        let name = format!("{directory}/ring");
        let file = make(kernel, &name, PAGE);
        let refusal = |name: &str, access: AccessMode, length: u64| {
            let options = OpenOptions { access, ..OpenOptions::read() };
            let file = kernel.open(Place::cwd(path(name)), &options).unwrap();
            kernel.map(&file, Bytes(length), false).unwrap_err().errno()
        };
        assert_eq!(refusal(&name, AccessMode::Write, PAGE), Some(Errno::EACCES));
        assert_eq!(refusal(&name, AccessMode::Path, PAGE), Some(Errno::EBADF));
        assert_eq!(refusal(&name, AccessMode::Read, 0), Some(Errno::EINVAL));
        assert_eq!(refusal(&name, AccessMode::Read, 1 << 47), Some(Errno::ENOMEM));
        assert_eq!(refusal(&name, AccessMode::Read, u64::MAX), Some(Errno::ENOMEM));
        assert_eq!(refusal(directory, AccessMode::Read, PAGE), Some(Errno::ENODEV));
        assert_eq!(refusal("/proc/self/status", AccessMode::Read, PAGE), Some(Errno::ENODEV));
        assert_eq!(refusal("/proc/sys/kernel/ostype", AccessMode::Read, PAGE), Some(Errno::ENODEV));
        let map = kernel.map(&file, Bytes(PAGE), false).unwrap();
        assert!(kernel.map_load(&map, Bytes(2)).unwrap_err().is(Errno::EINVAL));
        assert!(kernel.map_load(&map, Bytes(PAGE)).unwrap_err().is(Errno::EFAULT));
        assert!(kernel.map_write(&map, Bytes(PAGE - 1), b"ab").unwrap_err().is(Errno::EFAULT));
    });
}

#[test]
fn a_futex_call_that_need_not_wait_says_so() {
    on_both(|kernel, directory| {
        let file = make(kernel, &format!("{directory}/ring"), PAGE);
        let map = kernel.map(&file, Bytes(2 * PAGE), false).unwrap();
        let wait = |offset, expected, deadline| {
            kernel.futex_wait(&map, Bytes(offset), expected, deadline).unwrap_err().errno()
        };
        let soon = || Deadline::At(kernel.monotonic().unwrap().after(Duration::from_millis(5)));
        assert_eq!(wait(0, 1, Deadline::Never), Some(Errno::EAGAIN));
        assert_eq!(wait(0, 1, Deadline::Now), Some(Errno::EAGAIN));
        assert_eq!(wait(0, 0, Deadline::Now), Some(Errno::ETIMEDOUT));
        let before = kernel.monotonic().unwrap();
        assert_eq!(wait(0, 0, soon()), Some(Errno::ETIMEDOUT));
        assert!(kernel.monotonic().unwrap() >= before.after(Duration::from_millis(5)));
        assert_eq!(wait(2, 0, Deadline::Now), Some(Errno::EINVAL));
        assert_eq!(wait(PAGE, 0, Deadline::Now), Some(Errno::EFAULT), "behind the file's end");
        assert_eq!(kernel.futex_wake(&map, Bytes(0), 1), Ok(0));
        assert!(kernel.futex_wake(&map, Bytes(PAGE), 1).unwrap_err().is(Errno::EFAULT));
    });
}

/// A machine whose /dev/shm/ring is a page, and a program that maps it and does something.
fn with_peer(peer: Peer) -> (Machine, View, Map) {
    let machine = Machine::builder().build();
    let root = machine.root();
    let file = make(&root, "/dev/shm/ring", PAGE);
    let map = root.map(&file, Bytes(PAGE), false).expect("a map");
    machine.program("/bin/peer", move |kernel, _| {
        let options = OpenOptions::read_write();
        let file = kernel.open(Place::cwd(path("/dev/shm/ring")), &options).expect("the ring");
        peer(kernel, &kernel.map(&file, Bytes(2 * PAGE), false).expect("a map"))
    });
    (machine, root, map)
}

/// Waits for the first word for ever, and exits with 0 or the errno.
fn wait_for_ever(kernel: &dyn Backend, map: &Map) -> ExitCode {
    code(kernel.futex_wait(map, Bytes(0), 0, Deadline::Never))
}

fn code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode(failure.errno().map_or(255, Errno::raw)),
    }
}

fn spawn(root: &View) -> standin::handle::PidHandle {
    root.spawn(&Spawn::new(path("/bin/peer"), &[b"peer"])).expect("a child")
}

fn ended(root: &View, child: &standin::handle::PidHandle) -> WaitStatus {
    root.wait(child, WaitOptions::default()).expect("an end").expect("it waits for one")
}

#[test]
fn those_who_waited_longest_are_woken_first_and_only_as_many_as_asked_for() {
    let (machine, root, map) = with_peer(wait_for_ever);
    let waiters = [spawn(&root), spawn(&root), spawn(&root)];
    machine.settle();
    assert!(machine.look().waiting().contains("the word at 0 of shared memory"));
    assert_eq!(root.futex_wake(&map, Bytes(4), 9), Ok(0), "another word");
    assert_eq!(root.futex_wake(&map, Bytes(0), 2), Ok(2));
    assert_eq!(ended(&root, &waiters[0]), WaitStatus::Exited(0), "though the word is the same");
    assert_eq!(ended(&root, &waiters[1]), WaitStatus::Exited(0));
    let nonblocking = WaitOptions { nonblocking: true, ..WaitOptions::default() };
    assert_eq!(root.wait(&waiters[2], nonblocking), Ok(None));
    assert_eq!(root.futex_wake(&map, Bytes(0), 0), Ok(1), "asked for none, the kernel wakes one");
    assert_eq!(ended(&root, &waiters[2]), WaitStatus::Exited(0));
    machine.check().unwrap();
    machine.finish().unwrap();
}

#[test]
fn who_dies_or_stands_still_is_not_woken() {
    let (machine, root, map) = with_peer(wait_for_ever);
    let (dead, stopped) = (spawn(&root), spawn(&root));
    machine.settle();
    root.signal(&dead, Some(Signal::KILL)).unwrap();
    root.signal(&stopped, Some(Signal::STOP)).unwrap();
    assert_eq!(root.futex_wake(&map, Bytes(0), 9), Ok(0));
    root.map_store(&map, Bytes(0), 1).unwrap();
    root.signal(&stopped, Some(Signal::CONT)).unwrap();
    assert_eq!(ended(&root, &stopped), WaitStatus::Exited(code_of(Errno::EAGAIN)));
    assert_eq!(ended(&root, &dead), WaitStatus::Killed(Signal::KILL));
    machine.check().unwrap();
    machine.finish().unwrap();
}

fn code_of(errno: Errno) -> u8 {
    u8::try_from(errno.raw()).expect("a low number")
}

/// With a handler and a deadline as the name says, and the word changed or not before the signal came.
fn interrupted(peer: Peer, changed: bool) -> WaitStatus {
    let (machine, root, map) = with_peer(peer);
    let waiter = spawn(&root);
    machine.settle();
    if changed {
        root.map_store(&map, Bytes(0), 1).expect("a word");
    }
    root.signal(&waiter, Some(Signal::USR1)).expect("a child to signal");
    machine.settle();
    // Only who goes on waiting is there to be woken.
    let woken = root.futex_wake(&map, Bytes(0), 1).expect("a word");
    let status = ended(&root, &waiter);
    assert_eq!(woken == 1, status == WaitStatus::Exited(0));
    machine.finish().expect("nothing but what is modelled");
    status
}

#[test]
fn a_signal_ends_a_wait_unless_its_handler_lets_it_go_on_and_there_is_no_deadline() {
    fn wait(kernel: &dyn Backend, map: &Map, delivery: Delivery, timed: bool) -> ExitCode {
        kernel.set_delivery(Signal::USR1, delivery).unwrap();
        let far = Deadline::At(kernel.monotonic().unwrap().after(Duration::from_secs(1_000)));
        let deadline = if timed { far } else { Deadline::Never };
        code(kernel.futex_wait(map, Bytes(0), 0, deadline))
    }
    let eintr = WaitStatus::Exited(code_of(Errno::EINTR));
    for changed in [false, true] {
        assert_eq!(interrupted(|k, m| wait(k, m, Delivery::Count, false), changed), eintr);
        assert_eq!(interrupted(|k, m| wait(k, m, Delivery::Count, true), changed), eintr);
        assert_eq!(interrupted(|k, m| wait(k, m, Delivery::CountAndRestart, true), changed), eintr);
    }
    let goes_on =
        |changed| interrupted(|k, m| wait(k, m, Delivery::CountAndRestart, false), changed);
    assert_eq!(goes_on(false), WaitStatus::Exited(0));
    assert_eq!(goes_on(true), WaitStatus::Exited(code_of(Errno::EAGAIN)));
}

#[test]
fn who_touches_what_is_not_there_is_killed() {
    let cases: [(Peer, Signal); 4] = [
        (|kernel, map| code(kernel.map_read(map, Bytes(PAGE - 1), &mut [0; 2])), Signal::BUS),
        (|kernel, map| code(kernel.map_load(map, Bytes(PAGE)).map(drop)), Signal::BUS),
        (|kernel, map| code(kernel.map_write(map, Bytes(PAGE - 1), b"ab")), Signal::BUS),
        (
            |kernel, _| {
                kernel.set_delivery(Signal::SEGV, Delivery::Ignore).unwrap();
                let file = kernel.open(Place::cwd(path("/dev/shm/ring")), &OpenOptions::read());
                let map = kernel.map(&file.unwrap(), Bytes(PAGE), false).unwrap();
                code(kernel.map_compare_exchange(&map, Bytes(0), 7, 8).map(drop))
            },
            Signal::SEGV,
        ),
    ];
    for (peer, signal) in cases {
        let (machine, root, map) = with_peer(peer);
        let child = spawn(&root);
        assert_eq!(ended(&root, &child), WaitStatus::Killed(signal));
        let before_the_border = bytes(&root, &map, PAGE - 1, 1);
        assert!(before_the_border == b"a" || before_the_border == b"\0");
        machine.check().unwrap();
        machine.finish().unwrap();
    }
}

#[test]
fn a_file_that_is_cut_short_is_not_there_for_who_mapped_it() {
    let (machine, root, map) = with_peer(|kernel, map| {
        let wait = kernel.futex_wait(map, Bytes(8), 0, Deadline::Never);
        assert_eq!(wait, Ok(()));
        code(kernel.map_load(map, Bytes(8)).map(drop))
    });
    let child = spawn(&root);
    machine.settle();
    assert_eq!(root.futex_wake(&map, Bytes(8), 1), Ok(1));
    root.truncate(Place::cwd(path("/dev/shm/ring")), Bytes(0)).unwrap();
    assert_eq!(ended(&root, &child), WaitStatus::Killed(Signal::BUS));
    machine.finish().unwrap();
}

#[test]
fn a_full_filesystem_kills_who_touches_a_hole() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let (kind, options) = (path("tmpfs"), path("size=8k"));
    let flags = standin::backend::MountFlags::empty();
    root.mount(kind, Place::cwd(path("/mnt")), flags, options).unwrap();
    machine.program("/bin/hole", |kernel, _| {
        let file = make(kernel, "/mnt/sparse", 4 * PAGE);
        let map = kernel.map(&file, Bytes(4 * PAGE), false).unwrap();
        for page in 0..4 {
            kernel.map_load(&map, Bytes(page * PAGE)).unwrap();
        }
        ExitCode::SUCCESS
    });
    assert_eq!(machine.run("/bin/hole", &[]), Ok(WaitStatus::Killed(Signal::BUS)));
    let reserved = make(&root, "/mnt/other", 0);
    let refused = root.fallocate(&reserved, Bytes(0), Bytes(PAGE));
    assert!(refused.unwrap_err().is(Errno::ENOSPC), "reading a hole took the pages");
    machine.finish().unwrap();
}

#[test]
fn maps_keep_a_mount_busy_until_the_process_ends_or_runs_another_program() {
    let machine = Machine::builder().build();
    let root = machine.root();
    let file = make(&root, "/mnt/f", PAGE);
    let map = root.map(&file, Bytes(PAGE), false).unwrap();
    let child = root.fork().unwrap();
    drop((file, map));
    let umount = || root.umount(Place::cwd(path("/mnt")));
    assert!(umount().unwrap_err().is(Errno::EBUSY), "the child has the map, and the descriptor");
    assert!(child.exec(path("/bin/true"), &[b"true"], &[]).is_err());
    machine.settle();
    umount().unwrap();
    machine.check().unwrap();
    machine.finish().unwrap();
}

#[test]
fn what_a_child_was_given_can_be_mapped() {
    let machine = Machine::builder().build();
    let root = machine.root();
    machine.program("/bin/peer", |kernel, _| {
        let file = File::from(kernel.inherited(7).unwrap());
        let map = kernel.map(&file, Bytes(PAGE), false).unwrap();
        kernel.map_store(&map, Bytes(0), 1).unwrap();
        ExitCode(i32::try_from(kernel.futex_wake(&map, Bytes(0), 1).unwrap()).unwrap())
    });
    let file = make(&root, "/dev/shm/ring", PAGE);
    fs::remove_file(&root, "/dev/shm/ring").unwrap();
    let map = root.map(&file, Bytes(PAGE), false).unwrap();
    let given = [SpawnDescriptor { from: file.descriptor(), to: 7 }];
    let mut child = Spawn::new(path("/bin/peer"), &[b"peer"]);
    child.descriptors = &given;
    let child = root.spawn(&child).unwrap();
    root.futex_wait(&map, Bytes(0), 0, Deadline::Never).unwrap();
    assert_eq!(root.map_load(&map, Bytes(0)), Ok(1));
    assert_eq!(ended(&root, &child), WaitStatus::Exited(1));
    machine.finish().unwrap();
}

#[test]
fn the_filesystems_for_what_programs_share_are_there() {
    let machine = Machine::builder().build();
    let root = machine.root();
    for (place, mode) in [("/dev/shm", 0o1777), ("/run", 0o755)] {
        let stat = fs::metadata(&root, place).unwrap();
        assert_eq!((stat.mode, stat.owner.0), (Mode::new(mode), 0), "{place}");
        let kind = root.statfs(Place::cwd(path(place))).unwrap();
        assert_eq!(kind, standin::backend::FilesystemType::TMPFS);
    }
    let user = machine.user(1000);
    let mine = KPathBuf::new("/dev/shm/mine").unwrap();
    user.mkdir(Place::cwd(&mine), Mode::new(0o770)).unwrap();
    assert!(machine.user(1001).rmdir(Place::cwd(&mine)).unwrap_err().is(Errno::EPERM));
    machine.finish().unwrap();
}
