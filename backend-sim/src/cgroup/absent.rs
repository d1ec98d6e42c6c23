//! Limits on what the machine does not have: huge pages, devices for RDMA, resources of the misc controller, and
//! regions of device memory. What is well formed names one that is not there.
//!
//! Facts: cgroup-v2.rst; the forms are recorded on 6.1 and 6.12. What files of these controllers print is in their rows.

use standin::{Errno, Failure};

use super::rows::{Target, Write};
use super::value;
use crate::kernel::Kernel;
use crate::profile::Release::{self, V6_12, V6_18};
use crate::step::Step;

/// No line: there is one a device.
#[expect(clippy::unnecessary_wraps, reason = "a row's function may fail")]
pub(super) fn show(_: &Kernel, _: Target, _: &mut Vec<u8>) -> Step<()> {
    Ok(())
}

/// Nothing was ever used.
#[expect(clippy::unnecessary_wraps, reason = "a row's function may fail")]
pub(super) fn show_none(_: &Kernel, _: Target, out: &mut Vec<u8>) -> Step<()> {
    value::print_line(0, out);
    Ok(())
}

/// Sets back what counted nothing, whatever is written.
#[expect(clippy::unnecessary_wraps, reason = "a row's function may fail")]
pub(super) fn forget(_: &mut Kernel, _: &Write<'_>) -> Step<()> {
    Ok(())
}

/// rdma.max: a device, and a blank before each `RESOURCE=LIMIT`.
pub(super) fn store_rdma(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let mut words = value::strip(write.bytes).split(|byte| *byte == b' ').skip(1);
    let release = kernel.cgroups.release;
    let known = words.all(|word| is_rdma_limit(word, release));
    Err(if known { Errno::ENODEV } else { Errno::EINVAL }.into())
}

/// Bytes of a number from which on it is too long, since 6.12.
const TOO_LONG: usize = 24;

/// A limit is a number from 0 that fits 32 bits, whatever stands behind it, or a beginning of `max`, be it empty.
fn is_rdma_limit(word: &[u8], release: Release) -> bool {
    let limit = [b"hca_handle=".as_slice(), b"hca_object="]
        .into_iter()
        .find_map(|resource| word.strip_prefix(resource));
    let Some(limit) = limit else { return false };
    if b"max".starts_with(limit) {
        return true;
    }
    let too_long = release >= V6_12 && limit.len() >= TOO_LONG;
    !too_long && value::leading_long(limit).is_some_and(|number| (0..1 << 31).contains(&number))
}

/// Resources of the misc controller in a kernel for confidential machines.
const CONFIDENTIAL: [&[u8]; 3] = [b"sev", b"sev_es", b"tdx"];

/// misc.max: a resource, a blank, its limit. The kernels of 6.1 and 6.12 know no resource.
pub(super) fn store_misc(kernel: &mut Kernel, write: &Write<'_>) -> Step<()> {
    let mut parts = value::strip(write.bytes).splitn(2, |byte| *byte == b' ');
    if let (Some(resource), Some(limit)) = (parts.next(), parts.next())
        && kernel.cgroups.release >= V6_18
        && CONFIDENTIAL.contains(&resource)
        && value::unsigned(limit) == Err(Errno::ERANGE)
    {
        // Which refusal it is depends on whether that kernel is built for the resource.
        return Err(Failure::NotModelled("misc.max").into());
    }
    Err(Errno::EINVAL.into())
}

/// dmem.max, dmem.low, dmem.min: lines `REGION LIMIT`, empty ones allowed. There is no region (cgroup-v2.rst, DMEM).
pub(super) fn store_dmem(_: &mut Kernel, write: &Write<'_>) -> Step<()> {
    if value::strip(write.bytes).is_empty() { Ok(()) } else { Err(Errno::EINVAL.into()) }
}

#[cfg(test)]
mod tests {
    use standin::{Errno, fs};

    use super::is_rdma_limit;
    use crate::Machine;
    use crate::profile::Release::{V6_1, V6_12, V6_18};

    #[test]
    fn device_memory_has_no_region_to_limit() {
        let machine = Machine::builder().kernel(V6_18).build();
        let root = machine.root();
        fs::write(&root, "/sys/fs/cgroup/cgroup.subtree_control", "+dmem").unwrap();
        fs::create_dir(&root, "/sys/fs/cgroup/a").unwrap();
        assert_eq!(fs::read_to_string(&root, "/sys/fs/cgroup/a/dmem.max").unwrap(), "");
        fs::write(&root, "/sys/fs/cgroup/a/dmem.max", " \n").unwrap();
        let refused = fs::write(&root, "/sys/fs/cgroup/a/dmem.max", "vram 1M").unwrap_err();
        assert_eq!(refused.errno(), Some(Errno::EINVAL));
        machine.finish().unwrap();
    }

    #[test]
    fn a_limit_of_rdma_is_read_leniently() {
        for limit in ["", "m", "max", "0", "2147483647", "1x", "1=2", "-", "18446744073709551617"] {
            assert!(is_rdma_limit(format!("hca_handle={limit}").as_bytes(), V6_12), "{limit}");
        }
        for limit in ["maxi", "+1", "-1", "x", "2147483648"] {
            assert!(!is_rdma_limit(format!("hca_object={limit}").as_bytes(), V6_12), "{limit}");
        }
    }

    #[test]
    fn only_newer_kernels_find_a_limit_of_rdma_too_long() {
        let word = format!("hca_handle={}1", "0".repeat(23));
        assert!(is_rdma_limit(word.as_bytes(), V6_1));
        assert!(!is_rdma_limit(word.as_bytes(), V6_12));
    }
}
