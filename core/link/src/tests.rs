use super::*;
use evobit::rng::{Draw, Purpose, Stream};
use evobit::topology::{Layer, Shape, Topology};
use proptest::prelude::*;
use rand_core::Rng;
use std::vec;
use std::vec::Vec;

fn frame(sequence: u8, request: &Request<'_>) -> Vec<u8> {
    let mut buffer = [0; 64];
    write_frame(sequence, request, &mut buffer).unwrap().to_vec()
}

#[test]
fn a_request_has_the_known_bytes_and_comes_back() {
    let request = Request::Learn { sample: &[0, 7, 255], label: 300 };
    let mut bytes = frame(9, &request);
    assert_eq!(bytes, KNOWN);
    assert_eq!(bytes.pop(), Some(0));
    assert_eq!(read_frame::<Request<'_>>(&mut bytes), Ok((9, request)));
}

const KNOWN: [u8; 15] = [5, 1, 9, 2, 3, 9, 7, 255, 172, 2, 220, 230, 197, 48, 0];

#[test]
fn a_frame_fits_what_frame_len_says_and_no_less() {
    for len in [0, 5, 247, 248, 249, 254, 300, 800] {
        let sample = vec![1; len];
        let message = Request::Classify { sample: &sample };
        // The kind, and the length in one byte or two.
        let bytes = len + if len < 128 { 2 } else { 3 };
        let mut buffer = vec![0; frame_len(bytes)];
        assert!(write_frame(0, &message, &mut buffer).is_ok(), "{len}");
        let mut short = vec![0; bytes + 6];
        assert_eq!(write_frame(0, &message, &mut short), Err(FrameError::BufferLength));
    }
}

#[test]
fn another_version_and_bytes_behind_the_message_are_told_apart_from_damage() {
    let seal = |body: &[u8]| {
        let mut bytes = [body, &evobit::image::checksum(body).to_le_bytes()].concat();
        let mut framed = vec![0; bytes.len() + 2];
        let len = cobs::encode(&bytes, &mut framed);
        framed.truncate(len);
        bytes.clear();
        framed
    };
    assert_eq!(read_frame::<Request<'_>>(&mut seal(&[1, 4, 0])), Ok((4, Request::Info)));
    assert_eq!(
        read_frame::<Request<'_>>(&mut seal(&[2, 4, 0])),
        Err(FrameError::Version { sequence: 4, version: 2 })
    );
    let unknown = Err(FrameError::Message { sequence: 4 });
    assert_eq!(read_frame::<Request<'_>>(&mut seal(&[1, 4, 0, 0])), unknown);
    assert_eq!(read_frame::<Request<'_>>(&mut seal(&[1, 4, 99])), unknown);
    assert_eq!(read_frame::<Request<'_>>(&mut seal(&[1, 4, 1, 255, 255, 3, 1])), unknown);
    assert_eq!(read_frame::<Request<'_>>(&mut seal(&[1])), Err(FrameError::Damaged));
    assert_eq!(read_frame::<Request<'_>>(&mut []), Err(FrameError::Damaged));
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_an_error(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read_frame::<Request<'_>>(&mut bytes.clone());
        let _ = read_frame::<Reply<'_>>(&mut bytes);
    }

    #[test]
    fn a_damaged_frame_is_noticed(sample in prop::collection::vec(any::<u8>(), 0..40), at: u16, change in 1..=255u8) {
        let mut bytes = frame(3, &Request::Classify { sample: &sample });
        bytes.pop();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= change;
        prop_assert_eq!(read_frame::<Request<'_>>(&mut bytes), Err(FrameError::Damaged));
    }

    #[test]
    fn flips_lead_from_one_genome_to_another(seed: u64, share in 0..6u32, room in 5..40usize) {
        let mut rng = Stream::new(seed, Purpose::Test, 0);
        let base: Vec<u32> = (0..20).map(|_| rng.next_u32()).collect();
        let genome: Vec<u32> = base.iter().map(|word| word ^ (0..share).fold(u32::MAX, |mask, _| mask & rng.next_u32())).collect();
        let (mut rebuilt, mut from, mut end) = (base.clone(), Some(0), 0);
        while let Some(start) = from {
            let mut buffer = vec![0; room];
            let (len, next) = write_flips(&base[..], &genome, start, &mut buffer);
            prop_assert_eq!(start, end, "pieces follow each other");
            end = apply_flips(&buffer[..len], start, &mut rebuilt).unwrap();
            from = next;
        }
        prop_assert_eq!(rebuilt, genome);
    }

    #[test]
    fn any_bytes_are_flips_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..40), from: u32) {
        let mut genome = [0; 4];
        let _ = apply_flips(&bytes, from, &mut genome);
        prop_assert!(Flips::new(&bytes, from).count() <= bytes.len());
    }
}

#[test]
fn flips_out_of_range_and_broken_genomes_are_refused() {
    let mut genome = [0; 2];
    assert_eq!(apply_flips(&[63], 0, &mut genome), Ok(64));
    assert_eq!(apply_flips(&[64], 0, &mut genome), Err(FlipError::Range));
    assert_eq!(apply_flips(&[0], 64, &mut genome), Err(FlipError::Range));
    assert_eq!(apply_flips(&[0x80], 0, &mut genome), Err(FlipError::Format));
    assert_eq!(apply_flips(&[0xff, 0xff, 0xff, 0xff, 0xff, 1], 0, &mut genome), Err(FlipError::Format));
    assert_eq!(
        apply_flips(&[0xff, 0xff, 0xff, 0xff, 7, 0, 0], u32::MAX, &mut genome),
        Err(FlipError::Format)
    );
    let topology = Topology::new(Shape::flat(3), &[Layer::dense(2), Layer::dense(2)]).unwrap();
    let mut words = vec![0; topology.genome_words()];
    assert_eq!(check_genome(&topology, &words), Ok(()));
    words[1] = 8;
    assert_eq!(check_genome(&topology, &words), Err(FlipError::Genome));
    assert_eq!(check_genome(&topology, &words[1..]), Err(FlipError::Genome));
    assert_eq!(Stream::new(1, Purpose::Test, 0).below(1), 0);
}
