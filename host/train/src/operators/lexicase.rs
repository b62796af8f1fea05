//! Selection by samples in random order.

use evobit::evolve::genetic::{Ranked, Select};
use evobit::rng::Draw;
use rand_core::Rng;

use super::cases::{CASES, Cases};

/// Lexicase selection (Spector, 2012; Helmuth, Spector and Matheson, 2015): of all individuals those that are right on a random sample
/// stay, of these those that are right on another, until one is left or the samples are used up, when chance decides. So
/// one that is alone in being right on hard samples has children, however bad it is on average. The samples are a few drawn
/// anew for each generation (down-sampled lexicase, Hernandez et al., 2019).
#[derive(Debug)]
pub(super) struct Lexicase<'a>(Cases<'a>);

impl<'a> Lexicase<'a> {
    pub(super) fn new(cases: Cases<'a>) -> Self {
        Self(cases)
    }
}

impl Select for Lexicase<'_> {
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        let mut order: Vec<u32> = (0..CASES).collect();
        rng.shuffle(&mut order);
        let mut left: Vec<u32> = (0..generation.count()).collect();
        self.0.with(|right| {
            for case in order {
                let passes = |rank: &u32| right[generation.order()[*rank as usize] as usize] >> case & 1 != 0;
                if left.len() > 1 && left.iter().any(passes) {
                    left.retain(passes);
                }
            }
        });
        left[rng.below(left.len() as u32) as usize]
    }

    fn ranked(&self, generation: Ranked<'_>, number: u32) {
        self.0.look(generation, number);
    }
}
