//! Words of a line of facts: plain, quoted, or a bracket.

/// Splits a line into words. A quoted word keeps its opening quote, so that `"any"` is no keyword.
pub(super) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '[' | ']' => 1,
            '"' => {
                let (word, length) = quoted(rest)?;
                words.push(word);
                rest = rest[length..].trim_start();
                continue;
            }
            _ => rest.find([' ', '[', ']']).unwrap_or(rest.len()),
        };
        words.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(words)
}

/// The text of a quoted word with a leading quote as its mark, and its length in the line.
fn quoted(text: &str) -> Result<(String, usize), &'static str> {
    let mut word = String::from('"');
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => {
                word.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Ok((word, at + 1)),
            other => word.push(other),
        }
    }
    Err("a quoted word does not end")
}

/// The text that a word stands for.
pub(super) fn text(word: &str) -> &str {
    word.strip_prefix('"').unwrap_or(word)
}

/// A text as a word: quoted where it must be.
pub(super) fn word(text: &str) -> String {
    let plain = !text.is_empty() && !text.contains([' ', '[', ']', '"', '\\']) && !text.starts_with(['+', '#']);
    if plain {
        return text.to_owned();
    }
    let mut word = String::from('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            word.push('\\');
        }
        word.push(character);
    }
    word.push('"');
    word
}
