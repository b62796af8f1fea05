//! Trials and what becomes of them.

use evobit::bits;
use evobit::evolve::landscape::MAX_TRIAL;
use evobit::genome::{Gene, GenomeMut, Mutation};

use super::CudaLandscape;
use super::state::{SETS, Trial, blocks};
use crate::cuda::device::{DeviceError, launch};

/// What kernels/cuda/apply.cu calls these.
const WAS_PLUS: u32 = 1 << 16;
const RAISE: u32 = 1 << 17;
const LOWER: u32 = 1 << 18;

// One bit for each mutation of a trial, one result for each set.
const _: () = assert!(MAX_TRIAL <= 64 && MAX_TRIAL.ilog2() < SETS as u32);

/// A trial that may be committed.
pub(super) enum PendingTrial {
    None,
    /// Of one neuron or class; nothing on the card has changed.
    One {
        mutations: Vec<Mutation>,
        trial: Box<Trial>,
        change: i64,
    },
    /// Of several: the card's state is the mutated one.
    Whole {
        genome: Vec<u32>,
        total: i64,
    },
}

/// The sets that the last trial scored, all of them the first mutations of one list.
pub(super) struct Scored {
    mutations: Vec<Mutation>,
    trial: Trial,
    /// Lengths and changes of loss.
    changes: Vec<(usize, i64)>,
}

/// The lengths that the search asks for one after the other: all, half of that and so on.
fn lengths(count: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(Some(count), |&length| Some(length / 2)).take_while(|&length| length > 0)
}

