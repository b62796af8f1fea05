//! A serial line that loses nothing while the board evolves: an interrupt puts what comes into a queue.

use core::cell::RefCell;

use cortex_m::interrupt::{self, Mutex};
use embedded_io::{Error, ErrorKind, ErrorType, Read, ReadReady, Write};
use heapless::spsc::{Consumer, Producer, Queue};

/// Bytes that wait at most, more than the longest frame.
const WAITING: usize = 2048;

static SENDER: Mutex<RefCell<Option<Producer<'static, u8>>>> = Mutex::new(RefCell::new(None));

/// Takes in a byte: for the interrupt of a serial port. Where the queue is full the byte is lost, and the frame is found to be damaged.
pub fn received(byte: u8) {
    interrupt::free(|section| {
        if let Some(sender) = SENDER.borrow(section).borrow_mut().as_mut() {
            let _ = sender.enqueue(byte);
        }
    });
}

/// What was [`received`] for reading, and what the board's HAL has for writing.
pub struct Serial<W> {
    received: Consumer<'static, u8>,
    out: W,
}

/// The line could not be written.
#[derive(Clone, Copy, Debug)]
pub struct LineError(ErrorKind);

impl core::fmt::Display for LineError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the serial line cannot be written")
    }
}

impl core::error::Error for LineError {}

impl Error for LineError {
    fn kind(&self) -> ErrorKind {
        self.0
    }
}

impl<W> Serial<W> {
    /// The line. There is one: `None` for a second.
    pub fn new(out: W) -> Option<Self> {
        let queue = cortex_m::singleton!(: Queue<u8, WAITING> = Queue::new())?;
        let (sender, received) = queue.split();
        interrupt::free(|section| SENDER.borrow(section).replace(Some(sender)));
        Some(Self { received, out })
    }
}

impl<W> ErrorType for Serial<W> {
    type Error = LineError;
}

impl<W> Read for Serial<W> {
    fn read(&mut self, bytes: &mut [u8]) -> Result<usize, LineError> {
        let Some(byte) = bytes.first_mut() else { return Ok(0) };
        loop {
            if let Some(received) = self.received.dequeue() {
                *byte = received;
                return Ok(1);
            }
        }
    }
}

impl<W> ReadReady for Serial<W> {
    fn read_ready(&mut self) -> Result<bool, LineError> {
        Ok(self.received.ready())
    }
}

impl<W: Write> Write for Serial<W> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, LineError> {
        self.out.write(bytes).map_err(|error| LineError(error.kind()))
    }

    fn flush(&mut self) -> Result<(), LineError> {
        self.out.flush().map_err(|error| LineError(error.kind()))
    }
}
