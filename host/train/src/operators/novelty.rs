//! Selection by behaviour: who does what few others do, and who does it best.

use std::cell::RefCell;

use evobit::evolve::genetic::{Ranked, Select};
use evobit::rng::Draw;
use rand_core::Rng;

use super::cases::Cases;

/// Neighbours that an individual is compared with.
const NEIGHBOURS: usize = 5;

/// Novelty, and with `local` local competition (Lehman and Stanley, 2008 and 2011), within a generation. What an individual does
/// is which samples it is right on; its novelty is the sum of the distances to its nearest neighbours, its local
/// standing how many of them it is fitter than. Of so many drawn the highest becomes a parent; with `local`, chance says by which of
/// the two.
#[derive(Debug)]
pub(super) struct Novelty<'a> {
    cases: Cases<'a>,
    tournament: u32,
    local: bool,
    /// By index: novelty, local standing.
    standing: RefCell<Vec<[u32; 2]>>,
}

impl<'a> Novelty<'a> {
    pub(super) fn new(cases: Cases<'a>, tournament: u32, local: bool) -> Self {
        Self { cases, tournament, local, standing: RefCell::default() }
    }
}

impl Select for Novelty<'_> {
    fn pick(&self, generation: Ranked<'_>, rng: &mut dyn Rng) -> u32 {
        let by = if self.local { rng.below(2) as usize } else { 0 };
        let standing = self.standing.borrow();
        let drawn = (0..self.tournament.max(1)).map(|_| rng.below(generation.count()));
        // Of equals the fitter.
        let key = |rank: &u32| (standing[generation.order()[*rank as usize] as usize][by], u32::MAX - rank);
        drawn.max_by_key(key).unwrap_or(0)
    }

    fn ranked(&self, generation: Ranked<'_>, number: u32) {
        self.cases.look(generation, number);
        let fitness = generation.fitness();
        *self.standing.borrow_mut() = self.cases.with(|right| {
            let of = |(index, own): (usize, &u128)| {
                let others = right.iter().enumerate().filter(|(other, _)| *other != index);
                let mut others: Vec<(u32, usize)> =
                    others.map(|(other, bits)| ((own ^ bits).count_ones(), other)).collect();
                others.sort_unstable();
                others.truncate(NEIGHBOURS);
                let novelty = others.iter().map(|(distance, _)| distance).sum();
                let beaten = others.iter().filter(|(_, other)| fitness[*other] < fitness[index]).count();
                [novelty, beaten as u32]
            };
            right.iter().enumerate().map(of).collect()
        });
    }

    fn among(&self) -> u32 {
        self.tournament
    }
}
