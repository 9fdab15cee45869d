//! Any bytes as XML: refused, or a document that is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/laws/xml.rs"]
mod law;

fuzz_target!(|bytes: &[u8]| law::xml_law(bytes));
