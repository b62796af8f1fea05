//! A line that sends nonsense: random bytes, damaged and truncated frames, wrong versions, absurd lengths, flips out of range. A typed error or
//! silence, and nothing changes.

use anyhow::ensure;
use evobit::rng::{Draw, Purpose, Stream};
use evobit_link::{Request, write_frame};

use super::Outcome;
use crate::client::{Client, Line};
use crate::problem::Problem;

pub(super) fn show<L: Line>(client: &mut Client<L>, problem: &Problem) -> anyhow::Result<Outcome> {
    for (sample, label) in problem.pool.iter().take(20) {
        client.learn(sample, label)?;
    }
    let before = client.statistics()?;
    let mut errors = 0;
    let frames = corpus();
    for bytes in &frames {
        let (now, answered) = client.disturb(bytes)?;
        errors += answered.len();
        let same = (now.genome, now.candidate, now.stored, now.seen, now.generation);
        let was = (before.genome, before.candidate, before.stored, before.seen, before.generation);
        ensure!(same == was, "{bytes:02x?} changed something");
    }
    let counted = [("frames", frames.len().into()), ("errors", errors.into())];
    Ok(Outcome::of(&client.statistics()?).found(counted))
}

/// What must never do anything, made anew from one seed.
fn corpus() -> Vec<Vec<u8>> {
    let mut rng = Stream::new(1, Purpose::Test, 0);
    let mut corpus: Vec<Vec<u8>> = vec![];
    for len in (0..120).chain([300, 1100, 5000]) {
        corpus.push((0..len).map(|_| 1 + rng.below(255) as u8).collect());
    }
    let sealed = |body: &[u8]| {
        let bytes = [body, &evobit::image::checksum(body).to_le_bytes()].concat();
        // COBS, for frames under 254 bytes.
        let mut framed = vec![];
        for block in bytes.split(|&byte| byte == 0) {
            framed.push(block.len() as u8 + 1);
            framed.extend(block);
        }
        framed
    };
    let frame = |request: &Request<'_>| {
        let mut buffer = [0; 200];
        let mut bytes = write_frame(7, request, &mut buffer).unwrap_or_default().to_vec();
        bytes.pop();
        bytes
    };
    let learn = frame(&Request::Learn { sample: &[1; 64], label: 3 });
    (0..learn.len()).for_each(|len| corpus.push(learn[..len].to_vec()));
    for at in 0..learn.len() {
        let mut damaged = learn.clone();
        damaged[at] ^= 1 << rng.below(8);
        corpus.push(damaged);
    }
    // Right checksums, wrong content: versions, kinds, lengths, widths, labels, updates of another base, without beginning, out of range.
    (0..=255).filter(|&version| version != 1).for_each(|version| corpus.push(sealed(&[version, 7, 0])));
    (16..=255).for_each(|kind| corpus.push(sealed(&[1, 7, kind])));
    corpus.push(sealed(&[1, 7, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]));
    corpus.push(sealed(&[1, 7, 2, 5, 1, 2, 3]));
    corpus.push(sealed(&[1, 7]));
    for width in [0, 1, 63, 65] {
        corpus.push(frame(&Request::Classify { sample: &vec![1; width] }));
        corpus.push(frame(&Request::Learn { sample: &vec![1; width], label: 3 }));
    }
    [10, 255, 256, u16::MAX]
        .iter()
        .for_each(|&label| corpus.push(frame(&Request::Learn { sample: &[1; 64], label })));
    corpus.push(frame(&Request::PushBegin { base: 12345, genome: 0 }));
    corpus.push(frame(&Request::Push { flips: &[1, 2, 3] }));
    corpus.push(frame(&Request::PushEnd));
    corpus.push(frame(&Request::Spectrum { layer: 9, neurons: 1 }));
    corpus
}
