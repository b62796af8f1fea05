//! Models that are memories: an image like any other, and a section that says how its genome is read.
//!
//! ```text
//! section 0x80000002, memory
//!   0   4    how many of the nearest prototypes vote, 1
//! ```

use evobit::image::Image;

use super::{Model, ModelKind};
use crate::evaluate::Classify;
use crate::prototypes::{Prototypes, fits};

/// The section's kind.
const KIND: u32 = 0x8000_0002;
const PAYLOAD: [u8; 4] = 1u32.to_le_bytes();

impl Model {
    /// How the genome is read.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        let is_memory = self.sections().contains(&(KIND, &PAYLOAD)) && fits(self.image().topology());
        if is_memory { ModelKind::Memory } else { ModelKind::Network }
    }

    /// The model, its genome to be read so.
    #[must_use]
    pub fn of_kind(self, kind: ModelKind) -> Self {
        let mut sections = self.sections();
        sections.retain(|&(section, _)| section != KIND);
        if kind == ModelKind::Memory {
            sections.push((KIND, &PAYLOAD));
        }
        self.with_sections(&sections).unwrap_or_else(|| self.clone())
    }

    /// What answers with this model, whose image this is, on all threads.
    #[must_use]
    pub fn classifier<'a>(&self, image: &'a Image<'_>) -> Box<dyn Classify + 'a> {
        match self.kind() {
            ModelKind::Network => Box::new(image.network()),
            ModelKind::Memory => Box::new(Prototypes::of(&image.network())),
        }
    }
}
