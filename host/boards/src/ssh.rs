//! A board that runs Linux, reached through the programs `ssh` and `scp`: whatever they are configured for works here.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::line::{Line, LinkFailure, Wire};

/// Where the program on the board listens, on its loopback.
pub const LISTENS: &str = "127.0.0.1:7531";
/// Nobody is there to type a password.
const OPTIONS: [&str; 4] = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10"];
const SLICE: Duration = Duration::from_millis(100);

/// Why something was not done over ssh.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SshError {
    /// The program cannot be started.
    #[error("{program} cannot be started ({source}): install the OpenSSH client")]
    Start {
        /// `ssh` or `scp`.
        program: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// The host cannot be reached or refuses.
    #[error(
        "{host}: {what} failed ({said}): see that `ssh {host}` works without asking for anything, then repeat the command"
    )]
    Refused {
        /// The host.
        host: String,
        /// What was done.
        what: &'static str,
        /// What the program said.
        said: String,
    },
}

/// A host, as ssh knows it: `user@host`, or a name of its configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote(String);

impl Remote {
    /// A host; `None` for what ssh would take for an option or for more than a name.
    #[must_use]
    pub fn new(host: &str) -> Option<Self> {
        let plain = |letter: char| letter.is_alphanumeric() || "@.-_:[]%".contains(letter);
        let fits = !host.is_empty() && !host.starts_with('-') && host.chars().all(plain);
        fits.then(|| Self(host.into()))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Runs a command line of the shell there and returns what it printed.
    ///
    /// # Errors
    /// A host that cannot be reached, or a command that fails.
    pub fn run(&self, what: &'static str, line: &str) -> Result<String, SshError> {
        let output =
            Command::new("ssh").args(OPTIONS).args([self.name(), line]).stdin(Stdio::null()).output();
        self.check("ssh", what, output)
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Copies a file there.
    ///
    /// # Errors
    /// A host that cannot be reached, or no room.
    pub fn copy(&self, what: &'static str, from: &Path, to: &str) -> Result<(), SshError> {
        let target = format!("{}:{to}", self.0);
        let output =
            Command::new("scp").args(OPTIONS).arg("-q").arg(from).arg(target).stdin(Stdio::null()).output();
        self.check("scp", what, output).map(drop)
    }

    fn check(
        &self,
        program: &'static str,
        what: &'static str,
        output: std::io::Result<Output>,
    ) -> Result<Output, SshError> {
        let output = output.map_err(|source| SshError::Start { program, source })?;
        if output.status.success() {
            return Ok(output);
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        let said = errors
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing")
            .trim()
            .to_owned();
        Err(SshError::Refused { host: self.0.clone(), what, said })
    }

    /// The line of the board that runs there.
    ///
    /// # Errors
    /// No program `ssh`; a host that refuses shows when something is asked.
    pub fn line(&self) -> Result<Box<dyn Line>, LinkFailure> {
        let spawned = Command::new("ssh")
            .args(OPTIONS)
            .args(["-W", LISTENS, self.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = spawned.map_err(|error| LinkFailure::Open {
            port: format!("ssh:{}", self.0),
            cause: error.to_string(),
            next: "install the OpenSSH client",
        })?;
        let (Some(stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(LinkFailure::Ended("ssh has no pipes".into()));
        };
        let (bytes, came) = channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 1024];
            while let Ok(len @ 1..) = stdout.read(&mut chunk) {
                if bytes.send(chunk[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Box::new(Wire::new(Tunnel { child, stdin, came })))
    }
}

/// Both directions of `ssh -W`.
struct Tunnel {
    child: Child,
    stdin: ChildStdin,
    came: Receiver<Vec<u8>>,
}

impl Read for Tunnel {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        match self.came.recv_timeout(SLICE) {
            // The thread reads no more than a line's chunk at once.
            Ok(chunk) => {
                let len = chunk.len().min(bytes.len());
                bytes[..len].copy_from_slice(&chunk[..len]);
                Ok(len)
            }
            Err(RecvTimeoutError::Timeout) => Err(ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => {
                let mut said = String::new();
                if let Some(errors) = &mut self.child.stderr {
                    let _ = errors.read_to_string(&mut said);
                }
                match said.lines().rfind(|line| !line.trim().is_empty()) {
                    Some(line) => Err(std::io::Error::other(line.trim().to_owned())),
                    None => Ok(0),
                }
            }
        }
    }
}

impl Write for Tunnel {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.stdin.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.stdin.flush()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
