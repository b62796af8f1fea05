//! The forward pass of a binarized network.
//!
//! A neuron's *pre-activation* is `threshold - mismatches`: how many more inputs may differ from its
//! weights before it turns off. It is +1 where that is not negative. In the usual form, with the sum
//! `x . w` of n products and the odd (or even) threshold t = n - 1 - 2 * threshold, this is
//! `sign(x . w - t)`, and `x . w - t = 2 * preactivation + 1` is never 0. Flipping one weight or one
//! input moves a pre-activation by exactly 1. The last layer's pre-activations are the class scores;
//! the largest wins, the lowest class index among equals.
//!
//! Cost: one exclusive or and one population count per word of weights, plus the gathering of a window.

use crate::bits::{self, Words};
use crate::topology::{Field, Plan, Topology, WINDOW_WORDS};

/// A genome seen as a network: a topology and the words it describes.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a, W> {
    topology: &'a Topology,
    words: W,
}

/// Why words are not a genome of a topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenomeError {
    /// The number of words differs from [`Topology::genome_words`].
    Length,
    /// A window lies outside of its input.
    Place {
        /// Layer, counted from 0.
        layer: usize,
        /// Neuron of that layer.
        neuron: u32,
    },
    /// A threshold is not in `0..inputs`.
    Threshold {
        /// Layer, counted from 0.
        layer: usize,
        /// Neuron of that layer.
        neuron: u32,
    },
    /// Bits behind the last weight of a row, the last place or the last threshold are not 0.
    Padding {
        /// Layer, counted from 0.
        layer: usize,
    },
}

impl core::fmt::Display for GenomeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length => write!(f, "the genome's length does not fit the topology"),
            Self::Place { layer, neuron } => {
                write!(f, "layer {layer}, neuron {neuron}: the window lies outside of the input")
            }
            Self::Threshold { layer, neuron } => {
                write!(f, "layer {layer}, neuron {neuron}: the threshold is out of range")
            }
            Self::Padding { layer } => write!(f, "layer {layer}: padding bits are not zero"),
        }
    }
}

impl core::error::Error for GenomeError {}

/// Room for the gathered bits of one window.
pub type Window = [u32; WINDOW_WORDS];

impl<'a, W: Words> Network<'a, W> {
    /// Views `words` as a network, without looking at their values; see [`Network::check`].
    ///
    /// # Errors
    /// [`GenomeError::Length`].
    pub fn new(topology: &'a Topology, words: W) -> Result<Self, GenomeError> {
        if words.len() == topology.genome_words() {
            Ok(Self { topology, words })
        } else {
            Err(GenomeError::Length)
        }
    }

    /// Views words whose length is known to be right.
    pub(crate) const fn view(topology: &'a Topology, words: W) -> Self {
        Self { topology, words }
    }

    /// Checks every place, threshold and padding bit, after which no method panics on inputs of the
    /// right length.
    ///
    /// # Errors
    /// The first value that is out of range.
    pub fn check(&self) -> Result<(), GenomeError> {
        for (layer, plan) in self.topology.layers().iter().enumerate() {
            for neuron in 0..plan.neurons {
                if let Field::Window { .. } = plan.field
                    && plan.corner(self.place(layer, neuron)).is_none()
                {
                    return Err(GenomeError::Place { layer, neuron });
                }
                if self.threshold(layer, neuron) >= plan.inputs {
                    return Err(GenomeError::Threshold { layer, neuron });
                }
                let last = self.words.word(row_start(plan, neuron) + plan.row_words as usize - 1);
                if last & !bits::tail_mask(plan.inputs) != 0 {
                    return Err(GenomeError::Padding { layer });
                }
            }
            let padded = |first: u32, end: u32, used_bits: u32| {
                end > first && self.words.word(end as usize - 1) & !bits::tail_mask(used_bits) != 0
            };
            if padded(plan.places, plan.thresholds, plan.neurons * 16)
                || padded(plan.thresholds, plan.weights, plan.neurons * plan.threshold_bits)
            {
                return Err(GenomeError::Padding { layer });
            }
        }
        Ok(())
    }

    /// The topology.
    #[must_use]
    pub const fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// The genome's words.
    #[must_use]
    pub const fn words(&self) -> W {
        self.words
    }

