//! Running a network with one hidden layer on many samples: sixteen at a time, one in each lane.
//!
//! Samples are transposed in groups of [`LANES`]: word w of all sixteen lies in one [`Block`]. A weight word is
//! then compared with sixteen samples by one exclusive or, counts add up lane by lane, and nothing is
//! ever summed across a vector. Windowed neurons are sorted by place, so that those of a section, 32 of them, share most
//! of their windows, each gathered once; and the rows of a window are turned to where they lie in the packed window
//! once for all windows that begin in the same column. That costs, where the processor counts bits in vectors, three
//! instructions for sixteen samples and 32 inputs.
//!
//! The scores are those of [`Network::run`], on every instruction set; the tests compare them.

mod kernel;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use evobit::bits::{self, Words};
use evobit::network::Network;
use evobit::topology::{Field, Plan};

pub use kernel::{Block, Kernel, LANES};

/// Hidden neurons whose outputs share a word.
const SECTION: usize = 32;

/// A network with one hidden layer, laid out for [`Kernel`]s.
#[derive(Clone, Debug)]
pub struct Forward {
    input_words: usize,
    /// Words that a hidden neuron sees.
    row_words: usize,
    /// Where each hidden neuron stands: `[neurons]`.
    positions: Vec<u32>,
    /// How far the weights of the neuron at each position are turned.
    turns: Vec<u32>,
    /// Positions that a window slides to: as often all sections run, and a neuron is on where it is in one of these runs.
    slides: usize,
    /// First window of each section of 32 positions, `[slides][sections]`, and the number of all; empty in a dense layer.
    sections: Vec<u32>,
    /// The window of each position, counted from the first of its section: `[slides][positions]`.
    slots: Vec<u32>,
    /// After the last piece of each word of each window: `[windows][row_words]`.
    ends: Vec<u32>,
    pieces: Vec<Piece>,
    /// Input words turned left: which, and how far.
    turned: Vec<(u32, u32)>,
    /// `[positions][row_words]`.
    weights: Vec<u32>,
    thresholds: Vec<u32>,
    /// `[classes][positions / 32]`.
    output_weights: Vec<u32>,
    output_thresholds: Vec<u32>,
}

/// Bits of a turned input word that are part of a window's word.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Index of the turned word.
    turned: u32,
    mask: u32,
}

/// What a kernel writes while it runs one block of samples.
#[derive(Clone, Debug)]
pub struct Scratch {
    turned: Vec<Block>,
    seen: Vec<Block>,
    hidden: Vec<Block>,
}

impl Forward {
    /// `None` where the network has no hidden layer or more than one, or does not pass [`Network::check`].
    #[must_use]
    pub fn new<W: Words>(network: &Network<'_, W>) -> Option<Self> {
        let topology = network.topology();
        if topology.depth() != 2 || network.check().is_err() {
            return None;
        }
        let plan = topology.layer(0);
        let mut order: Vec<u32> = (0..plan.neurons).collect();
        order.sort_by_key(|&neuron| network.place(0, neuron));
        let mut positions = vec![0; order.len()];
        (0u32..).zip(&order).for_each(|(position, &neuron)| positions[neuron as usize] = position);

        let mut forward = Self {
            input_words: topology.input_words(),
            row_words: plan.row_words as usize,
            positions,
            turns: vec![],
            slides: plan.positions(0).count(),
            sections: vec![],
            slots: vec![],
            ends: vec![],
            pieces: vec![],
            turned: vec![],
            weights: vec![],
            thresholds: order.iter().map(|&neuron| network.threshold(0, neuron)).collect(),
            output_weights: vec![],
            output_thresholds: vec![],
        };
        forward.lay_out_hidden(network, plan, &order);
        for class in 0..topology.classes() as u32 {
            let weights = network.weights(1, class);
            let mut row = vec![0; order.len().div_ceil(SECTION)];
            for (position, &neuron) in (0u32..).zip(&order) {
                bits::set(&mut row, position, bits::get(weights, neuron));
            }
            forward.output_weights.extend(row);
            forward.output_thresholds.push(network.threshold(1, class));
        }
        Some(forward)
    }

    fn lay_out_hidden<W: Words>(&mut self, network: &Network<'_, W>, plan: &Plan, order: &[u32]) {
        for &neuron in order {
            let turn = turn(plan, network.place(0, neuron));
            self.turns.push(turn);
            let weights = network.weights(0, neuron);
            self.weights.extend((0..self.row_words).map(|word| weights.word(word).rotate_left(turn)));
        }
        if plan.field == Field::Dense {
            return;
        }
        let mut windows: Vec<Vec<Cut>> = vec![];
        // As far from its place as each position of a window is.
        for shift in plan.positions(0) {
            let mut last = 0;
            for (position, &neuron) in order.iter().enumerate() {
                let place = network.place(0, neuron);
                if position.is_multiple_of(SECTION) {
                    self.sections.push(windows.len() as u32);
                }
                if position.is_multiple_of(SECTION) || place != last {
                    windows.push(cuts(plan, place + shift, turn(plan, place)));
                }
                last = place;
                let first = self.sections.last().copied().unwrap_or(0);
                self.slots.push(windows.len() as u32 - 1 - first);
            }
        }
        self.sections.push(windows.len() as u32);
        self.turned = windows.iter().flatten().map(|cut| cut.turned).collect();
        self.turned.sort_unstable();
        self.turned.dedup();
        for cuts in &windows {
            for word in 0..self.row_words {
                for cut in cuts.iter().filter(|cut| cut.word == word) {
                    let turned = self.turned.partition_point(|turned| *turned < cut.turned) as u32;
                    self.pieces.push(Piece { turned, mask: cut.mask });
                }
                self.ends.push(self.pieces.len() as u32);
            }
        }
    }

