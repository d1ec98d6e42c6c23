//! The standin backend over the real Linux kernel.
