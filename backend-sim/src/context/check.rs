//! What must hold of contexts between two calls.

use standin::backend::ContextFlags;

use super::SPECTATOR;
use crate::kernel::Kernel;

/// The first thing found that does not hold.
///
/// # Errors
/// A sentence that names the context.
pub(crate) fn check(kernel: &Kernel) -> Result<(), String> {
    let contexts = &kernel.contexts;
    if contexts.by_label.len() != contexts.table.len() {
        return Err("does not hold: as many ids as contexts".to_owned());
    }
    for (key, context) in contexts.table.iter() {
        let label = context.label;
        let threads = kernel.tasks.threads.iter();
        let live = threads.filter(|(_, thread)| thread.label == label && !thread.exited).count();
        let claim = usize::from(context.has(ContextFlags::PERSISTENT));
        let counted = usize::try_from(context.tasks) == Ok(live + claim);
        if !counted || live + claim == 0 {
            return Err(format!("context {label}: {live} tasks and not {}", context.tasks));
        }
        if contexts.find(label) != Some(key) || context.end.0.get().is_some() {
            return Err(format!("context {label}: does not hold: it is found and has not ended"));
        }
        for role in [context.init, context.reaper].into_iter().flatten() {
            if kernel.tasks.processes.get(role).is_none_or(crate::task::Process::is_zombie) {
                return Err(format!("context {label}: its first process or reaper has ended"));
            }
        }
    }
    for (_, thread) in kernel.tasks.threads.iter() {
        let known = thread.label <= SPECTATOR || contexts.find(thread.label).is_some();
        if !known && !thread.exited {
            return Err(format!("thread {}: its context is gone", thread.number));
        }
    }
    Ok(())
}
