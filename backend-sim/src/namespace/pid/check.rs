//! What must hold of the numbers in nested namespaces between two calls.

use super::PidNsKey;
use crate::kernel::Kernel;

/// The own namespace of everybody who is in a nested one.
pub(in crate::namespace) fn owners(kernel: &Kernel) -> Vec<PidNsKey> {
    let mut all: Vec<_> = kernel.tasks.inner.values().map(|inner| inner.own().0).collect();
    all.sort_unstable();
    all
}

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that says what.
pub(in crate::namespace) fn check(kernel: &Kernel) -> Result<(), String> {
    let mut numbers: Vec<_> = kernel.tasks.inner.iter().collect();
    numbers.sort_unstable_by_key(|(number, _)| **number);
    let mut given = 0;
    for (number, inner) in numbers {
        if !kernel.tasks.in_use(*number) {
            return Err(format!("nobody has the number {number}, which has others inside"));
        }
        let mut above = Some(kernel.namespaces.first.pid_for_children);
        for (key, own) in inner.each() {
            let namespace = kernel.pids(*key);
            if namespace.parent != above || namespace.numbers.get(own) != Some(number) {
                return Err(format!("{own} is not the number of {number} in its namespace"));
            }
            above = Some(*key);
            given += 1;
        }
    }
    let of_all = kernel.namespaces.pid.iter().map(|(_, namespace)| namespace.content.numbers.len());
    if of_all.sum::<usize>() == given {
        Ok(())
    } else {
        Err("a number in a PID namespace is nobody's".to_owned())
    }
}
