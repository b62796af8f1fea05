//! Landscapes for large sample sets: vector instructions where the network allows them, threads over samples.
//!
//! Whatever is chosen here, the numbers are those of core's scalar landscape.

mod memory;
mod sharded;
pub mod vector;

use evobit::evolve::landscape::{Landscape, LandscapeError, Samples};
use evobit::loss::LossTable;
use evobit::topology::Topology;

pub use memory::Memory;
pub use sharded::{Shard, Sharded, shard_count};
use vector::{Portable, VectorLandscape};

/// Which instructions the landscape is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Instructions {
    /// The best that this machine has.
    #[default]
    Auto,
    /// AVX-512.
    Avx512,
    /// No particular ones.
    Portable,
    /// Core's scalar landscape, which boards run as well.
    Scalar,
}

/// The instructions that [`Instructions::Auto`] stands for on this machine, for people.
#[must_use]
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if vector::Avx512::detect().is_some() {
        return "AVX-512";
    }
    "portable"
}

/// The fastest landscape for a network, on one thread. `memory` is for landscapes that borrow theirs.
///
/// # Errors
/// A genome or samples that do not fit; [`LandscapeError::Buffers`] for instructions that this machine lacks.
pub fn landscape<'a>(
    instructions: Instructions,
    topology: &'a Topology,
    genome: &[u32],
    samples: Samples<'a>,
    loss: LossTable<&'a [u32]>,
    memory: &'a mut Memory,
) -> Result<Shard<'a>, LandscapeError> {
    fn boxed<'a>(landscape: impl Landscape + Send + Sync + 'a) -> Shard<'a> {
        Box::new(landscape)
    }
    if instructions == Instructions::Scalar || !vector::supports(topology, &loss) {
        return memory.landscape(topology, genome, samples, loss).map(boxed);
    }
    #[cfg(target_arch = "x86_64")]
    if instructions != Instructions::Portable
        && let Some(kernels) = vector::Avx512::detect()
    {
        return VectorLandscape::new(kernels, topology, genome, samples, &loss).map(boxed);
    }
    if instructions == Instructions::Avx512 {
        return Err(LandscapeError::Buffers);
    }
    VectorLandscape::new(Portable, topology, genome, samples, &loss).map(boxed)
}
