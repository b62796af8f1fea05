//! A board that learns by a local rule: one sample in, one update of all weights, the sample is gone.
//!
//! Rule and plastic network lie in the model region (`evobit::rule::image`); samples come one by one through semihosting, from the
//! file `samples.bin`: a byte that says 0 to learn, 1 to answer or 2 to learn without a class, the class, then the inputs. In the end the board tells what it answered
//! right, what a sample took, and a checksum of all its weights, which must be the host's.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use evobit::image::Checksum;
use evobit::rule::baseline::Delta;
use evobit::rule::image::RuleImage;
use evobit::rule::{
    Lanes, LocalRule, PlasticBuffers, PlasticNetwork, Plasticity, RuleGenes, SourceSums, UNITS, Unit, Weight,
};
use semihosting::io::Read;
use semihosting::{fs::File, println, process::exit};

/// Weights, units, classes and inputs of a layer that there is room for.
const WEIGHTS: usize = 2_560;
const MOST_UNITS: usize = 160;
const CLASSES: usize = 10;
const ROW: usize = 97;

/// All memory of the network.
struct Room {
    weights: [Weight<1>; WEIGHTS],
    units: [Unit<1>; MOST_UNITS],
    scores: [[i32; 1]; CLASSES],
    sources: [SourceSums<1>; ROW],
    activations: [Lanes<1>; ROW],
}

static mut ROOM: Room = Room {
    weights: [Weight { value: Lanes([0]), state: Lanes([0]) }; WEIGHTS],
    units: [Unit::ZERO; MOST_UNITS],
    scores: [[0]; CLASSES],
    sources: [[Lanes([0]); UNITS + 1]; ROW],
    activations: [Lanes([0]); ROW],
};

/// Rounds of SysTick, which counts 24 bits.
static ROUNDS: AtomicU32 = AtomicU32::new(0);
const ROUND: u32 = 1 << 24;
/// Instructions for 128 ticks: under `-icount shift=6` an instruction takes 64 ns; the micro:bit has 16 MHz, the MPS2 25.
const PER_128_TICKS: u64 = if cfg!(target_abi = "eabihf") { 80 } else { 125 };

#[cortex_m_rt::exception]
fn SysTick() {
    ROUNDS.store(ROUNDS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

fn start_counter() {
    // SAFETY: nothing else uses SysTick.
    let mut timer = unsafe { cortex_m::Peripherals::steal() }.SYST;
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(ROUND - 1);
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// Instructions since the start.
fn instructions() -> u64 {
    loop {
        let rounds = ROUNDS.load(Ordering::Relaxed);
        let ticks = ROUND - 1 - SYST::get_current();
        if rounds == ROUNDS.load(Ordering::Relaxed) {
            return (u64::from(rounds) * u64::from(ROUND) + u64::from(ticks)) * PER_128_TICKS / 128;
        }
    }
}

/// The region of the model, as the linker places it.
fn region() -> &'static [u8] {
    unsafe extern "C" {
        static _model_start: u8;
        static _model_end: u8;
    }
    let (start, end) = (&raw const _model_start, &raw const _model_end);
    // SAFETY: the build script places both symbols around flash that nothing writes.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    start_counter();
    let image = match RuleImage::parse(region()) {
        Ok(image) => image,
        Err(error) => {
            println!("{error}");
            exit(3)
        }
    };
    let Some(shape) = image.shape() else {
        println!("the rule has no plastic network: flash start.evr of a run");
        exit(3)
    };
    let room = &raw mut ROOM;
    // SAFETY: this is the only place that names it, and it runs once.
    let room = unsafe { &mut *room };
    if shape.widest_row() > ROW {
        println!(
            "a layer reads {} units, the board has room for {}: use narrower layers",
            shape.widest_row() - 1,
            ROW - 1
        );
        exit(4)
    }
    image.copy_weights(&mut room.weights);
    let buffers =
        PlasticBuffers { weights: &mut room.weights, units: &mut room.units, scores: &mut room.scores };
    let plasticity = Plasticity { kind: image.kind(), ..Plasticity::default() };
    match PlasticNetwork::new(shape, plasticity, buffers) {
        // The delta rule, where the genome is no more than that, needs fewer instructions than a rule that may be any.
        Ok(network) => match (0..8).find(|&rate| RuleGenes::delta(rate) == *image.genome()) {
            Some(rate) => run(network, &Delta { rate }, &mut room.activations),
            None => run(network, image.rule(), &mut room.sources),
        },
        Err(error) => {
            println!("{error}");
            exit(4)
        }
    }
}

/// Takes samples until there are no more.
fn run<R: LocalRule<1>>(mut network: PlasticNetwork<'_, 1>, rule: &R, sources: &mut [R::Source]) -> ! {
    let Ok(mut file) = File::open(c"samples.bin") else {
        println!("samples.bin cannot be opened: start the emulator in the folder of a run");
        exit(3)
    };
    let (inputs, needs_class) = (network.shape().inputs(), rule.needs().error);
    let (mut head, mut sample) = ([0u8; 2], [0u8; MOST_UNITS]);
    let (mut learned, mut asked, mut right) = (0u64, 0u32, 0u32);
    let (mut learning, mut answering) = (0u64, 0u64);
    while file.read_exact(&mut head).is_ok() && file.read_exact(&mut sample[..inputs]).is_ok() {
        let [mode, class] = head;
        if mode == 2 && needs_class {
            println!(
                "the rule needs errors, so labelled samples, and these have no class: flash another rule"
            );
            exit(3)
        }
        let before = instructions();
        for (unit, &value) in network.inputs_mut().iter_mut().zip(&sample) {
            unit.activation = Lanes([i16::from(value as i8)]);
        }
        if mode != 1 {
            network.learn(rule, [class], sources);
            learning += instructions() - before;
            learned += 1;
        } else {
            network.run();
            let answer = network.class(0);
            answering += instructions() - before;
            asked += 1;
            right += u32::from(answer == class);
        }
    }
    let mut sum = Checksum::new();
    for weight in network.weights() {
        sum.update(&weight.value.0[0].to_le_bytes());
        sum.update(&weight.state.0[0].to_le_bytes());
    }
    let mean = |all: u64, count: u64| all.checked_div(count).unwrap_or(0);
    println!(
        "{{\"learned\":{learned},\"asked\":{asked},\"right\":{right},\"weights\":{},\"learning_instructions\":{},\"answering_instructions\":{},\"network_crc\":\"{:08x}\"}}",
        network.shape().weights(),
        mean(learning, learned),
        mean(answering, asked.into()),
        sum.value()
    );
    exit(0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    exit(101)
}
