//! The operators that a run may name: one line each.
//!
//! An operator is a type with a trait of [`evobit::evolve::genetic`]: [`Mutate`], [`Mate`], [`Select`], or an objective. To add
//! one, write its file and add its line to the table here; flags, help, configuration files and checks follow from that.

mod cases;
mod given;
mod lexicase;
mod map_elites;
mod measures;
mod novelty;
mod weights;

use evobit::evolve::genetic::{
    Flips, Genes, MajorityOfFive, MajorityOfThree, Mate, Mutate, OneParent, PowerLaw, Rate, Select,
    SelfAdaptive, Tournament, Truncation, Uniform, Union, WeightedVote, WholeUnits, WithinUnits,
};
use evobit::topology::Topology;

use cases::Cases;
pub(super) use cases::drawn;
pub use given::{Judged, Parameters};
use lexicase::Lexicase;
use map_elites::MapElites;
pub use measures::Measure;
use novelty::Novelty;
use weights::Weights;

/// A table of operators: a name, what it does, how it is made.
pub type Table<Make> = &'static [(&'static str, &'static str, Make)];
/// Makes a mutation of networks.
pub type MakeMutation = fn(&Parameters, &Topology) -> Box<dyn Mutate>;
/// Makes a mating.
pub type MakeMating = fn() -> Box<dyn Mate>;
/// Makes a selection, which may look at the samples to learn from.
pub type MakeSelection = for<'a> fn(&Parameters, Judged<'a>) -> Box<dyn Select + 'a>;

/// Expected flips in 256ths.
const ONE_FLIP: u32 = 256;

/// How to mutate.
pub const MUTATIONS: Table<MakeMutation> = &[
    ("flips", "exactly --flips bits", |config, _| Box::new(Flips(config.flips))),
    ("weights", "exactly --flips weights, no thresholds", |config, topology| {
        Box::new(Weights { topology: *topology, by: Flips(config.flips) })
    }),
    ("weights-power-law", "k weights as by power-law, no thresholds", |_, topology| {
        Box::new(Weights { topology: *topology, by: PowerLaw })
    }),
    ("rate", "each bit by itself, --flips of them on average", |config, topology| {
        Box::new(rate(config.flips, topology.count()))
    }),
    ("power-law", "k bits with a probability proportional to k^-1.5, whatever --flips", |_, _| {
        Box::new(PowerLaw)
    }),
    ("adaptive", "by a rate that each individual carries, --flips at first", |config, _| {
        adaptive(config, false)
    }),
    ("adaptive-layers", "by a rate for each layer", |config, _| adaptive(config, true)),
];

/// How to mate.
pub const MATINGS: Table<MakeMating> = &[
    ("none", "a child has one parent", || Box::new(OneParent)),
    ("uniform", "each bit from either parent", || Box::new(Uniform)),
    ("union", "both parents' flips against the best of the generation before", || Box::new(Union)),
    ("majority", "the flips that two of three parents share", || Box::new(MajorityOfThree)),
    ("majority-of-five", "the flips that three of five parents share", || Box::new(MajorityOfFive)),
    ("vote", "the flips that most of five parents share, the fitter counting more", || {
        Box::new(WeightedVote(5))
    }),
    ("neurons", "each neuron whole from either parent", || Box::new(WholeUnits)),
    ("within", "one neuron mixed from both parents, the others from the first", || Box::new(WithinUnits(1))),
];

/// How to select parents.
pub const SELECTIONS: Table<MakeSelection> = &[
    ("tournament", "the best of --tournament drawn", |config, _| Box::new(Tournament(config.tournament))),
    ("truncation", "any of the best --tournament", |config, _| Box::new(Truncation(config.tournament))),
    ("lexicase", "who is right on samples in random order, one after the other", |config, judged| {
        Box::new(Lexicase::new(Cases::new(judged, config.seed)))
    }),
    (
        "novelty",
        "of --tournament drawn the one that is right on the most unusual samples",
        |config, judged| Box::new(Novelty::new(Cases::new(judged, config.seed), config.tournament, false)),
    ),
    ("local", "by chance the most novel, or the one fittest among its like", |config, judged| {
        Box::new(Novelty::new(Cases::new(judged, config.seed), config.tournament, true))
    }),
    (
        "map-elites",
        "any that is the fittest of its kind; these live on, whatever --elites",
        |config, judged| Box::new(MapElites::new(judged, config.population, config.seed)),
    ),
];

/// What makes an individual fit.
pub const OBJECTIVES: Table<Measure> = &[
    ("loss", "a low loss", measures::loss),
    ("accuracy", "many samples right", measures::accuracy),
    ("improvement", "a lower loss than its first parent on the same samples", measures::improvement),
    (
        "first-error",
        "many samples right before the first wrong one, of equals the youngest",
        measures::first_error,
    ),
];

fn rate(flips: u32, genes: u32) -> Rate {
    let rate = (u64::from(flips) << 32) / u64::from(genes.max(1));
    Rate::new(rate.min(u64::from(u32::MAX)) as u32)
}

fn adaptive(config: &Parameters, per_layer: bool) -> Box<dyn Mutate> {
    Box::new(SelfAdaptive { per_layer, begin: config.flips.saturating_mul(ONE_FLIP) })
}

/// How the operator of this name is made.
pub fn find<Make: Copy>(table: Table<Make>, name: &str) -> Option<Make> {
    table.iter().find(|entry| entry.0 == name).map(|entry| entry.2)
}

/// The names of a table and what they mean.
pub fn names<Make>(table: Table<Make>) -> Vec<(&'static str, &'static str)> {
    table.iter().map(|&(name, help, _)| (name, help)).collect()
}

/// Refuses a name that is not in the table of a setting.
pub(crate) fn check<Make>(table: Table<Make>, setting: &str, name: &str) -> Result<(), String> {
    let names: Vec<&str> = table.iter().map(|entry| entry.0).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(format!("{setting} `{name}` is not known: it must be one of {}", names.join(", ")))
}

#[cfg(test)]
mod tests;
