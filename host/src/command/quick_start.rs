//! `host` without arguments: train on the built-in digits and explain what came of it.

use super::signals;
use super::train::train_and_save;
use super::{Failure, TrainArgs, print};

pub(super) fn run() -> Result<(), Failure> {
    print(
        "evobit trains networks of single bits by evolution.\n\
         \n\
         This is the quick start. It takes 1797 small pictures of handwritten digits (8 x 8 pixels), holds a fifth of\n\
         them out, and evolves a network whose weights are -1 or +1, one bit each. There are no gradients: the program\n\
         knows for every single bit how much flipping it would change the loss, exactly, and keeps the flips\n\
         that help. The same seed gives the same network on every machine.\n",
    )?;
    signals::listen();
    let finished = train_and_save(&TrainArgs::default(), None, None, false)?;
    print(&format!("What came of it:\n\n{}", finished.table()))?;
    if let Some(stopped) = finished.stopped() {
        return Err(stopped);
    }
    let model = finished.model_path();
    let model = model.display();
    // Cargo tells a program that it starts; an installed one is called by its name.
    let program = if std::env::var_os("CARGO").is_some() { "cargo run -p host --" } else { "evobit" };
    print(&format!(
        "\nThe model file holds all that a board needs: how pixels become bits, the network, the class names.\n\
         The test digits were looked at once, after the search had ended.\n\
         \n\
         Three things to try next:\n\
         \n  {program} inspect {model}\n\
         \x20 {program} train --data iris\n\
         \x20 {program} train --help"
    ))
}
