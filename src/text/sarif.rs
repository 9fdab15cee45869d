//! Diagnostics as SARIF 2.1.0, for code hosts and editors that show findings at their lines.

use super::{Code, Diagnostic, Diagnostics, Meaning, Sources, Span};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// What a path keeps in a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

impl Diagnostics {
    /// All of them as one run of a SARIF 2.1.0 log, in the order of the text. `meanings` become its rules; a result
    /// whose code is none of them still has its `ruleId`. Lines and columns are from 1, columns in characters, and a
    /// hidden stretch of a source is masked as in the text. Diagnostics that were only counted are told as a
    /// notification of the tool.
    pub fn render_sarif<'m>(
        &self,
        sources: &Sources,
        meanings: impl IntoIterator<Item = &'m Meaning>,
    ) -> String {
        let meanings: Vec<&Meaning> = meanings.into_iter().collect();
        let codes: Vec<Code> = meanings.iter().map(|meaning| meaning.code).collect();
        let rule = |meaning: &&Meaning| json!({ "id": meaning.code.0, "shortDescription": { "text": meaning.text } });
        let ordered = self.clone().sorted(sources);
        let results: Vec<Value> = ordered.iter().map(|one| result(one, &codes, sources)).collect();
        let mut invocation = json!({ "executionSuccessful": true });
        if self.left_out() > 0 {
            let text = format!("{} more that are not shown", self.left_out());
            invocation["toolExecutionNotifications"] =
                json!([{ "level": "warning", "message": { "text": text } }]);
        }
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "segue",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": meanings.iter().map(rule).collect::<Vec<_>>(),
                } },
                "invocations": [invocation],
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        })
        .to_string()
    }
}

fn result(diagnostic: &Diagnostic, codes: &[Code], sources: &Sources) -> Value {
    let mut text = diagnostic.masked(&diagnostic.message, sources).into_owned();
    if let Some(hint) = &diagnostic.hint {
        text.push_str("\nhelp: ");
        text.push_str(&diagnostic.masked(hint.as_str(), sources));
    }
    let mut value = json!({
        "ruleId": diagnostic.code.0,
        "level": diagnostic.severity.as_str(),
        "message": { "text": text },
    });
    if let Some(index) = codes.iter().position(|code| *code == diagnostic.code) {
        value["ruleIndex"] = index.into();
    }
    if let Some(span) = diagnostic.span {
        value["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": uri(sources.path(span.source)) },
            "region": region(span, sources),
        } }]);
    }
    if let Some(fix) = diagnostic.shown_fix(sources) {
        value["fixes"] = json!([{ "artifactChanges": [{
            "artifactLocation": { "uri": uri(sources.path(fix.span.source)) },
            "replacements": [{
                "deletedRegion": region(fix.span, sources),
                "insertedContent": { "text": fix.text },
            }],
        }] }]);
    }
    value
}

fn region(span: Span, sources: &Sources) -> Value {
    let (start_line, start_column) = sources.line_column(span);
    let (end_line, end_column) = sources.line_column_at(span.source, span.end);
    json!({
        "startLine": start_line,
        "startColumn": start_column,
        "endLine": end_line,
        "endColumn": end_column,
    })
}

/// A path as a reference: relative ones stay relative to where the program ran.
fn uri(path: &str) -> String {
    let scheme = if path.starts_with('/') { "file://" } else { "" };
    format!("{scheme}{}", utf8_percent_encode(path, PATH))
}

#[cfg(test)]
mod tests {
    use super::super::Hint;
    use super::*;

    const RULES: &[Meaning] = &[Meaning::new(Code("Z900"), "A key."), Meaning::new(Code("Z901"), "A word.")];

    #[test]
    fn results_have_rule_region_and_help() {
        let mut sources = Sources::new();
        let id = sources.add("my set/ä.yaml", "ok: 1\nö: { legcy: x }\n");
        let start = u32::try_from(sources.text(id).find("legcy").unwrap()).unwrap();
        let mut list = Diagnostics::new();
        list.push(Diagnostic::warning(Code("Z902"), "no place, no rule"));
        let span = Span { source: id, start, end: start + 5 };
        list.push(Diagnostic::error(Code("Z901"), "unknown `legcy`").at(span).hint(Hint::meant("legacy")));
        let log: Value = serde_json::from_str(&list.render_sarif(&sources, RULES)).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][1]["id"], "Z901");
        assert_eq!(run["results"][0]["ruleId"], "Z902");
        assert!(run["results"][0].get("ruleIndex").is_none() && run["results"][0].get("locations").is_none());
        let told = &run["results"][1];
        assert_eq!((&told["ruleIndex"], &told["level"]), (&json!(1), &json!("error")));
        assert_eq!(told["message"]["text"], "unknown `legcy`\nhelp: did you mean `legacy`?");
        let place = &told["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20set/%C3%A4.yaml");
        assert_eq!(
            place["region"],
            json!({ "startLine": 2, "startColumn": 6, "endLine": 2, "endColumn": 11 })
        );
        let change = &told["fixes"][0]["artifactChanges"][0];
        assert_eq!(change["replacements"][0]["deletedRegion"], place["region"]);
        assert_eq!(change["replacements"][0]["insertedContent"]["text"], "legacy");
        assert!(run["invocations"][0].get("toolExecutionNotifications").is_none());
    }

    #[test]
    fn what_is_hidden_is_masked_and_what_is_only_counted_is_told() {
        let mut sources = Sources::new();
        let id = sources.add("/etc/a.yaml", "secret: hunter-2\n");
        let span = Span { source: id, start: 8, end: 16 };
        sources.hide(span);
        let mut list = Diagnostics::new();
        for _ in 0..=super::super::DIAGNOSTICS_MAX {
            list.push(Diagnostic::error(Code("Z900"), "`hunter-2` is odd").at(span).hint("not `hunter-2`"));
        }
        let text = list.render_sarif(&sources, RULES);
        assert!(!text.contains("hunter"), "{text}");
        assert!(text.contains("file:///etc/a.yaml") && text.contains("1 more that are not shown"), "{text}");
    }
}
