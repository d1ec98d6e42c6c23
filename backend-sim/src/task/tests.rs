//! Behaviour of processes, on a kernel without the door: what the calls do to each other. What one call answers is held to
//! recordings (the transcripts); here is what those do not reach.

use standin::backend::{Delivery, Rlimit, RlimitResource, WaitOptions, WaitStatus};
use standin::{Errno, ExitCode, Signal, Uid};

use crate::kernel::Kernel;
use crate::profile::Profile;
use crate::step::{Step, Stop};
use crate::task::fork::{ForkOptions, fork};
use crate::task::{
    ProcessKey, State, ThreadKey, check, exit, handle, identity, job, limit, signal, wait,
};

/// A kernel, and the process that a test begins with.
struct World {
    kernel: Kernel,
    first: ThreadKey,
}

impl World {
    fn new() -> Self {
        let kernel = Kernel::boot(Profile::default());
        let first = kernel.first_process();
        Self { kernel, first }
    }

    fn fork(&mut self, caller: ThreadKey) -> ThreadKey {
        fork(&mut self.kernel, caller, ForkOptions::default()).unwrap()
    }

    fn thread(&mut self, caller: ThreadKey) -> ThreadKey {
        fork(&mut self.kernel, caller, ForkOptions { thread: true, ..ForkOptions::default() })
            .unwrap()
    }

    fn process(&self, thread: ThreadKey) -> ProcessKey {
        self.kernel.tasks.process_of(thread)
    }

    fn exit(&mut self, process: ProcessKey, code: i32) {
        exit::exit_process(&mut self.kernel, process, exit::exit_status(ExitCode(code)));
    }

    fn send(&mut self, process: ProcessKey, signal: Signal) {
        signal::send_process(&mut self.kernel, self.first, process, Some(signal)).unwrap();
    }

    fn state(&self, process: ProcessKey) -> Option<State> {
        Some(self.kernel.tasks.processes.get(process)?.state)
    }

    fn wait(&mut self, caller: ThreadKey, process: ProcessKey) -> Step<Option<WaitStatus>> {
        let options =
            WaitOptions { nonblocking: true, stopped: true, continued: true, keep: false };
        wait::wait(&mut self.kernel, caller, process, options)
    }

    /// Everything that must hold does.
    fn check(&self) {
        assert_eq!(check(&self.kernel), Ok(()));
    }
}

const ECHILD: Step<Option<WaitStatus>> = Err(Stop::Failure(standin::Failure::Errno(Errno::ECHILD)));

#[test]
fn the_last_thread_of_a_process_decides_its_status() {
    let mut world = World::new();
    let leader = world.fork(world.first);
    let process = world.process(leader);
    let thread = world.thread(leader);
    exit::exit_thread(&mut world.kernel, leader, ExitCode(3));
    assert_eq!(world.state(process), Some(State::Alive));
    assert_eq!(world.wait(world.first, process), Ok(None));
    world.check();
    exit::exit_thread(&mut world.kernel, thread, ExitCode(5));
    assert_eq!(world.wait(world.first, process), Ok(Some(WaitStatus::Exited(5))));
    assert_eq!(world.wait(world.first, process), ECHILD);
    world.check();
}

#[test]
fn a_stopped_process_keeps_a_fatal_signal_until_it_goes_on() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    world.send(process, Signal::STOP);
    world.send(process, Signal::TERM);
    assert_eq!(world.wait(world.first, process), Ok(Some(WaitStatus::Stopped(Signal::STOP))));
    assert_eq!(world.wait(world.first, process), Ok(None));
    world.check();
    world.send(process, Signal::CONT);
    assert_eq!(world.wait(world.first, process), Ok(Some(WaitStatus::Killed(Signal::TERM))));
    world.check();
}

#[test]
fn kill_ends_a_stopped_process_at_once() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    world.send(process, Signal::STOP);
    world.send(process, Signal::KILL);
    assert_eq!(world.state(process), Some(State::Zombie(WaitStatus::Killed(Signal::KILL))));
    world.check();
}

#[test]
fn stop_signals_and_cont_drive_each_other_out() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    signal::set_mask(&mut world.kernel, child, Signal::TSTP.into());
    world.send(process, Signal::TSTP);
    world.send(process, Signal::CONT);
    signal::set_mask(&mut world.kernel, child, standin::SignalSet::EMPTY);
    assert_eq!(world.state(process), Some(State::Alive));
    world.check();
}

#[test]
fn tstp_stops_nobody_in_an_orphaned_group_and_others_in_their_own() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    world.send(process, Signal::TSTP);
    assert_eq!(world.state(process), Some(State::Alive), "its group is the session leader's");
    job::set_process_group(&mut world.kernel, child, 0, 0).unwrap();
    world.send(process, Signal::TSTP);
    assert!(matches!(world.state(process), Some(State::Stopped { .. })));
    world.check();
}

