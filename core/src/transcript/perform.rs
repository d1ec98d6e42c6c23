//! Carrying out one operation, entirely as the actor: through its view of the kernel, with what it keeps.

use super::actor::Actor;
use super::outcome::Outcome;
use super::stage::Task;
use crate::backend::Backend;
use crate::handle::PidHandle;

/// Carries out an operation as this actor.
pub fn perform(
    kernel: &dyn Backend,
    actor: &Actor,
    task: &Task,
    target: Option<&PidHandle>,
) -> Outcome {
    let _ = (kernel, actor, task, target);
    Outcome::NotModelled
}
