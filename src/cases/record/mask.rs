//! Masking: what tells of people is replaced by something of its kind, the same wherever it stands.
//!
//! Letters become letters, digits digits, all else stays, word by word: so a name that the legacy system writes in
//! capitals or in two members is the same name still, and whatever a mapping does with a text's form goes on as before.
//! Which letters is drawn from a key that is thrown away with the recording.
//!
//! Two steps. [`Masker::learn`] looks at the messages of an exchange for what is masked by its place, [`Masker::mask`]
//! replaces that, there and wherever else it stands, and what looks like a mail address or a telephone number.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use crate::json::{Document, Kind, Node, writer::write_string};

/// Members that are masked wherever they stand, by the last names of their path.
const ALWAYS: &[(&str, Place)] =
    &[("emailAddress", Place::Value), ("note/text", Place::Text), ("note/author", Place::Text)];
/// Members of what has an `emailAddress`, which is a contact.
const OF_CONTACTS: &[(&str, Place)] = &[
    ("name", Place::Name),
    ("organization", Place::Name),
    ("number", Place::Value),
    ("numberExtension", Place::Value),
    ("postalAddress", Place::Here),
];
/// Whether what stands at a JSON Pointer is what is masked by the name of its place.
pub fn tells_of_people(pointer: &str) -> bool {
    let names = ALWAYS.iter().chain(OF_CONTACTS).map(|(name, _)| *name);
    let mut own = names.filter_map(|name| name.rsplit('/').next());
    let mut parts = pointer.rsplit('/').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    let is_inside = pointer.contains("/postalAddress/");
    is_inside || parts.next().is_some_and(|part| own.any(|name| name == part))
}

/// Members of an address that a mapping decides by, and that tell of nobody.
const OF_ADDRESSES: &[&str] = &["@type", "country", "stateOrProvince"];
/// Shorter values, in characters, are masked at their place only: elsewhere they may mean something else.
const ELSEWHERE_CHARS_MIN: usize = 3;
/// The same for texts, which may be any word.
const TEXT_CHARS_MIN: usize = 12;
/// The same for numbers without any other sign, in digits.
const DIGITS_MIN: usize = 6;
/// Values that are looked for elsewhere at most.
const VALUES_MAX: usize = 10_000;

/// What is masked at a place, and where else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing by its place.
    Open,
    /// All below it, and nowhere else: an address may be that of a product as well.
    Here,
    /// It, and wherever it stands as a whole if it is long.
    Text,
    /// It, and wherever it stands as a whole.
    Value,
    /// It, and each of its words wherever that stands.
    Name,
}

/// Masks the messages of one recording.
pub struct Masker {
    key: [u8; 32],
    /// Last names of paths, those that are always masked included.
    paths: Vec<(Vec<String>, Place)>,
    /// Values in small letters by their first word.
    values: BTreeMap<String, BTreeSet<String>>,
    /// Words of names in small letters.
    words: BTreeSet<String>,
    looks: Option<Regex>,
}

impl Masker {
    /// One with a fresh key, for these members beside those that are always masked.
    #[must_use]
    pub fn new(key: [u8; 32], mask: &[String]) -> Self {
        let own = mask.iter().map(|path| (path.as_str(), Place::Name));
        let split = |path: &str| -> Vec<String> {
            path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
        };
        let paths = ALWAYS.iter().copied().chain(own).map(|(path, place)| (split(path), place));
        // A mail address, or a number that begins with a country.
        let looks = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|\+[0-9][0-9 ()./-]{5,}[0-9]";
        Self {
            key,
            paths: paths.filter(|(path, _)| !path.is_empty()).collect(),
            values: BTreeMap::new(),
            words: BTreeSet::new(),
            looks: Regex::new(looks).ok(),
        }
    }

    /// Looks for what is masked by its place.
    pub fn learn(&mut self, document: &Document) {
        self.learn_node(document.root(), &mut Vec::new(), Place::Open);
    }

    fn learn_node(&mut self, node: Node<'_>, path: &mut Vec<String>, place: Place) {
        match node.kind() {
            Kind::Object => {
                let is_contact = node.get("emailAddress").is_some();
                for (name, value) in node.members() {
                    path.push(name.into_owned());
                    let place = self.place(path, is_contact, place);
                    self.learn_node(value, path, place);
                    path.pop();
                }
            }
            Kind::Array => node.elements().for_each(|value| self.learn_node(value, path, place)),
            Kind::String => self.learn_text(&node.as_str().unwrap_or_default(), place),
            Kind::Number => self.learn_text(node.raw(), place),
            _ => {}
        }
    }

