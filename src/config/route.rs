//! `routes:` of a partner: to which legacy system an exchange goes, and in which language it is spoken to.

use super::{
    Represented, Represents, code,
    read::{Context, is_name},
    words,
};
use crate::{
    ids::BackendId,
    json::query::Condition,
    sonata::Function,
    text::{
        Diagnostic, Diagnostics, Hint, Span, Spanned,
        yaml::{Fields, Node, Scalar, text_of},
    },
};

/// One way to a legacy system. All words that are written must hold; a list that is empty was not written.
#[derive(Debug, Clone)]
pub struct Route {
    /// The whole route.
    pub span: Span,
    /// `if`: a bare condition on the request, `@` and `$` being its body; `None` always matches.
    pub condition: Option<Spanned<Condition>>,
    /// `buyers`: values of `buyerId`; the partner represents them.
    pub buyers: Vec<String>,
    /// `sellers`: values of `sellerId`; we represent them.
    pub sellers: Vec<String>,
    /// `operations`: functions, or operations of one. Whether an operation exists is for the `plan` to say.
    pub operations: Vec<OperationName>,
    /// `products`: URNs or short names. Whether they exist is for the `plan` to say.
    pub products: Vec<Spanned<String>>,
    /// `new`: whether it takes what begins something. If not, it serves what its backend keeps already, and lists.
    pub takes_new: bool,
    /// The backend; it exists.
    pub backend: Spanned<BackendId>,
    /// The mapping set; none: the partner's.
    pub mapping: Option<Spanned<String>>,
}

/// A function as a whole, or one operation of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationName {
    /// The function.
    pub function: Function,
    /// The operationId; none: all of the function.
    pub operation_id: Option<Spanned<String>>,
}

impl OperationName {
    /// Reads `function` or `function.operationId`.
    pub(super) fn read(text: &str, span: Span, out: &mut Diagnostics) -> Option<Self> {
        let (function, id) = match text.split_once('.') {
            Some((function, id)) => (function, Some(id)),
            None => (text, None),
        };
        let function = words::function(function, span, out);
        if id.is_some_and(|id| id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
            let hint = "write `function` or `function.operationId`, such as `order.createProductOrder`";
            let message = format!("`{text}` names no operation");
            out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(span).hint(hint));
            return None;
        }
        let operation_id = id.map(|id| Spanned::new(id.to_owned(), span));
        Some(Self { function: function?, operation_id })
    }

    /// Whether it names this operation.
    #[must_use]
    pub fn names(&self, function: Function, operation_id: &str) -> bool {
        self.function == function && self.operation_id.as_ref().is_none_or(|own| own.value == operation_id)
    }

    fn covers(&self, other: &Self) -> bool {
        let id = |name: &Self| name.operation_id.as_ref().map(|id| id.value.clone());
        self.function == other.function && (self.operation_id.is_none() || id(self) == id(other))
    }
}

impl Route {
    fn read(
        node: &Node,
        represents: &Represents,
        context: &Context<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a route", out)?;
        let condition = fields.scalar("if", out).and_then(|scalar| condition(scalar, out));
        let buyers = parties(&mut fields, "buyers", &names(&represents.buyers, |id| id.as_str()), out);
        let sellers = parties(&mut fields, "sellers", &names(&represents.sellers, |id| id.as_str()), out);
        let operations = list(&mut fields, "operations", out);
        let operations =
            operations.iter().filter_map(|text| OperationName::read(&text.value, text.span, out)).collect();
        let products = list(&mut fields, "products", out);
        let takes_new = fields.boolean("new", out).unwrap_or(true);
        let mapping =
            fields.scalar("mapping", out).filter(|scalar| is_name(&scalar.text, scalar.span(), out));
        let backend = fields.require_scalar("backend", out);
        fields.finish(out);
        let backend = backend.filter(|scalar| context.is_backend(&scalar.text, scalar.span(), out))?;
        Some(Self {
            span: node.span,
            condition,
            buyers,
            sellers,
            operations,
            products,
            takes_new,
            backend: Spanned::new(BackendId::parse(&backend.text).ok()?, backend.span()),
            mapping: mapping.map(|scalar| Spanned::new(scalar.text.clone(), scalar.span())),
        })
    }

    /// Whether it has no word that a request could fail.
    fn takes_all(&self) -> bool {
        self.condition.is_none()
            && self.buyers.is_empty()
            && self.sellers.is_empty()
            && self.operations.is_empty()
            && self.products.is_empty()
    }

