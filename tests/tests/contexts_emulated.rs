//! Contexts emulated on a machine without the commands: whatever fails, dies or was left behind, the next command copes.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use standin::backend::{
    Backend, Delivery, Files, Lock, MigrateFlags, Processes, WaitOptions, XattrMode,
};
use standin::context::{ContextId, Contexts, End, Error, Exit, Flags, Membership, Refusal, Target};
use standin::id::Xid;
use standin::layer::{Call, Layer, Layered};
use standin::path::{Follow, Place};
use standin::{Capability, CapabilitySet, Errno, ExitCode, Failure, KPath, Signal, fs};
use standin_sim::{Machine, Release, View};

const ROOT: &str = "/sys/fs/cgroup/contexts";

fn machine() -> (Machine, View) {
    let machine = Machine::builder().build();
    let root = machine.root();
    fs::create_dir(&root, ROOT).unwrap();
    (machine, root)
}

fn contexts(kernel: &dyn Backend) -> Contexts<'_> {
    Contexts::new(kernel, KPath::new(ROOT).unwrap())
}

fn id(number: u32) -> ContextId {
    ContextId::new(number).unwrap()
}

fn guest(root: &View, number: u32, flags: Flags) -> View {
    let guest = root.fork().unwrap();
    contexts(&guest).create(id(number), flags).unwrap();
    guest
}

fn end(process: &View, code: i32) {
    assert_eq!(process.exit(ExitCode(code)), Err(Failure::CallerDied));
}

fn refusal<T: std::fmt::Debug>(answer: Result<T, Error>) -> Refusal {
    let error = answer.unwrap_err();
    error.refusal().unwrap_or_else(|| panic!("{error}"))
}

fn done(machine: Machine) {
    machine.check().unwrap();
    machine.finish().unwrap();
}

/// Does something at the call of this number.
struct At<'a, F> {
    nth: usize,
    count: AtomicUsize,
    act: &'a F,
}

impl<F: Fn(&Call) -> Result<(), Failure> + Send + Sync> Layer for At<'_, F> {
    fn before(&self, call: &Call) -> Result<(), Failure> {
        if self.count.fetch_add(1, Ordering::Relaxed) == self.nth {
            (self.act)(call)
        } else {
            Ok(())
        }
    }
}

/// Runs a command again and again, each time with `act` at a later call, until it gets through without.
fn at_each_call(
    process: impl Fn() -> View,
    act: impl Fn(&View, &Call) -> Result<(), Failure> + Send + Sync,
    command: impl Fn(&dyn Backend) -> Result<(), Error>,
    look: impl Fn(&View, Result<(), Error>),
) -> usize {
    for nth in 0..200 {
        let process = process();
        let act = |call: &Call| act(&process, call);
        let layered = Layered::new(&process, At { nth, count: AtomicUsize::new(0), act: &act });
        let answer = command(&layered);
        if layered.layer().count.load(Ordering::Relaxed) <= nth {
            answer.unwrap();
            return nth;
        }
        look(&process, answer);
    }
    panic!("the command makes 200 calls");
}

#[test]
fn a_maker_who_is_refused_any_call_is_not_inside_and_leaves_the_id_free() {
    let (machine, root) = machine();
    let calls = at_each_call(
        || root.fork().unwrap(),
        |_, _| Err(Errno::ENOMEM.into()),
        |kernel| contexts(kernel).create(id(7), Flags::NEW),
        |process, answer| {
            let error = answer.expect_err("a call was refused");
            assert_eq!(error.failure().and_then(Failure::errno), Some(Errno::ENOMEM), "{error}");
            // The last call records that the maker is in: refused, the next who looks finds it inside.
            let inside = contexts(process).membership(None).unwrap() == Membership::Context(id(7));
            end(process, 0);
            if inside {
                assert!(error.to_string().contains("write its record"), "{error}");
            }
            let next = root.fork().unwrap();
            contexts(&next).create(id(7), Flags::NEW).unwrap();
            end(&next, 0);
            machine.check().unwrap();
        },
    );
    assert!(calls > 10, "{calls}");
    done(machine);
}

