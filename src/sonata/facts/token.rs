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
    const OPEN: &str = "a quoted word does not end";
    let mut word = String::from('"');
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Ok((word, at + 1)),
            '\\' => match characters.next().ok_or(OPEN)?.1 {
                'u' => {
                    let digits: String =
                        characters.by_ref().skip(1).map(|(_, c)| c).take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    word.push(code.ok_or("an escape that names no character")?);
                }
                escaped => word.push(escaped),
            },
            other => word.push(other),
        }
    }
    Err(OPEN)
}

/// The text that a word stands for.
pub(super) fn text(word: &str) -> &str {
    word.strip_prefix('"').unwrap_or(word)
}

/// A text as a word: quoted where it must be.
pub(super) fn word(text: &str) -> String {
    let special = |c: char| matches!(c, ' ' | '[' | ']' | '"' | '\\') || c.is_control();
    let plain = !text.is_empty() && !text.contains(special) && !text.starts_with(['+', '#']);
    if plain {
        return text.to_owned();
    }
    let mut word = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => word.extend(['\\', character]),
            control if control.is_control() => word.extend(control.escape_unicode()),
            other => word.push(other),
        }
    }
    word.push('"');
    word
}
