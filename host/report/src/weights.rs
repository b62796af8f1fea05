//! The weights of single neurons: a contact sheet, one tile per neuron.

use std::path::Path;

use super::{ReportError, write};

/// One weight as it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Weight +1: orange.
    Plus,
    /// Weight -1: blue.
    Minus,
    /// The neuron does not see this input: light grey.
    Unseen,
    /// Nothing is there: white, as between tiles.
    Gap,
}

const MOST_TILES: usize = 256;
/// The breadth of a sheet that is aimed at, in pixels.
const AIM: f64 = 900.0;
/// Largest sheet in pixels; a page of this size takes 64 MiB while it is made.
const MOST_PIXELS: u64 = 1 << 26;

/// Colours by index: gap, plus, minus, unseen. Orange and blue differ in
/// lightness too, so that the sheet survives grey print.
const PALETTE: [u8; 12] = [0xFF, 0xFF, 0xFF, 0xF0, 0x8A, 0x24, 0x1F, 0x5F, 0xA8, 0xDE, 0xDE, 0xDE];

/// Where the tiles lie.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sheet {
    tiles: usize,
    columns: u32,
    /// Pixels per weight.
    scale: u32,
    /// Pixels between tiles and around the sheet.
    gap: u32,
    width: u64,
    height: u64,
}

impl Sheet {
    fn new(tiles: usize, columns: u32, scale: u32, (tile_height, tile_width): (u32, u32)) -> Self {
        let gap = (scale * tile_height.min(tile_width) / 16).clamp(2, 12);
        let rows = (tiles as u64).div_ceil(u64::from(columns)).max(1);
        let extent = |count: u64, cells: u32| {
            count * (u64::from(cells) * u64::from(scale) + u64::from(gap)) + u64::from(gap)
        };
        let (width, height) = (extent(u64::from(columns), tile_width), extent(rows, tile_height));
        Self { tiles, columns, scale, gap, width, height }
    }

    /// The sheet nearest to a square of [`AIM`] pixels, over all numbers of
    /// columns and whole scales: at most a few thousand candidates.
    fn fitting(tiles: usize, tile: (u32, u32)) -> Self {
        let cost = |sheet: &Self| {
            let (width, height) = (sheet.width as f64, sheet.height as f64);
            let blank = u64::from(sheet.columns) - 1 - (tiles.max(1) as u64 - 1) % u64::from(sheet.columns);
            4.0 * (width / AIM).ln().abs()
                + (width / height).ln().abs()
                + 0.2 * blank as f64 / f64::from(sheet.columns)
        };
        let mut best = Self::new(tiles, 1, 1, tile);
        for columns in 1..=tiles.max(1) as u32 {
            let rows = tiles.div_ceil(columns as usize).max(1);
            let by_width = AIM / (f64::from(columns) * f64::from(tile.1.max(1)));
            let by_height = 1.5 * AIM / (rows as f64 * f64::from(tile.0.max(1)));
            let largest = by_width.min(by_height).ceil() as u32;
            for scale in [largest.saturating_sub(1).max(1), largest.max(1)] {
                let sheet = Self::new(tiles, columns, scale, tile);
                if cost(&sheet) < cost(&best) {
                    best = sheet;
                }
            }
        }
        best
    }
}