#[test]
fn a_group_that_is_orphaned_while_stopped_is_hung_up() {
    let mut world = World::new();
    let parent = world.fork(world.first);
    let child = world.fork(parent);
    job::set_process_group(&mut world.kernel, child, 0, 0).unwrap();
    let process = world.process(child);
    world.send(process, Signal::STOP);
    let parent = world.process(parent);
    world.exit(parent, 0);
    assert_eq!(world.state(process), None, "HUP ended it, and process 1 waited for it");
    world.check();
}

#[test]
fn who_ignores_chld_has_no_zombies_and_waits_in_vain() {
    let mut world = World::new();
    let first = world.first;
    signal::set_delivery(&mut world.kernel, first, Signal::CHLD, Delivery::Ignore).unwrap();
    let child = world.fork(first);
    let process = world.process(child);
    world.exit(process, 1);
    assert_eq!(world.state(process), None);
    assert_eq!(world.wait(first, process), ECHILD);
    world.check();
}

#[test]
fn a_number_is_not_given_out_again_while_a_group_is_called_by_it() {
    let mut world = World::new();
    let leader = world.fork(world.first);
    job::set_session(&mut world.kernel, leader).unwrap();
    let number = world.kernel.process(leader).number;
    let member = world.fork(leader);
    let process = world.process(leader);
    world.exit(process, 0);
    world.wait(world.first, process).unwrap();
    world.kernel.tasks.last_number = super::number::NUMBER_END - 1;
    let next = world.kernel.tasks.next_number().unwrap();
    assert_eq!(next, 300, "numbers below 300 are given out once");
    world.kernel.tasks.last_number = number - 1;
    assert_ne!(world.kernel.tasks.next_number(), Some(number));
    assert_eq!(
        handle::find(&world.kernel, world.kernel.first_process(), number),
        Err(Errno::EINVAL)
    );
    let member = world.process(member);
    world.exit(member, 0);
    world.kernel.tasks.last_number = number - 1;
    assert_eq!(world.kernel.tasks.next_number(), Some(number));
    world.check();
}

#[test]
fn real_time_signals_queue_and_others_do_not() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    let realtime = Signal::real_time(1).unwrap();
    let both = [realtime, Signal::USR1];
    for signal in both {
        signal::set_delivery(&mut world.kernel, child, signal, Delivery::Count).unwrap();
    }
    signal::set_mask(&mut world.kernel, child, both.into_iter().collect());
    for _ in 0..3 {
        for signal in both {
            world.send(process, signal);
        }
    }
    let account = world.kernel.tasks.threads.at(child).account;
    assert_eq!(world.kernel.tasks.accounts.get(account).signals, 4);
    signal::set_mask(&mut world.kernel, child, standin::SignalSet::EMPTY);
    let counts = both.map(|signal| signal::take_deliveries(&mut world.kernel, child, signal));
    assert_eq!(counts, [3, 1]);
    assert_eq!(world.kernel.tasks.accounts.get(account).signals, 0);
    world.check();
}

#[test]
fn a_real_time_signal_beyond_the_limit_is_pending_all_the_same() {
    let mut world = World::new();
    let child = world.fork(world.first);
    let process = world.process(child);
    let realtime = Signal::real_time(1).unwrap();
    let none = Rlimit { soft: Some(0), hard: Some(0) };
    limit::set(&mut world.kernel, process, RlimitResource::PendingSignals, none);
    signal::set_delivery(&mut world.kernel, child, realtime, Delivery::Count).unwrap();
    signal::set_mask(&mut world.kernel, child, realtime.into());
    world.send(process, realtime);
    world.send(process, realtime);
    signal::set_mask(&mut world.kernel, child, standin::SignalSet::EMPTY);
    assert_eq!(signal::take_deliveries(&mut world.kernel, child, realtime), 1);
    world.check();
}

#[test]
fn another_thread_takes_what_one_blocks() {
    let mut world = World::new();
    let leader = world.fork(world.first);
    let process = world.process(leader);
    let thread = world.thread(leader);
    signal::set_delivery(&mut world.kernel, leader, Signal::USR1, Delivery::Count).unwrap();
    signal::set_mask(&mut world.kernel, leader, Signal::USR1.into());
    world.send(process, Signal::USR1);
    assert_eq!(signal::take_deliveries(&mut world.kernel, thread, Signal::USR1), 1);
    world.check();
}

#[test]
fn process_1_cannot_be_ended_or_stopped() {
    let mut world = World::new();
    let init = world.kernel.tasks.init;
    for signal in [Signal::KILL, Signal::STOP, Signal::TERM, Signal::QUIT, Signal::TSTP] {
        world.send(init, signal);
        assert_eq!(world.state(init), Some(State::Alive), "{signal}");
    }
    world.check();
}

#[test]
fn the_limit_of_processes_bites_at_fork_and_a_zombie_counts() {
    let mut world = World::new();
    let user = world.fork(world.first);
    let id = Some(Uid(1000));
    let new = world.kernel.credentials(user).with_users(id, id, id, Some(Uid::ROOT)).unwrap();
    identity::commit(&mut world.kernel, user, new);
    let process = world.process(user);
    let two = Rlimit { soft: Some(2), hard: Some(2) };
    limit::set(&mut world.kernel, process, RlimitResource::Processes, two);
    let child = world.fork(user);
    let refused = fork(&mut world.kernel, user, ForkOptions::default());
    assert_eq!(refused, Err(Errno::EAGAIN.into()));
    let child = world.process(child);
    world.exit(child, 0);
    assert_eq!(fork(&mut world.kernel, user, ForkOptions::default()), Err(Errno::EAGAIN.into()));
    world.wait(user, child).unwrap();
    world.fork(user);
    world.check();
}

