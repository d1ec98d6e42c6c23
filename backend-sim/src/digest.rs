//! A number that tells texts apart, the same in every build: FNV-1a. It is against accidents, not against anybody who wants two
//! texts to have the same.

/// The digest of nothing.
pub(crate) const EMPTY: u64 = 0xcbf2_9ce4_8422_2325;

/// The digest of what `digest` is the digest of, and these bytes behind it.
pub(crate) fn more(digest: u64, bytes: &[u8]) -> u64 {
    let mix = |digest: u64, byte: &u8| (digest ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(digest, mix)
}

/// The digest of these bytes.
pub(crate) fn of(bytes: &[u8]) -> u64 {
    more(EMPTY, bytes)
}
