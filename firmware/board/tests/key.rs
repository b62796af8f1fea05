//! A board with a key: what is forged, replayed or out of order changes nothing.
#![cfg(feature = "key")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

mod board;

use board::{Flash, On, PAGE, with_board};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use evobit::rng::{Draw, Purpose, Stream};
use evobit_board::serve::Board;
use evobit_link::key::Key;
use evobit_link::{Evolve, LinkError, Reply, Request, read_frame, write_frame};

/// The board's end of a line whose other end is the test's.
#[derive(Clone, Default)]
struct Port(Rc<RefCell<[VecDeque<u8>; 2]>>);

impl ErrorType for Port {
    type Error = Infallible;
}

impl Read for Port {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let byte = self.0.borrow_mut()[0].pop_front();
        bytes.iter_mut().zip(byte).for_each(|(slot, byte)| *slot = byte);
        Ok(byte.map_or(0, |_| 1))
    }
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.borrow()[0].is_empty())
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut()[1].extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

/// A board that leaves the counter to its flash.
struct Keyed;

impl Board for Keyed {
    const NAME: &'static str = "keyed";
}

type KeyedApp<'a> = On<'a, Port, Keyed>;

/// Runs `work` on a board with the key of sevens.
fn with_keyed<T>(flash: &Flash, work: impl FnOnce(&mut KeyedApp<'_>, &Port) -> T) -> T {
    let port = Port::default();
    with_board(flash, port.clone(), Keyed, |app| {
        app.guard(Key::new([7; 32]), 0);
        work(app, &port)
    })
}

/// Sends bytes and reads what came back, if anything did.
fn send(app: &mut KeyedApp<'_>, port: &Port, frame: &[u8]) -> Option<Result<String, LinkError>> {
    port.0.borrow_mut()[0].extend(frame);
    app.run().unwrap();
    let mut answer: Vec<u8> = port.0.borrow_mut()[1].drain(..).collect();
    answer.pop()?;
    Some(match read_frame(&mut answer).unwrap().1 {
        Reply::Error(error) => Err(error),
        reply => Ok(format!("{reply:?}")),
    })
}

fn frame(request: &Request<'_>) -> Vec<u8> {
    let mut buffer = [0; 400];
    write_frame(1, request, &mut buffer).unwrap().to_vec()
}

fn keyed(key: &Key, counter: u32, request: &Request<'_>) -> Vec<u8> {
    let mut within = [0; 300];
    let within = &*postcard::to_slice(request, &mut within).unwrap();
    frame(&Request::Keyed { counter, tag: key.tag(counter, within), request: within })
}

#[test]
fn of_100_000_messages_without_the_key_none_changes_anything() {
    let (flash, key, wrong) = (Flash::new(), Key::new([7; 32]), Key::new([6; 32]));
    with_keyed(&flash, |app, port| {
        let features = app.learner().model().encoder().features() as usize;
        let sample = vec![9; features];
        let changes = [
            Request::Learn { sample: &sample, label: 1 },
            Request::Evolve { what: Evolve::Network, mutants: 50 },
            Request::PushBegin { base: app.learner().model().checksum(), genome: 1 },
            Request::Save,
            Request::Reset,
            Request::Seed { seed: 5 },
            Request::Forget,
        ];
        // What is right is done, and recorded by whoever listens.
        let mut recorded = vec![];
        for counter in 0..40 {
            let request = if counter < 30 { &changes[0] } else { &changes[3] };
            let bytes = keyed(&key, counter * 3, request);
            assert!(send(app, port, &bytes).unwrap().is_ok());
            recorded.push(bytes);
        }
        let state = |app: &mut KeyedApp<'_>, port: &Port| {
            send(app, port, &frame(&Request::Statistics)).unwrap().unwrap()
        };
        let without_instructions =
            |text: String| text.split("evolving_instructions").next().unwrap().to_owned();
        let before = without_instructions(state(app, port));
        let (mut rng, mut refused) = (Stream::new(1, Purpose::Test, 0), 0);
        for round in 0..100_000u32 {
            let request = &changes[rng.below(changes.len() as u32) as usize];
            let bytes = match round % 5 {
                // Recorded ones, in any order.
                0 | 1 => recorded[rng.below(40) as usize].clone(),
                // Another key, a counter to come.
                2 => keyed(&wrong, 120 + rng.below(1000), request),
                // No key at all.
                3 => frame(request),
                // A right message, changed on the way, under a right checksum.
                _ => {
                    let mut within = [0; 300];
                    let within = postcard::to_slice(request, &mut within).unwrap();
                    let mut tag = key.tag(500, within);
                    let bit = rng.below(8 * (16 + within.len() as u32)) as usize;
                    if bit < 128 {
                        tag[bit / 8] ^= 1 << (bit % 8);
                    } else {
                        within[bit / 8 - 16] ^= 1 << (bit % 8);
                    }
                    frame(&Request::Keyed { counter: 500, tag, request: within })
                }
            };
            let answer = send(app, port, &bytes).unwrap();
            let error = answer.unwrap_err();
            assert!(
                matches!(error, LinkError::Key | LinkError::Forged | LinkError::Replayed(118)),
                "{error:?}"
            );
            refused += 1;
            if round % 1000 == 0 {
                assert_eq!(without_instructions(state(app, port)), before, "{round}");
            }
        }
        assert_eq!(without_instructions(state(app, port)), before);
        let guard = send(app, port, &frame(&Request::Guard)).unwrap().unwrap();
        assert_eq!(guard, format!("Guard {{ next: Some(118), refused: {refused} }}"));
        assert!(send(app, port, &keyed(&key, 118, &Request::Reset)).unwrap().is_ok());
    });
    // After a loss of power nothing that was recorded counts either.
    with_keyed(&flash, |app, port| {
        let mut next = 0;
        for counter in [0, 117, 118] {
            let answer = send(app, port, &keyed(&key, counter, &Request::Reset)).unwrap();
            assert!(matches!(answer, Err(LinkError::Replayed(next)) if next > 118));
            let Err(LinkError::Replayed(now)) = answer else { panic!() };
            next = now;
        }
        assert!(send(app, port, &keyed(&key, next, &Request::Reset)).unwrap().is_ok());
    });
}

