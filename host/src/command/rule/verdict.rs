//! What the last exams say.

use serde::Serialize;

use evobit_rules::rule::{Course, CourseKind, Marks};

/// What networks came to.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Verdict {
    /// The first network's share of right answers; of Boolean functions the share of networks that answer all right.
    pub(super) test_accuracy: f64,
    /// The mean over all networks.
    pub(super) mean_accuracy: f64,
    /// The mean over all networks of every exam, in order.
    pub(super) exams: Vec<f64>,
    /// Samples of an exam.
    samples: u32,
    /// Networks.
    pub(super) networks: usize,
    /// Boolean functions: the share of starts that learned the function that is learned worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_function: Option<f64>,
}

impl Verdict {
    /// Of the marks of every batch of `course`.
    pub(super) fn new(course: &Course, marks: &[Vec<Marks>]) -> Self {
        let lanes = evobit_rules::rule::LANES;
        let exams = (0..marks.first().map_or(0, Vec::len))
            .map(|exam| marks.iter().map(|marks| marks[exam].accuracy()).sum::<f64>() / marks.len() as f64)
            .collect::<Vec<f64>>();
        let last: Vec<&Marks> = marks.iter().filter_map(|marks| marks.last()).collect();
        let samples = last.first().map_or(0, |marks| marks.samples);
        let mean_accuracy = last.iter().map(|marks| marks.accuracy()).sum::<f64>() / last.len().max(1) as f64;
        let mut verdict = Self {
            test_accuracy: 0.0,
            mean_accuracy,
            exams,
            samples,
            networks: last.len() * lanes,
            worst_function: None,
        };
        if course.kind == CourseKind::Boolean {
            let learned =
                last.iter().flat_map(|marks| marks.right).map(|right| f64::from(u8::from(right == samples)));
            let learned: Vec<f64> = learned.collect();
            let functions = (1usize << (1 << course.learn.inputs)) - 2;
            let share = |function: usize| {
                let of: Vec<f64> = learned.iter().copied().skip(function).step_by(functions).collect();
                of.iter().sum::<f64>() / of.len().max(1) as f64
            };
            verdict.test_accuracy = learned.iter().sum::<f64>() / learned.len().max(1) as f64;
            verdict.worst_function = Some((0..functions).map(share).fold(1.0, f64::min));
        } else {
            verdict.test_accuracy =
                last.first().map_or(0.0, |marks| f64::from(marks.right[0]) / f64::from(samples.max(1)));
        }
        verdict
    }
}
