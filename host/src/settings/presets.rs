//! Presets: what is set for a user who says only how large the model may be, or nothing at all.
//!
//! A preset is a row of one of two tables, for images and for tables of columns. Its neurons are as many as a model image of its
//! size holds, whatever the shape of the data: the size of an image follows from topology, encoder, loss table and names, so
//! it is known before training. [`suggest`] costs some dozen computations of that size and looks at no sample.

use evobit::encode::MAX_BITS;
use evobit::evolve::smooth::MAX_RADIUS;
use evobit::image::{Parts, image_len};
use evobit::loss::{MAX_ENTRIES, write_logistic};
use evobit::topology::{MAX_UNITS, Shape};
use serde::{Deserialize, Serialize};

use super::notation::plan;
use super::{Facts, HiddenLayer, Settings};
use crate::data::{Column, Kind, Schema};

/// How large a model may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// At most 8,192 bytes of model image, for the smallest boards.
    Small,
    /// At most 32 KB.
    Medium,
    /// At most 256 KB.
    Large,
}

/// What is set for images.
struct ForImages {
    /// Bytes of the model image.
    bytes: usize,
    /// Most neurons.
    neurons: u16,
    /// Rows and columns of a window, of an image of 28.
    window: u32,
    /// Distorted copies of each image.
    copies: u16,
    /// How far they are turned; larger networks can do with more.
    warp: f64,
    /// Samples that a cold search holds together, copies among them, where there are not more without copies.
    cold: usize,
    sweeps: u32,
    heat: f64,
}

/// What is set for tables.
struct ForTables {
    /// Bytes of the model image.
    bytes: usize,
    /// Most neurons.
    neurons: u16,
    /// Most levels of a numeric column.
    levels: u16,
    sweeps: u32,
    heat: f64,
}

/// Without a preset.
const IMAGES: ForImages = ForImages {
    bytes: usize::MAX,
    neurons: 512,
    window: 8,
    copies: 16,
    warp: 0.1,
    cold: 300_000,
    sweeps: 40,
    heat: 0.002,
};
const TABLES: ForTables = ForTables { bytes: usize::MAX, neurons: 256, levels: 24, sweeps: 40, heat: 0.002 };

/// Fewest neurons for which a table is given as many levels as its preset allows.
const FEWEST_NEURONS: u16 = 64;

/// Images with fewer rows or columns are shifted by half a pixel: a whole one is too much of them.
const SMALL_IMAGE: u16 = 16;

impl Preset {
    const fn images(self) -> ForImages {
        match self {
            Self::Small => ForImages { bytes: 8192, neurons: 1024, copies: 32, sweeps: 60, ..IMAGES },
            Self::Medium => {
                let (bytes, neurons) = (32 << 10, 4096);
                ForImages { bytes, neurons, copies: 32, warp: 0.2, sweeps: 60, ..IMAGES }
            }
            Self::Large => {
                let (bytes, neurons, cold) = (256 << 10, 8192, 480_000);
                ForImages { bytes, neurons, copies: 32, warp: 0.2, cold, sweeps: 60, ..IMAGES }
            }
        }
    }

