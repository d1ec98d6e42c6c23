//! A simulated Linux kernel in memory.
