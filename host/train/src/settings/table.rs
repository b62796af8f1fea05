//! The table of settings. All that is known of a setting stands in its one entry.
//!
//! From it follow the fields of [`Settings`] and [`TrainConfig`], flags, help, keys of files, defaults and checks: see
//! [`declare`](super::declare). Keys of a saved file and flags in the help are in the order of this table.
//!
//! To add a setting, add its entry, and use the field of [`TrainConfig`] that it makes:
//!
//! ```text
//! /// Probability that a spectrum is computed anew      the help text, without its default
//! refresh: f64 {                                        key of files, flag --refresh, field of Settings and TrainConfig
//!     flag: Search "SHARE",                             heading and value name in the help
//!     default: "0.5",                                   what stands where it is not set
//!     check: range(0.0, 1.0),                           "refresh must be 0 to 1"
//! }
//! ```
//!
//! The parts of an entry, in this order, all but the default optional, each with a comma behind it:
//!
//! - `flag: HEADING "VALUE NAME"`; without it a setting is of files alone. `signed` behind it: the value may be written with a minus.
//! - `one_of: TABLE`: it names an operator of this table. Help and check follow from that.
//! - The default, one of four:
//!   `default: "16"`, a value as on the command line; `computed: "in words" = RULE`, a function of all that is known of a
//!   run; `optional: "in words"`, where `TrainConfig` may have none; `chooses: "in words"`, where other settings follow from
//!   it and `TrainConfig` does not have it.
//! - `check: CHECK`, of a value by itself. Checks of several together are in [`together`](super::together).
//! - `decided_by: Preset`, opened again by a preset that stands above it; `decided_by: Model`, not allowed beside `from`.

use std::path::PathBuf;

use evobit::evolve::landscape::MAX_TRIAL;
use evobit::evolve::search::MAX_BLOCK;
use evobit::evolve::smooth::MAX_RADIUS;
use evobit_data::augment::MAX_WARP;
use evobit_data::{Decimal, Missing, Separator};

use super::check::{AT_LEAST_ONE, COPIES, EPOCH, HEAT, SHARES, holds, if_set, range, range_of};
use super::declare::settings;
use super::open::Open;
use super::suggestion::{self, three_quarters};
use super::{Algorithm, GraphKind, HiddenLayer, ImageShape, MigrationKind, Preset, ShareKind, TestPart};
use crate::family::FamilyName;
use crate::operators;

/// Each is a thread.
const MOST_ISLANDS: u16 = 1024;

