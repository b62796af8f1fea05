//! Requests that only who knows the key can make.
//!
//! A board with a key takes what changes it only as [`Request::Keyed`]: the request in postcard's format, a counter that must be higher than any
//! the board took before, and HMAC-SHA-256 (RFC 2104, cut to [`TAG_BYTES`] bytes) of a fixed prefix, the counter and the request. So what was
//! not made with the key, was changed on the way, or was taken before is refused. What is said can be read by all: nothing is encrypted.
//!
//! Needs the feature `key`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{LinkError, Request};

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Bytes of a tag: a forger is right once in 2^128 tries.
pub const TAG_BYTES: usize = 16;
/// Bytes that a keyed request takes beside the one within: kind, counter, tag, length.
pub const KEYED_BYTES: usize = 1 + 5 + TAG_BYTES + 3;
/// What a key in flash begins with.
const MAGIC: [u8; 4] = *b"EVKY";
/// Bytes of a key in flash.
pub const FLASH_BYTES: usize = MAGIC.len() + KEY_BYTES;
/// What else is signed with the same key is no request.
const PREFIX: &[u8] = b"evobit link 1";

/// A key that a board and its hosts share.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// A key of these bytes, which should be drawn at random.
    #[must_use]
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key that is written as 64 hexadecimal digits; `None` where a text is none.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().as_bytes();
        let mut key = [0; KEY_BYTES];
        if digits.len() != 2 * KEY_BYTES {
            return None;
        }
        for (byte, pair) in key.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(Self(key))
    }

    /// The key as it lies in flash, behind a model: `EVKY` and its bytes.
    #[must_use]
    pub fn to_flash(&self) -> [u8; FLASH_BYTES] {
        let mut bytes = [0; FLASH_BYTES];
        let (magic, key) = bytes.split_at_mut(MAGIC.len());
        magic.copy_from_slice(&MAGIC);
        key.copy_from_slice(&self.0);
        bytes
    }

    /// The key that lies in flash; `None` where there is none. One that was damaged is one that nobody knows: no change is taken with it.
    #[must_use]
    pub fn from_flash(bytes: &[u8]) -> Option<Self> {
        let (key, _) = bytes.strip_prefix(&MAGIC)?.split_first_chunk()?;
        Some(Self(*key))
    }

    fn mac(&self, counter: u32, request: &[u8]) -> Option<Hmac<Sha256>> {
        // Every length of key is one that HMAC takes.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(PREFIX);
        mac.update(&counter.to_le_bytes());
        mac.update(request);
        Some(mac)
    }

    /// The tag of a request with its counter.
    #[must_use]
    pub fn tag(&self, counter: u32, request: &[u8]) -> [u8; TAG_BYTES] {
        let mut tag = [0; TAG_BYTES];
        if let Some(mac) = self.mac(counter, request) {
            let whole = mac.finalize().into_bytes();
            tag.iter_mut().zip(whole).for_each(|(tag, byte)| *tag = byte);
        }
        tag
    }

    /// Whether a tag is that of a request with its counter; takes as long whatever is wrong.
    #[must_use]
    pub fn is_right(&self, tag: &[u8; TAG_BYTES], counter: u32, request: &[u8]) -> bool {
        self.mac(counter, request).is_some_and(|mac| mac.verify_truncated_left(tag).is_ok())
    }
}

/// Lets in what a board with a key may do.
#[derive(Clone, Debug)]
pub struct Guard {
    key: Key,
    /// The lowest counter that it takes.
    next: u32,
    refused: u32,
}

impl Guard {
    /// A guard that takes counters from `next` on: no lower than any that was taken before, also before a loss of power.
    #[must_use]
    pub const fn new(key: Key, next: u32) -> Self {
        Self { key, next, refused: 0 }
    }

    /// The lowest counter that it takes.
    #[must_use]
    pub const fn next(&self) -> u32 {
        self.next
    }

