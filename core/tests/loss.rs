//! The loss table held against the logarithm that it stands for, computed by the standard library.

use evobit::loss::{LossError, LossTable, MAX_ENTRIES, MAX_SLOPE, MAX_TERM, write_logistic};

fn build(margin: f64, temperature: f64, slope: u32) -> Vec<u32> {
    let mut words = vec![7; 4100];
    let len = write_logistic(margin, temperature, slope, &mut words).unwrap();
    words.truncate(len);
    words
}

/// The entries of a packed table: two to a word, the first one below.
fn entries(words: &[u32]) -> Vec<i32> {
    let halves = words[4..].iter().flat_map(|word| [word % 0x1_0000, word / 0x1_0000]);
    halves.take(words[3] as usize).map(|entry| entry as i32).collect()
}

/// log(1 + exp(x)), and the line that it comes near to for large x.
fn logistic(x: f64) -> f64 {
    if x > 30.0 { x } else { x.exp().ln_1p() }
}

const SETTINGS: [(f64, f64, u32); 9] = [
    (0.0, 16.0, 64),
    (12.0, 8.0, 64),
    (-3.0, 1.0, 1000),
    (7.0, 0.1, 4095),
    (50.0, 150.0, 32),
    (-9.0, 2.5, 1),
    (10_000.0, 3.0, 7),
    (-10_000.0, 3.0, 7),
    (1.0, 30.0, 100),
];

/// A table holds the function, rounded, wherever it is neither 0 nor a straight line to half a unit, and nothing beside.
#[test]
fn entries_are_the_rounded_function_where_it_bends() {
    for (margin, temperature, slope) in SETTINGS {
        let words = build(margin, temperature, slope);
        let (low, entries) = (words[0] as i32, entries(&words));
        let unit = f64::from(slope) * temperature / 2.0;
        let x = |d: i32| (2.0 * f64::from(d) + margin) / temperature;
        let near = |a: f64, b: f64| (a - b).abs() <= 0.5 + 1e-6;
        for (d, &entry) in (low..).zip(&entries) {
            assert!(near(f64::from(entry), unit * logistic(x(d))), "{margin} {temperature} {slope} at {d}");
        }
        let last = low + entries.len() as i32 - 1;
        // One entry fewer would leave out one that is not 0, or one off the line, or where x is nearest to 0.
        let middle = -(margin / 2.0).round() as i32;
        assert!((low..=last).contains(&middle) && unit * logistic(x(low - 1)) < 0.5);
        assert!(low == middle || unit * logistic(x(low)) > 0.499, "{margin} {temperature} {slope}");
        assert!(unit * (logistic(x(last)) - x(last)) < 0.501, "{margin} {temperature} {slope}");
        if last > middle {
            assert!(unit * (logistic(x(last - 1)) - x(last - 1)) > 0.499, "{margin} {temperature} {slope}");
        }
        assert_eq!(words[1..4], [slope, (unit.round() as u32).max(1), entries.len() as u32]);
        assert_eq!(words.len(), 4 + entries.len().div_ceil(2));
    }
}

/// Below the entries 0, above them a line, up to the most; and what follows from that.
#[test]
fn terms_are_entries_a_line_and_a_bound() {
    for (margin, temperature, slope) in SETTINGS {
        let words = build(margin, temperature, slope);
        let table = LossTable::new(&words[..]).unwrap();
        let (low, entries) = (words[0] as i32, entries(&words));
        let term = |d: i32| {
            let index = i64::from(d) - i64::from(low);
            let line = |over: i64| i64::from(entries[entries.len() - 1]) + over * i64::from(slope);
            match usize::try_from(index) {
                Err(_) => 0,
                Ok(index) if index < entries.len() => entries[index],
                Ok(index) => line((index - entries.len() + 1) as i64).min(MAX_TERM.into()) as i32,
            }
        };
        let around = low - 3..low + entries.len() as i32 + 3;
        let mut steepest = 0;
        for d in around.chain([-65_535, 65_535, 0, 1000]) {
            assert_eq!(table.term(d), term(d), "{margin} {temperature} {slope} at {d}");
            steepest = steepest.max((term(d + 1) - term(d)).abs());
            for step in [-2, -1, 0, 1, 2] {
                assert_eq!(table.change(d, step), term(d + step) - term(d));
            }
        }
        assert_eq!(table.steepest(), steepest.max(slope as i32));
        let scores = [3i16, -2, 5, 3];
        for label in 0..4 {
            let wrong = (0..4).filter(|&class| class != label);
            let expected: i32 = wrong.map(|class| term(i32::from(scores[class] - scores[label]))).sum();
            assert_eq!(table.sample(&scores, label), expected);
        }
        assert_eq!((table.range(), table.words()), ((low, entries.len() as u32), words.len()));
        assert_eq!(table.unit(), words[2]);
    }
}

