//! What was learned, kept over a loss of power.
//!
//! What is kept is one stream of bytes, cut into items of at most [`ITEM_BYTES`]: the network as flips against the base image (or as all its words
//! where that is shorter), the stored samples, the prototypes. There is room for two generations. A save writes the items of the older one anew and then, as
//! the last item, its *commit record*: number of the generation, length and CRC-32 of the stream. A start takes the generation with the
//! highest number whose record and stream are whole; so a loss of power at any write leaves the one before. A reset is a save too, of a board
//! that has learned nothing.
//!
//! The items lie in a map of `sequential-storage`, which goes round its pages in turn, so all wear alike, and repairs itself after a loss of power.
//! It is asynchronous, flash here is not: its futures are ready at once, [`wait`] only asks them.
//!
//! ```text
//! the stream      format (1), CRC of the base image (4), 0 flips or 1 words (1), bytes of the genome part (4), CRC of the genome (4),
//!                 samples (2), prototypes (2), the genome part, then for each sample and prototype its label, with bit 15 set
//!                 where it is held back (2), and its words; all little-endian
//! commit record   generation (4), bytes of the stream (4), their CRC-32 (4)
//! ```

use core::future::Future;
use core::ops::Range;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use embedded_storage_async::nor_flash as asynchronous;
use evobit::bits::Words;
use evobit::evolve::compact::Score;
use evobit::image::{Checksum, genome_checksum};
use evobit::link::{apply_flips, write_flips};
use sequential_storage::cache::{Cache, Uncached};
use sequential_storage::map::{MapConfig, MapStorage};

use crate::learner::Learner;
use crate::log;

/// Bytes of an item.
pub const ITEM_BYTES: usize = 128;
/// An item with its key, up to the largest unit of writing.
const BUFFER_BYTES: usize = ITEM_BYTES + 32;
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 18;
const HELD_BACK: u16 = 1 << 15;

/// Why something was not saved or loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepError {
    /// Flash failed, or the range is too small.
    Flash,
    /// Flash holds something that was never saved here.
    Foreign,
    /// What is there is not whole or of another model.
    Content,
}

/// Lets what is synchronous be awaited.
#[derive(Debug)]
struct Ready<F>(F);

impl<F: ErrorType> ErrorType for Ready<F> {
    type Error = F::Error;
}

impl<F: ReadNorFlash> asynchronous::ReadNorFlash for Ready<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> asynchronous::NorFlash for Ready<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.write(offset, bytes)
    }
}

/// Runs a future that never has to wait.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("flash that is not asynchronous makes nothing wait"),
    }
}

/// What went wrong in the map; the log has more.
fn failed<E>(error: sequential_storage::Error<E>) -> KeepError {
    use sequential_storage::Error;
    let _reason = match error {
        Error::FullStorage => "is full",
        Error::Storage { .. } => "cannot be read or written",
        Error::Corrupted { .. } => "is corrupted",
        Error::BufferTooSmall(_) | Error::BufferTooBig | Error::ItemTooBig => "has items of another size",
        _ => "failed",
    };
    log!("flash storage {=str}", _reason);
    if let Error::Corrupted { .. } = error { KeepError::Foreign } else { KeepError::Flash }
}

type Map<'f, F> = MapStorage<u16, Ready<&'f mut F>, Cache<Uncached, Uncached, Uncached, u16>>;

/// The key of item `index` of the generation in `slot`; the commit record has the last.
const fn key(slot: u32, index: u16) -> u16 {
    (slot as u16 & 1) << 15 | index
}
const COMMIT: u16 = 0x7fff;

/// A commit record.
#[derive(Clone, Copy)]
struct Commit {
    generation: u32,
    len: u32,
    crc: u32,
}

/// Flash that keeps what was learned.
#[derive(Debug)]
pub struct Keeper<F> {
    flash: F,
    range: Range<u32>,
    generation: u32,
}

impl<F: NorFlash> Keeper<F> {
    /// Keeps in `range` of `flash`: whole pages, at least two.
    #[must_use]
    pub const fn new(flash: F, range: Range<u32>) -> Self {
        Self { flash, range, generation: 0 }
    }

