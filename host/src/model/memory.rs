//! How the genome of a model is read: core marks and tells it, see `evobit::image`.

use evobit::image::{self, Image, ImageError};

use super::Model;
use crate::evaluate::Classify;
use crate::memory::Prototypes;
use crate::settings::ModelKind;

impl Model {
    /// How the genome is read.
    #[must_use]
    pub fn kind(&self) -> ModelKind {
        match self.image().kind() {
            image::ModelKind::Memory => ModelKind::Memory,
            _ => ModelKind::Network,
        }
    }

    /// The model, its genome to be read so.
    ///
    /// # Errors
    /// A shape that is none of this kind.
    pub fn of_kind(self, kind: ModelKind) -> Result<Self, ImageError> {
        let kind = match kind {
            ModelKind::Network => image::ModelKind::Network,
            ModelKind::Memory => image::ModelKind::Memory,
        };
        self.with_changes(&kind.changes())
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
