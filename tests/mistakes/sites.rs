//! Where mistakes can be made: every place of every shipped file, each with one slip that the dice choose.

use super::{
    inner::{self, Slip},
    slip::{Dice, misspelt},
};
use segue::text::{
    Diagnostics, Sources,
    yaml::{self, Entry, Node, Style, Value},
};
use std::{collections::BTreeSet, ops::Range};

/// The kinds of mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    SonataPath,
    LegacyPath,
    PathForm,
    Key,
    Word,
    Reference,
    Code,
    Type,
    MissingKey,
    DeadBranch,
    Twice,
    Condition,
    Script,
    Converter,
    YamlSlip,
    Overlay,
}

/// One mistake that could be made.
#[derive(Debug, Clone)]
pub struct Mistake {
    pub kind: Kind,
    /// Index of the file.
    pub file: usize,
    pub what: &'static str,
    /// What is replaced, in bytes, and by what.
    pub at: Range<usize>,
    pub text: String,
    /// Where it is to be told, in bytes of the text after the mistake.
    pub told: Range<usize>,
}

/// What both sides are known to enumerate.
pub struct Words {
    pub sonata: BTreeSet<String>,
    pub legacy: BTreeSet<String>,
    /// Tables whose legacy codes no interface describes.
    pub undescribed: BTreeSet<String>,
}

/// One shipped file.
pub struct File {
    pub path: String,
    pub text: String,
    /// Its texts as a tree; none where there is none.
    pub meaning: Option<String>,
}

impl File {
    fn is_mapping(&self) -> bool {
        self.path.starts_with("mappings/")
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    pub fn is_functions(&self) -> bool {
        self.name() == "functions.rhai"
    }

    fn is_overlay(&self) -> bool {
        self.path.starts_with("mappings/partners/")
    }
}

/// All mistakes that one file offers.
pub fn mistakes(index: usize, file: &File, known: &Words, dice: &mut Dice) -> Vec<Mistake> {
    let mut walk = Walk { index, file, known, dice, list: Vec::new() };
    if file.is_functions() {
        for (start, line) in lines(&file.text) {
            if !line.trim_start().starts_with("//") && !line.trim().is_empty() {
                for _ in 0..3 {
                    let slip = inner::script(line, walk.dice);
                    walk.slip(Kind::Script, start, slip);
                }
            }
        }
        return walk.list;
    }
    let mut sources = Sources::new();
    let id = sources.add(&file.path, file.text.as_str());
    let mut out = Diagnostics::new();
    let root = yaml::load(&sources, id, &mut out).unwrap();
    walk.node(&root, &mut Vec::new());
    walk.yaml_slips();
    walk.list
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line.trim_end_matches('\n')))
    })
}

struct Walk<'w> {
    index: usize,
    file: &'w File,
    known: &'w Words,
    dice: &'w mut Dice,
    list: Vec<Mistake>,
}

