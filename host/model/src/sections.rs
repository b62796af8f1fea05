//! The sections of a model's image, as core reads and rewrites them.

use evobit::image::{Change, ImageError, Section, Sections};

use super::Model;

impl Model {
    /// The sections.
    ///
    /// # Panics
    /// Never: the image was checked when the model was made.
    #[must_use]
    pub fn sections(&self) -> Sections<'_> {
        Sections::parse(self.bytes()).expect("the image was checked when the model was made")
    }

    /// The words of a section that every model has, or of one that it has.
    #[must_use]
    pub fn section(&self, section: Section) -> Vec<u32> {
        let bytes = self.sections().get(section as u32).unwrap_or_default();
        bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect()
    }

    /// The model with changed sections.
    ///
    /// # Errors
    /// Sections that do not make a model.
    pub fn with_changes(&self, changes: &[Change<'_>]) -> Result<Self, ImageError> {
        let sections = self.sections();
        let mut bytes = vec![0; sections.rewritten_len(changes)];
        sections.rewrite(changes, &mut bytes)?;
        Self::parse(&bytes).map(|(model, _)| model)
    }

    /// The model with another genome.
    ///
    /// # Errors
    /// A genome that is not one of its shape.
    pub fn with_genome(&self, genome: &[u32]) -> Result<Self, ImageError> {
        let genome: Vec<u8> = genome.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.with_changes(&[Change::put(Section::Genome as u32, &genome)])
    }
}
