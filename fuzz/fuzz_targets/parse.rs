//! Any bytes: refused with a place, or kept exactly.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/laws/json.rs"]
mod law;

fuzz_target!(|bytes: &[u8]| law::parse_law(bytes));
