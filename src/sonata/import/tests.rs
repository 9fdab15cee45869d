//! The importer on small files, and on the SDK where it is at hand.

use super::*;
use std::path::Path;

#[test]
fn unknown_keywords_are_refused() {
    let text = "$id: urn:x\nproperties:\n  a:\n    type: string\n    multipleOf: 2\n";
    let tree = Tree::of_texts([("productSchema/a.yaml".to_owned(), text.to_owned())]).unwrap();
    let error = import(Release::GRACE, &tree).unwrap_err();
    assert!(error.to_string().contains("multipleOf"), "{error}");
}

#[test]
fn references_cross_files_and_equal_names_stay_apart() {
    let texts = [
        (
            "productSchema/p/one.yaml",
            "$id: urn:one\nallOf:\n- $ref: ../c/two.yaml#/definitions/A\n- type: object\n  properties:\n    b:\n      $ref: '#/definitions/A'\ndefinitions:\n  A:\n    type: string\n    maxLength: 3\n",
        ),
        (
            "productSchema/c/two.yaml",
            "definitions:\n  A:\n    type: object\n    properties:\n      x: { type: integer }\n",
        ),
    ];
    let tree = Tree::of_texts(texts.map(|(path, text)| (path.to_owned(), text.to_owned()))).unwrap();
    let files = import(Release::GRACE, &tree).unwrap();
    let expected = "facts 1\n\nproduct urn:one one\n\nobject two.A\n  x integer\n\nobject one : two.A\n  b one.A\n\n\
                    value one.A string length ..3\n";
    assert_eq!(files["grace/products"].to_string(), expected);
}

#[test]
fn committed_facts_are_what_the_sdk_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sdk = root.join("../shared/sonata-sdk");
    if !sdk.is_dir() {
        println!("skipped: ../shared/sonata-sdk is not here");
        return;
    }
    let imported = import_sdk(&sdk).unwrap();
    let folder = root.join("src/sonata/facts");
    for (path, file) in imported.files {
        let committed = std::fs::read_to_string(folder.join(format!("{path}.facts"))).unwrap_or_default();
        assert!(committed == file.to_string(), "{path} is not what the importer writes");
        assert_eq!(facts::read(&committed).as_ref(), Ok(&file), "{path}");
    }
    let index = std::fs::read_to_string(folder.join("releases")).unwrap_or_default();
    assert!(index == imported.index, "the index is not what the importer writes");
}

#[test]
#[ignore = "rewrites the committed facts from ../shared/sonata-sdk"]
fn rewrite_committed_facts() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let imported = import_sdk(&root.join("../shared/sonata-sdk")).unwrap();
    println!("{:#?}", write(&imported, &root.join("src/sonata/facts")).unwrap());
}
