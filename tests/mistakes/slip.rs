//! Slips of the hand: what becomes of a word, and the numbers that decide.

/// Numbers that look random and are the same each time (xorshift64*).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `count`; 0 where there is none.
    pub fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap() % count.max(1)
    }

    pub fn one<'l, T>(&mut self, list: &'l [T]) -> Option<&'l T> {
        list.get(self.below(list.len()))
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

const KEYBOARD: [&str; 4] = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890"];

fn neighbour(letter: char, dice: &mut Dice) -> Option<char> {
    let row = KEYBOARD.iter().find(|row| row.contains(letter.to_ascii_lowercase()))?;
    let at = row.find(letter.to_ascii_lowercase())?;
    let near: Vec<char> = [at.checked_sub(1), Some(at + 1)]
        .into_iter()
        .flatten()
        .filter_map(|at| row[at..].chars().next().filter(|_| at < row.len()))
        .collect();
    let near = *dice.one(&near)?;
    Some(if letter.is_ascii_uppercase() { near.to_ascii_uppercase() } else { near })
}

/// A word with one slip of the hand, and what the slip is; none where there is none to make.
pub fn misspelt(word: &str, dice: &mut Dice) -> Option<(&'static str, String)> {
    let letters: Vec<char> = word.chars().collect();
    let places: Vec<usize> = (0..letters.len()).filter(|at| letters[*at].is_ascii_alphanumeric()).collect();
    for _ in 0..20 {
        let at = *dice.one(&places)?;
        let mut own = letters.clone();
        let what = match dice.below(6) {
            0 | 1 => {
                if at + 1 >= own.len() || !own[at + 1].is_ascii_alphanumeric() {
                    continue;
                }
                own.swap(at, at + 1);
                "letters exchanged"
            }
            2 => {
                own.remove(at);
                "a letter dropped"
            }
            3 => {
                own.insert(at, own[at]);
                "a letter doubled"
            }
            4 => {
                own[at] = neighbour(own[at], dice)?;
                "a key beside"
            }
            _ => {
                let first = letters[places[0]];
                let other = if first.is_ascii_uppercase() {
                    first.to_ascii_lowercase()
                } else {
                    first.to_ascii_uppercase()
                };
                own[places[0]] = other;
                "wrong case"
            }
        };
        let own: String = own.into_iter().collect();
        if own != word && !own.is_empty() {
            return Some((what, own));
        }
    }
    None
}
