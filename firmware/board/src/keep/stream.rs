//! What the items hold together, see [`super`].

use embedded_storage::nor_flash::NorFlash;
use evobit::bits::Words;
use evobit::evolve::compact::Score;
use evobit::image::genome_checksum;
use evobit_link::{apply_flips, write_flips};

use super::KeepError;
use super::log::{Reader, Writer};
use crate::learner::Learner;

const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 18;
const HELD_BACK: u16 = 1 << 15;

#[inline(never)]
pub(super) fn write_stream<F: NorFlash, S: Score>(writer: &mut Writer<'_, F>, learner: &mut Learner<'_, S>) {
    let base = learner.model().genome();
    let genome = learner.genome();
    // How long the flips are is known when they were written once, to nowhere.
    let (mut flips, mut from) = (0, Some(0));
    let mut piece = [0; 32];
    while let Some(start) = from {
        let (len, next) = write_flips(base, genome, start, &mut piece);
        flips += len;
        from = next;
    }
    let words = flips > genome.len() * 4;
    let (samples, prototypes) = (learner.store().len(), learner.prototypes().len());
    let mut header = [0; HEADER_BYTES];
    header[0] = FORMAT;
    header[1..5].copy_from_slice(&learner.model().checksum().to_le_bytes());
    header[5] = words.into();
    let part = if words { genome.len() * 4 } else { flips };
    header[6..10].copy_from_slice(&(part as u32).to_le_bytes());
    header[10..14].copy_from_slice(&genome_checksum(genome).to_le_bytes());
    header[14..16].copy_from_slice(&(samples as u16).to_le_bytes());
    header[16..18].copy_from_slice(&(prototypes as u16).to_le_bytes());
    writer.put(&header);
    if words {
        genome.iter().for_each(|word| writer.put(&word.to_le_bytes()));
    } else {
        let mut from = Some(0);
        while let Some(start) = from {
            let (len, next) = write_flips(base, genome, start, &mut piece);
            writer.put(&piece[..len]);
            from = next;
        }
    }
    let mut put_row = |label: u16, row: &[u32]| {
        writer.put(&label.to_le_bytes());
        row.iter().for_each(|word| writer.put(&word.to_le_bytes()));
    };
    for index in 0..samples {
        if let Some((row, label, held_back)) = learner.store().entry(index) {
            put_row(u16::from(label) | if held_back { HELD_BACK } else { 0 }, row);
        }
    }
    let kept = learner.prototypes();
    let rows = kept.inputs.chunks_exact((kept.inputs.len() / kept.len().max(1)).max(1));
    rows.zip(kept.labels).for_each(|(row, &label)| put_row(label.into(), row));
}

#[inline(never)]
pub(super) fn read_stream<F: NorFlash, S: Score>(
    reader: &mut Reader<'_, F>,
    learner: &mut Learner<'_, S>,
) -> Result<(), KeepError> {
    let mut header = [0; 6];
    reader.get(&mut header)?;
    let base = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    if header[0] != FORMAT || base != learner.model().checksum() {
        return Err(KeepError::Content);
    }
    let part = reader.number(4)? as usize;
    let crc = reader.number(4)?;
    let (samples, prototypes) = (reader.number(2)?, reader.number(2)?);
    learner.begin_restore();
    learner.begin_update();
    if header[5] == 1 {
        if part != learner.model().genome().len() * 4 {
            return Err(KeepError::Content);
        }
        reader.words(learner.update())?;
    } else {
        let (mut left, mut from) = (part, 0);
        let (mut piece, mut filled) = ([0; 8], 0);
        // One flip at a time: it ends with a byte whose high bit is clear.
        while left > 0 {
            reader.get(&mut piece[filled..=filled])?;
            left -= 1;
            filled += 1;
            if piece[filled - 1] & 0x80 == 0 {
                from =
                    apply_flips(&piece[..filled], from, learner.update()).map_err(|_| KeepError::Content)?;
                filled = 0;
            } else if filled == piece.len() {
                return Err(KeepError::Content);
            }
        }
    }
    for index in 0..samples + prototypes {
        let label = reader.number(2)? as u16;
        reader.words(learner.row())?;
        let class = (label & !HELD_BACK) as u8;
        let restored = if index < samples {
            learner.restore_sample(class, label & HELD_BACK != 0)
        } else {
            learner.restore_prototype(class)
        };
        if !restored {
            return Err(KeepError::Content);
        }
    }
    learner.end_restore(crc).map_err(|_| KeepError::Content)
}
