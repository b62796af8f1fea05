//! Asking a board.

mod answers;

use std::time::Duration;

use evobit_link::key::{KEYED_BYTES, Key};
use evobit_link::{
    Evolve, FrameError, LinkError, Part, Reply, Request, Statistics, apply_flips, frame_len, read_frame,
    write_frame,
};

use super::line::{Line, LinkFailure};
use super::update::Update;

pub use answers::{BoardInfo, Class, Entry, Learned};

/// Bytes of the longest message that is written.
const MOST_MESSAGE: usize = 1 << 18;
/// How long an answer may take: a large board looks at all its samples anew after each that it learns, an emulated one on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a board has for its first answer, each time it is asked.
const GREETING: Duration = Duration::from_secs(4);
/// How often it is asked.
const GREETINGS: u32 = 5;
/// Bytes of a message beside a sample or flips: kind, length, label.
const AROUND: usize = 6;

/// A board at the other end of a line.
#[derive(Debug)]
pub struct Client<L> {
    /// The line.
    pub line: L,
    sequence: u8,
    buffer: Vec<u8>,
    guard: Option<Guard>,
    sent: u64,
    received: u64,
}

/// What a board with a key asks for.
#[derive(Debug)]
struct Guard {
    key: Key,
    /// The counter of the next request; none before the board said it.
    next: Option<u32>,
}

impl<L: Line> Client<L> {
    /// A client on a line.
    #[must_use]
    pub fn new(line: L) -> Self {
        // Answers to an earlier program's requests must not be taken for answers to these.
        let sequence = std::process::id().wrapping_mul(37) as u8;
        Self { line, sequence, buffer: vec![0; frame_len(MOST_MESSAGE)], guard: None, sent: 0, received: 0 }
    }

    /// Makes every request that changes something with a key from now on.
    pub fn use_key(&mut self, key: Key) {
        self.guard = Some(Guard { key, next: None });
    }

    /// The lowest counter that a board with a key takes, none where it has no key; and how many requests it refused.
    ///
    /// # Errors
    /// What goes wrong on the line, or a board that knows no keys.
    pub fn counter(&mut self) -> Result<(Option<u32>, u32), LinkFailure> {
        self.send_and_read(&Request::Guard, PATIENCE, |reply| match reply {
            Reply::Guard { next, refused } => Some((next, refused)),
            _ => None,
        })
    }

    /// Bytes sent and received so far.
    #[must_use]
    pub const fn bytes(&self) -> (u64, u64) {
        (self.sent, self.received)
    }

    /// The number of the next request.
    pub fn next_sequence(&mut self) -> u8 {
        self.sequence = self.sequence.wrapping_add(1);
        self.sequence
    }

