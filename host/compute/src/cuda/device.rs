//! What kernels run on: a card behind the driver, or the CPU that stands in for one.
//!
//! Everything above this trait is the same for both, so that what is tested without a GPU is what runs on one.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use bytemuck::Pod;
use kernels::Kernel;

/// Why a card did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// There is no card, or none that can be used.
    #[error("no GPU with CUDA: {0}")]
    Missing(String),
    /// It has not enough memory.
    #[error("the GPU has no {bytes} bytes of memory left: close other programs on it, or use --backend cpu")]
    OutOfMemory {
        /// What was asked for.
        bytes: u64,
    },
    /// A network that the kernels do not know.
    #[error("these kernels are for {0}: use --backend cpu or auto")]
    Unsupported(&'static str),
    /// The kernels could not be compiled or loaded.
    #[error("the kernels do not load on this GPU: {0}: use --backend cpu")]
    Kernels(String),
    /// A call of the driver failed, or a kernel did.
    #[error("the GPU failed at {at}: {reason}: nothing was saved from it; use --backend cpu")]
    Failed {
        /// What was being done.
        at: &'static str,
        /// What the driver says.
        reason: String,
    },
    /// What came back cannot be.
    #[error(
        "the GPU's sums disagree ({0}): nothing was saved from them; use --backend cpu and test the card"
    )]
    Wrong(String),
}

/// A card.
pub trait Device: Send + Sync {
    /// Its name, for people.
    fn name(&self) -> String;

    /// Its compute capability, 75 for 7.5.
    fn capability(&self) -> u32;

    /// Its multiprocessors.
    fn multiprocessors(&self) -> u32;

    /// Bytes that can still be allocated.
    ///
    /// # Errors
    /// A failure of the driver.
    fn free_memory(&self) -> Result<u64, DeviceError>;

    /// Allocates `bytes` bytes, all zero, and returns their address.
    ///
    /// # Errors
    /// [`DeviceError::OutOfMemory`], or a failure of the driver.
    fn allocate(&self, bytes: usize) -> Result<u64, DeviceError>;

    /// Frees what was allocated at `address`.
    fn free(&self, address: u64, bytes: usize);

    /// Copies to the card, after all kernels launched so far.
    ///
    /// # Errors
    /// A failure of the driver, or of a kernel before.
    ///
    /// # Safety
    /// `address` and what follows must lie in one allocation.
    unsafe fn write(&self, address: u64, bytes: &[u8]) -> Result<(), DeviceError>;

    /// Copies from the card, after all kernels launched so far.
    ///
    /// # Errors
    /// A failure of the driver, or of a kernel before.
    ///
    /// # Safety
    /// `address` and what follows must lie in one allocation.
    unsafe fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError>;

    /// Sets bytes to zero, after all kernels launched so far.
    ///
    /// # Errors
    /// A failure of the driver, or of a kernel before.
    ///
    /// # Safety
    /// `address` and what follows must lie in one allocation.
    unsafe fn clear(&self, address: u64, bytes: usize) -> Result<(), DeviceError>;

    /// Launches a kernel on `grid[0]` x `grid[1]` blocks of `threads` threads, after all launched so far; does not wait.
    ///
    /// # Errors
    /// A failure of the driver.
    ///
    /// # Safety
    /// `arguments` must point to values of the kernel's parameters, with device addresses of buffers that are as long as the
    /// kernel's first lines say.
    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: [u32; 2],
        threads: u32,
        arguments: &mut [*mut c_void],
    ) -> Result<(), DeviceError>;

    /// Waits for all kernels launched so far.
    ///
    /// # Errors
    /// A failure of the driver, or of a kernel before.
    fn finish(&self) -> Result<(), DeviceError>;
}

/// The address of an argument of a kernel.
pub(super) fn argument<T: Pod>(value: &T) -> *mut c_void {
    std::ptr::from_ref(value).cast_mut().cast()
}

/// Launches a kernel with arguments by value.
macro_rules! launch {
    ($device:expr, $kernel:ident, $grid:expr, $($argument:expr),+ $(,)?) => {
        // SAFETY: the callers pass what the kernel's first lines say, in the types that the structures of this module mirror,
        // with buffers of this device that live at least as long as their owner, who reads from the device before it drops them. The
        // arguments live to the end of the expression.
        unsafe {
            $device.launch(
                kernels::Kernel::$kernel,
                $grid,
                $crate::cuda::device::THREADS,
                &mut [$($crate::cuda::device::argument(&$argument)),+],
            )
        }
    };
}
pub(super) use launch;

/// Threads of a block of every kernel.
pub(super) const THREADS: u32 = 128;

/// Memory of a card, of `len` values.
pub(super) struct Buffer<T> {
    device: Arc<dyn Device>,
    address: u64,
    len: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Buffer<T> {
    /// Allocates `len` values, all zero. At least one byte, so that the address is one.
    pub(super) fn new(device: &Arc<dyn Device>, len: usize) -> Result<Self, DeviceError> {
        let address = device.allocate((len * size_of::<T>()).max(1))?;
        Ok(Self { device: Arc::clone(device), address, len, of: PhantomData })
    }

    /// Allocates and fills.
    pub(super) fn with(device: &Arc<dyn Device>, values: &[T]) -> Result<Self, DeviceError> {
        let buffer = Self::new(device, values.len())?;
        buffer.write(values)?;
        Ok(buffer)
    }

    pub(super) fn address(&self) -> u64 {
        self.address
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The address of value `index`.
    pub(super) fn at(&self, index: usize) -> u64 {
        assert!(index <= self.len, "the address lies in the buffer");
        self.address + (index * size_of::<T>()) as u64
    }

    /// Writes the first values.
    pub(super) fn write(&self, values: &[T]) -> Result<(), DeviceError> {
        assert!(values.len() <= self.len, "the values fit the buffer");
        // SAFETY: they lie in the buffer's allocation.
        unsafe { self.device.write(self.address, bytemuck::cast_slice(values)) }
    }

    /// Reads values from `index` on.
    pub(super) fn read(&self, index: usize, values: &mut [T]) -> Result<(), DeviceError> {
        assert!(index + values.len() <= self.len, "the values lie in the buffer");
        // SAFETY: they lie in the buffer's allocation.
        unsafe { self.device.read(self.at(index), bytemuck::cast_slice_mut(values)) }
    }

    /// Sets the first `len` values to zero.
    pub(super) fn clear(&self, len: usize) -> Result<(), DeviceError> {
        assert!(len <= self.len, "the values lie in the buffer");
        // SAFETY: they lie in the buffer's allocation.
        unsafe { self.device.clear(self.address, len * size_of::<T>()) }
    }
}

impl<T> Drop for Buffer<T> {
    fn drop(&mut self) {
        self.device.free(self.address, (self.len * size_of::<T>()).max(1));
    }
}

/// The first failure of a device, shared by all that work on it: afterwards nothing that it said counts.
#[derive(Clone, Debug, Default)]
pub struct Failure(Arc<OnceLock<DeviceError>>);

impl Failure {
    /// Records a failure; the first stays.
    pub(super) fn record(&self, error: DeviceError) {
        // Later failures follow from the first.
        let _ = self.0.set(error);
    }

    /// The first failure.
    #[must_use]
    pub fn get(&self) -> Option<DeviceError> {
        self.0.get().cloned()
    }
}