    /// Words of one packed sample.
    #[must_use]
    pub fn input_words(&self) -> usize {
        self.input_words
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.output_thresholds.len()
    }

    /// Number of hidden neurons.
    #[must_use]
    pub fn neurons(&self) -> usize {
        self.positions.len()
    }

    /// The threshold of a hidden neuron.
    ///
    /// # Panics
    /// When there is no such neuron.
    #[must_use]
    pub fn threshold(&self, neuron: usize) -> u32 {
        self.thresholds[self.positions[neuron] as usize]
    }

    /// Flips one weight of a hidden neuron.
    ///
    /// # Panics
    /// When there is no such neuron or input.
    pub fn flip(&mut self, neuron: usize, input: u32) {
        let position = self.positions[neuron] as usize;
        let word = position * self.row_words + (input / 32) as usize;
        self.weights[word] ^= (1u32 << (input % 32)).rotate_left(self.turns[position]);
    }

    /// Room for one block of samples.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        Scratch {
            turned: vec![Block::default(); self.turned.len()],
            seen: vec![Block::default(); SECTION * self.row_words],
            hidden: vec![Block::default(); self.positions.len().div_ceil(SECTION)],
        }
    }

    /// Transposes up to [`LANES`] packed samples; lanes without a sample hold zeros.
    ///
    /// # Panics
    /// When there are more, or `block` is not [`Forward::input_words`] long.
    pub fn transpose(&self, inputs: &[u32], block: &mut [Block]) {
        assert_eq!(block.len(), self.input_words, "a block holds every word of its samples");
        block.fill(Block::default());
        for (lane, sample) in inputs.chunks_exact(self.input_words).enumerate() {
            block.iter_mut().zip(sample).for_each(|(words, &word)| words.0[lane] = word);
        }
    }

    /// All of `inputs`, transposed: `[samples / LANES][input words]`.
    #[must_use]
    pub fn blocks(&self, inputs: &[u32]) -> Vec<Block> {
        let mut blocks =
            vec![Block::default(); inputs.len().div_ceil(LANES * self.input_words) * self.input_words];
        for (inputs, block) in
            inputs.chunks(LANES * self.input_words).zip(blocks.chunks_exact_mut(self.input_words))
        {
            self.transpose(inputs, block);
        }
        blocks
    }

    /// The window of a position in one of its slides; `None` in a dense layer, whose neurons see the whole input.
    fn window_of(&self, slide: usize, position: usize) -> Option<usize> {
        let slot = self.slots.get(slide * self.neurons() + position)?;
        let sections = self.neurons().div_ceil(SECTION);
        Some((self.sections[slide * sections + position / SECTION] + slot) as usize)
    }

    /// The pieces of a word of a window.
    #[inline(always)]
    fn word_pieces(&self, window: usize, word: usize) -> &[Piece] {
        let index = window * self.row_words + word;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.pieces[start..self.ends[index] as usize]
    }
}

/// A run of bits that lies in one word of the input and in one word of the packed window.
struct Cut {
    /// Word of the window.
    word: usize,
    /// Word of the input, and how far it must be turned.
    turned: (u32, u32),
    mask: u32,
}

/// How far the packed window of a neuron is turned left, so that all windows that begin in a column, and most others,
/// share their turned rows.
fn turn(plan: &Plan, place: u16) -> u32 {
    match plan.field {
        Field::Dense => 0,
        Field::Window { .. } => u32::from(place) % 32,
    }
}

/// The cuts of the window at a place, which is turned by `turn` once it is packed; none in a dense layer.
fn cuts(plan: &Plan, place: u16, turn: u32) -> Vec<Cut> {
    let Field::Window { planes, height, width, .. } = plan.field else { return vec![] };
    let row_bits = plan.packing.row_words * 32;
    let (height, width) = (u32::from(height), u32::from(width));
    let mut cuts = vec![];
    for line in 0..u32::from(planes) * height {
        let row = line / height * u32::from(plan.input.height) + line % height;
        let (mut from, mut to) = (u32::from(place) + row * row_bits, line * width);
        let end = to + width;
        while to < end {
            let len = (end - to).min(32 - from % 32).min(32 - to % 32);
            cuts.push(Cut {
                word: (to / 32) as usize,
                turned: (from / 32, (32 + to % 32 + turn - from % 32) % 32),
                mask: (u32::MAX >> (32 - len)).rotate_left(to + turn),
            });
            (from, to) = (from + len, to + len);
        }
    }
    cuts
}

/// Every kernel that this machine runs, the fastest first.
#[must_use]
pub fn kernels() -> Vec<Box<dyn Kernel>> {
    let mut kernels: Vec<Box<dyn Kernel>> = vec![];
    #[cfg(target_arch = "x86_64")]
    kernels.extend(x86::kernels());
    kernels.push(Box::new(portable::Portable));
    kernels
}

/// The fastest kernel of this machine.
#[must_use]
pub fn fastest() -> Box<dyn Kernel> {
    kernels().swap_remove(0)
}

#[cfg(test)]
mod tests;
