//! The settings of PID namespaces: /proc/sys/kernel/pid_max, one more than the highest number, and ns_last_pid, the number given
//! out last (proc_sys_kernel(5)).

use standin::{Capability, Errno};

use super::{Held, PidNsKey};
use crate::kernel::Kernel;
use crate::namespace::{owner, user};
use crate::profile::Release;
use crate::task::ThreadKey;

/// Numbers below this are given out once: those of the daemons that start with the system.
const RESERVED: u32 = 300;

/// The least and the most that pid_max can be.
pub(crate) const LOWEST_END: u32 = RESERVED + 1;
pub(crate) const HIGHEST_END: u32 = 4_194_304;

/// Where the search begins again if there is no free number from `next` on.
pub(crate) const fn lowest(next: u32) -> u32 {
    if next > RESERVED { RESERVED } else { 1 }
}

/// One more than the highest number of a namespace: before 6.14 all have that of the machine.
pub(crate) fn end(kernel: &Kernel, key: PidNsKey) -> u32 {
    if is_machines(kernel, key) { kernel.tasks.number_end } else { kernel.pids(key).end }
}

fn is_machines(kernel: &Kernel, key: PidNsKey) -> bool {
    kernel.profile.release < Release::V6_18 || is_first(kernel, key)
}

fn is_first(kernel: &Kernel, key: PidNsKey) -> bool {
    key == kernel.namespaces.first.pid_for_children
}

/// Whether pid_max of a namespace is the caller's to write, whatever its mode says to others: since 6.14 where that was made.
pub(crate) fn owns_end(kernel: &Kernel, caller: ThreadKey, key: PidNsKey) -> bool {
    let over = owner(kernel, Held::Pid(key));
    let own = kernel.credentials(caller);
    kernel.profile.release >= Release::V6_18
        && (user::capable(kernel, own.holder(), over, Capability::SYS_ADMIN)
            || kernel.namespaces.meant_user(over, standin::Uid::ROOT) == Some(own.user.effective))
}

/// What ns_last_pid says to a reader.
pub(crate) fn read_last(kernel: &Kernel, reader: ThreadKey) -> u32 {
    let key = kernel.pid_ns(reader);
    if is_first(kernel, key) { kernel.tasks.last_number } else { kernel.pids(key).last }
}

/// One write of pid_max of a namespace.
///
/// # Errors
/// EINVAL: no number, or one that it cannot be.
pub(crate) fn write_end(kernel: &mut Kernel, key: PidNsKey, bytes: &[u8]) -> Result<(), Errno> {
    let Some(wanted) = parse(bytes, LOWEST_END, HIGHEST_END)? else { return Ok(()) };
    if is_machines(kernel, key) {
        kernel.tasks.number_end = wanted;
        kernel.tasks.numbers_wrapped = true;
    } else {
        kernel.pids_mut(key).end = wanted;
    }
    Ok(())
}

/// One write of ns_last_pid.
///
/// # Errors
/// EPERM without `CAP_CHECKPOINT_RESTORE` or `CAP_SYS_ADMIN` where the namespace was made. EINVAL: no number, or one beyond pid_max.
pub(crate) fn write_last(
    kernel: &mut Kernel,
    caller: ThreadKey,
    bytes: &[u8],
) -> Result<(), Errno> {
    let key = kernel.pid_ns(caller);
    let (own, over) = (kernel.credentials(caller).holder(), owner(kernel, Held::Pid(key)));
    let able = |capability| user::capable(kernel, own, over, capability);
    if !able(Capability::CHECKPOINT_RESTORE) && !able(Capability::SYS_ADMIN) {
        return Err(Errno::EPERM);
    }
    let Some(wanted) = parse(bytes, 0, end(kernel, key))? else { return Ok(()) };
    if is_first(kernel, key) {
        kernel.tasks.last_number = wanted;
        kernel.tasks.numbers_wrapped = true;
    } else {
        kernel.pids_mut(key).last = wanted;
    }
    Ok(())
}

/// The first number of a text, blanks around it; what stands behind it is not looked at. Nothing for an empty text.
fn parse(bytes: &[u8], least: u32, most: u32) -> Result<Option<u32>, Errno> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n');
    let text = bytes.trim_ascii_start();
    let word = text.split(is_blank).next().unwrap_or_default();
    let number = std::str::from_utf8(word).ok().filter(|word| !word.starts_with('+'));
    let number: u32 = number.and_then(|word| word.parse().ok()).ok_or(Errno::EINVAL)?;
    if (least..=most).contains(&number) { Ok(Some(number)) } else { Err(Errno::EINVAL) }
}
