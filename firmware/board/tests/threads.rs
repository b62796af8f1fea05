//! What is learned does not depend on the processors that a board has: one, or threads of any number (feature `threads`).

mod board;

use board::{Flash, On, with_board};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use evobit::rng::{Draw, Purpose, Stream};
use evobit_board::serve::Board;
use evobit_link::{Evolve, Reply, Request, Statistics};
use std::convert::Infallible;

/// A line on which nothing comes.
struct Silent;

impl ErrorType for Silent {
    type Error = Infallible;
}

impl Read for Silent {
    fn read(&mut self, _bytes: &mut [u8]) -> Result<usize, Infallible> {
        Ok(0)
    }
}

impl ReadReady for Silent {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(false)
    }
}

impl Write for Silent {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Plain;

impl Board for Plain {
    const NAME: &'static str = "plain";
}

const SAMPLES: usize = 400;
const CLASSES: u32 = 4;

/// Teaches noisy samples of four patterns, which change their places half way, and evolves on.
fn taught() -> Statistics {
    with_board(&Flash::new(), Silent, Plain, |app: &mut On<'_, Silent, Plain>| {
        let features = app.learner().model().encoder().features() as usize;
        let mut rng = Stream::new(5, Purpose::Test, 0);
        let mut noise = |spread: u32| rng.below(spread) as u8;
        let patterns: Vec<Vec<u8>> =
            (0..CLASSES).map(|_| (0..features).map(|_| noise(200)).collect()).collect();
        app.ask(Request::Seed { seed: 3 });
        for sample in 0..SAMPLES {
            let class = usize::from(noise(CLASSES));
            let pattern = if sample < SAMPLES / 2 { class } else { (class + 1) % CLASSES as usize };
            let raw: Vec<u8> = patterns[pattern].iter().map(|&value| value + noise(56)).collect();
            let learned = app.ask(Request::Learn { sample: &raw, label: class as u16 });
            assert!(matches!(learned, Reply::Learned { .. }), "{learned:?}");
            while app.run().unwrap() {}
        }
        app.ask(Request::Evolve { what: Evolve::Network, mutants: 30_000 });
        while app.run().unwrap() {}
        let Reply::Statistics(statistics) = app.ask(Request::Statistics) else { panic!() };
        statistics
    })
}

/// The same figures in all builds: with threads and without.
fn check(statistics: &Statistics) {
    let Statistics { genome, candidate, stored, network_right, samples_right, swaps, mutants, .. } =
        *statistics;
    assert!(stored > 200 && swaps > 0, "{statistics:?}");
    let learned = (genome, candidate, network_right, samples_right, mutants);
    assert_eq!(learned, (0x8bd6_0eda, 0x8bd6_0eda, 57, 56, 46_500), "{statistics:?}");
}

#[test]
fn what_is_learned_is_known() {
    check(&taught());
}

#[cfg(feature = "threads")]
#[test]
fn any_number_of_threads_learns_the_same() {
    for threads in [1, 2, 4, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        check(&pool.install(taught));
    }
}
