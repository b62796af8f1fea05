//! Ports, and frames over them.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

use evobit_link::{FrameError, LinkError};

use super::ssh::Remote;

/// Bits a second of a serial port unless told otherwise.
pub const DEFAULT_BAUD: u32 = 115_200;
/// How long one read waits before the time is looked at again.
const SLICE: Duration = Duration::from_millis(100);
/// How long a network connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of an answer at most; no board sends more.
const MOST_BYTES: usize = 1 << 16;

/// What went wrong between host and board.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFailure {
    /// What is no port.
    #[error(
        "`{0}` is no port: give a serial device such as /dev/ttyACM0, tcp:HOST:PORT, ssh:user@host, or an emulated board such as qemu:microbit"
    )]
    Port(String),
    /// The port cannot be opened.
    #[error("{port}: cannot be opened ({cause}): {next}")]
    Open {
        /// The port.
        port: String,
        /// Why.
        cause: String,
        /// What to do.
        next: &'static str,
    },
    /// Nothing comes.
    #[error(
        "the board does not answer: see that it runs evobit's firmware, that no other program holds its line, and that the baud rate is right"
    )]
    Silent,
    /// The line ended.
    #[error(
        "the line to the board ended ({0}): plug it in or start it again, then repeat the command; the board starts with what it last saved"
    )]
    Ended(String),
    /// The board refused.
    #[error("the board refused: {0}")]
    Refused(#[from] LinkError),
    /// What came is no answer of this version.
    #[error("the board's answer cannot be read: {0}")]
    Frame(#[from] FrameError),
    /// It answered something else.
    #[error(
        "the board answered something else than it was asked: its firmware is of another version, flash it again"
    )]
    Other,
    /// A key for a board that has none.
    #[error("the board has no key: leave --key out")]
    NoKey,
    /// The request does not fit a message.
    #[error(
        "the board reads messages of at most {most} bytes, this one has {len}: use a model with fewer features"
    )]
    Message {
        /// Bytes of the request.
        len: usize,
        /// The board's most.
        most: usize,
    },
}

/// Something that carries frames.
pub trait Line {
    /// Sends bytes.
    ///
    /// # Errors
    /// A line that ended.
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure>;

    /// The next frame that comes within `patience`, without its zero.
    ///
    /// # Errors
    /// [`LinkFailure::Silent`], or a line that ended.
    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkFailure>;

    /// Lets a board that has no processor of its own do its work.
    fn idle(&mut self) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl<L: Line + ?Sized> Line for Box<L> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure> {
        (**self).send(bytes)
    }

    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkFailure> {
        (**self).receive(patience)
    }

    fn idle(&mut self) {
        (**self).idle();
    }
}

/// Where a board is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Port {
    /// A serial device.
    Serial(String),
    /// A host and port on the network.
    Tcp(String),
    /// A board that runs Linux, by the name that ssh knows.
    Ssh(Remote),
    /// The emulated board of this name, in the folder where it was flashed.
    Emulated(String),
}

impl FromStr for Port {
    type Err = LinkFailure;

    fn from_str(text: &str) -> Result<Self, LinkFailure> {
        match text.split_once(':') {
            Some(("tcp", address))
                if address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) =>
            {
                Ok(Self::Tcp(address.into()))
            }
            Some(("ssh", host)) => {
                Remote::new(host).map(Self::Ssh).ok_or_else(|| LinkFailure::Port(text.into()))
            }
            Some(("qemu", board)) if !board.is_empty() => Ok(Self::Emulated(board.into())),
            Some(("tcp" | "qemu", _)) => Err(LinkFailure::Port(text.into())),
            _ if text.is_empty() => Err(LinkFailure::Port(text.into())),
            _ => Ok(Self::Serial(text.into())),
        }
    }
}

/// A line over a stream of bytes whose reads give up after a while.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    /// What came behind the last frame.
    rest: Vec<u8>,
}

impl<S: Read + Write> Wire<S> {
    /// A line over `stream`, whose reads must time out after a fraction of a second.
    #[must_use]
    pub const fn new(stream: S) -> Self {
        Self { stream, rest: vec![] }
    }
}

impl<S: Read + Write> Line for Wire<S> {
    fn send(&mut self, bytes: &[u8]) -> Result<(), LinkFailure> {
        let sent = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
        sent.map_err(|error| LinkFailure::Ended(error.to_string()))
    }

    fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkFailure> {
        let started = Instant::now();
        let mut chunk = [0; 1024];
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == 0) {
                let mut frame: Vec<u8> = self.rest.drain(..=end).collect();
                frame.pop();
                return Ok(frame);
            }
            if self.rest.len() > MOST_BYTES {
                // Noise without an end.
                self.rest.clear();
            }
            if started.elapsed() > patience {
                return Err(LinkFailure::Silent);
            }
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(LinkFailure::Ended("it was closed at the other end".into())),
                Ok(len) => self.rest.extend_from_slice(&chunk[..len]),
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => return Err(LinkFailure::Ended(error.to_string())),
            }
        }
    }
}

const fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Opens a serial port or a network connection.
///
/// # Errors
/// [`LinkFailure::Open`], with what to do. An emulated board is no port of its own: see [`super::emulator`].
pub fn open(port: &Port, baud: u32) -> Result<Box<dyn Line>, LinkFailure> {
    match port {
        Port::Serial(path) => open_serial(path, baud),
        Port::Tcp(address) => open_network(address),
        Port::Ssh(remote) => remote.line(),
        Port::Emulated(board) => Err(LinkFailure::Port(format!("qemu:{board}"))),
    }
}

fn open_network(address: &str) -> Result<Box<dyn Line>, LinkFailure> {
    let failed = |error: std::io::Error| LinkFailure::Open {
        port: format!("tcp:{address}"),
        next: match error.kind() {
            ErrorKind::ConnectionRefused => {
                "nothing listens there: start the board again, an emulated one with `evobit flash` or as qemu:BOARD"
            }
            _ => "check host and port",
        },
        cause: error.to_string(),
    };
    let mut last = std::io::Error::from(ErrorKind::NotFound);
    for place in address.to_socket_addrs().map_err(failed)? {
        match TcpStream::connect_timeout(&place, CONNECT) {
            Ok(stream) => {
                stream
                    .set_nodelay(true)
                    .and_then(|()| stream.set_read_timeout(Some(SLICE)))
                    .map_err(failed)?;
                return Ok(Box::new(Wire::new(stream)));
            }
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

fn open_serial(path: &str, baud: u32) -> Result<Box<dyn Line>, LinkFailure> {
    use serialport::ErrorKind as Serial;
    let opened = serialport::new(path, baud).timeout(SLICE).open();
    let port = opened.map_err(|error| LinkFailure::Open {
        port: path.into(),
        next: match error.kind() {
            Serial::Io(ErrorKind::PermissionDenied) => {
                "you may not use it: join the group that owns it (often dialout) and log in again"
            }
            Serial::Io(ErrorKind::NotFound) => "plug the board in and see which device appears in /dev",
            Serial::NoDevice => "it is unplugged, or another program uses it: close that one",
            _ => "check the device and the baud rate",
        },
        cause: error.to_string(),
    })?;
    Ok(Box::new(Wire::new(port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_apart() {
        assert_eq!("tcp:localhost:80".parse::<Port>().unwrap(), Port::Tcp("localhost:80".into()));
        assert_eq!("tcp:[::1]:80".parse::<Port>().unwrap(), Port::Tcp("[::1]:80".into()));
        assert_eq!("qemu:microbit".parse::<Port>().unwrap(), Port::Emulated("microbit".into()));
        assert_eq!("/dev/ttyACM0".parse::<Port>().unwrap(), Port::Serial("/dev/ttyACM0".into()));
        assert_eq!("COM3".parse::<Port>().unwrap(), Port::Serial("COM3".into()));
        assert!(matches!("ssh:nano@10.0.0.7".parse::<Port>(), Ok(Port::Ssh(_))));
        for wrong in
            ["ssh:-oProxyCommand=x", "ssh:a b", "ssh:", "", "tcp:", "tcp:host", "tcp:host:99999", "qemu:"]
        {
            assert!(matches!(wrong.parse::<Port>(), Err(LinkFailure::Port(_))), "{wrong}");
        }
    }

    struct Pieces(Vec<std::io::Result<Vec<u8>>>);

    impl Read for Pieces {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            let piece = self.0.pop().unwrap_or_else(|| Ok(vec![]))?;
            bytes[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn frames_come_whole_however_the_bytes_come() {
        let pause = || Err(ErrorKind::TimedOut.into());
        let pieces = vec![Ok(vec![4, 0]), Ok(vec![2, 0, 3]), pause(), Ok(vec![1])];
        let mut wire = Wire::new(Pieces(pieces));
        let second = Duration::from_secs(1);
        assert_eq!(wire.receive(second).unwrap(), [1, 2]);
        assert_eq!(wire.receive(second).unwrap(), [3, 4]);
        assert!(matches!(wire.receive(second), Err(LinkFailure::Ended(_))));
        let mut silent = Wire::new(Pieces(vec![pause(), pause()]));
        assert!(matches!(silent.receive(Duration::ZERO), Err(LinkFailure::Silent)));
    }
}
