//! What these tests share: a model, boards that were flashed with it.

use std::fs;

use serde_json::Value;
use tests::program::{Folder, idx};

pub(crate) const MODEL: &str = "runs/digits-1/model.evb";

/// A folder with a model of digits, and `drift`: digits whose pixels of the left and the right half changed places.
pub(crate) fn folder() -> Folder {
    let folder = Folder::new();
    folder.json("train --data digits --levels 3 --hidden 48 --seed 1");
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../host/data/digits.csv")).unwrap();
    let rows: Vec<Vec<u8>> = table
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let (test, train) = rows.split_at(360);
    for (name, rows) in [("train", train), ("t10k", test)] {
        let moved = |row: &Vec<u8>| -> Vec<u8> {
            (0..64).map(|place| row[place / 8 * 8 + (place + 4) % 8]).collect()
        };
        let pixels: Vec<u8> = rows.iter().flat_map(moved).collect();
        let labels: Vec<u8> = rows.iter().map(|row| row[64]).collect();
        let count = rows.len() as u32;
        folder.write(&format!("drift/{name}-images-idx3-ubyte"), idx(0x803, &[count, 8, 8], &pixels));
        folder.write(&format!("drift/{name}-labels-idx1-ubyte"), idx(0x801, &[count], &labels));
    }
    folder
}

/// Flashes an emulated board and returns its port.
pub(crate) fn flash(folder: &Folder, board: &str) -> String {
    let flashed = folder.json(&format!("flash {MODEL} --board qemu:{board}"));
    flashed["link"].as_str().unwrap().to_owned()
}

/// Cuts the power of a board however its test ends.
pub(crate) struct Power<'a>(pub(crate) &'a Folder, pub(crate) &'static str);

impl Drop for Power<'_> {
    fn drop(&mut self) {
        let _ = self.0.run(&format!("link qemu:{} off", self.1));
    }
}

pub(crate) fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"))
}
