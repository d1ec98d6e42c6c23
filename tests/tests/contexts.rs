//! The context commands of a machine that has the patch, as its kernel answers them.

#![expect(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use standin::backend::{
    Backend, CONTEXT_CAPABILITY, ContextFlags, ContextWait, Contexts, Delivery, FlagWord,
    MigrateFlags, Processes, Rlimit, RlimitResource, WaitOptions,
};
use standin::id::Xid;
use standin::{Capability, CapabilitySet, Errno, ExitCode, Failure, Pid, Signal};
use standin_sim::{Machine, View};

fn machine() -> Machine {
    Machine::builder().contexts().build()
}

fn commands(view: &View) -> &dyn Contexts {
    view.contexts().expect("the machine has contexts")
}

/// A new process in a new context.
fn guest(root: &View, xid: u32, flags: ContextFlags) -> View {
    let guest = root.fork().unwrap();
    commands(&guest).create(Xid(xid), flags).unwrap();
    guest
}

fn enter(root: &View, xid: u32, flags: MigrateFlags) -> View {
    let guest = root.fork().unwrap();
    commands(&guest).migrate(Xid(xid), flags).unwrap();
    guest
}

fn end(process: &View, code: i32) {
    assert_eq!(process.exit(ExitCode(code)), Err(Failure::CallerDied));
}

fn errno<T>(answer: Result<T, Failure>) -> Errno {
    answer.err().and_then(|failure| failure.errno()).expect("the kernel refused")
}

/// Drops effective capabilities.
fn without(view: &View, lost: CapabilitySet) {
    let own = view.capabilities().unwrap();
    let kept = own.effective.difference(lost);
    view.set_capabilities(kept, own.permitted, own.inheritable).unwrap();
}

fn done(machine: Machine) {
    machine.check().unwrap();
    machine.finish().unwrap();
}

const NEW: ContextFlags = ContextFlags::NEW;

#[test]
fn a_kernel_without_the_patch_has_no_commands_and_no_capability_for_them() {
    let machine = Machine::builder().build();
    let root = machine.root();
    assert!(root.contexts().is_none());
    assert_eq!(root.capabilities().unwrap().bounding, CapabilitySet::ALL);
    let patched = self::machine();
    let all = CapabilitySet::ALL.union(CONTEXT_CAPABILITY);
    assert_eq!(patched.root().capabilities().unwrap().effective, all);
    assert!(patched.user(1000).capabilities().unwrap().effective.is_empty());
}

#[test]
fn only_2_to_65535_are_contexts() {
    let machine = machine();
    let root = machine.root();
    let commands = commands(&root);
    for xid in [0, 1, 65_536, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        assert_eq!(errno(commands.create(Xid(xid), NEW)), Errno::EINVAL, "{xid}");
        assert_eq!(errno(commands.wait_context(Xid(xid))), Errno::ESRCH, "{xid}");
        assert_eq!(errno(commands.kill(Xid(xid), 0, None)), Errno::ESRCH, "{xid}");
        if xid != 1 {
            let refused = commands.migrate(Xid(xid), MigrateFlags::empty());
            assert_eq!(errno(refused), Errno::ESRCH, "{xid}");
        }
    }
    for xid in [2, 65_535] {
        let guest = guest(&root, xid, NEW);
        assert_eq!(self::commands(&guest).task_xid(None), Ok(Xid(xid)));
        assert_eq!(commands.task_xid(Some(guest.pid().unwrap())), Ok(Xid(xid)));
    }
    assert_eq!(commands.task_xid(Some(Pid::ZERO)), Ok(Xid::HOST));
    assert_eq!(errno(commands.task_xid(Some(Pid(77_777)))), Errno::ESRCH);
    done(machine);
}

