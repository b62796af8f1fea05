//! Spectra of several networks, asked for together.

use std::sync::Arc;

use super::CudaLandscape;
use crate::cuda::device::DeviceError;

/// The spectra of the same hidden neurons of several networks on one card, `[networks][neurons][mutants]`, in one launch for all of
/// them. Where views or sums of one do not fit at once, or the networks are not alike, one after the other.
///
/// # Errors
/// Failures of the card.
///
/// # Panics
/// When `deltas` are too short, or there is no such neuron.
pub fn spectra_of_many(
    networks: &mut [CudaLandscape<'_>],
    neurons: &[u16],
    deltas: &mut [i64],
) -> Result<(), DeviceError> {
    let Some(first) = networks.first() else { return Ok(()) };
    let (kind, mutants) = (first.kind(), first.topology.layer(0).mutants());
    let alike = |one: &CudaLandscape<'_>| one.kind() == kind && one.topology.layer(0).mutants() == mutants;
    let mut jobs = vec![];
    if networks.iter().all(alike) {
        for network in networks.iter_mut() {
            jobs.extend(network.jobs(neurons)?);
        }
    }
    let tiles = networks.iter().map(CudaLandscape::tiles).max().unwrap_or(0);
    let together = jobs.len() == networks.len() * neurons.len();
    let (spectra, len) = (Arc::clone(&networks[0].gpu.spectra), neurons.len() * mutants);
    if together {
        spectra.launch(&jobs, kind, tiles)?;
    }
    for (network, deltas) in networks.iter_mut().zip(deltas.chunks_mut(len.max(1))) {
        if together {
            network.memory.sums.read(0, deltas)?;
        } else {
            network.hidden_spectra(neurons, deltas)?;
        }
        network.mask(0, neurons, deltas);
    }
    Ok(())
}
