//! How long functions are.

use super::tokens::{closing, tokens};

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line that it begins in, from 1.
    pub line: usize,
    /// How many lines it takes, from `fn` to the brace that closes its body.
    pub lines: usize,
}

/// The functions of a source file that have a body; those inside of others too.
#[must_use]
pub fn functions(source: &str) -> Vec<Function> {
    let tokens = tokens(source);
    let mut functions = vec![];
    for (at, pair) in tokens.windows(2).enumerate() {
        if pair[0].text != "fn" || !pair[1].is_word() {
            continue;
        }
        // Neither parameters nor array types hold the body.
        let mut body = at + 2;
        while let Some(token) = tokens.get(body).filter(|token| !matches!(token.text, "{" | ";")) {
            body = if matches!(token.text, "(" | "[") { closing(&tokens, body) + 1 } else { body + 1 };
        }
        let end = closing(&tokens, body);
        if let Some(end) = tokens.get(end).filter(|token| token.text == "}") {
            let (name, line) = (pair[1].text.to_owned(), pair[0].line);
            functions.push(Function { name, line, lines: end.line + 1 - line });
        }
    }
    functions
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_end_where_their_body_does() {
        let source = "trait T { fn declared(&self) -> [u8; 2]; }\nfn one(f: fn(u8)) -> [u8; { 2 }] {\n  \"}\"; // }\n  fn two() {}\n}\n";
        let found = functions(source);
        let found: Vec<_> =
            found.iter().map(|function| (&*function.name, function.line, function.lines)).collect();
        assert_eq!(found, [("one", 2, 4), ("two", 4, 1)]);
    }
}
