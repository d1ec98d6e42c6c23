//! Operations of `Channels` on shared memory. Waiting is [`FutexWait`](crate::shared::FutexWait).

use standin::id::Bytes;

use super::operation::operation;
use crate::shared;

operation! {
    /// mmap(2) with `MAP_SHARED`: the number of the map.
    MapFile { file: u32, length: Bytes, twice: bool } = "map" -> u32: |op, kernel, caller| {
        shared::map(kernel, caller, op.file, op.length, op.twice)
    };

    /// Bytes out of a map.
    MapRead<'a> { map: u32, offset: Bytes, buffer: &'a mut [u8] } = "map_read" -> (): |op, kernel, caller| {
        shared::read(kernel, caller, op.map, op.offset, op.buffer)
    };

    /// Bytes into a map.
    MapWrite<'a> { map: u32, offset: Bytes, bytes: &'a [u8] } = "map_write" -> (): |op, kernel, caller| {
        shared::write(kernel, caller, op.map, op.offset, op.bytes)
    };

    /// A word of a map.
    MapLoad { map: u32, offset: Bytes } = "map_load" -> u32: |op, kernel, caller| {
        shared::load(kernel, caller, op.map, op.offset)
    };

    /// A word into a map.
    MapStore { map: u32, offset: Bytes, value: u32 } = "map_store" -> (): |op, kernel, caller| {
        shared::store(kernel, caller, op.map, op.offset, op.value)
    };

    /// A word into a map, if it is what was expected there.
    MapCompareExchange { map: u32, offset: Bytes, expected: u32, value: u32 } = "map_compare_exchange" -> u32:
    |op, kernel, caller| shared::compare_exchange(kernel, caller, op.map, op.offset, op.expected, op.value);

    /// futex(2), `FUTEX_WAKE`
    FutexWake { map: u32, offset: Bytes, count: u32 } = "futex_wake" -> u32: |op, kernel, caller| {
        shared::wake(kernel, caller, op.map, op.offset, op.count)
    };
}
