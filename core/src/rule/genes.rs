//! The genome of a rule: where its coefficients lie, so that small mutations are small changes.
//!
//! A coefficient takes four bits: the sign, and three bits of reflected binary code (Gray, 1953) for 0 or the power of two,
//! so that the next greater and the next smaller one are a single flip away. A genome of zeros is a rule that changes nothing, and a
//! single flip makes the delta rule of it. A hidden state counts steps where the genome says nothing else, so that one more flip,
//! of the fatigue, makes rates fall while a network learns; a state that nothing reads is not computed.

use super::EvolvedRule;
use super::evolved::{NEURON_SIGNALS, RESULTS, SOURCE_SIGNALS, UNITS};
use crate::evolve::genetic::Genes;

/// Bits of a coefficient.
const COEFFICIENT_BITS: u32 = 4;
/// Bits of a rate.
const RATE_BITS: u32 = 3;
/// Coefficients of a unit.
const UNIT_COEFFICIENTS: usize = 3 * NEURON_SIGNALS + SOURCE_SIGNALS + 1;
/// Coefficients of a rule.
const COEFFICIENTS: usize = UNITS * UNIT_COEFFICIENTS + RESULTS * (UNITS - RESULTS) + 1;
/// Bits of a rule.
const BITS: u32 = COEFFICIENTS as u32 * COEFFICIENT_BITS + RESULTS as u32 * RATE_BITS;
/// The bit that is read turned: the last one of what the hidden state changes by in any case.
const COUNTING: u32 = (UNIT_COEFFICIENTS as u32 + 1) * COEFFICIENT_BITS - 1;
/// The fatigue is its number in reflected binary code times this: its flips are worth about the same, whereas 1 of 64 would do nothing.
const FATIGUE: i8 = 9;
/// Words of a rule's genome.
pub const GENOME_WORDS: usize = BITS.div_ceil(32) as usize;

/// The evolvable bits of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RuleGenes;

impl Genes for RuleGenes {
    fn count(&self) -> u32 {
        BITS
    }

    fn position(&self, gene: u32) -> u32 {
        gene
    }

    fn words(&self) -> usize {
        GENOME_WORDS
    }
}

impl RuleGenes {
    /// The last genes, so many, concern every weight alike: the fatigue and the rates.
    pub const COMMON: u32 = COEFFICIENT_BITS + RESULTS as u32 * RATE_BITS;

    /// The genome of the delta rule ([`Delta`](super::baseline::Delta)) at a rate of 0 to 7: where a search may start.
    #[must_use]
    pub const fn delta(rate: u8) -> [u32; GENOME_WORDS] {
        let mut words = [0; GENOME_WORDS];
        // The gain of the error, 64: sign 0, then the reflected code of 7, 100.
        let gain = COEFFICIENT_BITS * (NEURON_SIGNALS + SOURCE_SIGNALS + 2) as u32 + 1;
        words[(gain / 32) as usize] |= 1 << (gain % 32);
        let rate = if rate > 7 { 7 } else { rate };
        let (code, at) = (rate ^ rate >> 1, COEFFICIENTS as u32 * COEFFICIENT_BITS);
        let mut bit = 0;
        while bit < RATE_BITS {
            let place = at + bit;
            words[(place / 32) as usize] |= (code as u32 >> (RATE_BITS - 1 - bit) & 1) << (place % 32);
            bit += 1;
        }
        words
    }
}

/// Why words are no rule's genome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RuleError {
    /// Another number of words: needed, there.
    Length(usize, usize),
    /// A bit is set that no coefficient has.
    Padding,
}

impl core::fmt::Display for RuleError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length(needed, there) => write!(
                f,
                "the genome is of another rule shape: {needed} words needed, {there} there; evolve the rule anew"
            ),
            Self::Padding => {
                f.write_str("the genome is of another rule shape: it has bits that this rule has not")
            }
        }
    }
}

impl core::error::Error for RuleError {}

/// Reads a genome field by field.
struct Reader<'a> {
    words: &'a [u32],
    at: u32,
}

impl Reader<'_> {
    /// The next `bits` bits as a number in reflected binary code.
    fn gray(&mut self, bits: u32) -> u8 {
        let mut value = 0;
        for _ in 0..bits {
            let turned = u32::from(self.at == COUNTING);
            let bit = self.words[(self.at / 32) as usize] >> (self.at % 32) & 1 ^ turned;
            value = value << 1 | (bit as u8 ^ value & 1);
            self.at += 1;
        }
        value
    }

    fn coefficient(&mut self) -> i8 {
        let negative = self.gray(1) == 1;
        let size = match self.gray(COEFFICIENT_BITS - 1) {
            0 => 0,
            power => 1i8 << (power - 1),
        };
        if negative { -size } else { size }
    }

    fn coefficients<const N: usize>(&mut self) -> [i8; N] {
        [(); N].map(|()| self.coefficient())
    }
}

impl EvolvedRule {
    /// The rule of a genome, `[GENOME_WORDS]`.
    ///
    /// # Errors
    /// Words that are no rule's genome.
    pub fn new(words: &[u32]) -> Result<Self, RuleError> {
        if words.len() != GENOME_WORDS {
            return Err(RuleError::Length(GENOME_WORDS, words.len()));
        }
        if !BITS.is_multiple_of(32) && words[GENOME_WORDS - 1] >> (BITS % 32) != 0 {
            return Err(RuleError::Padding);
        }
        let mut reader = Reader { words, at: 0 };
        let mut rule = Self::default();
        for unit in &mut rule.units {
            unit.neuron = reader.coefficients();
            unit.source = reader.coefficients();
            unit.gain = reader.coefficients();
            unit.hold = reader.coefficients();
            unit.own = reader.coefficient();
        }
        rule.mix = [(); RESULTS].map(|()| reader.coefficients());
        let negative = reader.gray(1) == 1;
        let size = reader.gray(COEFFICIENT_BITS - 1) as i8 * FATIGUE;
        rule.fatigue = if negative { -size } else { size };
        rule.rates = [(); RESULTS].map(|()| reader.gray(RATE_BITS));
        Ok(rule.prepared())
    }
}
