//! Model images that are whole and model images that are broken, as files: the start of fuzzing, and the proof that
//! version 1 of the format stays what it is.
//!
//! `cargo run -p tests --bin corpus` writes them to `tests/corpus/image`; a test holds the files equal to what this makes.

use std::path::PathBuf;

use evobit::encode::{Code, EncoderError, write_table, write_uniform};
use evobit::genome::GenomeMut;
use evobit::image::{Change, ImageError, Parts, Section, Sections, checksum, image_len, write};
use evobit::loss::write_logistic;
use evobit::network::GenomeError;
use evobit::rng::{Purpose, Stream};
use evobit::topology::{Field, Layer, Shape, Topology, TopologyError};

/// One file of the corpus.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The error that reading it gives, if any.
    pub error: Option<ImageError>,
}

/// Where the files are.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/image")
}

fn model(input: Shape, layers: &[Layer], encoder: &[u32], columns: u16, column_names: &[&str]) -> Vec<u8> {
    let topology = Topology::new(input, layers).unwrap();
    let mut loss = [0; 4100];
    let loss_len = write_logistic(8.0, 16.0, 64, &mut loss).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    GenomeMut::new(&topology, &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let classes = &["zero", "one", "two"];
    let parts = Parts {
        topology: &topology,
        encoder,
        loss: &loss[..loss_len],
        genome: &genome[..],
        classes,
        columns,
        column_names,
    };
    let mut bytes = vec![0; image_len(&parts)];
    write(&parts, &mut bytes).unwrap();
    bytes
}

/// `bytes`, a network, marked as a memory by a section of this kind.
fn memory(bytes: &[u8], kind: u32) -> Vec<u8> {
    let words: Vec<u32> = bytes.as_chunks::<4>().0.iter().map(|&word| u32::from_ne_bytes(word)).collect();
    let sections = Sections::parse(bytemuck::cast_slice(&words)).unwrap();
    let changes = [Change::put(kind, &[1, 0, 0, 0])];
    let mut out = vec![0; sections.rewritten_len(&changes)];
    sections.rewrite(&changes, &mut out).unwrap();
    out
}

fn windows() -> Vec<u8> {
    let input = Shape { planes: 2, height: 8, width: 8 };
    let grid = Shape { planes: 2, height: 3, width: 3 };
    let layers = [
        Layer { field: Field::Window { planes: 2, height: 3, width: 3, slide: 0 }, output: grid },
        Layer::windows(12, 1, 2, 2),
        Layer::dense(3),
    ];
    let mut encoder = [0; 5];
    write_uniform(64, &[4, 11], &mut encoder).unwrap();
    model(input, &layers, &encoder, 0, &[])
}

fn table() -> Vec<u8> {
    let features: [(Code, &[i32]); 3] =
        [(Code::OneHot, &[0, 1]), (Code::Real, &[-5, 7, 9]), (Code::Integer, &[100])];
    let mut encoder = [0; 12];
    let len = write_table(&features, &mut encoder).unwrap();
    model(
        Shape::flat(6),
        &[Layer::dense(5), Layer::dense(3)],
        &encoder[..len],
        3,
        &["colour", "red", "green", "length", "count"],
    )
}

/// `bytes` with some overwritten, and a right checksum.
fn sealed(mut bytes: Vec<u8>, changes: &[(usize, &[u8])]) -> Vec<u8> {
    for &(at, new) in changes {
        bytes[at..at + new.len()].copy_from_slice(new);
    }
    let end = bytes.len() - 4;
    let crc = checksum(&bytes[..end]);
    bytes[end..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// All files.
///
/// # Panics
/// Never: the parts fit each other.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let (good, other) = (table(), windows());
    let len = good.len();
    let wrong_crc = {
        let mut bytes = good.clone();
        bytes[60] ^= 1;
        let stored = u32::from_le_bytes(good[len - 4..].try_into().unwrap());
        let error = ImageError::Checksum(stored, checksum(&bytes[..len - 4]));
        (bytes, error)
    };
    let entry = |name, bytes, error| Entry { name, bytes, error };
    let broken = |name, bytes, error| entry(name, bytes, Some(error));
    let units = |layer| ImageError::Topology(TopologyError::Units { layer });
    vec![
        entry("table.evb", good.clone(), None),
        entry("windows.evb", other.clone(), None),
        broken("memory.evb", memory(&good, Section::Kind as u32), ImageError::Kind(1)),
        // As memories were marked before there was that section.
        broken("memory-former.evb", memory(&good, 0x8000_0002), ImageError::Kind(1)),
        broken("empty.evb", vec![], ImageError::Truncated(16, 0)),
        broken("header-only.evb", good[..12].to_vec(), ImageError::Truncated(len, 12)),
        broken("truncated.evb", good[..len / 2].to_vec(), ImageError::Truncated(len, len / 2)),
        broken("last-byte-missing.evb", good[..len - 1].to_vec(), ImageError::Truncated(len, len - 1)),
        broken("wrong-crc.evb", wrong_crc.0, wrong_crc.1),
        broken("not-a-model.evb", b"{\"not\": \"a model image\"}".to_vec(), ImageError::Magic),
        broken("version-2.evb", sealed(good.clone(), &[(4, &[2, 0])]), ImageError::Version(2)),
        broken(
            "length-absurd.evb",
            sealed(good.clone(), &[(8, &[0xfc, 0xff, 0xff, 0xff])]),
            ImageError::Truncated(0xffff_fffc, len),
        ),
        broken("section-count.evb", sealed(good.clone(), &[(6, &[0xff, 0xff])]), ImageError::Sections),
        broken(
            "section-length-absurd.evb",
            sealed(good.clone(), &[(16, &[0xfc, 0xff, 0xff, 0xff])]),
            ImageError::Sections,
        ),
        broken(
            "no-sections.evb",
            sealed([b"evob\x01\0\0\0\x10\0\0\0", &[0; 4][..]].concat(), &[]),
            ImageError::Missing(Section::Topology),
        ),
        broken("nine-layers.evb", sealed(good.clone(), &[(26, &[9, 0])]), ImageError::TopologyFormat),
        broken("input-absurd.evb", sealed(good.clone(), &[(20, &[0xff; 6])]), units(0)),
        broken("neurons-absurd.evb", sealed(good.clone(), &[(36, &[0xff; 6])]), units(0)),
        broken(
            "window-too-large.evb",
            sealed(other, &[(30, &[9, 0])]),
            ImageError::Topology(TopologyError::Window { layer: 0 }),
        ),
        broken(
            "encoder-kind.evb",
            sealed(good.clone(), &[(68, &[9])]),
            ImageError::Encoder(EncoderError::Kind),
        ),
        broken(
            "encoder-count-absurd.evb",
            sealed(good.clone(), &[(76, &[0xff; 4])]),
            ImageError::Encoder(EncoderError::Length),
        ),
        broken(
            "padding-set.evb",
            sealed(good.clone(), &[(len - 8, &[0xff])]),
            ImageError::Genome(GenomeError::Padding { layer: 1 }),
        ),
    ]
}
