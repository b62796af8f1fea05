//! IDX, the format of MNIST (LeCun, Cortes and Burges, 1998): a magic number, the sizes of the dimensions, then the values, the last
//! dimension fastest. All numbers have their big end first.
//!
//! | file | magic with values of one byte | dimensions |
//! | --- | --- | --- |
//! | labels | 2049 | samples |
//! | grey images | 2051 | samples, height, width |
//! | images of several channels | 2052 | samples, channels, height, width, or the channels last |
//!
//! The third byte of the magic number is the type of the values: 8 bytes, 9 signed bytes, 11 and 12 integers of 16 and 32 bits, 13 and 14
//! floats of 32 and 64 bits. Floats must be whole numbers here.

use super::error::shown;
use super::input::Input;
use super::{DataError, Values};

/// Channels that may be the last dimension: grey, colour, colour with transparency.
const CHANNELS_LAST: [u32; 3] = [1, 3, 4];

/// The content of an images file.
pub(super) struct Images {
    /// Channels, height and width.
    pub(super) shape: (u16, u16, u16),
    /// `[samples][channels][height][width]`, at least one sample.
    pub(super) pixels: Values,
    /// What the user should know of how they were read.
    pub(super) note: Option<String>,
}

impl Images {
    pub(super) fn samples(&self) -> usize {
        let (channels, height, width) = self.shape;
        self.pixels.len() / (usize::from(channels) * usize::from(height) * usize::from(width))
    }
}

/// What a value is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Byte,
    SignedByte,
    Short,
    Integer,
    Float,
    Double,
}

impl Element {
    /// The type and the number of dimensions of a magic number.
    fn of(magic: u32) -> Option<(Self, u32)> {
        let element = match magic >> 8 {
            0x08 => Self::Byte,
            0x09 => Self::SignedByte,
            0x0b => Self::Short,
            0x0c => Self::Integer,
            0x0d => Self::Float,
            0x0e => Self::Double,
            _ => return None,
        };
        Some((element, magic & 0xff))
    }

    const fn bytes(self) -> usize {
        match self {
            Self::Byte | Self::SignedByte => 1,
            Self::Short => 2,
            Self::Integer | Self::Float => 4,
            Self::Double => 8,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Byte => "bytes",
            Self::SignedByte => "signed bytes",
            Self::Short => "integers of 16 bits",
            Self::Integer => "integers of 32 bits",
            Self::Float => "floats of 32 bits",
            Self::Double => "floats of 64 bits",
        }
    }

    /// A value, or what it is where that is no whole number of 32 bits.
    fn key(self, bytes: &[u8]) -> Result<i32, f64> {
        // All bytes of one value are there; the sign is that of the first.
        let whole = |bytes: &[u8]| {
            let sign = if bytes[0] >> 7 == 1 { -1 } else { 0 };
            bytes.iter().fold(sign, |number: i32, &byte| number << 8 | i32::from(byte))
        };
        let unsigned =
            |bytes: &[u8]| bytes.iter().fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
        let real = match self {
            Self::Byte => return Ok(bytes[0].into()),
            Self::SignedByte | Self::Short | Self::Integer => return Ok(whole(bytes)),
            Self::Float => f64::from(f32::from_bits(unsigned(bytes) as u32)),
            Self::Double => f64::from_bits(unsigned(bytes)),
        };
        if f64::from(real as i32) == real { Ok(real as i32) } else { Err(real) }
    }
}

/// Reads an images file to its end.
pub(super) fn images(mut input: Input) -> Result<Images, DataError> {
    let found = number(&mut input, 0, 16)?;
    let (element, samples, sizes, header) = match Element::of(found) {
        Some((element, 3)) => {
            let [samples, height, width] = numbers(&mut input)?;
            (element, samples, [1, height, width], 16)
        }
        Some((element, 4)) => {
            let [samples, sizes @ ..]: [u32; 4] = numbers(&mut input)?;
            (element, samples, sizes, 20)
        }
        _ => {
            let expected = "2051, or 2052 with channels";
            return Err(DataError::Magic { file: input.file, what: "images", expected, found });
        }
    };
    // No image has more channels than lines, so few of them can only stand last.
    let [first, second, third] = sizes;
    let last = CHANNELS_LAST.contains(&third) && first > third && second > third;
    let [channels, height, width] = if last { [third, first, second] } else { sizes };
    let fits = |size: u32| u16::try_from(size).ok().filter(|&size| size > 0);
    let (Some(c), Some(h), Some(w)) = (fits(channels), fits(height), fits(width)) else {
        return Err(DataError::ImageSize { file: input.file, channels, height, width });
    };
    if samples == 0 {
        return Err(DataError::NoImages { file: input.file });
    }
    let features = u64::from(channels) * u64::from(height) * u64::from(width);
    let mut pixels = values(input, element, header, u64::from(samples).saturating_mul(features))?;
    if last {
        let [channels, places] = [usize::from(c), usize::from(h) * usize::from(w)];
        pixels = match pixels {
            Values::Bytes(bytes) => Values::Bytes(channels_first(&bytes, channels, places)),
            Values::Keys(keys) => Values::Keys(channels_first(&keys, channels, places)),
        };
    }
    let note = last
        .then(|| format!("the last dimension is read as {channels} channels, of images of {height}x{width}"));
    Ok(Images { shape: (c, h, w), pixels, note })
}

/// From `[samples][places][channels]` to `[samples][channels][places]`.
fn channels_first<T: Copy>(values: &[T], channels: usize, places: usize) -> Vec<T> {
    let of_image = |image: &[T]| -> Vec<T> {
        (0..channels).flat_map(|channel| image.iter().skip(channel).step_by(channels).copied()).collect()
    };
    values.chunks(channels * places).flat_map(of_image).collect()
}

/// Reads a labels file to its end.
pub(super) fn labels(mut input: Input) -> Result<Vec<u8>, DataError> {
    let found = number(&mut input, 0, 8)?;
    let Some((element, 1)) = Element::of(found) else {
        return Err(DataError::Magic { file: input.file, what: "labels", expected: "2049", found });
    };
    let [count] = numbers(&mut input)?;
    let file = input.file.clone();
    let labels = values(input, element, 8, count.into())?;
    let label = |place: usize| {
        let label = labels.key(place);
        u8::try_from(label).map_err(|_| DataError::IdxLabel { file: file.clone(), place: place + 1, label })
    };
    (0..labels.len()).map(label).collect()
}

/// The values after a header of `header` bytes, which must be `count` and the end of the file.
fn values(input: Input, element: Element, header: u64, count: u64) -> Result<Values, DataError> {
    let (file, size) = (input.file.clone(), element.bytes());
    let bytes = body(input, header, count.saturating_mul(size as u64))?;
    if element == Element::Byte {
        return Ok(Values::Bytes(bytes));
    }
    let key = |(place, bytes): (usize, &[u8])| {
        element.key(bytes).map_err(|value| DataError::IdxFraction {
            file: file.clone(),
            element: element.name(),
            place: place + 1,
            value: shown(&value.to_string()),
        })
    };
    Ok(Values::packed(bytes.chunks_exact(size).enumerate().map(key).collect::<Result<_, _>>()?))
}

/// The bytes after a header of `header` bytes, which must be `count` and the end of the file.
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
