//! Diagnostics for people and for programs.

use super::{Diagnostic, Diagnostics, Fix, Hint, Severity, Sources, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::{borrow::Cow, fmt::Write as _, ops::Range};

/// Lines of a source that are shown of a span at most.
const LINES_MAX: usize = 6;

impl Diagnostics {
    /// All of them as text with the source line and a caret under the exact word, without colour, and a line
    /// with the count at the end. Empty where nothing was said.
    pub fn render_text(&self, sources: &Sources) -> String {
        if self.is_empty() {
            return String::new();
        }
        let mut text = String::new();
        let ordered = self.clone().sorted(sources);
        for diagnostic in &ordered {
            text.push_str(&diagnostic.render_text(sources));
            text.push_str("\n\n");
        }
        if self.left_out() > 0 {
            let _ = writeln!(text, "and {} more that are not shown", self.left_out());
        }
        let errors = ordered.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = ordered.iter().filter(|d| d.severity == Severity::Warning).count();
        let _ = writeln!(text, "{}, {}", counted(errors, "error"), counted(warnings, "warning"));
        text
    }

    /// All of them as a JSON array; each has `code`, `severity`, `message` and, where there is one, `file`,
    /// `line`, `column`, `end_line`, `end_column` (from 1, columns in characters), `label`, `hint` and `fix`: the
    /// same members of a place (a place without width: put in between), and the `text` that makes it good.
    pub fn render_json(&self, sources: &Sources) -> String {
        self.to_json(sources).to_string()
    }

    /// As [`Diagnostics::render_json`], to be put into another answer.
    pub fn to_json(&self, sources: &Sources) -> serde_json::Value {
        let ordered = self.clone().sorted(sources);
        ordered.iter().map(|diagnostic| as_json(diagnostic, sources)).collect()
    }
}

impl Diagnostic {
    /// This one as text, without colour and without a line break at the end.
    pub fn render_text(&self, sources: &Sources) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let masked = |text| self.masked(text, sources);
        let title = level.primary_title(masked(&self.message)).id(self.code.0);
        let mut group = Group::with_title(title);
        if let Some(span) = self.span {
            let window = window(span, sources);
            group = if sources.is_hidden(span.source, &window) {
                let (line, column) = sources.line_column(span);
                group.element(Origin::path(sources.path(span.source)).line(line).char_column(column))
            } else {
                group.element(snippet(span, window, self.label.as_deref(), sources))
            };
        }
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(masked(hint.as_str())));
        }
        Renderer::plain().render(&[group])
    }

    /// The replacement, unless it stands on a line with something hidden.
    pub(super) fn shown_fix(&self, sources: &Sources) -> Option<Fix> {
        self.fix(sources).filter(|fix| !sources.is_hidden(fix.span.source, &window(fix.span, sources)))
    }

    /// A text about this one, without what is hidden.
    pub(super) fn masked<'m>(&self, text: &'m str, sources: &Sources) -> Cow<'m, str> {
        self.span.map_or(Cow::Borrowed(text), |span| sources.masked(span.source, text))
    }
}

/// The lines of a span; only they are handed to the renderer, so that its work does not grow with the file.
fn window(span: Span, sources: &Sources) -> Range<usize> {
    let (line, _) = sources.line_column(span);
    let (line_end, _) = sources.line_column_at(span.source, span.end);
    let first = sources.line_range(span.source, line);
    let last = sources.line_range(span.source, line_end.min(line + LINES_MAX - 1));
    first.start..last.end.max(first.end)
}

fn snippet<'a>(
    span: Span,
    window: Range<usize>,
    label: Option<&'a str>,
    sources: &'a Sources,
) -> Snippet<'a, Annotation<'a>> {
    let (line, _) = sources.line_column(span);
    let text = &sources.text(span.source)[window.clone()];
    // Inside an escape the place is the nearest that is known, which may lie within a character.
    let place = |at: u32| text.floor_char_boundary((at as usize).saturating_sub(window.start));
    let start = place(span.start);
    let end = place(span.end).max(start);
    Snippet::source(text)
        .path(sources.path(span.source))
        .line_start(line)
        .annotation(AnnotationKind::Primary.span(start..end).label(label))
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn as_json(diagnostic: &Diagnostic, sources: &Sources) -> serde_json::Value {
    let mut value = serde_json::json!({
        "code": diagnostic.code.0,
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.masked(&diagnostic.message, sources),
    });
    if let Some(span) = diagnostic.span {
        let (line, column) = sources.line_column(span);
        let (end_line, end_column) = sources.line_column_at(span.source, span.end);
        value["file"] = sources.path(span.source).into();
        value["line"] = line.into();
        value["column"] = column.into();
        value["end_line"] = end_line.into();
        value["end_column"] = end_column.into();
    }
    let hint = diagnostic.hint.as_ref().map(Hint::as_str);
    for (name, text) in [("label", diagnostic.label.as_deref()), ("hint", hint)] {
        if let Some(text) = text {
            value[name] = diagnostic.masked(text, sources).into();
        }
    }
    if let Some(fix) = diagnostic.shown_fix(sources) {
        let (line, column) = sources.line_column(fix.span);
        let (end_line, end_column) = sources.line_column_at(fix.span.source, fix.span.end);
        value["fix"] = serde_json::json!({
            "file": sources.path(fix.span.source),
            "line": line, "column": column, "end_line": end_line, "end_column": end_column,
            "text": fix.text,
        });
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::{Code, Diagnostic, Diagnostics, Sources, Span};

    #[test]
    fn caret_under_the_word() {
        let mut sources = Sources::new();
        sources.add("z.yaml", "no");
        let id = sources.add("a.yaml", "ok: 1\nö: { legcy: x }\n");
        let start = u32::try_from(sources.text(id).find("legcy").unwrap()).unwrap();
        let span = Span { source: id, start, end: start + 5 };
        let mut list = Diagnostics::new();
        list.push(Diagnostic::warning(Code("Z901"), "no place"));
        list.push(
            Diagnostic::error(Code("Z900"), "unknown key `legcy`")
                .at(span)
                .label("here")
                .hint("did you mean `legacy`?"),
        );
        let text = list.render_text(&sources);
        let expected = "\
warning[Z901]: no place

error[Z900]: unknown key `legcy`
 --> a.yaml:2:6
  |
2 | ö: { legcy: x }
  |      ^^^^^ here
  |
  = help: did you mean `legacy`?

1 error, 1 warning
";
        assert_eq!(text, expected, "{text}");
        let json: serde_json::Value = serde_json::from_str(&list.render_json(&sources)).unwrap();
        assert_eq!(json[1]["file"], "a.yaml");
        assert_eq!(json[1]["column"], 6);
        assert_eq!(json[1]["end_column"], 11);
        assert_eq!(json[0]["file"], serde_json::Value::Null);
    }

    #[test]
    fn spans_at_the_very_end_and_over_lines_render() {
        let mut sources = Sources::new();
        let text = "a: 1\nb: 2\n";
        let id = sources.add("a.yaml", text);
        let end = u32::try_from(text.len()).unwrap();
        for start in 0..=end {
            for stop in start..=end {
                let span = Span { source: id, start, end: stop };
                let diagnostic = Diagnostic::error(Code("Z900"), "x").at(span);
                assert!(diagnostic.render_text(&sources).contains("a.yaml:"));
            }
        }
    }
}
