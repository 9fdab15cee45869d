//! What holds for XML whatever bytes come: one law for the fuzz target and the replay of its corpus.

use segue::format::{FormatError, Names, lines, read_xml, write_xml};
use segue::json::Limits;

/// Panics unless `bytes` are refused in words for a log line, or kept through writing and reading again.
pub fn xml_law(bytes: &[u8]) {
    let names = Names::default();
    match read_xml(bytes, None, &names, &Limits::default()) {
        Err(error) => {
            let told = error.to_string();
            assert!(!told.is_empty());
            assert!(!matches!(error, FormatError::Unsayable { .. } | FormatError::Json(_)), "{error:?}");
        }
        Ok(document) => {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains("<!DOCTYPE") || text.contains("<!--") || text.contains("<![CDATA["));
            let written = write_xml(&document, &names).expect("what was read can be written");
            // References of two characters become one, escapes up to six: the second text may be beyond the limits.
            let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
            let back = read_xml(written.as_bytes(), None, &names, &limits).expect("what was written is read");
            assert_eq!(back.text(), document.text(), "{written}");
            if written.len() < Limits::default().bytes_max {
                let shown = lines(&written).expect("what was written has lines");
                assert_eq!(lines(&shown.join("\n")).as_ref(), Ok(&shown));
            }
        }
    }
}
