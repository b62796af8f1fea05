//! The files of a crate, and which of them imports which.
//!
//! An import is a path in a `use`, or one in the code that begins with `crate`, `super` or `self`. Its target is the
//! file that holds the item: where a module only hands on what another one holds, by `use`, the path goes through it. A module that
//! declares another, or hands on what is in one below it by `pub use`, does not import it. What is compiled for tests alone is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::circles::Graph;
use super::tokens::{Token, closing, tokens};
use super::{read, shown};

/// The names that lead to a module from the root of its crate.
type ModulePath = Vec<String>;

/// A `use` of one name, or a path in the code.
#[derive(Clone, Debug)]
struct Import {
    path: Vec<String>,
    /// What the module calls it; `*` for all that a module holds; nothing for a path in the code.
    name: Option<String>,
    is_public: bool,
}

/// A module, in a file of its own or in a part of one.
#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    items: BTreeSet<String>,
    imports: Vec<Import>,
}

/// The modules of a crate.
#[derive(Debug, Default)]
pub struct Modules(BTreeMap<ModulePath, Module>);

impl Modules {
    /// Reads the crate whose root is this file.
    #[must_use]
    pub fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        modules.add_file(root, &folder, vec![]);
        modules
    }

    /// Adds a file and those of the modules that it declares, which lie in `folder`.
    fn add_file(&mut self, file: &Path, folder: &Path, path: ModulePath) {
        let source = read(file);
        let tokens = tokens(&source);
        Reader { modules: self, file, folder, tokens: &tokens }.module(0, tokens.len(), path);
    }

    /// What each file imports.
    #[must_use]
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for (path, module) in &self.0 {
            let imports = graph.entry(shown(&module.file)).or_default();
            for import in &module.imports {
                let Some(target) = self.target(path, &import.path, 0) else { continue };
                let hands_on = import.is_public && import.name.is_some() && target.starts_with(path);
                let file = &self.0[&target].file;
                if !hands_on && *file != module.file {
                    imports.insert(shown(file));
                }
            }
        }
        graph
    }

    /// The module that holds what `names` mean in the module `from`; `None` where it is of another crate.
    fn target(&self, from: &ModulePath, names: &[String], depth: usize) -> Option<ModulePath> {
        let (mut at, mut rest) = match names.first()?.as_str() {
            "crate" => (vec![], &names[1..]),
            "self" => (from.clone(), &names[1..]),
            "super" => (from.clone(), names),
            name if self.0.contains_key(&below(from, name)) => (from.clone(), names),
            _ => return None,
        };
        while let Some((name, others)) = rest.split_first() {
            if name == "super" {
                at.pop();
            } else if self.0.contains_key(&below(&at, name)) {
                at.push(name.clone());
            } else {
                return Some(self.handed_on(&at, name, depth + 1).unwrap_or(at));
            }
            rest = others;
        }
        Some(at)
    }

    /// Where a module has something from that it does not hold itself.
    fn handed_on(&self, at: &ModulePath, name: &str, depth: usize) -> Option<ModulePath> {
        let module = &self.0[at];
        // A name that leads to itself is none of the compiler's.
        if module.items.contains(name) || depth > 8 {
            return None;
        }
        let uses = |wanted: &str| {
            let of_name = move |import: &&Import| import.name.as_deref() == Some(wanted);
            module.imports.iter().filter(of_name).collect::<Vec<_>>()
        };
        if let Some(import) = uses(name).first() {
            return self.target(at, &import.path, depth);
        }
        let globs = uses("*");
        let mut globs = globs.iter().filter_map(|import| self.target(at, &import.path, depth));
        globs.find_map(|target| {
            let holds = self.0[&target].items.contains(name);
            if holds { Some(target) } else { self.handed_on(&target, name, depth + 1) }
        })
    }
}

fn below(path: &[String], name: &str) -> ModulePath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Reads the tokens of one file.
struct Reader<'a, 'b> {
    modules: &'a mut Modules,
    file: &'a Path,
    folder: &'a Path,
    tokens: &'a [Token<'b>],
}

