//! Values that a converter can take, for whoever tries out what comes back.

use super::{Context, Converter, Direction, Value, Work};
use crate::json::Document;

impl Converter {
    /// Values of the side that is read in this direction which have a counterpart: those of the table's samples that
    /// the arguments allow. None for converters that look things up or take texts apart.
    #[must_use]
    pub fn samples(&self, direction: Direction) -> Vec<Value<'static>> {
        let sonata: Vec<Value<'static>> = match &self.work {
            Work::Each(inner) => {
                let all = inner.samples(Direction::ToLegacy);
                let pairs = all.iter().zip(all.iter().skip(1));
                let pairs = pairs.map(|(one, other)| Value::Array(vec![one.clone(), other.clone()]));
                pairs.chain(all.first().map(|one| Value::Array(vec![one.clone()]))).collect()
            }
            _ => self.entry.samples.iter().filter_map(|text| read(text)).collect(),
        };
        let there = |value: &Value<'static>| self.there(value);
        match direction {
            Direction::ToLegacy => sonata.into_iter().filter(|value| there(value).is_some()).collect(),
            Direction::ToSonata => sonata.iter().filter_map(there).collect(),
        }
    }

    fn there(&self, value: &Value<'static>) -> Option<Value<'static>> {
        let made = self.apply(Direction::ToLegacy, value.clone(), Context::default()).ok()?;
        (!made.is_absent()).then(|| made.into_owned())
    }
}

fn read(json: &str) -> Option<Value<'static>> {
    let document = Document::from_text(json).ok()?;
    Some(Value::Node(document.root()).into_owned())
}
