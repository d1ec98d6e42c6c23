//! Write code against the Linux kernel once; run it on Linux or on a simulated kernel.