    /// The most mismatches with which a neuron is still +1: `0..inputs`.
    #[must_use]
    #[inline]
    pub fn threshold(&self, layer: usize, neuron: u32) -> u32 {
        let plan = self.topology.layer(layer);
        field(self.words, plan.thresholds, plan.threshold_bits, neuron)
    }

    /// The place of a windowed neuron, see [`Plan::corner`]; 0 in a dense layer.
    #[must_use]
    #[inline]
    pub fn place(&self, layer: usize, neuron: u32) -> u16 {
        let plan = self.topology.layer(layer);
        match plan.field {
            Field::Dense => 0,
            Field::Window { .. } => field(self.words, plan.places, 16, neuron) as u16,
        }
    }

    /// The packed weights of a neuron.
    #[must_use]
    #[inline]
    pub fn weights(&self, layer: usize, neuron: u32) -> W {
        let plan = self.topology.layer(layer);
        self.words.slice(row_start(plan, neuron), plan.row_words as usize)
    }

    /// The packed bits a neuron sees: `input` itself in a dense layer, else gathered into `window`.
    ///
    /// # Panics
    /// When `input` ends before what the neuron sees.
    #[must_use]
    #[inline]
    pub fn receptive<'b>(
        &self,
        layer: usize,
        neuron: u32,
        input: &'b [u32],
        window: &'b mut Window,
    ) -> &'b [u32] {
        see(self.topology.layer(layer), self.place(layer, neuron), input, window)
    }

    /// `threshold - mismatches` of a neuron; it is +1 where this is at least 0.
    ///
    /// # Panics
    /// When `input` ends before what the neuron sees.
    #[must_use]
    #[inline]
    pub fn preactivation(&self, layer: usize, neuron: u32, input: &[u32], window: &mut Window) -> i32 {
        let seen = self.receptive(layer, neuron, input, window);
        self.threshold(layer, neuron) as i32 - bits::mismatches(seen, self.weights(layer, neuron)) as i32
    }

    /// Runs one layer that is not the last: writes its neurons' signs, packed for the layer after.
    ///
    /// # Panics
    /// When `layer` is the last, or `input` or `output` are shorter than the packings say.
    pub fn run_layer(&self, layer: usize, input: &[u32], output: &mut [u32]) {
        let plan = self.topology.layer(layer);
        let next = self.topology.layer(layer + 1).packing;
        if let Some(words) = self.words.native() {
            return write_signs(plan, words, input, next.row_bits, output);
        }
        let mut window = [0; WINDOW_WORDS];
        let mut writer = Writer::new(output, next.row_bits);
        for neuron in 0..plan.neurons {
            writer.push(self.preactivation(layer, neuron, input, &mut window) >= 0);
        }
        writer.finish();
    }

    /// Runs the network on one packed sample. `hidden` receives the activations of the hidden layers,
    /// one packing behind the other ([`Topology::hidden_words`] words), `scores` one score per class.
    ///
    /// # Panics
    /// When a buffer is shorter than the topology says.
    pub fn run(&self, input: &[u32], hidden: &mut [u32], scores: &mut [i32]) {
        let last = self.topology.depth() - 1;
        let mut rest = hidden;
        let mut current = input;
        for layer in 0..last {
            let (output, behind) = rest.split_at_mut(self.topology.layer(layer + 1).packing.words());
            self.run_layer(layer, current, output);
            (current, rest) = (output, behind);
        }
        let scores = &mut scores[..self.topology.classes()];
        if let Some(words) = self.words.native() {
            return write_scores(self.topology.layer(last), words, current, scores);
        }
        let mut window = [0; WINDOW_WORDS];
        for (class, score) in scores.iter_mut().enumerate() {
            *score = self.preactivation(last, class as u32, current, &mut window);
        }
    }

    /// The class of one packed sample. `hidden` and `scores` as in [`Network::run`].
    ///
    /// # Panics
    /// When a buffer is shorter than the topology says.
    pub fn classify(&self, input: &[u32], hidden: &mut [u32], scores: &mut [i32]) -> usize {
        self.run(input, hidden, scores);
        best_class(&scores[..self.topology.classes()])
    }
}

/// Index of the largest score, the lowest among equals.
#[must_use]
pub fn best_class<Score: PartialOrd + Copy>(scores: &[Score]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] {
            best = class;
        }
    }
    best
}

