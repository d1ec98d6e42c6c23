//! Any input is a case. The rules between the parts of the simulated kernel hold at its end, and nothing of it panics.
//!
//! What a fuzzer is told besides the code that it reaches: each pair of an operation and the errno that it came to has a
//! counter, so an input with which something is refused for a new reason is kept. To fuzz a manager of yours, copy this file,
//! give `property` its program (`play.machine().program(...)`, `play.beside(...)`), and say what must hold.

#![no_main]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use libfuzzer_sys::fuzz_target;
use standin_sim::property::{COUNTERS, Case, Play};

/// libFuzzer looks at all bytes of this section after each run, and clears them before it.
// SAFETY: the section holds nothing but counters of a byte each, as libFuzzer wants it.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static REACHED: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

/// Which of them were ever reached.
static EVER: Mutex<[bool; COUNTERS]> = Mutex::new([false; COUNTERS]);

/// The case that is tried.
static CURRENT: Mutex<Option<Case>> = Mutex::new(None);

fn property(play: &mut Play) {
    play.alone();
    if let Err(broken) = play.machine().check() {
        panic!("{broken}");
    }
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
    // The machine says when it does not know what Linux does: that is no failure of what is fuzzed.
    let Ok(tally) = case.check(property) else { return };
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
