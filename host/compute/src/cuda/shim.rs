//! The CPU in place of a card, for tests: kernels run as C++ on fibers, device memory is memory.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use kernels::Kernel;

use super::device::{Device, DeviceError};

/// A card that is none.
#[derive(Debug)]
pub struct Shim {
    capability: u32,
    free: AtomicU64,
    /// Launches until one fails.
    left: AtomicU64,
    launched: AtomicU64,
}

/// Alignment of device memory.
const ALIGNMENT: usize = 256;

impl Shim {
    /// Claims to be of a compute capability, 75 for 7.5, and to have so many bytes.
    #[must_use]
    pub fn new(capability: u32, memory: u64) -> Self {
        Self { capability, free: memory.into(), left: u64::MAX.into(), launched: 0.into() }
    }

    /// Fails after so many launches, as a kernel that crashes does.
    #[must_use]
    pub fn failing(mut self, launches: u64) -> Self {
        *self.left.get_mut() = launches;
        self
    }

    /// Kernels launched so far.
    #[must_use]
    pub fn launches(&self) -> u64 {
        self.launched.load(Ordering::Relaxed)
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes.max(1), ALIGNMENT).expect("a size that an address space has")
    }

    fn working(&self) -> Result<(), DeviceError> {
        let broken = DeviceError::Failed { at: "a copy", reason: "made to fail".into() };
        if self.left.load(Ordering::Relaxed) == 0 { Err(broken) } else { Ok(()) }
    }
}

impl Device for Shim {
    fn name(&self) -> String {
        "CPU in place of a GPU".into()
    }

    fn capability(&self) -> u32 {
        self.capability
    }

    fn multiprocessors(&self) -> u32 {
        1
    }

    fn free_memory(&self) -> Result<u64, DeviceError> {
        Ok(self.free.load(Ordering::Relaxed))
    }

    fn allocate(&self, bytes: usize) -> Result<u64, DeviceError> {
        let taken = |free: u64| free.checked_sub(bytes as u64);
        if self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_err() {
            return Err(DeviceError::OutOfMemory { bytes: bytes as u64 });
        }
        // SAFETY: the layout is not empty.
        let memory = unsafe { alloc_zeroed(Self::layout(bytes)) };
        assert!(!memory.is_null(), "memory of the machine");
        Ok(memory.expose_provenance() as u64)
    }

    fn free(&self, address: u64, bytes: usize) {
        self.free.fetch_add(bytes as u64, Ordering::Relaxed);
        // SAFETY: `allocate` made it with this layout.
        unsafe {
            dealloc(std::ptr::with_exposed_provenance_mut(address as usize), Self::layout(bytes));
        }
    }

    unsafe fn write(&self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.working()?;
        let to = std::ptr::with_exposed_provenance_mut(address as usize);
        // SAFETY: the caller says that it lies in an allocation, which `bytes` is no part of.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    unsafe fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.working()?;
        let from = std::ptr::with_exposed_provenance(address as usize);
        // SAFETY: as above.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    unsafe fn clear(&self, address: u64, bytes: usize) -> Result<(), DeviceError> {
        self.working()?;
        // SAFETY: as above.
        unsafe {
            std::ptr::write_bytes(std::ptr::with_exposed_provenance_mut::<u8>(address as usize), 0, bytes);
        };
        Ok(())
    }

    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: [u32; 2],
        threads: u32,
        arguments: &mut [*mut c_void],
    ) -> Result<(), DeviceError> {
        let fewer = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_err() {
            // As on a card: the launch goes well, what waits for it does not.
            return Ok(());
        }
        self.launched.fetch_add(1, Ordering::Relaxed);
        assert!(kernel.needs() <= self.capability, "this card has no {kernel:?}");
        // SAFETY: the caller vouches for the arguments; addresses are those of allocations of this machine.
        let known = unsafe { kernels::shim::launch(kernel, grid, threads, arguments) };
        assert!(known, "the shim has {kernel:?}");
        Ok(())
    }

    fn finish(&self) -> Result<(), DeviceError> {
        self.working()
    }
}
