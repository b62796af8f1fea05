//! Writes a model of gestures that knows nothing yet: `cargo run -p evobit-board --example gestures -- FILE`.

use evobit_board::gesture::model::{MOST_BYTES, blank};

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!(
            "usage: cargo run -p evobit-board --example gestures -- FILE: where the model is to be written"
        );
        std::process::exit(2);
    };
    let mut bytes = [0; MOST_BYTES];
    let written = blank(1, &mut bytes).map_err(|error| error.to_string());
    let written = written.and_then(|len| {
        std::fs::write(&path, &bytes[..len]).map(|()| len).map_err(|error| error.to_string())
    });
    match written {
        Ok(len) => println!("{path}: {len} bytes"),
        Err(error) => {
            eprintln!("{path}: {error}");
            std::process::exit(1);
        }
    }
}
