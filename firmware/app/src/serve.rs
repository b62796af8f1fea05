//! Requests and answers: the board's side of the link.

use embedded_io::{Read, ReadReady, Write};
use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;
use evobit::image;
use evobit::link::{
    Evolve, FrameError, Info, LinkError, Part, Reply, Request, VERSION, apply_flips, read_frame, write_flips,
    write_frame,
};

#[cfg(feature = "key")]
use evobit::link::key::{Guard, Key};

use crate::keep::Keeper;
use crate::learner::{Learned, Learner};

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

    /// Keeps, also over a loss of power, that counters of keyed requests below `next` were used. False where it cannot: then nothing keyed
    /// is done.
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

/// An update that has begun.
#[derive(Clone, Copy, Debug)]
struct Update {
    genome: u32,
    from: u32,
}

/// Counters that are kept as used at once: flash wears less, and a loss of power costs at most so many.
#[cfg(feature = "key")]
const COUNTERS: u32 = 1024;

/// What guards a board with a key.
#[cfg(feature = "key")]
#[derive(Debug)]
struct Guarded {
    guard: Guard,
    /// Counters below this are kept as used.
    kept: u32,
}

/// What answers: learner, flash and counters.
#[derive(Debug)]
struct Server<'a, S, F, B> {
    learner: &'a mut Learner<'a, S>,
    keeper: Option<Keeper<F>>,
    board: B,
    update: Option<Update>,
    #[cfg(feature = "key")]
    guard: Option<Guarded>,
    /// True from the request on until its answer is out.
    restart: bool,
    message_bytes: u16,
    last_instructions: u64,
    evolving_instructions: u64,
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

    /// From now on changes are taken only with `key`, and counters from `next` on: what [`Board::keep_counter`] kept last, 0 at first.
    #[cfg(feature = "key")]
    pub fn guard(&mut self, key: Key, next: u32) {
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

impl<S: Score, F: NorFlash, B: Board> Server<'_, S, F, B> {
    #[inline(never)]
    fn load(&mut self) {
        self.learner.reset();
        if let Some(keeper) = &mut self.keeper {
            // Where flash fails the board runs on its base image.
            let _ = keeper.load(self.learner);
        }
    }

    fn evolve(&mut self) -> bool {
        if !self.learner.is_evolving() {
            return false;
        }
        let before = self.board.instructions();
        self.learner.step();
        self.evolving_instructions += self.board.instructions().wrapping_sub(before);
        if !self.learner.is_evolving() {
            self.board.evolving(false);
        }
        true
    }

    /// The answer to a frame, as bytes for the line.
    #[inline(never)]
    fn answer(&mut self, frame: &mut [u8]) -> &[u8] {
        match read_frame::<Request<'_>>(frame) {
            Ok((sequence, Request::Pull { part, from })) => self.pull(sequence, part, from),
            Ok((sequence, request)) => {
                let before = self.board.instructions();
                let reply = self.admitted(request);
                self.last_instructions = self.board.instructions().wrapping_sub(before);
                let (room, ..) = self.learner.message_room();
                written(sequence, &reply, room)
            }
            Err(FrameError::Version { sequence, .. }) => self.refuse(sequence, LinkError::Version(VERSION)),
            Err(FrameError::Message { sequence }) => self.refuse(sequence, LinkError::Message),
            Err(_) => &[],
        }
    }

    fn refuse(&mut self, sequence: u8, error: LinkError) -> &[u8] {
        let (room, ..) = self.learner.message_room();
        written(sequence, &Reply::Error(error), room)
    }

    /// The answer to a request from the line, if it may be done.
    #[cfg(feature = "key")]
    fn admitted(&mut self, request: Request<'_>) -> Reply<'static> {
        if request == Request::Guard {
            let (next, refused) =
                self.guard.as_ref().map_or((None, 0), |on| (Some(on.guard.next()), on.guard.refused()));
            return Reply::Guard { next, refused };
        }
        let Some(on) = &mut self.guard else { return self.reply(request) };
        match on.guard.admit(request) {
            Ok(request) => {
                if on.guard.next() > on.kept {
                    let kept = on.guard.next().saturating_add(COUNTERS);
                    if !self.board.keep_counter(kept) {
                        return Reply::Error(LinkError::Storage);
                    }
                    on.kept = kept;
                }
                self.reply(request)
            }
            Err(error) => Reply::Error(error),
        }
    }

    /// The answer to a request from the line.
    #[cfg(not(feature = "key"))]
    fn admitted(&mut self, request: Request<'_>) -> Reply<'static> {
        self.reply(request)
    }

    fn reply(&mut self, request: Request<'_>) -> Reply<'static> {
        self.answer_to(request).unwrap_or_else(Reply::Error)
    }

    #[inline(never)]
    fn answer_to(&mut self, request: Request<'_>) -> Result<Reply<'static>, LinkError> {
        if !matches!(request, Request::Push { .. } | Request::PushEnd | Request::Statistics | Request::Info) {
            self.update = None;
        }
        let learner = &mut *self.learner;
        match request {
            Request::Info => return Ok(Reply::Info(self.info())),
            Request::Statistics => return Ok(Reply::Statistics(self.statistics())),
            Request::Classify { sample } => {
                let answers = learner.classify(sample)?;
                return Ok(Reply::Class {
                    answer: answers.answer.into(),
                    network: answers.network.into(),
                    samples: answers.samples.map(u16::from),
                    prototypes: answers.prototypes.map(u16::from),
                });
            }
            Request::Learn { sample, label } => {
                let learned = learner.learn(sample, label)?;
                let stored = learner.store().len() as u16;
                self.board.evolving(self.learner.is_evolving());
                let Learned { replaced, right, drifted } = learned;
                return Ok(Reply::Learned { stored, replaced, right, drifted });
            }
            Request::Evolve { what, mutants } => {
                match what {
                    Evolve::Network => learner.evolve_network(mutants, true)?,
                    Evolve::Memory { prototypes } => learner.evolve_memory(prototypes.into(), mutants)?,
                    _ => return Err(LinkError::Message),
                }
                self.board.evolving(true);
            }
            // For measurements: where flash is short only in a firmware that is built for them.
            #[cfg(any(feature = "spectrum", not(feature = "small")))]
            Request::Spectrum { layer, neurons } => {
                let [better, equal, worse] = learner.spectrum(layer.into(), neurons.into())?;
                return Ok(Reply::Spectrum { better, equal, worse });
            }
            Request::Seed { seed } => learner.seed(seed),
            Request::Forget => learner.forget(),
            Request::PushBegin { base, genome } => {
                let own = learner.model().checksum();
                if base != own {
                    return Err(LinkError::Base(own));
                }
                learner.begin_update();
                self.update = Some(Update { genome, from: 0 });
            }
            Request::Push { flips } => self.push(flips)?,
            Request::PushEnd => {
                let update = self.update.take().ok_or(LinkError::NoUpdate)?;
                learner.end_update(update.genome)?;
            }
            Request::Save => self.save()?,
            Request::Reset => {
                learner.reset();
                if self.keeper.is_some() {
                    self.save()?;
                }
            }
            Request::Restart => self.restart = true,
            _ => return Err(LinkError::Message),
        }
        Ok(Reply::Done)
    }

    #[inline(never)]
    fn push(&mut self, flips: &[u8]) -> Result<(), LinkError> {
        let update = self.update.as_mut().ok_or(LinkError::NoUpdate)?;
        match apply_flips(flips, update.from, self.learner.update()) {
            Ok(from) => update.from = from,
            Err(_) => {
                self.update = None;
                return Err(LinkError::Flips);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn save(&mut self) -> Result<(), LinkError> {
        let keeper = self.keeper.as_mut().ok_or(LinkError::NoStorage)?;
        keeper.save(self.learner).map_err(|_| LinkError::Storage)
    }

    #[inline(never)]
    fn pull(&mut self, sequence: u8, part: Part, from: u32) -> &[u8] {
        if let Part::Flips = part {
            let (room, base, live) = self.learner.message_room();
            // A piece that fits a frame of what is left of the room.
            let (piece, room) = room.split_at_mut(room.len() / 2 - 16);
            let (len, next) = write_flips(base, live, from, piece);
            return written(sequence, &Reply::Flips { flips: &piece[..len], next }, room);
        }
        let samples = matches!(part, Part::Samples);
        let entry = match self.learner.entry(samples, from as usize) {
            Ok(entry) => entry,
            Err(room) => return written(sequence, &Reply::NoEntry, room),
        };
        let next = (from as usize + 1 < entry.count).then_some(from.wrapping_add(1));
        written(sequence, &Reply::Entry { label: entry.label.into(), bits: entry.bits, next }, entry.room)
    }

    #[inline(never)]
    fn info(&self) -> Info<'static> {
        let image = self.learner.model();
        let (used, there) = self.learner.memory();
        let sizes = self.learner.sizes();
        Info {
            board: B::NAME,
            firmware: env!("CARGO_PKG_VERSION"),
            image_version: image::VERSION,
            base: image.checksum(),
            features: image.encoder().features(),
            classes: image.topology().classes() as u16,
            message_bytes: self.message_bytes,
            capacity: sizes.samples as u16,
            prototypes: sizes.prototypes as u16,
            used_words: used as u32,
            arena_words: there as u32,
        }
    }

    #[inline(never)]
    fn statistics(&mut self) -> evobit::link::Statistics {
        evobit::link::Statistics {
            generation: self.keeper.as_ref().map_or(0, Keeper::generation),
            evolving_instructions: self.evolving_instructions,
            last_instructions: self.last_instructions,
            stack_bytes: self.board.stack_bytes(),
            ..self.learner.statistics()
        }
    }
}

/// A reply as bytes for the line; none where it does not fit, which no reply here is.
#[inline(never)]
fn written<'b>(sequence: u8, reply: &Reply<'_>, room: &'b mut [u8]) -> &'b [u8] {
    write_frame(sequence, reply, room).unwrap_or(&[])
}
