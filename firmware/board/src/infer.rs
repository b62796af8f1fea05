//! The inference that a board runs: its vector instructions where they pay, and always the same answers.

#[cfg(target_arch = "aarch64")]
pub(crate) use neon::classify;

#[cfg(not(target_arch = "aarch64"))]
#[inline(always)]
pub(crate) fn classify<W: evobit::bits::Words>(
    network: &evobit::network::Network<'_, W>,
    input: &[u32],
    hidden: &mut [u32],
    scores: &mut [i32],
) -> usize {
    network.classify(input, hidden, scores)
}
