//! Agents: views that are processes of their own.

pub(crate) mod children;

use crate::registry::Args;

/// Serves as an agent.
pub(crate) fn serve(_arguments: Args) -> ! {
    crate::processes::child::leave(127)
}