    /// Makes a request, with the key where it changes something, waits for its answer and hands it to `read`.
    fn ask<T>(
        &mut self,
        request: &Request<'_>,
        patience: Duration,
        read: impl FnOnce(Reply<'_>) -> Option<T>,
    ) -> Result<T, LinkFailure> {
        if self.guard.is_none() || !request.changes() {
            return self.send_and_read(request, patience, read);
        }
        if self.guard.as_ref().is_some_and(|guard| guard.next.is_none()) {
            let next = match self.counter() {
                Ok((next, _)) => next.ok_or(LinkFailure::NoKey)?,
                Err(LinkFailure::Refused(LinkError::Message)) => return Err(LinkFailure::NoKey),
                Err(error) => return Err(error),
            };
            self.guard.iter_mut().for_each(|guard| guard.next = Some(next));
        }
        let Some(Guard { key, next: Some(counter) }) = &mut self.guard else {
            return Err(LinkFailure::NoKey);
        };
        let mut within = vec![0; MOST_MESSAGE];
        let within = &*postcard::to_slice(request, &mut within)
            .map_err(|_| LinkFailure::Frame(FrameError::BufferLength))?;
        let keyed = Request::Keyed { counter: *counter, tag: key.tag(*counter, within), request: within };
        *counter = counter.saturating_add(1);
        self.send_and_read(&keyed, patience, read)
    }

    fn send_and_read<T>(
        &mut self,
        request: &Request<'_>,
        patience: Duration,
        read: impl FnOnce(Reply<'_>) -> Option<T>,
    ) -> Result<T, LinkFailure> {
        let sequence = self.next_sequence();
        let frame = write_frame(sequence, request, &mut self.buffer)?;
        self.sent += frame.len() as u64;
        self.line.send(frame)?;
        loop {
            let mut answer = self.line.receive(patience)?;
            self.received += answer.len() as u64 + 1;
            match read_frame(&mut answer) {
                Ok((_, Reply::Error(error @ LinkError::Length(_)))) => return Err(error.into()),
                Ok((answered, reply)) if answered == sequence => {
                    return match reply {
                        Reply::Error(error) => Err(error.into()),
                        reply => read(reply).ok_or(LinkFailure::Other),
                    };
                }
                Err(error @ (FrameError::Version { .. } | FrameError::Message { .. })) => {
                    return Err(error.into());
                }
                // An answer to what another program asked, or noise.
                _ => {}
            }
        }
    }

    fn done(&mut self, request: &Request<'_>) -> Result<(), LinkFailure> {
        self.ask(request, PATIENCE, |reply| matches!(reply, Reply::Done).then_some(()))
    }

    /// Ends what an earlier program may have left half sent, and asks who is there until there is an answer.
    ///
    /// # Errors
    /// [`LinkFailure::Silent`] and what else goes wrong on the line.
    pub fn greet(&mut self) -> Result<BoardInfo, LinkFailure> {
        for _ in 1..GREETINGS {
            self.line.send(&[0])?;
            match self.ask_info(GREETING) {
                Err(LinkFailure::Silent | LinkFailure::Refused(LinkError::Length(_))) => {}
                answered => return answered,
            }
        }
        self.ask_info(GREETING)
    }

    fn ask_info(&mut self, patience: Duration) -> Result<BoardInfo, LinkFailure> {
        self.ask(&Request::Info, patience, |reply| match reply {
            Reply::Info(info) => Some(info.into()),
            _ => None,
        })
    }

    /// What the board has done.
    ///
    /// # Errors
    /// What goes wrong on the line.
    pub fn statistics(&mut self) -> Result<Statistics, LinkFailure> {
        self.ask(&Request::Statistics, PATIENCE, |reply| match reply {
            Reply::Statistics(statistics) => Some(statistics),
            _ => None,
        })
    }

    /// The class of a raw sample.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn classify(&mut self, sample: &[u8]) -> Result<Class, LinkFailure> {
        self.ask(&Request::Classify { sample }, PATIENCE, |reply| match reply {
            Reply::Class { answer, network, samples, prototypes } => {
                Some(Class { answer, network, samples, prototypes })
            }
            _ => None,
        })
    }

    /// Teaches a labelled raw sample.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn learn(&mut self, sample: &[u8], label: u8) -> Result<Learned, LinkFailure> {
        self.ask(&Request::Learn { sample, label: label.into() }, PATIENCE, |reply| match reply {
            Reply::Learned { stored, replaced, right, drifted } => {
                Some(Learned { stored, replaced, right, drifted })
            }
            _ => None,
        })
    }