/// Draws the weights of up to 256 neurons as a PNG of about 900 pixels breadth.
///
/// A tile has `height` x `width` weights, each a square of whole pixels;
/// `bit(neuron, row, column)` tells its colour. Of more than 256 neurons, 256
/// at equal distances are shown, beginning with the first. Neurons go from left
/// to right, then down.
///
/// # Errors
/// [`ReportError::SheetTooLarge`] if the sheet would exceed 64 megapixels, and
/// [`ReportError::Write`] if the file cannot be written.
pub fn weights(
    path: &Path,
    neurons: usize,
    height: u32,
    width: u32,
    bit: impl Fn(usize, u32, u32) -> Cell,
) -> Result<(), ReportError> {
    let too_large = || ReportError::SheetTooLarge { path: path.to_owned(), height, width };
    if u64::from(height) * u64::from(width) > MOST_PIXELS {
        return Err(too_large());
    }
    let sheet = Sheet::fitting(neurons.min(MOST_TILES), (height, width));
    if sheet.width.saturating_mul(sheet.height) > MOST_PIXELS {
        return Err(too_large());
    }
    let mut pixels = vec![0; (sheet.width * sheet.height) as usize];
    for tile in 0..sheet.tiles {
        // Through u128: `neurons` may be as large as the machine's words.
        let neuron = (tile as u128 * neurons as u128 / sheet.tiles as u128) as usize;
        draw_tile(&mut pixels, &sheet, tile, (height, width), |row, column| bit(neuron, row, column));
    }
    let bytes = encode(&sheet, &pixels).map_err(|error| ReportError::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    write(path, &bytes)
}

fn draw_tile(
    pixels: &mut [u8],
    sheet: &Sheet,
    tile: usize,
    (height, width): (u32, u32),
    bit: impl Fn(u32, u32) -> Cell,
) {
    let (scale, gap, columns) = (sheet.scale as usize, sheet.gap as usize, sheet.columns as usize);
    let left = gap + (tile % columns) * (width as usize * scale + gap);
    let top = gap + (tile / columns) * (height as usize * scale + gap);
    for row in 0..height {
        let start = (top + row as usize * scale) * sheet.width as usize + left;
        let end = start + width as usize * scale;
        for (column, square) in (0..width).zip(pixels[start..end].chunks_exact_mut(scale)) {
            square.fill(match bit(row, column) {
                Cell::Plus => 1,
                Cell::Minus => 2,
                Cell::Unseen => 3,
                Cell::Gap => 0,
            });
        }
        for line in 1..scale {
            pixels.copy_within(start..end, start + line * sheet.width as usize);
        }
    }
}

fn encode(sheet: &Sheet, pixels: &[u8]) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, sheet.width as u32, sheet.height as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(PALETTE.as_slice());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkered(neuron: usize, row: u32, column: u32) -> Cell {
        match (neuron as u32 + row + column) % 3 {
            0 => Cell::Plus,
            1 => Cell::Minus,
            _ => Cell::Unseen,
        }
    }

    /// Draws and decodes; returns breadth, height and the palette indices.
    fn decoded(neurons: usize, height: u32, width: u32) -> (u32, u32, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.png");
        weights(&path, neurons, height, width, checkered).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        weights(&path, neurons, height, width, checkered).unwrap();
        assert_eq!(bytes, std::fs::read(&path).unwrap(), "equal input must give equal bytes");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![9; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels.len(), info.width as usize * info.height as usize);
        (info.width, info.height, pixels)
    }

    #[test]
    fn sheets_decode_to_the_expected_size() {
        for (neurons, height, width) in [
            (0, 28, 28),
            (1, 28, 28),
            (10, 28, 28),
            (2048, 28, 28),
            (256, 32, 32),
            (5, 1, 784),
            (64, 3, 3),
            (1, 1, 1),
        ] {
            let sheet = Sheet::fitting(neurons.min(MOST_TILES), (height, width));
            let (breadth, tallness, _) = decoded(neurons, height, width);
            assert_eq!((u64::from(breadth), u64::from(tallness)), (sheet.width, sheet.height));
            assert!((780..=1020).contains(&breadth), "{neurons} of {height} x {width}: {breadth}");
        }
    }

    #[test]
    fn every_weight_is_drawn_as_a_square() {
        let (_, _, pixels) = decoded(7, 5, 4);
        let sheet = Sheet::fitting(7, (5, 4));
        let square = sheet.scale as usize * sheet.scale as usize;
        for (index, kind) in [(1, Cell::Plus), (2, Cell::Minus), (3, Cell::Unseen)] {
            let cells =
                (0..7).flat_map(|n| (0..5).flat_map(move |r| (0..4).map(move |c| checkered(n, r, c))));
            let expected = cells.filter(|&cell| cell == kind).count() * square;
            assert_eq!(pixels.iter().filter(|&&pixel| pixel == index).count(), expected);
        }
    }

    #[test]
    fn degenerate_and_huge_tiles_do_not_panic() {
        for (height, width) in [(0, 0), (0, 5), (5, 0), (1, 20_000), (20_000, 1)] {
            decoded(3, height, width);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("weights.png");
        for (height, width) in [(u32::MAX, u32::MAX), (1, u32::MAX), (u32::MAX, 0), (8192, 8192)] {
            let failure = weights(&path, usize::MAX, height, width, checkered).unwrap_err();
            assert!(failure.to_string().contains("weights.png"));
        }
    }
}