impl CudaLandscape<'_> {
    /// The mutations as kernels take them, each against the genome with those before it; `None` where one cannot be.
    pub(super) fn steps(&mut self, mutations: &[Mutation]) -> Option<Vec<u32>> {
        let mut steps = Vec::with_capacity(mutations.len());
        let mut genome = GenomeMut::new(self.topology, &mut self.genome).ok()?;
        for mutation in mutations {
            let (layer, neuron) = (usize::from(mutation.layer), u32::from(mutation.neuron));
            let plan = self.topology.layers().get(layer).filter(|plan| neuron < plan.neurons);
            let was = |input: u16| {
                let inside = plan.is_some_and(|plan| u32::from(input) < plan.inputs);
                inside && bits::get(genome.network().weights(layer, neuron), input.into())
            };
            let step = match mutation.gene {
                Gene::Weight(input) => u32::from(input) | if was(input) { WAS_PLUS } else { 0 },
                Gene::Raise => RAISE,
                Gene::Lower => LOWER,
            };
            if !genome.apply(*mutation) {
                break;
            }
            steps.push(step);
        }
        for mutation in mutations[..steps.len()].iter().rev() {
            genome.apply(mutation.inverse());
        }
        (steps.len() == mutations.len()).then_some(steps)
    }

    /// The change of loss of a trial, which is pending then.
    pub(super) fn try_mutations(
        &mut self,
        mutations: &[Mutation],
        steps: &[u32],
    ) -> Result<i64, DeviceError> {
        let Some(first) = mutations.first() else { return Ok(0) };
        if mutations.iter().any(|mutation| (mutation.layer, mutation.neuron) != (first.layer, first.neuron)) {
            return self.try_whole(mutations);
        }
        if let Some(known) = self.known(mutations) {
            return Ok(known);
        }
        let mut trial =
            Trial { visit: first.neuron.into(), count: steps.len() as u32, scored: 0, steps: [0; 64] };
        trial.steps[..steps.len()].copy_from_slice(steps);
        let mut sets: Vec<usize> = lengths(steps.len()).collect();
        sets.reverse();
        trial.scored = sets.iter().map(|length| 1 << (length - 1)).sum();
        if first.layer == 0 {
            trial.visit = self.visits(&[first.neuron])?[0];
        }
        let mut changes = [0; SETS];
        if self.state.samples > 0 {
            let first_result = self.results()?;
            let (grid, at) = ([blocks(&self.state), 1], self.memory.results.at(first_result));
            match (first.layer, self.state.slide) {
                (0, 0) => launch!(self.gpu.device, ApplyTryNeuron, grid, self.state, trial, at)?,
                (0, _) => launch!(self.gpu.device, ApplyTrySliding, grid, self.state, trial, at)?,
                _ => launch!(self.gpu.device, ApplyTryClass, grid, self.state, trial, at)?,
            }
            self.memory.results.read(first_result, &mut changes[..sets.len()])?;
        }
        let changes = sets.into_iter().zip(changes).collect();
        self.scored = Some(Scored { mutations: mutations.to_vec(), trial, changes });
        Ok(self.known(mutations).unwrap_or_default())
    }

    /// The change of loss of a set that the last trial scored, which is pending then.
    fn known(&mut self, mutations: &[Mutation]) -> Option<i64> {
        let scored = self.scored.as_ref().filter(|scored| scored.mutations.starts_with(mutations))?;
        let &(_, change) = scored.changes.iter().find(|&&(length, _)| length == mutations.len())?;
        let trial = Box::new(Trial { count: mutations.len() as u32, ..scored.trial });
        self.pending = PendingTrial::One { mutations: mutations.to_vec(), trial, change };
        Some(change)
    }

    /// Runs the mutated network on all samples.
    fn try_whole(&mut self, mutations: &[Mutation]) -> Result<i64, DeviceError> {
        self.scored = None;
        let mut genome = self.genome.clone();
        if let Ok(mut view) = GenomeMut::new(self.topology, &mut genome) {
            view.apply_all(mutations);
        }
        self.memory.genome.write(&genome)?;
        let (total, _) = self.rebuild()?;
        let change = total - self.total;
        self.pending = PendingTrial::Whole { genome, total };
        Ok(change)
    }

    /// Brings the card back to the genome that it had before the trial of a whole network.
    pub(super) fn restore(&mut self) -> Result<(), DeviceError> {
        self.memory.genome.write(&self.genome)?;
        let (total, _) = self.rebuild()?;
        if total != self.total {
            return Err(DeviceError::Wrong(format!("the loss is {total} and was {}", self.total)));
        }
        Ok(())
    }

    pub(super) fn commit_pending(&mut self, pending: PendingTrial) -> Result<(), DeviceError> {
        match pending {
            PendingTrial::None => return Ok(()),
            PendingTrial::Whole { genome, total } => (self.genome, self.total) = (genome, total),
            PendingTrial::One { mutations, trial, change } => {
                self.commit_one(&mutations, *trial)?;
                if let Ok(mut genome) = GenomeMut::new(self.topology, &mut self.genome) {
                    genome.apply_all(&mutations);
                }
                self.total += change;
            }
        }
        self.scored = None;
        Ok(())
    }

    /// Launches what brings the card up to date; the next question waits for it.
    fn commit_one(&mut self, mutations: &[Mutation], trial: Trial) -> Result<(), DeviceError> {
        let hidden = mutations.first().is_some_and(|mutation| mutation.layer == 0);
        let (state, row) = (self.state, self.topology.layer(usize::from(!hidden)));
        let weights = row.weights + (trial.visit & 0xffff) * row.row_words;
        let (grid, genome) = ([blocks(&state), 1], state.genome);
        if !hidden && state.samples > 0 {
            launch!(self.gpu.device, ApplyCommitClass, grid, state, trial)?;
        }
        launch!(
            self.gpu.device,
            ApplyGenome,
            [1, 1],
            genome,
            trial,
            weights,
            row.thresholds,
            row.threshold_bits
        )?;
        if hidden && state.samples > 0 {
            // Its view may have gone since it was tried.
            let visit = self.visits(&[trial.visit as u16])?[0];
            launch!(self.gpu.device, ApplyCommitNeuron, grid, state, visit)?;
        }
        Ok(())
    }
}
