//! Requests and answers: the board's side of the link.

mod server;

use embedded_io::{Read, ReadReady, Write};
use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;
#[cfg(feature = "key")]
use evobit_link::key::{Guard, Key};
use evobit_link::{LinkError, Reply, Request};

use crate::keep::Keeper;
use crate::learner::Learner;

#[cfg(feature = "key")]
use server::Guarded;
use server::Server;

/// What only the board knows.
pub trait Board {
    /// Its name.
    const NAME: &'static str;

    /// A counter of instructions, or the nearest that the board has; 0 where it has none.
    fn instructions(&mut self) -> u64 {
        0
    }

    /// The most bytes of stack used so far; 0 where it is not known.
    fn stack_bytes(&mut self) -> u32 {
        0
    }

    /// Evolution begins or ends: for a lamp.
    fn evolving(&mut self, _on: bool) {}

    /// Starts the board anew; a board that cannot goes on.
    fn restart(&mut self) {}

    /// Keeps, also over a loss of power, that counters of keyed requests below `next` were used: for boards with a better place than the
    /// flash for what is kept, which does it where this is false.
    fn keep_counter(&mut self, _next: u32) -> bool {
        false
    }
}

/// Bytes of a frame as they come.
#[derive(Debug)]
struct Receiver<const BYTES: usize> {
    bytes: [u8; BYTES],
    /// Bytes of the present frame, more than there is room for where it is too long.
    len: usize,
}

impl<const BYTES: usize> Receiver<BYTES> {
    /// Takes in a byte; the length of a frame when it ends one.
    fn push(&mut self, byte: u8) -> Option<usize> {
        if byte != 0 {
            if let Some(slot) = self.bytes.get_mut(self.len) {
                *slot = byte;
            }
            self.len = self.len.saturating_add(1);
            return None;
        }
        Some(core::mem::take(&mut self.len))
    }
}

/// The application of a board: `BYTES` is the longest frame that it reads.
#[derive(Debug)]
pub struct App<'a, S, Serial, F, B, const BYTES: usize> {
    serial: Serial,
    receiver: Receiver<BYTES>,
    server: Server<'a, S, F, B>,
}

impl<'a, S, Serial, F, B, const BYTES: usize> App<'a, S, Serial, F, B, BYTES>
where
    S: Score,
    Serial: Read + ReadReady + Write,
    F: NorFlash,
    B: Board,
{
    /// The application, to be [started](Self::start). Inlined: it is large, and made where it stays.
    #[inline(always)]
    pub fn new(learner: &'a mut Learner<'a, S>, keeper: Option<Keeper<F>>, serial: Serial, board: B) -> Self {
        let server = Server {
            learner,
            keeper,
            board,
            update: None,
            #[cfg(feature = "key")]
            guard: None,
            restart: false,
            message_bytes: BYTES.saturating_sub(BYTES / 254 + 8) as u16,
            last_instructions: 0,
            evolving_instructions: 0,
        };
        Self { serial, receiver: Receiver { bytes: [0; BYTES], len: 0 }, server }
    }

    /// Loads what was saved.
    pub fn start(&mut self) {
        self.server.load();
    }

    /// From now on changes are taken only with `key`, and counters that flash and board have not kept as used: `next` is what
    /// [`Board::keep_counter`] kept last, 0 for most. Where flash cannot be read none is taken.
    #[cfg(feature = "key")]
    pub fn guard(&mut self, key: Key, next: u32) {
        let kept = self.server.keeper.as_mut().map_or(Ok(0), Keeper::counter);
        let next = kept.map_or(u32::MAX, |kept| kept.max(next));
        self.server.guard = Some(Guarded { guard: Guard::new(key, next), kept: next });
    }

    /// The learner.
    pub fn learner(&mut self) -> &mut Learner<'a, S> {
        self.server.learner
    }

    /// Answers a request that the board itself makes. [`Request::Pull`] is for a line and refused here.
    pub fn ask(&mut self, request: Request<'_>) -> Reply<'static> {
        self.server.reply(request)
    }

    /// Answers what has come, then makes one step of evolution. False where there was nothing to do.
    ///
    /// # Errors
    /// What the serial line reports.
    pub fn run(&mut self) -> Result<bool, Serial::Error> {
        let mut busy = false;
        while self.serial.read_ready()? {
            let mut byte = [0];
            if self.serial.read(&mut byte)? == 0 {
                break;
            }
            busy = true;
            if let Some(len) = self.receiver.push(byte[0]) {
                self.answer(len)?;
            }
        }
        Ok(self.server.evolve() || busy)
    }

    fn answer(&mut self, len: usize) -> Result<(), Serial::Error> {
        let frame = match self.receiver.bytes.get_mut(..len) {
            Some([]) => return Ok(()),
            Some(frame) => self.server.answer(frame),
            // What fitted is damaged: there is no sequence number to answer to.
            None => self.server.refuse(0, LinkError::Length(self.server.message_bytes)),
        };
        self.serial.write_all(frame)?;
        self.serial.flush()?;
        if core::mem::take(&mut self.server.restart) {
            self.server.board.restart();
        }
        Ok(())
    }
}