#[test]
fn a_maker_who_dies_at_any_call_leaves_the_id_free() {
    let (machine, root) = machine();
    at_each_call(
        || root.fork().unwrap(),
        |process, _| process.exit(ExitCode(1)),
        |kernel| contexts(kernel).create(id(7), Flags::NEW),
        |_, answer| {
            let error = answer.expect_err("the caller died");
            assert_eq!(error.failure(), Some(&Failure::CallerDied), "{error}");
            assert_eq!(refusal(contexts(&root).kill(id(7), Target::All, None)), Refusal::NotFound);
            assert!(!fs::exists(&root, format!("{ROOT}/xid-7")));
            machine.check().unwrap();
        },
    );
    done(machine);
}

#[test]
fn who_dies_while_it_enters_or_signals_does_not_harm_the_context() {
    let (machine, root) = machine();
    let maker = guest(&root, 7, Flags::NEW);
    let enter = |kernel: &dyn Backend| contexts(kernel).migrate(id(7), MigrateFlags::SET_INIT);
    let stop =
        |kernel: &dyn Backend| contexts(kernel).kill(id(7), Target::All, Signal::from_name("URG"));
    let unharmed = |_: &View, _: Result<(), Error>| {
        contexts(&root).kill(id(7), Target::All, Signal::from_name("URG")).unwrap();
        let held = fs::read_to_string(&root, format!("{ROOT}/xid-7/cgroup.freeze")).unwrap();
        assert_eq!(held, "0\n", "also if somebody died between freeze and thaw");
        maker.pid().unwrap();
        machine.check().unwrap();
    };
    for command in [&enter as &dyn Fn(&dyn Backend) -> Result<(), Error>, &stop] {
        let die = |process: &View, _: &Call| process.exit(ExitCode(1));
        at_each_call(|| root.fork().unwrap(), die, command, unharmed);
    }
    done(machine);
}

#[test]
fn a_waiter_who_dies_at_any_call_does_not_keep_the_context() {
    let (machine, root) = machine();
    let made = Mutex::new(Vec::new());
    at_each_call(
        || {
            let guest = guest(&root, 7, Flags::NEW);
            let waiter = guest.fork().unwrap();
            // The waiter is outside, and the guest ends as soon as it is waited for.
            fs::write(&root, "/sys/fs/cgroup/cgroup.procs", waiter.pid().unwrap().to_string())
                .unwrap();
            made.lock().unwrap().push(guest);
            waiter
        },
        |process, _| process.exit(ExitCode(1)),
        |kernel| {
            let guest = made.lock().unwrap().pop().unwrap();
            let ends = |call: &Call| {
                if call.name == "poll" {
                    end(&guest, 3)
                }
            };
            struct OnPoll<F>(F);
            impl<F: Fn(&Call) + Send + Sync> Layer for OnPoll<F> {
                fn before(&self, call: &Call) -> Result<(), Failure> {
                    (self.0)(call);
                    Ok(())
                }
            }
            let told = contexts(&Layered::new(kernel, OnPoll(ends))).wait(id(7)).map(drop);
            let _ = guest.exit(ExitCode(3));
            told
        },
        |_, _| {
            assert_eq!(refusal(contexts(&root).wait(id(7))), Refusal::NotFound);
            assert!(!fs::exists(&root, format!("{ROOT}/xid-7")));
            machine.check().unwrap();
        },
    );
    done(machine);
}

