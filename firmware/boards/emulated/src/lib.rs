//! What the boards that QEMU emulates have in common: a serial line, a counter of instructions, a painted stack, flash in a file of the
//! host, and what happens at a panic. Logs (defmt) and the exit code go through semihosting.

#![no_std]

#[cfg(target_arch = "arm")]
mod counter_arm;
#[cfg(target_arch = "riscv32")]
mod counter_riscv;
mod file_flash;
mod machine;
mod serial;
mod stack;

#[cfg(target_arch = "arm")]
use counter_arm as counter;
#[cfg(target_arch = "riscv32")]
use counter_riscv as counter;

use app::arena::{Arena, Sizes, fitting};
use app::keep::Keeper;
use app::learner::{Config, Learner, Model, ModelError};
use app::profile::large;
use app::serve::App;
use defmt_semihosting as _;
use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;
use evobit::image::ImageError;
use evobit::topology::Topology;

pub use app;
pub use file_flash::FileFlash;
pub use machine::Machine;
pub use serial::{CmsdkUart, Serial, Uart};

/// Bytes of the region where the model lies, as the linker places it.
///
/// # Safety
/// The linker script must define `_model_start` and `_model_end` around readable memory, aligned to 4 bytes, that nothing writes.
#[must_use]
pub unsafe fn model_region() -> &'static [u8] {
    unsafe extern "C" {
        static _model_start: u8;
        static _model_end: u8;
    }
    let (start, end) = (&raw const _model_start, &raw const _model_end);
    // SAFETY: the caller vouches for the region between the two symbols.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

/// Bytes of a large board's file for what is kept.
const KEPT: usize = 128 * 1024;

/// Runs the application for ever on a board with 64 KB of RAM, which keeps what it learns in a file of the host.
pub fn run_large<M: Machine>(uart: impl Uart) -> ! {
    static mut ARENA: Arena<{ large::WORDS }> = Arena::new();
    // SAFETY: this is the only place that names the arena, and it runs once.
    let arena = unsafe { &mut *(&raw mut ARENA) };
    let keeper = FileFlash::<KEPT>::open(c"kept.bin").map(|flash| Keeper::new(flash, 0..KEPT as u32));
    run::<large::Score, M, _, _, { large::WORDS }, { large::FRAME }>(arena, large::SIZES, uart, keeper)
}

/// Runs the application for ever.
pub fn run<S: Score, M: Machine, U: Uart, F: NorFlash, const WORDS: usize, const FRAME: usize>(
    arena: &'static mut Arena<WORDS>,
    most: Sizes,
    uart: U,
    keeper: Option<Keeper<F>>,
) -> ! {
    stack::paint();
    counter::start();
    // SAFETY: every board's memory.x defines the region as flash of its own, which only a flasher writes.
    let region = unsafe { model_region() };
    static mut TOPOLOGY: Topology = Topology::NONE;
    // SAFETY: this is the only place that names it, and it runs once.
    let topology = unsafe { &mut *(&raw mut TOPOLOGY) };
    let model = load_model::<S, M>(region, topology, WORDS, most);
    let sizes = fitting(model.topology(), WORDS, most, size_of::<S>());
    let learner = Learner::<S>::new(model, &mut arena.0, sizes, Config::default());
    let mut app =
        App::<S, _, F, _, FRAME>::new(learner, keeper, Serial(uart), machine::Emulated::<M>::default());
    app.start();
    loop {
        let _ = app.run();
    }
}

/// Reads the model that was flashed; a board without one it can run stops and says why.
#[inline(never)]
fn load_model<S: Score, M: Machine>(
    region: &'static [u8],
    topology: &'static mut Topology,
    words: usize,
    most: Sizes,
) -> Model<'static> {
    let model = match Model::parse(region, topology) {
        Ok(model) => model,
        Err(error) => {
            let what = match error {
                ImageError::Magic => "nothing like a model",
                ImageError::Version(_) => "a model of another version",
                _ => "a damaged model",
            };
            defmt::error!("the model region holds {=str}: flash one", what);
            semihosting::process::exit(3)
        }
    };
    let sizes = fitting(model.topology(), words, most, size_of::<S>());
    match Learner::<S>::check(model.topology(), words, sizes) {
        Ok(()) => defmt::info!("{=str} runs", M::NAME),
        Err(ModelError::Arena(needed, there)) => {
            defmt::error!("the model needs {} bytes of memory, the board has {}", needed * 4, there * 4);
            semihosting::process::exit(4)
        }
        Err(ModelError::Shape(_)) => {
            defmt::error!("the model is not one that boards learn: one hidden layer, scores that fit");
            semihosting::process::exit(4)
        }
    }
    model
}

/// Says where it happened. Boards with little flash have no room for the names of files: there the exit code has to do.
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(not(feature = "small"))]
    {
        let line = _info.location().map_or(0, core::panic::Location::line);
        let file = _info.location().map_or("", core::panic::Location::file);
        defmt::error!("panic in {=str}, line {=u32}", file, line);
    }
    semihosting::process::exit(101)
}
