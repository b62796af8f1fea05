//! Power is cut at every single write and erase of a save: the next start finds the old or the new generation, never a mix.

use std::cell::Cell;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use evobit::encode::write_uniform;
use evobit::genome::GenomeMut;
use evobit::image::{Parts, genome_checksum, image_len, write};
use evobit::loss::write_logistic;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use evobit_board::arena::Sizes;
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig, Model};

const PAGE: usize = 512;
const PAGES: usize = 16;
const FEATURES: usize = 40;

/// Flash whose power fails at an operation, in the midst of it.
#[derive(Clone)]
struct Failing {
    bytes: Vec<u8>,
    erased: Vec<u32>,
    /// Words and pages left until power fails.
    left: Rc<Cell<usize>>,
}

#[derive(Debug)]
struct PowerCut;

impl NorFlashError for PowerCut {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Failing {
    fn new() -> Self {
        let left = Rc::new(Cell::new(usize::MAX));
        Self { bytes: vec![0xff; PAGE * PAGES], erased: vec![0; PAGES], left }
    }

    /// True where there is power for one more word or page.
    fn power(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }
}

impl ErrorType for Failing {
    type Error = PowerCut;
}

impl ReadNorFlash for Failing {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerCut> {
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for Failing {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerCut> {
        for page in from as usize / PAGE..to as usize / PAGE {
            let power = self.power();
            let bytes = &mut self.bytes[page * PAGE..(page + 1) * PAGE];
            if !power {
                // Half of the page is erased, the rest is what it was.
                bytes[..PAGE / 2].fill(0xff);
                return Err(PowerCut);
            }
            bytes.fill(0xff);
            self.erased[page] += 1;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerCut> {
        assert!(bytes.len().is_multiple_of(4) && offset.is_multiple_of(4));
        for (word, at) in bytes.chunks(4).zip((offset as usize..).step_by(4)) {
            let power = self.power();
            let target = &mut self.bytes[at..at + 4];
            if !power {
                // Half of the word.
                target[..2].iter_mut().zip(word).for_each(|(old, new)| *old &= new);
                return Err(PowerCut);
            }
            // Writing only clears bits; what was half written may be written again.
            target.iter_mut().zip(word).for_each(|(old, new)| *old &= new);
        }
        Ok(())
    }
}

/// A model of 40 features, 12 neurons, 3 classes.
fn model() -> Vec<u32> {
    let topology = Topology::new(Shape::flat(FEATURES as u16), &[Layer::dense(12), Layer::dense(3)]).unwrap();
    let (mut encoder, mut loss) = ([0; 4], [0; 4100]);
    write_uniform(FEATURES as u32, &[7], &mut encoder).unwrap();
    let len = write_logistic(4.0, 4.0, 64, &mut loss).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let parts = Parts {
        topology: &topology,
        encoder: &encoder[..],
        loss: &loss[..len],
        genome: &genome[..],
        classes: &[],
        columns: 0,
        column_names: &[],
    };
    let mut words = vec![0u32; image_len(&parts) / 4];
    write(&parts, bytemuck::cast_slice_mut(&mut words)).unwrap();
    words
}

/// Everything that a learner would lose.
type Learned = (u32, Vec<(Vec<u32>, u8, bool)>, Vec<u32>);

fn learned(learner: &Learner<'_, i8>) -> Learned {
    let entries = (0..learner.store().len())
        .filter_map(|index| learner.store().entry(index))
        .map(|(row, label, held_back)| (row.to_vec(), label, held_back))
        .collect();
    (genome_checksum(learner.genome()), entries, learner.prototypes().inputs.to_vec())
}

/// Works with a learner in which nothing is learned yet.
fn with_learner<T>(image: &[u32], work: impl FnOnce(&mut Learner<'_, i8>) -> T) -> T {
    let mut topology = Topology::NONE;
    let model = Model::parse(bytemuck::cast_slice(image), &mut topology).unwrap();
    let sizes = Sizes { samples: 24, prototypes: 6 };
    let words = Learner::<i8>::layout(model.topology(), sizes).words();
    let mut arena = vec![0u64; words.div_ceil(2)];
    let arena = &mut bytemuck::cast_slice_mut(&mut arena)[..words];
    Learner::<i8>::check(model.topology(), words, sizes).unwrap();
    let mut learner = Learner::new(model, arena, sizes, LearnerConfig::default());
    learner.reset();
    work(&mut learner)
}

/// Learns some more.
fn learn(learner: &mut Learner<'_, i8>, round: u64) {
    let mut rng = Stream::new(round, Purpose::Test, 3);
    for _ in 0..9 {
        let label = rng.below(3) as u16;
        let sample: Vec<u8> = (0..FEATURES)
            .map(|at| (rng.below(9) + 3 * u32::from(at % 3 == usize::from(label))) as u8)
            .collect();
        learner.learn(&sample, label).unwrap();
    }
    learner.evolve_network(4000, true).unwrap();
    while learner.step() {}
    learner.evolve_memory(6, 50).unwrap();
    while learner.step() {}
}

fn load(image: &[u32], flash: Failing) -> (bool, Learned, Keeper<Failing>) {
    with_learner(image, |learner| {
        let range = 0..(PAGE * PAGES) as u32;
        let mut keeper = Keeper::new(flash, range);
        let found = keeper.load(learner).unwrap();
        (found, learned(learner), keeper)
    })
}

#[test]
fn a_cut_at_any_write_leaves_the_old_or_the_new_generation() {
    let image = model();
    let (mut flash, mut cuts, mut kept_old, mut kept_new) = (Failing::new(), 0, 0, 0);
    let nothing = with_learner(&image, |learner| learned(learner));
    let mut old = nothing.clone();
    // So many saves that the pages are gone round more than once.
    for round in 0..12 {
        let save = |flash: Failing| {
            with_learner(&image, |learner| {
                let mut keeper = Keeper::new(flash, 0..(PAGE * PAGES) as u32);
                let found = keeper.load(learner).unwrap();
                assert_eq!((found, &learned(learner)), (round > 0, &old));
                if round == 7 {
                    // A reset is a save too.
                    learner.reset();
                } else {
                    learn(learner, round);
                }
                let done = keeper.save(learner).is_ok();
                (done, learned(learner), keeper.flash().clone())
            })
        };
        let (done, new, whole) = save(flash.clone());
        assert!(done && (new != old || round == 7), "round {round}");
        for cut in 0.. {
            // Power holds for `cut` words and pages.
            let failing = flash.clone();
            let failing = Failing { left: Rc::new(Cell::new(cut)), ..failing };
            let (done, _, broken) = save(failing);
            if done {
                break;
            }
            cuts += 1;
            broken.left.set(usize::MAX);
            let (found, now, mut keeper) = load(&image, broken);
            assert!(now == old || now == new, "round {round}, cut {cut}: a mix");
            assert_eq!(found, round > 0 || now == new, "round {round}, cut {cut}");
            kept_old += usize::from(now == old);
            kept_new += usize::from(now == new);
            // And the board goes on: it can save again.
            if cut % 7 == 0 {
                let flash = keeper.flash().clone();
                let saved = with_learner(&image, |learner| {
                    let mut keeper = Keeper::new(flash, 0..(PAGE * PAGES) as u32);
                    keeper.load(learner).unwrap();
                    learn(learner, 99);
                    keeper.save(learner).unwrap();
                    (learned(learner), keeper.flash().clone())
                });
                assert_eq!(load(&image, saved.1).1, saved.0, "round {round}, cut {cut}: not saved again");
            }
        }
        (flash, old) = (whole, new);
    }
    assert!(cuts > 1000 && kept_old > 1000, "{cuts} cuts, {kept_old} old, {kept_new} new");
}

#[test]
fn wear_is_spread_over_all_pages() {
    let image = model();
    let mut flash = Failing::new();
    for round in 0..60 {
        flash = with_learner(&image, |learner| {
            let mut keeper = Keeper::new(flash.clone(), 0..(PAGE * PAGES) as u32);
            keeper.load(learner).unwrap();
            learn(learner, round);
            keeper.save(learner).unwrap();
            keeper.flash().clone()
        });
    }
    let (least, most) = (flash.erased.iter().min().unwrap(), flash.erased.iter().max().unwrap());
    assert!(*least >= 3 && most - least <= 2, "{:?}", flash.erased);
}

#[test]
fn flash_with_something_else_in_it_is_taken_over() {
    let image = model();
    for fill in [0x00, 0x5a] {
        let mut flash = Failing::new();
        flash.bytes.fill(fill);
        let (found, now, mut keeper) = load(&image, flash);
        assert!(!found && now == with_learner(&image, |learner| learned(learner)));
        with_learner(&image, |learner| {
            learn(learner, 1);
            keeper.save(learner).unwrap();
        });
    }
}

#[test]
fn what_was_learned_on_another_model_is_left_alone() {
    let image = model();
    let mut other = image.clone();
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut other);
    let end = bytes.len() - 4;
    bytes[end - 8] ^= 1;
    let crc = evobit::image::checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    let mut keeper = Keeper::new(Failing::new(), 0..(PAGE * PAGES) as u32);
    with_learner(&image, |learner| {
        learn(learner, 1);
        keeper.save(learner).unwrap();
    });
    let flash = keeper.flash().clone();
    let (found, _, keeper) = load(&other, flash);
    assert!(!found && keeper.generation() == 1, "its number is not used again");
}