    /// Looks at the text of an XML element, or at the value of a form, for its name.
    pub fn learn_named(&mut self, path: &[String], text: &str) {
        self.learn_text(text, self.place(path, false, Place::Open));
    }

    fn learn_text(&mut self, text: &str, place: Place) {
        let lower = text.trim().to_ascii_lowercase();
        let words: Vec<(usize, &str)> = words(&lower).collect();
        let Some((first, word)) = words.first() else { return };
        let is_full = self.values.values().map(BTreeSet::len).sum::<usize>() >= VALUES_MAX;
        let is_number = lower.chars().all(|c| c.is_ascii_digit());
        let least = match place {
            Place::Open | Place::Here => return,
            Place::Text => TEXT_CHARS_MIN,
            Place::Value | Place::Name if is_number => DIGITS_MIN,
            Place::Value | Place::Name => ELSEWHERE_CHARS_MIN,
        };
        if lower.chars().count() < least || is_full {
            return;
        }
        let rest = lower.get(*first..).unwrap_or_default().trim_end_matches(|c: char| !is_of_word(c));
        self.values.entry((*word).to_owned()).or_default().insert(rest.to_owned());
        if place == Place::Name {
            let long = words.iter().filter(|(_, word)| word.chars().count() >= ELSEWHERE_CHARS_MIN);
            let names = long.filter(|(_, word)| word.chars().all(char::is_alphabetic));
            self.words.extend(names.map(|(_, word)| (*word).to_owned()));
        }
    }

    /// What is masked at a path; positions in arrays do not count. `outer` is what is masked around it.
    fn place(&self, path: &[String], is_contact: bool, outer: Place) -> Place {
        let name = path.last().map_or("", String::as_str);
        if outer != Place::Open {
            return if outer == Place::Here && OF_ADDRESSES.contains(&name) { Place::Open } else { outer };
        }
        let of_contact =
            OF_CONTACTS.iter().find(|(own, _)| is_contact && *own == name).map(|(_, place)| *place);
        let own = || self.paths.iter().find(|(own, _)| path.ends_with(own)).map(|(_, place)| *place);
        of_contact.or_else(own).unwrap_or(Place::Open)
    }

    /// A JSON text with everything masked that is to be. Numbers and what is not masked stay to the letter.
    #[must_use]
    pub fn mask(&self, document: &Document) -> String {
        let mut out = String::new();
        self.mask_node(document.root(), &mut Vec::new(), Place::Open, &mut out);
        out
    }