#[test]
fn a_loss_of_power_at_any_write_leaves_no_counter_that_was_used() {
    let mut flash = Flash::new();
    let keep = |flash: &Flash, next: u32| {
        with_keyed(flash, |app, port| {
            let (from, sent) = (next - 1, frame(&Request::Statistics));
            assert!(send(app, port, &sent).unwrap().is_ok());
            send(app, port, &keyed(&Key::new([7; 32]), from, &Request::Forget)).unwrap().map(drop)
        })
    };
    let lowest = |flash: &Flash| {
        with_keyed(flash, |app, port| {
            match send(app, port, &keyed(&Key::new([7; 32]), 0, &Request::Forget)).unwrap() {
                Err(LinkError::Replayed(next)) => next,
                _ => 0,
            }
        })
    };
    // More than two pages of records, of 32 bytes: each start takes a counter that is above all kept.
    let mut next = 1;
    for round in 0..2 * PAGE as u32 / 32 + 40 {
        assert_eq!(keep(&flash, next), Ok(()), "{round}");
        let after = lowest(&flash);
        assert!(after >= next, "{round}: {after} after {next}");
        // Cut short: of the pages of counters only a part of what changes next was written.
        let before = flash.0.borrow().clone();
        let whole = Flash(Rc::new(RefCell::new(before.clone())));
        assert_eq!(keep(&whole, after + 1), Ok(()));
        for cut in [1, 5, 9, 13] {
            let torn = Flash(Rc::new(RefCell::new(before.clone())));
            let changed: Vec<usize> =
                (0..2 * PAGE).filter(|&at| before[at] != whole.0.borrow()[at]).collect();
            for &at in changed.iter().take(cut) {
                torn.0.borrow_mut()[at] = whole.0.borrow()[at];
            }
            assert!(lowest(&torn) >= after, "{round}, {cut}");
        }
        next = after + 1;
        flash = whole;
        next = next.max(lowest(&flash)) + 1;
    }
}
