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

/// What computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// A GPU where there is one that can, else the processor
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

/// The GPU that a run uses, if any.
#[derive(Clone, Default)]
pub struct Accelerator {
    #[cfg(feature = "cuda")]
    gpu: Option<Gpu>,
    /// Whether nothing else will do.
    #[cfg(feature = "cuda")]
    required: bool,
    /// What there is, for people.
    description: String,
}

impl std::fmt::Debug for Accelerator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.description)
    }
}

impl Accelerator {
    /// Opens what was asked for; [`Backend::Auto`] makes do with the processor.
    ///
    /// # Errors
    /// [`SearchError::Device`] where a GPU was asked for by name and there is none.
    pub fn open(backend: Backend) -> Result<Self, SearchError> {
        let without = |why: String| Self {
            #[cfg(feature = "cuda")]
            gpu: None,
            #[cfg(feature = "cuda")]
            required: false,
            description: why,
        };
        if backend == Backend::Cpu {
            return Ok(without("CPU, as asked for".into()));
        }
        match (backend, Self::open_gpu(backend == Backend::Cuda)) {
            (_, Ok(gpu)) => Ok(gpu),
            (Backend::Cuda, Err(why)) => {
                Err(SearchError::Device(format!("{why}: use --backend cpu or auto")))
            }
            (_, Err(why)) => Ok(without(format!("CPU, {why}"))),
        }
    }

    #[cfg(feature = "cuda")]
    fn open_gpu(required: bool) -> Result<Self, String> {
        let card = cuda::Card::open(0).map_err(|error| error.to_string())?;
        let description = format!("{}, {}", card.name(), card.compiled());
        Ok(Self { required, ..Self::on(Arc::new(card), description) })
    }

    #[cfg(not(feature = "cuda"))]
    fn open_gpu(_: bool) -> Result<Self, String> {
        Err("this program was built without CUDA (--features cuda)".into())
    }

    /// A device that is already open.
    #[cfg(feature = "cuda")]
    #[must_use]
    pub fn on(device: Arc<dyn Device>, description: String) -> Self {
        Self { gpu: Some(Gpu::new(device)), required: true, description }
    }

    /// The GPU.
    #[cfg(feature = "cuda")]
    pub(crate) fn gpu(&self) -> Option<&Gpu> {
        self.gpu.as_ref()
    }

    /// True where there is a GPU.
    #[must_use]
    pub fn is_gpu(&self) -> bool {
        #[cfg(feature = "cuda")]
        return self.gpu.is_some();
        #[cfg(not(feature = "cuda"))]
        false
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
        return self.gpu.is_some() && cuda::supports(topology, loss);
        #[cfg(not(feature = "cuda"))]
        false
    }

    /// The landscape on the GPU; `None` where the processor is to make one. Where the GPU's memory is too small and nobody asked for it by
    /// name, that is said to `log` and the processor's turn.
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
        log: &dyn Fn(&str),
    ) -> Result<Option<Shard<'a>>, SearchError> {
        let Some(gpu) = &self.gpu else { return Ok(None) };
        if !cuda::supports(topology, loss) {
            return Ok(None);
        }
        let made = cuda::CudaLandscape::new(gpu, topology, genome, samples, loss, log);
        match made {
            Ok(landscape) => Ok(Some(Box::new(landscape))),
            Err(cuda::CudaError::Device(error @ cuda::DeviceError::OutOfMemory { .. })) if !self.required => {
                log(&format!("{error}: this landscape is on the CPU"));
                Ok(None)
            }
            Err(cuda::CudaError::Device(error)) => Err(SearchError::Device(error.to_string())),
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
        _: &dyn Fn(&str),
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
        if let Some(gpu) = &self.gpu {
            return match cuda::CudaPopulation::new(gpu, topology, samples, loss, None) {
                Ok(population) => Ok(Some(Box::new(population))),
                Err(cuda::CudaError::Device(error)) => Err(SearchError::Device(error.to_string())),
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
        if let Some(error) = self.gpu.as_ref().and_then(|gpu| gpu.failure().get()) {
            return Err(SearchError::Device(error.to_string()));
        }
        Ok(())
    }
}
