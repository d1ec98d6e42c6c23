//! An allocator that knows how much it has given out: for programs that measure what something takes of memory.

#![expect(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, which adds up what it gives out. A program has it as its `#[global_allocator]`.
#[derive(Debug)]
pub struct Counting;

static GIVEN: AtomicUsize = AtomicUsize::new(0);

/// Bytes that are given out now.
#[must_use]
pub fn given() -> usize {
    GIVEN.load(Ordering::Relaxed)
}

// SAFETY: every call is handed on to the system's allocator as it came; only sizes are added up beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        GIVEN.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        GIVEN.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}
