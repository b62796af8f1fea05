//! What the program is told by its file.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use evobit_link::key::Key;
use serde::Deserialize;

/// Labelled samples at most: each that comes is held against all others.
const MOST_SAMPLES: usize = 4000;

/// Threads at most.
const MOST_THREADS: usize = 256;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    model: PathBuf,
    kept: PathBuf,
    listen: String,
    samples: usize,
    threads: usize,
    serial: Option<String>,
    baud: u32,
    key: Option<PathBuf>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            model: "model.evb".into(),
            kept: "kept.bin".into(),
            listen: "127.0.0.1:7531".into(),
            samples: 1000,
            threads: 0,
            serial: None,
            baud: 115_200,
            key: None,
        }
    }
}

/// A configuration that was checked.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Paths of the model and of what is kept.
    pub(crate) model: PathBuf,
    pub(crate) kept: PathBuf,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Labelled samples.
    pub(crate) samples: usize,
    /// Threads that learn; 0 for one on each processor.
    pub(crate) threads: usize,
    /// A serial device and its rate.
    pub(crate) serial: Option<(String, u32)>,
    /// Who knows it may change the board.
    pub(crate) key: Option<Key>,
}

impl Config {
    /// Reads a file; paths in it count from its folder.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{shown}: cannot be read: give the configuration, see --help"))?;
        let file: File = toml::from_str(&text)
            .map_err(|error| anyhow::anyhow!("{shown}: {}: see --help", error.message()))?;
        let beside = |name: &Path| path.parent().unwrap_or(Path::new("")).join(name);
        let key = file.key.as_deref().map(|name| read_key(&beside(name))).transpose()?;
        let mut addresses = file.listen.to_socket_addrs().with_context(|| {
            format!("{shown}: listen = {:?} is no address such as 127.0.0.1:7531", file.listen)
        })?;
        let listen =
            addresses.next().with_context(|| format!("{shown}: listen = {:?} names nothing", file.listen))?;
        if !listen.ip().is_loopback() && key.is_none() {
            bail!(
                "{shown}: listen = {:?} is open to a network, where anybody could change the board: set a key, or listen on 127.0.0.1",
                file.listen
            );
        }
        ensure!(
            (4..=MOST_SAMPLES).contains(&file.samples),
            "{shown}: samples must be 4 to {MOST_SAMPLES}, not {}",
            file.samples
        );
        ensure!(file.threads <= MOST_THREADS, "{shown}: threads must be at most {MOST_THREADS}, 0 for all");
        let (model, kept) = (beside(&file.model), beside(&file.kept));
        let serial = file.serial.map(|device| (device, file.baud));
        Ok(Self { model, kept, listen, samples: file.samples, threads: file.threads, serial, key })
    }
}

fn read_key(path: &Path) -> anyhow::Result<Key> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    Key::from_hex(&text).with_context(|| {
        format!(
            "{}: is no key: it must hold 64 hexadecimal digits, as `openssl rand -hex 32` makes them",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "0a".repeat(32)).unwrap();
        std::fs::write(folder.path().join("config.toml"), text).unwrap();
        Config::read(&folder.path().join("config.toml")).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn only_with_a_key_it_listens_on_a_network() {
        assert!(read("").unwrap().listen.ip().is_loopback());
        assert!(read("listen = \"[::1]:0\"").unwrap().key.is_none());
        for open in ["0.0.0.0:7531", "[::]:7531", "192.168.1.7:7531"] {
            let complaint = read(&format!("listen = {open:?}")).unwrap_err();
            assert!(complaint.contains("set a key"), "{complaint}");
            assert!(read(&format!("listen = {open:?}\nkey = \"key\"")).unwrap().key.is_some());
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, says) in [
            ("samples = 1", "samples must be"),
            ("threads = 1000", "threads must be"),
            ("model = 5", "see --help"),
            ("modle = \"x\"", "modle"),
            ("key = \"config.toml\"", "64 hexadecimal digits"),
            ("key = \"none\"", "cannot be read"),
            ("listen = \"nowhere\"", "no address"),
        ] {
            let complaint = read(text).unwrap_err();
            assert!(complaint.contains(says), "{complaint}");
        }
    }
}