    const fn tables(self) -> ForTables {
        match self {
            Self::Small => ForTables { bytes: 8192, levels: 12, ..TABLES },
            Self::Medium => ForTables { bytes: 32 << 10, neurons: 512, ..TABLES },
            Self::Large => ForTables { bytes: 256 << 10, neurons: 1024, ..TABLES },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

/// What a preset, or none, sets for some data; where the user sets something else, that stands.
pub(super) struct Suggestion {
    pub(super) levels: u16,
    pub(super) hidden: Vec<HiddenLayer>,
    pub(super) copies: u16,
    pub(super) together: u16,
    pub(super) shift: f64,
    pub(super) warp: f64,
    pub(super) sweeps: u32,
    pub(super) heat: f64,
}

/// Margin and temperature of the loss where a single neuron votes; they grow with the square root of the neurons.
pub(super) const fn loss_scale(schema: &Schema) -> (f64, f64) {
    match schema {
        Schema::Image { .. } => (0.7, 0.35),
        // Tables are noisier: a softer loss lets single samples weigh less.
        Schema::Table(_) => (2.0, 2.0),
    }
}

/// Over how many levels to either side the spectra of a hot search are smoothed.
pub(super) fn smoothing(schema: &Schema, levels: u16) -> u16 {
    match schema {
        Schema::Image { .. } => 0,
        Schema::Table(_) => (levels / 2).min(MAX_RADIUS as u16),
    }
}

/// What is suggested for data of these facts. Levels and hidden layers are those of the user where given; the neurons fit
/// the other settings.
///
/// # Errors
/// A line that says why no network fits the preset.
pub(super) fn suggest(settings: &Settings, facts: &Facts<'_>) -> Result<Suggestion, String> {
    match facts.schema {
        Schema::Image { height, width, .. } => {
            let row = settings.preset.map_or(IMAGES, Preset::images);
            let small = (*height).min(*width) < SMALL_IMAGE;
            let shift = if small { 0.5 } else { 1.0 };
            let levels = settings.levels.unwrap_or_else(|| image_levels(*height, *width));
            let side = |length: u16| {
                let rounded = (u32::from(length) * row.window + 14) / 28;
                rounded.clamp(3, row.window).min(length.into()) as u16
            };
            let window = |neurons| HiddenLayer::Window {
                output: Shape::flat(neurons),
                planes: 0,
                height: side(*height),
                width: side(*width),
            };
            let fitted = || most_neurons(settings, facts, levels, row.bytes, row.neurons, window);
            let hidden = settings.hidden.clone().or_else(|| fitted().map(|neurons| vec![window(neurons)]));
            let hidden = hidden.ok_or_else(|| too_large(settings, facts))?;
            let copies = settings.copies.unwrap_or(row.copies);
            // A small set can do with more of its copies at once.
            let together = (row.cold / facts.samples.max(1)).clamp(1, copies.max(1).into()) as u16;
            Ok(Suggestion {
                levels,
                hidden,
                copies,
                together,
                shift,
                warp: row.warp,
                sweeps: row.sweeps,
                heat: row.heat,
            })
        }
        Schema::Table(_) => {
            let row = settings.preset.map_or(TABLES, Preset::tables);
            let (levels, hidden) =
                table_network(settings, facts, &row).ok_or_else(|| too_large(settings, facts))?;
            let (sweeps, heat) = (row.sweeps, row.heat);
            let copies = settings.copies.unwrap_or(1);
            Ok(Suggestion { levels, hidden, copies, together: 1, shift: 0.0, warp: 0.0, sweeps, heat })
        }
    }
}

/// Large images need one bit a pixel, small ones more.
fn image_levels(height: u16, width: u16) -> u16 {
    if u32::from(height) * u32::from(width) >= 400 { 1 } else { 3 }
}

/// Levels and hidden layers for a table: neurons matter more than levels, so these give way first.
fn table_network(settings: &Settings, facts: &Facts<'_>, row: &ForTables) -> Option<(u16, Vec<HiddenLayer>)> {
    if let Some(hidden) = &settings.hidden {
        return Some((settings.levels.unwrap_or(row.levels), hidden.clone()));
    }
    let mut best = None;
    for levels in settings.levels.map_or(1..=row.levels, |levels| levels..=levels).rev() {
        let fitted = most_neurons(settings, facts, levels, row.bytes, row.neurons, HiddenLayer::Dense);
        if fitted.is_some_and(|neurons| best.is_none_or(|(most, _)| neurons > most)) {
            best = fitted.map(|neurons| (neurons, levels));
        }
        if best.is_some_and(|(neurons, _)| neurons >= FEWEST_NEURONS) {
            break;
        }
    }
    best.map(|(neurons, levels)| (levels, vec![HiddenLayer::Dense(neurons)]))
}

/// The most neurons, up to `most`, of one hidden layer whose model image takes no more than `bytes`; without a limit of bytes `most`.
fn most_neurons(
    settings: &Settings,
    facts: &Facts<'_>,
    levels: u16,
    bytes: usize,
    most: u16,
    layer: impl Fn(u16) -> HiddenLayer,
) -> Option<u16> {
    if bytes == usize::MAX {
        return Some(most);
    }
    let fits = |neurons: u16| {
        model_bytes(settings, facts, levels, &[layer(neurons)]).is_some_and(|len| len <= bytes)
    };
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = high - (high - low) / 2;
        if fits(middle) { low = middle } else { high = middle - 1 }
    }
    (low > 0).then_some(low)
}

/// Bytes of the model image of a network on data of these facts, at most: an encoder may turn out to need fewer levels.
/// `None` where there can be no such network.
fn model_bytes(settings: &Settings, facts: &Facts<'_>, levels: u16, hidden: &[HiddenLayer]) -> Option<usize> {
    let (input, encoder_words) = encoder_size(facts.schema, levels)?;
    let topology = plan(input, hidden, facts.classes.len()).ok()?;
    let (margin, temperature) = settings.loss(facts.schema, hidden);
    let slope = settings.slope();
    let mut loss = vec![0; 4 + MAX_ENTRIES as usize / 2];
    let loss_words = write_logistic(margin, temperature, slope, &mut loss).ok()?;
    let zeros = vec![0; encoder_words.max(loss_words).max(topology.genome_words())];
    let classes: Vec<&str> = facts.classes.iter().map(String::as_str).collect();
    let (columns, names) = facts.schema.names();
    let parts = Parts {
        topology: &topology,
        encoder: &zeros[..encoder_words],
        loss: &zeros[..loss_words],
        genome: &zeros[..topology.genome_words()],
        classes: &classes,
        columns,
        column_names: &names,
    };
    Some(image_len(&parts))
}

/// The shape of the input bits and the words of an encoder with `levels` levels for everything numeric.
fn encoder_size(schema: &Schema, levels: u16) -> Option<(Shape, usize)> {
    match schema {
        Schema::Image { channels, height, width } => {
            let planes = channels.checked_mul(levels)?;
            Some((Shape { planes, height: *height, width: *width }, usize::from(levels) + 3))
        }
        Schema::Table(columns) => {
            let values = |column: &Column| match &column.kind {
                Kind::Category(names) => names.len(),
                Kind::Integer | Kind::Real => usize::from(levels),
            };
            let bits: usize = columns.iter().map(values).sum();
            let fits = bits as u64 <= MAX_BITS.min(MAX_UNITS.into());
            let words = 3 + columns.len() + bits;
            fits.then(|| (Shape::flat(bits as u16), words))
        }
    }
}

/// Why no network fits.
fn too_large(settings: &Settings, facts: &Facts<'_>) -> String {
    let preset = settings.preset.map_or("", Preset::name);
    let one = model_bytes(settings, facts, settings.levels.unwrap_or(1), &[HiddenLayer::Dense(1)]);
    let needs = one.map_or("more than a model holds".into(), |bytes| format!("{bytes} bytes"));
    let of = match facts.schema {
        Schema::Image { .. } => "pixels",
        Schema::Table(_) => "columns",
    };
    format!(
        "no network fits preset {preset}: {} {of} and {} classes with a single neuron take {needs}: use a larger --preset, shorter names or fewer {of}, or set --hidden and --levels",
        facts.schema.features(),
        facts.classes.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Dataset, Values};
    use crate::settings::Config;
    use crate::train::prepare;

    const ALL: [Preset; 3] = [Preset::Small, Preset::Medium, Preset::Large];

    /// Samples of so many classes with every value different, so that an encoder has all of its levels.
    fn data(schema: Schema, classes: usize) -> Dataset {
        let samples = 20 * classes;
        let keys = (0..samples * schema.features()).map(|index| index as i32).collect();
        Dataset {
            schema,
            values: Values::Keys(keys),
            labels: (0..samples).map(|sample| (sample % classes) as u8).collect(),
            classes: (0..classes).map(|class| class.to_string()).collect(),
        }
    }

    fn image(channels: u16, side: u16) -> Schema {
        Schema::Image { channels, height: side, width: side }
    }

    fn table(columns: usize) -> Schema {
        let column = |index| Column { name: format!("column {index}"), kind: Kind::Real };
        Schema::Table((0..columns).map(column).collect())
    }

    fn resolve(settings: &Settings, train: &Dataset) -> Result<Config, String> {
        settings.clone().resolve(train)
    }

    /// Bytes of the model that training would write.
    fn written(train: Dataset, config: &Config) -> usize {
        let loaded = crate::data::Loaded { name: "x".into(), train, test: None };
        let prepared = prepare(&loaded, config).unwrap();
        prepared.model(&vec![0; prepared.topology.genome_words()]).unwrap().bytes().len()
    }

    #[test]
    fn models_are_as_large_as_their_preset_allows() {
        let sets = [image(1, 28), image(3, 32), image(1, 8), image(3, 8), image(1, 64)];
        let tables = [1, 4, 30, 100, 200, 784].map(table);
        for (schema, classes) in sets.into_iter().chain(tables).zip([10, 10, 10, 2, 10, 3, 2, 2, 5, 2, 10]) {
            let train = data(schema, classes);
            for preset in ALL {
                let (images, tables) = (preset.images(), preset.tables());
                let settings = Settings { preset: Some(preset), test: Some(0.0), ..Settings::default() };
                let of = format!("{preset:?}, {classes} classes, {} features", train.features());
                let config = match resolve(&settings, &train) {
                    Ok(config) => config,
                    // The names and the levels of so many columns alone are too many bytes.
                    Err(complaint) if preset == Preset::Small && train.features() > 200 => {
                        assert!(complaint.contains("preset small: 784 columns"), "{complaint}");
                        continue;
                    }
                    Err(complaint) => panic!("{of}: {complaint}"),
                };
                let bytes = written(train.clone(), &config);
                assert!(bytes <= images.bytes, "{of}: {bytes} bytes");
                // Another neuron would be too many, of bytes or for the preset.
                let most = match train.schema {
                    Schema::Image { .. } => images.neurons,
                    Schema::Table(_) => tables.neurons,
                };
                let more = |neurons| match config.hidden[0] {
                    HiddenLayer::Window { height, width, .. } => {
                        HiddenLayer::Window { output: Shape::flat(neurons), planes: 0, height, width }
                    }
                    _ => HiddenLayer::Dense(neurons),
                };
                let neurons = plan(Shape { planes: 8, height: 99, width: 30 }, &config.hidden, 2)
                    .unwrap()
                    .hidden_neurons() as u16;
                if neurons < most {
                    let hidden = Some(vec![more(neurons + 1)]);
                    let settings = Settings { hidden, levels: Some(config.levels), ..settings };
                    let config = resolve(&settings, &train).unwrap();
                    assert!(written(train.clone(), &config) > images.bytes, "{of}: {neurons} neurons");
                }
            }
        }
    }

    #[test]
    fn what_is_set_beside_a_preset_stands() {
        let train = data(image(1, 28), 10);
        let text = "preset = 'small'\nlevels = 2\ncopies = 1\nsweeps = 7";
        let settings: Settings = toml::from_str(text).unwrap();
        let config = resolve(&settings, &train).unwrap();
        assert_eq!((config.levels, config.copies, config.sweeps, config.cooling), (2, 1, 7, 5));
        assert!((7000..=8192).contains(&written(train.clone(), &config)));
        let settings: Settings = toml::from_str("preset = 'small'\nhidden = ['3000']").unwrap();
        assert_eq!(resolve(&settings, &train).unwrap().hidden, [HiddenLayer::Dense(3000)]);
    }

    #[test]
    fn a_preset_stands_above_a_saved_configuration() {
        let train = data(table(30), 2);
        let saved = resolve(&Settings { seed: Some(7), ..Settings::default() }, &train).unwrap();
        let saved: Settings = toml::from_str(&saved.to_toml()).unwrap();
        let small = Settings { preset: Some(Preset::Small), ..Settings::default() };
        let expected = resolve(&Settings { seed: Some(7), ..small.clone() }, &train).unwrap();
        assert_eq!(resolve(&small.or(saved), &train).unwrap(), expected);
        // And within a file what is written beside it stands.
        let file: Settings = toml::from_str("preset = 'small'\nlevels = 5").unwrap();
        let flags = Settings { seed: Some(7), ..Settings::default() };
        assert_eq!(resolve(&flags.or(file), &train).unwrap().levels, 5);
    }

    #[test]
    fn large_images_are_shifted_by_a_pixel_and_small_ones_by_half() {
        for (side, preset, shift) in
            [(28, Some(Preset::Small), 1.0), (8, Some(Preset::Large), 0.5), (28, None, 1.0), (8, None, 0.5)]
        {
            let schema = image(1, side);
            let facts = Facts { schema: &schema, classes: &["a".into(), "b".into()], samples: 500 };
            let settings = Settings { preset, ..Settings::default() };
            assert_eq!(settings.resolve(facts).unwrap().shift, shift, "{side}, {preset:?}");
        }
    }
}
