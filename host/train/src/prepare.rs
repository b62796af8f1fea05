//! From loaded data to everything a search needs.

use evobit::encode::{Encoder, EncoderError};
use evobit::evolve::genetic::Genes;
use evobit::evolve::landscape::Samples;
use evobit::image::{ImageError, Section};
use evobit::loss::{LossError, LossTable, MAX_ENTRIES, write_logistic};
use evobit::network::GenomeError;
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Shape, Topology, TopologyError};

use crate::family::{FamilyName, Ground};
use crate::operators::Judged;
use crate::settings::{Algorithm, TrainConfig, plan};
use evobit_compute::machine::memory_available;
use evobit_compute::{Accelerator, Instructions, Work};
use evobit_data::augment::{Distortion, distorted};
use evobit_data::encode::{Encoded, encode, learn};
use evobit_data::{Column, ColumnKind, DataError, Dataset, Loaded, Schema, Values};
use evobit_model::evaluate::Classify;
use evobit_model::{Ingredients, Model};

/// Why data and configuration do not make a network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The data cannot be split.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The encoder cannot be made.
    #[error("{0}: use fewer levels (--levels)")]
    Encoder(#[from] EncoderError),
    /// The network cannot be.
    #[error("{0}: change the hidden layers (--hidden) or the levels (--levels)")]
    Topology(#[from] TopologyError),
    /// The loss table cannot be made.
    #[error("{0} (--temperature, --margin, --slope)")]
    Loss(#[from] LossError),
    /// A class has no sample to learn from.
    #[error("class {class} has no sample in the training part: add samples of it or remove it")]
    EmptyClass {
        /// Its name.
        class: String,
    },
    /// A name that a model cannot hold.
    #[error("the name {start:?}... has {bytes} bytes, and a model holds names of at most 65535: shorten it")]
    LongName {
        /// Its first letters.
        start: String,
        /// Its length.
        bytes: usize,
    },
    /// More memory than there is.
    #[error(
        "training would take {needed} bytes of memory, and {available} are available: lower the neurons (--hidden, --preset, --population), the distorted copies (--copies, --together) or the samples"
    )]
    Memory {
        /// Bytes of encoded samples and of what the search remembers of them.
        needed: u64,
        /// Bytes that the machine has.
        available: u64,
    },
    /// More flips than bits.
    #[error("flips must be at most {bits}, the evolvable bits of this network")]
    Flips {
        /// The bits.
        bits: u32,
    },
}

impl PrepareError {
    /// True where the data is in order and a setting is not.
    #[must_use]
    pub const fn is_setting(&self) -> bool {
        matches!(self, Self::Encoder(_) | Self::Topology(_) | Self::Loss(_) | Self::Flips { .. })
    }
}

/// Everything a search needs, and the test part for afterwards.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What the features are.
    pub schema: Schema,
    /// Class names.
    pub classes: Vec<String>,
    /// Packed encoder.
    pub encoder: Vec<u32>,
    /// Packed loss table.
    pub loss: Vec<u32>,
    /// How the genome is read.
    pub kind: FamilyName,
    /// The network's shape.
    pub topology: Topology,
    /// What the search learns from: all copies of the training part, one after the other, the first the part itself.
    pub train: Encoded,
    /// Number of copies.
    pub copies: usize,
    /// How many of them a cold search holds together.
    pub together: usize,
    /// The validation part.
    pub validation: Encoded,
    /// The test part.
    pub test: Encoded,
    /// The genome to start from; none for a random one.
    pub start: Option<Vec<u32>>,
    /// What its landscapes are made of; the result does not depend on it.
    pub instructions: Instructions,
    /// The GPU that makes them, if any; the result does not depend on it either.
    pub accelerator: Accelerator,
}

impl Prepared {
    /// The loss table.
    ///
    /// # Panics
    /// Never: it was made by [`prepare`].
    #[must_use]
    pub fn loss_table(&self) -> LossTable<&[u32]> {
        LossTable::new(&self.loss[..]).expect("prepare made the table")
    }

