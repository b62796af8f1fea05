//! What boards are compared with: a perceptron of 64, 32 and 10 units that learns by stochastic gradient descent, as AIfES trains it on a board.

use evobit::rng::{Purpose, Stream};
use rand_core::Rng;

const INPUTS: usize = 64;
const HIDDEN: usize = 32;
const CLASSES: usize = 10;

/// Rectified linear units, then softmax and cross-entropy.
pub(crate) struct Perceptron {
    hidden: Vec<[f32; INPUTS + 1]>,
    output: Vec<[f32; HIDDEN + 1]>,
}

impl Perceptron {
    /// Random weights (He and others, 2015); biases of 0.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Stream::new(seed, Purpose::Start, 8);
        let mut draw = |inputs: usize| {
            let unit = (rng.next_u32() >> 8) as f32 / (1 << 23) as f32 - 1.0;
            unit * (6.0 / inputs as f32).sqrt()
        };
        let mut hidden = vec![[0.0; INPUTS + 1]; HIDDEN];
        hidden.iter_mut().for_each(|row| row[..INPUTS].fill_with(|| draw(INPUTS)));
        let mut output = vec![[0.0; HIDDEN + 1]; CLASSES];
        output.iter_mut().for_each(|row| row[..HIDDEN].fill_with(|| draw(HIDDEN)));
        Self { hidden, output }
    }

    fn run(&self, sample: &[u8]) -> ([f32; INPUTS + 1], [f32; HIDDEN + 1], [f32; CLASSES]) {
        let (mut input, mut hidden, mut scores) = ([1.0; INPUTS + 1], [1.0; HIDDEN + 1], [0.0; CLASSES]);
        input.iter_mut().zip(sample).for_each(|(input, &value)| *input = f32::from(value) / 16.0);
        let dot = |row: &[f32], units: &[f32]| row.iter().zip(units).map(|(a, b)| a * b).sum::<f32>();
        hidden.iter_mut().zip(&self.hidden).for_each(|(unit, row)| *unit = dot(row, &input).max(0.0));
        scores.iter_mut().zip(&self.output).for_each(|(score, row)| *score = dot(row, &hidden));
        (input, hidden, scores)
    }

    /// The class of a sample.
    pub(crate) fn classify(&self, sample: &[u8]) -> u8 {
        evobit::network::best_class(&self.run(sample).2) as u8
    }

    /// One step of gradient descent.
    pub(crate) fn learn(&mut self, sample: &[u8], label: u8, rate: f32) {
        let (input, hidden, scores) = self.run(sample);
        let most = scores.iter().copied().fold(f32::MIN, f32::max);
        let mut slopes = scores.map(|score| (score - most).exp());
        let sum: f32 = slopes.iter().sum();
        slopes.iter_mut().for_each(|slope| *slope /= sum);
        slopes[usize::from(label)] -= 1.0;
        for (unit, row) in self.hidden.iter_mut().enumerate() {
            if hidden[unit] > 0.0 {
                let slope: f32 =
                    slopes.iter().zip(&self.output).map(|(slope, output)| slope * output[unit]).sum();
                row.iter_mut().zip(input).for_each(|(weight, input)| *weight -= rate * slope * input);
            }
        }
        for (row, slope) in self.output.iter_mut().zip(slopes) {
            row.iter_mut().zip(hidden).for_each(|(weight, unit)| *weight -= rate * slope * unit);
        }
    }
}
