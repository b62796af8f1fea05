//! Tags of keyed requests, held against HMAC as RFC 2104 writes it down.

#![cfg(feature = "key")]

use evobit_link::key::{KEY_BYTES, Key, TAG_BYTES};
use sha2::{Digest, Sha256};

/// HMAC-SHA-256 by its definition: the hash of the outer pad and the hash of the inner pad and the message.
fn hmac(key: &[u8; KEY_BYTES], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    block[..KEY_BYTES].copy_from_slice(key);
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner[..]].concat()).to_vec()
}

#[test]
fn a_tag_is_the_start_of_the_hmac_of_prefix_counter_and_request() {
    for (counter, request) in [(0u32, &[][..]), (1, &[13]), (0x0102_0304, &[9; 100]), (u32::MAX, b"request")]
    {
        let bytes = core::array::from_fn(|index| (7 * index + request.len()) as u8);
        let message = [b"evobit link 1", &counter.to_le_bytes()[..], request].concat();
        let tag = Key::new(bytes).tag(counter, request);
        assert_eq!(tag[..], hmac(&bytes, &message)[..TAG_BYTES]);
        assert!(Key::new(bytes).is_right(&tag, counter, request));
    }
}

/// No byte of a tag goes uncompared: a tag that is wrong in one bit, or right in one byte alone, is refused.
#[test]
fn every_bit_of_a_tag_counts() {
    let key = Key::new([3; KEY_BYTES]);
    let right = key.tag(7, &[1, 2, 3]);
    for bit in 0..8 * TAG_BYTES {
        let mut tag = right;
        tag[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.is_right(&tag, 7, &[1, 2, 3]), "bit {bit}");
    }
    for byte in 0..TAG_BYTES {
        let mut tag = right.map(|byte| !byte);
        tag[byte] = right[byte];
        assert!(!key.is_right(&tag, 7, &[1, 2, 3]), "byte {byte}");
    }
    assert!(key.is_right(&right, 7, &[1, 2, 3]));
}
