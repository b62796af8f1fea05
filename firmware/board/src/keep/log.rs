//! A log of streams in flash: each begins on a page of its own behind the one before, round and round, so all pages wear alike.
//!
//! A page begins with [`UNIT`] bytes that hold no part of a stream. On a stream's first page they are written last: they are its commit record,
//! number of the generation, length and CRC-32 of both and of the stream. What was cut short has none, or one whose CRC is wrong. A page is
//! erased when it is reached, and the newest stream that is whole is never written over.
//!
//! ```text
//! first page      "EVO1", generation (4), bytes of the stream (4), CRC-32 (4), unused up to `UNIT`, the stream
//! other pages     unused up to `UNIT`, the stream goes on
//! ```

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use evobit::image::Checksum;

use super::KeepError;
use crate::log;

/// Bytes that are written together: a multiple of what flash here can write at once.
pub(super) const UNIT: usize = 32;
const MAGIC: u32 = u32::from_le_bytes(*b"EVO1");

/// A stream that has a commit record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    page: u32,
    pub(super) generation: u32,
    len: u32,
    crc: u32,
}

/// The pages of a stream: the first, and the one behind the last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pages {
    first: u32,
    next: u32,
}

/// Pages of flash.
#[derive(Debug)]
pub(super) struct Log<F> {
    flash: F,
    range: Range<u32>,
}

/// A place between units.
#[derive(Clone, Copy)]
struct Place {
    page: u32,
    offset: u32,
}

impl<F: NorFlash> Log<F> {
    const UNITS: () = assert!(UNIT.is_multiple_of(F::WRITE_SIZE) && F::ERASE_SIZE.is_multiple_of(UNIT));

    pub(super) const fn new(flash: F, range: Range<u32>) -> Self {
        let () = Self::UNITS;
        Self { flash, range }
    }

    pub(super) fn flash(&mut self) -> &mut F {
        &mut self.flash
    }

    /// The record of the highest generation below a bound. Whether the stream is whole is not looked at.
    pub(super) fn newest(&mut self, bound: u32) -> Result<Option<Record>, KeepError> {
        let mut newest: Option<Record> = None;
        let mut page = self.range.start;
        while page < self.range.end {
            let mut bytes = [0; 16];
            self.flash.read(page, &mut bytes).map_err(|_| KeepError::Flash)?;
            let [magic, generation, len, crc] = numbers(&bytes);
            let least = newest.map_or(0, |record| record.generation);
            if magic == MAGIC
                && len < self.range.end - self.range.start
                && (least..bound).contains(&generation)
            {
                newest = Some(Record { page, generation, len, crc });
            }
            page += F::ERASE_SIZE as u32;
        }
        Ok(newest)
    }

    fn next_page(&self, page: u32) -> u32 {
        let next = page + F::ERASE_SIZE as u32;
        if next < self.range.end { next } else { self.range.start }
    }

    fn first_place(page: u32) -> Place {
        Place { page, offset: UNIT as u32 }
    }

    fn advance(&self, place: &mut Place) {
        place.offset += UNIT as u32;
        if place.offset == F::ERASE_SIZE as u32 {
            *place = Self::first_place(self.next_page(place.page));
        }
    }

    /// The page behind a stream that ends at a place.
    fn behind(&self, end: Place) -> u32 {
        if end.offset == UNIT as u32 { end.page } else { self.next_page(end.page) }
    }
}

pub(super) fn numbers(bytes: &[u8; 16]) -> [u32; 4] {
    let mut numbers = [0; 4];
    let words = bytes.as_chunks::<4>().0;
    numbers.iter_mut().zip(words).for_each(|(number, &word)| *number = u32::from_le_bytes(word));
    numbers
}

/// Ends the checksum of a stream.
fn sealed(mut crc: Checksum, generation: u32, len: u32) -> u32 {
    crc.update(&generation.to_le_bytes());
    crc.update(&len.to_le_bytes());
    crc.value()
}

