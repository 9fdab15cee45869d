//! The outcome of cases as JUnit XML, which build servers read.

use std::{borrow::Cow, fmt::Write as _};

/// How one case ended.
pub struct Outcome<'c> {
    /// Its name: folder and case, as `quote/createQuote.minimal`.
    pub case: Cow<'c, str>,
    /// Where it was not what it says; empty when all is well.
    pub faults: Vec<String>,
}

impl Outcome<'_> {
    /// The folder, which is the suite, and the name in it.
    fn names(&self) -> (&str, &str) {
        self.case.rsplit_once('/').unwrap_or(("cases", &self.case))
    }
}

/// One suite for each folder, in the order of the cases; one `testcase` for each case, a `failure` with all
/// differences in one that failed. No times: cases run on a clock of their own.
pub fn report(outcomes: &[Outcome<'_>]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    open(&mut xml, "testsuites", "segue", outcomes);
    for suite in outcomes.chunk_by(|one, next| one.names().0 == next.names().0) {
        let name = suite.first().map_or("", |outcome| outcome.names().0);
        open(&mut xml, "testsuite", name, suite);
        for outcome in suite {
            case(&mut xml, outcome);
        }
        xml.push_str("</testsuite>\n");
    }
    xml.push_str("</testsuites>");
    xml
}

fn open(xml: &mut String, tag: &str, name: &str, outcomes: &[Outcome<'_>]) {
    let failed = outcomes.iter().filter(|outcome| !outcome.faults.is_empty()).count();
    let (name, tests) = (escape(name), outcomes.len());
    let _ = writeln!(xml, "<{tag} name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\">");
}

fn case(xml: &mut String, outcome: &Outcome<'_>) {
    let (suite, name) = outcome.names();
    let _ = write!(xml, "<testcase classname=\"{}\" name=\"{}\"", escape(suite), escape(name));
    let Some(first) = outcome.faults.first() else {
        xml.push_str("/>\n");
        return;
    };
    let message = match outcome.faults.len() {
        1 => first.clone(),
        count => format!("{first} (and {} more)", count - 1),
    };
    let _ = write!(xml, "><failure message=\"{}\">", escape(&message));
    xml.push_str(&escape(&outcome.faults.join("\n")));
    xml.push_str("</failure></testcase>\n");
}

/// A text as it may stand in an element or an attribute; a character that XML 1.0 cannot have becomes U+FFFD.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{Outcome, report};
    use quick_xml::{Reader, events::Event};

    #[test]
    fn everything_that_is_told_comes_back_from_an_xml_reader() {
        let odd = "expected <a b=\"c\">&amp;]]>, got 'x'\t\r\nö\u{1}";
        let outcomes = [
            Outcome { case: "quote/good".into(), faults: Vec::new() },
            Outcome { case: "quote/<bad>\"".into(), faults: vec![odd.to_owned(), "second".to_owned()] },
            Outcome { case: "alone".into(), faults: Vec::new() },
        ];
        let xml = report(&outcomes);
        let mut reader = Reader::from_str(&xml);
        let (mut seen, mut text) = (Vec::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Start(tag) | Event::Empty(tag) => {
                    let name = tag.name().into_inner().to_owned();
                    let values = tag.attributes().map(|one| {
                        one.unwrap()
                            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                            .unwrap()
                            .into_owned()
                    });
                    let words: Vec<String> = std::iter::once(name).chain(values).collect();
                    seen.push(words.join("|"));
                }
                Event::Text(part) => text.push_str(&part.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().unwrap() {
                    Some(character) => text.push(character),
                    None => text.push_str(quick_xml::escape::resolve_xml_entity(&reference).unwrap()),
                },
                Event::Eof => break,
                _ => {}
            }
        }
        let told = odd.replace('\u{1}', "\u{fffd}");
        assert_eq!(
            seen,
            [
                "testsuites|segue|3|1|0".to_owned(),
                "testsuite|quote|2|1|0".to_owned(),
                "testcase|quote|good".to_owned(),
                "testcase|quote|<bad>\"".to_owned(),
                format!("failure|{told} (and 1 more)"),
                "testsuite|cases|1|0|0".to_owned(),
                "testcase|cases|alone".to_owned(),
            ]
        );
        assert!(text.contains(&format!("{told}\nsecond")), "{text}");
    }
}
