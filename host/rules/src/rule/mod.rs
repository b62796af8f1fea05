//! Local-rule networks on the host: tasks, lives of plastic networks, and the evolution of the rule.
//!
//! A [`Batch`] is [`LANES`] lives of plastic networks of one shape, beside each other: from the weights they start with through what they
//! are shown, in this order, to the exams they sit. It is made before any rule is tried and does not depend on the
//! rule, so that all individuals of a generation live the same lives. [`live()`] runs one rule through one batch, in
//! vector registers. [`evolve`] scores a generation by many batches in parallel.
//!
//! [`tasks`] makes batches: of tables and images, of Boolean functions, of streams whose task switches.

mod batch;
pub mod course;
pub mod meta;
pub mod picture;
pub mod scaling;
mod search;
mod state;
pub mod table;
pub mod tasks;

use evobit::rule::GENOME_WORDS;
use evobit::rule::image::{self, RuleImageError};

pub use batch::{Batch, HIGHEST, LANES, Marks, Phase, Room, Sample, live};
pub use course::{Course, CourseKind};
pub use meta::evolve;

/// The image of a rule without a network.
///
/// # Errors
/// None for the genome of a rule.
pub fn rule_image(genome: &[u32; GENOME_WORDS]) -> Result<Vec<u8>, RuleImageError> {
    let mut bytes = vec![0; image::image_len(None)];
    image::write(genome, None, &mut bytes)?;
    Ok(bytes)
}
