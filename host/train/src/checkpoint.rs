//! The state of a search between two steps: what a run that was killed goes on from.
//!
//! A checkpoint holds everything that the rest of a search depends on, so that a run that goes on from it ends in the
//! same model, to the byte, as one that was never interrupted: the genomes, the random stream, the order of visits, and
//! the rows and the best genome so far. It also holds the configuration and checksums of the data and of the network, so that
//! nothing goes on with other ones. It costs a copy of the genomes, a checksum of them and two files written.

use evobit::evolve::landscape::Samples;
use evobit::evolve::search::SpectrumSearch;
use evobit::image::checksum;
use evobit::network::Network;
use evobit::rng::Stream;
use evobit::topology::{Field, Shape};
use serde::{Deserialize, Serialize};

use crate::breeding::row_words;
use crate::prepare::Prepared;
use crate::row::Row;
use crate::settings::{Algorithm, TrainConfig};
use evobit_search::checkpoint::{self as sealed, Head};
use evobit_search::seal::SealError;
use evobit_search::words::{self, little_endian};
use evobit_search::{RunFolder, Saved, Stop};

/// The command whose runs these are.
const COMMAND: &str = "train";

/// Counts of steps, mutants and flips beyond this are of no search; adding to those below cannot overflow.
const MOST: u64 = 1 << 62;

/// A state and what run it is of.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The checkpoint as it is in its file.
    pub sealed: sealed::Checkpoint,
    /// What the run was begun on.
    pub fingerprint: Fingerprint,
    /// Everything that the rest of the run depends on.
    pub state: State,
}

/// What a run folder has to go on from.
#[derive(Debug)]
pub struct Found {
    /// The newest checkpoint that can be used, and which of the two files it is in.
    pub newest: Option<(Checkpoint, usize)>,
    /// What is wrong with the files that cannot be used, each in one line. One that is not there is no fault.
    pub faults: Vec<String>,
    /// The command whose run it is, where that is another.
    pub other: Option<String>,
}

/// Reads the checkpoints of a run.
#[must_use]
pub fn find(folder: &RunFolder) -> Found {
    let sealed::Found { newest, faults } = sealed::find(folder);
    let mut faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let command = newest.as_ref().map(|(sealed, _)| sealed.head.command.clone());
    let other = command.filter(|command| command != COMMAND);
    let newest = newest.and_then(|(sealed, file)| {
        let read = Checkpoint::read(sealed);
        if read.is_none() {
            faults.push(format!("{}: its checkpoint is not one of a training", folder.path().display()));
        }
        read.map(|checkpoint| (checkpoint, file))
    });
    Found { newest, faults, other }
}

/// What all checkpoints of a run of `prepared` by the configuration `config`, as TOML, begin with.
#[must_use]
pub fn head(prepared: &Prepared, config: String) -> Head {
    // Plain numbers: this cannot fail.
    let fingerprint = postcard::to_stdvec(&Fingerprint::new(prepared)).unwrap_or_default();
    Head { command: COMMAND.into(), config, fingerprint }
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
    Genetic(Saved),
    /// Nothing was scored yet.
    Start,
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
            (self.train == other.train, "the training samples"),
            (self.validation == other.validation, "the validation samples"),
            (self.test == other.test, "the test samples"),
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
    /// Reads what is in a file. None where it is of another command.
    fn read(sealed: sealed::Checkpoint) -> Option<Self> {
        if sealed.head.command != COMMAND {
            return None;
        }
        let fingerprint = postcard::from_bytes(&sealed.head.fingerprint).ok()?;
        let (state, []) = postcard::take_from_bytes(&sealed.state).ok()? else { return None };
        Some(Self { sealed, fingerprint, state })
    }

    /// Reads a checkpoint. Whether it is one of a given run is for [`fits`](Self::fits) to say.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        sealed::Checkpoint::from_bytes(bytes).and_then(|sealed| Self::read(sealed).ok_or(SealError::Damaged))
    }

    /// Why the search ended, where it ended for good, so that there is nothing to go on with.
    #[must_use]
    pub fn ended(&self) -> Option<Stop> {
        self.sealed.ended()
    }

    /// True where the state is one that a run of this configuration on this network may have. Whatever a search is handed
    /// was looked at here or is looked at by the search.
    #[must_use]
    pub fn fits(&self, prepared: &Prepared, config: &TrainConfig) -> bool {
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
    /// The state as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain values: this cannot fail.
        postcard::to_stdvec(self).unwrap_or_default()
    }
}

impl Search {
    pub(super) fn fits(
        &self,
        prepared: &Prepared,
        config: &TrainConfig,
        genome: impl Fn(&[u32]) -> bool,
    ) -> bool {
        let (topology, population) = (&prepared.topology, config.population as usize);
        match self {
            Self::Islands => false,
            Self::Start => config.algorithm == Algorithm::Genetic,
            Self::Spectrum { genome: words, rng, order, position } => {
                config.algorithm == Algorithm::Spectrum
                    && genome(words)
                    && Stream::from_state(*rng).is_some()
                    && order.len() == SpectrumSearch::<Stream>::order_len(topology)
                    && (*position as usize) < order.len()
            }
            Self::Genetic(Saved { genomes, fitness, base, rng, .. }) => {
                let words = row_words(prepared.judged(), config);
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

#[cfg(test)]
mod tests;