    /// The training part itself.
    #[must_use]
    pub fn plain(&self) -> Samples<'_> {
        self.copy(0)
    }

    /// What a landscape on samples is made of.
    #[must_use]
    pub fn ground<'a>(&'a self, samples: Samples<'a>) -> Ground<'a> {
        Ground { topology: &self.topology, samples, loss: self.loss_table(), instructions: self.instructions }
    }

    /// What its landscapes are made of, for people.
    #[must_use]
    pub fn landscape_description(&self) -> String {
        self.kind.landscape_description(&self.accelerator, &self.ground(self.plain()))
    }

    /// What the genetic algorithm judges individuals by: all that a cold search learns from.
    #[must_use]
    pub fn judged(&self) -> Judged<'_> {
        Judged { topology: &self.topology, samples: self.cold(), loss: self.loss_table() }
    }

    /// What a search of it is going to do in this process, which has these [islands](crate::islands::here).
    #[must_use]
    pub fn work(&self, config: &TrainConfig, islands: Vec<u16>) -> Work {
        let spectra = config.algorithm == Algorithm::Spectrum;
        let suits = self.kind.suits_gpus(&self.topology, &self.loss_table());
        Work {
            suits_gpus: suits || !spectra,
            bits: self.topology.input().units().saturating_mul(self.plain().len() as u64),
            islands,
        }
    }

    /// A copy of the training part.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn copy(&self, number: usize) -> Samples<'_> {
        self.copies_in(number, number + 1)
    }

    /// The copies that a cold search holds together.
    #[must_use]
    pub fn cold(&self) -> Samples<'_> {
        self.copies_in(0, self.together)
    }

    /// What a sweep learns from: while it is hot one copy after the other, cold as many together as is configured.
    #[must_use]
    pub fn swept(&self, sweep: u32, is_hot: bool) -> Samples<'_> {
        if is_hot { self.copy((sweep as usize + 1) % self.copies) } else { self.cold() }
    }

    fn copies_in(&self, first: usize, end: usize) -> Samples<'_> {
        let (count, words) = (self.train.labels.len() / self.copies, self.topology.input_words());
        Samples {
            inputs: &self.train.inputs[first * count * words..end * count * words],
            labels: &self.train.labels[first * count..end * count],
        }
    }

    /// Bits that evolve.
    #[must_use]
    pub fn evolvable_bits(&self) -> u32 {
        self.kind.evolvable_bits(&self.topology)
    }

    /// What answers with this genome.
    ///
    /// # Errors
    /// A genome that is not one of the topology.
    pub fn classifier<'a>(&'a self, genome: &'a [u32]) -> Result<Box<dyn Classify + 'a>, GenomeError> {
        self.kind.classifier(&self.topology, genome)
    }

    /// The model with this genome.
    ///
    /// # Errors
    /// A genome that is not one of the topology.
    pub fn model(&self, genome: &[u32]) -> Result<Model, ImageError> {
        Model::new(&Ingredients {
            topology: &self.topology,
            encoder: &self.encoder,
            loss: &self.loss,
            genome,
            schema: &self.schema,
            classes: &self.classes,
        })
        .and_then(|model| model.marked(self.kind.mark()))
    }
}

/// The genome that a search starts from: that of the model it goes on from, else that of its family and seed.
#[must_use]
pub fn random_genome(prepared: &Prepared, config: &TrainConfig) -> Vec<u32> {
    let drawn = || prepared.kind.start(&prepared.topology, prepared.plain(), config.seed);
    prepared.start.clone().unwrap_or_else(drawn)
}

/// The training, validation and test part of what was loaded.
///
/// # Errors
/// Shares that leave nothing to train on.
pub fn parts(loaded: &Loaded, config: &TrainConfig) -> Result<[Dataset; 3], DataError> {
    let given = loaded.test.as_ref();
    let test_share = if given.is_some() { 0.0 } else { config.test.share() };
    let mut stream = Stream::new(config.seed, Purpose::Split, 0);
    let data = &loaded.train;
    let classes = data.classes.len();
    let split = loaded.division.split(&data.labels, classes, config.validation, test_share, &mut stream)?;
    let test = given.cloned().unwrap_or_else(|| data.select(&split.test));
    Ok([data.select(&split.train), data.select(&split.validation), test])
}

/// Splits, learns the encoder on the training part, encodes, and plans the network.
///
/// # Errors
/// Data and configuration that do not make a network.
pub fn prepare(loaded: &Loaded, config: &TrainConfig) -> Result<Prepared, PrepareError> {
    prepare_from(loaded, config, None)
}

