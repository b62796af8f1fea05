//! From what a user sets to what a run uses.

use super::{Algorithm, Config, Facts, GraphKind, HiddenLayer, MigrationKind, Settings, ShareKind, presets};
use evobit_data::Schema;

impl Settings {
    /// Fills what is open for data of these facts: by the preset, else with defaults.
    ///
    /// # Errors
    /// A line that names the setting that is out of range, or says why no network fits the preset.
    pub fn resolve<'a>(mut self, data: impl Into<Facts<'a>>) -> Result<Config, String> {
        let facts = data.into();
        let kind = self.kind.unwrap_or_default();
        if self.preset.is_none() {
            self = self.or(kind.defaults());
        }
        let suggested = presets::suggest(&self, &facts)?;
        let (margin, temperature) = self.loss(facts.schema, &suggested.hidden);
        let smoothing = self.smoothing.unwrap_or_else(|| presets::smoothing(facts.schema, suggested.levels));
        let slope = self.slope();
        let algorithm = self.algorithm.unwrap_or(Algorithm::Spectrum);
        let genetic = algorithm == Algorithm::Genetic;
        let population = self.population.unwrap_or(50);
        let sweeps = self.sweeps.unwrap_or(if genetic { 2000 } else { suggested.sweeps });
        let (seed, test, validation) = (self.seed(), self.test(), self.validation(facts.schema));
        let config = Config {
            data: self.data.unwrap_or_else(|| "digits".into()),
            from: self.from,
            label: self.label,
            shape: self.shape,
            test,
            validation,
            seed,
            levels: suggested.levels,
            kind,
            hidden: suggested.hidden,
            margin,
            temperature,
            slope,
            copies: suggested.copies,
            together: self.together.unwrap_or(suggested.together),
            shift: self.shift.unwrap_or(suggested.shift),
            warp: self.warp.unwrap_or(suggested.warp),
            algorithm,
            sweeps,
            steps: self.steps,
            patience: self.patience.unwrap_or(if genetic { 200 } else { 10 }),
            target: self.target,
            proposals: self.proposals.unwrap_or(16),
            heat: self.heat.unwrap_or(suggested.heat),
            cooling: self.cooling.unwrap_or(if genetic { 0 } else { sweeps * 3 / 4 }),
            heats: self.heats,
            block: self.block.unwrap_or(64),
            smoothing,
            population,
            elites: self.elites.unwrap_or(population.saturating_sub(1).min(2)),
            tournament: self.tournament.unwrap_or(population.min(5)),
            flips: self.flips.unwrap_or(4),
            mating: self
                .mating
                .unwrap_or_else(|| if self.islands.is_some() { "union" } else { "uniform" }.into()),
            selection: self.selection.unwrap_or_else(|| "tournament".into()),
            mutation: self.mutation.unwrap_or_else(|| "flips".into()),
            objective: self.objective.unwrap_or_else(|| "loss".into()),
            batch: self.batch.unwrap_or(0),
            rate_generations: self.rate_generations.unwrap_or(0),
            islands: self.islands,
            epoch: self.epoch.unwrap_or(if genetic { 20 } else { 1 }),
            graph: self.graph.unwrap_or(GraphKind::Ring),
            migration: self.migration.unwrap_or(MigrationKind::Deterministic),
            latency: self.latency.unwrap_or(1),
            share: self.share.unwrap_or(ShareKind::All),
        };
        config.check()?;
        Ok(config)
    }

    /// Margin and temperature of the loss for a network with these hidden layers.
    pub(super) fn loss(&self, schema: &Schema, hidden: &[HiddenLayer]) -> (f64, f64) {
        let width = hidden.last().map_or(0, |layer| match layer {
            HiddenLayer::None => 0,
            HiddenLayer::Dense(neurons) => u64::from(*neurons),
            HiddenLayer::Window { output, .. } => output.units(),
        });
        // The spread of the scores of a random network grows with the square root of the neurons that vote.
        let scale = (width.max(16) as f64).sqrt();
        let (margin, temperature) = presets::loss_scale(schema);
        let margin = self.margin.unwrap_or_else(|| (margin * scale).round());
        let temperature = self.temperature.unwrap_or_else(|| (temperature * scale).round());
        (margin, temperature)
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or(1)
    }

    pub(super) fn test(&self) -> f64 {
        self.test.unwrap_or(0.2)
    }

    pub(super) fn validation(&self, schema: &Schema) -> f64 {
        self.validation.unwrap_or_else(|| presets::validation(schema))
    }

    pub(super) fn slope(&self) -> u32 {
        self.slope.unwrap_or(64)
    }
}
