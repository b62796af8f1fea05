//! A board with a key: what is forged, replayed or out of order changes nothing.
#![cfg(feature = "key")]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::rc::Rc;

mod board;

use app::arena::{Arena, fitting};
use app::gesture::model::{MOST_BYTES, blank};
use app::keep::Keeper;
use app::learner::{Config, Learner, Model};
use app::profile::large::{SIZES, Score, WORDS};
use app::serve::{App, Board};
use board::Flash;
use embedded_io::{ErrorType, Read, ReadReady, Write};
use evobit::link::key::Key;
use evobit::link::{Evolve, LinkError, Reply, Request, read_frame, write_frame};
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::Topology;

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

/// Keeps the counter, as flash would.
struct Keyed(Rc<RefCell<u32>>);

impl Board for Keyed {
    const NAME: &'static str = "keyed";

    fn keep_counter(&mut self, next: u32) -> bool {
        *self.0.borrow_mut() = next;
        true
    }
}

type KeyedApp<'a> = App<'a, Score, Port, Flash, Keyed, 1024>;

/// Runs `work` on a board with the key of sevens.
fn with_keyed(kept: &Rc<RefCell<u32>>, work: impl FnOnce(&mut KeyedApp<'_>, &Port)) {
    let mut words = [0u32; MOST_BYTES / 4];
    blank(1, bytemuck::cast_slice_mut(&mut words)).unwrap();
    let mut topology = Topology::NONE;
    let model = Model::parse(bytemuck::cast_slice(&words), &mut topology).unwrap();
    let mut arena = Box::new(Arena::<WORDS>::new());
    let sizes = fitting(model.topology(), WORDS, SIZES, size_of::<Score>());
    let mut learner = Learner::new(model, &mut arena.0, sizes, Config::default());
    let flash = Flash::new();
    let keeper = Keeper::new(flash.clone(), 0..flash.0.borrow().len() as u32);
    let port = Port::default();
    let mut app = KeyedApp::new(&mut learner, Some(keeper), port.clone(), Keyed(kept.clone()));
    app.start();
    app.guard(Key::new([7; 32]), *kept.borrow());
    work(&mut app, &port);
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
    let (kept, key, wrong) = (Rc::default(), Key::new([7; 32]), Key::new([6; 32]));
    with_keyed(&kept, |app, port| {
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
                        tag[bit / 8] ^= 1 << (bit % 8)
                    } else {
                        within[bit / 8 - 16] ^= 1 << (bit % 8)
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
    with_keyed(&kept, |app, port| {
        for counter in [0, 117, 118] {
            let answer = send(app, port, &keyed(&key, counter, &Request::Reset)).unwrap();
            assert!(matches!(answer, Err(LinkError::Replayed(next)) if next > 118));
        }
        let next = *kept.borrow();
        assert!(send(app, port, &keyed(&key, next, &Request::Reset)).unwrap().is_ok());
    });
}
