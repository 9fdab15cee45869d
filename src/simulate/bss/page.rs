//! Lists by page: `pageNo` from 1, `pageSize` up to 100, `meta.count` of all that match.

use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::reply::{Complaint, Refusal};

/// The query of a list, decoded.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub fn new(text: Option<&str>) -> Self {
        Self(form_urlencoded::parse(text.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value given for a name; empty counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// Whether the column's value is among those asked for, by comma, or none are.
    pub fn takes(&self, name: &str, value: &str) -> bool {
        self.get(name).is_none_or(|asked| asked.split(',').any(|one| one.trim() == value))
    }

    /// As [`takes`](Self::takes), for a column that may be absent: asked for, it has to be there.
    pub fn takes_maybe(&self, name: &str, value: Option<&str>) -> bool {
        self.get(name).is_none() || value.is_some_and(|value| self.takes(name, value))
    }

    /// The days between which a column has to lie, both included; a day that cannot be read is refused.
    pub fn days(&self, from: &str, to: &str) -> Result<(Date, Date), Refusal> {
        let read = |name: &str, otherwise: Date| match self.get(name) {
            None => Ok(otherwise),
            Some(text) => day::read(text).ok_or_else(|| wrong(name, "date expected, dd.mm.yyyy")),
        };
        Ok((read(from, Date::MIN)?, read(to, Date::MAX)?))
    }

    fn number(&self, name: &str, otherwise: usize) -> Result<usize, Refusal> {
        match self.get(name) {
            None => Ok(otherwise),
            Some(text) => match text.parse() {
                Ok(number) if number >= 1 => Ok(number),
                _ => Err(wrong(name, "number from 1 expected")),
            },
        }
    }
}

fn wrong(pos: &str, t: &'static str) -> Refusal {
    Refusal::Wrong(vec![Complaint { code: "E05", pos: pos.to_owned(), t }])
}

/// A page as it is written.
#[derive(Debug, Serialize)]
pub(super) struct Page<T> {
    meta: Meta,
    items: Vec<T>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    count: usize,
    page_no: usize,
    page_size: usize,
}

/// Cuts the page that was asked for out of all rows that match.
pub(super) fn page<T>(query: &Query, rows: impl Iterator<Item = T>) -> Result<Page<T>, Refusal> {
    let page_no = query.number("pageNo", 1)?;
    let page_size = query.number("pageSize", 20)?.min(100);
    let first = (page_no - 1).saturating_mul(page_size);
    let mut items = Vec::new();
    let mut count = 0;
    for row in rows {
        if count >= first && items.len() < page_size {
            items.push(row);
        }
        count += 1;
    }
    Ok(Page { meta: Meta { count, page_no, page_size }, items })
}
