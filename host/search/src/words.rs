//! Words as a string of bytes, for `#[serde(with = "words")]`: random ones would take a quarter more as numbers, and far longer.

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

/// Writes words, each as four bytes, little-endian.
///
/// # Errors
/// Those of the format.
pub fn serialize<S: Serializer>(words: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(&little_endian(words))
}

/// Reads words.
///
/// # Errors
/// Bytes that are not whole words, and those of the format.
pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    let (words, []) = <&[u8]>::deserialize(deserializer)?.as_chunks::<4>() else {
        return Err(D::Error::custom("not whole words"));
    };
    Ok(words.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
}

/// The bytes of words, little-endian.
#[must_use]
pub fn little_endian(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Bytes as a string of bytes, for `#[serde(with = "words::bytes")]`.
pub mod bytes {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::Serializer;

    /// Writes bytes.
    ///
    /// # Errors
    /// Those of the format.
    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// Those of the format.
    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(<[u8]>::to_vec)
    }
}
