//! Files that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

/// What each file imports, by name.
pub type Graph = BTreeMap<String, BTreeSet<String>>;

/// The largest sets of files in which each one reaches all others by imports, in order; files alone are none.
#[must_use]
pub fn circles(graph: &Graph) -> Vec<Vec<&str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (file.as_str(), reach(graph, file))).collect();
    let mut circles = vec![];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (&file, others) in &reached {
        if !others.contains(file) || seen.contains(file) {
            continue;
        }
        let circle: Vec<&str> =
            others.iter().copied().filter(|other| reached[other].contains(file)).collect();
        seen.extend(&circle);
        if circle.len() > 1 {
            circles.push(circle);
        }
    }
    circles
}

/// What `file` imports, and what that imports, and so on.
fn reach<'a>(graph: &'a Graph, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = vec![file];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flatten() {
            if graph.contains_key(next) && reached.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for &(from, to) in edges {
            graph.entry(from.into()).or_default().insert(to.into());
            graph.entry(to.into()).or_default();
        }
        graph
    }

    #[test]
    fn circles_are_found_whole_and_nothing_else() {
        let found =
            graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("f", "a")]);
        assert_eq!(circles(&found), [vec!["a", "b", "c"], vec!["d", "e"]]);
        assert!(circles(&graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "d")])).is_empty());
    }
}
