use super::*;
use evobit_data::Schema;

const IMAGE: Schema = Schema::Image { channels: 1, height: 28, width: 28 };
const TABLE: Schema = Schema::Table(vec![]);

fn facts(schema: &Schema, samples: usize) -> Facts<'_> {
    Facts { schema, classes: &[], samples, data: None }
}

#[test]
fn a_saved_configuration_repeats_itself() {
    let settings = Settings {
        hidden: Some(vec!["2x4x4@1x5x5".parse().unwrap()]),
        label: Some("x".into()),
        ..Settings::default()
    };
    let config = settings.resolve(facts(&IMAGE, 500)).unwrap();
    let read: Settings = toml::from_str(&config.to_toml()).unwrap();
    assert_eq!(read.resolve(facts(&TABLE, 1_000_000)).unwrap(), config);
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let file: Settings = toml::from_str("seed = 7\nlevels = 2").unwrap();
    let flags = Settings { levels: Some(5), ..Settings::default() };
    let config = flags.or(file).resolve(facts(&IMAGE, 500)).unwrap();
    assert_eq!((config.seed, config.levels, config.test), (7, 5, TestPart::Share(0.2)));
}

#[test]
fn layers_read_as_they_are_written() {
    for text in ["none", "128", "512@8x8", "512@2x8x8", "4x10x10@5x5", "4x10x10@1x5x5"] {
        assert_eq!(text.parse::<HiddenLayer>().unwrap().to_string(), text);
    }
    for text in ["", "0", "1x2", "5@", "5@3", "5@0x3", "70000", "3@1x2x3x4", "@3x3", "2x3x4"] {
        assert!(text.parse::<HiddenLayer>().is_err(), "{text}");
    }
}

#[test]
fn settings_out_of_range_are_named() {
    for text in [
        "test = 1.0",
        "test = 0.6\nvalidation = 0.5",
        "levels = 0",
        "target = 97.0",
        "target = 0.0",
        "proposals = 65",
        "block = 0",
        "smoothing = 64",
        "sweeps = 0",
        "elites = 50",
        "heats = [0.1, -1.0]",
        "heats = [nan]",
    ] {
        let settings: Settings = toml::from_str(text).unwrap();
        let complaint = settings.resolve(facts(&IMAGE, 10)).unwrap_err();
        assert!(text.split(' ').next().is_some_and(|key| complaint.contains(key)), "{complaint}");
    }
}
