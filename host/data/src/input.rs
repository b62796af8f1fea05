//! An open stream of bytes with a name for messages: a file, standard input or text in memory,
//! decompressed when its first bytes are those of gzip, whatever it is called.
//!
//! Nothing is allocated on the word of a header: buffers grow with the bytes that really arrive.

use std::fs::File;
use std::io::{self, BufRead, Cursor, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;

use super::DataError;
use super::error::one_line;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A named stream, past whose start nothing has been read yet.
pub(super) struct Input<'a> {
    /// Its name, safe for a message of one line.
    pub(super) file: String,
    reader: Box<dyn Read + 'a>,
    compressed: bool,
    idx: bool,
}

impl<'a> Input<'a> {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Self, DataError> {
        let name = path.display().to_string();
        match File::open(path) {
            Ok(file) => Self::new(&name, file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = if name.is_empty() { "\"\"".into() } else { one_line(&name) };
                Err(DataError::NotFound { file })
            }
            Err(reason) => Err(DataError::Unreadable { file: one_line(&name), reason }),
        }
    }

    /// Looks at the first bytes of `reader` to see how to read it.
    pub(super) fn new(name: &str, reader: impl Read + 'a) -> Result<Self, DataError> {
        let plain: Box<dyn Read + 'a> = Box::new(reader);
        let mut input = Self { file: one_line(name), reader: plain, compressed: false, idx: false };
        let start = input.peek(GZIP.len())?;
        if start == GZIP {
            input.reader =
                Box::new(Members { decoder: Some(GzDecoder::new(io::BufReader::new(input.reader))) });
            input.compressed = true;
        }
        // Every IDX file starts with two zero bytes, and no text does.
        input.idx = input.peek(2)? == [0, 0];
        Ok(input)
    }

    /// Whether this is an IDX file, by its first bytes.
    pub(super) fn is_idx(&self) -> bool {
        self.idx
    }

    /// The next `limit` bytes, or fewer where the stream ends.
    pub(super) fn next(&mut self, limit: u64) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        match (&mut self.reader).take(limit).read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(reason) => Err(self.failure(reason)),
        }
    }

    /// All bytes that are left.
    pub(super) fn rest(mut self) -> Result<Vec<u8>, DataError> {
        self.next(u64::MAX)
    }

    /// The next `count` bytes, which stay unread.
    fn peek(&mut self, count: usize) -> Result<Vec<u8>, DataError> {
        let start = self.next(count as u64)?;
        let reader = std::mem::replace(&mut self.reader, Box::new(io::empty()));
        self.reader = Box::new(Cursor::new(start.clone()).chain(reader));
        Ok(start)
    }

    fn failure(&self, reason: io::Error) -> DataError {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let file = self.file.clone();
        if self.compressed && matches!(reason.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            DataError::Gzip { file, reason }
        } else {
            DataError::Unreadable { file, reason }
        }
    }
}

/// What gzip compressed, in one piece or several behind each other. Zeros behind them fill a block of a tape or a disk, and gzip ignores
/// them as well.
struct Members<R> {
    decoder: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let count = decoder.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.decoder = self.decoder.take().map(GzDecoder::into_inner).map_or(Ok(None), next_member)?;
        }
        Ok(0)
    }
}

/// A decoder of what follows, unless that is nothing but zeros.
fn next_member<R: BufRead>(mut reader: R) -> io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = reader.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match (bytes.len(), zeros) {
            (0, _) => return Ok(None),
            (_, 0) => return Ok(Some(GzDecoder::new(reader))),
            _ => reader.consume(zeros),
        }
    }
}
