//! Documents made from a raw schema, and ways to spoil them. Seeded, so that a failure comes back.

use serde_json::{Map, Value, json};

/// Levels of objects after which only required members are made.
const FULL_DEPTH: usize = 5;
const DEPTH_MAX: usize = 14;

/// Sebastiano Vigna's splitmix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5E6E)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Less than `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        &values[self.below(values.len())]
    }
}

/// A document that is mostly valid for the first part of a bundle, whose references begin at its root.
pub fn generate(root: &Value, random: &mut Random) -> Value {
    Generator { root, random }.value(&root["allOf"][0], 0).unwrap_or(Value::Null)
}

struct Generator<'s, 'r> {
    root: &'s Value,
    random: &'r mut Random,
}

impl<'s> Generator<'s, '_> {
    fn resolve(&self, mut schema: &'s Value) -> &'s Value {
        while let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            schema = self.root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        }
        schema
    }

    /// A value; none where the schema says nothing that would make one.
    fn value(&mut self, schema: &'s Value, depth: usize) -> Option<Value> {
        let schema = self.resolve(schema);
        if let Some(cases) = schema.get("x-cases").and_then(Value::as_object) {
            let cases: Vec<(&String, &Value)> = cases.iter().collect();
            let (value, derived) = *self.random.pick(&cases);
            let mut object = self.parts(schema, depth);
            if let Some(Value::Object(members)) = self.value(derived, depth) {
                object.extend(members);
            }
            object.insert(schema["x-member"].as_str().unwrap().to_owned(), json!(value));
            return Some(Value::Object(object));
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return Some(self.random.pick(values).clone());
        }
        if depth > DEPTH_MAX {
            return None;
        }
        let is_object = ["properties", "allOf", "required"].iter().any(|key| schema.get(key).is_some());
        if is_object {
            return Some(Value::Object(self.parts(schema, depth)));
        }
        if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
            let branch = self.random.pick(branches);
            let mut merged = self.resolve(branch).clone();
            if let (Some(own), Some(merged)) = (schema.as_object(), merged.as_object_mut()) {
                own.iter().filter(|(name, _)| *name != "oneOf").for_each(|(name, value)| {
                    merged.entry(name.clone()).or_insert_with(|| value.clone());
                });
            }
            return if merged.get("properties").is_some() || merged.get("allOf").is_some() {
                self.value(branch, depth)
            } else {
                Some(self.scalar(&merged))
            };
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("array") => Some(self.array(schema, depth)),
            Some("object") => Some(json!({})),
            Some(_) => Some(self.scalar(schema)),
            None => Some(json!("anything")),
        }
    }

    /// Members by all parts of a schema.
    fn parts(&mut self, schema: &'s Value, depth: usize) -> Map<String, Value> {
        let required = self.required(schema);
        let mut object = self.part(schema, depth, &required);
        for name in required {
            object.entry(name.to_owned()).or_insert_with(|| json!("text"));
        }
        object
    }

    /// What any part of a schema requires: one part may require what another describes.
    fn required(&self, schema: &'s Value) -> Vec<&'s str> {
        let schema = self.resolve(schema);
        let mut required = texts(schema.get("required"));
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            required.extend(self.required(part));
        }
        required
    }

    fn part(&mut self, schema: &'s Value, depth: usize, required: &[&'s str]) -> Map<String, Value> {
        let schema = self.resolve(schema);
        let mut object = Map::new();
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            object.extend(self.part(part, depth, required));
        }
        let mut required = required.to_vec();
        let mut left_out: Vec<&str> = Vec::new();
        if let Some(branches) = schema.get("oneOf").and_then(Value::as_array) {
            let chosen = self.random.below(branches.len());
            for (index, branch) in branches.iter().enumerate() {
                let names = texts(branch.get("required"));
                if index == chosen { required.extend(names) } else { left_out.extend(names) }
            }
        }
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_required = required.contains(&name.as_str());
            let is_out = left_out.contains(&name.as_str()) && !is_required;
            let wanted = is_required || (!is_out && depth < FULL_DEPTH && self.random.one_in(3));
            let value = if wanted { self.value(member, depth + 1) } else { None };
            if let Some(value) = value {
                object.insert(name.clone(), value);
            }
        }
        object
    }

    fn array(&mut self, schema: &'s Value, depth: usize) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(least + 2);
        let spread = usize::try_from(most.min(least + 2) - least + 1).unwrap();
        let length = least + self.random.below(spread) as u64;
        let mut elements: Vec<Value> = Vec::new();
        for _ in 0..length * 4 {
            if elements.len() as u64 == length {
                break;
            }
            let Some(element) = self.value(&schema["items"], depth + 1) else { break };
            if schema["uniqueItems"] != true || !elements.contains(&element) {
                elements.push(element);
            }
        }
        Value::Array(elements)
    }

    fn scalar(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(least + 1000);
        let spread = usize::try_from((most - least).clamp(0, 1 << 40) + 1).unwrap();
        match schema["type"].as_str() {
            Some("boolean") => json!(self.random.one_in(2)),
            Some("integer") => match self.random.below(8) {
                0 => json!(least),
                1 => json!(most),
                #[expect(clippy::cast_precision_loss, reason = "1.0 is an integer too")]
                2 => json!((least.clamp(0, 1000)) as f64),
                _ => json!(least + i64::try_from(self.random.below(spread)).unwrap()),
            },
            Some("number") => match self.random.below(3) {
                0 => json!(least),
                1 => json!(most),
                #[expect(clippy::cast_precision_loss, reason = "small numbers only")]
                _ => json!(least as f64 + 0.25),
            },
            _ => json!(self.text(schema)),
        }
    }

    fn text(&mut self, schema: &Value) -> String {
        let text = match schema["format"].as_str() {
            Some("date-time") => *self.random.pick(DATE_TIMES),
            Some("date") => "2024-02-29",
            Some("uri") => *self.random.pick(&["https://a.example/b?c#d", "urn:a:b", "tel:+1-816-555-1212"]),
            Some("ipv4") => *self.random.pick(&["10.0.0.1", "255.255.255.255"]),
            Some("ipv6") => *self.random.pick(&["::1", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"]),
            _ => "",
        };
        if !text.is_empty() {
            return text.to_owned();
        }
        if schema["pattern"].as_str().is_some_and(|pattern| pattern.contains("a-f")) {
            return "01-80-c2-00-00-0E".to_owned();
        }
        let text = *self.random.pick(&["a", "some text", "x-1", "1234567890"]);
        let most = schema["maxLength"].as_u64().map_or(usize::MAX, |most| usize::try_from(most).unwrap());
        let length = if self.random.one_in(4) && most < 300 { most } else { text.len().min(most) };
        text.chars().cycle().take(length).collect()
    }
}

const DATE_TIMES: &[&str] =
    &["2024-02-29T12:00:00Z", "2021-12-31T23:59:60Z", "2021-06-01t08:30:00.125+02:00"];

fn texts(values: Option<&Value>) -> Vec<&str> {
    values.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Spoils one place of a document, or does something harmless to it.
pub fn mutate(document: &mut Value, random: &mut Random) {
    let place = if random.one_in(2) {
        walk(document, random)
    } else {
        let mut places = Vec::new();
        collect(document, String::new(), &mut places);
        // Numbers and lists are rare, and have bounds of their own.
        let wanted = *random.pick(&[Value::is_number, Value::is_array, Value::is_string, Value::is_object]);
        let is_wanted = |place: &&String| document.pointer(place).is_some_and(wanted);
        let chosen: Vec<&String> = places.iter().filter(is_wanted).collect();
        if chosen.is_empty() { String::new() } else { (*random.pick(&chosen)).clone() }
    };
    let Some(value) = document.pointer_mut(&place) else { return };
    match value {
        Value::Object(members) => match random.below(4) {
            0 | 1 if !members.is_empty() => {
                let names: Vec<String> = members.keys().cloned().collect();
                members.remove(random.pick(&names));
            }
            2 => drop(members.insert("extra~/ä".to_owned(), json!({ "a": [null] }))),
            _ => *value = any(random),
        },
        Value::Array(elements) => match random.below(5) {
            0 => elements.clear(),
            1 if !elements.is_empty() => elements.push(elements[0].clone()),
            2 => drop(elements.pop()),
            3 => elements.push(any(random)),
            _ => *value = any(random),
        },
        Value::String(text) => match random.below(4) {
            0 => (*random.pick(TEXTS)).clone_into(text),
            1 if text.len() < 300 => *text = text.repeat(1 + random.below(60)),
            2 => text.push(*random.pick(&['x', 'Z', '0', ' ', 'é'])),
            _ => *value = any(random),
        },
        Value::Number(_) => *value = random.pick(&numbers()).clone(),
        Value::Bool(_) | Value::Null => *value = any(random),
    }
}

/// A place found by walking down from the root and stopping somewhere: few of all places are near the root, and
/// there the most is required.
fn walk(document: &Value, random: &mut Random) -> String {
    let mut pointer = String::new();
    let mut at = document;
    while !random.one_in(3) {
        let children: Vec<(String, &Value)> = match at {
            Value::Object(members) => members.iter().map(|(name, value)| (escaped(name), value)).collect(),
            Value::Array(elements) => {
                elements.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        if children.is_empty() {
            break;
        }
        let (token, child) = random.pick(&children);
        pointer.extend(["/", token]);
        at = child;
    }
    pointer
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Adds a member that no schema knows to one of the objects, and says where it stands.
pub fn add_unknown(document: &mut Value, random: &mut Random) -> Option<String> {
    let mut places = Vec::new();
    collect(document, String::new(), &mut places);
    places.retain(|place| document.pointer(place).is_some_and(Value::is_object));
    if places.is_empty() {
        return None;
    }
    let place = random.pick(&places);
    let members = document.pointer_mut(place)?.as_object_mut()?;
    members.insert("unknown~/ä".to_owned(), json!([{ "a": null }]));
    Some(format!("{place}/unknown~0~1ä"))
}

/// Texts at the edges of formats, bounds and enumerations.
const TEXTS: &[&str] = &[
    "",
    "nonsense",
    "FieldedAddress",
    "GeographicSiteRef",
    "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all",
    "urn:mef:lso:spec:cantata-sonata:ip-uni:v1.0.0:all",
    "2023-02-30T00:00:00Z",
    "2023-02-28T00:00:00",
    "2023-02-28",
    "2020-09-112T08:25:20.421Z",
    "http://a b",
    "/relative",
    "1.2.3",
    "1.2.3.4",
    "01.2.3.4",
    "::g",
    "fe80::1%eth0",
    "01-80-C2-00-00-0",
    "true",
    "é\u{1F600}\u{7f}",
];

fn numbers() -> Vec<Value> {
    vec![
        json!(-1),
        json!(0),
        json!(-0.0),
        json!(1.0),
        json!(1.5),
        json!(7),
        json!(64),
        json!(100),
        json!(101),
        json!(4095),
        json!(1e15),
        json!(u64::MAX),
        json!(72_057_594_037_927_941_u64),
        json!("1"),
    ]
}

fn any(random: &mut Random) -> Value {
    let values =
        [json!(null), json!(true), json!(3), json!(2.5), json!("text"), json!([]), json!({}), json!([{}])];
    random.pick(&values).clone()
}

fn collect(value: &Value, pointer: String, places: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, format!("{pointer}/{}", escaped(name)), places);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                collect(element, format!("{pointer}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(pointer);
}