    fn mask_node(&self, node: Node<'_>, path: &mut Vec<String>, place: Place, out: &mut String) {
        match node.kind() {
            Kind::Object => {
                let is_contact = node.get("emailAddress").is_some();
                out.push('{');
                for (index, (name, value)) in node.members().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    write_string(out, &name);
                    out.push(':');
                    path.push(name.into_owned());
                    let place = self.place(path, is_contact, place);
                    self.mask_node(value, path, place, out);
                    path.pop();
                }
                out.push('}');
            }
            Kind::Array => {
                out.push('[');
                for (index, value) in node.elements().enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    self.mask_node(value, path, place, out);
                }
                out.push(']');
            }
            Kind::String => {
                let text = node.as_str().unwrap_or_default();
                let masked = if place == Place::Open { self.mask_text(&text) } else { self.replaced(&text) };
                if masked == text { out.push_str(node.raw()) } else { write_string(out, &masked) }
            }
            Kind::Number if place != Place::Open => out.push_str(&self.replaced(node.raw())),
            _ => out.push_str(node.raw()),
        }
    }

    /// A text in which everything is masked that was learned or looks like it.
    #[must_use]
    pub fn mask_text(&self, text: &str) -> String {
        let mut stretches: Vec<(usize, usize)> = Vec::new();
        if let Some(looks) = &self.looks {
            stretches.extend(looks.find_iter(text).map(|found| (found.start(), found.end())));
        }
        let lower = text.to_ascii_lowercase();
        for (at, word) in words(&lower) {
            let rest = lower.get(at..).unwrap_or_default();
            let ends_here = |value: &&String| {
                let after = rest.strip_prefix(value.as_str());
                after.is_some_and(|after| !after.starts_with(is_of_word))
            };
            let values = self.values.get(word);
            let longest =
                values.and_then(|values| values.iter().filter(ends_here).max_by_key(|value| value.len()));
            let is_name = self.words.contains(word);
            let length = longest.map(String::len).or_else(|| is_name.then_some(word.len()));
            // A word in small letters alone is rather a word of the standard than somebody.
            let is_sure = |length: &usize| {
                let found = text.get(at..at + length).unwrap_or_default();
                *length == text.trim().len() || found.contains(|c: char| !c.is_lowercase())
            };
            stretches.extend(length.filter(is_sure).map(|length| (at, at + length)));
        }
        stretches.sort_unstable();
        let (mut out, mut done) = (String::with_capacity(text.len()), 0);
        for (start, end) in stretches {
            let start = start.max(done);
            if let (Some(before), Some(inner)) = (text.get(done..start), text.get(start..end)) {
                out.push_str(before);
                out.push_str(&self.replaced(inner));
                done = end;
            }
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// The text of an XML element, or the value of a form, masked as its name asks for.
    #[must_use]
    pub fn mask_named(&self, path: &[String], text: &str) -> String {
        let is_open = self.place(path, false, Place::Open) == Place::Open;
        if is_open { self.mask_text(text) } else { self.replaced(text) }
    }

    /// A text with other letters and digits, word by word.
    #[must_use]
    pub fn replaced(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (at, word) in words(text) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(&self.word(word));
            done = at + word.len();
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// Another word of the same kind.
    fn word(&self, word: &str) -> String {
        let lower = word.to_ascii_lowercase();
        (0u8..=u8::MAX)
            .map(|turn| self.drawn(word, &lower, turn))
            .find(|other| other != word)
            .unwrap_or_else(|| word.to_owned())
    }

    fn drawn(&self, word: &str, lower: &str, turn: u8) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[turn]).update(lower.as_bytes());
        let mut bytes = hasher.finalize_xof();
        let mut draw = || {
            let mut byte = [0u8; 1];
            bytes.fill(&mut byte);
            byte[0]
        };
        let drawn = word.chars().enumerate().map(|(index, c)| match c {
            '0'..='9' => {
                // A number keeps its length: what begins with a zero does, all else does not.
                let digit = if index > 0 {
                    draw() % 10
                } else if c == '0' {
                    0
                } else {
                    1 + draw() % 9
                };
                char::from(b'0' + digit)
            }
            'a'..='z' => char::from(b'a' + draw() % 26),
            'A'..='Z' => char::from(b'A' + draw() % 26),
            c if c.is_uppercase() => ['Ä', 'Ö', 'Ü'].get(usize::from(draw() % 3)).copied().unwrap_or('Ä'),
            c if c.is_alphabetic() => ['ä', 'ö', 'ü'].get(usize::from(draw() % 3)).copied().unwrap_or('ä'),
            other => other,
        });
        drawn.collect()
    }
}

