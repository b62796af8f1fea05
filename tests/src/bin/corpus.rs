//! Writes the corpus of model images, see [`tests::corpus`].

fn main() -> std::io::Result<()> {
    let folder = tests::corpus::folder();
    std::fs::create_dir_all(&folder)?;
    tests::corpus::entries()
        .iter()
        .try_for_each(|entry| std::fs::write(folder.join(entry.name), &entry.bytes))
}