#[test]
fn the_gate_asks_for_capabilities_before_anything_else() {
    let machine = machine();
    let (root, user) = (machine.root(), machine.user(1000));
    let all = |view: &View| {
        let commands = commands(view);
        [
            commands.create(Xid(0), NEW),
            commands.migrate(Xid(0), MigrateFlags::empty()),
            commands.task_xid(None).map(drop),
            commands.kill(Xid(0), 0, None),
            commands.wait_context(Xid(0)).map(drop),
        ]
        .map(|answer| answer.err().and_then(|failure| failure.errno()))
    };
    assert_eq!(all(&user), [Some(Errno::ENOSYS); 5], "as if the kernel had no such call");
    let less = root.fork().unwrap();
    without(&less, Capability::SYS_RESOURCE.into());
    let (inval, srch) = (Some(Errno::EINVAL), Some(Errno::ESRCH));
    assert_eq!(all(&less), [inval, srch, None, Some(Errno::EPERM), srch]);
    without(&less, Capability::SYS_ADMIN.into());
    assert_eq!(all(&less), [Some(Errno::EPERM); 5]);
    without(&less, CONTEXT_CAPABILITY);
    assert_eq!(all(&less), [Some(Errno::ENOSYS); 5]);
    done(machine);
}

#[test]
fn tasks_of_different_contexts_are_not_there_for_each_other() {
    let machine = machine();
    let root = machine.root();
    let (one, two) = (guest(&root, 100, NEW), guest(&root, 200, ContextFlags::empty()));
    let mate = one.fork().unwrap();
    let numbers = [&root, &one, &two, &mate].map(|view| view.pid().unwrap());
    let [host, first, second, third] = numbers;
    for (viewer, hidden) in [(&root, first), (&one, host), (&one, second), (&two, third)] {
        assert_eq!(errno(viewer.open_pid(hidden)), Errno::ESRCH);
        assert_eq!(errno(viewer.rlimit(Some(hidden), RlimitResource::Core)), Errno::ESRCH);
        assert_eq!(errno(viewer.session(Some(hidden))), Errno::ESRCH);
        let path = format!("/proc/{hidden}/cgroup");
        assert_eq!(standin::fs::read(viewer, path).unwrap_err().errno(), Some(Errno::ENOENT));
    }
    assert_eq!(root.attach(first).map_err(|failure| failure.errno()), Err(Some(Errno::EPERM)));
    assert_eq!(errno(root.attach(second)), Errno::EACCES, "it is sealed");
    assert_eq!(one.processes(), Ok(vec![first, third]));
    assert_eq!(root.processes(), Ok(vec![Pid::INIT, host]));
    let held = one.open_pid(third).unwrap();
    assert_eq!(one.signal(&held, None), Ok(()));
    assert_eq!(one.inspect(&held).map(|info| info.pid), Ok(third));

    let spectator = root.fork().unwrap();
    commands(&spectator).migrate(Xid::SPECTATOR, MigrateFlags::empty()).unwrap();
    assert_eq!(commands(&spectator).task_xid(None), Ok(Xid::SPECTATOR));
    assert_eq!(commands(&spectator).task_xid(Some(first)), Ok(Xid(100)));
    assert_eq!(spectator.processes().unwrap().len(), 6);
    let held = spectator.open_pid(first).unwrap();
    assert_eq!(
        errno(spectator.signal(&held, Some(Signal::KILL))),
        Errno::ESRCH,
        "but it only looks"
    );
    assert_eq!(errno(commands(&spectator).kill(Xid(100), 0, None)), Errno::EPERM);
    done(machine);
}

#[test]
fn a_handle_from_before_is_no_way_in() {
    let machine = machine();
    let root = machine.root();
    let child = root.fork().unwrap();
    let held = root.open_pid(child.pid().unwrap()).unwrap();
    commands(&child).create(Xid(100), NEW).unwrap();
    assert_eq!(errno(root.signal(&held, Some(Signal::KILL))), Errno::ESRCH);
    assert_eq!(errno(root.inspect(&held)), Errno::ESRCH);
    commands(&root).kill(Xid(100), 0, Some(Signal::KILL)).unwrap();
    assert_eq!(child.pid(), Err(Failure::CallerDied));
    done(machine);
}

