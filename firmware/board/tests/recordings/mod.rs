//! Recordings of movements, as windows that follow each other: for tests, and for the demo `gestures`.

use evobit_board::gesture::window::{FEATURES, READINGS, Window};

/// A window of a recording.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    /// Which recording it is of.
    #[allow(dead_code, reason = "not everybody splits by recordings")]
    pub(crate) recording: u32,
    pub(crate) features: [u8; FEATURES],
    pub(crate) label: u8,
}

const LABELS: [&str; 4] = ["Idle", "Lift", "Maritime", "Terrestrial"];

/// The windows of one part, `train` or `test`, of the text of `imu-motion.csv`; none where it is something else.
pub(crate) fn recorded(text: &str, part: &str) -> Option<Vec<Recorded>> {
    let mut recordings: Vec<(u32, u8, Vec<[i16; 3]>)> = vec![];
    for line in text.lines().skip(1).filter(|line| line.split(',').next() == Some(part)) {
        let fields: Vec<&str> = line.split(',').collect();
        let label = LABELS.iter().position(|name| Some(name) == fields.get(2))?;
        let number = fields[1].parse().ok()?;
        // From metres per second squared to thousandths of gravity.
        let axis = |index: usize| {
            let value: f64 = fields.get(index)?.parse().ok()?;
            Some((value * 1000.0 / 9.80665).round() as i16)
        };
        let reading = [axis(4)?, axis(5)?, axis(6)?];
        match recordings.last_mut() {
            Some((last, _, readings)) if *last == number => readings.push(reading),
            _ => recordings.push((number, label as u8, vec![reading])),
        }
    }
    let windows = recordings.iter().flat_map(|(recording, label, readings)| {
        readings.as_chunks::<READINGS>().0.iter().map(|readings| {
            let mut window = Window::new();
            readings.iter().for_each(|&reading| window.push(reading));
            Recorded { recording: *recording, features: window.features(), label: *label }
        })
    });
    let windows: Vec<_> = windows.collect();
    (!windows.is_empty()).then_some(windows)
}
