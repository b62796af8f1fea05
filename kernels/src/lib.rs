//! The CUDA kernels of evobit: their sources, for NVRTC, and the PTX made from them, for cards without it.
//!
//! See the README of this package for how the PTX is made, and the first lines of each source for what its kernels compute,
//! what memory they move and what bounds them.

#[cfg(feature = "shim")]
pub mod shim;

/// The kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Kernel {
    /// Spectra of hidden neurons, sums under masks.
    SpectrumMasked,
    /// Spectra of hidden neurons, on tensor cores: from compute capability 8.0 on.
    SpectrumTensor,
    /// The same where windows slide, sums under masks.
    SpectrumSlidingMasked,
    /// The same on tensor cores.
    SpectrumSlidingTensor,
    /// Changes of loss by steps of scores, as bit planes.
    SpectrumPlanes,
    /// Spectra of classes from those.
    SpectrumClasses,
    /// What windows show.
    ApplyViews,
    /// What windows that slide show, wherever they slide.
    ApplyFields,
    /// The signs of hidden neurons.
    ApplyNeurons,
    /// Scores, and what flips of hidden neurons would do.
    ApplyScores,
    /// Loss and correct answers.
    ApplyMeasure,
    /// A trial of one hidden neuron.
    ApplyTryNeuron,
    /// The same where its window slides.
    ApplyTrySliding,
    /// A trial of one class.
    ApplyTryClass,
    /// Mutates the genome.
    ApplyGenome,
    /// Commits a trial of a hidden neuron.
    ApplyCommitNeuron,
    /// Commits a trial of a class.
    ApplyCommitClass,
    /// Any layer of a population.
    PopulationLayer,
    /// Windows over inputs that all genomes share.
    PopulationWindows,
    /// Dense layers by population counts.
    PopulationCounts,
    /// Dense layers with carry-save adders before the counts.
    PopulationAdders,
    /// Dense layers on tensor cores with exclusive or.
    PopulationDiffer,
    /// Dense layers on tensor cores with and.
    PopulationBoth,
    /// The loss of a population.
    PopulationLoss,
    /// As many population counts as the card can do.
    CeilingCounts,
    /// As many products of bits with exclusive or.
    CeilingDiffer,
    /// As many products of bits with and.
    CeilingBoth,
}

impl Kernel {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 27] = [
        Self::SpectrumMasked,
        Self::SpectrumTensor,
        Self::SpectrumSlidingMasked,
        Self::SpectrumSlidingTensor,
        Self::SpectrumPlanes,
        Self::SpectrumClasses,
        Self::ApplyViews,
        Self::ApplyFields,
        Self::ApplyNeurons,
        Self::ApplyScores,
        Self::ApplyMeasure,
        Self::ApplyTryNeuron,
        Self::ApplyTrySliding,
        Self::ApplyTryClass,
        Self::ApplyGenome,
        Self::ApplyCommitNeuron,
        Self::ApplyCommitClass,
        Self::PopulationLayer,
        Self::PopulationWindows,
        Self::PopulationCounts,
        Self::PopulationAdders,
        Self::PopulationDiffer,
        Self::PopulationBoth,
        Self::PopulationLoss,
        Self::CeilingCounts,
        Self::CeilingDiffer,
        Self::CeilingBoth,
    ];

    /// Its name in the sources.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SpectrumMasked => "spectrum_masked",
            Self::SpectrumTensor => "spectrum_tensor",
            Self::SpectrumSlidingMasked => "spectrum_sliding_masked",
            Self::SpectrumSlidingTensor => "spectrum_sliding_tensor",
            Self::SpectrumPlanes => "spectrum_planes",
            Self::SpectrumClasses => "spectrum_classes",
            Self::ApplyViews => "apply_views",
            Self::ApplyFields => "apply_fields",
            Self::ApplyNeurons => "apply_neurons",
            Self::ApplyScores => "apply_scores",
            Self::ApplyMeasure => "apply_measure",
            Self::ApplyTryNeuron => "apply_try_neuron",
            Self::ApplyTrySliding => "apply_try_sliding",
            Self::ApplyTryClass => "apply_try_class",
            Self::ApplyGenome => "apply_genome",
            Self::ApplyCommitNeuron => "apply_commit_neuron",
            Self::ApplyCommitClass => "apply_commit_class",
            Self::PopulationLayer => "population_layer",
            Self::PopulationWindows => "population_windows",
            Self::PopulationCounts => "population_counts",
            Self::PopulationAdders => "population_adders",
            Self::PopulationDiffer => "population_differ",
            Self::PopulationBoth => "population_both",
            Self::PopulationLoss => "population_loss",
            Self::CeilingCounts => "ceiling_counts",
            Self::CeilingDiffer => "ceiling_differ",
            Self::CeilingBoth => "ceiling_both",
        }
    }

    /// The lowest compute capability that has it, 75 for 7.5.
    #[must_use]
    pub const fn needs(self) -> u32 {
        match self {
            Self::SpectrumTensor | Self::SpectrumSlidingTensor | Self::PopulationBoth | Self::CeilingBoth => {
                80
            }
            Self::PopulationDiffer | Self::CeilingDiffer => 75,
            _ => 0,
        }
    }
}