/// Stretches of letters and digits with their places; `INSTALL_LOCATION` is one.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let start = at + rest.find(is_of_word)?;
        let word = text.get(start..)?;
        let length = word.find(|c: char| !is_of_word(c)).unwrap_or(word.len());
        at = start + length;
        Some((start, word.get(..length)?))
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    #[test]
    fn places_of_people_are_known_by_their_names() {
        for pointer in ["/a/0/emailAddress", "/note/1/text", "/c/postalAddress/city", "/c/name"] {
            assert!(super::tells_of_people(pointer), "{pointer}");
        }
        for pointer in ["", "/state", "/quoteItem/0/id", "/names/0"] {
            assert!(!super::tells_of_people(pointer), "{pointer}");
        }
    }

    use super::*;

    fn document(text: &str) -> Document {
        Document::from_text(text).unwrap()
    }

    fn masker(mask: &[&str]) -> Masker {
        Masker::new([7; 32], &mask.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
    }

    /// Letters to `a` and `A`, digits to `0`: the kind of a text.
    fn kind(text: &str) -> String {
        let of = |c: char| match c {
            '0'..='9' => '0',
            c if c.is_uppercase() => 'A',
            c if c.is_alphabetic() => 'a',
            c => c,
        };
        text.chars().map(of).collect()
    }

    const SENT: &str = r#"{"relatedContactInformation":[{"emailAddress":"ada@globex.example","name":"Ada Buyer",
        "number":"+44 20 7946 0000","role":"buyerContactInformation","postalAddress":{"street":"Main Road 7","country":"Germany"}}],
        "note":[{"id":"1","text":"Call Ada Buyer, +44 20 7946 0000"},{"id":"2","author":"add"}],"action":"add","source":"buyer","externalId":"X-1.10","n":1.10}"#;

    #[test]
    fn people_are_masked_and_nothing_else() {
        let mut masker = masker(&[]);
        let sent = document(SENT);
        masker.learn(&sent);
        let masked = masker.mask(&sent);
        for word in ["Ada", "Buyer,", "ada@", "globex.example", "7946", "Main Road"] {
            assert!(!masked.contains(word), "{word}: {masked}");
        }
        for kept in [
            r#""role":"buyerContactInformation""#,
            r#""externalId":"X-1.10","n":1.10"#,
            r#""id":"1""#,
            r#""country":"Germany""#,
        ] {
            assert!(masked.contains(kept), "{kept}: {masked}");
        }
        let flat = |text: &str| {
            kind(
                &document(text)
                    .root()
                    .get("relatedContactInformation")
                    .unwrap()
                    .raw()
                    .replace([' ', '\n'], ""),
            )
        };
        assert_eq!(flat(SENT), flat(&masked));
    }

    #[test]
    fn a_value_is_the_same_wherever_and_however_it_stands() {
        let mut masker = masker(&[]);
        masker.learn(&document(SENT));
        let legacy = document(
            r#"{"cNm":"ADA BUYER","last":"Buyer","tel":"+44 20 7946 0000","sku":"BUYERS-1","say":"from Ada Buyer"}"#,
        );
        let masked = document(&masker.mask(&legacy));
        let text = |name: &str| masked.root().get(name).unwrap().as_str().unwrap().into_owned();
        let name = masker.replaced("Ada Buyer");
        assert_eq!(text("cNm"), name.to_ascii_uppercase());
        assert_eq!(text("last"), name.split(' ').nth(1).unwrap());
        assert_eq!(text("tel"), masker.replaced("+44 20 7946 0000"));
        assert_eq!((text("sku").as_str(), text("say")), ("BUYERS-1", format!("from {name}")));
    }

    #[test]
    fn members_are_named_by_name_or_by_the_end_of_their_path() {
        let masker = masker(&["cNm", "adr/str"]);
        let masked = masker.mask(&document(
            r#"{"cNm":"A1","adr":[{"str":"B2","ort":"C3"}],"str":"D4","deep":{"cNm":[12]}}"#,
        ));
        let masked = document(&masked);
        let raw = |pointer: &str| masked.root().resolve(pointer).unwrap().raw().to_owned();
        assert_ne!(raw("/cNm"), r#""A1""#);
        assert_ne!(raw("/adr/0/str"), r#""B2""#);
        assert_ne!(raw("/deep/cNm/0"), "12");
        assert_eq!((raw("/adr/0/ort"), raw("/str")), (r#""C3""#.to_owned(), r#""D4""#.to_owned()));
    }

    #[test]
    fn what_looks_like_a_person_is_masked_without_being_named() {
        let masker = masker(&[]);
        for (text, kept) in [("mail me@here.example now", "mail "), ("tel +49 (30) 1234-5", "tel +")] {
            let masked = masker.mask_text(text);
            assert!(masked != text && masked.starts_with(kept) && kind(&masked) == kind(text), "{masked}");
        }
        for text in
            ["2026-11-21T10:00:00+01:00", "urn:mef:lso:spec:sonata:a:v5.0.0:all", "+5", "a @ b", "EVPLA"]
        {
            assert_eq!(masker.mask_text(text), text);
        }
    }

    #[test]
    fn every_word_becomes_another_of_its_kind() {
        let masker = masker(&[]);
        for word in ["a", "Z", "7", "07", "9999", "Käse", "ÄRGER", "x1Y2"] {
            let other = masker.replaced(word);
            assert!(other != word && kind(&other) == kind(word), "{word}: {other}");
            assert_eq!(other.starts_with('0'), word.starts_with('0'), "{word}: {other}");
        }
    }
}
