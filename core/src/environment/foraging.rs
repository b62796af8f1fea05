//! A small world of cells with food in some of them.

use rand_core::Rng;

use super::{Environment, Observation, Transition};
use crate::rng::Draw;

/// An animal in a world of 16 by 16 cells whose edges meet, with food in [`FOOD`](Self::FOOD) of them. It sees, up to [`SIGHT`](Self::SIGHT)
/// cells far, how near the nearest food is ahead, to its left and to its right: [`SIGHT`](Self::SIGHT) for the next cell, 1 for the last, 0 for
/// none. It goes a cell forward, eating what is there, or turns. So what a controller has to find is what to do where it sees nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Foraging {
    /// A word a row, a bit a column, set where there is food.
    pub food: [u16; Self::SIDE],
    /// Row and column of the animal.
    pub place: [u8; 2],
    /// Where it looks: 0 up, 1 right, 2 down, 3 left.
    pub heading: u8,
}

impl Foraging {
    /// Rows and columns of the world.
    pub const SIDE: usize = 16;
    /// Cells with food at the start.
    pub const FOOD: u32 = 32;
    /// Cells that it sees far.
    pub const SIGHT: u8 = 4;

    /// The cell `distance` cells away in the direction `turns` quarters to the right of where it looks.
    fn cell(&self, turns: u8, distance: u8) -> [u8; 2] {
        let [row, column] = self.place;
        let side = Self::SIDE as u8;
        match (self.heading % 4 + turns % 4) % 4 {
            0 => [row.wrapping_sub(distance) % side, column % side],
            1 => [row % side, column.wrapping_add(distance) % side],
            2 => [row.wrapping_add(distance) % side, column % side],
            _ => [row % side, column.wrapping_sub(distance) % side],
        }
    }

    fn has_food(&self, [row, column]: [u8; 2]) -> bool {
        self.food[usize::from(row) % Self::SIDE] >> (column % 16) & 1 == 1
    }

    fn nearness(&self, turns: u8) -> i32 {
        let nearest = (1..=Self::SIGHT).find(|&distance| self.has_food(self.cell(turns, distance)));
        nearest.map_or(0, |distance| i32::from(Self::SIGHT - distance + 1))
    }
}

impl Environment for Foraging {
    const NAME: &'static str = "foraging";
    const OBSERVATIONS: &'static [Observation] = &[
        Observation { name: "nearness of food ahead", levels: &[0, 1, 2, 3] },
        Observation { name: "nearness of food to the left", levels: &[0, 1, 2, 3] },
        Observation { name: "nearness of food to the right", levels: &[0, 1, 2, 3] },
    ];
    const ACTIONS: &'static [&'static str] = &["forward", "turn left", "turn right"];
    const STEPS: u32 = 200;
    const MOST: i32 = Self::FOOD as i32;

    fn start<R: Rng + ?Sized>(rng: &mut R) -> Self {
        let mut food = [0u16; Self::SIDE];
        while food.iter().map(|row| row.count_ones()).sum::<u32>() < Self::FOOD {
            let cell = rng.below(1 << 8);
            food[(cell / 16) as usize] |= 1 << (cell % 16);
        }
        let cell = rng.below(1 << 8);
        Self { food, place: [(cell / 16) as u8, (cell % 16) as u8], heading: rng.below(4) as u8 }
    }

    fn observe(&self, seen: &mut [i32]) {
        let all = [0, 3, 1].map(|turns| self.nearness(turns));
        seen.iter_mut().zip(all).for_each(|(seen, number)| *seen = number);
    }

    fn act(&mut self, action: usize) -> Transition {
        let mut reward = 0;
        match action {
            0 => {
                self.place = self.cell(0, 1);
                let [row, column] = self.place;
                reward = i32::from(self.has_food(self.place));
                self.food[usize::from(row)] &= !(1 << column);
            }
            1 => self.heading = self.heading.wrapping_add(3) % 4,
            _ => self.heading = self.heading.wrapping_add(1) % 4,
        }
        Transition { reward, over: self.food == [0; Self::SIDE] }
    }
}
