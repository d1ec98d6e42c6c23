//! Little-endian fields at fixed offsets: what all layouts of this protocol are made of.
//!
//! Each field of a libqb header stands in a slot of eight bytes, its value in the first four.

/// The word at `offset`, if the bytes reach that far.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let field = bytes.get(offset..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*field))
}

/// As [`u32_at`], signed.
pub(super) fn i32_at(bytes: &[u8], offset: usize) -> Option<i32> {
    u32_at(bytes, offset).map(u32::cast_signed)
}

/// Writes bytes at `offset`; what would not fit is left out, and layouts are tested against recordings.
pub(super) fn put(bytes: &mut [u8], offset: usize, field: &[u8]) {
    let room = bytes.get_mut(offset..).unwrap_or_default();
    for (to, from) in room.iter_mut().zip(field) {
        *to = *from;
    }
}

/// The bytes before the first NUL, if there is one.
pub(super) fn until_nul(field: &[u8]) -> Option<&[u8]> {
    let end = field.iter().position(|byte| *byte == 0)?;
    field.get(..end)
}

/// A length for a field of 32 bits. Lengths here are bounded far below.
pub(super) fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// A length for a message about what is wrong.
pub(super) fn told(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
