//! IDX, the format of MNIST (LeCun, Cortes and Burges, 1998): a magic number, the sizes of the
//! dimensions, then one byte per value, the last dimension fastest. All numbers are `u32`, big end
//! first.
//!
//! | file | magic | dimensions |
//! | --- | --- | --- |
//! | labels | 2049 | samples |
//! | grey images | 2051 | samples, height, width |
//! | images of several channels | 2052 | samples, channels, height, width |

use super::DataError;
use super::input::Input;

const LABELS: u32 = 2049;
const GREY_IMAGES: u32 = 2051;
const CHANNEL_IMAGES: u32 = 2052;

/// The content of an images file.
pub(super) struct Images {
    /// Channels, height and width.
    pub(super) shape: (u16, u16, u16),
    /// `[samples][channels][height][width]`, at least one sample.
    pub(super) pixels: Vec<u8>,
}

impl Images {
    pub(super) fn samples(&self) -> usize {
        let (channels, height, width) = self.shape;
        self.pixels.len() / (usize::from(channels) * usize::from(height) * usize::from(width))
    }
}

/// Reads an images file to its end.
pub(super) fn images(mut input: Input) -> Result<Images, DataError> {
    let what = "images";
    let found = number(&mut input, 0, 16)?;
    let (samples, [channels, height, width], header) = match found {
        GREY_IMAGES => {
            let [samples, height, width] = numbers(&mut input)?;
            (samples, [1, height, width], 16)
        }
        CHANNEL_IMAGES => {
            let [samples, channels, height, width] = numbers(&mut input)?;
            (samples, [channels, height, width], 20)
        }
        _ => {
            let expected = "2051, or 2052 with channels";
            return Err(DataError::Magic { file: input.file, what, expected, found });
        }
    };
    let fits = |size: u32| u16::try_from(size).ok().filter(|&size| size > 0);
    let (Some(c), Some(h), Some(w)) = (fits(channels), fits(height), fits(width)) else {
        return Err(DataError::ImageSize { file: input.file, channels, height, width });
    };
    if samples == 0 {
        return Err(DataError::NoImages { file: input.file });
    }
    let features = u64::from(channels) * u64::from(height) * u64::from(width);
    let pixels = body(input, header, u64::from(samples).saturating_mul(features))?;
    Ok(Images { shape: (c, h, w), pixels })
}

/// Reads a labels file to its end.
pub(super) fn labels(mut input: Input) -> Result<Vec<u8>, DataError> {
    let found = number(&mut input, 0, 8)?;
    if found != LABELS {
        return Err(DataError::Magic { file: input.file, what: "labels", expected: "2049", found });
    }
    let [count] = numbers(&mut input)?;
    body(input, 8, u64::from(count))
}

/// The values after a header of `header` bytes, which must be `count` and the end of the file.
fn body(mut input: Input, header: u64, count: u64) -> Result<Vec<u8>, DataError> {
    let values = input.next(count)?;
    let expected = header.saturating_add(count);
    if (values.len() as u64) < count {
        let found = header + values.len() as u64;
        return Err(DataError::Truncated { file: input.file, expected, found });
    }
    // Reading on is also what makes gzip compare its checksum.
    if !input.next(1)?.is_empty() {
        return Err(DataError::TrailingBytes { file: input.file, expected });
    }
    Ok(values)
}

/// The sizes of `N` dimensions, which follow the magic number.
fn numbers<const N: usize>(input: &mut Input) -> Result<[u32; N], DataError> {
    let header = 4 + 4 * N as u64;
    let mut sizes = [0; N];
    for (before, size) in (1u64..).zip(&mut sizes) {
        *size = number(input, 4 * before, header)?;
    }
    Ok(sizes)
}

/// The number at `offset` of a header that should have `header` bytes.
fn number(input: &mut Input, offset: u64, header: u64) -> Result<u32, DataError> {
    let bytes = input.next(4)?;
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(u32::from_be_bytes(bytes)),
        Err(_) => {
            let found = offset + bytes.len() as u64;
            Err(DataError::Truncated { file: input.file.clone(), expected: header, found })
        }
    }
}
