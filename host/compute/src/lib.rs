//! Landscapes for large sample sets: vector instructions where the network allows them, threads over samples.
//!
//! Whatever is chosen here, the numbers are those of core's scalar landscape.

mod choice;
#[cfg(feature = "cuda")]
pub mod cuda;
pub mod machine;
mod memory;
pub mod prototypes;
mod sharded;
pub mod vector;

use evobit::evolve::landscape::{Landscape, LandscapeError, Samples};
use evobit::evolve::scalar::Needs;
use evobit::loss::LossTable;
use evobit::topology::Topology;

pub use choice::{Accelerator, Backend, Note, SearchError, Work, suits_gpus};
use memory::OwnedScalar;
pub use sharded::{Shard, Sharded, shard_count};
use vector::{DeepLandscape, Kernels, Portable, VectorLandscape};

evobit_data::named! {
    /// Which instructions the landscape is made of.
    #[derive(Default)]
    pub enum Instructions {
        /// The best that this machine has
        Auto = "auto" (default),
        /// AVX-512, of newer x86-64 machines
        Avx512 = "avx512",
        /// AVX2, of nearly all x86-64 machines
        Avx2 = "avx2",
        /// NEON, of all 64-bit Arm machines
        Neon = "neon",
        /// No particular ones
        Portable = "portable",
        /// Core's scalar landscape, which boards run as well
        Scalar = "scalar",
    }
}

impl Instructions {
    /// True where this machine has them.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::Auto | Self::Portable | Self::Scalar => true,
            _ => with_kernels(self, Available).is_some(),
        }
    }
}

/// The instructions that [`Instructions::Auto`] stands for on this machine, for people.
#[must_use]
pub fn instructions() -> &'static str {
    let names =
        [(Instructions::Avx512, "AVX-512"), (Instructions::Avx2, "AVX2"), (Instructions::Neon, "NEON")];
    names.iter().find(|(one, _)| one.available()).map_or("portable", |&(_, name)| name)
}

/// The kinds of landscapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LandscapeKind {
    /// Core's.
    Scalar,
    /// For one hidden layer.
    OneHidden,
    /// For several.
    Deep,
}

impl LandscapeKind {
    /// The fastest for a network.
    fn of(topology: &Topology, loss: &LossTable<&[u32]>) -> Self {
        if vector::supports(topology, loss) {
            Self::OneHidden
        } else if vector::supports_deep(topology, loss) {
            Self::Deep
        } else {
            Self::Scalar
        }
    }
}

/// What the landscapes of a network are made of, for people.
#[must_use]
pub fn describe(wanted: Instructions, topology: &Topology, loss: &LossTable<&[u32]>) -> String {
    let instructions = match wanted {
        Instructions::Auto => instructions(),
        Instructions::Avx512 => "AVX-512",
        Instructions::Avx2 => "AVX2",
        Instructions::Neon => "NEON",
        Instructions::Portable => "portable",
        Instructions::Scalar => return "scalar, as asked for".into(),
    };
    match LandscapeKind::of(topology, loss) {
        LandscapeKind::Scalar => "scalar, the slow one for all networks".into(),
        LandscapeKind::OneHidden => format!("for one hidden layer, {instructions}"),
        LandscapeKind::Deep => format!("for several hidden layers, {instructions}"),
    }
}

/// Something to do with kernels of whichever kind.
trait WithKernels {
    type Output;
    fn call(self, kernels: impl Kernels) -> Self::Output;
}

/// Calls `work` with the kernels for `instructions`; `None` where this machine lacks them.
fn with_kernels<W: WithKernels>(instructions: Instructions, work: W) -> Option<W::Output> {
    let wanted = |one| instructions == Instructions::Auto || instructions == one;
    #[cfg(target_arch = "x86_64")]
    if wanted(Instructions::Avx512)
        && let Some(kernels) = vector::Avx512::detect()
    {
        return Some(work.call(kernels));
    }
    #[cfg(target_arch = "x86_64")]
    if wanted(Instructions::Avx2)
        && let Some(kernels) = vector::Avx2::detect()
    {
        return Some(work.call(kernels));
    }
    #[cfg(target_arch = "aarch64")]
    if wanted(Instructions::Neon)
        && let Some(kernels) = vector::Neon::detect()
    {
        return Some(work.call(kernels));
    }
    wanted(Instructions::Portable).then(|| work.call(Portable))
}

/// Only asks whether there are kernels.
struct Available;

impl WithKernels for Available {
    type Output = ();
    fn call(self, _: impl Kernels) {}
}

/// What a vector landscape is made from.
struct Parts<'a, 'b> {
    topology: &'a Topology,
    genome: &'b [u32],
    samples: Samples<'a>,
    loss: LossTable<&'a [u32]>,
}

impl<'a> WithKernels for Parts<'a, '_> {
    type Output = Result<Shard<'a>, LandscapeError>;
    fn call(self, kernels: impl Kernels) -> Self::Output {
        let Self { topology, genome, samples, loss } = self;
        match (topology.depth() > 2, vector::is_narrow(topology)) {
            (true, true) => DeepLandscape::<_, i8>::new(kernels, topology, genome, samples, &loss).map(boxed),
            (true, false) => {
                DeepLandscape::<_, i16>::new(kernels, topology, genome, samples, &loss).map(boxed)
            }
            (_, true) => VectorLandscape::<_, i8>::new(kernels, topology, genome, samples, &loss).map(boxed),
            (_, false) => {
                VectorLandscape::<_, i16>::new(kernels, topology, genome, samples, &loss).map(boxed)
            }
        }
    }
}

fn boxed<'a>(landscape: impl Landscape + Send + Sync + 'a) -> Shard<'a> {
    Box::new(landscape)
}

/// Bytes that landscapes of `samples` samples of a network take together, to within a few per cent; `u64::MAX` where it is more.
#[must_use]
pub fn bytes_needed(topology: &Topology, samples: usize) -> u64 {
    let samples = samples as u64;
    let each = match topology.depth() {
        0 | 1 => {
            let needs = Needs::new(topology, 1);
            (4 * needs.hidden + 2 * (needs.scores + needs.preactivations)) as u64
        }
        2 => vector::bytes_of_sample(topology),
        // Layers above the first: pre-activations of 2 bytes and two bits, for 64 neurons together, and the pre-activations once
        // more while they are made; all bits twice, neuron by neuron and sample by sample.
        depth => {
            let upper = topology.layers()[1..depth - 1].iter();
            let chunks: u64 = upper.map(|plan| u64::from(plan.neurons.div_ceil(64))).sum();
            vector::bytes_of_sample(topology)
                + (2 * 128 + 16 + 8) * chunks
                + 4 * topology.hidden_words() as u64
                + 4
        }
    };
    samples.saturating_mul(each)
}

/// The fastest landscape for a network, on one thread.
///
/// # Errors
/// A genome or samples that do not fit; [`LandscapeError::Buffers`] for instructions that are not
/// [`available`](Instructions::available).
pub fn landscape<'a>(
    instructions: Instructions,
    topology: &'a Topology,
    genome: &[u32],
    samples: Samples<'a>,
    loss: LossTable<&'a [u32]>,
) -> Result<Shard<'a>, LandscapeError> {
    if instructions == Instructions::Scalar || LandscapeKind::of(topology, &loss) == LandscapeKind::Scalar {
        return OwnedScalar::new(topology, genome, samples, loss).map(boxed);
    }
    let parts = Parts { topology, genome, samples, loss };
    with_kernels(instructions, parts).unwrap_or(Err(LandscapeError::Buffers))
}
