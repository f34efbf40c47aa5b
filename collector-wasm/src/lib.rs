#![doc = include_str!("../README.md")]
// The standard library's panic messages would be a third of the module.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod consent;
mod queue;
mod retry;
mod session;
mod tracker;

pub use tracker::Core;

// A tenth of the default allocator's size.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());

/// Ends the module where it cannot go on, which no input leads to; the loader's guard keeps that from the page.
#[cfg(target_arch = "wasm32")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    core::arch::wasm32::unreachable()
}
