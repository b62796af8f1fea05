//! What islands say to each other and to the first process, in messages and bytes, by the epoch it is said of. The run folder keeps it as
//! `traffic.csv`; what more islands would need is computed from it by [`simulation`](super::simulation).

use std::collections::BTreeMap;
use std::path::Path;

use super::exchange::Parcel;

/// The file in the run folder.
pub const TRAFFIC: &str = "traffic.csv";

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ParcelKind {
    /// An emigrant, to another island.
    Migrant,
    /// How an island does after a sweep, to the first process.
    Row,
    /// That an island saved itself, to the first process.
    Saved,
    /// What an island leaves, to the first process.
    Finished,
    /// No message: the checkpoint that an island wrote.
    Checkpoint,
}

/// Messages and bytes of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub messages: u64,
    /// Bytes of all of them, as they go from process to process.
    pub bytes: u64,
}

impl Amount {
    /// Bytes of one, rounded up; 0 where there was none.
    #[must_use]
    pub fn each(self) -> u64 {
        self.bytes.div_ceil(self.messages.max(1))
    }

    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Line {
    kind: ParcelKind,
    epoch: u32,
    messages: u64,
    bytes: u64,
}

/// What was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic(BTreeMap<(ParcelKind, u32), Amount>);

impl Traffic {
    /// Notes what an island sends; `sweeps` are those of an epoch.
    pub fn note(&mut self, parcel: &Parcel, sweeps: u32) {
        let (kind, epoch) = match parcel {
            Parcel::Migrant(migrant) => (ParcelKind::Migrant, migrant.epoch),
            Parcel::Row(_, row) => (ParcelKind::Row, row.sweep.saturating_sub(1) / sweeps.max(1)),
            Parcel::Saved { epoch, bytes, .. } => {
                let epoch = epoch.saturating_sub(1);
                self.add(ParcelKind::Checkpoint, epoch, Amount { messages: 1, bytes: *bytes });
                (ParcelKind::Saved, epoch)
            }
            Parcel::Finished(finish) => {
                (ParcelKind::Finished, (finish.records.len() as u32).saturating_sub(1))
            }
            _ => return,
        };
        // Plain values: this cannot fail.
        let bytes = postcard::to_stdvec(parcel).map_or(0, |bytes| bytes.len() as u64);
        self.add(kind, epoch, Amount { messages: 1, bytes });
    }

    fn add(&mut self, kind: ParcelKind, epoch: u32, amount: Amount) {
        self.0.entry((kind, epoch)).or_default().add(amount);
    }

    /// What was said of an epoch.
    #[must_use]
    pub fn of(&self, kind: ParcelKind, epoch: u32) -> Amount {
        self.0.get(&(kind, epoch)).copied().unwrap_or_default()
    }

    /// Of all epochs.
    #[must_use]
    pub fn total(&self, kind: ParcelKind) -> Amount {
        let mut total = Amount::default();
        self.0.iter().filter(|((of, _), _)| *of == kind).for_each(|(_, amount)| total.add(*amount));
        total
    }

    /// Epochs of which something was said.
    #[must_use]
    pub fn epochs(&self) -> u32 {
        self.0.keys().map(|(_, epoch)| epoch + 1).max().unwrap_or(0)
    }

    /// As a table of kinds and epochs.
    #[must_use]
    pub fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(vec![]);
        for (&(kind, epoch), &Amount { messages, bytes }) in &self.0 {
            // Memory takes all of it.
            let _ = writer.serialize(Line { kind, epoch, messages, bytes });
        }
        writer.into_inner().unwrap_or_default()
    }

    /// Reads such a table.
    ///
    /// # Errors
    /// A file that is not there or is no such table, in one line.
    pub fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let mut reader =
            csv::Reader::from_path(path).map_err(|error| format!("{shown}: cannot be read ({error})"))?;
        let mut traffic = Self::default();
        for line in reader.deserialize() {
            let line: Line = line.map_err(|error| format!("{shown}: is no table of traffic ({error})"))?;
            let Line { kind, epoch, messages, bytes } = line;
            if messages.max(bytes).max(epoch.into()) > u64::from(u32::MAX) {
                return Err(format!("{shown}: is no table of traffic: of a run there are fewer messages"));
            }
            traffic.add(kind, epoch, Amount { messages, bytes });
        }
        Ok(traffic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_read_as_it_was_written() {
        let mut traffic = Traffic::default();
        for (island, epoch, bytes) in [(0, 1, 900), (1, 1, 901), (0, 2, 1000)] {
            traffic.note(&Parcel::Saved { island, epoch, bytes }, 1);
        }
        traffic.note(&Parcel::Row(3, crate::Row { sweep: 6, ..Default::default() }), 3);
        traffic.note(&Parcel::Close, 1);
        assert_eq!(traffic.of(ParcelKind::Checkpoint, 0), Amount { messages: 2, bytes: 1801 });
        assert_eq!(traffic.of(ParcelKind::Checkpoint, 0).each(), 901);
        assert_eq!(traffic.of(ParcelKind::Row, 1).messages, 1);
        assert_eq!((traffic.epochs(), traffic.total(ParcelKind::Saved).messages), (2, 3));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TRAFFIC);
        std::fs::write(&path, traffic.to_csv()).unwrap();
        assert_eq!(Traffic::read(&path).unwrap(), traffic);
        for (text, says) in [
            ("kind,epoch,messages,bytes\nmigrant,0,1\n", "is no table of traffic"),
            ("kind,epoch,messages,bytes\nbird,0,1,1\n", "is no table of traffic"),
            ("kind,epoch,messages,bytes\nmigrant,0,1,99999999999\n", "is no table of traffic"),
        ] {
            std::fs::write(&path, text).unwrap();
            let reason = Traffic::read(&path).unwrap_err();
            assert!(reason.contains(says) && reason.lines().count() == 1, "{reason}");
        }
    }
}
