//! The state of a search between two steps, as bytes: what a run that was killed goes on from.
//!
//! A checkpoint holds everything that the rest of a search depends on, so that a run that goes on from it ends in the
//! same model, to the byte, as one that was never interrupted: the genomes, the random stream, the order of visits, and
//! the rows and the best genome so far. It also holds the configuration and checksums of the data and of the network, so that
//! nothing goes on with other ones. It costs a copy of the genomes, a checksum of them and two files written.
//!
//! All numbers are little-endian:
//!
//! ```text
//! offset  bytes  what
//! 0       4      magic "evck"
//! 4       2      version, 2
//! 6       ...    [`Checkpoint`] as postcard writes it, words of genomes and visits as strings of bytes
//! end-4   4      CRC-32, that of model images, of all bytes before
//! ```

mod files;

use evobit::evolve::landscape::Samples;
use evobit::evolve::search::SpectrumSearch;
use evobit::image::checksum;
use evobit::network::Network;
use evobit::rng::Stream;
use evobit::topology::{Field, Shape};
use serde::{Deserialize, Serialize};

use super::{Prepared, Row, Stop, genetic};
use crate::settings::{Algorithm, Config};

pub use files::{Checkpoints, Found, ReadError, find};

const MAGIC: [u8; 4] = *b"evck";
/// The version this program writes and reads.
const VERSION: u16 = 2;
/// Bytes before the state, and of the checksum behind it.
const HEADER_BYTES: usize = 6;
const CRC_BYTES: usize = 4;

/// Counts of steps, mutants and flips beyond this are of no search; adding to those below cannot overflow.
const MOST: u64 = 1 << 62;

/// Why bytes are no checkpoint that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// They are cut off, changed, or something else.
    #[error("damaged")]
    Damaged,
    /// They are of another version.
    #[error("of version {0}, and this program reads version {VERSION}")]
    Version(u16),
}

/// A state and what run it is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The configuration the run was begun with, as TOML.
    pub config: String,
    /// What it was begun on.
    pub fingerprint: Fingerprint,
    /// Everything that the rest of the run depends on.
    pub state: State,
    /// Why the search ended here, if it did.
    pub stop: Option<Stop>,
    /// The run folder was completed after that.
    pub complete: bool,
}

/// Everything that the rest of a run depends on, beside configuration and data.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// What was found so far.
    pub course: Course,
    /// Where the search is.
    pub search: Search,
}

/// What a search found so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Course {
    /// Counts up to now; of the mutations committed those since the last row.
    pub now: Row,
    /// All rows.
    pub rows: Vec<Row>,
    /// The best genome.
    pub best: Option<Best>,
    /// The heat of each sweep that was begun, in mean loss; none of a genetic algorithm.
    pub heats: Vec<f64>,
}

/// The genome that did best on the validation part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Best {
    /// It.
    #[serde(with = "words")]
    pub genome: Vec<u32>,
    /// The row it belongs to.
    pub row: Row,
    /// Its validation result, the higher the better: correct samples, then the loss, negated.
    pub result: (u64, i64),
    /// No sweep up to it was hot, or it is of a cold one after those.
    pub cold: bool,
}

/// Where a search is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the searches in core")]
pub enum Search {
    /// The spectrum-guided search.
    Spectrum {
        #[serde(with = "words")]
        genome: Vec<u32>,
        rng: [u8; 16],
        #[serde(with = "words")]
        order: Vec<u32>,
        position: u32,
    },
    /// The genetic algorithm.
    Genetic {
        #[serde(with = "words")]
        genomes: Vec<u32>,
        fitness: Vec<i64>,
        #[serde(with = "words")]
        base: Vec<u32>,
        number: u32,
        rng: [u8; 16],
    },
    /// Islands, which have checkpoints of their own.
    Islands,
}

/// Checksums of what a run is begun on: everything beside the configuration that its model depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    train: u32,
    validation: u32,
    test: u32,
    topology: u32,
    model: u32,
}

impl Fingerprint {
    /// That of what was prepared.
    #[must_use]
    pub fn new(prepared: &Prepared) -> Self {
        // Further copies follow from the configuration.
        let samples = |part: Samples<'_>| {
            checksum(
                &[checksum(&little_endian(part.inputs)), checksum(part.labels)]
                    .map(u32::to_le_bytes)
                    .concat(),
            )
        };
        let shape = |shape: Shape| [shape.planes, shape.height, shape.width];
        let mut sizes = shape(prepared.topology.input()).to_vec();
        for plan in prepared.topology.layers() {
            sizes.extend(shape(plan.output));
            sizes.extend(match plan.field {
                Field::Dense => [0; 4],
                Field::Window { planes, height, width, slide } => [planes, height, width, slide],
            });
        }
        let sizes: Vec<u8> = sizes.iter().flat_map(|size| size.to_le_bytes()).collect();
        // A model without a genome: the encoder, the loss table and the names.
        let model = prepared.model(&vec![0; prepared.topology.genome_words()]);
        Self {
            train: samples(prepared.cold()),
            validation: samples(prepared.validation.samples()),
            test: samples(prepared.test.samples()),
            topology: checksum(&sizes),
            model: model.map_or(0, |model| model.image().checksum()),
        }
    }

    /// What differs from `other`, in words; empty where nothing does.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            (self.train == other.train, "the samples to learn from"),
            (self.validation == other.validation, "the validation samples"),
            (self.test == other.test, "the held-out samples"),
            (self.topology == other.topology, "the shape of the network"),
            // The model's checksum covers the shape.
            (
                self.model == other.model || self.topology != other.topology,
                "the encoder or the names of columns and classes",
            ),
        ];
        parts.into_iter().filter(|(same, _)| !same).map(|(_, part)| part).collect()
    }
}