    /// The generation last saved or loaded, 0 for none.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The flash.
    pub fn flash(&mut self) -> &mut F {
        &mut self.flash
    }

    fn map(&mut self) -> Result<Map<'_, F>, KeepError> {
        let config = MapConfig::try_new(self.range.clone()).map_err(|_| KeepError::Flash)?;
        Ok(MapStorage::new(Ready(&mut self.flash), config, Cache::new_uncached()))
    }

    /// Saves what was learned as a new generation.
    ///
    /// # Errors
    /// [`KeepError::Flash`]; the generation before is then still there.
    pub fn save<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<(), KeepError> {
        let generation = self.generation.wrapping_add(1).max(1);
        let mut writer = Writer::new(self.map()?, generation);
        write_stream(&mut writer, learner)?;
        writer.commit(generation)?;
        self.generation = generation;
        Ok(())
    }

    /// Loads the newest generation that is whole and of this model. False, and a learner as after a reset, where there is none. Flash
    /// that holds what was never saved here is erased.
    ///
    /// # Errors
    /// [`KeepError::Flash`].
    pub fn load<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<bool, KeepError> {
        match self.load_newest(learner) {
            Err(KeepError::Foreign) => {
                learner.reset();
                let (from, to) = (self.range.start, self.range.end);
                self.flash.erase(from, to).map(|()| false).map_err(|_| KeepError::Flash)
            }
            loaded => loaded,
        }
    }

    fn load_newest<S: Score>(&mut self, learner: &mut Learner<'_, S>) -> Result<bool, KeepError> {
        let mut commits = [read_commit(&mut self.map()?, 0)?, read_commit(&mut self.map()?, 1)?];
        let [first, second] = commits.map(|commit| commit.map_or(0, |commit| commit.generation));
        if first < second {
            commits.swap(0, 1);
        }
        // The next save must not overwrite a newer generation, even one of another model.
        self.generation = commits[0].map_or(0, |commit| commit.generation);
        for commit in commits.into_iter().flatten() {
            let whole = Reader::new(self.map()?, commit).check()?;
            if whole && read_stream(&mut Reader::new(self.map()?, commit), learner).is_ok() {
                self.generation = commit.generation;
                return Ok(true);
            }
        }
        learner.reset();
        Ok(false)
    }
}

fn read_commit<F: NorFlash>(map: &mut Map<'_, F>, slot: u32) -> Result<Option<Commit>, KeepError> {
    let mut buffer = [0; BUFFER_BYTES];
    let record = wait(map.fetch_item::<[u8; 12]>(&mut buffer, &key(slot, COMMIT)));
    let Some(record) = record.map_err(failed)? else { return Ok(None) };
    let number = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
    Ok(Some(Commit { generation: number(0), len: number(4), crc: number(8) }))
}

/// Writes a stream as items.
struct Writer<'f, F: NorFlash> {
    map: Map<'f, F>,
    slot: u32,
    item: [u8; ITEM_BYTES],
    filled: usize,
    items: u16,
    len: u32,
    crc: Checksum,
    buffer: [u8; BUFFER_BYTES],
}

impl<'f, F: NorFlash> Writer<'f, F> {
    fn new(map: Map<'f, F>, slot: u32) -> Self {
        let (item, buffer) = ([0; ITEM_BYTES], [0; BUFFER_BYTES]);
        Self { map, slot, item, filled: 0, items: 0, len: 0, crc: Checksum::new(), buffer }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), KeepError> {
        self.crc.update(bytes);
        self.len += bytes.len() as u32;
        for &byte in bytes {
            self.item[self.filled] = byte;
            self.filled += 1;
            if self.filled == ITEM_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), KeepError> {
        if self.filled > 0 {
            let item = &self.item[..self.filled];
            let key = key(self.slot, self.items);
            wait(self.map.store_item(&mut self.buffer, &key, &item)).map_err(failed)?;
            self.items += 1;
            self.filled = 0;
        }
        Ok(())
    }

    fn commit(&mut self, generation: u32) -> Result<(), KeepError> {
        self.flush()?;
        let mut record = [0; 12];
        record[..4].copy_from_slice(&generation.to_le_bytes());
        record[4..8].copy_from_slice(&self.len.to_le_bytes());
        record[8..].copy_from_slice(&self.crc.value().to_le_bytes());
        let key = key(self.slot, COMMIT);
        wait(self.map.store_item(&mut self.buffer, &key, &record)).map_err(failed)
    }
}

/// Reads a stream from its items.
struct Reader<'f, F: NorFlash> {
    map: Map<'f, F>,
    commit: Commit,
    item: [u8; ITEM_BYTES],
    filled: usize,
    read: usize,
    items: u16,
    left: u32,
    buffer: [u8; BUFFER_BYTES],
}

