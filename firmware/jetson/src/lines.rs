//! The lines: TCP connections and a serial port, each in a thread of its own. Frames go to the one thread that has the board, answers come back.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use anyhow::Context;

use crate::board::FRAME;
use crate::config::Config;

/// Connections at a time; more are closed at once.
const MOST_CONNECTIONS: usize = 16;

/// A frame with its zero, and where the answer goes: bytes for the line, or none.
pub(crate) type Asked = (Vec<u8>, Sender<Vec<u8>>);

/// Begins to listen.
pub(crate) fn open(config: &Config, board: &Sender<Asked>) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(config.listen).with_context(|| {
        format!("{}: cannot be listened at: end what listens there, or set another `listen`", config.listen)
    })?;
    if let Some((device, baud)) = &config.serial {
        let port = serialport::new(device, *baud).timeout(Duration::from_millis(200)).open();
        let port = port.with_context(|| {
            format!("{device}: cannot be opened: check `serial`, and the group of this user")
        })?;
        let board = board.clone();
        std::thread::spawn(move || serve(port, &board));
    }
    Ok(listener)
}

/// Accepts connections for ever.
pub(crate) fn accept(listener: &TcpListener, board: &Sender<Asked>) {
    let connections = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming().filter_map(Result::ok) {
        if connections.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
            connections.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (board, connections) = (board.clone(), Arc::clone(&connections));
        std::thread::spawn(move || {
            let _ = TcpStream::set_nodelay(&stream, true);
            serve(stream, &board);
            connections.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Passes frames on until the line ends.
fn serve(mut line: impl Read + Write, board: &Sender<Asked>) {
    let (mut frame, mut chunk) = (vec![], [0; 1024]);
    loop {
        let len = match line.read(&mut chunk) {
            Ok(0) => return,
            Ok(len) => len,
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => continue,
            Err(_) => return,
        };
        for &byte in &chunk[..len] {
            // One byte more than the board reads: it says that the frame is too long.
            if frame.len() <= FRAME || byte == 0 {
                frame.push(byte);
            }
            if byte != 0 {
                continue;
            }
            let (answer, answered) = channel();
            if board.send((std::mem::take(&mut frame), answer)).is_err() {
                return;
            }
            let Ok(bytes) = answered.recv() else { return };
            if line.write_all(&bytes).and_then(|()| line.flush()).is_err() {
                return;
            }
        }
    }
}
