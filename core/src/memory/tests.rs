use super::*;
use crate::rng::{Draw, Purpose, Stream};
use rand_core::Rng;
use std::vec;
use std::vec::Vec;

/// Samples of four classes: a random pattern each, with a fifth of its 70 bits flipped.
fn clusters(count: usize, seed: u64) -> (Vec<u32>, Vec<u8>) {
    let mut rng = Stream::new(7, Purpose::Test, 0);
    let patterns: Vec<[u32; 3]> =
        (0..4).map(|_| [rng.next_u32(), rng.next_u32(), rng.next_u32() & 63]).collect();
    let mut rng = Stream::new(seed, Purpose::Test, 1);
    let (mut inputs, mut labels) = (vec![], vec![]);
    for _ in 0..count {
        let label = rng.below(4) as u8;
        let mut row = patterns[usize::from(label)];
        (0..70)
            .filter(|_| rng.below(5) == 0)
            .collect::<Vec<_>>()
            .iter()
            .for_each(|&bit| bits::flip(&mut row, bit));
        inputs.extend(row);
        labels.push(label);
    }
    (inputs, labels)
}

fn naive_vote(memory: &Memory<'_>, input: &[u32], neighbours: usize) -> Option<u8> {
    let rows = memory.prototypes().inputs.chunks(memory.words());
    let mut order: Vec<(u32, usize)> = rows.map(|row| bits::mismatches(row, input)).zip(0..).collect();
    order.sort_unstable();
    order.truncate(neighbours);
    let labels: Vec<u8> = order.iter().map(|&(_, index)| memory.prototypes().labels[index]).collect();
    let votes = |label| labels.iter().filter(|&&other| other == label).count();
    let most = labels.iter().map(|&label| votes(label)).max()?;
    labels.iter().copied().find(|&label| votes(label) == most)
}

#[test]
fn the_nearest_few_vote_as_a_sorted_list_would() {
    let ((inputs, labels), (others, _)) = (clusters(60, 1), clusters(40, 2));
    let memory = Memory::new(Samples { inputs: &inputs, labels: &labels }, 3).unwrap();
    for input in others.chunks(3) {
        for neighbours in 1..=MAX_NEIGHBOURS {
            assert_eq!(memory.classify(input, neighbours), naive_vote(&memory, input, neighbours));
        }
        assert_eq!(memory.classify(input, 0), memory.classify(input, 1));
        assert_eq!(memory.classify(input, 99), memory.classify(input, MAX_NEIGHBOURS));
    }
}

#[test]
fn a_prototype_left_out_does_not_vote() {
    let (inputs, labels) = ([0b0, 0b1, 0b1111], [5, 6, 7]);
    let memory = Memory::new(Samples { inputs: &inputs, labels: &labels }, 1).unwrap();
    assert_eq!((memory.classify(&[0], 1), memory.classify_left_out(0, 1)), (Some(5), Some(6)));
    assert_eq!(memory.classify_left_out(3, 1), None);
    let alone = Memory::new(Samples { inputs: &inputs[..1], labels: &labels[..1] }, 1).unwrap();
    assert_eq!(alone.classify_left_out(0, 1), None);
    let empty = Memory::new(Samples { inputs: &[], labels: &[] }, 1).unwrap();
    assert_eq!((empty.classify(&[0], 3), empty.is_empty()), (None, true));
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    assert!(Memory::new(Samples { inputs: &[1, 2, 3], labels: &[1] }, 2).is_none());
    assert!(Memory::new(Samples { inputs: &[], labels: &[] }, 0).is_none());
    let (mut inputs, mut labels) = ([9; 4], [9; 2]);
    assert!(MemoryMut::new(&mut inputs, &mut labels, 2, 3).is_none());
    assert!(MemoryMut::new(&mut inputs, &mut labels, 3, 0).is_none());
    let mut memory = MemoryMut::new(&mut inputs, &mut labels, 2, 0).unwrap();
    assert!(!memory.insert(&[1], 0) && memory.is_empty());
    assert!(memory.insert(&[1, 2], 0) && memory.insert(&[3, 4], 1) && !memory.insert(&[5, 6], 2));
    assert!(
        !memory.delete(2)
            && !memory.set(2, &[0, 0], 0)
            && !memory.relabel(2, 0)
            && !memory.perturb(2, &[0, 0])
    );
    assert!(!memory.set(0, &[0], 0) && !memory.perturb(0, &[0]));
    assert!(memory.perturb(1, &[1, 0]) && memory.relabel(1, 3) && memory.delete(0));
    assert_eq!(
        (memory.view().prototypes().inputs, memory.view().prototypes().labels),
        (&[2, 4][..], &[3][..])
    );
}

