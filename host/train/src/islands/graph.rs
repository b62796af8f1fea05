//! Who sends migrants to whom: a graph that follows from the seed and the number of islands, so that every island knows all of it.

use evobit::rng::{Draw, Purpose, Stream};

use crate::settings::GraphKind;

/// The migration graph.
#[derive(Clone, Copy, Debug)]
pub struct Graph {
    kind: GraphKind,
    islands: u32,
    seed: u64,
}

impl Graph {
    /// Of so many islands.
    #[must_use]
    pub const fn new(kind: GraphKind, islands: u32, seed: u64) -> Self {
        Self { kind, islands, seed }
    }

    /// The islands that `island` sends to at the end of `epoch`, ascending; never itself. A random ring is made anew for it, in time
    /// proportional to the islands: [`ring`](Self::ring) has that of all of them.
    #[must_use]
    pub fn targets(self, island: u32, epoch: u32) -> Vec<u32> {
        match self.kind {
            GraphKind::Random => self.on_ring(island, &self.ring(epoch)),
            _ => self.on_ring(island, &[]),
        }
    }

    /// As [`targets`](Self::targets), of an epoch whose ring is known.
    #[must_use]
    pub fn on_ring(self, island: u32, ring: &[u32]) -> Vec<u32> {
        let count = self.islands;
        let mut targets = match self.kind {
            GraphKind::Ring => vec![(island + 1) % count],
            GraphKind::Torus => {
                let rows = rows(count);
                let columns = count / rows;
                let (row, column) = (island / columns, island % columns);
                vec![row * columns + (column + 1) % columns, (row + 1) % rows * columns + column]
            }
            GraphKind::Random => vec![ring[island as usize]],
            GraphKind::All => (0..count).collect(),
        };
        targets.retain(|&target| target != island);
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    /// The islands that send to `island` at the end of `epoch`, ascending.
    #[must_use]
    pub fn sources(self, island: u32, epoch: u32) -> Vec<u32> {
        let ring = self.ring(epoch);
        (0..self.islands).filter(|&source| self.on_ring(source, &ring).contains(&island)).collect()
    }

    /// The next of each island on the random ring of `epoch`, which joins all of them (Sattolo, 1986); empty for other graphs.
    #[must_use]
    pub fn ring(self, epoch: u32) -> Vec<u32> {
        if self.kind != GraphKind::Random {
            return vec![];
        }
        let mut rng = Stream::new(self.seed, Purpose::Migration, epoch);
        let mut next: Vec<u32> = (0..self.islands).collect();
        for end in (1..next.len()).rev() {
            next.swap(end, rng.below(end as u32) as usize);
        }
        next
    }
}

/// The rows of a grid of so many islands that is as square as it can be.
fn rows(islands: u32) -> u32 {
    (1..=islands)
        .take_while(|&rows| rows * rows <= islands)
        .filter(|&rows| islands.is_multiple_of(rows))
        .last()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_island_sends_and_receives_as_its_graph_says() {
        for islands in 1..=12 {
            for (kind, most) in
                [(GraphKind::Ring, 1), (GraphKind::Torus, 2), (GraphKind::Random, 1), (GraphKind::All, 11)]
            {
                let graph = Graph::new(kind, islands, 5);
                for epoch in 0..3 {
                    for island in 0..islands {
                        let targets = graph.targets(island, epoch);
                        assert!(targets.len() <= most && !targets.contains(&island), "{kind:?} {targets:?}");
                        assert_eq!(targets.is_empty(), islands == 1);
                        assert!(targets.iter().all(|&to| graph.sources(to, epoch).contains(&island)));
                        assert_eq!(graph.sources(island, epoch).len(), targets.len(), "{kind:?} {islands}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_torus_is_a_grid_and_random_rings_change() {
        let torus = Graph::new(GraphKind::Torus, 6, 1);
        assert_eq!(torus.targets(0, 0), [1, 3]);
        assert_eq!(torus.targets(5, 0), [2, 3]);
        let random = Graph::new(GraphKind::Random, 8, 1);
        let rings: Vec<Vec<u32>> =
            (0..4).map(|epoch| (0..8).flat_map(|island| random.targets(island, epoch)).collect()).collect();
        assert!(rings.windows(2).any(|pair| pair[0] != pair[1]));
        // One ring, not several.
        let (mut at, mut seen) = (0u32, vec![]);
        for _ in 0..8 {
            seen.push(at);
            at = rings[0][at as usize];
        }
        seen.sort_unstable();
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}
