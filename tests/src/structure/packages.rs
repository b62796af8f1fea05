//! The packages of the repository: where they are and what they depend on.

use std::path::{Path, PathBuf};

use super::{files, read, repository};

/// A package.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Where its manifest lies.
    pub folder: PathBuf,
    /// What it depends on when it is built, without what only its tests need.
    pub dependencies: Vec<String>,
}

impl Package {
    fn from_manifest(path: &Path) -> Option<Self> {
        let manifest: toml::Table =
            read(path).parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
        let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter().flatten();
        let tables = targets.filter_map(|(_, target)| target.as_table()).chain([&manifest]);
        let kinds = tables.flat_map(|table| [table.get("dependencies"), table.get("build-dependencies")]);
        let named = kinds.flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
        let dependencies = named.cloned().collect();
        Some(Self { name, folder: path.parent()?.to_owned(), dependencies })
    }

    /// Files that the compiler begins with: of the library, programs, tests, examples and benchmarks.
    #[must_use]
    pub fn roots(&self) -> Vec<PathBuf> {
        let mut roots: Vec<PathBuf> =
            ["src/lib.rs", "src/main.rs"].iter().map(|name| self.folder.join(name)).collect();
        for folder in ["src/bin", "tests", "examples", "benches"] {
            let Ok(entries) = std::fs::read_dir(self.folder.join(folder)) else { continue };
            for path in entries.flatten().map(|entry| entry.path()) {
                roots.push(if path.is_dir() { path.join("main.rs") } else { path });
            }
        }
        roots.retain(|root| root.is_file() && root.extension().is_some_and(|extension| extension == "rs"));
        roots.sort();
        roots
    }

    /// Lines of its sources, with its unit tests.
    #[must_use]
    pub fn lines(&self) -> usize {
        let source = self.folder.join("src");
        if !source.is_dir() {
            return 0;
        }
        files(&source, "rs").iter().map(|path| read(path).lines().count()).sum()
    }
}

/// All packages of the repository, of every workspace.
#[must_use]
pub fn packages() -> Vec<Package> {
    let manifests = files(&repository(), "toml");
    let manifests = manifests.iter().filter(|path| path.ends_with("Cargo.toml"));
    manifests.filter_map(|path| Package::from_manifest(path)).collect()
}

/// Dependencies that point up or to the side in `layers`, lowest first, as lines; and packages of `packages` that are in no layer.
#[must_use]
pub fn arrows_up(packages: &[Package], layers: &[&[&str]]) -> Vec<String> {
    let layer = |name: &str| layers.iter().position(|layer| layer.contains(&name));
    let mut faults = vec![];
    for Package { name, dependencies, .. } in packages {
        let Some(own) = layer(name) else {
            faults.push(format!("the package {name} has no layer: give it one in tests/tests/structure.rs"));
            continue;
        };
        for dependency in dependencies {
            if layer(dependency).is_some_and(|other| other >= own) {
                faults.push(format!("{name} depends on {dependency}, which is not below it"));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arrow_that_points_up_is_found() {
        let package = |name: &str, dependency: &str| Package {
            name: name.into(),
            folder: PathBuf::new(),
            dependencies: vec![dependency.into(), "serde".into()],
        };
        let layers: &[&[&str]] = &[&["low"], &["middle", "beside"], &["high"]];
        assert!(arrows_up(&[package("high", "low"), package("middle", "low")], layers).is_empty());
        for (name, dependency) in [("low", "middle"), ("middle", "beside"), ("low", "low"), ("new", "low")] {
            assert_eq!(arrows_up(&[package(name, dependency)], layers).len(), 1, "{name} {dependency}");
        }
    }
}
