//! The host's client, with what only demos ask.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use anyhow::{Context, bail};
use evobit::image::genome_checksum;
use evobit_boards::update::Update;
pub(crate) use evobit_boards::{Class, Line};
use evobit_link::{
    Flips, LinkError, Reply, Request, Statistics, frame_len, read_frame, write_flips, write_frame,
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a message that every board reads.
const MESSAGE_BYTES: u16 = 46;

/// A board at the other end of a line.
pub(crate) struct Client<L>(evobit_boards::Client<L>);

impl<L> Deref for Client<L> {
    type Target = evobit_boards::Client<L>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<L> DerefMut for Client<L> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<L: Line> Client<L> {
    pub(crate) fn new(line: L) -> Self {
        Self(evobit_boards::Client::new(line))
    }

    /// True where the drift monitor fired.
    pub(crate) fn learn(&mut self, sample: &[u8], label: u8) -> anyhow::Result<bool> {
        Ok(self.0.learn(sample, label)?.drifted)
    }

    /// Pulls the flips against the base genome and returns how many there are, how many bytes they took and the genome that they make.
    pub(crate) fn pull(&mut self, base: &[u32]) -> anyhow::Result<(u32, usize, Vec<u32>)> {
        let (flips, genome) = self.0.pull(base)?;
        Ok((Flips::new(&flips, 0).count() as u32, flips.len(), genome))
    }

    /// Pushes a genome as flips against the base genome.
    pub(crate) fn push(&mut self, image: u32, base: &[u32], genome: &[u32]) -> anyhow::Result<()> {
        let mut flips = vec![0; base.len() * 32];
        let (len, _) = write_flips(base, genome, 0, &mut flips);
        flips.truncate(len);
        let update = Update { base: image, genome: genome_checksum(genome), flips };
        Ok(self.0.push(&update, MESSAGE_BYTES)?)
    }

    /// Sends bytes that are no request, and asks for statistics behind them; what the board answers to the former is skipped, if it is an
    /// answer at all.
    pub(crate) fn disturb(&mut self, bytes: &[u8]) -> anyhow::Result<(Statistics, Vec<LinkError>)> {
        let wanted = self.next_sequence();
        let mut buffer = vec![0; frame_len(64)];
        let frame = write_frame(wanted, &Request::Statistics, &mut buffer)?;
        self.line.send(bytes)?;
        self.line.send(&[0])?;
        self.line.send(frame)?;
        let mut errors = vec![];
        loop {
            let mut answer = self.line.receive(PATIENCE)?;
            match read_frame(&mut answer).context("the board's answer cannot be read")? {
                (sequence, Reply::Statistics(statistics)) if sequence == wanted => {
                    return Ok((statistics, errors));
                }
                (_, Reply::Error(error)) => errors.push(error),
                (_, reply) => bail!("the board did what it was not asked to: {reply:?}"),
            }
        }
    }
}
