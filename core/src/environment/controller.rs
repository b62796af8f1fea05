//! Binarized networks that act, and what they are worth.

use core::fmt;

use super::{Environment, MAX_OBSERVATIONS, play};
use crate::bits::Words;
use crate::encode::{Code, Encoder, EncoderError, write_table};
use crate::evolve::genetic::{Batch, Fitness};
use crate::network::Network;
use crate::topology::Topology;

/// Most words of a controller's input, and of its hidden layers together: they lie on the stack.
const WORDS: usize = 8;
/// Most actions.
const ACTIONS: usize = 8;

/// Why a network cannot act in an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ControllerError {
    /// The encoder has another number of features than there are observations, or of bits than the network has inputs.
    Observations,
    /// The network has another number of classes than there are actions.
    Actions,
    /// The input or the hidden layers take more than eight words, or there are more than eight actions.
    TooLarge,
}

impl fmt::Display for ControllerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Observations => "the network's inputs are not the observations of this task",
            Self::Actions => "the network's classes are not the actions of this task",
            Self::TooLarge => "a controller has at most 256 input bits, 256 hidden neurons and 8 actions",
        })
    }
}

impl core::error::Error for ControllerError {}

/// Writes the encoder of an environment's observations into `words` and returns its length.
///
/// # Errors
/// As [`write_table`]; observations past [`MAX_OBSERVATIONS`] are left out.
pub fn write_encoder<E: Environment>(words: &mut [u32]) -> Result<usize, EncoderError> {
    let mut features: [(Code, &[i32]); MAX_OBSERVATIONS] = [(Code::Integer, &[]); MAX_OBSERVATIONS];
    for (feature, observation) in features.iter_mut().zip(E::OBSERVATIONS) {
        feature.1 = observation.levels;
    }
    write_table(&features[..E::OBSERVATIONS.len().min(MAX_OBSERVATIONS)], words)
}

/// The shape of networks that act in an environment, with their encoder: checked once, for any number of genomes.
#[derive(Clone, Copy, Debug)]
pub struct Controller<'a, W> {
    encoder: Encoder<W>,
    topology: &'a Topology,
}

impl<'a, W: Words> Controller<'a, W> {
    /// Checks that encoder and topology are of the environment.
    ///
    /// # Errors
    /// What does not fit.
    pub fn new<E: Environment>(encoder: Encoder<W>, topology: &'a Topology) -> Result<Self, ControllerError> {
        let seen = encoder.features() as usize == E::OBSERVATIONS.len().min(MAX_OBSERVATIONS);
        if !seen || u64::from(encoder.bits()) != topology.input().units() {
            return Err(ControllerError::Observations);
        }
        if topology.classes() != E::ACTIONS.len() {
            return Err(ControllerError::Actions);
        }
        if topology.input_words() > WORDS || topology.hidden_words() > WORDS || topology.classes() > ACTIONS {
            return Err(ControllerError::TooLarge);
        }
        Ok(Self { encoder, topology })
    }

    /// What the network `genome` does when it sees this. A genome of another length does the first action, and so does an observation that is
    /// not there count as 0.
    pub fn decide<G: Words>(&self, genome: G, seen: &[i32]) -> usize {
        let Ok(network) = Network::new(self.topology, genome) else { return 0 };
        let (mut input, mut hidden, mut scores) = ([0; WORDS], [0; WORDS], [0; ACTIONS]);
        let packing = self.topology.layer(0).packing;
        let key = |index: u32| seen.get(index as usize).copied().unwrap_or(0);
        self.encoder.encode(key, packing, &mut input[..packing.words()]);
        network.classify(&input[..packing.words()], &mut hidden, &mut scores)
    }
}

/// The fitness of a genome: the rewards that its network earns over some starts.
#[derive(Clone, Copy, Debug)]
pub struct Episodes<'a, E, W> {
    /// The networks.
    pub controller: Controller<'a, W>,
    /// Where episodes begin.
    pub starts: &'a [E],
}

impl<E: Environment, W: Words> Episodes<'_, E, W> {
    /// What one genome earns.
    pub fn earned(&self, genome: &[u32]) -> i64 {
        let decide = |seen: &[i32]| self.controller.decide(genome, seen);
        self.starts.iter().map(|start| i64::from(play(&mut start.clone(), decide, |_, _| ()).reward)).sum()
    }
}

impl<E: Environment, W: Words> Fitness for Episodes<'_, E, W> {
    fn score(&mut self, genomes: Batch<'_>, fitness: &mut [i64]) {
        for (genome, fitness) in genomes.iter().zip(fitness) {
            *fitness = self.earned(genome);
        }
    }
}
