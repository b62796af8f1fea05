//! Checks that linked images lie where their boards' `memory.x` say: `cargo run -p regions -- IMAGE MEMORY_X`.
//!
//! A HAL that brings a `memory.x` of its own links without complaint and leaves the model and what is kept unprotected: this is what notices.
//! The last line tells the bytes of code and of static memory.

mod check;
mod memory;

use anyhow::{Context, bail};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, script] = arguments.as_slice() else {
        bail!("usage: regions IMAGE MEMORY_X: a linked image, and the script with its board's regions");
    };
    let text = std::fs::read_to_string(script).with_context(|| format!("{script} cannot be read"))?;
    let regions = memory::regions(&text).with_context(|| script.clone())?;
    let bytes =
        std::fs::read(image).with_context(|| format!("{image} cannot be read: build the firmware first"))?;
    let file =
        object::File::parse(bytes.as_slice()).with_context(|| format!("{image} is no linked image"))?;
    let linked = check::Linked::of(&file);
    let sizes = check::check(&linked, &regions)
        .with_context(|| format!("{image} does not lie where {script} says"))?;
    println!("{} {}", sizes.code, sizes.data);
    Ok(())
}
