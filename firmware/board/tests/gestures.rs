//! Gestures taught to a board: by its buttons, with recordings of a sensor and with made-up ones.

mod board;
mod recordings;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::rc::Rc;

use board::{Flash, On, with_board};
use embedded_hal::digital::{ErrorType, InputPin};
use evobit::rng::{Draw, Purpose, Stream};
use evobit_board::gesture::display::{Display, Sign};
use evobit_board::gesture::hands::Hands;
use evobit_board::gesture::window::{FEATURES, READINGS, Window};
use evobit_board::gesture::{Accelerometer, PERIOD};
use evobit_board::serve::Board;
use evobit_link::{Evolve, Reply, Request};
use recordings::{Recorded, recorded};

/// Nobody at the other end.
struct Silence;

impl embedded_io::ErrorType for Silence {
    type Error = Infallible;
}

impl embedded_io::Read for Silence {
    fn read(&mut self, _bytes: &mut [u8]) -> Result<usize, Infallible> {
        Ok(0)
    }
}

impl embedded_io::ReadReady for Silence {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(false)
    }
}

impl embedded_io::Write for Silence {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Host;

impl Board for Host {
    const NAME: &'static str = "host";
}

type Taught<'a> = On<'a, Silence, Host>;

/// Runs `work` on a board that is taught, as after a start.
fn with_taught<T>(flash: &Flash, work: impl FnOnce(&mut Taught<'_>) -> T) -> T {
    with_board(flash, Silence, Host, work)
}

/// A labelled sample.
type Sample = ([u8; FEATURES], u8);

fn features(readings: impl Iterator<Item = [i16; 3]>) -> [u8; FEATURES] {
    let mut window = Window::new();
    readings.for_each(|reading| window.push(reading));
    assert!(window.is_full());
    window.features()
}

/// Four made-up gestures: at rest, shaken along x, shaken along z slowly, tilted over.
fn made_up(label: u8, rng: &mut Stream) -> impl FnMut(usize) -> [i16; 3] {
    let mut noise = rng.clone();
    let (shift, force) = (rng.below(40) as i32, 200 + rng.below(400) as i32);
    move |index| {
        let time = index as i32 + shift;
        let wave = |period: i32| force * (period / 4 - (time % period - period / 2).abs()) * 4 / period;
        let [x, y, z] = match label {
            0 => [0, 0, 1000],
            1 => [wave(10), 0, 1000],
            2 => [0, 0, 1000 + wave(34)],
            _ => [0, 700 * time / 100, 1000 - 700 * time / 100],
        };
        [x, y, z].map(|axis| (axis + noise.below(61) as i32 - 30) as i16)
    }
}

fn made_up_samples(number: usize, seed: u64) -> Vec<Sample> {
    let mut rng = Stream::new(seed, Purpose::Samples, 0);
    let labels = (0..number).map(|index| index as u8 % 4);
    labels.map(|label| (features((0..READINGS).map(made_up(label, &mut rng))), label)).collect()
}

/// Teaches a sample and lets the network evolve until it ends.
fn teach(board: &mut Taught<'_>, (sample, label): &Sample) {
    let reply = board.ask(Request::Learn { sample, label: u16::from(*label) });
    assert!(matches!(reply, Reply::Learned { .. }), "{reply:?}");
    assert_eq!(board.ask(Request::Evolve { what: Evolve::Network, mutants: 400_000 }), Reply::Done);
    while board.run().unwrap() {}
}

/// Right answers of board, network and stored samples, of a hundred.
fn accuracy(board: &mut Taught<'_>, test: &[Sample]) -> [f64; 3] {
    let mut right = [0; 3];
    for (sample, label) in test {
        let Reply::Class { answer, network, samples, .. } = board.ask(Request::Classify { sample }) else {
            panic!()
        };
        for (right, answer) in right.iter_mut().zip([Some(answer), Some(network), samples]) {
            *right += u32::from(answer == Some(u16::from(*label)));
        }
    }
    right.map(|right| 100.0 * f64::from(right) / test.len() as f64)
}

/// Accuracies after so many gestures of each label, in the order of `stages`; means of five seeds.
fn course(train: &[Sample], test: &[Sample], stages: &[usize]) -> Vec<[f64; 3]> {
    let mut means = vec![[0.0; 3]; stages.len()];
    for seed in 1..=5 {
        let mut order: Vec<usize> = (0..train.len()).collect();
        Stream::new(seed, Purpose::Samples, 1).shuffle(&mut order);
        with_taught(&Flash::new(), |board| {
            board.ask(Request::Seed { seed });
            let mut taught = [0; 4];
            for (mean, &stage) in means.iter_mut().zip(stages) {
                for label in 0..4u8 {
                    let of_label = order.iter().filter(|&&index| train[index].1 == label);
                    let next =
                        of_label.skip(taught[usize::from(label)]).take(stage - taught[usize::from(label)]);
                    next.for_each(|&index| teach(board, &train[index]));
                    taught[usize::from(label)] = stage;
                }
                mean.iter_mut().zip(accuracy(board, test)).for_each(|(mean, one)| *mean += one / 5.0);
            }
        });
    }
    means
}

fn print(what: &str, stages: &[usize], means: &[[f64; 3]]) {
    for (stage, [answer, network, samples]) in stages.iter().zip(means) {
        println!(
            "{what}, {stage} of each: answer {answer:.1} %, network {network:.1} %, samples {samples:.1} %"
        );
    }
}

/// A button of the test's.
#[derive(Clone, Default)]
struct Button(Rc<Cell<bool>>);

impl ErrorType for Button {
    type Error = Infallible;
}

impl InputPin for Button {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.get())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.get())
    }
}

