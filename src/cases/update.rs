//! Writing what happened into a case: its requests and its answer, not what the partner or the legacy system says.

use std::{fs, io};

use super::{
    form::{Case, TOLD, answer_file, call_file},
    message::{ResponseFile, print_node},
    play::Played,
};

/// Headers of an answer that a case keeps; the others are the transport's.
const HEADERS: [&str; 5] =
    ["allow", "retry-after", "x-total-count", "x-result-count", "x-pagination-throttled"];

/// Writes `2…` and `4` as they were played, and `3…` where the case had none. Files of calls that were not made go.
/// Returns the names of the files that changed.
///
/// # Errors
/// The system's, when a file cannot be written.
pub fn update(case: &Case, played: &Played) -> io::Result<Vec<String>> {
    let mut changed = Vec::new();
    let single = played.calls.len() == 1 && case.calls.iter().all(|call| call.letter.is_empty());
    for (index, (request, response)) in played.calls.iter().enumerate() {
        let letter = if single { String::new() } else { letter(index) };
        let mut request = request.clone();
        request.headers.retain(|(name, _)| name == "soapaction");
        write(case, &call_file(case, 2, &letter), &request.print(), &mut changed)?;
        let answered = call_file(case, 3, &letter);
        if !answered.is_file() && (response.status != 0 || response.fault.is_some()) {
            write(case, &answered, &response.print(), &mut changed)?;
        }
    }
    for call in &case.calls {
        let made = if single { call.letter.is_empty() } else { index_of(&call.letter) < played.calls.len() };
        for number in [2, 3] {
            let path = call_file(case, number, &call.letter);
            if !made && path.is_file() {
                fs::remove_file(&path)?;
                changed.push(format!("{}: removed {}", case.name, path.display()));
            }
        }
    }
    let mut answer: ResponseFile = played.answer.clone();
    answer.headers.retain(|(name, _)| HEADERS.contains(&name.as_str()));
    write(case, &case.folder.join(answer_file(case)), &answer.print(), &mut changed)?;
    if let Some(told) = &played.told {
        let mut text = String::new();
        print_node(&mut text, told.root(), 0);
        text.push('\n');
        write(case, &case.folder.join(TOLD), &text, &mut changed)?;
    }
    Ok(changed)
}

fn write(case: &Case, path: &std::path::Path, text: &str, changed: &mut Vec<String>) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    fs::write(path, text)?;
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    changed.push(format!("{}: wrote {file}", case.name));
    Ok(())
}

fn letter(index: usize) -> String {
    String::from(char::from(b'a' + u8::try_from(index.min(25)).unwrap_or(25)))
}

fn index_of(letter: &str) -> usize {
    letter.bytes().next().map_or(usize::MAX, |byte| usize::from(byte.wrapping_sub(b'a')))
}
