//! The lab: real kernels in virtual machines, which play scripts for recordings.
//!
//! [`image`] has the kernels, [`program`] this program as a guest's first process, [`cpio`] packs what a guest starts with,
//! [`vm`] boots one with its [`disk`]s and hears it out, [`frame`] is what the guest says, [`guest`] is the guest's side.
//! [`record`] plays scripts with all of these, [`verify`] judges what fixtures came to, and [`fuzz`] plays generated ones
//! and compares them with the machine. [`witness`] has somebody else's tools run there. Only `guest` and a witness's
//! `observe` run inside a virtual machine; nothing else here knows an operation of a script.

pub mod cpio;
pub mod disk;
pub mod frame;
pub mod fuzz;
pub mod guest;
pub mod host;
pub mod image;
pub mod program;
pub mod record;
pub mod verify;
pub mod vm;
pub mod witness;

use std::fmt;

/// Why the lab could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabError {
    /// Something is missing or was asked for wrongly; the text says what to install or to change.
    Setup(String),
    /// It was tried, and failed.
    Failed(String),
}

impl fmt::Display for LabError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Setup(text) | Self::Failed(text)) = self;
        f.write_str(text)
    }
}

impl std::error::Error for LabError {}
