use std::cell::RefCell;
use std::time::Duration;

use super::*;
use crate::checkpoint::{Checkpoints, Head, find};
use crate::run_folder::RunFolder;
use crate::stop::{Interrupt, Signal};

/// Counts to ten; a row at each even number. It gives up a step once its interrupt is raised.
struct Counter {
    at: u8,
    raise_at: u8,
    interrupt: Interrupt,
}

impl Searcher for Counter {
    type Row = u8;
    type Error = String;

    fn step(&mut self, pace: &Pace) -> Result<Option<Step<u8>>, String> {
        if self.at + 1 == self.raise_at {
            self.interrupt.raise(Signal::HangUp);
        }
        if pace.interrupt.is_set() {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Step {
            number: self.at.into(),
            scored: 1,
            row: self.at.is_multiple_of(2).then_some(self.at),
            stop: (self.at == 10).then_some(Stop::Sweeps),
        }))
    }

    fn state(&mut self) -> Vec<u8> {
        vec![self.at]
    }

    fn files(&mut self) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        Ok(vec![("number", vec![self.at])])
    }

    fn last_row(&mut self, _: &Pace) -> Option<u8> {
        Some(100)
    }
}

#[derive(Default)]
struct Rows(RefCell<Vec<u8>>);

impl Watch<u8> for Rows {
    fn row(&mut self, row: &u8) {
        self.0.get_mut().push(*row);
    }

    fn unsaved(&mut self, reason: &str) {
        panic!("{reason}");
    }
}

#[test]
fn a_search_that_is_stopped_goes_on_from_its_newest_state() {
    let base = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(Some(&base.path().join("run")), "x").unwrap();
    let head = Head { command: "count".into(), config: String::new(), fingerprint: vec![] };
    let mut rows = Rows::default();
    // By no time at all, by a signal within a step, to the end.
    for (budget, raise_at, ended) in [
        (Some(Duration::ZERO), 0, Ended { stop: Stop::Budget, step: 1, is_saved: true }),
        (None, 5, Ended { stop: Stop::Interrupted, step: 4, is_saved: true }),
        (None, 0, Ended { stop: Stop::Sweeps, step: 10, is_saved: true }),
    ] {
        let read = find(&folder).newest;
        let at = read.as_ref().map_or(0, |(checkpoint, _)| checkpoint.state[0]);
        let mut checkpoints = Checkpoints::new(&folder, head.clone(), Duration::ZERO, read.as_ref());
        let interrupt = Interrupt::default();
        let mut counter = Counter { at, raise_at, interrupt: interrupt.clone() };
        let checkpoints = Some(&mut checkpoints);
        let before = (u64::from(at), 0.0);
        let mut session = Session { budget, before, checkpoints, interrupt, ..Session::default() };
        let pace = Pace::new(&session);
        assert_eq!(drive(&mut counter, &pace, &mut session, &mut rows), Ok(ended));
        let (newest, _) = find(&folder).newest.unwrap();
        assert_eq!((newest.stop, newest.state, newest.complete), (Some(ended.stop), vec![counter.at], false));
        assert_eq!(newest.step, ended.step);
    }
    assert_eq!(rows.0.take(), [100, 2, 4, 100, 6, 8, 10]);
    assert_eq!(std::fs::read(folder.file("number")).unwrap(), [9]);
}

#[test]
fn a_damaged_checkpoint_leaves_the_other() {
    let base = tempfile::tempdir().unwrap();
    let folder = RunFolder::create(Some(&base.path().join("run")), "x").unwrap();
    let head = Head { command: "count".into(), config: String::new(), fingerprint: vec![] };
    let mut checkpoints = Checkpoints::new(&folder, head, Duration::ZERO, None);
    let mut session = Session { checkpoints: Some(&mut checkpoints), ..Session::default() };
    let mut counter = Counter { at: 0, raise_at: 0, interrupt: Interrupt::default() };
    let pace = Pace::new(&session);
    drive(&mut counter, &pace, &mut session, &mut Rows::default()).unwrap();
    let (newest, file) = find(&folder).newest.unwrap();
    assert_eq!((newest.ended(), newest.state), (Some(Stop::Sweeps), vec![10]));
    let path = folder.file(["checkpoint-a.bin", "checkpoint-b.bin"][file]);
    let mut bytes = std::fs::read(&path).unwrap();
    for place in 0..bytes.len() {
        bytes[place] ^= 1 << (place % 8);
        std::fs::write(&path, &bytes).unwrap();
        let found = find(&folder);
        assert_eq!((found.newest.unwrap().0.state, found.faults.len()), (vec![9], 1), "{place}");
        bytes[place] ^= 1 << (place % 8);
    }
}
