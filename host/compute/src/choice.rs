//! CPU or GPU: what was asked for, and what a run got.

use evobit::evolve::genetic::Fitness;
use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::loss::LossTable;
use evobit::topology::Topology;

use super::Shard;
#[cfg(feature = "cuda")]
use super::cuda::{self, Device, Gpu};
#[cfg(feature = "cuda")]
use std::sync::Arc;
use std::time::Instant;

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// A GPU where there is one that can and enough to do, else the processor
    #[default]
    Auto,
    /// The processor
    Cpu,
    /// A GPU with CUDA
    Cuda,
}

/// Why a search failed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Genome, samples and topology do not go together.
    #[error(transparent)]
    Landscape(#[from] LandscapeError),
    /// The GPU failed, or cannot do what was asked of it.
    #[error("{0}")]
    Device(String),
}

#[cfg(feature = "cuda")]
fn failed(error: cuda::DeviceError) -> SearchError {
    SearchError::Device(error.to_string())
}

/// Bits of samples from which on a GPU is worth opening: that and compiling its kernels takes seconds, in which the processor is done with
/// less. The choice is by size alone, so that it is the same at every start.
const WORTHWHILE: u64 = 1 << 24;

/// True where GPUs make spectra of a network, as far as this program knows of them.
#[must_use]
#[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there is never a GPU"))]
pub fn suits_gpus(topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
    #[cfg(feature = "cuda")]
    return cuda::supports(topology, loss);
    #[cfg(not(feature = "cuda"))]
    true
}

/// What a run is going to do, by which GPUs are chosen.
#[derive(Clone, Debug)]
pub struct Work {
    /// Whether GPUs can do it at all.
    pub suits_gpus: bool,
    /// Bits of the samples that it learns from.
    pub bits: u64,
    /// The islands of this process; none where there are no islands.
    pub islands: Vec<u16>,
}

/// Who is told what happens to a landscape or a population beside its results.
#[derive(Clone, Copy, Debug)]
pub struct Note(pub fn(&str));

impl Default for Note {
    /// Nobody.
    fn default() -> Self {
        Self(|_| ())
    }
}

/// The GPUs that a run uses, if any.
#[derive(Clone, Default)]
pub struct Accelerator {
    #[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "there is never a GPU"))]
    note: Note,
    /// Those that this process uses, with their numbers among all; the first where there are no islands.
    #[cfg(feature = "cuda")]
    gpus: Vec<(usize, Gpu)>,
    /// How many there are.
    #[cfg(feature = "cuda")]
    count: usize,
    /// Whether nothing else will do.
    #[cfg(feature = "cuda")]
    required: bool,
    /// What there is, for people.
    description: String,
    /// Seconds that it took to open them and to compile their kernels.
    seconds: f64,
}

impl std::fmt::Debug for Accelerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.description)
    }
}

impl Accelerator {
    /// Opens what was asked for; [`Backend::Auto`] makes do with the processor, and takes it where there is little to do.
    ///
    /// # Errors
    /// [`SearchError::Device`] where a GPU was asked for by name and there is none.
    pub fn open(backend: Backend, work: &Work) -> Result<Self, SearchError> {
        let without = |why: String| Self { description: format!("CPU, {why}"), ..Self::default() };
        if backend == Backend::Cpu {
            return Ok(without("as asked for".into()));
        }
        if backend == Backend::Auto && !work.suits_gpus {
            return Ok(without("as GPUs make no spectra of such a network".into()));
        }
        if backend == Backend::Auto && work.bits < WORTHWHILE {
            let (bits, most) = (work.bits, WORTHWHILE);
            return Ok(without(format!(
                "done with {bits} bits of samples before a GPU is ready: from {most} on one is looked for"
            )));
        }
        let started = Instant::now();
        match (backend, Self::open_gpus(backend == Backend::Cuda, &work.islands)) {
            (_, Ok(gpus)) => Ok(Self { seconds: started.elapsed().as_secs_f64(), ..gpus }),
            (Backend::Cuda, Err(why)) => {
                Err(SearchError::Device(format!("{why}: use --backend cpu or auto")))
            }
            (_, Err(why)) => Ok(without(why)),
        }
    }

