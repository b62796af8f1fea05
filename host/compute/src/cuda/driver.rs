//! Cards behind NVIDIA's driver, by the calls that CUDA 10.2 has: a Jetson Nano takes the same path as an H200.
//!
//! cudarc loads each function of the driver when it is first called and panics where the library or the function is missing, so the
//! library is asked for first, and nothing newer than 10.2 is called: no memory pools, no streams of our own, and the primary context
//! is kept until the program ends. All work goes to the null stream, in order.

use std::collections::BTreeMap;
use std::ffi::{CString, c_void};
use std::time::Instant;

use cudarc::driver::{DriverError, result as driver, sys};
use cudarc::nvrtc::result as compiler;
use kernels::Kernel;

use super::device::{Device, DeviceError};

/// The compute capability that the embedded PTX is for.
const EMBEDDED: u32 = 53;

/// A card.
pub struct Card {
    context: sys::CUcontext,
    /// By the kernels' numbers; none where the card lacks one.
    functions: Vec<Option<sys::CUfunction>>,
    name: String,
    /// Of the code that was loaded.
    capability: u32,
    compiled: String,
    multiprocessors: u32,
}

// SAFETY: contexts and functions are handles of the driver, which may be used from any thread that has made the context current, as
// every method does.
unsafe impl Send for Card {}
// SAFETY: as above; the driver's calls lock what they share.
unsafe impl Sync for Card {}

fn missing(reason: impl ToString) -> DeviceError {
    DeviceError::Missing(reason.to_string())
}

fn failed(at: &'static str) -> impl Fn(DriverError) -> DeviceError {
    move |error| {
        let name =
            error.error_name().map_or_else(|_| "unknown".into(), |name| name.to_string_lossy().into_owned());
        DeviceError::Failed { at, reason: name }
    }
}

/// What was compiled so far, by compute capability: cards are often alike, and compiling takes seconds.
#[derive(Debug, Default)]
pub struct Compiler(BTreeMap<u32, Result<CString, String>>);

impl Compiler {
    fn compile(&mut self, card: u32) -> Result<CString, String> {
        self.0.entry(card).or_insert_with(|| compile(card)).clone()
    }
}

impl Card {
    /// How many cards there are.
    ///
    /// # Errors
    /// [`DeviceError::Missing`] where there is no driver.
    pub fn count() -> Result<usize, DeviceError> {
        // SAFETY: it only asks whether the library can be loaded.
        if !unsafe { sys::is_culib_present() } {
            return Err(missing("the driver's library libcuda is not installed"));
        }
        let reason = |error| match failed("the start")(error) {
            DeviceError::Failed { reason, .. } => missing(format!("the driver says {reason}")),
            other => other,
        };
        driver::init().map_err(reason)?;
        let count = driver::device::get_count().map_err(reason)?;
        usize::try_from(count).map_err(missing)
    }

    /// Opens card `number`, counted from 0, and compiles the kernels for it, or takes what was compiled for such a card before.
    ///
    /// # Errors
    /// No card, no driver, or kernels that do not load.
    pub fn open(number: usize, compiler: &mut Compiler) -> Result<Self, DeviceError> {
        let count = Self::count()?;
        if number >= count {
            return Err(missing(format!("there are {count} GPUs")));
        }
        let device = driver::device::get(number as i32).map_err(failed("opening the card"))?;
        let name = driver::device::get_name(device).map_err(failed("opening the card"))?;
        let attribute = |which| {
            // SAFETY: the device was returned by the driver.
            unsafe { driver::device::get_attribute(device, which) }.map_err(failed("opening the card"))
        };
        let major = attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        let multiprocessors =
            attribute(sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)? as u32;
        // SAFETY: as above.
        let context = unsafe { driver::primary_ctx::retain(device) }.map_err(failed("making a context"))?;
        // SAFETY: the driver made the context, and it is kept.
        unsafe { driver::ctx::set_current(context) }.map_err(failed("making a context"))?;
        let started = Instant::now();
        let (functions, capability, by) = load_kernels((10 * major + minor) as u32, compiler)?;
        let seconds = started.elapsed().as_secs_f64();
        let compiled = format!("kernels for sm_{capability} {by} in {seconds:.2} s");
        Ok(Self { context, functions, name, capability, compiled, multiprocessors })
    }

    /// Where the kernels came from and how long that took, for people.
    #[must_use]
    pub fn compiled(&self) -> &str {
        &self.compiled
    }

    /// Makes the context that of this thread.
    fn enter(&self, at: &'static str) -> Result<(), DeviceError> {
        // SAFETY: the driver made the context, and it is kept until the program ends.
        unsafe { driver::ctx::set_current(self.context) }.map_err(failed(at))
    }
}

/// The kernels, what they were compiled for and by whom: NVRTC where it is, compiling for the card at hand, else the driver, from the
/// embedded PTX.
fn load_kernels(
    card: u32,
    compiler: &mut Compiler,
) -> Result<(Vec<Option<sys::CUfunction>>, u32, &'static str), DeviceError> {
    // Where the driver is older than NVRTC it refuses what that makes.
    let compiled = compiler.compile(card).and_then(|ptx| functions(ptx, card));
    match compiled {
        Ok(functions) => Ok((functions, card, "by NVRTC")),
        Err(reason) => {
            let ptx = CString::new(kernels::PTX_SM_53).map_err(|_| DeviceError::Kernels("bad PTX".into()))?;
            let embedded = functions(ptx, EMBEDDED);
            let functions =
                embedded.map_err(|more| DeviceError::Kernels(format!("{reason}; embedded PTX: {more}")))?;
            Ok((functions, EMBEDDED, "from embedded PTX"))
        }
    }
}

