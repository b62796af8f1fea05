//! Writing an encoder.

use super::{Code, Encoder, EncoderError, HEADER};

/// Writes a uniform encoder into `words` and returns its length; `levels` must ascend.
///
/// # Errors
/// What [`Encoder::new`] would say, or [`EncoderError::Length`] when `words` is shorter than `3 + levels`.
pub fn write_uniform(features: u32, levels: &[i32], words: &mut [u32]) -> Result<usize, EncoderError> {
    let len = HEADER + levels.len();
    let words = words.get_mut(..len).ok_or(EncoderError::Length)?;
    words[..HEADER].copy_from_slice(&[0, features, levels.len() as u32]);
    words[HEADER..].iter_mut().zip(levels).for_each(|(word, &level)| *word = level as u32);
    Encoder::new(&*words)?;
    Ok(len)
}

/// Writes a table into `words` and returns its length: for each feature its code and its ascending values.
///
/// # Errors
/// What [`Encoder::new`] would say, or [`EncoderError::Length`] when `words` is too short.
pub fn write_table(features: &[(Code, &[i32])], words: &mut [u32]) -> Result<usize, EncoderError> {
    let values: usize = features.iter().map(|(_, values)| values.len()).sum();
    let len = HEADER + features.len() + values;
    let words = words.get_mut(..len).ok_or(EncoderError::Length)?;
    words[..HEADER].copy_from_slice(&[1, features.len() as u32, values as u32]);
    let mut rest = words[HEADER..].iter_mut();
    for ((code, values), word) in features.iter().zip(&mut rest) {
        *word = *code as u32 | (values.len() as u32) << 8;
    }
    for (&value, word) in features.iter().flat_map(|(_, values)| *values).zip(&mut rest) {
        *word = value as u32;
    }
    Encoder::new(&*words)?;
    Ok(len)
}