    #[cfg(feature = "cuda")]
    fn open_gpus(required: bool, islands: &[u16]) -> Result<Self, String> {
        let say = |error: cuda::DeviceError| error.to_string();
        let count = cuda::Card::count().map_err(say)?.max(1);
        let mut numbers: Vec<usize> = islands.iter().map(|&island| usize::from(island) % count).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            numbers.push(0);
        }
        let mut compiler = cuda::Compiler::default();
        let cards = numbers.iter().map(|&number| Ok((number, cuda::Card::open(number, &mut compiler)?)));
        let cards: Vec<(usize, cuda::Card)> = cards.collect::<Result<_, _>>().map_err(say)?;
        let all: Vec<String> =
            cards.iter().map(|(_, card)| format!("{}, {}", card.name(), card.compiled())).collect();
        let gpus = cards.into_iter().map(|(number, card)| (number, Gpu::new(Arc::new(card)))).collect();
        let description = all.join("; ");
        Ok(Self { gpus, count, required, description, ..Self::default() })
    }

    #[cfg(not(feature = "cuda"))]
    fn open_gpus(_: bool, _: &[u16]) -> Result<Self, String> {
        Err("this program was built without CUDA (--features cuda)".into())
    }

    /// Devices that are already open.
    #[cfg(feature = "cuda")]
    #[must_use]
    pub fn on(devices: Vec<Arc<dyn Device>>, description: String) -> Self {
        let count = devices.len();
        let gpus = devices.into_iter().map(Gpu::new).enumerate().collect();
        Self { gpus, count, required: true, description, ..Self::default() }
    }

    /// The same, which tells `note` what it does where memory is short.
    #[must_use]
    pub fn noting(self, note: fn(&str)) -> Self {
        Self { note: Note(note), ..self }
    }

    /// For each island of this process its GPU: the first for the first, the second for the second and so on round, memory shared among all islands
    /// that have the same. What was opened where there are no GPUs.
    ///
    /// # Errors
    /// A failure of the driver.
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there is never a GPU"))]
    pub fn of_islands(&self, here: &[u16], islands: u16) -> Result<Vec<Self>, SearchError> {
        #[cfg(feature = "cuda")]
        if !self.gpus.is_empty() {
            let number = |island: u16| usize::from(island) % self.count;
            let share = |(index, gpu): &(usize, Gpu)| {
                let sharing = (0..islands).filter(|&island| number(island) == *index).count();
                Ok((*index, gpu.shared(sharing as u64)?))
            };
            let gpus: Vec<(usize, Gpu)> =
                self.gpus.iter().map(share).collect::<Result<_, _>>().map_err(failed)?;
            let of = |&island: &u16| {
                let gpus = gpus.iter().filter(|(index, _)| *index == number(island)).cloned().collect();
                Self { gpus, ..self.clone() }
            };
            return Ok(here.iter().map(of).collect());
        }
        Ok(vec![self.clone(); here.len()])
    }

    /// The GPU of a run without islands, or of one island.
    #[cfg(feature = "cuda")]
    #[must_use]
    pub fn gpu(&self) -> Option<&Gpu> {
        self.gpus.first().map(|(_, gpu)| gpu)
    }

    /// True where there is a GPU.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        #[cfg(feature = "cuda")]
        return self.gpu().is_some();
        #[cfg(not(feature = "cuda"))]
        false
    }

    /// Seconds that it took to open the GPUs and to compile their kernels.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.seconds
    }

    /// What there is, and why, for people.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// True where the spectra of this network are made on the GPU.
    #[must_use]
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there is never a GPU"))]
    pub fn takes(&self, topology: &Topology, loss: &LossTable<&[u32]>) -> bool {
        #[cfg(feature = "cuda")]
        return self.is_gpu() && cuda::supports(topology, loss);
        #[cfg(not(feature = "cuda"))]
        false
    }

    /// The landscape on the GPU; `None` where the processor is to make one. Where the GPU's memory is too small and nobody asked for it by
    /// name, that is noted and the processor's turn.
    ///
    /// # Errors
    /// Genome or samples that do not fit; failures of the GPU.
    #[cfg(feature = "cuda")]
    pub fn landscape<'a>(
        &self,
        topology: &'a Topology,
        genome: &[u32],
        samples: Samples<'_>,
        loss: &LossTable<&[u32]>,
    ) -> Result<Option<Shard<'a>>, SearchError> {
        let log = self.note.0;
        let Some(gpu) = self.gpu() else { return Ok(None) };
        if !cuda::supports(topology, loss) {
            return Ok(None);
        }
        let made = cuda::CudaLandscape::new(gpu, topology, genome, samples, loss, &log);
        match made {
            Ok(landscape) => Ok(Some(Box::new(landscape))),
            Err(cuda::CudaError::Device(error @ cuda::DeviceError::OutOfMemory { .. })) if !self.required => {
                log(&format!("{error}: this landscape is on the CPU"));
                Ok(None)
            }
            Err(cuda::CudaError::Device(error)) => Err(failed(error)),
            Err(cuda::CudaError::Landscape(error)) => Err(error.into()),
        }
    }

    /// There is no GPU.
    ///
    /// # Errors
    /// None.
    #[cfg(not(feature = "cuda"))]
    pub fn landscape<'a>(
        &self,
        _: &'a Topology,
        _: &[u32],
        _: Samples<'_>,
        _: &LossTable<&[u32]>,
    ) -> Result<Option<Shard<'a>>, SearchError> {
        Ok(None)
    }

    /// The fitness of genomes by their loss, on the GPU; `None` where the processor is to find it.
    ///
    /// # Errors
    /// Samples that do not fit; failures of the GPU.
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "there is never a GPU"))]
    pub fn population(
        &self,
        topology: &Topology,
        samples: Samples<'_>,
        loss: &LossTable<&[u32]>,
    ) -> Result<Option<Box<dyn Fitness>>, SearchError> {
        #[cfg(feature = "cuda")]
        if let Some(gpu) = self.gpu() {
            return match cuda::CudaPopulation::new(gpu, topology, samples, loss, None) {
                Ok(population) => Ok(Some(Box::new(population.noting(self.note)))),
                Err(cuda::CudaError::Device(error)) => Err(failed(error)),
                Err(cuda::CudaError::Landscape(error)) => Err(error.into()),
            };
        }
        Ok(None)
    }

    /// What went wrong on the GPU since it was opened. After that nothing that came from it counts.
    ///
    /// # Errors
    /// The first failure.
    pub fn check(&self) -> Result<(), SearchError> {
        #[cfg(feature = "cuda")]
        if let Some(error) = self.gpus.iter().find_map(|(_, gpu)| gpu.failure().get()) {
            return Err(failed(error));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_work_is_the_processors_and_that_is_said() {
        let work = |bits| Work { suits_gpus: true, bits, islands: vec![] };
        let open = |backend, bits| Accelerator::open(backend, &work(bits));
        let other = Work { suits_gpus: false, ..work(WORTHWHILE) };
        let other = Accelerator::open(Backend::Auto, &other).unwrap();
        assert_eq!(other.description(), "CPU, as GPUs make no spectra of such a network");
        let little = open(Backend::Auto, WORTHWHILE - 1).unwrap();
        assert!(!little.is_gpu() && little.seconds() == 0.0);
        assert!(little.description().starts_with("CPU, done with 16777215 bits of samples before a GPU"));
        let much = open(Backend::Auto, WORTHWHILE).unwrap();
        assert!(much.is_gpu() || !much.description().contains("done with"), "{much:?}");
        // Who asks for a GPU by name gets one or none.
        let asked = open(Backend::Cuda, 0);
        assert!(asked.is_ok_and(|asked| asked.is_gpu()) == much.is_gpu());
    }
}
