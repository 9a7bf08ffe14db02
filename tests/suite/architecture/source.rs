//! Reads Rust well enough to see which rooms and crates a file names. Not a parser: words and signs, without comments
//! and literals.

/// What one source file uses.
pub(super) struct Module {
    /// From the package's root, with slashes.
    pub(super) path: String,
    pub(super) text: String,
    /// Rooms named through `crate::`, `authtap::` or `super::`; `*` and `as` where the root itself is taken.
    pub(super) rooms_used: Vec<Used>,
    /// First words of other paths.
    pub(super) crates_used: Vec<Used>,
    /// Modules of their own files that it declares for tests alone.
    pub(super) test_modules: Vec<String>,
}

/// A name and where it stands.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) line: usize,
}

impl Module {
    /// `redact` for `src/redact/url.rs` and for `src/redact.rs`.
    pub(super) fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    /// Whether anything but a test says `allow` or `expect` to a ban.
    pub(super) fn lifts_a_ban(&self) -> bool {
        let program = self.text.split("#[cfg(test)]").next().unwrap_or_default();
        program.contains("clippy::disallowed_")
    }
}

/// Reads the file at `path`, whose content is `text`.
pub(super) fn parse(path: &str, text: &str) -> Module {
    let tokens = tokens(text);
    let mut module = Module {
        path: path.to_owned(),
        text: text.to_owned(),
        rooms_used: Vec::new(),
        crates_used: Vec::new(),
        test_modules: Vec::new(),
    };
    let depth = depth(path);
    let mut braces = 0_usize;
    // At which brace each inline module began.
    let mut inline = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let word = tokens[at].text.as_str();
        let next = |offset: usize| tokens.get(at + offset).map_or("", |token| token.text.as_str());
        match word {
            "{" => braces += 1,
            "}" => {
                braces = braces.saturating_sub(1);
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
            }
            "mod" if next(2) == "{" => inline.push(braces),
            "mod" if for_tests(&tokens[..at]) => module.test_modules.push(next(1).to_owned()),
            "crate" | "authtap" if next(1) == "::" => first_words(&tokens, at + 2, &mut module.rooms_used),
            "crate" if next(1) == "as" => module.rooms_used.push(tokens[at + 1].clone().into()),
            "super" if at == 0 || tokens[at - 1].text != "::" => {
                let mut up = 1;
                while next(2 * up - 1) == "::" && next(2 * up) == "super" {
                    up += 1;
                }
                if up >= depth + inline.len() && next(2 * up - 1) == "::" {
                    first_words(&tokens, at + 2 * up, &mut module.rooms_used);
                }
                at += 2 * up - 1;
                continue;
            }
            _ => {}
        }
        let begins_path = at == 0 || tokens[at - 1].text != "::";
        let is_name = word.starts_with(|first: char| first.is_ascii_alphabetic());
        if begins_path && is_name && (next(1) == "::" || at > 0 && tokens[at - 1].text == "use") {
            module.crates_used.push(tokens[at].clone().into());
        }
        at += 1;
    }
    module
}

/// Whether the item whose visibility, if any, and attributes end at the end of `tokens` is compiled for tests alone.
fn for_tests(tokens: &[Token]) -> bool {
    let words: Vec<&str> = tokens.iter().rev().take(40).map(|token| token.text.as_str()).collect();
    let item = words.iter().position(|word| matches!(*word, ";" | "}" | "{")).unwrap_or(words.len());
    words[..item].windows(4).any(|four| four == ["test", "(", "cfg", "["])
}

/// How many modules a file's own code is in, below the crate's root.
fn depth(path: &str) -> usize {
    let inside = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
    let names = inside.split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main"));
    names.count()
}

/// The first word of the path at `at`, or of each path in the group there.
fn first_words(tokens: &[Token], at: usize, found: &mut Vec<Used>) {
    let Some(first) = tokens.get(at) else { return };
    if first.text != "{" {
        found.push(first.clone().into());
        return;
    }
    let mut level = 0_usize;
    let mut expected = true;
    for token in &tokens[at..] {
        match token.text.as_str() {
            "{" => level += 1,
            "}" if level == 1 => return,
            "}" => level -= 1,
            "," if level == 1 => expected = true,
            _ if level == 1 && expected => {
                found.push(token.clone().into());
                expected = false;
            }
            _ => {}
        }
    }
}

#[derive(Clone)]
struct Token {
    text: String,
    line: usize,
}

impl From<Token> for Used {
    fn from(token: Token) -> Self {
        Self { name: token.text, line: token.line }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |char: char| char.is_alphanumeric() || char == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            length
        } else {
            let length = if is_word(first) {
                rest.find(|char| !is_word(char)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            if !first.is_whitespace() {
                tokens.push(Token { text: rest[..length].to_owned(), line });
            }
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens
}

fn block_comment(text: &str) -> usize {
    let mut level = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            level += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            level -= 1;
            at += 2;
            if level == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string or character literal at the start of `text`, if there is one.
fn literal(text: &str) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        text.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(['"', '\'']) || prefix.ends_with('r') && rest.starts_with('#'))
    })?;
    let rest = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        // `r#type` is a raw name, no literal.
        let open = rest[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let end = open.find(&close).map_or(open.len(), |at| at + close.len());
        return Some(prefix.len() + hashes + 1 + end);
    }
    let quote = rest.chars().next()?;
    // A lifetime is a quote and a name without a second quote.
    if quote == '\'' && !rest[1..].starts_with('\\') && rest.chars().nth(2) != Some('\'') {
        return None;
    }
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if char == quote => return Some(prefix.len() + at + 1),
            _ => {}
        }
    }
    Some(text.len())
}
