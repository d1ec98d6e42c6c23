//! /proc/stat: what the processors did since the machine began (proc_stat(5)).
//!
//! Programs use processors for themselves alone and nothing interrupts them: so all that was used is `user`, all else is `idle`,
//! and what a kernel counts of its own work is 0.

use standin::Failure;
use standin::id::Moment;

use super::{system, text};
use crate::kernel::Kernel;
use crate::step::Step;
use crate::task::handle;

/// Kinds of work that interrupts leave for later.
const KINDS_LEFT: usize = 10;

/// Prints it.
///
/// # Errors
/// `NotModelled`: how much of what was used was whose, on a machine with several processors.
pub(super) fn print(kernel: &Kernel, out: &mut Vec<u8>) -> Step<()> {
    let (count, used_ns) = (u64::from(kernel.profile.processors), system::used_ns(kernel));
    if count > 1 && used_ns > 0 {
        return Err(Failure::NotModelled("which of the processors was used").into());
    }
    let now = kernel.clock.monotonic();
    let all_ns = now.ns.saturating_mul(count);
    out.extend_from_slice(b"cpu  ");
    times(used_ns, all_ns, out);
    for processor in 0..count {
        out.extend_from_slice(b"cpu");
        text::decimal(out, processor);
        out.push(b' ');
        times(used_ns, now.ns, out);
    }
    let began_ns = kernel.clock.realtime().ns.saturating_sub(now.ns);
    let running = kernel.tasks.threads.iter();
    let running = running.filter(|(key, _)| kernel.processors.is_burning(*key)).count();
    for (name, number) in [
        ("intr", 0),
        ("ctxt", 0),
        ("btime", began_ns / 1_000_000_000),
        ("processes", u64::from(kernel.tasks.last_serial)),
        // Who reads this runs as well.
        ("procs_running", u64::try_from(running).unwrap_or(u64::MAX).saturating_add(1)),
        ("procs_blocked", 0),
    ] {
        out.extend_from_slice(format!("{name} {number}\n").as_bytes());
    }
    out.extend_from_slice(b"softirq 0");
    out.extend_from_slice(&b" 0".repeat(KINDS_LEFT));
    out.push(b'\n');
    Ok(())
}

/// user nice system idle iowait irq softirq steal guest guest_nice, in ticks.
fn times(used_ns: u64, all_ns: u64, out: &mut Vec<u8>) {
    text::decimal(out, handle::ticks(Moment { ns: used_ns }));
    out.extend_from_slice(b" 0 0 ");
    text::decimal(out, handle::ticks(Moment { ns: all_ns.saturating_sub(used_ns) }));
    out.extend_from_slice(b" 0 0 0 0 0 0\n");
}

#[cfg(test)]
mod tests {
    use standin::backend::Processes as _;
    use standin::fs;
    use std::time::Duration;

    use crate::Machine;

    #[test]
    fn what_was_used_is_user_and_the_rest_idle() {
        let machine = Machine::builder().processors(1).build();
        let root = machine.root();
        root.use_processor(Duration::from_secs(2)).unwrap();
        let told = fs::read_to_string(&root, "/proc/stat").unwrap();
        // The clock began at a second.
        let used = "200 0 0 100 0 0 0 0 0 0\n";
        assert!(told.starts_with(&format!("cpu  {used}cpu0 {used}")), "{told}");
        assert!(told.contains("\nprocs_running 1\nprocs_blocked 0\n"), "{told}");
    }
}