    /// Whether it takes whatever the other would.
    fn covers(&self, other: &Self) -> bool {
        fn all<T>(own: &[T], other: &[T], covers: impl Fn(&T, &T) -> bool) -> bool {
            own.is_empty()
                || (!other.is_empty()
                    && other.iter().all(|theirs| own.iter().any(|ours| covers(ours, theirs))))
        }
        let text = |route: &Self| route.condition.as_ref().map(|condition| condition.value.text().to_owned());
        self.takes_new
            && (self.condition.is_none() || text(self) == text(other))
            && all(&self.buyers, &other.buyers, |own, theirs| own == theirs)
            && all(&self.sellers, &other.sellers, |own, theirs| own == theirs)
            && all(&self.operations, &other.operations, OperationName::covers)
            && all(&self.products, &other.products, |own, theirs| own.value == theirs.value)
    }
}

/// The routes of a partner, in order.
pub(super) fn routes(
    fields: &mut Fields<'_>,
    represents: &Represents,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    let Some(node) = fields.require("routes", out) else { return routes };
    let Some(nodes) = node.as_sequence().filter(|nodes| !nodes.is_empty()) else {
        let hint = "write `routes: [ { backend: NAME } ]`; the first that matches is taken";
        let fault = Diagnostic::error(code::ROUTES, "a partner has at least one route").at(node.span);
        out.push(fault.hint(hint));
        return routes;
    };
    // What is wrong in itself says nothing about what it takes.
    let mut sound: Vec<bool> = Vec::new();
    for node in nodes {
        let faults = out.error_count();
        let Some(route) = Route::read(node, represents, context, out) else { continue };
        let is_sound = out.error_count() == faults;
        let before = routes.iter().zip(&sound).find(|(before, before_is_sound)| {
            is_sound && **before_is_sound && route.takes_new && before.covers(&route)
        });
        let before = before.map(|(before, _)| before);
        if let Some(before) = before {
            let hint = if before.takes_all() {
                "the route without conditions before it takes everything; put it last, or write `new: false` here if \
                 its backend only keeps what it has"
            } else {
                "a route before it takes all of this"
            };
            out.push(Diagnostic::error(code::ROUTES, "this route is never taken").at(node.span).hint(hint));
        }
        routes.push(route);
        sound.push(is_sound);
    }
    if !routes.is_empty() && routes.iter().all(|route| !route.takes_new) {
        let fault = Diagnostic::error(code::ROUTES, "no route takes anything new").at(node.span);
        out.push(fault.hint("leave `new: false` out of one of them"));
    }
    routes
}

fn condition(scalar: &Scalar, out: &mut Diagnostics) -> Option<Spanned<Condition>> {
    match Condition::parse(&scalar.text) {
        Ok(condition) => Some(Spanned::new(condition, scalar.span())),
        Err(error) => {
            let next = scalar.text.get(error.offset..).and_then(|rest| rest.chars().next());
            let place = error.offset..error.offset + next.map_or(0, char::len_utf8);
            let fault = Diagnostic::error(code::BAD_CONDITION, error.message).at(scalar.span_of(place));
            out.push(
                fault.hint(
                    "a condition is what RFC 9535 allows after `?`, such as \"@.country == 'Germany'\"",
                ),
            );
            None
        }
    }
}

/// The texts of a list that has some, each once.
fn list(fields: &mut Fields<'_>, key: &'static str, out: &mut Diagnostics) -> Vec<Spanned<String>> {
    let span = fields.span();
    let Some(nodes) = fields.sequence(key, true, out) else { return Vec::new() };
    if let (true, Some(span)) = (nodes.is_empty(), span) {
        let fault = Diagnostic::error(code::ROUTES, format!("`{key}` of a route is empty")).at(span);
        out.push(fault.hint("leave it out: then it does not count"));
    }
    let mut texts: Vec<Spanned<String>> = Vec::new();
    for node in nodes {
        let Some(scalar) = text_of(node, key, out) else { continue };
        if texts.iter().any(|text| text.value == scalar.text) {
            let message = format!("`{}` stands twice", scalar.text);
            out.push(Diagnostic::error(code::TWICE, message).at(node.span));
        } else {
            texts.push(Spanned::new(scalar.text.clone(), node.span));
        }
    }
    texts
}

/// Legal entities, each one of those that are represented.
fn parties(fields: &mut Fields<'_>, key: &'static str, known: &[&str], out: &mut Diagnostics) -> Vec<String> {
    let texts = list(fields, key, out);
    for text in texts.iter().filter(|text| !known.contains(&text.value.as_str())) {
        let message = format!("`{}` is none of the {key} in `represents`", text.value);
        let near = crate::text::suggest(&text.value, known.iter().copied());
        let hint = match near {
            Some(near) => Hint::meant(near),
            None if known.is_empty() => format!("name them there: `represents: {{ {key}: [ … ] }}`").into(),
            None => format!("known: {}", known.join(", ")).into(),
        };
        out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(text.span).hint(hint));
    }
    texts.into_iter().map(|text| text.value).collect()
}

fn names<T>(represented: &Represented<T>, text: impl Fn(&T) -> &str) -> Vec<&str> {
    match represented {
        Represented::One => Vec::new(),
        Represented::Several(ids) => ids.iter().map(text).collect(),
    }
}
