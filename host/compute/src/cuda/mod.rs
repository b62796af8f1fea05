//! Landscapes and populations on GPUs with CUDA.
//!
//! The kernels are in the package `kernels`. Nothing of CUDA is needed to build this: the driver is loaded when the program runs. With the
//! feature `shim` the kernels run on the CPU instead, which is how they are tested.

mod ceiling;
pub mod device;
mod driver;
mod gpu;
mod landscape;
mod population;
#[cfg(feature = "shim")]
mod shim;

pub use ceiling::Ceilings;
pub use device::{Device, DeviceError, Failure};
pub use driver::{Card, Compiler};
pub use gpu::Gpu;
pub use landscape::{CudaError, CudaLandscape, spectra_of_many, supports};
pub use population::{CudaPopulation, Form, Measured};
#[cfg(feature = "shim")]
pub use shim::Shim;