#[test]
fn threads_are_members_each_for_itself() {
    let machine = machine();
    let root = machine.root();
    let process = root.fork().unwrap();
    let thread = process.spawn_thread().unwrap();
    commands(&thread).create(Xid(100), NEW).unwrap();
    assert_eq!(commands(&process).task_xid(None), Ok(Xid::HOST));
    assert_eq!(commands(&thread).task_xid(None), Ok(Xid(100)));
    let tid = Pid(thread.tid().unwrap().0);
    assert_eq!(commands(&root).task_xid(Some(tid)), Ok(Xid(100)));
    assert_eq!(thread.exit_thread(ExitCode(0)), Err(Failure::CallerDied));
    assert_eq!(errno(commands(&root).wait_context(Xid(100))), Errno::ESRCH);
    done(machine);
}

#[test]
fn every_waiter_is_told_and_the_id_may_be_anothers_by_then() {
    let machine = machine();
    let root = machine.root();
    let guest = guest(&root, 100, NEW);
    let waiters = [root.fork().unwrap(), root.fork().unwrap()];
    let told = std::thread::scope(|scope| {
        let waiting = waiters
            .each_ref()
            .map(|waiter| scope.spawn(|| commands(waiter).wait_context(Xid(100))));
        while machine.look().waiting().lines().count() < 2 {
            std::thread::yield_now();
        }
        end(&guest, 5);
        let again = root.fork().unwrap();
        commands(&again).create(Xid(100), NEW).unwrap();
        waiting.map(|waiter| waiter.join().unwrap())
    });
    let end = ContextWait { reboot_command: 0, exit_status: 5 << 8 };
    assert_eq!(told, [Ok(end), Ok(end)]);
    done(machine);
}

#[test]
fn who_waits_can_be_interrupted_and_who_waits_for_itself_waits_for_ever() {
    let machine = machine();
    let root = machine.root();
    let guest = guest(&root, 100, NEW);
    let waiter = root.fork().unwrap();
    waiter.set_delivery(Signal::USR1, Delivery::Count).unwrap();
    let held = root.open_pid(waiter.pid().unwrap()).unwrap();
    let told = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| commands(&waiter).wait_context(Xid(100)));
        while machine.look().waiting().is_empty() {
            std::thread::yield_now();
        }
        root.signal(&held, Some(Signal::USR1)).unwrap();
        waiting.join().unwrap()
    });
    assert_eq!(errno(told), Errno::EINTR);
    let own = commands(&guest).wait_context(Xid(u32::MAX));
    let Err(Failure::Deadlock(picture)) = own else { panic!("{own:?}") };
    assert!(picture.contains("the end of a context"), "{picture}");
    done(machine);
}

#[test]
fn a_context_without_tasks_stays_if_it_is_persistent() {
    let machine = machine();
    let root = machine.root();
    end(&guest(&root, 100, NEW | ContextFlags::PERSISTENT), 0);
    assert_eq!(errno(commands(&root).kill(Xid(100), 0, None)), Errno::ESRCH);
    let other = root.fork().unwrap();
    assert_eq!(errno(commands(&other).create(Xid(100), NEW)), Errno::EBUSY);
    commands(&other).migrate(Xid(100), MigrateFlags::empty()).unwrap();
    done(machine);
}

