//! How large a model gets: it follows from topology, encoder, loss table and names, so it is known before training.

use evobit::encode::MAX_BITS;
use evobit::image::{Parts, image_len};
use evobit::loss::{MAX_ENTRIES, write_logistic};
use evobit::topology::{MAX_UNITS, Shape};

use super::open::Open;
use super::{Facts, HiddenLayer, Settings, plan};
use evobit_data::{Column, ColumnKind, Schema};

/// The most neurons, up to `most`, of one hidden layer whose model image takes no more than `bytes`; without a limit of bytes `most`.
pub(super) fn most_neurons(
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
pub(super) fn model_bytes(
    settings: &Settings,
    facts: &Facts<'_>,
    levels: u16,
    hidden: &[HiddenLayer],
) -> Option<usize> {
    let (input, encoder_words) = encoder_size(facts.schema, levels)?;
    let topology = plan(input, hidden, facts.classes.len()).ok()?;
    let (margin, temperature) = settings.loss(facts.schema, hidden);
    let slope = Open::new(settings, *facts).slope();
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
                ColumnKind::Category(names) => names.len(),
                ColumnKind::Integer | ColumnKind::Real => usize::from(levels) + usize::from(column.missing),
            };
            let bits: usize = columns.iter().map(values).sum();
            let fits = bits as u64 <= MAX_BITS.min(MAX_UNITS.into());
            let words = 3 + columns.len() + bits;
            fits.then(|| (Shape::flat(bits as u16), words))
        }
    }
}
