//! `segue explain`: the page of a diagnostic code.

use std::process::ExitCode;

use anyhow::bail;

use super::{ExplainArguments, output::say};
use crate::{custody::FindingCode, plan, text::suggest};

/// The pages, one `## CODE: meaning` for each code; a test plays their examples.
const PAGES: [&str; 6] = [
    include_str!("../../docs/codes/yaml.md"),
    include_str!("../../docs/codes/config.md"),
    include_str!("../../docs/codes/mapping.md"),
    include_str!("../../docs/codes/script.md"),
    include_str!("../../docs/codes/interface.md"),
    include_str!("../../docs/codes/plan.md"),
];

/// Prints the page of a code, or without one all codes with their meanings.
pub fn run(arguments: &ExplainArguments) -> anyhow::Result<ExitCode> {
    let Some(code) = &arguments.code else {
        for meaning in plan::meanings() {
            say(&format!("{}  {}", meaning.code, meaning.text));
        }
        return Ok(ExitCode::SUCCESS);
    };
    if code.contains(':') {
        bail!("`{code}` is a paragraph of a guide: `segue rules` tells what it asks for");
    }
    let code = code.to_ascii_uppercase();
    // Not among the pages: these are told by a running Segue, of what a legacy system did.
    if let Some(finding) = FindingCode::ALL.iter().find(|one| one.as_str() == code) {
        say(&format!("{code}: {}", finding.meaning()));
        return Ok(ExitCode::SUCCESS);
    }
    let Some(page) = PAGES.iter().find_map(|pages| page(pages, &code)) else {
        match suggest(&code, plan::meanings().iter().map(|one| one.code.0)) {
            Some(near) => bail!("there is no code `{code}`; did you mean `{near}`?"),
            None => bail!("there is no code `{code}`; `segue explain` lists them all"),
        }
    };
    say(&printed(page));
    Ok(ExitCode::SUCCESS)
}

/// The section of a code, its heading's marks left out.
fn page<'p>(pages: &'p str, code: &str) -> Option<&'p str> {
    let mut sections = pages.split("\n## ").skip(1);
    sections.find(|section| section.split_once(':').is_some_and(|(own, _)| own == code))
}

/// Markdown as plain text: blocks are indented and told apart by what they are.
fn printed(page: &str) -> String {
    let mut lines = Vec::new();
    let (mut inside, mut told) = (false, false);
    for line in page.trim_end().lines() {
        match line.strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                inside = true;
                let title = match (info.split_once(' '), told) {
                    (None, _) => "Diagnostic:".to_owned(),
                    (Some((_, of)), false) => format!("Wrong, {}:", place(of)),
                    (Some((_, of)), true) => format!("Right, {}:", place(of)),
                };
                told |= info == "text";
                lines.extend([title, String::new()]);
            }
            None if inside && !line.is_empty() => lines.push(format!("    {line}")),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// What an example stands in, from the words behind its fence.
fn place(of: &str) -> String {
    match of {
        "rule" => "in the `fields:` of a shape for Quote_Create".to_owned(),
        of => match (of.strip_suffix(" +"), of.strip_suffix(" absent")) {
            (Some(path), _) => format!("{path}, added at the end"),
            (_, Some(path)) => format!("{path} is not there"),
            _ => of.to_owned(),
        },
    }
}