#[test]
fn the_first_process_is_protected_from_its_own_and_not_from_the_host() {
    let machine = machine();
    let root = machine.root();
    let maker = guest(&root, 100, NEW);
    let init = enter(&root, 100, MigrateFlags::SET_INIT);
    let held = maker.open_pid(init.pid().unwrap()).unwrap();
    for signal in [Signal::KILL, Signal::TERM, Signal::STOP] {
        maker.signal(&held, Some(signal)).unwrap();
    }
    assert!(init.pid().is_ok());
    init.set_delivery(Signal::TERM, Delivery::Count).unwrap();
    maker.signal(&held, Some(Signal::TERM)).unwrap();
    assert_eq!(init.take_deliveries(Signal::TERM), Ok(1), "what it handles it gets");
    commands(&root).kill(Xid(100), -1, Some(Signal::KILL)).unwrap();
    assert_eq!((maker.pid(), init.pid().is_ok()), (Err(Failure::CallerDied), true));
    commands(&root).kill(Xid(100), 1, Some(Signal::KILL)).unwrap();
    assert_eq!(init.pid(), Err(Failure::CallerDied));
    done(machine);
}

#[test]
fn a_contexts_reaper_gets_its_orphans() {
    let machine = machine();
    let root = machine.root();
    let maker = guest(&root, 100, NEW);
    let reaper = enter(&root, 100, MigrateFlags::SET_REAPER);
    let orphan = maker.fork().unwrap();
    end(&maker, 0);
    assert_eq!(orphan.parent(), reaper.pid());
    end(&orphan, 3);
    let waited = reaper.wait_any(WaitOptions::default()).unwrap().map(|(_, status)| status);
    assert_eq!(waited, Some(standin::backend::WaitStatus::Exited(3)));
    done(machine);
}

#[test]
fn processes_are_counted_by_user_in_each_context() {
    let machine = machine();
    let root = machine.root();
    let limit = Rlimit { soft: Some(2), hard: Some(2) };
    let maker = guest(&root, 100, NEW);
    let user = |from: &View| {
        let user = from.fork().unwrap();
        user.set_rlimit(None, RlimitResource::Processes, limit).unwrap();
        user.set_user_id(standin::Uid(1000)).unwrap();
        user
    };
    let (outside, inside) = (user(&root), user(&maker));
    let _mates = [outside.fork().unwrap(), inside.fork().unwrap()];
    assert_eq!(errno(outside.fork()), Errno::EAGAIN);
    assert_eq!(errno(inside.fork()), Errno::EAGAIN);
    done(machine);
}

#[test]
fn who_enters_keeps_only_what_the_maker_could_have() {
    let machine = machine();
    let root = machine.root();
    let maker = root.fork().unwrap();
    maker.drop_bounding(Capability::NET_RAW).unwrap();
    commands(&maker).create(Xid(100), NEW).unwrap();
    let other = enter(&root, 100, MigrateFlags::empty());
    for member in [&maker, &other] {
        let own = member.capabilities().unwrap();
        assert!(!own.effective.contains(Capability::NET_RAW));
        assert!(!own.permitted.contains(Capability::NET_RAW));
    }
    assert!(root.capabilities().unwrap().effective.contains(Capability::NET_RAW));
    done(machine);
}

#[test]
fn what_is_not_modelled_says_so() {
    let machine = Machine::builder().contexts().allow_unmodelled().build();
    let root = machine.root();
    let loud = |answer: Result<(), Failure>| {
        assert!(matches!(answer, Err(Failure::NotModelled(_))), "{answer:?}");
    };
    let new = root.fork().unwrap();
    for flag in [ContextFlags::INFO_INIT, ContextFlags::SCHED_PAUSE, ContextFlags::SC_HELPER] {
        loud(commands(&new).create(Xid(100), NEW | flag));
    }
    assert_eq!(errno(commands(&root).wait_context(Xid(100))), Errno::ESRCH, "nothing was made");
    loud(commands(&root).info(Xid(100)).map(drop));
    loud(commands(&root).set_flags(Xid(100), FlagWord::default()));
    let guest = guest(&root, 100, ContextFlags::STATE_ADMIN);
    loud(guest.parent().map(drop));
    loud(guest.drop_bounding(Capability::NET_RAW));
    end(&guest, 0);
    loud(root.wait_any(WaitOptions::default()).map(drop));
    machine.check().unwrap();
    machine.finish().unwrap();
}