/// Writes bits one after the other, in rows padded to whole words.
#[derive(Debug)]
pub struct Writer<'a> {
    words: &'a mut [u32],
    row_bits: u32,
    word: u32,
    index: usize,
    column: u32,
}

impl<'a> Writer<'a> {
    /// Writes into `words`, rows of `row_bits` bits.
    #[must_use]
    pub const fn new(words: &'a mut [u32], row_bits: u32) -> Self {
        Self { words, row_bits, word: 0, index: 0, column: 0 }
    }

    /// Appends a bit.
    ///
    /// # Panics
    /// When the words are full.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        self.word |= u32::from(bit) << (self.column % 32);
        self.column += 1;
        if self.column.is_multiple_of(32) || self.column == self.row_bits {
            self.flush();
        }
        if self.column == self.row_bits {
            self.column = 0;
        }
    }

    /// Writes what is left of the last word.
    pub fn finish(mut self) {
        if !self.column.is_multiple_of(32) {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.words[self.index] = self.word;
        self.index += 1;
        self.word = 0;
    }
}

/// The signs of a layer's neurons, packed. Not generic, as [`write_scores`]: firmware built for size has these loops built for speed.
#[inline(never)]
fn write_signs(plan: &Plan, words: &[u32], input: &[u32], row_bits: u32, output: &mut [u32]) {
    if plan.field == SQUARE && plan.packing.row_words == 1 && row_bits >= plan.neurons {
        return write_square_signs(plan, words, input, output);
    }
    let mut writer = Writer::new(output, row_bits);
    each_preactivation(plan, words, input, |preactivation| writer.push(preactivation >= 0));
    writer.finish();
}

/// The window of [`write_square_signs`]: two words of weights, a row of it in a byte.
const SQUARE: Field = Field::Window { planes: 1, height: 8, width: 8 };

/// [`write_signs`] where windows are 8 by 8 and a row of the input is a word, as in images of 28 by 28. Four neurons share a word of thresholds
/// and two of places; their signs enter a word from the top.
#[inline(never)]
fn write_square_signs(plan: &Plan, words: &[u32], input: &[u32], output: &mut [u32]) {
    let places = &words[plan.places as usize..plan.thresholds as usize];
    let thresholds = &words[plan.thresholds as usize..plan.weights as usize];
    let (rows, _) = words[plan.weights as usize..plan.end as usize].as_chunks::<2>();
    let (mut signs, mut count) = (0, 0);
    let mut output = output.iter_mut();
    let fours = places.chunks(2).zip(thresholds).zip(rows.chunks(4));
    for ((places, &thresholds), rows) in fours {
        let (first, second) = (places[0], places.get(1).copied().unwrap_or(0));
        let places = [first & 0xffff, first >> 16, second & 0xffff, second >> 16];
        let mut thresholds = thresholds;
        for (&weights, place) in rows.iter().zip(places) {
            let mismatches = bits::mismatches_of_two(square(input, place), weights);
            signs = signs >> 1 | u32::from(mismatches <= thresholds & 0xff) << 31;
            thresholds >>= 8;
        }
        count += rows.len() as u32;
        if count.is_multiple_of(32) {
            output.next().into_iter().for_each(|word| *word = signs);
        }
    }
    if !count.is_multiple_of(32) {
        output.next().into_iter().for_each(|word| *word = signs >> (32 - count % 32));
    }
}

/// The 64 units of a window of 8 by 8 at a place.
#[inline]
fn square(input: &[u32], place: u32) -> [u32; 2] {
    let (shift, row) = (place % 32, place as usize / 32);
    let &[a, b, c, d, e, f, g, h] = &input[row..row + 8] else { return [0; 2] };
    let cut = |row: u32| row >> shift & 0xff;
    [cut(a) | cut(b) << 8 | cut(c) << 16 | cut(d) << 24, cut(e) | cut(f) << 8 | cut(g) << 16 | cut(h) << 24]
}

/// The pre-activations of the last layer.
#[inline(never)]
fn write_scores(plan: &Plan, words: &[u32], input: &[u32], scores: &mut [i32]) {
    let mut scores = scores.iter_mut();
    each_preactivation(plan, words, input, |preactivation| {
        scores.next().into_iter().for_each(|score| *score = preactivation);
    });
}

