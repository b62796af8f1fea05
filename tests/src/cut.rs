//! A cable that breaks: passes bytes on between a program and a board until so many went through, then cuts both ends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Listens on a port of its own and passes one connection on to `board` until `bytes` went through, either way.
///
/// # Panics
/// When this machine has no port left.
#[must_use]
pub fn cut_after(board: &str, bytes: usize) -> String {
    after(board, bytes, || {})
}

/// As [`cut_after`], and does something just before it cuts, such as killing the board.
///
/// # Panics
/// When this machine has no port left.
#[must_use]
pub fn after(board: &str, bytes: usize, then: impl Fn() + Send + Sync + 'static) -> String {
    let then = Arc::new(then);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it has an address").to_string();
    let board = board.to_owned();
    std::thread::spawn(move || {
        let Ok((host, _)) = listener.accept() else { return };
        let Ok(board) = TcpStream::connect(board) else { return };
        let left = Arc::new(AtomicUsize::new(bytes));
        let ends = [(&host, &board), (&board, &host)];
        let passing = ends.map(|(from, to)| {
            let from = from.try_clone().expect("a second handle");
            let (to, left) = (to.try_clone().expect("a second handle"), Arc::clone(&left));
            let then = Arc::clone(&then);
            std::thread::spawn(move || pass(from, to, &left, &*then))
        });
        passing.into_iter().for_each(|thread| drop(thread.join()));
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicUsize, then: &(dyn Fn() + Send + Sync)) {
    let mut byte = [0];
    while from.read(&mut byte).is_ok_and(|len| len == 1) && to.write_all(&byte).is_ok() {
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            then();
            break;
        }
    }
    for end in [from, to] {
        let _ = end.shutdown(std::net::Shutdown::Both);
    }
}
