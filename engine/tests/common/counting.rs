//! An allocator that counts by thread: the test harness asks for memory of its own.
//!
//! The only tests' file with `unsafe`: the trait of an allocator is. Other crates' tests include it
//! by its path.
#![allow(dead_code)] // no test uses all of it
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static HELD: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn grew(by: usize) {
    CALLS.set(CALLS.get() + 1);
    // A block may be given back by another thread than the one that asked for it.
    HELD.set(HELD.get().wrapping_add(by));
    PEAK.set(PEAK.get().max(HELD.get()));
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grew(layout.size());
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.set(HELD.get().wrapping_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grew(size.wrapping_sub(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often this thread asked for memory so far.
pub fn allocations() -> u64 {
    CALLS.get()
}

/// How far what this thread holds rose during the work above what it held before; bytes.
pub fn grown_by(work: impl FnOnce()) -> usize {
    let before = HELD.get();
    PEAK.set(before);
    work();
    PEAK.get() - before
}