fn range(span: segue::text::Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// Keys whose mappings have names that their author chooses.
const FREE: &[&str] =
    &["shapes", "operations", "in", "join", "products", "type_aliases", "settings", "codes"];

/// What `version:` of a backend may say.
const SOAP_VERSIONS: &[&str] = &["1.1", "1.2"];

impl Walk<'_> {
    fn push(&mut self, kind: Kind, what: &'static str, at: Range<usize>, text: impl Into<String>) {
        let text = text.into();
        let told = at.start..at.start + text.len();
        self.list.push(Mistake { kind, file: self.index, what, at, text, told });
    }

    /// A mistake that is told anywhere in a stretch of the text as it is then.
    fn push_in(
        &mut self,
        kind: Kind,
        what: &'static str,
        at: Range<usize>,
        text: impl Into<String>,
        around: Range<usize>,
    ) {
        let text = text.into();
        let told = around.start..around.end + text.len() - at.len().min(around.end);
        self.list.push(Mistake { kind, file: self.index, what, at, text, told });
    }

    fn slip(&mut self, kind: Kind, base: usize, slip: Option<Slip>) {
        if let Some((what, at, text)) = slip {
            self.push(kind, what, base + at.start..base + at.end, text);
        }
    }

    fn misspell(&mut self, kind: Kind, at: Range<usize>) {
        if let Some((what, text)) = misspelt(&self.file.text[at.clone()], self.dice) {
            if self.means_something(kind, &text) {
                return;
            }
            self.push(kind, what, at, text);
        }
    }

    /// Whether a word that became another one is a word still: a code that one of the sides enumerates, a version of SOAP. The
    /// file says something else then, which its author may have meant, and nothing that a checker has tells otherwise.
    fn means_something(&self, kind: Kind, text: &str) -> bool {
        match kind {
            Kind::Code => self.known.sonata.contains(text) || self.known.legacy.contains(text),
            Kind::Word => SOAP_VERSIONS.contains(&text),
            _ => false,
        }
    }

    /// Slips inside a scalar that stands in the file as it is.
    fn inside(&mut self, kind: Kind, node: &Node, make: impl Fn(&str, &mut Dice) -> Option<Slip>) {
        let Some((base, text)) = plain(node, &self.file.text) else { return };
        let slip = make(text, self.dice);
        self.slip(kind, base, slip);
    }

    fn word(&mut self, kind: Kind, node: &Node) {
        match &node.value {
            Value::Scalar(_) => {
                if let Some((base, text)) = plain(node, &self.file.text) {
                    self.misspell(kind, base..base + text.len());
                }
            }
            Value::Sequence(list) => {
                for node in list {
                    self.word(kind, node);
                }
            }
            Value::Mapping(_) => {}
        }
    }

    fn node(&mut self, node: &Node, path: &mut Vec<String>) {
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(list) => {
                self.sequence(list, path);
                for node in list {
                    self.node(node, path);
                }
            }
            Value::Mapping(entries) => {
                self.mapping(node, entries, path);
                for entry in entries {
                    path.push(entry.key.clone());
                    // Documents and constants are of their author's own making.
                    let is_document =
                        matches!(entry.key.as_str(), "default" | "otherwise" | "value" | "settings")
                            || (entry.key == "answer" && path.iter().any(|key| key == "on"));
                    if !is_document {
                        self.node(&entry.value, path);
                    }
                    path.pop();
                }
            }
        }
    }

    fn mapping(&mut self, node: &Node, entries: &[Entry], path: &[String]) {
        let last = path.last().map_or("", String::as_str);
        let in_codes = self.file.name() == "codes.yaml"
            || (self.file.is_overlay() && path.first().is_some_and(|key| key == "codes"));
        let free = FREE.contains(&last) || (self.file.name() == "codes.yaml" && path.is_empty());
        for (index, entry) in entries.iter().enumerate() {
            if !free {
                self.misspell(Kind::Key, range(entry.key_span));
                self.missing(node, entries, index, path);
            }
            if last == "operations" {
                let kind = if self.file.is_overlay() { Kind::Overlay } else { Kind::Word };
                self.misspell(kind, range(entry.key_span));
            }
            if self.file.is_overlay() && (last == "shapes" || last == "codes") {
                self.misspell(Kind::Overlay, range(entry.key_span));
            }
            if in_codes {
                self.code(entry, path);
            } else if self.file.is_mapping() && self.file.name() != "set.yaml" {
                self.scalar(entry, entries, path);
            } else if self.file.is_mapping() {
                self.set(entry, last);
            } else {
                self.config(entry, last);
            }
        }
    }

    /// A row of a code table.
    fn code(&mut self, entry: &Entry, path: &[String]) {
        if matches!(entry.key.as_str(), "sonata_type" | "legacy_type") {
            return self.word(Kind::Word, &entry.value);
        }
        let table = path.iter().find(|key| *key != "codes").map_or("", String::as_str);
        let words = match entry.key.as_str() {
            "sonata" => &self.known.sonata,
            "legacy" if !self.known.undescribed.contains(table) => &self.known.legacy,
            _ => return,
        };
        let nodes = match &entry.value.value {
            Value::Sequence(list) => list.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        for node in nodes {
            if node.as_text().is_some_and(|text| words.contains(text)) {
                self.word(Kind::Code, node);
            }
        }
    }

    fn set(&mut self, entry: &Entry, last: &str) {
        match entry.key.as_str() {
            "release" => self.word(Kind::Word, &entry.value),
            "backend" => self.word(Kind::Reference, &entry.value),
            "elements" | "lists" => self.word(Kind::LegacyPath, &entry.value),
            "language" => self.number(&entry.value),
            _ if last == "products" => self.word(Kind::Reference, &entry.value),
            _ => {}
        }
    }

    fn number(&mut self, node: &Node) {
        let text = node.as_text().unwrap_or_default().to_owned();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return;
        }
        let wrong = match self.dice.below(3) {
            0 => ("a number in quotes", format!("\"{text}\"")),
            1 => ("a number with its unit", format!("{text}ms")),
            _ => ("a letter in a number", text.replacen('0', "O", 1)),
        };
        if wrong.1 != text {
            self.push(Kind::Type, wrong.0, range(node.span), wrong.1);
        }
    }

    fn config(&mut self, entry: &Entry, last: &str) {
        let node = &entry.value;
        match entry.key.as_str() {
            "backend" | "mapping" if last == "routes" || entry.key == "mapping" => {
                self.word(Kind::Reference, node);
            }
            "openapi" => self.word(Kind::Reference, node),
            "side" | "log_level" | "log_format" | "unknown_members" | "product_payload"
            | "answer_findings" | "case" | "default" | "version" => self.word(Kind::Word, node),
            "watch" | "loopback" => {
                let text = node.as_text().unwrap_or_default();
                let wrong = if text == "true" { "yes" } else { "no" };
                self.push(Kind::Type, "another word for true or false", range(node.span), wrong);
            }
            _ if last == "type_aliases" => self.word(Kind::Reference, node),
            _ => self.number(node),
        }
    }

    /// A key that is not there.
    fn missing(&mut self, node: &Node, entries: &[Entry], index: usize, path: &[String]) {
        let last = path.last().map_or("", String::as_str);
        let shape = path.len() == 2 && path[0] == "shapes";
        let entry = &entries[index];
        let has = |key: &str| entries.iter().any(|entry| entry.key == key);
        let needed = match entry.key.as_str() {
            // What a shape is for may be left out; it is checked where it is used.
            "sonata" | "legacy" if shape => false,
            "sonata" | "legacy" => last == "if" || last == "key" || (has("sonata") && has("legacy")),
            "call" | "extends" | "rows" | "accept" | "legacy_id" | "refuse" | "problem" | "into"
            | "language" | "base_url" | "partner" | "identify" | "side" | "routes" => true,
            "backend" | "mapping" | "release" => !self.file.is_mapping(),
            "fields" => !has("sonata") || shape,
            "name" => has("call"),
            "shape" => has("each") || has("if"),
            "each" => has("into") || (has("shape") && last == "answer"),
            "status" => last == "on" && !has("if") && !has("fault"),
            "if" => last == "one_of",
            "in" => has("script"),
            _ => false,
        };
        if !needed || entries.len() < 2 {
            return;
        }
        let text = &self.file.text;
        let flow = text[range(node.span)].starts_with('{');
        let (start, end) = (entry.key_span.start as usize, entry.value.span.end as usize);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let at = match (flow, entries.get(index + 1)) {
            (_, Some(next)) if flow || index == 0 => start..next.key_span.start as usize,
            (true, _) => entries[index - 1].value.span.end as usize..end,
            (false, _) => line_start..text[end..].find('\n').map_or(text.len(), |at| end + at + 1),
        };
        let what =
            if entry.key == "in" || entry.key == "accept" { "a clause left out" } else { "a key left out" };
        self.push_in(Kind::MissingKey, what, at, "", range(node.span));
        // The value without its key, in braces.
        if flow && matches!(entry.key.as_str(), "sonata" | "legacy" | "shape" | "call") {
            let at = start..entry.value.span.start as usize;
            self.push(Kind::MissingKey, "a value without its key", at, "");
        }
    }

    fn scalar(&mut self, entry: &Entry, entries: &[Entry], path: &[String]) {
        let node = &entry.value;
        let last = path.last().map_or("", String::as_str);
        let has = |key: &str| entries.iter().any(|entry| entry.key == key);
        let shape = path.len() == 2 && path[0] == "shapes";
        let changed = self.file.is_overlay() && (last == "change" || entry.key == "remove");
        let sonata = if changed { Kind::Overlay } else { Kind::SonataPath };
        let legacy = if changed && !has("sonata") { Kind::Overlay } else { Kind::LegacyPath };
        match entry.key.as_str() {
            "sonata" | "legacy" if last == "if" => self.condition(node),
            "if" if node.as_text().is_some() => self.condition(node),
            "sonata" | "legacy" if shape => self.word(Kind::Reference, node),
            "sonata" => self.path(sonata, node),
            "legacy" => self.path(legacy, node),
            "at" if last == "request" || last == "answer" => self.path(Kind::LegacyPath, node),
            "at" | "into" => self.path(Kind::SonataPath, node),
            "each" if last == "calls" => self.path(Kind::SonataPath, node),
            "each" if node.as_text() != Some("calls") => self.path(Kind::LegacyPath, node),
            "legacy_id" | "page" | "size" | "total" => self.path(Kind::LegacyPath, node),
            "shape" | "codes" | "after" | "product" | "backend" | "request" | "answer" => {
                self.word(Kind::Reference, node);
            }
            "only" | "required" | "take" | "on_error" | "accept" | "refuse" | "problem" | "function" => {
                self.word(Kind::Word, node);
            }
            "extends" => self.word(Kind::Overlay, node),
            "call" => self.call(node),
            "convert" => {
                self.inside(Kind::Converter, node, inner::converter);
                self.inside(Kind::Converter, node, inner::converter);
                self.wrong_type(entry, entries);
            }
            "script" => self.script(node),
            "to_legacy" | "to_sonata" if last == "script" => self.script(node),
            "echo" | "remember" => {
                self.push(Kind::Type, "another word for true or false", range(node.span), "yes");
            }
            "start" | "step" | "parallel" | "first" => self.number(node),
            "fields" => self.fields(node),
            "in" => self.inputs(node, entries),
            "join" => {
                for pair in node.as_mapping().unwrap_or_default() {
                    self.path(Kind::LegacyPath, &pair.value);
                }
            }
            "value" => self.constant(node, has("sonata")),
            _ => {}
        }
        if entry.key == "only" {
            self.never(node, entries);
        }
    }

    /// A constant of an enumeration.
    fn constant(&mut self, node: &Node, sonata: bool) {
        let words = if sonata { &self.known.sonata } else { &self.known.legacy };
        if node.as_text().is_some_and(|text| text.len() > 1 && words.contains(text)) {
            self.word(Kind::Code, node);
        }
    }

    fn path(&mut self, kind: Kind, node: &Node) {
        self.inside(kind, node, inner::path_name);
        self.inside(Kind::PathForm, node, inner::path_form);
        self.literals(node, kind == Kind::SonataPath);
    }

    /// Words of an enumeration that a path or condition speaks of.
    fn literals(&mut self, node: &Node, sonata: bool) {
        let Some((base, text)) = plain(node, &self.file.text) else { return };
        for literal in inner::literals(text) {
            let words = if sonata { &self.known.sonata } else { &self.known.legacy };
            if words.contains(&text[literal.clone()]) {
                self.misspell(Kind::Code, base + literal.start..base + literal.end);
            }
        }
    }

    fn condition(&mut self, node: &Node) {
        self.inside(Kind::Condition, node, inner::condition_form);
        self.inside(Kind::Condition, node, inner::path_name);
        let sonata = node.as_text().is_some_and(|text| text.contains("@type") || text.contains("action"));
        self.literals(node, sonata);
    }

    fn script(&mut self, node: &Node) {
        self.inside(Kind::Script, node, inner::script);
        let Some((base, text)) = plain(node, &self.file.text) else { return };
        if let Some(at) = text.find("facts.") {
            let words = inner::words(&text[at..]);
            if let Some(word) = words.get(1..).and_then(|words| self.dice.one(&words[..words.len().min(2)])) {
                self.misspell(Kind::Reference, base + at + word.start..base + at + word.end);
            }
        }
    }

    fn inputs(&mut self, node: &Node, entries: &[Entry]) {
        let is_sonata = entries.iter().any(|entry| entry.key == "legacy");
        let is_pair = is_sonata && entries.iter().any(|entry| entry.key == "sonata");
        for pair in node.as_mapping().unwrap_or_default() {
            self.misspell(Kind::Script, range(pair.key_span));
            if !is_pair {
                self.path(if is_sonata { Kind::SonataPath } else { Kind::LegacyPath }, &pair.value);
            }
        }
    }

    fn call(&mut self, node: &Node) {
        let Some((base, text)) = plain(node, &self.file.text) else { return };
        if text.starts_with("SOAP") {
            return self.inside(Kind::Word, node, inner::path_name);
        }
        for word in inner::words(text) {
            let kind = match (word.start, text[..word.start].rfind(['{', '}'])) {
                (0, _) => Kind::Word,
                (_, Some(open)) if text[open..].starts_with('{') => Kind::Reference,
                _ => Kind::LegacyPath,
            };
            self.misspell(kind, base + word.start..base + word.end);
        }
    }

    /// A converter that is not for this value, or none.
    fn wrong_type(&mut self, entry: &Entry, entries: &[Entry]) {
        let text = entry.value.as_text().unwrap_or_default();
        let name = text.split('(').next().unwrap();
        let other = match name {
            "duration" | "split" => "integer",
            "boolean" | "bandwidth" => "decimal",
            "money" => "string",
            "country" => "bandwidth(kbps)",
            "date" => "boolean(J, N)",
            "percent" => "split(',')",
            _ => return,
        };
        self.push(Kind::Type, "another converter", range(entry.value.span), format!("{other:?}"));
        if matches!(
            name,
            "duration" | "boolean" | "bandwidth" | "money" | "split" | "integer" | "string" | "percent"
        ) {
            let index = entries.iter().position(|own| own.key == "convert").unwrap();
            let end = entry.value.span.end as usize;
            let before = entries[index.max(1) - 1].value.span.end as usize;
            let around =
                entries[0].key_span.start as usize..entries[entries.len() - 1].value.span.end as usize;
            self.push_in(Kind::Type, "no converter", before..end, "", around);
        }
    }

    fn fields(&mut self, node: &Node) {
        let text = &self.file.text;
        if let (Some([only]), true) = (node.as_sequence(), text[range(node.span)].starts_with('[')) {
            self.push(Kind::Type, "a mapping for a list", range(node.span), &text[range(only.span)]);
        }
    }

    /// Rules inside of a group of one phase that are for the other.
    fn never(&mut self, only: &Node, entries: &[Entry]) {
        let other = match only.as_text() {
            Some("request") => "answer",
            Some("answer") => "request",
            _ => return,
        };
        let fields = entries.iter().find(|entry| entry.key == "fields");
        for rule in fields.and_then(|entry| entry.value.as_sequence()).unwrap_or_default() {
            let text = &self.file.text[range(rule.span)];
            if text.starts_with('{') && rule.get("only").is_none() {
                let inner = text[..text.len() - 1].trim_end().len();
                let at = rule.span.start as usize + inner;
                self.push(Kind::DeadBranch, "for the other phase", at..at, format!(", only: {other}"));
            }
        }
    }

    fn sequence(&mut self, list: &[Node], path: &[String]) {
        if !self.file.is_mapping() {
            return;
        }
        let last = path.last().map_or("", String::as_str);
        for pair in list.windows(2) {
            match last {
                "one_of" | "rows" => self.copied_condition(&pair[0], &pair[1]),
                "on" => self.swapped(&pair[0], &pair[1]),
                "fields" => self.copied(&pair[0]),
                _ if self.file.name() == "codes.yaml" => self.copied(&pair[0]),
                _ => {}
            }
        }
    }

    /// The condition of the branch before, copied and not changed.
    fn copied_condition(&mut self, before: &Node, branch: &Node) {
        if let (Some(from), Some(to)) = (before.get("if"), branch.get("if")) {
            let text = self.file.text[range(from.span)].to_owned();
            self.push(Kind::DeadBranch, "the condition of the branch before", range(to.span), text);
        }
        if branch.get("else").is_some() {
            self.swap(before, branch, "`else` before a branch");
        }
    }

    fn swapped(&mut self, first: &Node, second: &Node) {
        let text =
            |node: &Node, key: &str| node.get(key).map(|value| self.file.text[range(value.span)].to_owned());
        // The one that takes less stands before the one that takes more.
        let alike = ["status", "fault"].iter().all(|key| {
            let (first, second) = (text(first, key), text(second, key));
            first == second
                || (*key == "fault" && first.is_some_and(|own| own.starts_with(&second.unwrap_or_default())))
        });
        if alike && first.get("if").is_some() && second.get("if").is_none() {
            self.swap(first, second, "the wider entry first");
        }
    }

    fn swap(&mut self, first: &Node, second: &Node, what: &'static str) {
        let (one, other) = (range(first.span), range(second.span));
        let text = &self.file.text;
        let swapped =
            format!("{}{}{}", &text[other.clone()], &text[one.end..other.start], &text[one.clone()]);
        self.push(Kind::DeadBranch, what, one.start..other.end, swapped);
    }

    /// A line copied and not changed.
    fn copied(&mut self, node: &Node) {
        let at = range(node.span);
        let text = &self.file.text;
        let line = text[..at.start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[at.end..text[at.end..].find('\n').map_or(text.len(), |end| at.end + end)];
        let alone = text[line..at.start].trim() == "-" && !text[at.clone()].contains('\n');
        let is_constant = node.get("script").is_some();
        if alone && rest.trim_start().trim_start_matches('#').len() <= rest.len() && !is_constant {
            let end = at.end + rest.len() + 1;
            let copy = text[line..end.min(text.len())].to_owned();
            self.push_in(Kind::Twice, "a line copied", end..end, copy, line..end);
        }
    }

    fn yaml_slips(&mut self) {
        let file = self.file;
        let settings = file.text.find("\nsettings:").map(|at| at + 1..file.text.len());
        for (start, line) in lines(&file.text) {
            let code = line.split(" #").next().unwrap();
            if code.trim().is_empty() || code.trim_start().starts_with('#') {
                continue;
            }
            let own = settings.as_ref().is_some_and(|settings| settings.contains(&start));
            // Whether a setting is a number or a text is its author's own business.
            let slip = line_slip(code, self.dice).filter(|(what, ..)| !(own && *what == "no quotes"));
            if let Some((what, at, text)) = slip {
                self.push(Kind::YamlSlip, what, start + at.start..start + at.end, text);
            }
        }
    }
}