/// As [`prepare`], to go on from a model: encoder, network and loss are its own, and the search starts from its genome.
///
/// # Errors
/// Data and configuration that do not make a network.
pub fn prepare_from(
    loaded: &Loaded,
    config: &TrainConfig,
    from: Option<&Model>,
) -> Result<Prepared, PrepareError> {
    let [train, validation, test] = parts(loaded, config)?;
    if let Some(class) = train.class_counts().iter().position(|&count| count == 0) {
        return Err(PrepareError::EmptyClass { class: train.classes[class].clone() });
    }
    check_names(&train)?;
    let encoder_words =
        from.map_or_else(|| learn(&train, config.levels), |model| Ok(model.section(Section::Encoder)))?;
    let encoder = Encoder::new(&encoder_words[..])?;
    let input = match train.schema {
        Schema::Image { height, width, .. } => {
            let planes = encoder.bits() / (u32::from(height) * u32::from(width));
            Shape { planes: u16::try_from(planes).map_err(|_| EncoderError::Values)?, height, width }
        }
        Schema::Table(_) => Shape::flat(u16::try_from(encoder.bits()).map_err(|_| EncoderError::Values)?),
    };
    let planned = || plan(input, &config.hidden, train.classes.len());
    let topology = from.map_or_else(planned, |model| Ok(*model.image().topology()))?;
    if config.algorithm == Algorithm::Genetic && config.flips > topology.count() {
        return Err(PrepareError::Flips { bits: topology.count() });
    }
    if let Some(available) = memory_available() {
        let needed = bytes_needed(&topology, config, &[&train, &validation, &test]);
        if needed > available {
            return Err(PrepareError::Memory { needed, available });
        }
    }
    let loss = match from {
        Some(model) => model.section(Section::Loss),
        None => {
            let mut loss = vec![0; 4 + MAX_ENTRIES as usize / 2];
            let len = write_logistic(config.margin, config.temperature, config.slope, &mut loss)?;
            loss.truncate(len);
            loss
        }
    };

    let packing = topology.layer(0).packing;
    let pack = |data: &Dataset| Encoded {
        inputs: encode(&encoder, packing, &data.values, data.samples()),
        labels: data.labels.clone(),
    };
    let copies = copies(&train.schema, config);
    let distortion = Distortion::new(config.shift, config.warp);
    let mut all = pack(&train);
    for copy in 1..copies {
        all.append(pack(&distorted(&train, distortion, config.seed, copy as u32)));
    }
    Ok(Prepared {
        train: all,
        copies,
        together: copies.min(config.together.into()),
        validation: pack(&validation),
        test: pack(&test),
        schema: train.schema,
        classes: train.classes,
        encoder: encoder_words,
        start: from.map(Model::genome),
        instructions: Instructions::Auto,
        accelerator: Accelerator::default(),
        loss,
        kind: config.kind,
        topology,
    })
}

/// Copies of each sample, itself among them.
fn copies(schema: &Schema, config: &TrainConfig) -> usize {
    if matches!(schema, Schema::Image { .. }) { config.copies.into() } else { 1 }
}

/// Bytes that preparing these parts and then searching take at most, to within a few per cent, beside the parts themselves.
fn bytes_needed(topology: &Topology, config: &TrainConfig, [train, validation, test]: &[&Dataset; 3]) -> u64 {
    let copies = copies(&train.schema, config);
    let all = train.samples() * copies + validation.samples() + test.samples();
    let encoded = (all as u64).saturating_mul(4 * topology.input_words() as u64);
    let value = match train.values {
        Values::Bytes(_) => 1,
        Values::Keys(_) => 4,
    };
    // The values of a copy go before the search begins.
    let values = (train.samples() * train.features() * value) as u64;
    // As many islands at a time as there are threads.
    let at_once = u64::from(config.islands.unwrap_or(1)).min(rayon::current_num_threads() as u64);
    let search = match config.algorithm {
        Algorithm::Spectrum => {
            let samples = train.samples() * copies.min(config.together.into());
            at_once * config.kind.bytes_needed(topology, samples)
        }
        // Two generations; scoring one genome after the other takes next to nothing.
        Algorithm::Genetic => 8 * u64::from(config.population) * topology.genome_words() as u64,
    };
    encoded.saturating_add(values.max(search))
}

/// Finds out before training what would keep a model from being written after it.
fn check_names(data: &Dataset) -> Result<(), PrepareError> {
    let columns: &[Column] = match &data.schema {
        Schema::Image { .. } => &[],
        Schema::Table(columns) => columns,
    };
    let of_column = |column: &'_ Column| match &column.kind {
        ColumnKind::Category(names) => [std::slice::from_ref(&column.name), names].concat(),
        ColumnKind::Integer | ColumnKind::Real => vec![column.name.clone()],
    };
    let mut names = data.classes.iter().cloned().chain(columns.iter().flat_map(of_column));
    match names.find(|name| name.len() > usize::from(u16::MAX)) {
        None => Ok(()),
        Some(name) => {
            Err(PrepareError::LongName { start: name.chars().take(20).collect(), bytes: name.len() })
        }
    }
}
