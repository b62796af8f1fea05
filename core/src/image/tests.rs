use super::*;
use crate::bits::Words;
use crate::encode::{Code, EncoderError, write_table, write_uniform};
use crate::genome::GenomeMut;
use crate::loss::write_logistic;
use crate::network::GenomeError;
use crate::rng::{Purpose, Stream};
use crate::topology::{Field, Layer, Shape, Topology, TopologyError};
use proptest::prelude::*;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// Bytes aligned to 4, as a word buffer.
struct Aligned(Vec<u32>, usize);

impl Aligned {
    fn new(bytes: &[u8]) -> Self {
        let mut words = vec![0; bytes.len().div_ceil(4)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self(words, bytes.len())
    }

    fn parse(&self) -> Result<Image<'_>, ImageError> {
        Image::parse(&bytemuck::cast_slice(&self.0)[..self.1])
    }
}

fn sample_image(topology: &Topology, encoder: &[u32], columns: u16, column_names: &[&str]) -> Vec<u8> {
    let mut loss = [0; 4100];
    let loss_len = write_logistic(8.0, 16.0, 64, &mut loss).unwrap();
    let mut genome = vec![0; topology.genome_words()];
    GenomeMut::new(topology, &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    let parts = Parts {
        topology,
        encoder,
        loss: &loss[..loss_len],
        genome: &genome[..],
        classes: &["no", "yes", "größer"],
        columns,
        column_names,
    };
    let mut bytes = vec![0xaa; image_len(&parts)];
    assert_eq!(write(&parts, &mut bytes), Ok(bytes.len()));
    let (need, short) = (bytes.len(), bytes.len() - 1);
    assert_eq!(write(&parts, &mut vec![0; short]), Err(ImageError::BufferLength(need, short)));
    bytes
}

fn windowed_image() -> Vec<u8> {
    let input = Shape { planes: 2, height: 5, width: 40 };
    let layers = [
        Layer {
            field: Field::Window { planes: 1, height: 3, width: 3, slide: 0 },
            output: Shape { planes: 1, height: 3, width: 5 },
        },
        Layer::windows(7, 1, 2, 2),
        Layer::dense(3),
    ];
    let mut encoder = [0; 5];
    write_uniform(200, &[3, 9], &mut encoder).unwrap();
    sample_image(&Topology::new(input, &layers).unwrap(), &encoder, 0, &[])
}

fn table_image() -> Vec<u8> {
    let features: [(Code, &[i32]); 2] = [(Code::OneHot, &[0, 1]), (Code::Real, &[-5, 7, 9])];
    let mut encoder = [0; 10];
    let len = write_table(&features, &mut encoder).unwrap();
    let topology = Topology::new(Shape::flat(5), &[Layer::dense(4), Layer::dense(3)]).unwrap();
    sample_image(&topology, &encoder[..len], 2, &["colour", "red", "", "length"])
}

/// Stores the right checksum at the end.
fn seal(bytes: &mut [u8]) {
    if let Some((body, stored)) = bytes.split_last_chunk_mut::<4>() {
        *stored = checksum(body).to_le_bytes();
    }
}

#[test]
fn what_is_written_is_read() {
    let bytes = windowed_image();
    let aligned = Aligned::new(&bytes);
    let image = aligned.parse().unwrap();
    assert_eq!(image.len(), bytes.len());
    assert_eq!(image.topology().layers().len(), 3);
    assert_eq!(image.topology().layer(0).output, Shape { planes: 1, height: 3, width: 5 });
    assert_eq!(image.encoder().bits(), 400);
    assert_eq!(image.loss().term(-4), 355);
    assert!(image.names().unwrap().classes().eq(["no", "yes", "größer"]));
    assert!(!image.names().unwrap().has_columns());
    let mut genome = vec![0; image.topology().genome_words()];
    GenomeMut::new(image.topology(), &mut genome).unwrap().randomize(&mut Stream::new(1, Purpose::Test, 0));
    assert!((0..genome.len()).all(|i| image.genome().word(i) == genome[i]));

    let aligned = Aligned::new(&table_image());
    let names = *aligned.parse().unwrap().names().unwrap();
    assert!(names.columns().take(4).eq(["colour", "red", "", "length"]));
}

#[test]
fn names_of_any_length_are_read_back() {
    let mut encoder = [0; 5];
    let len = write_table(&[(Code::Integer, &[3])], &mut encoder).unwrap();
    let topology = Topology::new(Shape::flat(1), &[Layer::dense(3)]).unwrap();
    for name in (0..9).map(|len| &"eightand"[..len]) {
        let aligned = Aligned::new(&sample_image(&topology, &encoder[..len], 1, &[name]));
        assert!(aligned.parse().unwrap().names().unwrap().columns().take(1).eq([name]));
    }
}

#[test]
fn the_bytes_are_those_of_version_1() {
    let bytes = table_image();
    assert_eq!(&bytes[..12], b"evob\x01\0\x05\0\xcc\x01\0\0");
    assert_eq!(bytes.len(), 0x1cc);
    assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    assert_eq!(checksum(&bytes), KNOWN_TABLE_IMAGE);
}

const KNOWN_TABLE_IMAGE: u32 = 558_161_692;

#[test]
fn the_genome_checksum_is_that_of_its_bytes() {
    assert_eq!(genome_checksum(&[0x3433_3231, 0x3837_3635]), checksum(b"12345678"));
}

#[test]
fn more_bytes_than_the_image_are_fine_fewer_are_not() {
    let mut bytes = windowed_image();
    let len = bytes.len();
    for cut in 0..len {
        assert!(
            matches!(Aligned::new(&bytes[..cut]).parse(), Err(ImageError::Truncated(_, have)) if have == cut)
        );
    }
    bytes.extend([0xff; 9]);
    assert_eq!(Aligned::new(&bytes).parse().unwrap().len(), len);
}

#[test]
fn every_damage_has_its_error() {
    let good = table_image();
    let damaged = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        Aligned::new(&bytes).parse().unwrap_err()
    };
    assert_eq!(damaged(0, b'E'), ImageError::Magic);
    assert_eq!(damaged(4, 2), ImageError::Version(2));
    assert_eq!(damaged(8, 0xcd), ImageError::Sections);
    assert_eq!(damaged(11, 0x80), ImageError::Truncated(0x8000_01cc, good.len()));
    assert!(matches!(damaged(40, 0xee), ImageError::Checksum(..)));
    let aligned = Aligned::new(&[&[0; 1], &good[..]].concat());
    let shifted = &bytemuck::cast_slice::<u32, u8>(&aligned.0)[1..];
    assert_eq!(Image::parse(shifted).unwrap_err(), ImageError::Alignment);
}