/// Writes a stream.
pub(super) struct Writer<'l, F> {
    log: &'l mut Log<F>,
    first: u32,
    place: Place,
    /// The page that must not be written over.
    kept: Option<u32>,
    unit: [u8; UNIT],
    filled: usize,
    failed: bool,
    len: u32,
    crc: Checksum,
}

impl<'l, F: NorFlash> Writer<'l, F> {
    /// Writes behind the newest stream, where there is one.
    pub(super) fn new(log: &'l mut Log<F>, newest: Option<Pages>) -> Self {
        let first = newest.map_or(log.range.start, |pages| pages.next);
        let (place, kept) = (Log::<F>::first_place(first), newest.map(|pages| pages.first));
        Self {
            log,
            first,
            place,
            kept,
            unit: [0xff; UNIT],
            filled: 0,
            failed: false,
            len: 0,
            crc: Checksum::new(),
        }
    }

    /// Puts bytes behind those there are. Where that fails [`commit`](Self::commit) says so.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.crc.update(bytes);
        self.len += bytes.len() as u32;
        for &byte in bytes {
            self.unit[self.filled] = byte;
            self.filled += 1;
            if self.filled == UNIT {
                self.write_unit();
            }
        }
    }

    #[inline(never)]
    fn write_unit(&mut self) {
        self.filled = 0;
        self.failed = self.failed || self.try_write_unit().is_err();
        self.unit = [0xff; UNIT];
    }

    fn try_write_unit(&mut self) -> Result<(), KeepError> {
        let Place { page, offset } = self.place;
        let flash = &mut self.log.flash;
        if offset == UNIT as u32 {
            if self.kept == Some(page) {
                log!("flash is full");
                return Err(KeepError::Flash);
            }
            self.kept = self.kept.or(Some(self.first));
            flash.erase(page, page + F::ERASE_SIZE as u32).map_err(|_| KeepError::Flash)?;
        }
        flash.write(page + offset, &self.unit).map_err(|_| KeepError::Flash)?;
        self.log.advance(&mut self.place);
        Ok(())
    }

    /// Makes the stream the newest; the pages that it takes.
    pub(super) fn commit(mut self, generation: u32) -> Result<Pages, KeepError> {
        if self.filled > 0 {
            self.write_unit();
        }
        if self.failed {
            return Err(KeepError::Flash);
        }
        let numbers = [MAGIC, generation, self.len, sealed(self.crc, generation, self.len)];
        let words = self.unit.as_chunks_mut::<4>().0;
        words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_le_bytes());
        self.log.flash.write(self.first, &self.unit).map_err(|_| KeepError::Flash)?;
        Ok(Pages { first: self.first, next: self.log.behind(self.place) })
    }
}

/// Reads a stream.
pub(super) struct Reader<'l, F> {
    log: &'l mut Log<F>,
    record: Record,
    place: Place,
    unit: [u8; UNIT],
    read: usize,
    left: u32,
}

impl<'l, F: NorFlash> Reader<'l, F> {
    pub(super) fn new(log: &'l mut Log<F>, record: Record) -> Self {
        let place = Log::<F>::first_place(record.page);
        Self { log, record, place, unit: [0; UNIT], read: UNIT, left: record.len }
    }

    #[inline(never)]
    pub(super) fn get(&mut self, bytes: &mut [u8]) -> Result<(), KeepError> {
        for byte in bytes {
            if self.read == UNIT {
                let Place { page, offset } = self.place;
                self.log.flash.read(page + offset, &mut self.unit).map_err(|_| KeepError::Flash)?;
                self.log.advance(&mut self.place);
                self.read = 0;
            }
            self.left = self.left.checked_sub(1).ok_or(KeepError::Content)?;
            *byte = self.unit[self.read];
            self.read += 1;
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

    /// The pages of the stream, where it is whole.
    pub(super) fn check(mut self) -> Result<Option<Pages>, KeepError> {
        let mut crc = Checksum::new();
        while self.left > 0 {
            let mut byte = [0];
            self.get(&mut byte)?;
            crc.update(&byte);
        }
        let whole = sealed(crc, self.record.generation, self.record.len) == self.record.crc;
        Ok(whole.then(|| Pages { first: self.record.page, next: self.log.behind(self.place) }))
    }
}
