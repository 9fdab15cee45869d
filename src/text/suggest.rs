//! The known word that a mistyped one was meant to be.

/// Known word nearest to `word`, if one is near enough to be meant: at most a third of its letters differ
/// (an exchange of two neighbours counts once; case counts nothing). Of equally near ones that which begins and ends
/// more alike, else the first.
pub fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are not compared: the work grows with the product of the lengths.
    const LETTERS_MAX: usize = 128;
    let letters: Vec<char> = word.to_lowercase().chars().take(LETTERS_MAX + 1).collect();
    if letters.len() > LETTERS_MAX {
        return None;
    }
    let distance_max = (letters.len() / 3).max(1);
    let mut best: Option<(usize, usize, &str)> = None;
    for candidate in known {
        let other: Vec<char> = candidate.to_lowercase().chars().take(LETTERS_MAX + 1).collect();
        if other.len() > LETTERS_MAX || other.len().abs_diff(letters.len()) > distance_max {
            continue;
        }
        let distance = distance(&letters, &other);
        // A word with nothing in common is no suggestion, however short both are.
        let near = distance <= distance_max && distance < letters.len().max(other.len());
        let unlike = 2 * LETTERS_MAX - alike(&letters, &other);
        if near && best.is_none_or(|(least, most, _)| (distance, unlike) < (least, most)) {
            best = Some((distance, unlike, candidate));
        }
    }
    best.map(|(.., candidate)| candidate)
}

/// Letters that two words have in common at their beginnings and ends.
fn alike(a: &[char], b: &[char]) -> usize {
    let first = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - first;
    first + a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count()
}

/// Optimal string alignment distance: insertions, deletions, replacements, exchanges of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn near_words_only() {
        let known = ["sonata", "legacy", "convert", "codes", "if"];
        for (word, expected) in [
            ("sonate", Some("sonata")),
            ("legayc", Some("legacy")),
            ("CODES", Some("codes")),
            ("convertt", Some("convert")),
            ("zzz", None),
            ("of", Some("if")),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(suggest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(suggest(&"s".repeat(10_000), known.into_iter()), None);
    }
}
