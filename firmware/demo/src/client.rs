//! The host's side of the link.

use anyhow::{Context, bail, ensure};
use evobit::image::genome_checksum;
use evobit::link::{
    Evolve, LinkError, Part, Reply, Request, Statistics, apply_flips, frame_len, read_frame, write_frame,
};

/// Something that answers frames.
pub(crate) trait Line {
    /// Sends bytes.
    fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()>;

    /// The next frame that comes, without its zero.
    fn receive(&mut self) -> anyhow::Result<Vec<u8>>;

    /// Lets a board that has no processor of its own do its work.
    fn idle(&mut self) {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// A board at the other end of a line.
pub(crate) struct Client<L> {
    pub(crate) line: L,
    sequence: u8,
}

/// The answers to one sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) answer: u16,
    pub(crate) network: u16,
    pub(crate) samples: Option<u16>,
    pub(crate) prototypes: Option<u16>,
}

impl<L: Line> Client<L> {
    pub(crate) fn new(line: L) -> Self {
        Self { line, sequence: 0 }
    }

    /// Asks and hands the reply to `read`.
    fn ask<T>(
        &mut self,
        request: &Request<'_>,
        read: impl FnOnce(Reply<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut buffer = vec![0; frame_len(2048)];
        let frame = write_frame(self.sequence, request, &mut buffer)?;
        self.line.send(frame)?;
        let mut answer = self.line.receive()?;
        let (sequence, reply) = read_frame(&mut answer).context("the board's answer cannot be read")?;
        ensure!(sequence == self.sequence, "the board answered another request");
        match reply {
            Reply::Error(error) => Err(error.into()),
            reply => read(reply),
        }
    }

    fn done(&mut self, request: &Request<'_>) -> anyhow::Result<()> {
        self.ask(request, |reply| match reply {
            Reply::Done => Ok(()),
            _ => bail!("an answer to something else"),
        })
    }

    /// How many mutants of a layer would lower the loss, leave it, raise it.
    pub(crate) fn spectrum(&mut self, layer: u8, neurons: u16) -> anyhow::Result<[u32; 3]> {
        self.ask(&Request::Spectrum { layer, neurons }, |reply| match reply {
            Reply::Spectrum { better, equal, worse } => Ok([better, equal, worse]),
            _ => bail!("an answer to something else"),
        })
    }

    pub(crate) fn classify(&mut self, sample: &[u8]) -> anyhow::Result<Class> {
        self.ask(&Request::Classify { sample }, |reply| match reply {
            Reply::Class { answer, network, samples, prototypes } => {
                Ok(Class { answer, network, samples, prototypes })
            }
            _ => bail!("an answer to something else"),
        })
    }

    /// True where the drift monitor fired.
    pub(crate) fn learn(&mut self, sample: &[u8], label: u8) -> anyhow::Result<bool> {
        self.ask(&Request::Learn { sample, label: label.into() }, |reply| match reply {
            Reply::Learned { drifted, .. } => Ok(drifted),
            _ => bail!("an answer to something else"),
        })
    }

    /// Sends bytes that are no request, and asks for statistics behind them; what the board answers to the former is skipped, if it is an
    /// answer at all.
    pub(crate) fn disturb(&mut self, bytes: &[u8]) -> anyhow::Result<(Statistics, Vec<LinkError>)> {
        self.line.send(bytes)?;
        self.line.send(&[0])?;
        self.sequence = self.sequence.wrapping_add(1);
        let mut buffer = vec![0; frame_len(64)];
        self.line.send(write_frame(self.sequence, &Request::Statistics, &mut buffer)?)?;
        let mut errors = vec![];
        loop {
            let mut answer = self.line.receive()?;
            match read_frame(&mut answer).context("the board's answer cannot be read")? {
                (sequence, Reply::Statistics(statistics)) if sequence == self.sequence => {
                    return Ok((statistics, errors));
                }
                (_, Reply::Error(error)) => errors.push(error),
                (_, reply) => bail!("the board did what it was not asked to: {reply:?}"),
            }
        }
    }

    pub(crate) fn statistics(&mut self) -> anyhow::Result<Statistics> {
        self.ask(&Request::Statistics, |reply| match reply {
            Reply::Statistics(statistics) => Ok(statistics),
            _ => bail!("an answer to something else"),
        })
    }

    /// Waits until the board owes no mutants.
    pub(crate) fn settle(&mut self) -> anyhow::Result<Statistics> {
        loop {
            let statistics = self.statistics()?;
            if statistics.owed == 0 {
                return Ok(statistics);
            }
            self.line.idle();
        }
    }

    pub(crate) fn evolve(&mut self, what: Evolve, mutants: u32) -> anyhow::Result<Statistics> {
        self.done(&Request::Evolve { what, mutants })?;
        self.settle()
    }

    /// Starts the board anew; it needs a moment.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.done(&Request::Restart)
    }

    pub(crate) fn seed(&mut self, seed: u64) -> anyhow::Result<()> {
        self.done(&Request::Seed { seed })
    }

    pub(crate) fn save(&mut self) -> anyhow::Result<()> {
        self.done(&Request::Save)
    }

    pub(crate) fn reset(&mut self) -> anyhow::Result<()> {
        self.done(&Request::Reset)
    }

    /// Pulls the flips against the base genome and returns how many there are, how many bytes they took and the genome that they make.
    pub(crate) fn pull(&mut self, base: &[u32]) -> anyhow::Result<(u32, usize, Vec<u32>)> {
        let (mut genome, mut from, mut bytes) = (base.to_vec(), Some(0), 0);
        while let Some(start) = from {
            let request = Request::Pull { part: Part::Flips, from: start };
            from = self.ask(&request, |reply| match reply {
                Reply::Flips { flips, next } => {
                    bytes += flips.len();
                    apply_flips(flips, start, &mut genome).map_err(|_| LinkError::Flips)?;
                    Ok(next)
                }
                _ => bail!("an answer to something else"),
            })?;
        }
        let flips = base.iter().zip(&genome).map(|(a, b)| (a ^ b).count_ones()).sum();
        Ok((flips, bytes, genome))
    }

    /// Pushes a genome as flips against the base genome.
    pub(crate) fn push(&mut self, image: u32, base: &[u32], genome: &[u32]) -> anyhow::Result<()> {
        self.done(&Request::PushBegin { base: image, genome: genome_checksum(genome) })?;
        let mut from = Some(0);
        while let Some(start) = from {
            let mut piece = [0; 40];
            let (len, next) = evobit::link::write_flips(base, genome, start, &mut piece);
            self.done(&Request::Push { flips: &piece[..len] })?;
            from = next;
        }
        self.done(&Request::PushEnd)
    }
}
