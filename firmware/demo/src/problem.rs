//! What is learned: digits, a model of them, and how the world changes.

use anyhow::{Context, ensure};
use evobit::rng::{Draw, Purpose, Stream};
use evobit_board::gesture::model::{MOST_BYTES, blank};
use evobit_data::{Dataset, Values, load};
use evobit_train::settings::Settings;

use crate::recordings::{Recorded, recorded};

/// How the input changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Drift {
    /// Half of the sensors change places at random.
    Permute,
    /// The image is turned by a quarter.
    Rotate,
    /// Dark is bright.
    Invert,
}

/// Raw samples of 64 bytes with labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    pub(crate) samples: Vec<Vec<u8>>,
    pub(crate) labels: Vec<u8>,
}

impl Raw {
    fn of(data: &Dataset) -> anyhow::Result<Self> {
        let Values::Bytes(bytes) = &data.values else { anyhow::bail!("images have values of a byte") };
        let features = bytes.len() / data.labels.len().max(1);
        Ok(Self {
            samples: bytes.chunks(features).map(<[u8]>::to_vec).collect(),
            labels: data.labels.clone(),
        })
    }

    /// The samples after the change.
    pub(crate) fn changed(&self, drift: Drift, seed: u64) -> Self {
        let places = places(drift, seed);
        let change = |sample: &Vec<u8>| -> Vec<u8> {
            let moved = places.iter().map(|&place| sample[place]);
            if drift == Drift::Invert { moved.map(|value| 16 - value).collect() } else { moved.collect() }
        };
        Self { samples: self.samples.iter().map(change).collect(), labels: self.labels.clone() }
    }

    /// The samples of which `keep` says so.
    pub(crate) fn only(&self, keep: impl Fn(u8) -> bool) -> Self {
        let kept = self.iter().filter(|(_, label)| keep(*label));
        let (samples, labels) = kept.map(|(sample, label)| (sample.clone(), label)).unzip();
        Self { samples, labels }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Vec<u8>, u8)> {
        self.samples.iter().zip(self.labels.iter().copied())
    }
}

/// Where each of 64 pixels comes from.
fn places(drift: Drift, seed: u64) -> Vec<usize> {
    let mut places: Vec<usize> = (0..64).collect();
    match drift {
        Drift::Permute => {
            let mut rng = Stream::new(seed, Purpose::Samples, 1);
            let mut chosen = places.clone();
            rng.shuffle(&mut chosen);
            let half = &chosen[..32];
            let mut moved = half.to_vec();
            rng.shuffle(&mut moved);
            half.iter().zip(moved).for_each(|(&to, from)| places[to] = from);
        }
        Drift::Rotate => places = (0..64).map(|place| (7 - place % 8) * 8 + place / 8).collect(),
        Drift::Invert => {}
    }
    places
}

/// Digits, split, with a model of the training part.
pub(crate) struct Problem {
    /// The image of the model.
    pub(crate) model: Vec<u8>,
    /// Its genome.
    pub(crate) genome: Vec<u32>,
    /// What the stream of labelled samples is drawn from, in random order.
    pub(crate) pool: Raw,
    /// Held out: never seen by training, streams or choices.
    pub(crate) test: Raw,
}

impl Problem {
    /// The image in memory that is aligned as images are.
    pub(crate) fn model_words(&self) -> Vec<u32> {
        let mut words = vec![0u32; self.model.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..self.model.len()].copy_from_slice(&self.model);
        words
    }

    /// The image's checksum.
    pub(crate) fn model_checksum(&self) -> u32 {
        evobit::image::checksum(&self.model[..self.model.len() - 4])
    }
}

/// Digits with a model of `hidden` neurons, trained without the class `without`, which keeps its place among the classes.
pub(crate) fn digits(seed: u64, hidden: &str, without: Option<u8>) -> anyhow::Result<Problem> {
    let mut loaded = load("digits", &evobit_data::LoadOptions::default())?;
    let hidden = vec![hidden.parse().map_err(|error| anyhow::anyhow!("{error}"))?];
    let settings =
        Settings { seed: Some(seed), levels: Some(3), hidden: Some(hidden), ..Settings::default() };
    let config = settings.resolve(&loaded.train).map_err(|error| anyhow::anyhow!(error))?;
    let [train_part, validation_part, test_part] = evobit_train::parts(&loaded, &config)?;
    let (pool, test) = (Raw::of(&train_part)?, Raw::of(&test_part)?);
    if let Some(class) = without {
        // The held-out samples stay what they are; a blank image stands for the class that is not known yet.
        let mut known = train_part.clone();
        let mut blank = false;
        let kept: Vec<u32> = (0..known.samples() as u32)
            .filter(|&index| known.labels[index as usize] != class || !core::mem::replace(&mut blank, true))
            .collect();
        known = known.select(&kept);
        let Values::Bytes(bytes) = &mut known.values else { anyhow::bail!("images have values of a byte") };
        for (pixels, &label) in bytes.chunks_mut(64).zip(&known.labels) {
            if label == class {
                pixels.fill(0);
            }
        }
        loaded.train = known;
        loaded.test = Some(test_part);
        drop(validation_part);
    }
    let prepared = evobit_train::prepare(&loaded, &config).context("the model cannot be trained")?;
    let outcome = evobit_train::run(
        &prepared,
        &config,
        evobit_train::Session::default(),
        None,
        &mut evobit_train::Silent,
    )?;
    let model = prepared.model(&outcome.genome)?.bytes().to_vec();
    ensure!(pool.samples.iter().all(|sample| sample.len() == 64), "digits have 64 pixels");
    let mut order: Vec<usize> = (0..pool.labels.len()).collect();
    Stream::new(seed, Purpose::Samples, 0).shuffle(&mut order);
    let shuffled = Raw {
        samples: order.iter().map(|&index| pool.samples[index].clone()).collect(),
        labels: order.iter().map(|&index| pool.labels[index]).collect(),
    };
    Ok(Problem { model, genome: outcome.genome, pool: shuffled, test })
}

/// Recorded movements, with a model that knows nothing.
pub(crate) fn gestures(seed: u64, path: &std::path::Path) -> anyhow::Result<Problem> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{}: give the file imu-motion.csv with --data", path.display()))?;
    let part = |name| {
        let windows = recorded(&text, name);
        windows
            .with_context(|| format!("{} holds no recordings `{name}`: give imu-motion.csv", path.display()))
    };
    let (mut pool, test) = (part("train")?, part("test")?);
    Stream::new(seed, Purpose::Samples, 0).shuffle(&mut pool);
    let raw = |windows: &[Recorded]| Raw {
        samples: windows.iter().map(|window| window.features.to_vec()).collect(),
        labels: windows.iter().map(|window| window.label).collect(),
    };
    let mut words = [0u32; MOST_BYTES / 4];
    let len = blank(seed, bytemuck::cast_slice_mut(&mut words))?;
    let model = bytemuck::cast_slice(&words)[..len].to_vec();
    Ok(Problem { model, genome: vec![], pool: raw(&pool), test: raw(&test) })
}
