use super::*;
use crate::prepare;
use crate::settings::{TestPart, TrainConfig, plan};
use evobit_data::{Column, ColumnKind, Dataset, Values};

const ALL: [Preset; 3] = [Preset::Small, Preset::Medium, Preset::Large];

/// Samples of so many classes with every value different, and so many that an encoder has all of its levels, dense as they are at the ends.
fn data(schema: Schema, classes: usize) -> Dataset {
    let samples = 100 * classes;
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
    let column = |index| Column::new(format!("column {index}"), ColumnKind::Real);
    Schema::Table((0..columns).map(column).collect())
}

fn resolve(settings: &Settings, train: &Dataset) -> Result<TrainConfig, String> {
    settings.clone().resolve(train)
}

/// Bytes of the model that training would write.
fn written(train: Dataset, config: &TrainConfig) -> usize {
    let loaded = evobit_data::Loaded {
        name: "x".into(),
        train,
        test: None,
        notes: vec![],
        table: None,
        division: evobit_data::Division::Shares,
    };
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
            // Without distorted copies, which make no byte of a model.
            let settings = Settings {
                preset: Some(preset),
                test: Some(TestPart::Share(0.0)),
                copies: Some(1),
                ..Settings::default()
            };
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
                HiddenLayer::Window { planes, height, width, slide, .. } => {
                    HiddenLayer::Window { output: Shape::flat(neurons), planes, height, width, slide }
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
        let facts = Facts { schema: &schema, classes: &["a".into(), "b".into()], samples: 500, data: None };
        let settings = Settings { preset, ..Settings::default() };
        assert_eq!(settings.resolve(facts).unwrap().shift, shift, "{side}, {preset:?}");
    }
}

#[test]
fn windows_see_one_level_of_greys_and_slide_where_they_see_one() {
    let of = |schema: Schema, values: [u8; 4], preset| {
        let samples = 20;
        let train = Dataset {
            values: Values::Bytes(values.repeat(samples * schema.features() / 4)),
            labels: (0..samples).map(|sample| (sample % 2) as u8).collect(),
            classes: vec!["a".into(), "b".into()],
            schema,
        };
        let config = resolve(&Settings { preset, ..Settings::default() }, &train).unwrap();
        let HiddenLayer::Window { planes, slide, .. } = config.hidden[0] else {
            panic!("{:?}", config.hidden)
        };
        (config.levels, planes, slide)
    };
    let (ink, greys) = ([0, 0, 0, 255], [0, 90, 140, 255]);
    for preset in [None, Some(Preset::Small), Some(Preset::Large)] {
        // Models for boards save time where they can.
        let ink_slide = if preset == Some(Preset::Small) { 0 } else { 4 };
        assert_eq!(of(image(1, 28), ink, preset), (1, 0, ink_slide));
        assert_eq!(of(image(1, 28), greys, preset), (GREY_LEVELS, 1, 4));
        assert_eq!(of(image(1, 40), greys, preset), (GREY_LEVELS, 1, 4));
        // Windows of several planes stay where they are.
        assert_eq!(of(image(3, 32), greys, preset), (GREY_LEVELS, 3, 0));
        // All levels of few pixels fit into a window.
        assert_eq!(of(image(1, 8), greys, preset), (3, 0, 0));
    }
}