impl<'f, F: NorFlash> Reader<'f, F> {
    fn new(map: Map<'f, F>, commit: Commit) -> Self {
        let (item, buffer) = ([0; ITEM_BYTES], [0; BUFFER_BYTES]);
        Self { map, commit, item, filled: 0, read: 0, items: 0, left: commit.len, buffer }
    }

    /// Fetches the next item. False where it is not there.
    fn next_item(&mut self) -> Result<bool, KeepError> {
        let key = key(self.commit.generation, self.items);
        let fetched = self.map.fetch_item::<&[u8]>(&mut self.buffer, &key);
        let Some(item) = wait(fetched).map_err(failed)? else { return Ok(false) };
        let len = item.len().min(ITEM_BYTES);
        self.item[..len].copy_from_slice(&item[..len]);
        (self.filled, self.read) = (len, 0);
        self.items += 1;
        Ok(len > 0)
    }

    fn get(&mut self, bytes: &mut [u8]) -> Result<(), KeepError> {
        for byte in bytes {
            if self.left == 0 || (self.read == self.filled && !self.next_item()?) {
                return Err(KeepError::Content);
            }
            *byte = self.item[self.read];
            self.read += 1;
            self.left -= 1;
        }
        Ok(())
    }

    fn number(&mut self, bytes: usize) -> Result<u32, KeepError> {
        let mut number = [0; 4];
        self.get(&mut number[..bytes])?;
        Ok(u32::from_le_bytes(number))
    }

    fn words(&mut self, words: &mut [u32]) -> Result<(), KeepError> {
        words.iter_mut().try_for_each(|word| self.number(4).map(|number| *word = number))
    }

    fn check(mut self) -> Result<bool, KeepError> {
        let mut crc = Checksum::new();
        while self.left > 0 {
            if self.read == self.filled && !self.next_item()? {
                return Ok(false);
            }
            let len = (self.filled - self.read).min(self.left as usize);
            crc.update(&self.item[self.read..self.read + len]);
            self.read += len;
            self.left -= len as u32;
        }
        Ok(crc.value() == self.commit.crc)
    }
}

#[inline(never)]
fn write_stream<F: NorFlash, S: Score>(
    writer: &mut Writer<'_, F>,
    learner: &mut Learner<'_, S>,
) -> Result<(), KeepError> {
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
    writer.put(&header)?;
    if words {
        genome.iter().try_for_each(|word| writer.put(&word.to_le_bytes()))?;
    } else {
        let mut from = Some(0);
        while let Some(start) = from {
            let (len, next) = write_flips(base, genome, start, &mut piece);
            writer.put(&piece[..len])?;
            from = next;
        }
    }
    let mut put_row = |label: u16, row: &[u32]| {
        writer.put(&label.to_le_bytes())?;
        row.iter().try_for_each(|word| writer.put(&word.to_le_bytes()))
    };
    for index in 0..samples {
        if let Some((row, label, held_back)) = learner.store().entry(index) {
            put_row(u16::from(label) | if held_back { HELD_BACK } else { 0 }, row)?;
        }
    }
    let kept = learner.prototypes();
    let rows = kept.inputs.chunks_exact((kept.inputs.len() / kept.len().max(1)).max(1));
    rows.zip(kept.labels).try_for_each(|(row, &label)| put_row(label.into(), row))
}

#[inline(never)]
fn read_stream<F: NorFlash, S: Score>(
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
