//! Settings that stand for some kinds of runs where a user sets nothing else.

use super::{HiddenLayer, Settings, TestPart};

impl Settings {
    /// What stands for random images where it is not set: nothing is held out of what shall be memorized, nothing is distorted, a pixel is a bit, and no
    /// mistake is left.
    #[must_use]
    pub fn memorizing() -> Self {
        Self {
            test: Some(TestPart::Share(0.0)),
            validation: Some(0.0),
            copies: Some(1),
            levels: Some(1),
            hidden: Some(vec![HiddenLayer::Dense(256)]),
            target: Some(1.0),
            ..Self::default()
        }
    }
}
