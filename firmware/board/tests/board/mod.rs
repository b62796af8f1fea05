//! A board on the host, with flash in memory.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use embedded_io::{Read, ReadReady, Write};
use embedded_storage::nor_flash::{self, NorFlash, ReadNorFlash};
use evobit::topology::Topology;
use evobit_board::arena::{Arena, fitting};
use evobit_board::gesture::model::{MOST_BYTES, blank};
use evobit_board::keep::Keeper;
use evobit_board::learner::{Learner, LearnerConfig, Model};
use evobit_board::profile::large::{SIZES, Score, WORDS};
use evobit_board::serve::{App, Board};

pub(crate) const PAGE: usize = 4096;

/// Flash that outlives its board.
#[derive(Clone)]
pub(crate) struct Flash(pub(crate) Rc<RefCell<Vec<u8>>>);

impl Flash {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(vec![0xff; 16 * PAGE])))
    }
}

impl nor_flash::ErrorType for Flash {
    type Error = Infallible;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.copy_from_slice(&self.0.borrow()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        self.0.borrow_mut()[from as usize..to as usize].fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Infallible> {
        let mut flash = self.0.borrow_mut();
        flash[offset as usize..].iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        Ok(())
    }
}

/// The application on this board.
pub(crate) type On<'a, Serial, B> = App<'a, Score, Serial, Flash, B, 1024>;

/// Runs `work` on a board with the blank model of gestures, this flash and this line, as after a start.
pub(crate) fn with_board<Serial, B, T>(
    flash: &Flash,
    serial: Serial,
    board: B,
    work: impl FnOnce(&mut On<'_, Serial, B>) -> T,
) -> T
where
    Serial: Read + ReadReady + Write,
    B: Board,
{
    let mut words = [0u32; MOST_BYTES / 4];
    blank(1, bytemuck::cast_slice_mut(&mut words)).unwrap();
    let mut topology = Topology::NONE;
    let model = Model::parse(bytemuck::cast_slice(&words), &mut topology).unwrap();
    let mut arena = Box::new(Arena::<WORDS>::new());
    let sizes = fitting(model.topology(), WORDS, SIZES, size_of::<Score>());
    Learner::<Score>::check(model.topology(), WORDS, sizes).unwrap();
    let mut learner = Learner::new(model, &mut arena.0, sizes, LearnerConfig::default());
    let keeper = Keeper::new(flash.clone(), 0..flash.0.borrow().len() as u32);
    let mut app = On::new(&mut learner, Some(keeper), serial, board);
    app.start();
    work(&mut app)
}
