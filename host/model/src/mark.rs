//! The mark of a model: how its genome is read, where that is not as layers of neurons. Core marks images and tells the mark.

use evobit::image::{ImageError, ModelKind};

use super::Model;

impl Model {
    /// The number of the family that it is of; 0 for layered networks.
    #[must_use]
    pub fn mark(&self) -> u32 {
        self.image().kind().number()
    }

    /// The model, marked as one of the family of this number.
    ///
    /// # Errors
    /// A shape that is none of this family, as far as core knows it.
    pub fn marked(self, mark: u32) -> Result<Self, ImageError> {
        self.with_changes(&ModelKind::of(mark)?.changes(&mut [0; 4]))
    }
}