/// Damage under a right checksum: what a faulty or hostile writer could make.
#[test]
fn sealed_damage_has_its_error() {
    let good = table_image();
    // Offsets: topology payload at 20, its layers at 28 and 44; encoder payload at 68.
    let layers = |a, b| ImageError::Topology(TopologyError::Units { layer: if a { 0 } else { b } });
    for (at, value, error) in [
        (6, 4, ImageError::Sections),
        (6, 6, ImageError::Sections),
        (12, 2, ImageError::Sections),
        (12, 99, ImageError::Sections),
        (16, 255, ImageError::Sections),
        (24, 0, layers(true, 0)),
        (24, 6, ImageError::Width(5, 6)),
        (26, 9, ImageError::TopologyFormat),
        (28, 2, ImageError::TopologyFormat),
        (30, 1, ImageError::TopologyFormat),
        (40, 0, layers(false, 0)),
        (68, 7, ImageError::Encoder(EncoderError::Kind)),
    ] {
        let mut bytes = good.clone();
        bytes[at] = value;
        seal(&mut bytes);
        assert_eq!(Aligned::new(&bytes).parse().unwrap_err(), error, "byte {at}");
    }
    let mut bytes = good.clone();
    let last_weights = bytes.len() - 8;
    bytes[last_weights] = 0xff;
    seal(&mut bytes);
    let error = ImageError::Genome(GenomeError::Padding { layer: 1 });
    assert_eq!(Aligned::new(&bytes).parse().unwrap_err(), error);
}

#[test]
fn names_that_do_not_fit_are_refused() {
    let refused = |bytes: &[u8]| assert_eq!(Aligned::new(bytes).parse().unwrap_err(), ImageError::Names);
    // A class too many, four bytes too many behind the last name, a byte of padding that is not 0.
    let edit = |edit: &dyn Fn(&mut Vec<u8>, usize)| {
        let mut bytes = table_image();
        let at = bytes.windows(4).position(|four| four == [3, 0, 2, 0]).unwrap();
        edit(&mut bytes, at);
        let len = bytes.len() as u32;
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        seal(&mut bytes);
        bytes
    };
    assert!(Aligned::new(&edit(&|_, _| ())).parse().is_ok());
    refused(&edit(&|bytes, at| bytes[at] = 4));
    let end = |bytes: &[u8], at: usize| at + usize::from(bytes[at - 4]);
    refused(&edit(&|bytes, at| {
        let end = end(bytes, at);
        bytes.splice(end..end, [0; 4]);
        bytes[at - 4] += 4;
    }));
    refused(&edit(&|bytes, at| {
        let last = end(bytes, at) - 1;
        assert_eq!(bytes[last], 0);
        bytes[last] = 1;
    }));
    // The same number of strings, some of them no longer class names.
    refused(&edit(&|bytes, at| (bytes[at], bytes[at + 2]) = (2, 3)));

    // A uniform encoder's features are all alike and have no names.
    let mut encoder = [0; 4];
    write_uniform(2, &[3], &mut encoder).unwrap();
    let topology = Topology::new(Shape::flat(2), &[Layer::dense(3)]).unwrap();
    refused(&sample_image(&topology, &encoder, 2, &["left", "right"]));
}

