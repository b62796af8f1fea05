//! Reads the regions of a linker script: `NAME : ORIGIN = 0x0, LENGTH = 1K`.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, ensure};

/// Regions by name.
pub(crate) type Regions = BTreeMap<String, Range<u64>>;

/// The regions of a script. Numbers may be hexadecimal or end in K.
pub(crate) fn regions(script: &str) -> anyhow::Result<Regions> {
    let block = script.split_once("MEMORY").and_then(|(_, rest)| rest.split_once('{'));
    let (block, _) =
        block.and_then(|(_, rest)| rest.split_once('}')).context("there is no MEMORY { ... }")?;
    let mut regions = Regions::new();
    for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let bad = || format!("`{line}` is no region");
        let (name, rest) = line.split_once(':').with_context(bad)?;
        let (origin, length) = rest.split_once(',').with_context(bad)?;
        let value = |text: &str, name| {
            text.trim().strip_prefix(name).and_then(|rest| rest.trim().strip_prefix('=')).and_then(number)
        };
        let origin = value(origin, "ORIGIN").with_context(bad)?;
        let length = value(length, "LENGTH").with_context(bad)?;
        regions.insert(name.trim().to_owned(), origin..origin + length);
    }
    let all: Vec<_> = regions.iter().collect();
    for (index, (name, region)) in all.iter().enumerate() {
        for (other, behind) in &all[index + 1..] {
            let apart = region.end <= behind.start || behind.end <= region.start;
            ensure!(apart, "the regions {name} and {other} overlap");
        }
    }
    Ok(regions)
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Some(kilobytes) = text.strip_suffix('K') {
        return kilobytes.parse::<u64>().ok().map(|number| number * 1024);
    }
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_read_and_must_not_overlap() {
        let script = "/* text */\nMEMORY\n{\n  FLASH : ORIGIN = 0x1000, LENGTH = 2K\n\n RAM:ORIGIN=64,LENGTH=0x10\n}\n_x = 1;";
        let found = regions(script).unwrap();
        assert_eq!((found["FLASH"].clone(), found["RAM"].clone()), (0x1000..0x1800, 64..80));
        assert!(regions("FLASH").is_err());
        assert!(regions("MEMORY { FLASH }").is_err());
        let overlap = regions("MEMORY {\nA : ORIGIN = 0, LENGTH = 2\nB : ORIGIN = 1, LENGTH = 2\n}");
        assert!(overlap.unwrap_err().to_string().contains("A and B"));
    }
}
