//! This program as a guest's first process: it must need no other file, and is sent without what only debuggers read.
//!
//! Fields are those of elf(5), 64 bits, little-endian.

use super::LabError;

/// Where the ELF header says where the program headers are, and how many.
const HEADERS_AT: usize = 0x20;
const HEADERS_COUNT: usize = 0x38;
const HEADER_BYTES: usize = 0x38;
/// Where it says where the section headers are (8 bytes), and how many and which has their names (4 bytes).
const SECTIONS_AT: std::ops::Range<usize> = 0x28..0x30;
const SECTIONS_COUNT: std::ops::Range<usize> = 0x3c..0x40;
/// `PT_LOAD`, `PT_INTERP`
const LOAD: u32 = 1;
const INTERPRETER: u32 = 3;

const HOW: &str = "the lab's program must be statically linked: \
    run it as `cargo lab`, or build it with --target x86_64-unknown-linux-gnu and RUSTFLAGS='-C target-feature=+crt-static'";

/// This very program.
///
/// # Errors
/// If it cannot be read, or is not what [`trimmed`] asks for.
pub fn own() -> Result<Vec<u8>, LabError> {
    let image = std::fs::read("/proc/self/exe")
        .map_err(|error| LabError::Failed(format!("/proc/self/exe: {error}")))?;
    trimmed(image)
}

/// A program without anything behind its last segment: sections and their names are for linkers and debuggers.
///
/// # Errors
/// [`LabError::Setup`] if it is no program for x86-64, or needs a loader.
pub fn trimmed(mut image: Vec<u8>) -> Result<Vec<u8>, LabError> {
    let end = end_of_segments(&image)?;
    for range in [SECTIONS_AT, SECTIONS_COUNT] {
        image.get_mut(range).unwrap_or_default().fill(0);
    }
    image.truncate(end);
    Ok(image)
}

fn end_of_segments(image: &[u8]) -> Result<usize, LabError> {
    let foreign = || LabError::Setup("the lab's program is no x86-64 ELF file".to_owned());
    if image.get(..5) != Some(b"\x7fELF\x02") || number(image, 0x12, 2) != Some(62) {
        return Err(foreign());
    }
    let headers = number(image, HEADERS_AT, 8).ok_or_else(foreign)?;
    let count = number(image, HEADERS_COUNT, 2).ok_or_else(foreign)?;
    let mut end = 0;
    for index in 0..count {
        let header = headers.saturating_add(index * HEADER_BYTES);
        let field = |at, width| number(image, header.saturating_add(at), width).ok_or_else(foreign);
        let kind = u32::try_from(field(0, 4)?).unwrap_or_default();
        if kind == INTERPRETER {
            return Err(LabError::Setup(HOW.to_owned()));
        }
        if kind == LOAD {
            end = end.max(field(8, 8)?.saturating_add(field(0x20, 8)?));
        }
    }
    if end == 0 || end > image.len() { Err(foreign()) } else { Ok(end) }
}

/// A number of so many bytes.
fn number(image: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = image.get(at..at.checked_add(width)?)?;
    bytes
        .iter()
        .rev()
        .try_fold(0_usize, |value, byte| value.checked_mul(256)?.checked_add(usize::from(*byte)))
}
