//! The kernels on the CPU.

use std::ffi::{CString, c_char, c_uint, c_void};

use crate::Kernel;

unsafe extern "C" {
    fn evobit_shim_launch(
        name: *const c_char,
        columns: c_uint,
        rows: c_uint,
        threads: c_uint,
        arguments: *mut *mut c_void,
    ) -> bool;
}

/// Runs a kernel on `grid[0]` x `grid[1]` blocks of `threads` threads, a multiple of 32, on this thread of the machine. False where
/// there is no such kernel.
///
/// # Safety
/// `arguments` must point to values of the types of the kernel's parameters; pointers among these must be good for what
/// the kernel reads and writes.
#[must_use]
pub unsafe fn launch(kernel: Kernel, grid: [u32; 2], threads: u32, arguments: &mut [*mut c_void]) -> bool {
    let Ok(name) = CString::new(kernel.name()) else { return false };
    // SAFETY: the caller vouches for the arguments; the name ends with a zero.
    unsafe { evobit_shim_launch(name.as_ptr(), grid[0], grid[1], threads, arguments.as_mut_ptr()) }
}
