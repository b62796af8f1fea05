//! Classifies MNIST with a model that was trained for it.

use anyhow::{Context, bail};
use evobit::rng::{Draw, Purpose, Stream};
use serde_json::{Value, json};

use crate::Arguments;
use crate::board::Board;
use crate::client::Client;
use crate::emulator::Emulator;

pub(super) fn show(board: &Board, arguments: &Arguments) -> anyhow::Result<Value> {
    let model = arguments.model.as_ref().context("give a model with --model")?;
    let data = arguments.data.as_ref().context("give the folder of MNIST with --data")?;
    let model = evobit_model::Model::read(model)?;
    let loaded = evobit_data::load(&data.display().to_string(), &evobit_data::LoadOptions::default())?;
    let test = loaded.test.context("MNIST has a test part")?;
    let evobit_data::Values::Bytes(bytes) = &test.values else { bail!("images have values of a byte") };
    let folder = tempfile::tempdir()?;
    let mut client = Client::new(Emulator::start(board, &arguments.target, model.bytes(), folder.path())?);
    let (mut right, mut instructions) = (0u32, vec![]);
    let samples = arguments.samples.unwrap_or(200);
    let mut order: Vec<usize> = (0..test.labels.len()).collect();
    Stream::new(arguments.seed, Purpose::Samples, 0).shuffle(&mut order);
    for &index in order.iter().take(samples) {
        let class = client.classify(&bytes[index * 784..(index + 1) * 784])?;
        right += u32::from(class.answer == u16::from(test.labels[index]));
        instructions.push(client.statistics()?.last_instructions);
    }
    let mean = instructions.iter().sum::<u64>() / instructions.len().max(1) as u64;
    let statistics = client.statistics()?;
    let object = json!({
        "board": board.name, "demo": "mnist", "samples": samples, "accuracy": f64::from(right) * 100.0 / samples as f64,
        "instructions": mean, "most_instructions": instructions.iter().max(), "stack_bytes": statistics.stack_bytes,
    });
    if !arguments.json {
        println!("{object}");
    }
    Ok(object)
}