    /// How many mutants of a layer's first neurons would lower the loss, leave it, raise it.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn spectrum(&mut self, layer: u8, neurons: u16) -> Result<[u32; 3], LinkFailure> {
        self.ask(&Request::Spectrum { layer, neurons }, PATIENCE, |reply| match reply {
            Reply::Spectrum { better, equal, worse } => Some([better, equal, worse]),
            _ => None,
        })
    }

    /// Waits until the board owes no mutants.
    ///
    /// # Errors
    /// What goes wrong on the line.
    pub fn settle(&mut self) -> Result<Statistics, LinkFailure> {
        loop {
            let statistics = self.statistics()?;
            if statistics.owed == 0 {
                return Ok(statistics);
            }
            self.line.idle();
        }
    }

    /// Lets the board evolve so many mutants and waits for it.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn evolve(&mut self, what: Evolve, mutants: u32) -> Result<Statistics, LinkFailure> {
        self.done(&Request::Evolve { what, mutants })?;
        self.settle()
    }

    /// Bytes that a request takes more with the key.
    const fn overhead(&self) -> usize {
        if self.guard.is_some() { KEYED_BYTES } else { 0 }
    }

    /// Whether a labelled sample of so many bytes can be sent to a board.
    ///
    /// # Errors
    /// [`LinkFailure::Message`].
    pub fn check_sample(&self, info: &BoardInfo, len: usize) -> Result<(), LinkFailure> {
        let (len, most) = (len + AROUND + self.overhead(), usize::from(info.message_bytes));
        if len <= most { Ok(()) } else { Err(LinkFailure::Message { len, most }) }
    }

    /// Begins the board's random numbers anew.
    ///
    /// # Errors
    /// What goes wrong on the line.
    pub fn seed(&mut self, seed: u64) -> Result<(), LinkFailure> {
        self.done(&Request::Seed { seed })
    }

    /// Starts the board anew, as after a loss of power; it needs a moment.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn restart(&mut self) -> Result<(), LinkFailure> {
        self.done(&Request::Restart)
    }

    /// Lets the board save what it learned.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn save(&mut self) -> Result<(), LinkFailure> {
        self.done(&Request::Save)
    }

    /// Lets the board forget what it learned, saved or not.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn reset(&mut self) -> Result<(), LinkFailure> {
        self.done(&Request::Reset)
    }

    /// Pulls the flips against the base genome: their bytes, as one piece, and the genome that they make.
    ///
    /// # Errors
    /// What goes wrong on the line, or flips that are none.
    pub fn pull(&mut self, base: &[u32]) -> Result<(Vec<u8>, Vec<u32>), LinkFailure> {
        let (mut genome, mut all, mut from) = (base.to_vec(), vec![], Some(0));
        while let Some(start) = from {
            let request = Request::Pull { part: Part::Flips, from: start };
            from = self.ask(&request, PATIENCE, |reply| match reply {
                Reply::Flips { flips, next } => {
                    all.extend_from_slice(flips);
                    apply_flips(flips, start, &mut genome).ok().map(|_| next)
                }
                _ => None,
            })?;
        }
        Ok((all, genome))
    }

    /// Pulls the stored samples or the prototypes.
    ///
    /// # Errors
    /// What goes wrong on the line.
    pub fn entries(&mut self, part: Part) -> Result<Vec<Entry>, LinkFailure> {
        let (mut entries, mut from) = (vec![], Some(0));
        while let Some(start) = from {
            from = self.ask(&Request::Pull { part, from: start }, PATIENCE, |reply| match reply {
                Reply::Entry { label, bits, next } => {
                    let words =
                        bits.as_chunks::<4>().0.iter().map(|&word| u32::from_le_bytes(word)).collect();
                    entries.push(Entry { label, words });
                    Some(next)
                }
                Reply::NoEntry => Some(None),
                _ => None,
            })?;
        }
        Ok(entries)
    }

    /// Pushes an update, in messages of at most `message_bytes`. Nothing changes before the last message.
    ///
    /// # Errors
    /// What the board refuses or goes wrong on the line.
    pub fn push(&mut self, update: &Update, message_bytes: u16) -> Result<(), LinkFailure> {
        self.done(&Request::PushBegin { base: update.base, genome: update.genome })?;
        let most = usize::from(message_bytes).saturating_sub(AROUND + self.overhead()).max(5);
        for flips in update.pieces(most) {
            self.done(&Request::Push { flips })?;
        }
        self.done(&Request::PushEnd)
    }
}