/// Hands the pre-activation of every neuron of a layer, in order, to `each`.
#[inline]
fn each_preactivation(plan: &Plan, words: &[u32], input: &[u32], mut each: impl FnMut(i32)) {
    let rows = words[plan.weights as usize..plan.end as usize].chunks_exact(plan.row_words as usize);
    let mut window = [0; WINDOW_WORDS];
    for (neuron, row) in (0..).zip(rows) {
        let seen = match plan.field {
            Field::Dense => &input[..plan.row_words as usize],
            Field::Window { .. } => {
                see(plan, field(words, plan.places, 16, neuron) as u16, input, &mut window)
            }
        };
        let threshold = field(words, plan.thresholds, plan.threshold_bits, neuron);
        each(threshold as i32 - bits::mismatches(seen, row) as i32);
    }
}

/// First word of a neuron's weights.
#[inline]
pub(crate) const fn row_start(plan: &Plan, neuron: u32) -> usize {
    (plan.weights + neuron * plan.row_words) as usize
}

/// Entry `index` of a table of 8- or 16-bit numbers that begins at word `start`.
#[inline]
fn field(words: impl Words, start: u32, field_bits: u32, index: u32) -> u32 {
    let bit = index * field_bits;
    words.word((start + bit / 32) as usize) >> (bit % 32) & ((1 << field_bits) - 1)
}

/// Writes entry `index` of such a table.
#[inline]
pub(crate) fn set_field(words: &mut [u32], start: u32, field_bits: u32, index: u32, value: u32) {
    let bit = index * field_bits;
    let mask = ((1 << field_bits) - 1) << (bit % 32);
    let word = &mut words[(start + bit / 32) as usize];
    *word = *word & !mask | (value << (bit % 32)) & mask;
}

/// The packed bits that a neuron at `place` sees, see [`Network::receptive`].
#[cfg_attr(not(feature = "small"), inline)]
#[cfg_attr(feature = "small", inline(never))]
pub(crate) fn see<'b>(plan: &Plan, place: u16, input: &'b [u32], window: &'b mut Window) -> &'b [u32] {
    match plan.field {
        // Cut, so that an input that is too short is noticed here instead of compared in part.
        Field::Dense => &input[..plan.row_words as usize],
        Field::Window { planes, height, width } => {
            gather(plan, [planes, height, width], input, place, window);
            &window[..plan.row_words as usize]
        }
    }
}

/// Packs the units of one window, row after row, plane after plane, into `window`.
#[inline]
fn gather(plan: &Plan, [planes, height, width]: [u16; 3], input: &[u32], place: u16, window: &mut Window) {
    if planes == 1 && plan.packing.row_words == 1 && width.is_power_of_two() {
        return gather_narrow(usize::from(height), u32::from(width), input, place, window);
    }
    let (shift, width) = (u32::from(place) % 32, u32::from(width));
    let mask = bits::tail_mask(width);
    let row_words = plan.packing.row_words as usize;
    let mut plane_start = usize::from(place) / 32;
    let (mut word, mut used, mut filled) = (0, 0, 0);
    for _ in 0..planes {
        let mut index = plane_start;
        for _ in 0..height {
            let mut row = input[index] >> shift;
            if shift + width > 32 {
                row |= input[index + 1] << (32 - shift);
            }
            row &= mask;
            word |= row << used;
            used += width;
            if used >= 32 {
                window[filled] = word;
                filled += 1;
                used -= 32;
                word = if used == 0 { 0 } else { row >> (width - used) };
            }
            index += row_words;
        }
        plane_start += usize::from(plan.input.height) * row_words;
    }
    if used > 0 {
        window[filled] = word;
    }
}

