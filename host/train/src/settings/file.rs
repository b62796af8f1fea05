//! Reading settings from a TOML file.

use std::path::{Path, PathBuf};

use super::Settings;

/// Why a file of settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It cannot be read.
    #[error("{}: cannot be read ({source}): give a file such as the config.toml of a run", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line of it is wrong.
    #[error("{}: line {line}, `{content}`: {message}: see `evobit train --help` for the settings", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What it says, cut to a length that fits a message.
        content: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Settings {
    /// The settings of a TOML file.
    ///
    /// # Errors
    /// A file that cannot be read, or that says something wrong.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().map_or(0, |span| text[..span.start].matches('\n').count());
            let content = text.lines().nth(before).unwrap_or_default().trim().chars().take(60).collect();
            let message = error.message().replace('\n', " ");
            SettingsError::Wrong { path: path.to_owned(), line: before + 1, content, message }
        })
    }
}
