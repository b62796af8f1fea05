//! What answers requests: learner, flash and counters.

use embedded_storage::nor_flash::NorFlash;
use evobit::evolve::compact::Score;
use evobit::image;
use evobit_link::{
    Evolve, FrameError, Info, LinkError, Part, Reply, Request, VERSION, apply_flips, read_frame, write_flips,
    write_frame,
};

#[cfg(feature = "key")]
use evobit_link::key::Guard;

use super::Board;
use crate::keep::Keeper;
use crate::learner::{Learned, Learner};

/// An update that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    genome: u32,
    from: u32,
}

/// Counters that are kept as used at once: flash wears less, and a loss of power costs at most so many.
#[cfg(feature = "key")]
const COUNTERS: u32 = 1024;

/// What guards a board with a key.
#[cfg(feature = "key")]
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) guard: Guard,
    /// Counters below this are kept as used.
    pub(super) kept: u32,
}

/// What answers: learner, flash and counters.
#[derive(Debug)]
pub(super) struct Server<'a, S, F, B> {
    pub(super) learner: &'a mut Learner<'a, S>,
    pub(super) keeper: Option<Keeper<F>>,
    pub(super) board: B,
    pub(super) update: Option<Update>,
    #[cfg(feature = "key")]
    pub(super) guard: Option<Guarded>,
    /// True from the request on until its answer is out.
    pub(super) restart: bool,
    pub(super) message_bytes: u16,
    pub(super) last_instructions: u64,
    pub(super) evolving_instructions: u64,
}

impl<S: Score, F: NorFlash, B: Board> Server<'_, S, F, B> {
    #[inline(never)]
    pub(super) fn load(&mut self) {
        self.learner.reset();
        if let Some(keeper) = &mut self.keeper {
            // Where flash fails the board runs on its base image.
            let _ = keeper.load(self.learner);
        }
    }

    pub(super) fn evolve(&mut self) -> bool {
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
    pub(super) fn answer(&mut self, frame: &mut [u8]) -> &[u8] {
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

    pub(super) fn refuse(&mut self, sequence: u8, error: LinkError) -> &[u8] {
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
                    let in_flash = |keeper: &mut Keeper<F>| keeper.keep_counter(kept).is_ok();
                    if !self.board.keep_counter(kept) && !self.keeper.as_mut().is_some_and(in_flash) {
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

    pub(super) fn reply(&mut self, request: Request<'_>) -> Reply<'static> {
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
            #[cfg(any(feature = "spectrum", feature = "full"))]
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
    fn statistics(&mut self) -> evobit_link::Statistics {
        evobit_link::Statistics {
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