#[test]
fn orphans_go_to_the_nearest_ancestor_that_asked_for_them() {
    let mut world = World::new();
    let subreaper = world.fork(world.first);
    world.kernel.process_mut(subreaper).subreaper = true;
    let middle = world.fork(subreaper);
    let parent = world.fork(middle);
    let child = world.fork(parent);
    let [subreaper, middle, parent, child] =
        [subreaper, middle, parent, child].map(|thread| world.process(thread));
    world.exit(parent, 0);
    assert_eq!(world.kernel.tasks.processes.at(child).parent, Some(subreaper));
    assert_eq!(world.kernel.tasks.processes.at(parent).parent, Some(middle));
    world.exit(subreaper, 0);
    assert_eq!(world.kernel.tasks.processes.at(child).parent, Some(world.kernel.tasks.init));
    assert_eq!(world.kernel.tasks.processes.at(middle).parent, Some(world.kernel.tasks.init));
    world.check();
}

#[test]
fn a_death_signal_comes_when_the_thread_that_forked_ends() {
    let mut world = World::new();
    let parent = world.fork(world.first);
    let thread = world.thread(parent);
    let child = world.fork(thread);
    world.kernel.tasks.threads.at_mut(child).parent_death = Some(Signal::USR1);
    signal::set_delivery(&mut world.kernel, child, Signal::USR1, Delivery::Count).unwrap();
    exit::exit_thread(&mut world.kernel, thread, ExitCode(0));
    assert_eq!(signal::take_deliveries(&mut world.kernel, child, Signal::USR1), 1);
    world.check();
    let parent = world.process(parent);
    world.exit(parent, 0);
    assert_eq!(signal::take_deliveries(&mut world.kernel, child, Signal::USR1), 1);
    world.check();
}

#[test]
fn everything_ends_with_the_machine() {
    let mut world = World::new();
    let child = world.fork(world.first);
    world.thread(child);
    world.fork(child);
    world.kernel.kill_everything();
    assert_eq!(world.kernel.tasks.processes.len(), 1);
    world.check();
}

/// A generator that is the same on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }
}

#[test]
fn whatever_happens_to_a_family_leaves_its_records_whole() {
    const SIGNALS: [Signal; 10] = [
        Signal::KILL,
        Signal::TERM,
        Signal::QUIT,
        Signal::STOP,
        Signal::TSTP,
        Signal::CONT,
        Signal::USR1,
        Signal::CHLD,
        Signal::HUP,
        Signal::WINCH,
    ];
    const DELIVERIES: [Delivery; 3] = [Delivery::Default, Delivery::Ignore, Delivery::Count];
    for seed in 0..60 {
        let mut world = World::new();
        let mut dice = Dice(seed);
        for step in 0..150 {
            let kernel = &mut world.kernel;
            let first = world.first;
            let mut threads: Vec<(u32, ThreadKey)> =
                kernel.tasks.threads.iter().map(|(key, thread)| (thread.number, key)).collect();
            threads.retain(|(number, key)| *number > 1 && kernel.tasks.is_alive(*key));
            threads.sort_unstable();
            let (number, thread) = dice.of(&threads);
            let (other, _) = dice.of(&threads);
            let process = kernel.tasks.process_of(thread);
            let signal = dice.of(&SIGNALS);
            match dice.below(14) {
                0..3 if threads.len() < 40 => drop(world.fork(thread)),
                3 if threads.len() < 40 => drop(world.thread(thread)),
                4 if thread != first => exit::exit_thread(kernel, thread, ExitCode(1)),
                5 if process != kernel.tasks.process_of(first) => world.exit(process, 2),
                6 => drop(job::set_session(kernel, thread)),
                7 => drop(job::set_process_group(kernel, thread, other, number)),
                8 => {
                    let options =
                        WaitOptions { nonblocking: true, stopped: true, ..WaitOptions::default() };
                    drop(wait::wait_any(kernel, thread, options));
                }
                9 => signal::set_mask(
                    kernel,
                    thread,
                    SIGNALS[..dice.below(10)].iter().copied().collect(),
                ),
                10 => drop(signal::set_delivery(kernel, thread, signal, dice.of(&DELIVERIES))),
                11 => kernel.process_mut(thread).subreaper ^= true,
                12 => kernel.tasks.threads.at_mut(thread).parent_death = Some(signal),
                _ if process != kernel.tasks.process_of(first) => world.send(process, signal),
                _ => {}
            }
            assert_eq!(check(&world.kernel), Ok(()), "seed {seed}, step {step}");
            assert_eq!(crate::cgroup::check(&world.kernel), Ok(()), "seed {seed}, step {step}");
            if !world.kernel.tasks.is_alive(world.first) {
                break;
            }
        }
    }
}
