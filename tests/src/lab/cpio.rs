//! An archive in the form `newc`, as the kernel unpacks it into its first filesystem
//! (Documentation/driver-api/early-userspace/buffer-format.rst).
//!
//! Everything belongs to root and has the time 0, so that the same content gives the same bytes.

use super::LabError;

/// `S_IFDIR` of inode(7).
const DIRECTORY: u32 = 0o040_000;
/// `S_IFREG` of inode(7).
const REGULAR: u32 = 0o100_000;
/// Length of an entry's header: a magic number and 13 fields.
const HEADER_BYTES: usize = 110;
/// The name that ends an archive.
const TRAILER: &str = "TRAILER!!!";

/// An archive that is being written.
///
/// ```
/// use standin_tests::lab::cpio::Archive;
///
/// let mut archive = Archive::default();
/// archive.directory("lab")?;
/// archive.file("lab/layout", 0o644, b"unified")?;
/// assert!(archive.finish()?.starts_with(b"070701"));
/// # Ok::<(), standin_tests::lab::LabError>(())
/// ```
#[derive(Debug, Default)]
pub struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds a directory; those above it come first.
    ///
    /// # Errors
    /// If the name is longer than the form can say.
    pub fn directory(&mut self, name: &str) -> Result<(), LabError> {
        self.entry(name, DIRECTORY | 0o755, &[])
    }

    /// Adds a file with these permissions.
    ///
    /// # Errors
    /// If the content is longer than the form can say: 4 GiB.
    pub fn file(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<(), LabError> {
        self.entry(name, REGULAR | mode, content)
    }

    /// The whole archive.
    ///
    /// # Errors
    /// None that [`file`](Self::file) has not had.
    pub fn finish(mut self) -> Result<Vec<u8>, LabError> {
        self.entry(TRAILER, 0, &[])?;
        Ok(self.bytes)
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) -> Result<(), LabError> {
        let length = |length: usize| {
            u32::try_from(length)
                .map_err(|_| LabError::Failed(format!("{name}: too long for an initramfs")))
        };
        self.entries += 1;
        // inode, mode, uid, gid, links, time, length, device and special device, name with its zero byte, no checksum.
        let (content_bytes, name_bytes) = (length(content.len())?, length(name.len() + 1)?);
        let fields = [self.entries, mode, 0, 0, 1, 0, content_bytes, 0, 0, 0, 0, name_bytes, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08X}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad(HEADER_BYTES + name.len() + 1);
        self.bytes.extend_from_slice(content);
        self.pad(content.len());
        Ok(())
    }

    /// Each part is filled up to a multiple of four.
    fn pad(&mut self, written: usize) {
        let padded = self.bytes.len() + written.next_multiple_of(4) - written;
        self.bytes.resize(padded, 0);
    }
}
