//! What a search reports of itself.

use evobit_search::Line;

/// The state of a search at the end of a sweep, or where it stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Row {
    /// Steps so far: blocks of neurons visited, or generations.
    pub step: u64,
    /// Sweeps so far, or generations.
    pub sweep: u32,
    /// Mutants scored so far.
    pub mutants: u64,
    /// Seconds since the search began; for people, never for decisions.
    pub seconds: f64,
    /// Mean loss on the samples that the sweep learned from.
    pub train_loss: f64,
    /// Accuracy on them.
    pub train_accuracy: f64,
    /// Mean loss on the validation part; NaN without one.
    pub validation_loss: f64,
    /// Accuracy on it; NaN without one.
    pub validation_accuracy: f64,
    /// Mutations that became part of the genome since the last row.
    pub committed: u64,
}

impl Line for Row {
    const COLUMNS: &'static str =
        "step,sweep,mutants,seconds,train_loss,train_accuracy,validation_loss,validation_accuracy,committed";

    fn line(&self) -> String {
        let measured = |value: f64| if value.is_nan() { String::new() } else { format!("{value:.6}") };
        format!(
            "{},{},{},{:.3},{:.6},{:.6},{},{},{}",
            self.step,
            self.sweep,
            self.mutants,
            self.seconds,
            self.train_loss,
            self.train_accuracy,
            measured(self.validation_loss),
            measured(self.validation_accuracy),
            self.committed
        )
    }
}