settings! {
    /// What to learn: `digits` or `iris` (built in), a folder of IDX files such as MNIST's, or a CSV file; memorize:512 for
    /// 512 random images with random labels, memorize:512:7 for those of seed 7
    data: String {
        flag: Data "SOURCE",
        default: "digits",
    }
    /// Continue from this model, such as one pulled from a board: its network, encoding and loss stay, and the search starts
    /// from its genome, without heat unless --heat is set
    from: PathBuf {
        flag: Network "MODEL",
        optional: "",
    }
    /// Choose network and search for a model image of at most 8192 bytes (small), 32 KB (medium) or 256 KB (large); settings
    /// given beside it win
    preset: Preset {
        flag: Network "SIZE",
        chooses: "",
        decided_by: Preset Model,
    }
    /// Label column of a CSV file, by name or by number from 1
    label: String {
        flag: Data "COLUMN",
        optional: "the last",
    }
    /// What becomes of missing values in a CSV file: `bit`, a column that has some gets one more bit, which tells where; `skip`,
    /// their lines are left out; `error`. Given, it is done with texts among numbers too
    missing: Missing {
        flag: Data "HOW",
        optional: "bit",
    }
    /// What parts the cells of a CSV file
    separator: Separator {
        flag: Data "WHICH",
        optional: "found out",
    }
    /// What stands before the decimals in a CSV file
    decimal: Decimal {
        flag: Data "WHICH",
        optional: "found out",
    }
    /// The first line of a CSV file is a sample, whatever it looks like
    no_header: bool {
        flag: Data "YES",
        optional: "found out",
    }
    /// Columns of a CSV file to leave out, by name or by number from 1, separated by commas
    drop: Vec<String> {
        flag: Data "COLUMNS",
        optional: "",
        decided_by: Model,
    }
    /// Columns of a CSV file to learn from, and no others but the label
    only: Vec<String> {
        flag: Data "COLUMNS",
        optional: "all",
        decided_by: Model,
    }
    /// Columns of a CSV file that are categories, though they hold numbers
    categorical: Vec<String> {
        flag: Data "COLUMNS",
        optional: "those with texts",
        decided_by: Model,
    }
    /// Columns of a CSV file that hold numbers, though they look like categories
    numeric: Vec<String> {
        flag: Data "COLUMNS",
        optional: "those without texts",
        decided_by: Model,
    }
    /// Read the columns of a CSV file as an image: HEIGHTxWIDTH or CHANNELSxHEIGHTxWIDTH
    shape: ImageShape {
        flag: Data "SHAPE",
        optional: "",
        decided_by: Model,
    }
    /// Share of the samples held out for the final test, where the data has no test part; or a file with test samples
    test: TestPart {
        flag: Data "SHARE|FILE",
        default: "0.2",
        check: holds(|test: &TestPart| is_share(&test.share()), SHARES),
    }
    /// Column of a CSV file that says who or what a sample comes from, such as a person or a recording: none of them is in two of
    /// training, validation and test samples
    group: String {
        flag: Data "COLUMN",
        optional: "",
    }
    /// Column of a CSV file that says which part a sample belongs to: train, validation or test
    split: String {
        flag: Data "COLUMN",
        optional: "",
    }
    /// Share of the samples that are validation samples: the search learns nothing from them, they choose the model
    validation: f64 {
        flag: Data "SHARE",
        computed: "0.1, of tables 0.05" = |run| suggestion::validation(run.facts.schema),
        check: holds(is_share, SHARES),
    }
    /// Seed of the split, the start and the search: the same seed gives the same model
    seed: u64 {
        flag: Search "SEED",
        default: "1",
    }
    /// Thermometer levels per pixel or numeric column: one bit each
    levels: u16 {
        flag: Network "N",
        computed: "by the data; more where images are grey" = |run| run.suggested.levels,
        check: range(1, 1024),
        decided_by: Preset Model,
    }
    /// What the network is: `network`, layers of neurons, or `memory`, prototypes: the nearest one answers, and --hidden is
    /// their number
    kind: FamilyName {
        flag: Network "KIND",
        default: "network",
        decided_by: Model,
    }
    /// Hidden layers: NEURONS (dense) or NEURONS@HxW (each neuron sees a window of H by W pixels at its own place; NEURONS@PxHxW
    /// for P planes, one for each level), separated by commas; `none` for no hidden layer
    hidden: Vec<HiddenLayer> {
        flag: Network "LAYERS",
        computed: "by the data" = |run| run.suggested.hidden.clone(),
        check: holds(|hidden: &Vec<_>| hidden.len() <= 1 || !hidden.contains(&HiddenLayer::None), "hidden `none` stands alone"),
        decided_by: Preset Model,
    }
    /// Rows and columns by which the windows of images slide: neurons look for their pattern at (N + 1)^2 positions, which makes
    /// models more accurate, and slower by that factor; up to 7, 0 for not at all
    slide: u16 {
        flag: Network "N",
        chooses: "4; 0 with preset small unless images are grey, and where a window sees several planes",
        decided_by: Preset,
    }
    /// How far the right score should lie above each wrong one
    margin: f64 {
        flag: Network "MARGIN" signed,
        computed: "by the network" = |run| run.loss().0,
        decided_by: Preset Model,
    }
    /// How gradually the loss sets in around the margin, in units of the score
    temperature: f64 {
        flag: Network "TEMPERATURE",
        computed: "by the network" = |run| run.loss().1,
        decided_by: Preset Model,
    }
    /// Resolution of the integer loss: units for each step of the score
    slope: u32 {
        flag: Network "UNITS",
        default: "64",
        decided_by: Model,
    }
    /// Distorted copies of each image, the image itself among them, that the hot sweeps learn from by turns; 1 for none
    copies: u16 {
        flag: Data "N",
        computed: "by the data" = |run| run.suggested.copies,
        check: holds(|copies| (1..=1000).contains(copies), COPIES),
        decided_by: Preset,
    }
    /// Copies that the cold sweeps learn from together
    together: u16 {
        flag: Data "N",
        computed: "as many as make 300000 samples, at least 1" = |run| run.suggested.together,
        check: holds(|&together| together > 0, COPIES),
        decided_by: Preset,
    }
    /// Largest shift of copies, in pixels
    shift: f64 {
        flag: Data "PIXELS",
        computed: "1, for small images 0.5" = |run| run.suggested.shift,
        check: range_of(0.0, 8.0, " pixels"),
        decided_by: Preset,
    }
    /// Largest turn of copies, in radians; they are sheared and stretched by up to half of it
    warp: f64 {
        flag: Data "RADIANS",
        computed: "0.1, or 0.2 with preset medium or large" = |run| run.suggested.warp,
        check: range(0.0, MAX_WARP),
        decided_by: Preset,
    }
    /// How to search: `spectrum` (exact effect of every single-bit mutant) or `genetic` (a classical genetic algorithm, for
    /// comparison)
    algorithm: Algorithm {
        flag: Search "ALGORITHM",
        default: "spectrum",
    }
    /// Stop after so many sweeps over all neurons (spectrum) or generations (genetic)
    sweeps: u32 {
        flag: Search "N",
        computed: "40, by the preset, or 2000" = |run| if run.is_genetic() { 2000 } else { run.suggested.sweeps },
        check: holds(|&sweeps| sweeps > 0, AT_LEAST_ONE),
        decided_by: Preset,
    }
    /// Stop after so many steps of the search; a run that was stopped early records its steps here
    steps: u64 {
        flag: Search "N",
        optional: "no limit",
        check: if_set(holds(|&steps| steps > 0, AT_LEAST_ONE)),
    }
    /// Stop after so many sweeps without a better result on the validation samples
    patience: u32 {
        flag: Search "N",
        computed: "10; 200 generations" = |run| if run.is_genetic() { 200 } else { 10 },
        check: holds(|&patience| patience > 0, AT_LEAST_ONE),
    }
    /// Stop when the model that would be saved is right on this share of the validation samples, such as 0.97, or with
    /// --validation 0 of the training samples; held-out samples are never looked at
    target: f64 {
        flag: Search "SHARE" signed,
        optional: "no limit",
        check: if_set(holds(|&target| target > 0.0 && target <= 1.0,
            "target must be a share of the samples, more than 0 and up to 1, such as 0.97")),
    }
    /// Most flips that a neuron proposes together
    proposals: u16 {
        flag: Search "N",
        default: "16",
        check: range(1, MAX_TRIAL as u16),
    }
    /// How far uphill the search may go at first, in mean loss, to leave local optima; 0 for never
    heat: f64 {
        flag: Search "LOSS",
        computed: "0.002, or by the preset" = |run| run.suggested.heat,
        check: holds(is_heat, HEAT),
        decided_by: Preset,
    }
    /// Sweeps over which the heat falls to 0; with a budget it is 0 after three quarters of the budget at the latest
    cooling: u32 {
        flag: Search "N",
        computed: "three quarters of the sweeps" = |run| if run.is_genetic() { 0 } else { three_quarters(run.sweeps()) },
        decided_by: Preset,
    }
    /// The heat of every sweep, 0 after the last of them, in place of heat and cooling: how a run is recorded that a
    /// budget cooled
    heats: Vec<f64> {
        optional: "",
        check: if_set(holds(|heats: &Vec<f64>| heats.iter().all(is_heat), HEAT)),
        decided_by: Preset,
    }
    /// Neurons whose spectra are computed together
    block: u16 {
        flag: Search "N",
        default: "64",
        check: range(1, MAX_BLOCK as u16),
    }
    /// While the search is hot, choose which weights to flip by the mean change of loss over so many levels of a table's column
    /// to either side; 0 for none
    smoothing: u16 {
        flag: Search "LEVELS",
        computed: "half the levels" = |run| suggestion::smoothing(run.facts.schema, run.levels()),
        check: range_of(0, MAX_RADIUS as u16, " levels"),
        decided_by: Preset,
    }
    /// Individuals of the genetic algorithm, on each island
    population: u32 {
        flag: Search "N",
        default: "50",
        check: range(2, 100_000),
    }
    /// Individuals that live on unchanged
    elites: u32 {
        flag: Search "N",
        computed: "2" = |run| run.population().saturating_sub(1).min(2),
    }
    /// Parents are the best of so many drawn at random, or any of the best so many (selection `truncation`)
    tournament: u32 {
        flag: Search "N",
        computed: "5" = |run| run.population().min(5),
    }
    /// Bits that a mutation of the genetic algorithm flips, on average where their number varies
    flips: u32 {
        flag: Search "N",
        default: "4",
    }
    /// How parents mate; also how the spectrum-guided search of an island mates with immigrants
    mating: String {
        flag: Search "OPERATOR",
        one_of: operators::MATINGS,
        computed: "uniform, with islands union" = |run| {
            if run.settings.islands.is_some() { "union" } else { "uniform" }.into()
        },
    }
    /// How the genetic algorithm selects parents
    selection: String {
        flag: Search "OPERATOR",
        one_of: operators::SELECTIONS,
        default: "tournament",
    }
    /// How the genetic algorithm mutates
    mutation: String {
        flag: Search "OPERATOR",
        one_of: operators::MUTATIONS,
        default: "flips",
    }
    /// What makes an individual of the genetic algorithm fit
    objective: String {
        flag: Search "OBJECTIVE",
        one_of: operators::OBJECTIVES,
        default: "loss",
    }
    /// Samples that a generation of the genetic algorithm is scored on, drawn anew for each; 0 for all
    batch: u32 {
        flag: Search "N",
        default: "0",
    }
    /// Generations at the start in which adaptive rates evolve and nothing else
    rate_generations: u32 {
        flag: Search "N",
        default: "0",
    }
    /// Evolve on so many islands, which exchange migrants; the result depends on their number, not on the threads or machines
    /// that they run on
    islands: u16 {
        flag: Islands "N",
        optional: "none, one search on all threads",
        check: if_set(range(1, MOST_ISLANDS)),
    }
    /// Sweeps or generations between two exchanges
    epoch: u32 {
        flag: Islands "N",
        computed: "1 sweep, 20 generations" = |run| if run.is_genetic() { 20 } else { 1 },
        check: holds(|&epoch| epoch > 0, EPOCH),
    }
    /// Which island sends its best to which: `ring`, `torus`, `random` (another ring each time) or `all`
    graph: GraphKind {
        flag: Islands "GRAPH",
        default: "ring",
    }
    /// `deterministic`: migrants enter after --latency epochs, and an island waits for those that are late. `async`: no island
    /// waits, and arrivals are recorded, so that --replay repeats the run
    migration: MigrationKind {
        flag: Islands "MIGRATION",
        default: "deterministic",
    }
    /// Epochs after which a migrant enters, 1 or more: the time that messages between islands may take
    latency: u32 {
        flag: Islands "EPOCHS",
        default: "1",
        check: holds(|&latency| latency > 0, EPOCH),
    }
    /// What the islands of the spectrum-guided search learn from while they are hot: `all` samples, or `parts`, each island
    /// another part, by turns
    share: ShareKind {
        flag: Islands "SHARE",
        default: "all",
    }
}

fn is_share(value: &f64) -> bool {
    (0.0..1.0).contains(value)
}

fn is_heat(value: &f64) -> bool {
    (0.0..=100.0).contains(value)
}
