//! From a path to an operation: any configured prefix, then `/mefApi/sonata/<segment>/v<major>`, then the resource.

use percent_encoding::percent_decode_str;

use crate::sonata::{Contract, Function, Operation};

/// The operation that a request means.
#[derive(Debug)]
pub struct Route<'p> {
    /// The contract of the partner's release.
    pub contract: &'static Contract,
    /// The operation.
    pub operation: &'static Operation,
    /// The `id` of the path, where the operation has one, as received.
    id: Option<&'p str>,
}

/// Why a path means no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteError {
    /// No operation of the partner's releases has this path.
    NoSuchPath,
    /// The path exists with other methods.
    MethodNotAllowed {
        /// Those methods, as the `Allow` header lists them.
        allow: String,
    },
}

impl<'p> Route<'p> {
    pub(super) fn new(
        contract: &'static Contract,
        operation: &'static Operation,
        values: Vec<(&str, &'p str)>,
    ) -> Self {
        let id = values.into_iter().find(|(name, _)| *name == "id").map(|(_, value)| value);
        Self { contract, operation, id }
    }

    /// The way to an operation that no path has named.
    #[must_use]
    pub fn to(contract: &'static Contract, operation: &'static Operation) -> Self {
        Self { contract, operation, id: None }
    }

    /// The same way to another operation.
    #[must_use]
    pub fn meaning(self, contract: &'static Contract, operation: &'static Operation) -> Self {
        Self { contract, operation, ..self }
    }

    /// The function.
    #[must_use]
    pub fn function(&self) -> Function {
        self.contract.function
    }

    /// The `id` of the path, percent-decoded; none where the path has none or it is no UTF-8.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        percent_decode_str(self.id?).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    }
}

/// The parts of a Sonata path.
pub(super) struct PathParts<'p> {
    pub segment: &'p str,
    pub major: &'p str,
    /// The resource, beginning with `/`.
    pub rest: &'p str,
}

pub(super) fn split_path<'p>(base_path: &str, path: &'p str) -> Option<PathParts<'p>> {
    let path = path.strip_prefix(base_path)?.strip_prefix("/mefApi/sonata/")?;
    let (segment, path) = path.split_once('/')?;
    let slash = path.find('/')?;
    let (version, rest) = path.split_at(slash);
    Some(PathParts { segment, major: version.strip_prefix('v')?, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_split() {
        let parts = split_path("", "/mefApi/sonata/quoteManagement/v8/quote/7").unwrap();
        assert_eq!((parts.segment, parts.major, parts.rest), ("quoteManagement", "8", "/quote/7"));
        assert!(split_path("/seg", "/mefApi/sonata/quoteManagement/v8/quote").is_none());
        assert!(split_path("/seg", "/seg/mefApi/sonata/quoteManagement/v8/quote").is_some());
        for path in ["/", "/mefApi/sonata/", "/mefApi/sonata/quoteManagement", "/mefApi/sonata/q/8/quote"] {
            assert!(split_path("", path).is_none(), "{path}");
        }
    }
}
