//! What a process uses: memory, processor, time.

use super::operations;
use crate::transcript::value::Size;

operations! {
    /// Operations that use something up.
    ResourceOp of Resources {
        /// Maps and touches SIZE bytes of anonymous memory, and keeps them.
        Alloc is "alloc" "SIZE" { size: Size }
        /// Unmaps all that `alloc` mapped.
        Release is "release" "" {}
        /// Uses the processor for MS milliseconds of CPU time.
        Burn is "burn" "MS" { cpu_ms: u64 }
        /// Sleeps for MS milliseconds; the virtual clock moves.
        Sleep is "sleep" "MS" { time_ms: u64 }
    }
}
