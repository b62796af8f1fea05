//! `evobit inspect --rust`: what a firmware needs to run a model, as Rust.

use std::fmt::Write;
use std::path::Path;

use evobit::encode::Code;
use evobit::image::Image;

use super::{Failure, print};
use evobit_data::Schema;
use evobit_model::Model;

/// Prints it.
///
/// # Errors
/// A model that boards do not run.
pub(super) fn print_rust(model: &Model, path: &Path) -> Result<(), Failure> {
    // What a firmware would say of it.
    Image::parse(model.bytes())
        .map_err(|error| Failure { code: 1, message: format!("{}: {error}", path.display()) })?;
    print(&rust(model, path))
}

/// The type of the classifier of a model, its classes, and what a sample is, for a firmware to copy.
fn rust(model: &Model, path: &Path) -> String {
    let image = model.image();
    let topology = image.topology();
    let (input, hidden) = (topology.input_words(), topology.hidden_words());
    let (classes, features) = (topology.classes(), image.encoder().features());
    let codes: Vec<Code> = image.encoder().table().map(|feature| feature.code).collect();
    let (value, sample) = match model.schema() {
        Schema::Image { channels, height, width } => {
            ("u8", format!("pixels as bytes, {channels} x {height} x {width}, row after row"))
        }
        Schema::Table(_) if codes.iter().all(|&code| code == Code::Real) => ("f32", "real numbers".into()),
        Schema::Table(_) if codes.contains(&Code::Real) => {
            ("evobit::Value", "values, each of the kind of its column".into())
        }
        Schema::Table(_) => ("i32", "integers; a category is its index".into()),
    };
    let mut text = format!(
        "// {}: {} bytes, checksum {:08x}. Made by `evobit inspect --rust`.\n\n",
        path.display(),
        image.len(),
        image.checksum()
    );
    let file = path.file_name().map_or_else(|| "model.evb".into(), |name| name.to_string_lossy());
    let lines = [
        "/// The model, aligned to 4 bytes; the path is relative to this source file.".to_owned(),
        format!("pub static MODEL: &[u8] = evobit::include_model!({file:?});"),
        format!("/// Words of a packed sample: {input}; words of activations: {hidden}; scores: {classes}."),
        format!("pub type Model = evobit::Classifier<'static, {input}, {hidden}, {classes}>;"),
        format!("/// A raw sample: {sample}."),
        format!("pub type Sample = [{value}; {features}];"),
        "/// The classes, by their number.".to_owned(),
        format!("pub const CLASSES: [&str; {classes}] = {:?};", model.classes()),
    ];
    for line in lines {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{line}");
    }
    if let Schema::Table(columns) = model.schema() {
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let _ = writeln!(text, "/// The columns of a sample, in their order.");
        let _ = writeln!(text, "pub const COLUMNS: [&str; {features}] = {names:?};");
    }
    let _ = write!(text, "\n// let class = Model::parse(MODEL)?.classify(&sample)?;");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    static IRIS: &[u8] = evobit::include_model!("../../../core/examples/iris.evb");

    #[test]
    fn the_printed_type_is_the_one_that_fits() {
        let (model, _) = Model::parse(IRIS).unwrap();
        let text = rust(&model, Path::new("models/iris.evb"));
        for line in [
            "pub static MODEL: &[u8] = evobit::include_model!(\"iris.evb\");",
            "pub type Model = evobit::Classifier<'static, 3, 1, 3>;",
            "pub type Sample = [f32; 4];",
            "pub const CLASSES: [&str; 3] = [\"setosa\", \"versicolor\", \"virginica\"];",
            "pub const COLUMNS: [&str; 4] = [\"sepal_length\", \"sepal_width\", \"petal_length\", \"petal_width\"];",
        ] {
            assert!(text.lines().any(|printed| printed == line), "{line} is not in\n{text}");
        }
        assert!(evobit::Classifier::<'static, 3, 1, 3>::parse(IRIS).is_ok());
        assert!(evobit::Classifier::<'static, 2, 1, 3>::parse(IRIS).is_err());
    }
}
