//! Presets: what is set for a user who says only how large the model may be, or nothing at all.
//!
//! A preset is a row of one of two tables, for images and for tables of columns. Its neurons are as many as a model image of its
//! size holds, whatever the shape of the data: the size of an image follows from topology, encoder, loss table and names, so
//! it is known before training. [`suggest`] costs some dozen computations of that size and looks at no sample.

use evobit::topology::{MAX_SLIDE, Shape};

use super::size::{model_bytes, most_neurons};
use super::suggestion::Suggestion;
use super::{Facts, HiddenLayer, Preset, Settings};
use evobit_data::Schema;

/// What is set for images.
struct ForImages {
    /// Bytes of the model image.
    bytes: usize,
    /// Most neurons.
    neurons: u16,
    /// Rows and columns of a window, of an image of 28.
    window: u32,
    /// Rows and columns by which it slides, of an image of 28.
    slide: u32,
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
    slide: 4,
    copies: 16,
    warp: 0.1,
    cold: 300_000,
    sweeps: 40,
    heat: 0.002,
};
const TABLES: ForTables = ForTables { bytes: usize::MAX, neurons: 512, levels: 24, sweeps: 40, heat: 0.002 };

/// Fewest neurons for which a table is given as many levels as its preset allows.
const FEWEST_NEURONS: u16 = 64;

/// Levels of a pixel where many are grey.
const GREY_LEVELS: u16 = 7;

/// Rows and columns by which windows slide where many pixels are grey, of an image of 28, whatever the preset.
const GREY_SLIDE: u32 = 4;

/// Without a preset, where many pixels are grey: each window sees only one of the levels.
const GREYS: ForImages = ForImages { neurons: 1024, warp: 0.2, ..IMAGES };

/// Images with fewer rows or columns are shifted by half a pixel: a whole one is too much of them.
const SMALL_IMAGE: u16 = 16;

impl Preset {
    const fn images(self) -> ForImages {
        match self {
            // For boards, where time is dear as well: their windows stay where they are.
            Self::Small => {
                ForImages { bytes: 8192, neurons: 1024, slide: 0, copies: 32, sweeps: 60, ..IMAGES }
            }
            Self::Medium => {
                let (bytes, neurons) = (32 << 10, 4096);
                ForImages { bytes, neurons, copies: 32, warp: 0.2, sweeps: 60, ..IMAGES }
            }
            Self::Large => {
                let (bytes, neurons, cold) = (256 << 10, 6144, 480_000);
                ForImages { bytes, neurons, copies: 32, warp: 0.2, cold, sweeps: 60, ..IMAGES }
            }
        }
    }

    const fn tables(self) -> ForTables {
        match self {
            Self::Small => ForTables { bytes: 8192, levels: 12, ..TABLES },
            Self::Medium => ForTables { bytes: 32 << 10, ..TABLES },
            Self::Large => ForTables { bytes: 256 << 10, neurons: 1024, ..TABLES },
        }
    }
}

/// What is suggested for data of these facts. Levels and hidden layers are those of the user where given; the neurons fit
/// the other settings.
///
/// # Errors
/// A line that says why no network fits the preset.
pub(super) fn suggest(settings: &Settings, facts: &Facts<'_>) -> Result<Suggestion, String> {
    if settings.slide.is_some() && settings.hidden.is_some() {
        return Err("--slide is for the windows that no --hidden names: write how far they slide there, as in 512@8x8+4".into());
    }
    if settings.slide.is_some_and(|slide| slide > MAX_SLIDE) {
        return Err(format!("--slide must be 0 to {MAX_SLIDE}"));
    }
    match facts.schema {
        Schema::Table(_) if settings.slide.is_some() => {
            Err("--slide is for images: the columns of a table are no neighbours".into())
        }
        Schema::Image { channels, height, width } => {
            let small = (*height).min(*width) < SMALL_IMAGE;
            let shift = if small { 0.5 } else { 1.0 };
            let grey = !small_image(*height, *width) && facts.data.is_some_and(|data| settings.is_grey(data));
            let row = settings.preset.map_or(if grey { GREYS } else { IMAGES }, Preset::images);
            let levels = settings.levels.unwrap_or_else(|| image_levels(*height, *width, grey));
            let side = |length: u16| {
                let rounded = (u32::from(length) * row.window + 14) / 28;
                rounded.clamp(3, row.window).min(length.into()) as u16
            };
            let planes = if grey { *channels } else { 0 };
            let sees_one = *channels == 1 && (grey || levels == 1);
            let most_slide = if grey { GREY_SLIDE } else { row.slide };
            let slide = |length: u16| {
                let scaled = || (u32::from(length) * most_slide / 28).min(most_slide) as u16;
                let wanted = settings.slide.unwrap_or_else(|| if sees_one { scaled() } else { 0 });
                wanted.min(length - side(length))
            };
            let window = |neurons| HiddenLayer::Window {
                output: Shape::flat(neurons),
                planes,
                height: side(*height),
                width: side(*width),
                slide: slide(*height).min(slide(*width)),
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

/// Large images of lines need one bit a pixel, small ones more, and greys more still: each window then sees one level.
fn image_levels(height: u16, width: u16, grey: bool) -> u16 {
    match (small_image(height, width), grey) {
        (true, _) => 3,
        (false, false) => 1,
        (false, true) => GREY_LEVELS,
    }
}

/// True of images whose windows can see all levels of so few pixels.
fn small_image(height: u16, width: u16) -> bool {
    u32::from(height) * u32::from(width) < 400
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
mod tests;