/// The sources, by the name they are included by.
const SOURCES: [(&str, &str); 9] = [
    ("all.cu", include_str!("../cuda/all.cu")),
    ("common.cuh", include_str!("../cuda/common.cuh")),
    ("landscape.cuh", include_str!("../cuda/landscape.cuh")),
    ("sliding.cuh", include_str!("../cuda/sliding.cuh")),
    ("tensor.cuh", include_str!("../cuda/tensor.cuh")),
    ("ceiling.cu", include_str!("../cuda/ceiling.cu")),
    ("population.cu", include_str!("../cuda/population.cu")),
    ("spectrum.cu", include_str!("../cuda/spectrum.cu")),
    ("apply.cu", include_str!("../cuda/apply.cu")),
];

/// PTX of version 6.3 for sm_53: runs on every card since, with driver 10.2 or later.
pub const PTX_SM_53: &str = include_str!("../ptx/sm_53.ptx");

/// All kernels as one source without includes, as NVRTC takes it.
#[must_use]
pub fn source() -> String {
    let mut seen = Vec::new();
    include("all.cu", &mut seen)
}

/// A source with what it includes, each once. Includes of what is no CUDA source stay: only other compilers come to them.
fn include(name: &str, seen: &mut Vec<String>) -> String {
    seen.push(name.to_owned());
    let text = SOURCES.iter().find(|(other, _)| *other == name).map_or("", |(_, text)| text);
    let mut joined = String::new();
    for line in text.lines().filter(|line| *line != "#pragma once") {
        let included = line.strip_prefix("#include \"").and_then(|rest| rest.strip_suffix('"'));
        match included.filter(|included| SOURCES.iter().any(|(other, _)| other == included)) {
            Some(included) if seen.iter().any(|other| other == included) => {}
            Some(included) => joined += &include(included, seen),
            None => joined += &format!("{line}\n"),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_whole_and_has_each_file_once() {
        let source = source();
        for (name, text) in &SOURCES[1..] {
            let first = text.lines().find(|line| line.starts_with("// ")).unwrap();
            assert_eq!(source.matches(first).count(), 1, "{name}");
        }
    }

    #[test]
    fn every_kernel_is_in_the_source_and_in_the_ptx() {
        let source = source();
        for (index, kernel) in Kernel::ALL.into_iter().enumerate() {
            assert_eq!(kernel as usize, index);
            assert!(source.contains(&format!("KERNEL {}(", kernel.name())), "{kernel:?}");
            let entry = format!(".entry {}(", kernel.name());
            assert_eq!(PTX_SM_53.contains(&entry), kernel.needs() <= 53, "{kernel:?}");
        }
        assert_eq!(source.matches("\nKERNEL ").count(), Kernel::ALL.len());
    }
}
