//! What a run is begun with: its data, the model that it goes on from, and a configuration that fits both.

use crate::family::FamilyName;
use crate::settings::{HiddenLayer, Settings, TestPart, TrainConfig};
use evobit_data::{ColumnChoice, DataError, LoadOptions, Loaded, is_memorize, load, load_known};
use evobit_model::{Model, ModelError};

/// Data, and the model that a run goes on from.
#[derive(Debug)]
pub struct Source {
    /// The data.
    pub loaded: Loaded,
    /// The model, where the settings name one.
    pub model: Option<Model>,
}

/// Why a run cannot be begun.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The data cannot be loaded.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A setting is missing.
    #[error("--from goes on from a model; say with --data what it is to learn now")]
    NoData,
}

impl Source {
    /// Loads what the settings name.
    ///
    /// # Errors
    /// Data or a model that cannot be read.
    pub fn open(settings: &Settings) -> Result<Self, SourceError> {
        let options = settings.load_options();
        let Some(path) = &settings.from else {
            let source = settings.data.as_deref().unwrap_or("digits");
            let loaded = with_test_file(load(source, &options)?, settings.test.as_ref(), &options)?;
            return Ok(Self { loaded, model: None });
        };
        let model = Model::read(path)?;
        let source = settings.data.as_deref().ok_or(SourceError::NoData)?;
        let loaded = load_known(source, &model.schema(), &model.classes(), &options)?;
        let loaded = with_test_file(loaded, settings.test.as_ref(), &options)?;
        Ok(Self { loaded, model: Some(model) })
    }

    /// The configuration of a run on it by these settings, those it was opened with.
    ///
    /// # Errors
    /// A line that says which setting is out of range.
    pub fn resolve(&self, mut settings: Settings) -> Result<TrainConfig, String> {
        let Some(model) = &self.model else {
            if settings.data.as_deref().is_some_and(is_memorize) {
                settings = settings.or(Settings::memorizing());
            }
            return settings.resolve(&self.loaded.train);
        };
        let image = model.image();
        let layers = image.topology().layers();
        let hidden: Vec<HiddenLayer> =
            layers.split_last().map_or(&[][..], |(_, hidden)| hidden).iter().map(HiddenLayer::of).collect();
        settings.hidden = Some(if hidden.is_empty() { vec![HiddenLayer::None] } else { hidden });
        settings.levels =
            image.encoder().uniform().map_or(settings.levels, |levels| u16::try_from(levels.len()).ok());
        settings.kind = FamilyName::of(model);

        // A hot search would leave the genome that it is to go on from.
        settings.heat = settings.heat.or(Some(0.0));
        settings.resolve(&self.loaded.train)
    }
}

/// Data with the test samples of a file of their own, if the settings name one.
///
/// # Errors
/// A file that cannot be read as the data was.
pub fn with_test_file(
    loaded: Loaded,
    test: Option<&TestPart>,
    options: &LoadOptions,
) -> Result<Loaded, DataError> {
    let Some(TestPart::File(path)) = test else { return Ok(loaded) };
    let label = loaded.table.as_ref().map(|table| table.label.clone());
    let options = LoadOptions {
        trained_label: label.or_else(|| options.trained_label.clone()),
        columns: ColumnChoice::default(),
        ..options.clone()
    };
    let Loaded { train, notes, .. } =
        load_known(path, &loaded.train.schema, &loaded.train.classes, &options)?;
    let notes = [loaded.notes, notes].concat();
    Ok(Loaded { test: Some(train), notes, ..loaded })
}
