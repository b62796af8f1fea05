//! The structure of the repository, as `tests::structure` reads it.

use tests::structure::circles::circles;
use tests::structure::functions::functions;
use tests::structure::modules::Modules;
use tests::structure::packages::{Package, arrows_up, packages};
use tests::structure::{files, read, repository, shown};

/// The most files that may import each other in a circle: a module and two below it.
const CIRCLE: usize = 3;
/// The most lines of a function.
const FUNCTION: usize = 80;
/// The most lines of a crate of the host.
const CRATE: usize = 9_000;

/// Who may depend on whom: each package on those in the rows above its own.
const LAYERS: &[&[&str]] = &[
    &["evobit", "evobit-kernels", "skips"],
    &["evobit-link"],
    &["evobit-board", "evobit-data"],
    &["evobit-model", "evobit-report"],
    &["evobit-boards", "evobit-compute"],
    &["evobit-search"],
    &["evobit-train"],
    &["evobit-rules"],
    &["evobit-bench", "evobit-sweeps"],
    &["host"],
    &["tests"],
];

#[test]
fn no_more_than_three_files_import_each_other_in_a_circle() {
    let mut faults = vec![];
    for root in packages().iter().flat_map(Package::roots) {
        let graph = Modules::read(&root).graph();
        for circle in circles(&graph).into_iter().filter(|circle| circle.len() > CIRCLE) {
            faults.push(format!("{} files import each other in a circle:", circle.len()));
            for &file in &circle {
                let imported: Vec<&str> =
                    graph[file].iter().map(String::as_str).filter(|other| circle.contains(other)).collect();
                faults.push(format!("    {file} imports {}", imported.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_function_is_longer_than_80_lines() {
    let mut faults = vec![];
    for path in files(&repository(), "rs") {
        for function in functions(&read(&path)).iter().filter(|function| function.lines > FUNCTION) {
            let (line, name, lines) = (function.line, &function.name, function.lines);
            faults
                .push(format!("{}:{line}: `{name}` has {lines} lines, at most are {FUNCTION}", shown(&path)));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn no_crate_of_the_host_is_longer_than_9000_lines() {
    let of_host = |folder: &std::path::Path| folder.starts_with(repository().join("host"));
    for package in packages().iter().filter(|package| of_host(&package.folder)) {
        let lines = package.lines();
        assert!(lines <= CRATE, "{} has {lines} lines, at most are {CRATE}", package.name);
    }
}

#[test]
fn dependencies_point_down() {
    let mut packages = packages();
    // Firmware is a workspace of its own, of which the host knows one package.
    packages.retain(|package| {
        let folder = shown(&package.folder);
        folder == "firmware/board" || !folder.starts_with("firmware") && folder != "tests/fuzz"
    });
    assert!(packages.len() >= 14, "{}", packages.len());
    let faults = arrows_up(&packages, LAYERS);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_check_sees_the_repository() {
    let core = packages().into_iter().find(|package| package.name == "evobit").unwrap();
    let graph = Modules::read(&core.folder.join("src/lib.rs")).graph();
    assert!(graph.len() > 50, "{} files", graph.len());
    assert!(
        graph["core/src/genome.rs"].contains("core/src/topology.rs"),
        "{:?}",
        graph["core/src/genome.rs"]
    );
}