#[test]
fn a_directory_without_a_record_is_a_dead_makers() {
    let (machine, root) = machine();
    fs::create_dir(&root, format!("{ROOT}/xid-7")).unwrap();
    fs::create_dir(&root, format!("{ROOT}/xid-7/below")).unwrap();
    assert_eq!(refusal(contexts(&root).wait(id(7))), Refusal::NotFound);
    fs::create_dir(&root, format!("{ROOT}/xid-7")).unwrap();
    guest(&root, 7, Flags::NEW);
    done(machine);
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_left_alone() {
    let (machine, root) = machine();
    let guest = guest(&root, 7, Flags::NEW);
    let group = KPath::new("/sys/fs/cgroup/contexts/xid-7").unwrap();
    let name = KPath::new("trusted.standin.context").unwrap();
    let place = Place::cwd(group);
    root.set_xattr(place, Follow::Link, name, b"2 nonsense", XattrMode::Set).unwrap();
    let other = root.fork().unwrap();
    for answer in [
        contexts(&other).create(id(7), Flags::NEW),
        contexts(&other).migrate(id(7), MigrateFlags::empty()),
        contexts(&other).kill(id(7), Target::All, Some(Signal::KILL)),
        contexts(&other).wait(id(7)).map(drop),
    ] {
        let error = answer.unwrap_err();
        assert_eq!(error.failure().and_then(Failure::errno), Some(Errno::EBADMSG), "{error}");
        assert!(error.to_string().contains("understand its record"), "{error}");
    }
    guest.pid().unwrap();
    done(machine);
}

#[test]
fn a_lock_that_is_not_let_go_is_not_waited_for_for_ever() {
    let (machine, root) = machine();
    let _guest = guest(&root, 7, Flags::NEW);
    // Before the lock: a child has its parent's open files, and their locks.
    let other = root.fork().unwrap();
    let group = KPath::new("/sys/fs/cgroup/contexts/xid-7").unwrap();
    let dir = root.open_dir(Place::cwd(group)).unwrap();
    root.flock(dir.descriptor(), Lock::Exclusive { nonblocking: false }).unwrap();
    let refused = contexts(&other).kill(id(7), Target::All, None);
    assert_eq!(refusal(refused), Refusal::Busy);
    drop(dir);
    contexts(&other).kill(id(7), Target::All, None).unwrap();
    done(machine);
}

#[test]
fn a_flag_that_is_not_emulated_is_refused_and_nothing_is_made() {
    let (machine, root) = machine();
    let maker = root.fork().unwrap();
    for flag in [Flags::SCHED_PAUSE, Flags::VIRT_TIME, Flags::REBOOT_KILL, Flags::INFO_INIT] {
        let error = contexts(&maker).create(id(7), Flags::NEW | flag).unwrap_err();
        assert!(matches!(error.failure(), Some(Failure::Unsupported(_))), "{error}");
        assert!(!fs::exists(&root, format!("{ROOT}/xid-7")));
    }
    let unknown = Flags::from_bits_retain(1 << 60);
    let stored = Flags::INFO_SCHED | Flags::VIRT_CPU | Flags::PROLIFIC | unknown;
    contexts(&maker).create(id(7), Flags::NEW | stored).unwrap();
    done(machine);
}

#[test]
fn groups_below_belong_to_the_context_and_go_with_it() {
    let (machine, root) = machine();
    let guest = guest(&root, 7, Flags::NEW);
    for below in ["", "/a", "/a/b"] {
        if !below.is_empty() {
            fs::create_dir(&guest, format!("{ROOT}/xid-7{below}")).unwrap();
        }
        fs::write(&guest, format!("{ROOT}/xid-7{below}/cgroup.procs"), "0").unwrap();
        let membership = contexts(&root).membership(Some(guest.pid().unwrap()));
        assert_eq!(membership, Ok(Membership::Context(id(7))));
    }
    // A name alone makes no member.
    fs::create_dir(&root, "/sys/fs/cgroup/xid-7").unwrap();
    let other = root.fork().unwrap();
    fs::write(&other, "/sys/fs/cgroup/xid-7/cgroup.procs", "0").unwrap();
    assert_eq!(contexts(&root).membership(Some(other.pid().unwrap())), Ok(Membership::Host));
    contexts(&root).kill(id(7), Target::All, Some(Signal::TERM)).unwrap();
    assert_eq!(guest.pid(), Err(Failure::CallerDied));
    assert_eq!(refusal(contexts(&root).wait(id(7))), Refusal::NotFound);
    assert!(!fs::exists(&root, format!("{ROOT}/xid-7")));
    done(machine);
}

#[test]
fn every_waiter_comes_back_and_who_is_no_parent_may_not_be_told_how() {
    let (machine, root) = machine();
    let guest = guest(&root, 7, Flags::NEW);
    let stranger = root.fork().unwrap();
    let ends = std::thread::scope(|scope| {
        let waiting = [&root, &stranger].map(|view| scope.spawn(|| contexts(view).wait(id(7))));
        while machine.look().waiting().lines().count() < 2 {
            std::thread::yield_now();
        }
        end(&guest, 9);
        waiting.map(|waiter| waiter.join().unwrap().unwrap())
    });
    let told = End { exit: Some(Exit::Code(9)), reboot_command: None };
    assert_eq!(ends[0], told);
    assert!([told, End { exit: None, ..told }].contains(&ends[1]));
    let zombie = root.wait_any(WaitOptions::default()).unwrap();
    assert!(zombie.is_some(), "the waiter did not wait for the parent's child");
    done(machine);
}

#[test]
fn who_enters_loses_what_the_context_does_not_allow_for_good() {
    let (machine, root) = machine();
    let maker = root.fork().unwrap();
    maker.drop_bounding(Capability::NET_RAW).unwrap();
    contexts(&maker).create(id(7), Flags::STATE_ADMIN).unwrap();
    let other = root.fork().unwrap();
    contexts(&other).migrate(id(7), MigrateFlags::empty()).unwrap();
    let own = other.capabilities().unwrap();
    let lost: CapabilitySet = [Capability::NET_RAW, Capability::SETPCAP].into_iter().collect();
    for set in [own.bounding, own.permitted, own.effective] {
        assert_eq!(set, CapabilitySet::ALL.difference(lost));
    }
    done(machine);
}

#[test]
fn it_takes_the_directory_and_the_capability() {
    let (machine, root) = machine();
    let less = root.fork().unwrap();
    let own = less.capabilities().unwrap();
    let kept = own.effective.without(Capability::SYS_ADMIN);
    less.set_capabilities(kept, own.permitted, own.inheritable).unwrap();
    assert_eq!(refusal(contexts(&less).create(id(7), Flags::NEW)), Refusal::NotPermitted);
    let user = machine.user(1000);
    assert_eq!(refusal(contexts(&user).membership(None)), Refusal::NotPermitted);
    fs::remove_dir(&root, ROOT).unwrap();
    let error = contexts(&root).wait(id(7)).unwrap_err();
    assert_eq!(error.to_string(), "wait for context 7: open the contexts' directory: ENOENT");
    assert_eq!(Xid(7), id(7).xid());
    done(machine);
}

#[test]
fn a_sealed_guest_with_a_first_process_can_be_told_to_shut_down_and_no_more() {
    let (machine, root) = machine();
    let maker = guest(&root, 7, Flags::NEW);
    let init = root.fork().unwrap();
    contexts(&init).migrate(id(7), MigrateFlags::SET_INIT).unwrap();
    // As clearing STATE_ADMIN will leave it.
    let group = KPath::new("/sys/fs/cgroup/contexts/xid-7").unwrap();
    let name = KPath::new("trusted.standin.context").unwrap();
    let place = Place::cwd(group);
    let record = root.get_xattr(place, Follow::Link, name).unwrap();
    let record = String::from_utf8(record).unwrap().replace("flags=500000000", "flags=0");
    root.set_xattr(place, Follow::Link, name, record.as_bytes(), XattrMode::Replace).unwrap();
    let kill = |target, signal| contexts(&root).kill(id(7), target, signal);
    let maker_pid = Target::Process(maker.pid().unwrap());
    for target in [Target::All, Target::AllButInit, maker_pid] {
        assert_eq!(refusal(kill(target, Some(Signal::KILL))), Refusal::Sealed, "{target}");
    }
    init.set_delivery(Signal::INT, Delivery::Count).unwrap();
    kill(Target::Init, Some(Signal::KILL)).unwrap();
    assert_eq!(init.take_deliveries(Signal::INT), Ok(1), "while it is not alone");
    end(&maker, 0);
    kill(Target::Init, Some(Signal::KILL)).unwrap();
    assert_eq!(init.pid(), Err(Failure::CallerDied));
    done(machine);
}

#[test]
fn every_kernel_with_cgroup2_will_do() {
    for release in Release::ALL {
        let machine = Machine::builder().kernel(release).build();
        let root = machine.root();
        fs::create_dir(&root, ROOT).unwrap();
        let guest = guest(&root, 7, Flags::NEW);
        let _child = guest.fork().unwrap();
        let membership = contexts(&root).membership(Some(guest.pid().unwrap()));
        assert_eq!(membership, Ok(Membership::Context(id(7))), "{release:?}");
        contexts(&root).kill(id(7), Target::All, Some(Signal::TERM)).unwrap();
        assert_eq!(refusal(contexts(&root).wait(id(7))), Refusal::NotFound, "{release:?}");
        assert!(!fs::exists(&root, format!("{ROOT}/xid-7")));
        done(machine);
    }
}
