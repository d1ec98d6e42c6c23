//! What prctl(2), capget(2) and capset(2) tell and change of the calling thread.

#![expect(unsafe_code, reason = "prctl(2) and capset(2) with every value the kernel takes")]

use std::ffi::c_ulong;

use standin::Errno;
use standin::backend::{AmbientChange, CapabilitySets};
use standin::capability::{Capability, CapabilitySet, Securebits};
use standin::failure::Result;
use standin::path::{KPath, KPathBuf};
use standin::signal::Signal;

use crate::path::c_string;
use crate::raw::{answer, syscall};

/// The form of capget(2) with 64-bit sets, `_LINUX_CAPABILITY_VERSION_3`.
const VERSION: u32 = 0x2008_0522;

/// Sets are 64 bits wide: no capability has a higher number.
const MOST_CAPABILITIES: u32 = 64;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// One half of the three sets.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Half {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// prctl(2) with numbers.
fn prctl(option: i32, first: c_ulong, second: c_ulong) -> Result<usize> {
    let zero: c_ulong = 0;
    // SAFETY: every option in this file that comes here takes numbers alone.
    answer(unsafe { libc::prctl(option, first, second, zero, zero) }.into())
}

fn wide(half: impl Fn(&Half) -> u32, halves: &[Half; 2]) -> CapabilitySet {
    let [low, high] = halves;
    CapabilitySet::from_bits(u64::from(half(low)) | u64::from(half(high)) << 32)
}

fn halves_of(set: CapabilitySet) -> [u32; 2] {
    let part = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
    [part(set.bits()), part(set.bits() >> 32)]
}

pub(crate) fn capabilities() -> Result<CapabilitySets> {
    let mut header = Header { version: VERSION, pid: 0 };
    let mut halves = [Half::default(); 2];
    // SAFETY: the kernel reads the header and writes two halves, as this version has.
    unsafe { syscall!(libc::SYS_capget, &raw mut header, halves.as_mut_ptr())? };
    Ok(CapabilitySets {
        effective: wide(|half| half.effective, &halves),
        permitted: wide(|half| half.permitted, &halves),
        inheritable: wide(|half| half.inheritable, &halves),
        bounding: each(libc::PR_CAPBSET_READ, 0)?,
        ambient: each(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_IS_SET)?,
    })
}

/// The set of capabilities for which prctl(2) says 1; the first number that it does not know ends it.
fn each(option: i32, sub: i32) -> Result<CapabilitySet> {
    let mut bits = 0_u64;
    for number in 0..MOST_CAPABILITIES {
        let number_word = c_ulong::from(number);
        let told = if option == libc::PR_CAP_AMBIENT {
            prctl(option, c_ulong::from(sub.unsigned_abs()), number_word)
        } else {
            prctl(option, number_word, 0)
        };
        match told {
            Ok(0) => {}
            Ok(_) => bits |= 1 << number,
            Err(failure) if failure.is(Errno::EINVAL) => break,
            Err(failure) => return Err(failure),
        }
    }
    Ok(CapabilitySet::from_bits(bits))
}

pub(crate) fn set_capabilities(
    effective: CapabilitySet,
    permitted: CapabilitySet,
    inheritable: CapabilitySet,
) -> Result<()> {
    let mut header = Header { version: VERSION, pid: 0 };
    let [effective, permitted, inheritable] = [effective, permitted, inheritable].map(halves_of);
    let mut halves = [Half::default(); 2];
    for (at, half) in halves.iter_mut().enumerate() {
        let part = |set: [u32; 2]| set.get(at).copied().unwrap_or(0);
        *half = Half {
            effective: part(effective),
            permitted: part(permitted),
            inheritable: part(inheritable),
        };
    }
    // SAFETY: the kernel reads the header and two halves, as this version has.
    unsafe { syscall!(libc::SYS_capset, &raw mut header, halves.as_ptr())? };
    Ok(())
}

pub(crate) fn drop_bounding(capability: Capability) -> Result<()> {
    prctl(libc::PR_CAPBSET_DROP, capability.number().into(), 0).map(drop)
}

pub(super) fn change_ambient(change: AmbientChange) -> Result<()> {
    let (sub, number) = match change {
        AmbientChange::Raise(capability) => (libc::PR_CAP_AMBIENT_RAISE, capability.number()),
        AmbientChange::Lower(capability) => (libc::PR_CAP_AMBIENT_LOWER, capability.number()),
        AmbientChange::ClearAll => (libc::PR_CAP_AMBIENT_CLEAR_ALL, 0),
    };
    prctl(libc::PR_CAP_AMBIENT, sub.unsigned_abs().into(), number.into()).map(drop)
}

pub(super) fn securebits() -> Result<Securebits> {
    let bits = prctl(libc::PR_GET_SECUREBITS, 0, 0)?;
    Ok(Securebits::from_bits_retain(crate::raw::narrow(bits)?))
}

pub(super) fn set_securebits(securebits: Securebits) -> Result<()> {
    prctl(libc::PR_SET_SECUREBITS, securebits.bits().into(), 0).map(drop)
}

pub(super) fn keep_capabilities() -> Result<bool> {
    Ok(prctl(libc::PR_GET_KEEPCAPS, 0, 0)? != 0)
}

pub(super) fn set_keep_capabilities(keep: bool) -> Result<()> {
    prctl(libc::PR_SET_KEEPCAPS, keep.into(), 0).map(drop)
}

pub(super) fn no_new_privileges() -> Result<bool> {
    Ok(prctl(libc::PR_GET_NO_NEW_PRIVS, 0, 0)? != 0)
}

pub(crate) fn set_no_new_privileges() -> Result<()> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0).map(drop)
}

pub(super) fn set_subreaper(subreaper: bool) -> Result<()> {
    prctl(libc::PR_SET_CHILD_SUBREAPER, subreaper.into(), 0).map(drop)
}

pub(super) fn set_parent_death_signal(signal: Option<Signal>) -> Result<()> {
    let number = signal.map_or(0, |signal| signal.number().unsigned_abs());
    prctl(libc::PR_SET_PDEATHSIG, number.into(), 0).map(drop)
}

pub(super) fn parent_death_signal() -> Result<Option<Signal>> {
    let mut number: libc::c_int = 0;
    // SAFETY: the kernel writes one number.
    answer(unsafe { libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut number, 0, 0, 0) }.into())?;
    Ok(Signal::new(number))
}

pub(super) fn set_name(name: &KPath) -> Result<()> {
    let name = c_string(name.as_bytes())?;
    // SAFETY: the kernel reads a string that lives until it returns.
    answer(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr(), 0, 0, 0) }.into()).map(drop)
}

pub(super) fn name() -> Result<KPathBuf> {
    let mut name = [0_u8; 16];
    // SAFETY: the kernel writes at most 16 bytes.
    answer(unsafe { libc::prctl(libc::PR_GET_NAME, name.as_mut_ptr(), 0, 0, 0) }.into())?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    KPathBuf::new(name).map_err(|_| Errno::EINVAL.into())
}