fn compile(card: u32) -> Result<CString, String> {
    // SAFETY: it only asks whether the library can be loaded.
    if !unsafe { cudarc::nvrtc::sys::is_culib_present() } {
        return Err("NVRTC is not installed".into());
    }
    let source = CString::new(kernels::source()).map_err(|error| error.to_string())?;
    let program = compiler::create_program(&source, Some(c"evobit.cu")).map_err(|error| error.to_string())?;
    let options = [format!("--gpu-architecture=compute_{card}"), "--std=c++14".into()];
    // SAFETY: the program was just created and is destroyed below, after its last use; the source lives as long.
    let ptx =
        unsafe { compiler::compile_program(program, &options).and_then(|()| compiler::get_ptx(program)) };
    // SAFETY: as above.
    let _ = unsafe { compiler::destroy_program(program) };
    let bytes = ptx.map_err(|error| error.to_string())?.into_iter().map(|byte| byte as u8);
    CString::new(bytes.take_while(|&byte| byte != 0).collect::<Vec<u8>>()).map_err(|error| error.to_string())
}

fn functions(ptx: CString, capability: u32) -> Result<Vec<Option<sys::CUfunction>>, String> {
    let reason = |error| failed("")(error).to_string();
    // SAFETY: PTX as text that ends with a zero. The module is never unloaded, so its functions stay.
    let module = unsafe { driver::module::load_data(ptx.as_ptr().cast()) }.map_err(reason)?;
    let function = |kernel: Kernel| {
        if kernel.needs() > capability {
            return Ok(None);
        }
        let name = CString::new(kernel.name()).map_err(|error| error.to_string())?;
        // SAFETY: the module was just loaded.
        unsafe { driver::module::get_function(module, name) }.map(Some).map_err(reason)
    };
    Kernel::ALL.into_iter().map(function).collect()
}

impl Device for Card {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn capability(&self) -> u32 {
        self.capability
    }

    fn multiprocessors(&self) -> u32 {
        self.multiprocessors
    }

    fn free_memory(&self) -> Result<u64, DeviceError> {
        self.enter("asking for memory")?;
        let (free, _) = driver::mem_get_info().map_err(failed("asking for memory"))?;
        Ok(free as u64)
    }

    fn allocate(&self, bytes: usize) -> Result<u64, DeviceError> {
        self.enter("an allocation")?;
        // SAFETY: the memory is set before anything reads it.
        let address = unsafe { driver::malloc_sync(bytes) }.map_err(|error| match error.0 {
            sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => DeviceError::OutOfMemory { bytes: bytes as u64 },
            _ => failed("an allocation")(error),
        })?;
        // SAFETY: it was just allocated, with so many bytes.
        unsafe { self.clear(address, bytes) }?;
        Ok(address)
    }

    fn free(&self, address: u64, _: usize) {
        if self.enter("freeing").is_ok() {
            // SAFETY: `allocate` gave the address, and its buffer is gone. The driver waits for kernels that use it. A failure can only
            // be one of a kernel before, which was or will be reported where its result is read.
            let _ = unsafe { driver::free_sync(address) };
        }
    }

    unsafe fn write(&self, address: u64, bytes: &[u8]) -> Result<(), DeviceError> {
        self.enter("copying to the card")?;
        // SAFETY: the caller says that it lies in an allocation.
        unsafe { driver::memcpy_htod_sync(address, bytes) }.map_err(failed("copying to the card"))
    }

    unsafe fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), DeviceError> {
        self.enter("copying from the card")?;
        // SAFETY: as above.
        unsafe { driver::memcpy_dtoh_sync(bytes, address) }.map_err(failed("copying from the card"))
    }

    unsafe fn clear(&self, address: u64, bytes: usize) -> Result<(), DeviceError> {
        self.enter("setting memory to zero")?;
        // SAFETY: as above.
        unsafe { driver::memset_d8_sync(address, 0, bytes) }.map_err(failed("setting memory to zero"))
    }

    unsafe fn launch(
        &self,
        kernel: Kernel,
        grid: [u32; 2],
        threads: u32,
        arguments: &mut [*mut c_void],
    ) -> Result<(), DeviceError> {
        self.enter("a launch")?;
        let Some(function) = self.functions[kernel as usize] else {
            return Err(DeviceError::Kernels(format!("this GPU has no {}", kernel.name())));
        };
        let (grid, block) = ((grid[0], grid[1], 1), (threads, 1, 1));
        // SAFETY: the caller vouches for the arguments; the function is of a module that stays loaded.
        unsafe { driver::launch_kernel(function, grid, block, 0, std::ptr::null_mut(), arguments) }
            .map_err(failed(kernel.name()))
    }

    fn finish(&self) -> Result<(), DeviceError> {
        self.enter("waiting for kernels")?;
        driver::ctx::synchronize().map_err(failed("waiting for kernels"))
    }
}
