//! Lists: what fits, page by page.

use std::str::FromStr as _;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::super::release::Age;
use super::State;
use super::answer::{Asked, Reply, problem};
use super::kind::Kind;

/// Largest page, in rows.
const PAGE_ROWS_MAX: usize = 100;

/// Answers a list.
pub(super) fn answer(state: &State, kind: &'static Kind, asked: &Asked<'_>) -> Reply {
    let (mut offset, mut limit, mut filters) = (0, PAGE_ROWS_MAX, Vec::new());
    for (name, value) in asked.parameters() {
        match name.as_str() {
            "buyerId" | "sellerId" => {}
            "offset" | "limit" => match value.parse::<usize>() {
                Ok(number) if name == "offset" => offset = number,
                Ok(number) => limit = number.min(PAGE_ROWS_MAX),
                Err(_) => return Reply::of(400, problem("invalidQuery", "a number is expected")),
            },
            _ => match Filter::of(kind, &name, value) {
                Some(filter) => filters.push(filter),
                None => return Reply::of(400, problem("invalidQuery", "this cannot be asked for")),
            },
        }
    }
    let fitting: Vec<&Value> =
        state.all(kind).filter(|body| filters.iter().all(|filter| filter.fits(body))).collect();
    let total = fitting.len();
    if kind.name == "workorder" {
        // One object, says the contract.
        return fitting.first().map_or_else(Reply::not_found, |body| Reply::of(200, row(state, kind, body)));
    }
    let page: Vec<Value> =
        fitting.into_iter().skip(offset).take(limit).map(|body| row(state, kind, body)).collect();
    Reply { total: Some(total), ..Reply::list(page) }
}

/// A row of a list: what it is and where it stands.
fn row(state: &State, kind: &Kind, body: &Value) -> Value {
    let is_task = ["cancelProductOrder", "charge"].contains(&kind.name);
    if kind.row.is_empty() || (is_task && state.settings.release.has_order_versions()) {
        return body.clone();
    }
    let members = kind.row.iter().filter_map(|name| Some(((*name).to_owned(), body.get(*name)?.clone())));
    let mut row = Value::Object(members.collect::<Map<_, _>>());
    if kind.name == "troubleTicket" {
        complete(state, &mut row);
    }
    // In dolly a row is a whole work order but for its duration.
    if kind.name == "workorder" && body.get("tasks").is_some() {
        for name in ["relatedContactInformation", "tasks"] {
            row[name] = body[name].clone();
        }
    }
    row
}

/// Rows of tickets must say things even of a ticket that does not.
fn complete(state: &State, row: &mut Value) {
    for name in ["expectedResolutionDate", "resolutionDate"] {
        if row.get(name).is_none() {
            row[name] = json!(state.day(2));
        }
    }
    if row.get("externalId").is_none() {
        row["externalId"] = json!("");
    }
    if state.settings.release.age == Age::Celine {
        row.as_object_mut().map(|row| row.remove("observedImpact"));
    }
}

/// One thing that is asked for.
struct Filter {
    path: String,
    wanted: Wanted,
}

enum Wanted {
    Is(String),
    After(Timestamp),
    Before(Timestamp),
}

impl Filter {
    /// None where the sort is not asked for by this, or the value is no date.
    fn of(kind: &Kind, name: &str, value: String) -> Option<Self> {
        let (name, bound) = match (name.strip_suffix(".gt"), name.strip_suffix(".lt")) {
            (Some(name), _) => (name, Some(true)),
            (_, Some(name)) => (name, Some(false)),
            _ => (name, None),
        };
        let name = if name == "validFor" { "validForDate" } else { name };
        let (own, path) = kind.filters.iter().find(|(own, _)| *own == name)?;
        let is_date = own.ends_with("Date") || own.ends_with("DateTime");
        let path = if path.is_empty() { (*own).to_owned() } else { (*path).to_owned() };
        let wanted = match bound {
            None if !is_date => Wanted::Is(value),
            Some(true) if is_date => Wanted::After(Timestamp::from_str(&value).ok()?),
            Some(false) if is_date => Wanted::Before(Timestamp::from_str(&value).ok()?),
            _ => return None,
        };
        Some(Self { path, wanted })
    }

    fn fits(&self, body: &Value) -> bool {
        let mut found = vec![body];
        for name in self.path.split('.') {
            // Arrays on the way are looked through.
            let inner = found.into_iter().flat_map(|one| match one {
                Value::Array(rows) => rows.iter().collect(),
                one => vec![one],
            });
            found = inner.filter_map(|one| one.get(name)).collect();
        }
        found.into_iter().any(|one| match (&self.wanted, one) {
            (Wanted::Is(wanted), Value::String(own)) => wanted == own,
            (Wanted::Is(wanted), Value::Bool(own)) => wanted == if *own { "true" } else { "false" },
            (Wanted::After(at), Value::String(own)) => Timestamp::from_str(own).is_ok_and(|own| own > *at),
            (Wanted::Before(at), Value::String(own)) => Timestamp::from_str(own).is_ok_and(|own| own < *at),
            _ => false,
        })
    }
}

/// One thing; bills come in a list of one.
pub(super) fn one(state: &State, kind: &'static Kind, id: &str) -> Reply {
    match state.thing(kind, id) {
        Some(body) if kind.name.starts_with("customerBill") => Reply::of(200, json!([body])),
        Some(body) => Reply::of(200, body.clone()),
        None => Reply::not_found(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::ORDER;
    use super::*;

    #[test]
    fn filters_look_through_arrays_and_compare_dates() {
        let body = json!({ "state": "completed", "orderDate": "2026-11-21T10:00:00.000Z",
            "productOrderItem": [ { "requestedCompletionDate": "2026-12-01T00:00:00Z" } ] });
        let fits =
            |name: &str, value: &str| Filter::of(&ORDER, name, value.to_owned()).map(|one| one.fits(&body));
        assert_eq!(fits("state", "completed"), Some(true));
        assert_eq!(fits("state", "failed"), Some(false));
        assert_eq!(fits("orderDate.gt", "2026-11-21T09:00:00Z"), Some(true));
        assert_eq!(fits("orderDate.lt", "2026-11-21T09:00:00Z"), Some(false));
        assert_eq!(fits("itemRequestedCompletionDate.lt", "2026-12-02T00:00:00Z"), Some(true));
        assert_eq!(fits("completionDate.gt", "2026-11-21T09:00:00Z"), Some(false));
        for (name, value) in
            [("orderDate", "2026-11-21"), ("orderDate.gt", "soon"), ("state.gt", "a"), ("colour", "red")]
        {
            assert_eq!(fits(name, value), None, "{name}");
        }
    }
}
