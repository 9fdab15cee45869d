//! Rows by sequential number, the newest kept.

use std::collections::BTreeMap;

/// A table whose rows have numbers such as `O-1001`.
#[derive(Debug)]
pub(super) struct Table<T> {
    prefix: &'static str,
    next: u64,
    rows: BTreeMap<u64, T>,
    rows_max: usize,
}

impl<T> Table<T> {
    /// An empty table, the first number of which is `first`.
    pub fn new(prefix: &'static str, first: u64, rows_max: usize) -> Self {
        Self { prefix, next: first, rows: BTreeMap::new(), rows_max: rows_max.max(1) }
    }

    /// Adds the row made for the next number, and forgets the oldest beyond the bound.
    pub fn add(&mut self, make: impl FnOnce(String) -> T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.rows.insert(number, make(format!("{}-{number}", self.prefix)));
        if self.rows.len() > self.rows_max {
            self.rows.pop_first();
        }
        number
    }

    /// The number inside a name of this table, whether or not the row is there.
    pub fn number(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(self.prefix)?.strip_prefix('-')?;
        let number: u64 = digits.parse().ok()?;
        // Only one spelling: `O-01001` and `O-+1001` are no names.
        (number.to_string() == digits).then_some(number)
    }

    pub fn get(&self, number: u64) -> Option<&T> {
        self.rows.get(&number)
    }

    pub fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.rows.get_mut(&number)
    }

    pub fn find(&self, name: &str) -> Option<&T> {
        self.get(self.number(name)?)
    }

    /// All rows, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// How many rows there are.
    pub fn numbers_kept(&self) -> usize {
        self.rows.len()
    }

    /// All numbers, oldest first.
    pub fn numbers(&self) -> Vec<u64> {
        self.rows.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_row_is_forgotten_and_numbers_go_on() {
        let mut table = Table::new("O", 1001, 2);
        for _ in 0..3 {
            table.add(|name| name);
        }
        assert_eq!(table.iter().collect::<Vec<_>>(), ["O-1002", "O-1003"]);
        assert_eq!(table.find("O-1001"), None);
        assert_eq!(table.find("O-1003").map(String::as_str), Some("O-1003"));
        assert_eq!(table.find("O-01003"), None);
        assert_eq!(table.find("P-1003"), None);
    }
}
