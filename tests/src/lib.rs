//! What the suites that need more than one crate of standin share.
//!
//! [`changing`] changes machines in the middle of a script; [`coverage`] counts what recordings prove; [`errno_sites`] says which of the kernel's errnos they show; [`fixtures`] finds the
//! recordings, [`lists`] reads the lists beside them, [`measured`] is the table of models, [`replay`] runs them again; [`soak`] plays
//! generated scripts on one machine and looks at what stays behind; [`manager`]
//! does with groups what managers do, for those who count and measure;
//! [`sources`] reads our own source text for the tests of the architecture; [`generate`] makes random scripts; [`lab`] records
//! scripts on real kernels in virtual machines. Nothing here is a test.

pub mod allocator;
pub mod changing;
pub mod coverage;
pub mod errno_sites;
pub mod fixtures;
pub mod generate;
pub mod lab;
pub mod lists;
pub mod manager;
pub mod measured;
pub mod replay;
pub mod soak;
pub mod sources;

/// The README's example, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
