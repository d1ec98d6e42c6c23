//! Files of every v1 group besides those of its members: what it hands down, and the program that is run when it is released
//! (cgroup-v1/cgroups.rst).

use standin::{Capability, Errno};

use crate::cgroup::rows::{Target, Write};
use crate::cgroup::{Cgroup, value};
use crate::kernel::Kernel;
use crate::step::Step;

fn show_flag(kernel: &Kernel, target: Target, out: &mut Vec<u8>, flag: fn(&Cgroup) -> bool) {
    value::print_line(u64::from(flag(kernel.cgroups.table.at(target.group))), out);
}

/// Every number but 0 stands for 1.
fn store_flag(
    kernel: &mut Kernel,
    write: &Write<'_>,
    flag: fn(&mut Cgroup) -> &mut bool,
) -> Step<()> {
    let value = value::unsigned(write.bytes)? != 0;
    *flag(kernel.cgroups.table.at_mut(write.group)) = value;
    Ok(())
}

pub(in crate::cgroup) fn show_notify(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    show_flag(kernel, target, out, |group| group.notify_on_release);
    Ok(())
}

pub(in crate::cgroup) fn store_notify(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store_flag(kernel, write, |group| &mut group.notify_on_release)
}

pub(in crate::cgroup) fn show_clone(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    show_flag(kernel, target, out, |group| group.clone_children);
    Ok(())
}

pub(in crate::cgroup) fn store_clone(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    store_flag(kernel, write, |group| &mut group.clone_children)
}

pub(in crate::cgroup) fn show_agent(
    kernel: &Kernel,
    target: Target,
    out: &mut Vec<u8>,
) -> Step<()> {
    out.extend_from_slice(&kernel.cgroups.hierarchy_of(target.group).release_agent);
    out.push(b'\n');
    Ok(())
}

/// EPERM unless the opener had `CAP_SYS_ADMIN`: the program is run with every right.
pub(in crate::cgroup) fn store_agent(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let opener = &kernel.vfs.files.at(write.file).opener;
    if !opener.rights(&kernel.namespaces).capable(Capability::SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    let agent = value::strip(write.bytes).into();
    kernel.cgroups.hierarchy_of_mut(write.group).release_agent = agent;
    Ok(())
}
