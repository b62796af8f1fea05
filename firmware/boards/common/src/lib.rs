//! What emulated and real boards have in common: where the model lies, a painted stack, and a note of what went wrong that outlives a reset.
//!
//! A board's `memory.x` defines `_model_start` and `_model_end` around the model's region, and `_stack_end` below its stack.

#![no_std]

pub mod fault;
pub mod stack;

use evobit::evolve::compact::Score;
use evobit::image::ImageError;
use evobit::topology::Topology;
use evobit_board::arena::{Sizes, fitting};
use evobit_board::learner::{Learner, Model, ModelError};

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

/// The key that was flashed behind a model, if one was.
#[cfg(feature = "key")]
#[must_use]
pub fn key_behind(region: &[u8], model: &Model<'_>) -> Option<evobit_link::key::Key> {
    region.get(model.image_bytes()..).and_then(evobit_link::key::Key::from_flash)
}

/// Why a board does not run the model that was flashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is none, or it is damaged or of another version.
    Image,
    /// It needs more memory than the board has, or is not of a shape that boards learn.
    Size,
}

/// Reads the model that was flashed; the log says what is wrong with one that cannot be run.
///
/// # Errors
/// What is wrong, in a word.
#[inline(never)]
pub fn load_model<S: Score>(
    name: &str,
    region: &'static [u8],
    topology: &'static mut Topology,
    words: usize,
    most: Sizes,
) -> Result<Model<'static>, Refusal> {
    let model = match Model::parse(region, topology) {
        Ok(model) => model,
        Err(error) => {
            let what = match error {
                ImageError::Magic => "nothing like a model",
                ImageError::Version(_) => "a model of another version",
                ImageError::Kind(_) => "a model for hosts alone",
                _ => "a damaged model",
            };
            defmt::error!("the model region holds {=str}: flash one", what);
            return Err(Refusal::Image);
        }
    };
    let sizes = fitting(model.topology(), words, most, size_of::<S>());
    match Learner::<S>::check(model.topology(), words, sizes) {
        Ok(()) => {
            defmt::info!("{=str} runs", name);
            Ok(model)
        }
        Err(ModelError::Arena(needed, there)) => {
            defmt::error!("the model needs {} bytes of memory, the board has {}", needed * 4, there * 4);
            Err(Refusal::Size)
        }
        Err(ModelError::Shape(_)) => {
            defmt::error!("the model is not one that boards learn: one hidden layer, scores that fit");
            Err(Refusal::Size)
        }
    }
}
