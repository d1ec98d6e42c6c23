//! The disks of a virtual machine: empty NVMe drives, whose driver is built into the lab's kernels.
//!
//! They have no partitions, so that their numbers are 259:0, 259:1 ... in whatever order the kernel finds them.

/// Enough that nothing looks behind its end, and nothing that takes room: the file is a hole.
pub const SIZE_BYTES: u64 = 8 << 20;

/// By which arguments qemu has these files for disks.
#[must_use]
pub fn arguments(files: &[String]) -> Vec<String> {
    let disks = files.iter().enumerate().flat_map(|(number, file)| {
        let drive = format!("file={file},if=none,format=raw,id=disk{number}");
        let device = format!("nvme,drive=disk{number},serial={number}");
        ["-drive".to_owned(), drive, "-device".to_owned(), device]
    });
    disks.collect()
}
