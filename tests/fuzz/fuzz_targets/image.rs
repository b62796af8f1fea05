//! Any bytes are a model image or an error; what is an image can be run.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz image tests/corpus/image`
//!
//! The fuzzer cannot guess a CRC, so every input is tried as it is and once more with its length and checksum put
//! right.

#![no_main]

use evobit::image::{Image, Sections, checksum};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut words = vec![0u32; data.len().div_ceil(4)];
    for (word, chunk) in words.iter_mut().zip(data.chunks(4)) {
        let mut bytes = [0; 4];
        bytes[..chunk.len()].copy_from_slice(chunk);
        *word = u32::from_ne_bytes(bytes);
    }
    run(&words, data.len());
    if let [first, _, length, .., _, _] = &mut words[..] {
        *first = u32::from_ne_bytes(*b"evob");
        *length = (data.len() / 4 * 4) as u32;
        let last = data.len() / 4 - 1;
        let body: Vec<u8> = words[..last].iter().flat_map(|word| word.to_ne_bytes()).collect();
        words[last] = u32::from_ne_bytes(checksum(&body).to_le_bytes());
        run(&words, data.len());
    }
});

fn run(words: &[u32], len: usize) {
    // SAFETY: any words are readable as bytes, and there are four bytes in each.
    let bytes = unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), words.len() * 4) };
    if let Ok(sections) = Sections::parse(&bytes[..len]) {
        let mut out = vec![0; sections.rewritten_len(&[])];
        let rewritten = sections.rewrite(&[], &mut out);
        assert_eq!(rewritten, Ok(out.len()));
        assert_eq!(out, bytes[..out.len()]);
    }
    let _ = Image::parse_any(&bytes[..len]);
    let Ok(image) = Image::parse(&bytes[..len]) else { return };
    let topology = image.topology();
    let mut input = vec![0; topology.input_words()];
    image.encoder().encode(|feature| feature as i32, topology.layer(0).packing, &mut input);
    let (mut hidden, mut scores) = (vec![0; topology.hidden_words()], vec![0; topology.classes()]);
    assert!(image.network().classify(&input, &mut hidden, &mut scores) < topology.classes());
    let _ = image.names().map(|names| (names.classes().count(), names.columns().count()));
    let _ = image.loss().term(i32::from(u16::MAX));
}