/// A sensor that is told what to say; it fails where it is told nothing.
#[derive(Clone, Default)]
struct Sensor(Rc<Cell<Option<[i16; 3]>>>);

impl Accelerometer for Sensor {
    type Error = ();

    fn acceleration(&mut self) -> Result<[i16; 3], ()> {
        self.0.get().ok_or(())
    }
}

#[derive(Clone, Default)]
struct Screen(Rc<RefCell<Vec<Sign>>>);

impl Display for Screen {
    fn show(&mut self, sign: Sign) {
        self.0.borrow_mut().push(sign);
    }
}

/// Somebody with a board in hand.
#[derive(Default)]
struct Person {
    a: Button,
    b: Button,
    sensor: Sensor,
    screen: Screen,
    time: u32,
}

impl Person {
    fn hands(&self) -> Hands<Button, Button, Sensor, Screen> {
        Hands::new(self.a.clone(), self.b.clone(), self.sensor.clone(), self.screen.clone(), 4)
    }

    /// Holds the buttons and moves the board for so many readings; what was shown.
    fn hold(
        &mut self,
        board: &mut Taught<'_>,
        hands: &mut Hands<Button, Button, Sensor, Screen>,
        (a, b): (bool, bool),
        readings: usize,
        mut movement: impl FnMut(usize) -> [i16; 3],
    ) -> Vec<Sign> {
        self.a.0.set(a);
        self.b.0.set(b);
        for index in 0..readings {
            self.sensor.0.set(Some(movement(index)));
            self.time += PERIOD;
            while board.run().unwrap() {}
            let evolving = board.learner().is_evolving();
            hands.work(self.time, evolving, &mut |request| board.ask(request));
            // Too early: nothing happens.
            hands.work(self.time + 1, evolving, &mut |_| panic!("nothing to ask"));
        }
        self.screen.0.take()
    }
}

const NONE: (bool, bool) = (false, false);

#[test]
fn a_board_is_taught_by_its_buttons_and_remembers_over_a_loss_of_power() {
    let (flash, mut person, mut rng) = (Flash::new(), Person::default(), Stream::new(3, Purpose::Samples, 0));
    let still = |_| [0, 0, 1000];
    with_taught(&flash, |board| {
        let mut hands = person.hands();
        assert_eq!(person.hold(board, &mut hands, NONE, 100, still)[0], Sign::Waiting);
        for label in 0..4 {
            for _ in 0..4 {
                let movement = made_up(label, &mut rng);
                let signs = person.hold(board, &mut hands, (false, true), READINGS + 1, movement);
                assert_eq!(signs[0], Sign::Recording(label));
                assert!(matches!(signs[1], Sign::Learned(_)), "{signs:?}");
                // Longer than the recording that holding the button for one reading too long began.
                person.hold(board, &mut hands, NONE, 2, still);
                person.hold(board, &mut hands, (true, true), 1, still);
                person.hold(board, &mut hands, NONE, 3, still);
            }
            let signs = person.hold(board, &mut hands, (true, false), 2, still);
            assert_eq!(signs, [Sign::Label((label + 1) % 4)]);
            person.hold(board, &mut hands, NONE, 2, still);
        }
        assert_eq!(board.learner().store().len(), 16);
    });
    // Power is lost, and comes back.
    with_taught(&flash, |board| {
        let mut hands = person.hands();
        assert_eq!(board.learner().store().len(), 16);
        let mut right = 0;
        for label in 0..4 {
            person.hold(board, &mut hands, (true, true), 1, still);
            person.hold(board, &mut hands, NONE, 2, still);
            let movement = made_up(label, &mut rng);
            let signs = person.hold(board, &mut hands, NONE, READINGS, movement);
            right += u32::from(signs.last() == Some(&Sign::Answer(label)));
        }
        assert!(right >= 3, "{right} of 4");
        let signs = person.hold(board, &mut hands, (true, true), 120, still);
        assert_eq!(signs, [Sign::Reset, Sign::Waiting]);
    });
    with_taught(&flash, |board| {
        assert!(board.learner().store().is_empty());
        let mut hands = person.hands();
        person.sensor.0.set(None);
        hands.work(0, false, &mut |_| panic!("there is nothing to ask without a sensor"));
        assert_eq!(person.screen.0.take(), [Sign::Trouble]);
    });
}

#[test]
fn made_up_gestures_are_learned() {
    let stages = [1, 4, 10];
    let means = course(&made_up_samples(40, 1), &made_up_samples(200, 2), &stages);
    print("made up", &stages, &means);
    assert!(means[1][0] >= 90.0 && means[2][0] >= 95.0 && means[2][1] >= 85.0, "{means:?}");
    // The network that was flashed knows nothing: what is answered was taught.
    assert!(means[0][1] < 50.0);
}

#[test]
fn recorded_gestures_are_learned() {
    let Some(path) = skips::shared_data("imu-motion.csv") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let (train, test) = (recorded(&text, "train").unwrap(), recorded(&text, "test").unwrap());
    let samples = |windows: &[Recorded]| -> Vec<Sample> {
        windows.iter().map(|window| (window.features, window.label)).collect()
    };
    let stages = [1, 2, 5, 10, 20];
    // What features and levels may be chosen by: recordings of the training part, a third of them held out.
    let (left, held_out): (Vec<_>, Vec<_>) =
        train.iter().copied().partition(|window| window.recording % 3 != 0);
    let means = course(&samples(&left), &samples(&held_out), &stages);
    print("held-out recordings of the training part", &stages, &means);
    // The test part says how good it is, and chooses nothing.
    let means = course(&samples(&train), &samples(&test), &stages);
    print("test recordings", &stages, &means);
    assert!(means[2][0] >= 80.0 && means[4][0] >= 90.0 && means[4][1] >= 60.0, "{means:?}");
}