impl Checkpoint {
    /// The checkpoint as bytes. None only where memory is short.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        let mut bytes = postcard::to_extend(self, bytes).ok()?;
        bytes.extend(checksum(&bytes).to_le_bytes());
        Some(bytes)
    }

    /// Reads a checkpoint. Whether it is one of a given run is for [`fits`](Self::fits) to say.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let (body, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or(CheckpointError::Damaged)?;
        if u32::from_le_bytes(*crc) != checksum(body) || !body.starts_with(&MAGIC) {
            return Err(CheckpointError::Damaged);
        }
        let (header, state) = body.split_at_checked(HEADER_BYTES).ok_or(CheckpointError::Damaged)?;
        let version = u16::from_le_bytes([header[4], header[5]]);
        if version != VERSION {
            return Err(CheckpointError::Version(version));
        }
        match postcard::take_from_bytes(state) {
            Ok((checkpoint, [])) => Ok(checkpoint),
            _ => Err(CheckpointError::Damaged),
        }
    }

    /// Why the search ended, where it ended for good, so that there is nothing to go on with.
    #[must_use]
    pub fn ended(&self) -> Option<Stop> {
        self.stop.filter(|stop| !stop.is_early())
    }

    /// True where the state is one that a run of this configuration on this network may have. Whatever a search is handed
    /// was looked at here or is looked at by the search.
    #[must_use]
    pub fn fits(&self, prepared: &Prepared, config: &Config) -> bool {
        let genome = |words: &[u32]| {
            Network::new(&prepared.topology, words).is_ok_and(|network| network.check().is_ok())
        };
        let Course { now, rows, best, heats } = &self.state.course;
        if matches!(self.state.search, Search::Islands) {
            return config.islands.is_some();
        }
        let counts = now.step.max(now.mutants).max(now.committed) < MOST;
        let sweeps = now.sweep < config.sweeps || self.ended().is_some();
        let best = match best {
            None => rows.is_empty() && self.ended().is_none(),
            Some(best) => genome(&best.genome) && best.row.sweep <= now.sweep,
        };
        // Between two sweeps the next is not begun.
        let begun = now.sweep as usize..=now.sweep as usize + 1;
        let heats = match config.algorithm {
            Algorithm::Spectrum => {
                begun.contains(&heats.len()) && heats.iter().all(|heat| (0.0..=100.0).contains(heat))
            }
            Algorithm::Genetic => heats.is_empty(),
        };
        counts && sweeps && best && heats && self.state.search.fits(prepared, config, genome)
    }
}

impl State {
    /// The best genome so far; before there is a row, where the search is.
    pub(super) fn best_genome(&self) -> &[u32] {
        match (&self.course.best, &self.search) {
            (Some(best), _) => &best.genome,
            (None, Search::Spectrum { genome, .. }) => genome,
            (None, Search::Genetic { base, .. }) => base,
            (None, Search::Islands) => &[],
        }
    }
}

impl Search {
    pub(super) fn fits(&self, prepared: &Prepared, config: &Config, genome: impl Fn(&[u32]) -> bool) -> bool {
        let (topology, population) = (&prepared.topology, config.population as usize);
        match self {
            Self::Islands => false,
            Self::Spectrum { genome: words, rng, order, position } => {
                config.algorithm == Algorithm::Spectrum
                    && genome(words)
                    && Stream::from_state(*rng).is_some()
                    && order.len() == SpectrumSearch::<Stream>::order_len(topology)
                    && (*position as usize) < order.len()
            }
            Self::Genetic { genomes, fitness, base, rng, .. } => {
                let words = genetic::row_words(prepared, config);
                let row = |row: &[u32]| row.get(..topology.genome_words()).is_some_and(&genome);
                config.algorithm == Algorithm::Genetic
                    && base.len() == words
                    && row(base)
                    && genomes.len() == words * population
                    && genomes.chunks_exact(words).all(row)
                    && fitness.len() == population
                    // A loss, negated.
                    && (config.objective != "loss"
                        || fitness.iter().all(|fitness| (-i64::MAX..=0).contains(fitness)))
                    && Stream::from_state(*rng).is_some()
            }
        }
    }
}

fn little_endian(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Words as a string of bytes: random ones would take a quarter more as numbers, and far longer.
pub(super) mod words {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub(in super::super) fn serialize<S: Serializer>(
        words: &[u32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&super::little_endian(words))
    }

    pub(in super::super) fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Vec<u32>, D::Error> {
        let (words, []) = <&[u8]>::deserialize(deserializer)?.as_chunks::<4>() else {
            return Err(D::Error::custom("not whole words"));
        };
        Ok(words.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
    }
}

#[cfg(test)]
mod tests;
