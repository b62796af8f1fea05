//! What inner loops read and write.

/// Classes of a block.
pub(in super::super) const LANES: usize = 16;

/// Samples of a chunk, one bit each in a word.
pub(in super::super) const CHUNK: usize = 64;

/// How far 16 classes of one sample are ahead of its right class; 0 for that class itself and where there is no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(align(32))]
pub struct Ahead(pub [i16; LANES]);

// SAFETY: 16 integers; all zeros are 16 zeros.
unsafe impl bytemuck::Zeroable for Ahead {}
// SAFETY: 16 integers of 2 bytes and an alignment of 32, so there is no padding, and any bits are integers.
unsafe impl bytemuck::Pod for Ahead {}

/// A column that is added to pre-activations: `step` where its bit is set, `-step` where not.
#[derive(Clone, Copy, Debug)]
pub struct Column<'a> {
    /// Bit i belongs to sample i.
    pub bits: &'a [u64],
    /// What a set bit adds.
    pub step: i16,
}

/// Packed rows of bits, one for each sample.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// `[rows][words]`.
    pub bits: &'a [u32],
    /// Words of a row.
    pub words: usize,
}

/// The changes of loss of found samples on either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Their sum where the neuron is off.
    pub off: i64,
    /// Where it is on.
    pub on: i64,
    /// The greatest either way.
    pub most: i16,
}