#[test]
fn unknown_sections_are_skipped_only_where_they_say_so() {
    let good = table_image();
    for (kind, fine) in [(0x8000_0001u32, true), (17, false)] {
        let mut bytes = good[..good.len() - 4].to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(4u32.to_le_bytes());
        bytes.extend([1, 2, 3, 4, 0, 0, 0, 0]);
        bytes[6] += 1;
        let len = bytes.len() as u32;
        bytes[8..12].copy_from_slice(&len.to_le_bytes());
        seal(&mut bytes);
        assert_eq!(Aligned::new(&bytes).parse().is_ok(), fine, "{kind:x}");
    }
}

/// `bytes` with changed sections, as an owned image.
fn rewritten(bytes: &[u8], changes: &[Change<'_>]) -> Result<Vec<u8>, ImageError> {
    let aligned = Aligned::new(bytes);
    let sections = Sections::parse(&bytemuck::cast_slice(&aligned.0)[..aligned.1])?;
    let mut out = vec![0xaa; sections.rewritten_len(changes)];
    sections.rewrite(changes, &mut out).map(|len| {
        assert_eq!(len, out.len());
        out
    })
}

#[test]
fn sections_are_listed_replaced_added_and_removed() {
    let bytes = table_image();
    let aligned = Aligned::new(&bytes);
    let sections = Sections::parse(bytemuck::cast_slice(&aligned.0)).unwrap();
    assert!(sections.iter().map(|section| section.kind).eq(1..=5));
    let genome = sections.get(Section::Genome as u32).unwrap();
    assert_eq!(genome.len(), 4 * aligned.parse().unwrap().topology().genome_words());
    // No change and the same payload again leave every byte.
    assert_eq!(rewritten(&bytes, &[]), Ok(bytes.clone()));
    assert_eq!(rewritten(&bytes, &[Change::put(5, genome)]), Ok(bytes.clone()));
    // A payload is padded; sections lie in their order, not in that of the changes.
    let own = 0x8000_0001;
    let longer = rewritten(&bytes, &[Change::put(own + 8, &[7; 8]), Change::put(own, b"hello")]).unwrap();
    assert_eq!(longer.len(), bytes.len() + 8 + 8 + 8 + 8);
    let aligned = Aligned::new(&longer);
    assert!(aligned.parse().is_ok());
    let sections = Sections::parse(bytemuck::cast_slice(&aligned.0)).unwrap();
    assert_eq!(sections.get(own), Some(&b"hello\0\0\0"[..]));
    let back =
        [Change::put(own, b"x"), Change::remove(own), Change::remove(own + 8), Change::remove(0x8000_0077)];
    assert_eq!(rewritten(&longer, &back), Ok(bytes.clone()));
    // What does not fit each other is the reader's to refuse.
    let without = rewritten(&bytes, &[Change::remove(3)]).unwrap();
    assert_eq!(Aligned::new(&without).parse().unwrap_err(), ImageError::Missing(Section::Loss));
    let short = rewritten(&bytes, &[Change::put(5, &genome[4..])]).unwrap();
    assert_eq!(Aligned::new(&short).parse().unwrap_err(), ImageError::Genome(GenomeError::Length));
}

#[test]
fn a_rewrite_that_fails_says_why() {
    let bytes = table_image();
    assert_eq!(rewritten(&bytes, &[Change::put(0, &[])]), Err(ImageError::Sections));
    let aligned = Aligned::new(&bytes);
    let sections = Sections::parse(bytemuck::cast_slice(&aligned.0)).unwrap();
    let (needed, mut out) = (bytes.len(), vec![0; bytes.len()]);
    let error = sections.rewrite(&[], &mut out[1..]).unwrap_err();
    assert_eq!(error, ImageError::BufferLength(needed, needed - 1));
    let mut damaged = bytes;
    damaged[20] ^= 1;
    assert!(matches!(rewritten(&damaged, &[]), Err(ImageError::Checksum(..))));
}

#[test]
fn a_memory_is_never_read_as_a_network() {
    let bytes = table_image();
    let memory = rewritten(&bytes, &ModelKind::Memory.changes(&mut [0; 4])).unwrap();
    assert_eq!(memory.len(), bytes.len() + 12);
    let aligned = Aligned::new(&memory);
    assert_eq!(aligned.parse().unwrap_err(), ImageError::Kind(1));
    let any = Image::parse_any(bytemuck::cast_slice(&aligned.0)).unwrap();
    assert_eq!((any.kind(), any.topology().depth()), (ModelKind::Memory, 2));
    assert!(ImageError::Kind(1).to_string().contains("train a network"));
    // A kind below 0x80000000 that a reader does not know is an error to it: so it is to readers that are older than this section.
    let older = Sections::parse(bytemuck::cast_slice(&aligned.0)).unwrap();
    assert!(older.iter().any(|section| section.kind == 6 && section.kind < SKIPPABLE));
    // Memories of before had a mark that readers skipped.
    let former = rewritten(&bytes, &[Change::put(0x8000_0002, &[1, 0, 0, 0])]).unwrap();
    let aligned = Aligned::new(&former);
    assert_eq!(aligned.parse().unwrap_err(), ImageError::Kind(1));
    assert_eq!(Image::parse_any(bytemuck::cast_slice(&aligned.0)).unwrap().kind(), ModelKind::Memory);
    assert_eq!(rewritten(&former, &ModelKind::Memory.changes(&mut [0; 4])), Ok(memory.clone()));
    // And back: a network's bytes are what they were.
    assert_eq!(rewritten(&memory, &ModelKind::Network.changes(&mut [0; 4])), Ok(bytes.clone()));
    assert_eq!(
        {
            let aligned = Aligned::new(&bytes);
            Image::parse_any(bytemuck::cast_slice(&aligned.0)).unwrap().kind()
        },
        ModelKind::Network
    );
    for payload in [&[2, 0, 0, 0][..], &[], &[1, 0, 0, 0, 0, 0, 0, 0]] {
        let unknown = Aligned::new(&rewritten(&bytes, &[Change::put(6, payload)]).unwrap());
        let number = if payload.len() == 4 { 2 } else { 0 };
        assert_eq!(unknown.parse().unwrap_err(), ImageError::Kind(number));
        assert_eq!(Image::parse_any(bytemuck::cast_slice(&unknown.0)).unwrap_err(), ImageError::Kind(number));
    }
    // Kinds of the reader's own are read by whoever asks for the kind, and by nobody else.
    let own = ModelKind::of(SKIPPABLE + 7).unwrap();
    let own = Aligned::new(&rewritten(&bytes, &own.changes(&mut [0; 4])).unwrap());
    assert_eq!(own.parse().unwrap_err(), ImageError::Kind(SKIPPABLE + 7));
    let kind = Image::parse_any(bytemuck::cast_slice(&own.0)).unwrap().kind();
    assert_eq!((kind, kind.number()), (ModelKind::Own(SKIPPABLE + 7), SKIPPABLE + 7));
    // A shape that no memory has.
    let windows =
        Aligned::new(&rewritten(&windowed_image(), &ModelKind::Memory.changes(&mut [0; 4])).unwrap());
    assert_eq!(Image::parse_any(bytemuck::cast_slice(&windows.0)).unwrap_err(), ImageError::Memory);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Aligned::new(&bytes).parse();
    }

    /// Images with a few bytes changed and sealed again are read or refused; what is read can be run.
    #[test]
    fn sealed_changes_never_make_it_panic(
        table: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = if table { table_image() } else { windowed_image() };
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len() / 4) * 4);
        }
        let (len, early) = (bytes.len(), bytes.len().min(120));
        for (index, value) in changes {
            if early > 0 {
                // Most of what can go wrong is at the start.
                bytes[index.index(early)] = value;
            }
        }
        if len >= 12 {
            bytes[..6].copy_from_slice(b"evob\x01\0");
            bytes[8..12].copy_from_slice(&(len as u32).to_le_bytes());
        }
        seal(&mut bytes);
        let aligned = Aligned::new(&bytes);
        let bytes_again = &bytemuck::cast_slice(&aligned.0)[..aligned.1];
        if let Ok(sections) = Sections::parse(bytes_again) {
            let mut out = vec![0; sections.rewritten_len(&[])];
            prop_assert_eq!(sections.rewrite(&[], &mut out), Ok(bytes_again.len()));
            prop_assert_eq!(&out[..], bytes_again);
        }
        let any = Image::parse_any(bytes_again);
        if let Ok(image) = aligned.parse() {
            prop_assert_eq!(any.map(|any| any.kind()), Ok(ModelKind::Network));
            let topology = image.topology();
            let mut input = vec![0; topology.input_words()];
            image.encoder().encode(|feature| feature as i32, topology.layer(0).packing, &mut input);
            let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
            prop_assert!(image.network().classify(&input, &mut hidden, &mut scores) < topology.classes());
        }
    }
}