/// The same where a row of the input is one word and rows of the window fill words evenly, as in small images.
#[inline]
fn gather_narrow(height: usize, width: u32, input: &[u32], place: u16, window: &mut Window) {
    let (shift, start) = (u32::from(place) % 32, usize::from(place) / 32);
    let mask = bits::tail_mask(width);
    for (rows, word) in input[start..start + height].chunks(32 / width as usize).zip(window) {
        *word = 0;
        for (row, position) in rows.iter().zip((0..32).step_by(width as usize)) {
            *word |= (row >> shift & mask) << position;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genome::{Gene, GenomeMut, Mutation};
    use crate::rng::{Draw, Purpose, Stream};
    use crate::topology::{Layer, Shape};
    use rand_core::Rng;
    use std::vec;
    use std::vec::Vec;

    /// The forward pass as a textbook has it, unit by unit with -1/+1 integers.
    fn naive_scores(network: &Network<'_, &[u32]>, units: &[i32]) -> Vec<i32> {
        let mut units = units.to_vec();
        for (layer, plan) in network.topology().layers().iter().enumerate() {
            let sums: Vec<i32> = (0..plan.neurons)
                .map(|neuron| {
                    let seen = seen_units(plan, network.place(layer, neuron), &units);
                    let weights = network.weights(layer, neuron);
                    let products =
                        seen.iter().zip(0..).map(|(x, i)| if bits::get(weights, i) { *x } else { -x });
                    let t = plan.inputs as i32 - 1 - 2 * network.threshold(layer, neuron) as i32;
                    products.sum::<i32>() - t
                })
                .collect();
            assert!(sums.iter().all(|z| z % 2 != 0));
            if layer + 1 == network.topology().depth() {
                return sums.iter().map(|z| (z - 1) / 2).collect();
            }
            units = sums.iter().map(|z| z.signum()).collect();
        }
        unreachable!()
    }

    fn seen_units(plan: &Plan, place: u16, units: &[i32]) -> Vec<i32> {
        let Field::Window { planes, height, width } = plan.field else { return units.to_vec() };
        let (plane, row, column) = plan.corner(place).unwrap();
        let mut seen = vec![];
        for p in 0..u32::from(planes) {
            for r in 0..u32::from(height) {
                for c in 0..u32::from(width) {
                    let line = (plane + p) * u32::from(plan.input.height) + row + r;
                    seen.push(units[(line * u32::from(plan.input.width) + column + c) as usize]);
                }
            }
        }
        seen
    }

    #[test]
    fn the_forward_pass_equals_the_textbook() {
        let mut rng = Stream::new(3, Purpose::Test, 0);
        let grid = Shape { planes: 2, height: 5, width: 37 };
        let inner = Shape { planes: 2, height: 6, width: 7 };
        let narrow = Shape { planes: 2, height: 11, width: 28 };
        let topologies = [
            Topology::new(Shape::flat(70), &[Layer::dense(3)]),
            Topology::new(grid, &[Layer::dense(33), Layer::dense(40), Layer::dense(12)]),
            Topology::new(grid, &[Layer::windows(40, 1, 3, 5), Layer::dense(4)]),
            // Windows that are two words, over rows that are one.
            Topology::new(narrow, &[Layer::windows(77, 1, 8, 8), Layer::dense(4)]),
            Topology::new(narrow, &[Layer::windows(64, 1, 8, 8), Layer::dense(4)]),
            Topology::new(grid, &[Layer::windows(9, 2, 5, 32), Layer::dense(2)]),
            // Rows that straddle two words of the gathered window.
            Topology::new(grid, &[Layer::windows(20, 2, 5, 7), Layer::dense(2)]),
            Topology::new(grid, &[Layer::windows(20, 1, 4, 31), Layer::dense(2)]),
            Topology::new(
                grid,
                &[
                    Layer { field: Field::Window { planes: 2, height: 2, width: 3 }, output: inner },
                    Layer::windows(35, 1, 4, 4),
                    Layer::dense(20),
                    Layer::dense(5),
                ],
            ),
        ];
        for topology in topologies.map(Result::unwrap) {
            for _ in 0..20 {
                let mut words = vec![0; topology.genome_words()];
                let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
                genome.randomize(&mut rng);
                for (layer, plan) in topology.layers().iter().enumerate() {
                    for neuron in 0..plan.neurons {
                        genome.set_threshold(layer, neuron, rng.below(plan.inputs));
                    }
                }
                let network = Network::new(&topology, &words[..]).unwrap();
                assert_eq!(network.check(), Ok(()));
                let units: Vec<i32> = (0..topology.input().units())
                    .map(|_| if rng.next_u32() & 1 == 1 { 1 } else { -1 })
                    .collect();
                let mut input = vec![0; topology.input_words()];
                let mut writer = Writer::new(&mut input, topology.layer(0).packing.row_bits);
                units.iter().for_each(|&unit| writer.push(unit > 0));
                writer.finish();
                let mut hidden = vec![0; topology.hidden_words()];
                let mut scores = vec![0; topology.classes()];
                network.run(&input, &mut hidden, &mut scores);
                assert_eq!(scores, naive_scores(&network, &units));
            }
        }
    }

    /// The largest inputs, windows at the last bit address, and scores as far apart as they can be.
    #[test]
    fn the_largest_networks_equal_the_textbook() {
        let line = Shape { planes: 1, height: 1, width: u16::MAX };
        let lines = Shape { planes: 2, height: 1024, width: 32 };
        let topologies = [
            Topology::new(line, &[Layer::windows(6, 1, 1, 32), Layer::dense(2)]),
            Topology::new(lines, &[Layer::windows(6, 1, 32, 32), Layer::dense(256)]),
            Topology::new(Shape::flat(32_767), &[Layer::dense(2)]),
        ];
        let mut rng = Stream::new(3, Purpose::Test, 1);
        for topology in topologies.map(Result::unwrap) {
            let mut words = vec![0; topology.genome_words()];
            let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
            genome.randomize(&mut rng);
            let plan = *topology.layer(0);
            let (planes, rows, columns) = plan.places_range();
            let windowed = matches!(plan.field, Field::Window { .. });
            assert_eq!(genome.set_place(0, 0, planes - 1, rows - 1, columns - 1), windowed);
            let network = Network::new(&topology, &words[..]).unwrap();
            assert_eq!(network.check(), Ok(()));
            let mut input = vec![0u32; topology.input_words()];
            input.fill_with(|| rng.next_u32());
            *input.last_mut().unwrap() &= bits::tail_mask(plan.packing.row_bits);
            let on = |unit| bits::get(&input[..], plan.packing.position(unit));
            let units: Vec<i32> =
                (0..plan.packing.units()).map(|unit| if on(unit) { 1 } else { -1 }).collect();
            let mut hidden = vec![0; topology.hidden_words()];
            let mut scores = vec![0; topology.classes()];
            network.run(&input, &mut hidden, &mut scores);
            assert_eq!(scores, naive_scores(&network, &units));
        }
        let topology = Topology::new(Shape::flat(32_767), &[Layer::dense(2)]).unwrap();
        let mut words = vec![0; topology.genome_words()];
        let mut genome = GenomeMut::new(&topology, &mut words).unwrap();
        genome.set_threshold(0, 1, u32::MAX);
        (0..32_767)
            .for_each(|i| assert!(genome.apply(Mutation { layer: 0, neuron: 0, gene: Gene::Weight(i) })));
        let mut scores = [0; 2];
        Network::new(&topology, &words[..]).unwrap().run(&[0; 1024], &mut [], &mut scores);
        assert_eq!(scores, [-32_767, 32_766]);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_short_input_is_not_compared_in_part() {
        let topology = Topology::new(Shape::flat(40), &[Layer::dense(2)]).unwrap();
        let words = vec![0; topology.genome_words()];
        Network::new(&topology, &words[..]).unwrap().classify(&[0], &mut [], &mut [0; 2]);
    }

    #[test]
    fn the_lowest_class_wins_a_tie() {
        assert_eq!(best_class(&[1, 5, 5, 2]), 1);
        assert_eq!(best_class(&[0, 0]), 0);
    }

    #[test]
    fn broken_genomes_are_named() {
        let image = Shape { planes: 1, height: 8, width: 8 };
        let topology = Topology::new(image, &[Layer::windows(3, 1, 3, 3), Layer::dense(2)]).unwrap();
        let mut good = vec![0; topology.genome_words()];
        GenomeMut::new(&topology, &mut good).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
        let check = |words: &[u32]| Network::new(&topology, words).and_then(|network| network.check());
        assert_eq!(check(&good), Ok(()));
        assert_eq!(check(&good[1..]), Err(GenomeError::Length));
        let plan = topology.layer(0);
        for (word, mask, error) in [
            (plan.places, 7, GenomeError::Place { layer: 0, neuron: 0 }),
            (plan.thresholds, 0xff, GenomeError::Threshold { layer: 0, neuron: 0 }),
            (plan.weights, 1 << 9, GenomeError::Padding { layer: 0 }),
            (plan.thresholds, 1 << 24, GenomeError::Padding { layer: 0 }),
            (plan.places + 1, 1 << 16, GenomeError::Padding { layer: 0 }),
        ] {
            let mut broken = good.clone();
            broken[word as usize] |= mask;
            assert_eq!(check(&broken), Err(error));
        }
    }
}
