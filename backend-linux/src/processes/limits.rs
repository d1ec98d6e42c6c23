//! Limits, priorities, the umask, and what uses them up.

#![expect(unsafe_code, reason = "calls that rustix does not have as the kernel has them")]

use std::time::Duration;

use parking_lot::Mutex;
use rustix::mm::{MapFlags, ProtFlags};
use rustix::time::ClockId;
use standin::Errno;
use standin::backend::{PriorityOf, Rlimit, RlimitResource};
use standin::failure::Result;
use standin::id::{Bytes, Mode, Pid};

use crate::clock::now;
use crate::raw::{refused, syscall};

/// The kernel's `struct rlimit64`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Limit64 {
    soft: u64,
    hard: u64,
}

impl From<Rlimit> for Limit64 {
    fn from(limit: Rlimit) -> Self {
        let number = |value: Option<u64>| value.unwrap_or(libc::RLIM_INFINITY);
        Self { soft: number(limit.soft), hard: number(limit.hard) }
    }
}

impl From<Limit64> for Rlimit {
    fn from(limit: Limit64) -> Self {
        let value = |number| (number != libc::RLIM_INFINITY).then_some(number);
        Self { soft: value(limit.soft), hard: value(limit.hard) }
    }
}

fn number(process: Option<Pid>) -> u32 {
    process.map_or(0, |pid| pid.0)
}

pub(super) fn rlimit(process: Option<Pid>, resource: RlimitResource) -> Result<Rlimit> {
    let mut old = Limit64::default();
    let none = std::ptr::null::<Limit64>();
    let (process, resource) = (number(process), resource as u32);
    // SAFETY: the kernel writes one limit.
    unsafe { syscall!(libc::SYS_prlimit64, process, resource, none, &raw mut old)? };
    Ok(old.into())
}

pub(crate) fn set_rlimit(
    process: Option<Pid>,
    resource: RlimitResource,
    limit: Rlimit,
) -> Result<()> {
    let new = Limit64::from(limit);
    let none = std::ptr::null_mut::<Limit64>();
    let (process, resource) = (number(process), resource as u32);
    // SAFETY: the kernel reads one limit.
    unsafe { syscall!(libc::SYS_prlimit64, process, resource, &raw const new, none)? };
    Ok(())
}

fn target(of: PriorityOf) -> (u32, u32) {
    match of {
        PriorityOf::Process(process) => (libc::PRIO_PROCESS, number(process)),
        PriorityOf::Group(group) => (libc::PRIO_PGRP, number(group)),
        PriorityOf::User(user) => (libc::PRIO_USER, user.map_or(0, |uid| uid.0)),
    }
}

/// The system call answers 20 less the nice value, so that no answer looks like a refusal.
pub(super) fn priority(of: PriorityOf) -> Result<i32> {
    let (which, who) = target(of);
    // SAFETY: numbers alone.
    let answered = unsafe { syscall!(libc::SYS_getpriority, which, who)? };
    i32::try_from(answered).map(|answered| 20 - answered).map_err(|_| Errno::EOVERFLOW.into())
}

pub(super) fn set_priority(of: PriorityOf, nice: i32) -> Result<()> {
    let (which, who) = target(of);
    // SAFETY: numbers alone.
    unsafe { syscall!(libc::SYS_setpriority, which, who, nice)? };
    Ok(())
}

pub(crate) fn set_umask(mask: Mode) -> Mode {
    let old = rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask.bits().into()));
    Mode::new(u16::try_from(old.as_raw_mode() & 0o7777).unwrap_or(0))
}

/// Memory that is used for its own sake: address and length. The process's, as a view is.
static USED: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// The smallest step at which memory is given out.
const PAGE_BYTES: usize = 4096;

pub(super) fn use_memory(amount: Bytes) -> Result<()> {
    let length = usize::try_from(amount.0).map_err(|_| Errno::ENOMEM)?;
    let (rights, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: the kernel chooses a free place.
    let start = unsafe { rustix::mm::mmap_anonymous(std::ptr::null_mut(), length, rights, flags) };
    let start = start.map_err(refused)?;
    USED.lock().push((start as usize, length));
    for offset in (0..length).step_by(PAGE_BYTES) {
        // SAFETY: inside the mapping, which stays until `release_memory`; one view touches it.
        unsafe { start.cast::<u8>().add(offset).write_volatile(1) };
    }
    Ok(())
}

pub(super) fn release_memory() -> Result<()> {
    for (start, length) in std::mem::take(&mut *USED.lock()) {
        // SAFETY: a mapping of `use_memory`, that nothing points into.
        unsafe { rustix::mm::munmap(start as *mut std::ffi::c_void, length) }.map_err(refused)?;
    }
    Ok(())
}

pub(super) fn use_processor(time: Duration) {
    let until = now(ClockId::ProcessCPUTime).after(time);
    while now(ClockId::ProcessCPUTime) < until {
        std::hint::spin_loop();
    }
}
