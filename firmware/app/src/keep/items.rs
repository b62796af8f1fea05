//! A stream of bytes as items of a map, and the record that commits it.

use embedded_storage::nor_flash::NorFlash;
use evobit::image::Checksum;

use super::KeepError;
use super::flash::{Map, failed, wait};

/// Bytes of an item.
pub const ITEM_BYTES: usize = 128;
/// An item with its key, up to the largest unit of writing.
const BUFFER_BYTES: usize = ITEM_BYTES + 32;

/// The key of item `index` of the generation in `slot`; the commit record has the last.
const fn key(slot: u32, index: u16) -> u16 {
    (slot as u16 & 1) << 15 | index
}
const COMMIT: u16 = 0x7fff;

/// A commit record.
#[derive(Clone, Copy)]
pub(super) struct Commit {
    pub(super) generation: u32,
    len: u32,
    crc: u32,
}

/// The commit record of the generation in `slot`.
pub(super) fn read_commit<F: NorFlash>(map: &mut Map<'_, F>, slot: u32) -> Result<Option<Commit>, KeepError> {
    let mut buffer = [0; BUFFER_BYTES];
    let record = wait(map.fetch_item::<[u8; 12]>(&mut buffer, &key(slot, COMMIT)));
    let Some(record) = record.map_err(failed)? else { return Ok(None) };
    let number = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
    Ok(Some(Commit { generation: number(0), len: number(4), crc: number(8) }))
}

/// Items of one generation, one of them in memory.
struct Items<'f, F: NorFlash> {
    map: Map<'f, F>,
    slot: u32,
    /// The item, how much of it is filled, and the index of the next one.
    item: [u8; ITEM_BYTES],
    filled: usize,
    next: u16,
    buffer: [u8; BUFFER_BYTES],
}

impl<'f, F: NorFlash> Items<'f, F> {
    fn new(map: Map<'f, F>, slot: u32) -> Self {
        Self { map, slot, item: [0; ITEM_BYTES], filled: 0, next: 0, buffer: [0; BUFFER_BYTES] }
    }

    fn store(&mut self) -> Result<(), KeepError> {
        let key = key(self.slot, self.next);
        wait(self.map.store_item(&mut self.buffer, &key, &&self.item[..self.filled])).map_err(failed)?;
        self.next += 1;
        self.filled = 0;
        Ok(())
    }

    /// False where it is not there.
    fn fetch(&mut self) -> Result<bool, KeepError> {
        self.filled = 0;
        let key = key(self.slot, self.next);
        let fetched = self.map.fetch_item::<&[u8]>(&mut self.buffer, &key);
        let Some(item) = wait(fetched).map_err(failed)? else { return Ok(false) };
        self.filled = item.len().min(ITEM_BYTES);
        self.item[..self.filled].copy_from_slice(&item[..self.filled]);
        self.next += 1;
        Ok(self.filled > 0)
    }
}

/// Writes a stream as items.
pub(super) struct Writer<'f, F: NorFlash> {
    items: Items<'f, F>,
    len: u32,
    crc: Checksum,
}

impl<'f, F: NorFlash> Writer<'f, F> {
    pub(super) fn new(map: Map<'f, F>, generation: u32) -> Self {
        Self { items: Items::new(map, generation), len: 0, crc: Checksum::new() }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), KeepError> {
        self.crc.update(bytes);
        self.len += bytes.len() as u32;
        for &byte in bytes {
            self.items.item[self.items.filled] = byte;
            self.items.filled += 1;
            if self.items.filled == ITEM_BYTES {
                self.items.store()?;
            }
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, generation: u32) -> Result<(), KeepError> {
        let items = &mut self.items;
        if items.filled > 0 {
            items.store()?;
        }
        let mut record = [0; 12];
        record[..4].copy_from_slice(&generation.to_le_bytes());
        record[4..8].copy_from_slice(&self.len.to_le_bytes());
        record[8..].copy_from_slice(&self.crc.value().to_le_bytes());
        let key = key(items.slot, COMMIT);
        wait(items.map.store_item(&mut items.buffer, &key, &record)).map_err(failed)
    }
}

/// Reads a stream from its items.
pub(super) struct Reader<'f, F: NorFlash> {
    items: Items<'f, F>,
    read: usize,
    left: u32,
    crc: u32,
}

impl<'f, F: NorFlash> Reader<'f, F> {
    pub(super) fn new(map: Map<'f, F>, commit: Commit) -> Self {
        Self { items: Items::new(map, commit.generation), read: 0, left: commit.len, crc: commit.crc }
    }

    /// Makes sure that there is an unread byte in memory. False where the next item is not there.
    fn fill(&mut self) -> Result<bool, KeepError> {
        if self.read < self.items.filled {
            return Ok(true);
        }
        self.read = 0;
        self.items.fetch()
    }

    pub(super) fn get(&mut self, bytes: &mut [u8]) -> Result<(), KeepError> {
        for byte in bytes {
            if self.left == 0 || !self.fill()? {
                return Err(KeepError::Content);
            }
            *byte = self.items.item[self.read];
            self.read += 1;
            self.left -= 1;
        }
        Ok(())
    }

    pub(super) fn number(&mut self, bytes: usize) -> Result<u32, KeepError> {
        let mut number = [0; 4];
        self.get(&mut number[..bytes])?;
        Ok(u32::from_le_bytes(number))
    }

    pub(super) fn words(&mut self, words: &mut [u32]) -> Result<(), KeepError> {
        words.iter_mut().try_for_each(|word| self.number(4).map(|number| *word = number))
    }

    /// True where the stream is whole.
    pub(super) fn check(mut self) -> Result<bool, KeepError> {
        let mut crc = Checksum::new();
        while self.left > 0 {
            if !self.fill()? {
                return Ok(false);
            }
            let len = (self.items.filled - self.read).min(self.left as usize);
            crc.update(&self.items.item[self.read..self.read + len]);
            self.read += len;
            self.left -= len as u32;
        }
        Ok(crc.value() == self.crc)
    }
}
