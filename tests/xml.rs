//! XML against the law of `laws/xml.rs`: the corpus of the fuzz target `xml`, and that corpus broken.

use std::{fs, path::Path};

use proptest::prelude::*;

#[path = "laws/xml.rs"]
mod law;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/xml");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn fuzz_corpus_of_xml_is_judged_rightly() {
    let files = corpus();
    assert!(files.len() >= 30, "only {} files in the corpus", files.len());
    for bytes in &files {
        law::xml_law(bytes);
    }
}

proptest! {
    #[test]
    fn broken_xml_is_judged_rightly(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        cut in 0..4_usize,
    ) {
        let files = corpus();
        let mut bytes = file.get(&files).clone();
        let all: Vec<u8> = files.concat();
        let start = at.index(bytes.len() + 1);
        let end = (start + cut).min(bytes.len());
        let from = other.index(all.len());
        bytes.splice(start..end, all[from..(from + 3).min(all.len())].iter().copied());
        law::xml_law(&bytes);
    }
}
