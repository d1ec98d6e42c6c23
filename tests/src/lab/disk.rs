//! The disks of a virtual machine: empty NVMe drives, whose driver is built into the lab's kernels.
//!
//! They have no partitions, so that their numbers are 259:0, 259:1 ... in whatever order the kernel finds them.

use std::fs::File;
use std::io;
use std::path::Path;

/// Enough that nothing looks behind its end, and nothing that takes room: the file is a hole.
const SIZE_BYTES: u64 = 8 << 20;

/// Makes the disks as files in a directory, and says by which arguments qemu has them.
///
/// # Errors
/// If a file cannot be made.
pub fn arguments(directory: &Path, disks: u32) -> io::Result<Vec<String>> {
    let mut arguments = Vec::new();
    for disk in 0..disks {
        let path = directory.join(format!("disk{disk}"));
        File::create(&path)?.set_len(SIZE_BYTES)?;
        let drive = format!("file={},if=none,format=raw,id=disk{disk}", path.display());
        let device = format!("nvme,drive=disk{disk},serial={disk}");
        arguments.extend(["-drive".to_owned(), drive, "-device".to_owned(), device]);
    }
    Ok(arguments)
}