/// A table that steps down, or whose first entry is far above 0, is as steep as that.
#[test]
fn the_steepest_step_may_be_anywhere() {
    let steepest = |words: &[u32]| LossTable::new(words).unwrap().steepest();
    let table = |slope, [a, b, c, d]: [u32; 4]| [0, slope, 1, 4, a | b << 16, c | d << 16];
    assert_eq!(steepest(&table(2, [1, 2, 9, 10])), 7);
    assert_eq!(steepest(&table(2, [1, 2, 3, 12])), 9);
    assert_eq!(steepest(&table(2, [1, 9, 3, 4])), 8);
    assert_eq!(steepest(&table(2, [30, 31, 32, 20])), 30);
    assert_eq!(steepest(&table(50, [30, 31, 32, 20])), 50);
}

/// Every limit holds on its last number and refuses the next.
#[test]
fn limits_are_where_they_are_said_to_be() {
    let mut words = [0; 4100];
    let mut write =
        |margin, temperature, slope| write_logistic(margin, temperature, slope, &mut words).map(|_| ());
    for (margin, temperature, slope) in [
        (10_000.0, 1.0, 9),
        (-10_000.0, 1.0, 9),
        (0.0, 0.1, 9),
        (0.0, 10_000.0, 1),
        (0.0, 1.0, 1),
        (0.0, 1.0, MAX_SLOPE),
    ] {
        let made = write(margin, temperature, slope);
        assert_ne!(made, Err(LossError::Parameters), "{margin} {temperature} {slope}");
    }
    for (margin, temperature, slope) in [
        (10_001.0, 1.0, 9),
        (-10_001.0, 1.0, 9),
        (0.0, 0.09, 9),
        (0.0, 10_001.0, 1),
        (0.0, 1.0, 0),
        (0.0, 1.0, MAX_SLOPE + 1),
    ] {
        assert_eq!(write(margin, temperature, slope), Err(LossError::Parameters));
    }
    let needed = build(3.0, 5.0, 64).len();
    assert_eq!(write_logistic(3.0, 5.0, 64, &mut vec![0; needed]), Ok(needed));
    assert_eq!(write_logistic(3.0, 5.0, 64, &mut vec![0; needed - 1]), Err(LossError::BufferLength));
    let new = |words: &[u32]| LossTable::new(words).map(|table| table.range());
    for (words, expected) in [
        (&[65_536, 1, 1, 1, 5][..], Some((65_536, 1))),
        (&[65_537, 1, 1, 1, 5], None),
        (&[-65_536i32 as u32, 1, 1, 1, 5], Some((-65_536, 1))),
        (&[-65_537i32 as u32, 1, 1, 1, 5], None),
        (&[0, MAX_SLOPE, 1, 2, 5], Some((0, 2))),
        (&[0, MAX_SLOPE + 1, 1, 2, 5], None),
        (&[0, 0, 1, 1, 5], None),
        (&[0, 1, 0, 1, 5], None),
        (&[0, 1, 1, 0], None),
        (&[0, 1, 1, 3, 5, 6], Some((0, 3))),
        (&[0, 1, 1, 3, 5, 0x1_0006], None),
        (&[0, 1, 1, 3, 5], None),
        (&[0, 1, 1, 3, 5, 6, 0], None),
        (&[0, 1, 1, 2, 0x9_0005], Some((0, 2))),
        (&[0, 1, 1], None),
        (&[], None),
    ] {
        assert_eq!(new(words), expected.ok_or(LossError::Format), "{words:?}");
    }
    let most = [&[0, 1, 1, MAX_ENTRIES][..], &[5; MAX_ENTRIES as usize / 2]].concat();
    assert_eq!(new(&most), Ok((0, MAX_ENTRIES)));
    let more = [&[0, 1, 1, MAX_ENTRIES + 2][..], &[5; MAX_ENTRIES as usize / 2 + 1]].concat();
    assert_eq!(new(&more), Err(LossError::Format));
}

/// A curve that bends over more differences than a table has entries is refused, wherever it lies; one that bends over just as many is not.
#[test]
fn tables_end_at_the_most_entries() {
    let write = |margin, temperature| write_logistic(margin, temperature, 1, &mut [0; 4100]);
    assert_eq!(write(0.0, 1160.8), Ok(4 + MAX_ENTRIES as usize / 2));
    for (margin, temperature) in [
        (1.0, 1160.8),
        (0.0, 1162.0),
        (0.0, 10_000.0),
        (10_000.0, 10_000.0),
        (-10_000.0, 10_000.0),
        (-2.0, 9_000.0),
        (0.0, 2136.75),
    ] {
        assert_eq!(write(margin, temperature), Err(LossError::TooLarge), "{margin} {temperature}");
    }
    // Entries have 16 bits. Without a margin the last one is about slope * temperature / 2 * log(slope * temperature).
    assert_eq!(write_logistic(0.0, 3.0, 4095, &mut [0; 4100]).map(|_| ()), Ok(()));
    assert_eq!(write_logistic(0.0, 4.0, 4095, &mut [0; 4100]), Err(LossError::TooLarge));
}

#[test]
fn errors_say_what_is_wrong() {
    for (error, part) in [
        (LossError::Parameters, "slope 1 to 4095"),
        (LossError::TooLarge, "too large"),
        (LossError::BufferLength, "shorter"),
        (LossError::Format, "do not hold"),
    ] {
        assert!(error.to_string().contains(part), "{error}");
    }
}