/// What goes wrong in a line of YAML.
fn line_slip(line: &str, dice: &mut Dice) -> Option<Slip> {
    let indent = line.len() - line.trim_start().len();
    let flow = line.contains('{') || line.contains('[');
    let find = |text: &str, dice: &mut Dice| {
        let all: Vec<usize> = line.match_indices(text).map(|(at, _)| at).collect();
        dice.one(&all).copied()
    };
    for _ in 0..12 {
        let slip = match dice.below(9) {
            0 if indent > 0 => Some(("a tab", 0..indent, "\t".to_owned())),
            1 if indent > 0 => Some(("a blank too few", 0..1, String::new())),
            2 if indent > 0 => Some(("a blank too many", 0..0, " ".to_owned())),
            3 => find(": ", dice).map(|at| ("no blank after a colon", at..at + 2, ":".to_owned())),
            4 if flow => find(", ", dice).map(|at| ("no comma", at..at + 2, " ".to_owned())),
            5 => find("\"", dice).map(|at| ("no quote", at..at + 1, String::new())),
            6 if flow => find(" }", dice).map(|at| ("no brace", at..at + 2, String::new())),
            7 if flow => find(" ]", dice).map(|at| ("no bracket", at..at + 2, String::new())),
            8 => {
                let at = line.find('"')?;
                let end = at + 1 + line[at + 1..].find('"')?;
                Some(("no quotes", at..end + 1, line[at + 1..end].to_owned()))
            }
            _ => None,
        };
        if slip.is_some() {
            return slip;
        }
    }
    None
}

/// A scalar that stands in the file as it is, and where its text begins.
fn plain<'t>(node: &Node, file: &'t str) -> Option<(usize, &'t str)> {
    let scalar = node.as_scalar()?;
    if matches!(scalar.style, Style::Literal | Style::Folded) {
        return None;
    }
    let start = scalar.content_start as usize;
    let text = file.get(start..start + scalar.text.len())?;
    (text == scalar.text).then_some((start, text))
}
