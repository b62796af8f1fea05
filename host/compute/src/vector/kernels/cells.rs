//! Pre-activations, 64 samples at a time, in 8 bits each or in 16.

use super::CHUNK;

/// A value of each of 64 samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(align(64))]
pub struct Chunk<C>(pub [C; CHUNK]);

impl<C: Copy + Default> Default for Chunk<C> {
    fn default() -> Self {
        Self([C::default(); CHUNK])
    }
}

/// An integer that holds the pre-activations of a layer.
pub trait Cell: Copy + Default + PartialEq + Send + Sync + std::fmt::Debug + 'static {
    /// The lowest bits of a value.
    fn from_wide(value: i16) -> Self;
    /// Its value.
    fn wide(self) -> i16;
    /// This type's chunk, for code that differs by type.
    fn view(chunk: &Chunk<Self>) -> View<'_>;
    /// The same to write.
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_>;
}

/// A chunk of either type.
#[derive(Debug)]
pub enum View<'a> {
    /// Of 8 bits.
    Narrow(&'a Chunk<i8>),
    /// Of 16 bits.
    Wide(&'a Chunk<i16>),
}

/// A chunk of either type, to write.
#[derive(Debug)]
pub enum ViewMut<'a> {
    /// Of 8 bits.
    Narrow(&'a mut Chunk<i8>),
    /// Of 16 bits.
    Wide(&'a mut Chunk<i16>),
}

impl Cell for i8 {
    #[inline(always)]
    fn from_wide(value: i16) -> Self {
        value as i8
    }

    #[inline(always)]
    fn wide(self) -> i16 {
        self.into()
    }

    #[inline(always)]
    fn view(chunk: &Chunk<Self>) -> View<'_> {
        View::Narrow(chunk)
    }

    #[inline(always)]
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_> {
        ViewMut::Narrow(chunk)
    }
}

impl Cell for i16 {
    #[inline(always)]
    fn from_wide(value: i16) -> Self {
        value
    }

    #[inline(always)]
    fn wide(self) -> i16 {
        self
    }

    #[inline(always)]
    fn view(chunk: &Chunk<Self>) -> View<'_> {
        View::Wide(chunk)
    }

    #[inline(always)]
    fn view_mut(chunk: &mut Chunk<Self>) -> ViewMut<'_> {
        ViewMut::Wide(chunk)
    }
}
