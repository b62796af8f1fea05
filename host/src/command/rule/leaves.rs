//! What `evobit rule train` leaves: files for boards, pictures, a table.

use serde::Serialize;

use super::super::Failure;
use super::super::table::{lines, percent, plural};
use super::given::Given;
use super::verdict::Verdict;
use evobit::image::Checksum;
use evobit::rule::baseline::Delta;
use evobit::rule::{EvolvedRule, Lanes, ShapeError, Weight, image};
use evobit_report::CurvePoint;
use evobit_rules::rule::meta::{ChapterRow, MetaOutcome};
use evobit_rules::rule::picture::animate;
use evobit_rules::rule::{Batch, Course, CourseKind, HIGHEST, LANES, Phase, Room, live, rule_image};
use evobit_search::RunFolder;

/// Frames of an animation.
const FRAMES: usize = 40;

/// The delta rule on the same tasks.
#[derive(Debug, Serialize)]
pub(super) struct Baseline {
    /// The rate that was best on the tasks that choose.
    rate: u8,
    /// What networks come to by it.
    #[serde(flatten)]
    verdict: Verdict,
}

impl Baseline {
    pub(super) fn new(rate: u8, course: &Course) -> Result<Self, Failure> {
        let marks = Given::Delta(Delta { rate }).learn("the delta rule", course)?;
        Ok(Self { rate, verdict: Verdict::new(course, &marks) })
    }
}

/// Writes what a run leaves beside its rule: the network that learned by it, curves and animations. `from` is the rule that evolution
/// began with.
pub(super) fn save(
    folder: &RunFolder,
    outcome: &MetaOutcome,
    from: &EvolvedRule,
    rule: &EvolvedRule,
    batch: &Batch,
) -> Result<(), Failure> {
    folder.write("rule.evr", &rule_image(&outcome.genome)?)?;
    let mut room = Room::new();
    live(rule, batch, &mut room)?;
    let mut bytes = vec![0; image::image_len(Some(&batch.shape))];
    image::write(
        &outcome.genome,
        Some((&batch.shape, batch.plasticity.kind, &first_lane(room.weights()))),
        &mut bytes,
    )?;
    folder.write("network.evr", &bytes)?;
    let trained = first_lane(room.weights());
    let mut bytes = vec![0; image::image_len(Some(&batch.shape))];
    image::write(
        &outcome.genome,
        Some((&batch.shape, batch.plasticity.kind, &first_lane(&batch.start))),
        &mut bytes,
    )?;
    folder.write("start.evr", &bytes)?;
    folder.write("samples.bin", &first_stream(batch))?;
    folder.write("network.crc", format!("{:08x}", weights_checksum(&trained)).as_bytes())?;
    folder.write_metrics(&outcome.rows)?;
    let point = |row: &ChapterRow| CurvePoint {
        x: row.generation.into(),
        train_accuracy: f64::NAN,
        validation_accuracy: row.accuracy,
        train_loss: 1.0 - row.best as f64 / HIGHEST as f64,
        validation_loss: 1.0 - row.validation as f64 / HIGHEST as f64,
    };
    let points: Vec<CurvePoint> = outcome.rows.iter().map(point).collect();
    evobit_report::curves(&folder.file("curves.svg"), "generations", &points)?;
    animate(&folder.file("epochs.gif"), &batch.shape, &course_of(rule, batch)?)?;
    let mut ends = vec![];
    let chapters = outcome.chapters.iter().map(|genome| EvolvedRule::new(genome));
    for chapter in std::iter::once(Ok(*from)).chain(chapters) {
        live(&chapter?, batch, &mut room)?;
        ends.push(room.weights().to_vec());
    }
    animate(&folder.file("generations.gif"), &batch.shape, &ends)?;
    Ok(())
}

/// What the first lane is shown, as a board reads it: 0 to learn, 1 to answer or 2 to learn without a class, the class, the inputs.
fn first_stream(batch: &Batch) -> Vec<u8> {
    let mut bytes = vec![];
    for phase in &batch.phases {
        let (mode, samples) = match phase {
            Phase::Learn(samples) => (if batch.labelled { 0 } else { 2 }, samples),
            Phase::Exam(samples, _) => (1, samples),
            // A board's weights change by learning alone.
            Phase::Replace(_) => break,
        };
        for sample in samples {
            bytes.extend([mode, sample.classes[0]]);
            bytes.extend(sample.inputs.iter().map(|input| input[0] as u8));
        }
    }
    bytes
}

/// The checksum of values and states, as a board tells it.
fn weights_checksum(weights: &[Weight<1>]) -> u32 {
    let mut sum = Checksum::new();
    for weight in weights {
        sum.update(&weight.value.0[0].to_le_bytes());
        sum.update(&weight.state.0[0].to_le_bytes());
    }
    sum.value()
}

/// The weights of the first lane.
fn first_lane(weights: &[Weight<LANES>]) -> Vec<Weight<1>> {
    let lane = |weight: &Weight<LANES>| Weight {
        value: Lanes([weight.value.0[0]]),
        state: Lanes([weight.state.0[0]]),
    };
    weights.iter().map(lane).collect()
}

/// The weights at equal distances of the first lesson, the start included.
fn course_of(rule: &EvolvedRule, batch: &Batch) -> Result<Vec<Vec<Weight<LANES>>>, ShapeError> {
    let mut frames = vec![batch.start.clone()];
    let lesson = batch
        .phases
        .iter()
        .find_map(|phase| if let Phase::Learn(samples) = phase { Some(samples) } else { None });
    let lesson = lesson.map_or(&[][..], |samples| samples);
    let mut room = Room::new();
    for part in lesson.chunks(lesson.len().div_ceil(FRAMES).max(1)) {
        let start = frames.last().cloned().unwrap_or_default();
        let phases = vec![Phase::Learn(part.to_vec())];
        live(rule, &Batch { start, phases, ..batch.clone() }, &mut room)?;
        frames.push(room.weights().to_vec());
    }
    Ok(frames)
}

/// The result for people.
pub(super) fn table(
    course: &Course,
    verdict: &Verdict,
    baseline: Option<&Baseline>,
    outcome: &MetaOutcome,
    rule: &EvolvedRule,
    seconds: f64,
    path: &str,
) -> String {
    let name = if course.kind == CourseKind::Boolean {
        "functions learned, all answers right"
    } else {
        "accuracy on test samples"
    };
    let exams: Vec<String> = verdict.exams.iter().map(|&share| percent(share)).collect();
    let by_delta = baseline.map_or_else(
        || String::from("-"),
        |Baseline { rate, verdict }| {
            let [first, mean] = [verdict.test_accuracy, verdict.mean_accuracy].map(percent);
            format!("{first}, mean of all networks {mean} (delta:{rate}, the best rate while evolving)")
        },
    );
    let mut text = lines(&[
        (name, percent(verdict.test_accuracy)),
        ("exams, mean of all networks", exams.join(", ")),
        ("the same by the delta rule", by_delta),
        ("networks", verdict.networks.to_string()),
        ("rule", plural(rule.terms() as u64, "coefficient")),
        ("evolution", format!("{seconds:.1} s, {} generations", outcome.generations)),
    ]);
    text += &format!("\nrule      {path}\n");
    text += "pictures  beside it: curves.svg, epochs.gif, generations.gif";
    text
}
