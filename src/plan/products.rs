//! Product schemas that are dropped into the configuration folder: a partner's own, or newer than the catalogue's.
//!
//! They are read as the published ones are, bound by the `@type` that their `$id` is, and stand before those of the
//! catalogue. What they say counts at once for the check of messages and for the mappings' paths.

use std::{collections::BTreeSet, sync::Arc};

use super::load::{BAD_PRODUCT, REPLACES, UNUSED_FILE};
use crate::{
    config::PRODUCTS_FOLDER,
    sonata::{
        ProductTypes, Products, Release, catalogue,
        import::{ImportError, Tree, import_products},
    },
    text::{Diagnostic, Diagnostics, FileSet, Hint, Sources, Span},
};

/// The product schemas of a configuration folder.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnProducts {
    /// Of the texts; the same texts need no second reading.
    hash: Option<blake3::Hash>,
    sources: Vec<Arc<ProductTypes>>,
    told: Diagnostics,
}

impl OwnProducts {
    /// Reads and compiles those among `files`; what `previous` made of the same texts is taken over.
    pub fn load(
        files: &FileSet,
        previous: Option<&Self>,
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) -> Self {
        let mut own = FileSet::new(files.root());
        for (path, file) in files.below(PRODUCTS_FOLDER) {
            own.share(Arc::clone(path), file);
        }
        if own.is_empty() {
            return Self::default();
        }
        let hash = super::load::hash_of(&[&own]);
        if let Some(previous) = previous.filter(|previous| previous.hash == Some(hash)) {
            // What was told of them speaks of their texts.
            for (path, text) in own.iter() {
                sources.add(&own.shown(path), Arc::clone(text));
            }
            out.append(previous.told.clone());
            return previous.clone();
        }
        let (mut tree, mut told) = (Tree::default(), Diagnostics::new());
        for (path, text) in own.iter() {
            tree.add(path.to_owned(), &own.shown(path), text, sources, &mut told);
        }
        let products = compile(&tree, &mut told);
        out.append(told.clone());
        Self { hash: Some(hash), sources: products, told }
    }

    /// The products of a release with these before them.
    pub fn before(&self, release: Release) -> Products {
        let own = self.sources.iter().cloned();
        own.fold(catalogue().products(release), Products::with_source)
    }

    /// What a compilation of mappings depends on.
    pub fn hash(&self) -> Option<&blake3::Hash> {
        self.hash.as_ref()
    }
}

fn compile(tree: &Tree, out: &mut Diagnostics) -> Vec<Arc<ProductTypes>> {
    let (products, unused) = import_products(tree, PRODUCTS_FOLDER);
    let published: Vec<Products> =
        catalogue().releases().map(|release| catalogue().products(release)).collect();
    let mut sources = Vec::new();
    let mut urns: BTreeSet<String> = BTreeSet::new();
    for (id, file) in products {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                out.push(unusable(&error, id));
                continue;
            }
        };
        let types = match ProductTypes::compile(&file) {
            Ok(types) => types,
            Err(error) => {
                let message = format!("this product cannot be checked: {error}");
                out.push(Diagnostic::error(BAD_PRODUCT, message).at(id));
                continue;
            }
        };
        for urn in types.urns() {
            if !urns.insert(urn.to_owned()) {
                let message = format!("`{urn}` is the `$id` of another file as well");
                out.push(Diagnostic::error(BAD_PRODUCT, message).at(id).hint("keep one of them"));
            } else if published.iter().any(|products| products.urns().any(|known| known == urn)) {
                let message = format!("this schema takes the place of the published one of `{urn}`");
                let hint = "give it a version of its own if partners use both";
                out.push(Diagnostic::warning(REPLACES, message).at(id).hint(hint));
            }
        }
        sources.push(Arc::new(types));
    }
    for (path, span) in unused {
        let message = format!("`{path}` is no product: it has no `$id`, and no product refers to it");
        let hint = "`$id` is the `@type` by which messages name the product";
        out.push(Diagnostic::warning(UNUSED_FILE, message).at(span).hint(hint));
    }
    sources
}