impl Reader<'_, '_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    /// Reads the module that these tokens are.
    fn module(&mut self, mut at: usize, end: usize, path: ModulePath) {
        let mut module = Module { file: self.file.to_owned(), ..Module::default() };
        let mut given = None;
        while at < end {
            match self.text(at) {
                "#" if self.text(at + 1) == "[" => {
                    let close = closing(self.tokens, at + 1);
                    if self.is_for_tests(at + 2, close) {
                        at = self.item_end(close + 1);
                        continue;
                    }
                    at = close + 1;
                }
                "mod" if self.tokens.get(at + 1).is_some_and(Token::is_word) => {
                    given = Some(self.text(at + 1).to_owned());
                    at += 2;
                }
                ";" | "{" if given.is_some() => {
                    let path = below(&path, &given.take().unwrap_or_default());
                    at = self.child(at, path);
                }
                "pub" if self.text(at + 1) == "(" => at = closing(self.tokens, at + 1) + 1,
                "use" if self.text(at + 1) != "<" => {
                    let is_public = at > 0 && matches!(self.text(at - 1), "pub" | ")");
                    at = self.tree(at + 1, &[], is_public, &mut module.imports);
                }
                "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "union"
                | "macro_rules" => {
                    let name = at + 1 + usize::from(matches!(self.text(at + 1), "!" | "mut"));
                    module.items.insert(self.text(name).to_owned());
                    at += 1;
                }
                _ => at = self.path(at, &mut module.imports),
            }
        }
        self.modules.0.insert(path, module);
    }

    /// True of attributes that leave the item to tests.
    fn is_for_tests(&self, from: usize, to: usize) -> bool {
        let mut places = from..to;
        self.text(from) == "cfg"
            && places.any(|at| {
                self.text(at) == "test" && !(self.text(at - 1) == "(" && self.text(at - 2) == "not")
            })
    }

    /// The place behind an item, and behind its attributes.
    fn item_end(&self, mut at: usize) -> usize {
        let mut is_use = false;
        while at < self.tokens.len() {
            match self.text(at) {
                ";" => return at + 1,
                "use" => is_use = true,
                "{" if !is_use => return closing(self.tokens, at) + 1,
                "(" | "[" | "{" => at = closing(self.tokens, at),
                _ => {}
            }
            at += 1;
        }
        at
    }

    /// A module below: what stands in braces at `at`, or a file.
    fn child(&mut self, at: usize, path: ModulePath) -> usize {
        if self.text(at) == "{" {
            let end = closing(self.tokens, at);
            self.module(at + 1, end, path);
            return end + 1;
        }
        let name = path.last().cloned().unwrap_or_default();
        let folder = self.folder.join(&name);
        let files = [self.folder.join(format!("{name}.rs")), folder.join("mod.rs")];
        if let Some(file) = files.iter().find(|file| file.is_file()) {
            self.modules.add_file(file, &folder, path);
        }
        at + 1
    }

    /// What a `use` names, behind `prefix`; the place behind it.
    fn tree(&self, mut at: usize, prefix: &[String], is_public: bool, imports: &mut Vec<Import>) -> usize {
        let mut path = prefix.to_vec();
        let mut name = None;
        loop {
            match self.text(at) {
                "{" => {
                    let end = closing(self.tokens, at);
                    while at < end {
                        at = self.tree(at + 1, &path, is_public, imports);
                    }
                    return end + 1;
                }
                "as" => {
                    name = Some(self.text(at + 1).to_owned());
                    at += 1;
                }
                "*" => name = Some("*".to_owned()),
                "::" => {}
                "self" if !path.is_empty() => {}
                word if self.tokens.get(at).is_some_and(Token::is_word) => path.push(word.to_owned()),
                _ => break,
            }
            at += 1;
        }
        if path.len() > prefix.len() || name.is_some() || !path.is_empty() && self.text(at - 1) == "self" {
            let name = name.or_else(|| path.last().cloned());
            imports.push(Import { path, name, is_public });
        }
        at
    }

    /// A path in the code; the place behind it.
    fn path(&self, mut at: usize, imports: &mut Vec<Import>) -> usize {
        let begins = matches!(self.text(at), "crate" | "self" | "super") && self.text(at + 1) == "::";
        if !begins || at > 0 && matches!(self.text(at - 1), "::" | ".") {
            return at + 1;
        }
        let mut path = vec![self.text(at).to_owned()];
        while self.text(at + 1) == "::" && self.tokens.get(at + 2).is_some_and(Token::is_word) {
            path.push(self.text(at + 2).to_owned());
            at += 2;
        }
        imports.push(Import { path, name: None, is_public: false });
        at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::Folder;

    /// The imports of a crate of these files, as lines without the folder.
    fn imports(files: &[(&str, &str)]) -> Vec<String> {
        let folder = Folder::new();
        files.iter().for_each(|(name, text)| folder.write(name, text));
        let graph = Modules::read(&folder.path("lib.rs")).graph();
        let name =
            |path: &String| Path::new(path).strip_prefix(folder.path("")).unwrap().display().to_string();
        let lines = graph
            .iter()
            .flat_map(|(from, to)| to.iter().map(move |to| format!("{} {}", name(from), name(to))));
        lines.collect()
    }

    #[test]
    fn uses_and_paths_in_the_code_are_imports() {
        let files = [
            ("lib.rs", "mod a; mod b; pub mod c;"),
            ("a.rs", "use crate::b::{self, B as Other, inner::*};\nuse std::fmt; use serde::b;"),
            ("b/mod.rs", "pub mod inner; pub struct B; fn f() { super::c::go::<u8>(); a.c::d(); }"),
            ("b/inner.rs", "use super::B; pub(in crate::c) fn g() { let text = \"crate::a::A\"; }"),
            ("c.rs", "// use crate::a;\npub fn go<T>() {}"),
        ];
        assert_eq!(
            imports(&files),
            ["a.rs b/inner.rs", "a.rs b/mod.rs", "b/inner.rs b/mod.rs", "b/mod.rs c.rs"]
        );
    }

    #[test]
    fn a_path_leads_to_the_file_that_holds_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A; use b::*;"),
            ("a.rs", "use crate::{B, C}; pub struct A;"),
            ("b.rs", "mod c; pub use c::C; pub struct B;"),
            ("b/c.rs", "use crate::A; pub struct C;"),
        ];
        assert_eq!(imports(&files), ["a.rs b.rs", "a.rs b/c.rs", "b/c.rs a.rs", "lib.rs b.rs"]);
    }

    #[test]
    fn modules_inside_of_files_and_tests_are_told_apart() {
        let files = [
            ("lib.rs", "mod a; mod b; #[cfg(test)] mod tests; #[cfg(all(test, unix))] use crate::{a::A};"),
            (
                "a.rs",
                "mod part { use super::super::b::B; } pub struct A; #[cfg(test)] mod tests { use crate::tests::T; }",
            ),
            ("b.rs", "pub struct B; #[cfg(not(test))] fn f() { crate::a::g() }"),
            ("tests.rs", "use crate::a::A;"),
        ];
        assert_eq!(imports(&files), ["a.rs b.rs", "b.rs a.rs"]);
    }
}