/// A memory of `capacity` prototypes that starts with the first samples and evolves for `steps`.
fn evolve(capacity: usize, start: usize, steps: u32, seed: u64) -> (Vec<u32>, Vec<u8>, i64, i64) {
    let (inputs, labels) = clusters(80, 3);
    let reference = Samples { inputs: &inputs, labels: &labels };
    let (mut rows, mut names) = (vec![0; capacity * 3], vec![0; capacity]);
    rows[..start * 3].copy_from_slice(&inputs[..start * 3]);
    names[..start].copy_from_slice(&labels[..start]);
    let memory = MemoryMut::new(&mut rows, &mut names, 3, start).unwrap();
    let (mut margins, mut mask) = (vec![Margins::default(); 80], vec![0; 3]);
    let mut search = MemorySearch::new(memory, reference, 20, &mut margins, &mut mask).unwrap();
    let (mut rng, first) = (Stream::new(seed, Purpose::Test, 5), search.loss());
    for _ in 0..steps {
        let before = search.loss();
        let step = search.step(&mut rng);
        assert_eq!((search.loss() - before, step.change <= 0), (step.change, true));
    }
    // The running total is what a search made afresh from the same prototypes says.
    let (end, len) = (search.loss(), search.memory().len());
    let (prototypes, kept) =
        (search.memory().prototypes().inputs.to_vec(), search.memory().prototypes().labels.to_vec());
    let mut again = (prototypes.clone(), kept.clone());
    let memory = MemoryMut::new(&mut again.0, &mut again.1, 3, len).unwrap();
    let (mut margins, mut mask) = (vec![Margins::default(); 80], vec![0; 3]);
    assert_eq!(MemorySearch::new(memory, reference, 20, &mut margins, &mut mask).unwrap().loss(), end);
    (prototypes, kept, first, end)
}

#[test]
fn evolution_lowers_the_shortfall_within_the_capacity() {
    for (capacity, start) in [(12, 12), (12, 0), (5, 5), (1, 0)] {
        let (prototypes, labels, first, end) = evolve(capacity, start, 600, 1);
        assert!(labels.len() <= capacity && end < first, "{capacity} {start}: {first} {end}");
        assert!(prototypes.chunks(3).all(|row| row[2] < 64), "padding stays clear");
    }
}

#[test]
fn the_same_seed_evolves_the_same_memory() {
    assert_eq!(evolve(8, 8, 300, 4), evolve(8, 8, 300, 4));
    assert_ne!(evolve(8, 8, 300, 4), evolve(8, 8, 300, 5));
}

#[test]
fn evolved_prototypes_generalise_better_than_samples() {
    let (prototypes, labels, ..) = evolve(6, 6, 3000, 2);
    let (inputs, names) = clusters(80, 3);
    let (others, truth) = clusters(400, 9);
    let right = |inputs: &[u32], labels: &[u8]| {
        let memory = Memory::new(Samples { inputs, labels }, 3).unwrap();
        others
            .chunks(3)
            .zip(&truth)
            .filter(|(input, label)| memory.classify(input, 1) == Some(**label))
            .count()
    };
    let (evolved, stored) = (right(&prototypes, &labels), right(&inputs[..18], &names[..6]));
    assert!(evolved > stored + 20, "{evolved} {stored}");
}

#[test]
fn a_search_without_samples_does_nothing() {
    let (mut inputs, mut labels) = ([1], [1]);
    let memory = MemoryMut::new(&mut inputs, &mut labels, 1, 1).unwrap();
    let none = Samples { inputs: &[], labels: &[] };
    let mut mask = [0];
    let mut search = MemorySearch::new(memory, none, 4, &mut [], &mut mask).unwrap();
    assert!(!search.step(&mut Stream::new(1, Purpose::Test, 0)).kept);
    assert_eq!(search.memory().len(), 1);
}
