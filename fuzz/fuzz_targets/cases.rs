//! Any input is a case. The rules between the parts of the simulated kernel hold at its end, and nothing of it panics.
//!
//! Each is played twice: alone, one operation after another, and beside a manager that puts up with whatever it finds, in the order and
//! with the faults that the input says.
//!
//! What a fuzzer is told besides the code that it reaches: each pair of an operation and the errno that it came to has a
//! counter, so an input with which something is refused for a new reason is kept. To fuzz a manager of yours, copy this file,
//! put its program in the place of `manager`, and say in `property` what must hold.

#![no_main]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use libfuzzer_sys::fuzz_target;
use standin::{Backend, ExitCode, fs};
use standin_sim::property::{COUNTERS, Case, Play, Tally};

/// libFuzzer looks at all bytes of this section after each run, and clears them before it.
// SAFETY: the section holds nothing but counters of a byte each, as libFuzzer wants it.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static REACHED: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

/// Which of them were ever reached.
static EVER: Mutex<[bool; COUNTERS]> = Mutex::new([false; COUNTERS]);

/// The case that is tried.
static CURRENT: Mutex<Option<Case>> = Mutex::new(None);

/// What is fuzzed beside the machine.
fn manager(kernel: &dyn Backend, _: &[Vec<u8>]) -> ExitCode {
    for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/pids"] {
        let group = format!("{root}/managed");
        let _ = fs::create_dir(kernel, &group);
        let _ = fs::write(kernel, format!("{root}/cgroup.subtree_control"), "+pids");
        let _ = fs::write(kernel, format!("{group}/pids.max"), "3");
        let _ = fs::write(kernel, format!("{group}/cgroup.procs"), "0");
        let _ = fs::read(kernel, format!("{group}/cgroup.procs"));
        let _ = fs::read_dir(kernel, root);
        let _ = fs::write(kernel, format!("{root}/cgroup.procs"), "0");
        let _ = fs::remove_dir(kernel, &group);
    }
    ExitCode::SUCCESS
}

/// The operations one after another.
fn alone(play: &mut Play) {
    play.alone();
    property(play);
}

/// The operations beside the manager.
fn beside(play: &mut Play) {
    play.machine().program("/bin/manager", manager);
    // Others may freeze it for ever, or end it.
    let _ = play.beside(&["/bin/manager"]);
    property(play);
}

/// What must hold.
fn property(play: &mut Play) {
    if let Err(broken) = play.machine().check() {
        panic!("{broken}");
    }
}

/// What AddressSanitizer does unless its environment says otherwise: the frames that it keeps aside to find uses after a return are not
/// given back when a coroutine ends, so that memory would run out.
#[cfg(feature = "address")]
#[unsafe(no_mangle)]
extern "C" fn __asan_default_options() -> *const std::ffi::c_char {
    c"detect_stack_use_after_return=0".as_ptr()
}

/// libFuzzer ends the program at a panic: what is said before that is the case, as a line that a test can parse.
fn tell_the_case() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(Some(case)) = CURRENT.try_lock().as_deref() {
            eprint!("{}", case.script());
            eprintln!("case: {case}");
        }
        before(info);
    }));
}

fuzz_target!(init: tell_the_case(), |case: Case| {
    *CURRENT.lock().expect("nothing panics while it is held") = Some(case.clone());
    let mut tally = Tally::default();
    for play in [alone, beside] {
        match case.check(play) {
            Ok(reached) => tally.merge(&reached),
            // The machine says when it does not know what Linux does: that is no failure of what is fuzzed.
            Err(found) => assert!(found.is_unmodelled(), "{}", found.message()),
        }
    }
    let mut ever = EVER.lock().expect("nothing panics while it is held");
    let mut is_new = false;
    for (counter, times) in tally.counters() {
        REACHED[counter].store(u8::try_from(times).unwrap_or(u8::MAX), Ordering::Relaxed);
        is_new |= !std::mem::replace(&mut ever[counter], true);
    }
    if is_new {
        let pairs = ever.iter().filter(|reached| **reached).count();
        eprintln!("reached {pairs} pairs of operation and errno");
    }
});
