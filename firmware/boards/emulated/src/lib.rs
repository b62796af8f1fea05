//! What the boards that QEMU emulates have in common: a serial line, a counter of instructions, a painted stack, flash in a file of the
//! host, and what happens at a panic. Logs (defmt) and the exit code go through semihosting.

#![no_std]

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
mod counter_aarch64;
#[cfg(target_arch = "arm")]
mod counter_arm;
#[cfg(target_arch = "riscv32")]
mod counter_riscv;
#[cfg(feature = "faults")]
mod faults;
mod file_flash;
mod machine;
mod serial;

#[cfg(target_arch = "aarch64")]
use counter_aarch64 as counter;
#[cfg(target_arch = "arm")]
use counter_arm as counter;
#[cfg(target_arch = "riscv32")]
use counter_riscv as counter;

use common::{Refusal, fault, load_model, model_region, stack};
use defmt_semihosting as _;
use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;
use evobit::topology::Topology;
use evobit_board::arena::{Arena, Sizes, fitting};
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig};
#[cfg(feature = "full")]
use evobit_board::profile::large;
use evobit_board::serve::App;

pub use evobit_board;
pub use file_flash::FileFlash;
pub use machine::Machine;
pub use serial::{CmsdkUart, Serial, Uart};

/// Whether what went wrong is noted for the next start. Boards with little flash have no room for the names of files: there the exit code
/// has to do, and a start after one has nothing to tell.
const NOTES: bool = cfg!(any(feature = "faults", feature = "full"));

/// Bytes of a large board's file for what is kept.
#[cfg(feature = "full")]
const KEPT: usize = 128 * 1024;

/// Runs the application for ever on a board with 64 KB of RAM, which keeps what it learns in a file of the host.
#[cfg(feature = "full")]
pub fn run_large<M: Machine>(uart: impl Uart) -> ! {
    static mut ARENA: Arena<{ large::WORDS }> = Arena::new();
    let arena = &raw mut ARENA;
    // SAFETY: this is the only place that names the arena, and it runs once.
    let arena = unsafe { &mut *arena };
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
    if NOTES {
        fault::report();
    }
    counter::start();
    // SAFETY: every board's memory.x defines the region as flash of its own, which only a flasher writes.
    let region = unsafe { model_region() };
    static mut TOPOLOGY: Topology = Topology::NONE;
    let topology = &raw mut TOPOLOGY;
    // SAFETY: this is the only place that names it, and it runs once.
    let topology = unsafe { &mut *topology };
    // A controller may have no hidden layer, which is not what boards learn; the board balances and ends.
    #[cfg(feature = "cartpole")]
    if let Ok(model) = evobit_board::learner::Model::parse(region, &mut *topology) {
        balance_pole::<M>(&model);
        semihosting::process::exit(0);
    }
    let model = match load_model::<S>(M::NAME, region, topology, WORDS, most) {
        Ok(model) => model,
        Err(Refusal::Image) => semihosting::process::exit(3),
        Err(Refusal::Size) => semihosting::process::exit(4),
    };
    #[cfg(feature = "genetic")]
    evolve_rules::<M>(&mut arena.0);
    #[cfg(feature = "key")]
    let key = common::key_behind(region, &model);
    let sizes = fitting(model.topology(), WORDS, most, size_of::<S>());
    let mut learner = Learner::<S>::new(model, &mut arena.0, sizes, LearnerConfig::default());
    let mut app =
        App::<S, _, F, _, FRAME>::new(&mut learner, keeper, Serial(uart), machine::Emulated::<M>::default());
    app.start();
    #[cfg(feature = "key")]
    if let Some(key) = key {
        app.guard(key, 0);
    }
    loop {
        let _ = app.run();
    }
}

/// Evolves a few rules where the learner will be, and logs what came of it: for the demo `genetic`.
#[cfg(feature = "genetic")]
fn evolve_rules<M: Machine>(memory: &mut [u32]) {
    use evobit_board::serve::Board;
    for seed in 1..=3 {
        let mut board = machine::Emulated::<M>::default();
        let before = board.instructions();
        let Some(evolved) = evobit_board::genetic::evolve(seed, memory) else { end(103) };
        let ([first, last], instructions) = (evolved.fitness, board.instructions() - before);
        defmt::info!(
            "rule {=u64} {=i64} {=i64} {=u32:08x} {=u64}",
            seed,
            first,
            last,
            evolved.genome,
            instructions
        );
    }
}

/// Balances a pole by a controller, and logs how that went: for the demo `cartpole`.
#[cfg(feature = "cartpole")]
fn balance_pole<M: Machine>(model: &evobit_board::learner::Model<'_>) {
    use evobit_board::serve::Board;
    for seed in 1..=evobit_board::cart_pole::SEEDS {
        let mut board = machine::Emulated::<M>::default();
        let before = board.instructions();
        let Ok(balanced) = evobit_board::cart_pole::balance(model, seed) else { end(104) };
        let instructions = board.instructions() - before;
        let evobit_board::cart_pole::Balanced { solved, steps, course } = balanced;
        defmt::info!(
            "balanced {=u64} {=u32} {=u32} {=u32:08x} {=u64}",
            seed,
            solved,
            steps,
            course,
            instructions
        );
    }
}

/// Starts the board anew, its memory as it is.
pub fn restart() -> ! {
    #[cfg(feature = "faults")]
    faults::next();
    reset()
}

fn reset() -> ! {
    #[cfg(target_arch = "aarch64")]
    aarch64::reset();
    #[cfg(target_arch = "arm")]
    cortex_m::peripheral::SCB::sys_reset();
    #[cfg(target_arch = "riscv32")]
    {
        // SAFETY: the machine's register for tests: this number starts it anew.
        unsafe { (0x10_0000 as *mut u32).write_volatile(0x7777) };
        loop {}
    }
}

/// What ends a run that went wrong: an emulator that stops says so at once. Where faults are what is tested the board is started anew, as
/// real ones are.
fn end(code: i32) -> ! {
    if cfg!(feature = "faults") { reset() } else { semihosting::process::exit(code) }
}

#[cfg(target_arch = "arm")]
common::hard_fault!(after_fault);

#[cfg_attr(target_arch = "riscv32", unsafe(export_name = "ExceptionHandler"))]
extern "C" fn after_fault() -> ! {
    if NOTES {
        fault::faulted();
    }
    end(102)
}

/// Says where it happened.
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    if NOTES {
        fault::panicked(info);
    }
    end(101)
}