fn unusable(error: &ImportError, id: Span) -> Diagnostic {
    let message = format!("this product cannot be checked: {error}");
    let words =
        || "a schema is JSON Schema draft-07 as the published ones use it; say it in their words".into();
    let hint = error.near.clone().map_or_else(words, Hint::meant);
    Diagnostic::error(BAD_PRODUCT, message).at(error.span.unwrap_or(id)).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json::Document, sonata::ProductSchema};

    const FIBRE: &str = "$id: urn:globex:lso:spec:sonata:dark-fibre:v1.0.0:all\ntype: object\nrequired: [ pairs ]\n\
                         properties:\n  pairs: { type: integer, minimum: 1 }\n  path: { $ref: 'common/route.yaml#/definitions/Path' }\n";
    const ROUTE: &str = "definitions:\n  Path:\n    type: string\n    enum: [ short, diverse ]\n";

    fn load(files: &[(&str, &str)]) -> (OwnProducts, String) {
        let files = FileSet::of("config", files.iter().copied());
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let own = OwnProducts::load(&files, None, &mut sources, &mut out);
        (own, out.render_text(&sources))
    }

    fn fibre(own: &OwnProducts) -> Option<ProductSchema> {
        own.before(Release::GRACE).resolve("urn:globex:lso:spec:sonata:dark-fibre:v1.0.0:all")
    }

    #[test]
    fn a_dropped_schema_is_bound_by_its_id_beside_the_published_ones() {
        let files = [("products/fibre.yaml", FIBRE), ("products/common/route.yaml", ROUTE)];
        let (own, told) = load(&files);
        assert_eq!(told, "");
        let schema = fibre(&own).unwrap();
        let members: Vec<&str> = schema.view().members().map(|member| member.name).collect();
        assert_eq!(members, ["pairs", "path"]);
        assert!(own.before(Release::GRACE).known("access-eline-ovc").is_some());
        let json = r#"{ "$id": "urn:x:y:z:a:in-json:v1:all", "type": "object", "properties": { "a": { "type": "string" } } }"#;
        let (own, told) = load(&[("products/a.json", json)]);
        assert_eq!(told, "");
        assert!(own.before(Release::GRACE).known("in-json").is_some());
        assert!(Document::from_text(json).is_ok());
    }

    #[test]
    fn everything_wrong_is_told_at_once_at_its_place() {
        let files = [
            ("products/a.yaml", "$id: urn:a\nproperties:\n  n:\n    type: integer\n    multipleOf: 2\n"),
            ("products/b.yaml", "$id: urn:b\nproperties:\n  n: { type: string, pattern: '(' }\n"),
            ("products/c.yaml", "$id: urn:c\nproperties:\n  n: { $ref: 'nowhere.yaml#/definitions/N' }\n"),
            ("products/d.yaml", "$id: urn:d\ntype: object\n"),
            ("products/e.yaml", "$id: urn:d\ntype: object\n"),
            (
                "products/f.yaml",
                "$id: urn:f\ntype: object\nproperties:\n  a: { type: integer, minimum: '96' }\n",
            ),
            (
                "products/g.yaml",
                "$id: urn:g\ntype: object\nproperties:\n  a: { type: integer, maximum: 96O }\n",
            ),
        ];
        let (_, told) = load(&files);
        for needle in [
            "unknown keyword multipleOf",
            "config/products/a.yaml:5:5",
            "config/products/b.yaml:1:6",
            "no definition N",
            "`urn:d` is the `$id` of another file",
            "minimum 96 is no number, as it stands in quotes",
            "config/products/f.yaml:4:32",
            "maximum 96O is no number",
            "config/products/g.yaml:4:32",
        ] {
            assert!(told.contains(needle), "{needle}:\n{told}");
        }
        assert_eq!(told.matches("error[P107]").count(), 6, "{told}");
    }

    #[test]
    fn what_is_of_no_use_or_takes_a_published_place_is_said() {
        let published = catalogue().products(Release::GRACE);
        let urn = published.known("access-eline-ovc").unwrap().urn().to_owned();
        let own_version = format!("$id: {urn}\ntype: object\nproperties:\n  a: {{ type: string }}\n");
        let (own, told) = load(&[("products/ovc.yaml", &own_version), ("products/left.yaml", ROUTE)]);
        assert!(told.contains("P108") && told.contains("P109"), "{told}");
        let members = own.before(Release::GRACE).resolve(&urn).unwrap();
        assert_eq!(members.view().members().count(), 1, "the dropped one wins");
    }

    #[test]
    fn unchanged_texts_are_not_read_again() {
        let files =
            FileSet::of("config", [("products/fibre.yaml", FIBRE), ("products/common/route.yaml", ROUTE)]);
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let first = OwnProducts::load(&files, None, &mut sources, &mut out);
        let again = OwnProducts::load(&files, Some(&first), &mut sources, &mut out);
        assert!(Arc::ptr_eq(&first.sources[0], &again.sources[0]));
    }
}
