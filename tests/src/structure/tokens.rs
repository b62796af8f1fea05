//! Rust source as words and signs, without comments, strings and characters.

/// A word, or one sign; `::` is one sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub text: &'a str,
    /// The line it stands in, from 1.
    pub line: usize,
}

impl Token<'_> {
    /// True of names, keywords and numbers.
    #[must_use]
    pub fn is_word(&self) -> bool {
        self.text.starts_with(is_word)
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The tokens of a source file.
#[must_use]
pub fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut at, mut line) = (vec![], 0, 1);
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        let length = match literal(rest) {
            Some(length) => length,
            None if is_word(first) => {
                let length = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
                tokens.push(Token { text: &rest[..length], line });
                length
            }
            None => {
                let length = if rest.starts_with("::") { 2 } else { first.len_utf8() };
                if !first.is_whitespace() {
                    tokens.push(Token { text: &rest[..length], line });
                }
                length
            }
        };
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

/// The length of the comment, string or character that a text begins with; of a lifetime too, whose quote opens nothing.
fn literal(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Some(block_comment(text));
    }
    // b"", c"", r"", br##""##; a word that only begins alike is none.
    let prefix = text.find(|character| !matches!(character, 'b' | 'c' | 'r')).unwrap_or(text.len());
    if prefix <= 2 {
        let (prefix, rest) = text.split_at(prefix);
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if prefix.ends_with('r') && rest[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let from = hashes + 1;
            let length = rest[from..].find(&end).map_or(rest.len(), |found| from + found + end.len());
            return Some(prefix.len() + length);
        }
        if rest.starts_with('"') && !prefix.ends_with('r') {
            return Some(prefix.len() + quoted(rest, '"'));
        }
        if rest.starts_with('\'') && matches!(prefix, "" | "b") {
            return Some(prefix.len() + character_or_lifetime(rest));
        }
    }
    None
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// The length of what stands in quotes at the beginning of a text, with them.
fn quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    text.len()
}

fn character_or_lifetime(text: &str) -> usize {
    let mut characters = text.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(text, '\''),
        _ => 1 + text[1..].find(|character| !is_word(character)).unwrap_or(text.len() - 1),
    }
}

/// The place of the sign that closes what the token at `open` opens, or the end.
#[must_use]
pub fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<&str> {
        tokens(source).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_no_tokens() {
        assert_eq!(texts("a /* { /* } */ { */ b // {\nc"), ["a", "b", "c"]);
        assert_eq!(
            texts(r##"f("\"{", r#"}"{"#, b"\\", br"\", '{', '\'', b'{', '\u{7f}')"##).join(""),
            "f(,,,,,,,)"
        );
        assert_eq!(
            texts("fn f<'a>(x: &'a str) -> r#type"),
            ["fn", "f", "<", ">", "(", "x", ":", "&", "str", ")", "-", ">", "r", "#", "type"]
        );
        assert_eq!(texts("crate::b::Br"), ["crate", "::", "b", "::", "Br"]);
    }

    #[test]
    fn lines_are_counted_through_literals() {
        let tokens = tokens("a\n\"\n\n\"\nb /*\n*/ c");
        assert_eq!(tokens.iter().map(|token| token.line).collect::<Vec<_>>(), [1, 5, 6]);
    }
}