    /// Requests refused since the start.
    #[must_use]
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    /// The request that a board may do: one that changes nothing, or the one within a keyed one that is right.
    ///
    /// # Errors
    /// [`LinkError::Key`], [`LinkError::Forged`], [`LinkError::Replayed`], [`LinkError::Message`]; counted.
    pub fn admit<'r>(&mut self, request: Request<'r>) -> Result<Request<'r>, LinkError> {
        let admitted = self.judge(request);
        self.refused = self.refused.saturating_add(u32::from(admitted.is_err()));
        admitted
    }

    fn judge<'r>(&mut self, request: Request<'r>) -> Result<Request<'r>, LinkError> {
        let Request::Keyed { counter, tag, request } = request else {
            return if request.changes() { Err(LinkError::Key) } else { Ok(request) };
        };
        if !self.key.is_right(&tag, counter, request) {
            return Err(LinkError::Forged);
        }
        // The last counter is never taken: there would be none after it.
        if counter < self.next || counter == u32::MAX {
            return Err(LinkError::Replayed(self.next));
        }
        self.next = counter + 1;
        match postcard::take_from_bytes(request) {
            Ok((Request::Keyed { .. }, _)) => Err(LinkError::Message),
            Ok((request, [])) => Ok(request),
            _ => Err(LinkError::Message),
        }
    }
}

#[cfg(all(test, feature = "full"))]
mod tests {
    use super::*;

    /// Computed with Python's `hmac`.
    #[test]
    fn a_tag_has_the_known_bytes() {
        let key = Key::new([7; KEY_BYTES]);
        assert_eq!(key.tag(258, &[13]), KNOWN);
        assert!(key.is_right(&KNOWN, 258, &[13]));
        assert!(!key.is_right(&KNOWN, 259, &[13]) && !key.is_right(&KNOWN, 258, &[12]));
        assert!(!Key::new([6; KEY_BYTES]).is_right(&KNOWN, 258, &[13]));
    }

    #[test]
    fn a_key_lies_in_flash_or_none_does() {
        let key = Key::new([9; KEY_BYTES]);
        let mut flash = [0xff; 64];
        assert_eq!(Key::from_flash(&flash), None);
        flash[..FLASH_BYTES].copy_from_slice(&key.to_flash());
        assert_eq!(Key::from_flash(&flash), Some(key.clone()));
        flash[FLASH_BYTES - 1] ^= 1;
        assert_ne!(Key::from_flash(&flash), Some(key));
        assert_eq!(Key::from_flash(&flash[..FLASH_BYTES - 1]), None);
    }

    #[test]
    fn a_guard_lets_in_what_is_right_and_new() {
        let key = Key::from_hex(&"0a".repeat(32)).unwrap();
        assert_eq!(key, Key::new([10; KEY_BYTES]));
        assert!(Key::from_hex("0a").is_none() && Key::from_hex(&"0g".repeat(32)).is_none());
        let mut guard = Guard::new(key.clone(), 5);
        let keyed = |counter, request: &'static [u8]| Request::Keyed {
            counter,
            tag: key.tag(counter, request),
            request,
        };
        // A reset, in postcard's format: its kind alone.
        let reset: &[u8] = &[13];
        assert_eq!(guard.admit(Request::Info), Ok(Request::Info));
        assert_eq!(guard.admit(Request::Reset), Err(LinkError::Key));
        assert_eq!(guard.admit(keyed(4, reset)), Err(LinkError::Replayed(5)));
        assert_eq!(guard.admit(keyed(5, reset)), Ok(Request::Reset));
        assert_eq!(guard.admit(keyed(5, reset)), Err(LinkError::Replayed(6)));
        assert_eq!(guard.admit(keyed(9, reset)), Ok(Request::Reset));
        assert_eq!(guard.admit(keyed(u32::MAX, reset)), Err(LinkError::Replayed(10)));
        assert_eq!(guard.admit(keyed(10, &[13, 0])), Err(LinkError::Message));
        let Request::Keyed { counter, request, .. } = keyed(11, reset) else { panic!() };
        assert_eq!(
            guard.admit(Request::Keyed { counter, tag: [0; TAG_BYTES], request }),
            Err(LinkError::Forged)
        );
        assert_eq!((guard.next(), guard.refused()), (11, 6));
    }

    const KNOWN: [u8; TAG_BYTES] = [40, 86, 227, 138, 175, 174, 167, 101, 226, 175, 13, 10, 47, 80, 116, 140];
}
