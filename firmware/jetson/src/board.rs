//! The board: the application on one thread, which answers first and evolves in the time between; what takes long is spread over others.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::os::unix::process::CommandExt;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::Duration;

use anyhow::{Context, anyhow};
use embedded_io::{ErrorType, Read, ReadReady, Write};
use evobit::topology::Topology;
use evobit_board::arena::{Layout, Sizes};
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig, Model, ModelError};
use evobit_board::serve::{App, Board};

use crate::config::Config;
use crate::flash::{BYTES, CounterFile, FileFlash};
use crate::lines::{self, Asked};

/// Bytes of the longest frame.
pub(crate) const FRAME: usize = 16 << 10;
const PROTOTYPES: usize = 256;
/// How long an answer may take to leave before the program starts anew.
const LEAVING: Duration = Duration::from_millis(200);

/// The board's end of all lines: a frame in, an answer out.
#[derive(Clone, Debug, Default)]
struct Port(Rc<RefCell<(VecDeque<u8>, Vec<u8>)>>);

impl ErrorType for Port {
    type Error = Infallible;
}

impl Read for Port {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, Infallible> {
        let byte = self.0.borrow_mut().0.pop_front();
        bytes.iter_mut().zip(byte).for_each(|(slot, byte)| *slot = byte);
        Ok(usize::from(byte.is_some()))
    }
}

impl ReadReady for Port {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.borrow().0.is_empty())
    }
}

impl Write for Port {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        self.0.borrow_mut().1.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

struct Jetson {
    counter: CounterFile,
    restart: Rc<Cell<bool>>,
}

impl Board for Jetson {
    const NAME: &'static str = "jetson";

    fn restart(&mut self) {
        self.restart.set(true);
    }

    fn keep_counter(&mut self, next: u32) -> bool {
        self.counter.write(next).is_ok()
    }
}

/// Runs for ever, or with `check` says what would run.
pub(crate) fn run(config: &Config, check: bool) -> anyhow::Result<()> {
    let shown = config.model.display();
    let bytes = std::fs::read(&config.model)
        .with_context(|| format!("{shown}: cannot be read: put a model there"))?;
    let mut words = vec![0u32; bytes.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(&bytes);
    let mut topology = Topology::NONE;
    let model = Model::parse(&bytemuck::cast_slice(&words)[..bytes.len()], &mut topology)
        .map_err(|error| anyhow!("{shown}: {error}: put a model there that `evobit train` made"))?;
    let sizes = Sizes { samples: config.samples / 4 * 4, prototypes: PROTOTYPES };
    let arena_words = Layout::new(model.topology(), sizes, size_of::<i16>()).words();
    Learner::<i16>::check(model.topology(), arena_words, sizes).map_err(|error| match error {
        ModelError::Shape(shape) => anyhow!("{shown}: boards learn one hidden layer: {shape}"),
        ModelError::Arena(needed, _) => anyhow!("{shown}: needs {} bytes of memory", needed * 4),
    })?;
    println!(
        "model {:08x}, {} bytes of memory, {} samples, {}",
        model.checksum(),
        arena_words * 4,
        sizes.samples,
        if config.key.is_some() { "changes with the key" } else { "changes by whoever reaches it" }
    );
    if check {
        return Ok(());
    }
    rayon::ThreadPoolBuilder::new()
        .num_threads(config.threads)
        .build_global()
        .context("threads to learn with cannot be started: set fewer `threads`")?;
    // 64-bit numbers keep it aligned.
    let mut arena = vec![0u64; arena_words.div_ceil(2)];
    let arena = &mut bytemuck::cast_slice_mut(&mut arena)[..arena_words];
    let mut learner = Learner::<i16>::new(model, arena, sizes, LearnerConfig::default());
    let flash = FileFlash::open(&config.kept)?;
    let (counter, restart) = (CounterFile(config.kept.with_extension("counter")), Rc::default());
    let next = counter.read()?;
    let (port, board) = (Port::default(), Jetson { counter, restart: Rc::clone(&restart) });
    let keeper = Keeper::new(flash.clone(), 0..BYTES);
    let mut app = App::<_, _, _, _, FRAME>::new(&mut learner, Some(keeper), port.clone(), board);
    app.start();
    if let Some(key) = &config.key {
        app.guard(key.clone(), next);
    }
    let (board, asked) = channel();
    let listener = lines::open(config, &board)?;
    println!("listens at {}", listener.local_addr()?);
    std::thread::spawn(move || lines::accept(&listener, &board));
    serve(&asked, &port, &flash, &restart, || app.run().unwrap_or(false))
}

/// Answers what comes and lets the board evolve between.
fn serve(
    asked: &Receiver<Asked>,
    port: &Port,
    flash: &FileFlash,
    restart: &Cell<bool>,
    mut run: impl FnMut() -> bool,
) -> anyhow::Result<()> {
    let mut busy = true;
    loop {
        let next = if busy { asked.try_recv() } else { asked.recv().map_err(|_| TryRecvError::Disconnected) };
        match next {
            Ok((frame, answer)) => {
                port.0.borrow_mut().0.extend(frame);
                busy = run();
                // Done is only said of what is safe.
                flash.sync().context("what is kept cannot be written to the disk")?;
                let bytes = std::mem::take(&mut port.0.borrow_mut().1);
                // Who asked may have gone.
                let _ = answer.send(bytes);
                if restart.get() {
                    std::thread::sleep(LEAVING);
                    let error = std::process::Command::new(std::env::current_exe()?)
                        .args(std::env::args_os().skip(1))
                        .exec();
                    return Err(error).context("the program cannot start anew");
                }
            }
            Err(TryRecvError::Empty) => busy = run(),
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
    }
}
