//! The mark of a model: how its genome is read, where that is not as layers of neurons.
//!
//! ```text
//! section 0x80000002, mark
//!   0   4    the number of the family
//! ```

use super::Model;

/// The section's kind.
const KIND: u32 = 0x8000_0002;

impl Model {
    /// The number of the family that it is of; 0 for layered networks.
    #[must_use]
    pub fn mark(&self) -> u32 {
        let found = self.sections().into_iter().find(|(kind, _)| *kind == KIND);
        found.and_then(|(_, payload)| Some(u32::from_le_bytes(*payload.first_chunk()?))).unwrap_or(0)
    }

    /// The model, marked as one of the family of this number.
    #[must_use]
    pub fn marked(self, mark: u32) -> Self {
        let payload = mark.to_le_bytes();
        let mut sections = self.sections();
        sections.retain(|&(section, _)| section != KIND);
        if mark != 0 {
            sections.push((KIND, &payload));
        }
        self.with_sections(&sections).unwrap_or_else(|| self.clone())
    }
}
