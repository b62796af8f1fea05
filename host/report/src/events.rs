//! Event files of TensorBoard (feature `tensorboard`): scalars of a run, to look at while it goes on and beside other runs.
//!
//! A file is a row of records, as TensorFlow's `TFRecord` has them, each with one protocol buffer of `tensorflow.Event` in it; of those and of
//! `tensorflow.Summary` only the fields of scalars are declared here, under their numbers. The crates that write such files want `protoc`, or
//! libraries of years ago.
//!
//! ```text
//! bytes   what
//! 8       length of the event, little-endian as all numbers
//! 4       masked CRC-32C of these
//! length  the event
//! 4       masked CRC-32C of it
//! ```

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crc::{CRC_32_ISCSI, Crc};
use prost::Message;

use super::ReportError;

/// TensorBoard reads every file with `tfevents` in its name.
const NAME: &str = "events.out.tfevents.evobit";
/// What the first event says.
const FILE_VERSION: &str = "brain.Event:2";
const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

#[derive(Clone, PartialEq, Message)]
struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, optional, tag = "3")]
    file_version: Option<String>,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// An event file of TensorBoard.
#[derive(Debug)]
pub struct Events {
    file: File,
    path: PathBuf,
    /// When the run began, in seconds since 1970.
    began: f64,
}

impl Events {
    /// Says whether this program can write such files.
    ///
    /// # Errors
    /// [`ReportError::NoEvents`] where it was built without.
    pub const fn available() -> Result<(), ReportError> {
        Ok(())
    }

    /// Makes the file in `folder`, or makes it anew, for a run that began `seconds` ago.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn create(folder: &Path, seconds: f64) -> Result<Self, ReportError> {
        let path = folder.join(NAME);
        let file = std::fs::create_dir_all(folder)
            .and_then(|()| File::create(&path))
            .map_err(|source| ReportError::Write { path: path.clone(), source })?;
        // A clock before 1970 shows wrong times and nothing else.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut events = Self { file, path, began: now.as_secs_f64() - seconds };
        events.write(0.0, Event { file_version: Some(FILE_VERSION.into()), ..Event::default() })?;
        Ok(events)
    }

    /// Writes values of a step, `seconds` after the run began. Those that are not finite were not measured and are left out.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn scalars(&mut self, seconds: f64, step: u64, values: &[(&str, f64)]) -> Result<(), ReportError> {
        let finite = values.iter().filter(|(_, value)| value.is_finite());
        let value =
            finite.map(|&(tag, value)| Value { tag: tag.into(), simple_value: Some(value as f32) }).collect();
        let summary = Some(Summary { value });
        self.write(seconds, Event { step: step.cast_signed(), summary, ..Event::default() })
    }

    fn write(&mut self, seconds: f64, event: Event) -> Result<(), ReportError> {
        let event = Event { wall_time: self.began + seconds, ..event }.encode_to_vec();
        let length = (event.len() as u64).to_le_bytes();
        let record = [&length[..], &masked(&length), &event, &masked(&event)].concat();
        // In one go: who looks on sees whole records.
        let written = self.file.write_all(&record);
        written.map_err(|source| ReportError::Write { path: self.path.clone(), source })
    }
}

/// The checksum of a record's part. It is turned and shifted, so that records which hold records do not check themselves.
fn masked(bytes: &[u8]) -> [u8; 4] {
    CASTAGNOLI.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a file, every checksum looked at.
    fn read(mut bytes: &[u8]) -> Vec<Event> {
        let mut events = vec![];
        while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
            let (crc, rest) = rest.split_first_chunk::<4>().unwrap();
            assert_eq!(*crc, masked(length));
            let (event, rest) = rest.split_at(u64::from_le_bytes(*length) as usize);
            let (crc, rest) = rest.split_first_chunk::<4>().unwrap();
            assert_eq!(*crc, masked(event));
            events.push(Event::decode(event).unwrap());
            bytes = rest;
        }
        assert!(bytes.is_empty());
        events
    }

    #[test]
    fn what_is_written_is_there_again() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a run/seed-1");
        let mut events = Events::create(&inner, 100.0).unwrap();
        events.scalars(1.5, 1, &[("loss", 0.5), ("accuracy", f64::NAN)]).unwrap();
        events.scalars(2.5, 300, &[("loss", 0.0), ("accuracy", 0.25)]).unwrap();
        let all = read(&std::fs::read(inner.join(NAME)).unwrap());
        assert_eq!(all[0].file_version.as_deref(), Some("brain.Event:2"));
        let value = |tag: &str, value| Value { tag: tag.into(), simple_value: Some(value) };
        let values = |event: &Event| event.summary.clone().unwrap().value;
        assert_eq!((all.len(), values(&all[1])), (3, vec![value("loss", 0.5)]));
        assert_eq!(values(&all[2]), [value("loss", 0.0), value("accuracy", 0.25)]);
        assert_eq!((all[1].step, all[2].step), (1, 300));
        assert!((all[2].wall_time - all[0].wall_time - 2.5).abs() < 1e-3);
    }

    #[test]
    fn a_record_is_to_the_byte_what_tensorflow_writes() {
        // The check value of CRC-32C, masked; and a first event as it lies in files.
        assert_eq!(
            masked(b"123456789"),
            0xe306_9283u32.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
        );
        let event = Event { wall_time: 1.0, file_version: Some(FILE_VERSION.into()), ..Event::default() };
        let bytes = b"\x09\0\0\0\0\0\0\xf0\x3f\x1a\x0dbrain.Event:2";
        assert_eq!(event.encode_to_vec(), bytes);
        let event = Event {
            step: 300,
            summary: Some(Summary { value: vec![Value { tag: "x".into(), simple_value: Some(1.0) }] }),
            ..Event::default()
        };
        assert_eq!(event.encode_to_vec(), b"\x10\xac\x02\x2a\x0a\x0a\x08\x0a\x01x\x15\0\0\x80\x3f");
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(matches!(Events::create(&file, 0.0), Err(ReportError::Write { .. })));
    }
}
