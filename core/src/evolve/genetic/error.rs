//! What can be wrong with a population's buffers or a configuration.

use core::fmt;

/// Why a population or a genetic algorithm cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A genome has no words, or no evolvable bits.
    NoGenes,
    /// The genome buffer is not `2 * capacity + 1` rows long.
    GenomeBuffer,
    /// The fitness buffer is not `2 * capacity` values long.
    FitnessBuffer,
    /// There is room for more individuals than `u32` counts.
    CapacityTooLarge,
    /// The configuration asks for no individuals.
    NoIndividuals,
    /// The configuration asks for more individuals than the population has room for.
    TooManyIndividuals,
    /// The elites leave no place for a child.
    TooManyElites,
    /// Selection is among no individuals, or among more than there are.
    SelectionSize,
    /// A mating asks for no parents, or for more than a child can have.
    Parents,
    /// More bits are to flip than are evolvable.
    TooManyFlips,
    /// Genes and population disagree on the words of a genome.
    GenomeWords,
    /// The genome to start from has another number of words than the population's.
    OriginWords,
    /// A snapshot is not of as many individuals, or of genomes of as many words, as the population.
    SnapshotWords,
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoGenes => "a genome needs at least one word and one evolvable bit",
            Self::GenomeBuffer => "the genome buffer must hold 2 * capacity + 1 genomes",
            Self::FitnessBuffer => "the fitness buffer must hold 2 * capacity values",
            Self::CapacityTooLarge => "a population holds at most u32::MAX individuals",
            Self::NoIndividuals => "a population needs at least one individual",
            Self::TooManyIndividuals => "the population size exceeds the capacity of its buffers",
            Self::TooManyElites => "there must be fewer elites than individuals",
            Self::SelectionSize => "selection must be among at least one and at most all individuals",
            Self::Parents => "a child must have one to five parents",
            Self::TooManyFlips => "a mutation cannot flip more bits than are evolvable",
            Self::GenomeWords => {
                "genes and strategy need another number of words than the population's individuals have"
            }
            Self::OriginWords => {
                "the genome to start from must have as many words as the population's genomes"
            }
            Self::SnapshotWords => "the snapshot must be of a population of this size and these genomes",
        })
    }
}

impl core::error::Error for Error {}
