//! Families of models: what a genome means, from its start to what it answers.
//!
//! A search moves bits and knows nothing of their meaning. A [`Family`] says where a search starts, on which landscape it moves, what
//! answers with a genome, how a model image is marked as one of it, and what people are told of it. To add a family, write its file
//! and add its line to [`FAMILIES`]: settings, help, checks, checkpoints, model files and pictures follow from that.

mod layers;
mod prototypes;

use std::fmt;
use std::str::FromStr;

use evobit::evolve::landscape::{LandscapeError, Samples};
use evobit::loss::LossTable;
use evobit::network::{GenomeError, Network};
use evobit::topology::Topology;
use evobit_compute::{Accelerator, Instructions, SearchError, Shard};
use evobit_model::Model;
use evobit_model::evaluate::Classify;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settings::HiddenLayer;
pub use layers::Layers;
pub use prototypes::Prototypes;

/// The families that a run may name: one line each. The first is what a run is of without a name.
pub const FAMILIES: &[&dyn Family] = &[&Layers, &Prototypes];

/// Samples and what a landscape on them is made of.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The shape of the network.
    pub topology: &'a Topology,
    /// The samples.
    pub samples: Samples<'a>,
    /// The loss.
    pub loss: LossTable<&'a [u32]>,
    /// Instructions to compute with; the result does not depend on them.
    pub instructions: Instructions,
}

/// One family of models.
pub trait Family: Sync {
    /// Its name, in settings and in model descriptions.
    fn name(&self) -> &'static str;

    /// What it is, in a few words.
    fn help(&self) -> &'static str;

    /// The number that marks images of it: readers refuse those that they do not know. 0 for layered networks, whose images carry no mark.
    fn mark(&self) -> u32;

    /// Settings that it prefers where the user says nothing: lines as in a file of settings.
    fn defaults(&self) -> &'static str {
        ""
    }

    /// What is not for it, in one line, of these hidden layers and of a search that is guided by spectra or is not.
    fn complaint(&self, _hidden: &[HiddenLayer], _is_spectrum: bool) -> Option<&'static str> {
        None
    }

    /// How many bits of a genome evolve.
    fn evolvable_bits(&self, topology: &Topology) -> u32;

    /// A genome to start from, by the seed and the samples to learn from.
    fn start(&self, topology: &Topology, samples: Samples<'_>, seed: u64) -> Vec<u32>;

    /// Bytes that the landscapes of so many samples take together, to within a few per cent.
    fn bytes_needed(&self, topology: &Topology, samples: usize) -> u64;

    /// The landscape of a genome on the processor, on one thread.
    ///
    /// # Errors
    /// A genome or samples that do not fit the topology.
    fn landscape<'a>(&self, genome: &[u32], ground: Ground<'a>) -> Result<Shard<'a>, LandscapeError>;

    /// The landscape of a genome on a GPU; `None` where the processor is to make it.
    ///
    /// # Errors
    /// Failures of the GPU; a genome or samples that do not fit the topology.
    fn accelerated<'a>(
        &self,
        _accelerator: &Accelerator,
        _genome: &[u32],
        _ground: Ground<'a>,
    ) -> Result<Option<Shard<'a>>, SearchError> {
        Ok(None)
    }

    /// True where GPUs can make its landscapes of a network.
    fn suits_gpus(&self, _topology: &Topology, _loss: &LossTable<&[u32]>) -> bool {
        false
    }

    /// What its landscapes on this ground are made of, for people.
    fn landscape_description(&self, accelerator: &Accelerator, ground: &Ground<'_>) -> String;

    /// What answers with a genome of this topology.
    ///
    /// # Errors
    /// A genome that is not one of the topology.
    fn classifier<'a>(
        &self,
        topology: &'a Topology,
        genome: &'a [u32],
    ) -> Result<Box<dyn Classify + 'a>, GenomeError>;

    /// What a model of this topology consists of: names and texts, one row each, for people.
    fn description(&self, topology: &Topology) -> Vec<(&'static str, String)>;

    /// What a neuron of the first layer wants of a unit of the input, for pictures: +1, -1, or `None` where it does not look.
    fn wants(&self, network: &Network<'_, &[u32]>, neuron: u32, unit: u32) -> Option<bool>;

    /// Why boards do not run its models; `None` where they do.
    fn not_on_boards(&self) -> Option<&'static str> {
        None
    }
}

/// A family by its name.
#[derive(Clone, Copy)]
pub struct FamilyName(&'static dyn Family);

impl FamilyName {
    /// That of a model. `None` where this program does not know its mark.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        FAMILIES.iter().find(|family| family.mark() == model.mark()).map(|&family| Self(family))
    }
}

impl std::ops::Deref for FamilyName {
    type Target = dyn Family;

    fn deref(&self) -> &Self::Target {
        self.0
    }
}

impl Default for FamilyName {
    fn default() -> Self {
        Self(FAMILIES[0])
    }
}

impl PartialEq for FamilyName {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for FamilyName {}

impl fmt::Debug for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for FamilyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FamilyName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = FAMILIES.iter().find(|family| family.name() == name);
        found.map(|&family| Self(family)).ok_or_else(|| {
            let names: Vec<&str> = FAMILIES.iter().map(|family| family.name()).collect();
            format!("`{name}` is no kind of model: it is one of {}", names.join(", "))
        })
    }
}

impl Serialize for FamilyName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'a> Deserialize<'a> for FamilyName {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
