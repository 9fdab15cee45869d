//! `partners/NAME.yaml`: one trading relationship.

use super::{
    Backend, Custody, Idempotency, Identify, Notifications, Operations, Policy, Polling, Route, Rules, code,
    custody, later,
    read::{Context, is_name, name_of},
    route, tree, words,
};
use crate::{
    ids::{BackendId, BuyerId, IdError, PartnerId, SellerId},
    json::Document,
    sonata::{Function, Release, entity::EntityKind},
    text::{
        Diagnostic, Diagnostics, Spanned,
        yaml::{Fields, Node, Scalar, text_of},
    },
};
use std::collections::BTreeMap;

/// One trading relationship.
#[derive(Debug, Clone)]
pub struct Partner {
    /// Its name, which is the file's.
    pub id: PartnerId,
    /// How it is known when it calls.
    pub identify: Spanned<Identify>,
    /// What we are to them.
    pub side: Side,
    /// Where we call it, and how; it buys from us where there is none.
    pub endpoint: Option<Backend>,
    /// How what is bought of it is followed where it has no hub; none: it tells us.
    pub polling: Option<Polling>,
    /// What stands before `/mefApi` in the paths of this partner: empty, or `/segment` once or more.
    pub base_path: String,
    /// Which release it speaks.
    pub releases: Releases,
    /// The mapping set, a folder below `mappings/`; an overlay in `mappings/partners/` applies where present.
    pub mapping: Spanned<String>,
    /// For whom each side speaks.
    pub represents: Represents,
    /// Where its exchanges go; the first that matches.
    pub routes: Vec<Route>,
    /// Operations that are not simply mediated.
    pub operations: Operations,
    /// Who answers for entities of a kind; the legacy system for what is not named.
    pub custody: BTreeMap<EntityKind, Custody>,
    /// How strict we are.
    pub policy: Policy,
    /// Whether and how it is told of what changes.
    pub notifications: Option<Notifications>,
    /// How strict we are about single paragraphs of the guides, and what was agreed on.
    pub rules: Rules,
    /// By what its repeated requests are known again.
    pub idempotency: Idempotency,
    /// Product types that it names otherwise: its name, and the type (a URN or a product's short name) that is meant.
    /// Whether the type exists is for the `plan` to say.
    pub type_aliases: Vec<(Spanned<String>, Spanned<String>)>,
    /// What mappings read as `facts.partner`: account, currency, desk, anything.
    pub settings: Document,
}

/// What the gateway's owner is to a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The partner buys: it calls, our legacy systems answer.
    Seller,
    /// The partner sells: our procurement system calls, the partner answers.
    Buyer,
}

/// Which release a partner speaks. Not derivable from the URL: several releases share one path version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releases {
    /// For all functions without their own.
    pub default: Spanned<Release>,
    /// For single functions.
    pub functions: BTreeMap<Function, Spanned<Release>>,
}

impl Releases {
    /// The release of a function.
    pub fn of(&self, function: Function) -> Release {
        self.functions.get(&function).unwrap_or(&self.default).value
    }
}

/// For whom each side speaks: decides over `buyerId` and `sellerId` (MEF 115 R1 to R4 and siblings).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Represents {
    /// Buyers that the partner speaks for.
    pub buyers: Represented<BuyerId>,
    /// Sellers that we speak for.
    pub sellers: Represented<SellerId>,
}

/// One or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Represented<T> {
    /// Exactly one: the parameter is forbidden.
    One,
    /// Several: the parameter is required and must be one of these.
    Several(Vec<T>),
}

impl Partner {
    pub(super) fn read(
        node: &Node,
        stem: &str,
        context: &Context<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a partner file", out)?;
        let id = name_of(&mut fields, "partner", stem, out).and_then(|name| PartnerId::parse(name).ok());
        let identify = fields.require("identify", out).and_then(|node| Identify::read(node, context, out));
        let side = side(&mut fields, out);
        let endpoint = endpoint(&mut fields, side, id.as_ref(), context, out);
        let polling = Polling::read(&mut fields, side, out);
        let base_path = fields.take("base_path").and_then(|node| base_path(node, out)).unwrap_or_default();
        let releases = fields.require("release", out).and_then(|node| releases(node, out));
        let mapping = fields.require_scalar("mapping", out);
        let mapping = mapping.filter(|scalar| is_name(&scalar.text, scalar.span(), out));
        let represents = Represents::read(fields.take("represents"), out);
        let routes = route::routes(&mut fields, &represents, context, out);
        if let Some(mapping) =
            mapping.filter(|_| !routes.is_empty() && routes.iter().all(|route| route.mapping.is_some()))
        {
            let message = format!("no route speaks `{}`", mapping.text);
            let fault = Diagnostic::warning(code::ROUTES, message).at(mapping.span());
            out.push(fault.hint("each has a `mapping` of its own; name one of them here"));
        }
        let operations = Operations::read(fields.mapping("operations", out).unwrap_or_default(), out);
        let policy = Policy::read(fields.take("policy"), out);
        let notifications = Notifications::read(fields.take("notifications"), context, out);
        let rules = Rules::read(&mut fields, releases.as_ref(), policy.on_demand, out);
        let idempotency = Idempotency::read(fields.take("idempotency"), releases.as_ref(), out);
        let type_aliases = type_aliases(&mut fields, out);
        let settings = fields.take("settings").filter(|node| !node.is_absent());
        let settings = settings.map_or_else(tree::empty, tree::document);
        let custody = custody::read(&mut fields, out);
        fields.finish(out);
        Some(Self {
            custody,
            id: id?,
            identify: identify?,
            side,
            endpoint,
            polling,
            base_path,
            releases: releases?,
            mapping: mapping.map(|scalar| Spanned::new(scalar.text.clone(), scalar.span()))?,
            represents,
            routes,
            operations,
            policy,
            notifications,
            rules,
            idempotency,
            type_aliases,
            settings,
        })
    }
}

fn side(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Side {
    let entry = fields.entry("side");
    let sides = [("seller", Some(Side::Seller)), ("buyer", Some(Side::Buyer)), ("both", None)];
    match (fields.choice("side", &sides, out), entry) {
        (Some(None), Some(entry)) => {
            let hint = "write two files: one for what it buys (`seller`), one for what it sells (`buyer`)";
            out.push(later("both sides in one file", entry.value.span).hint(hint));
        }
        (Some(Some(side)), _) => return side,
        (_, None) => fields.missing_as("side", "seller", ", or `buyer` where we buy from the partner", out),
        _ => {}
    }
    Side::Seller
}

/// Where we call a partner that sells to us.
fn endpoint(
    fields: &mut Fields<'_>,
    side: Side,
    partner: Option<&PartnerId>,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> Option<Backend> {
    let Some(entry) = fields.entry("endpoint") else {
        if side == Side::Buyer {
            fields.missing("endpoint", out);
        }
        return None;
    };
    let mut inner = Fields::of(&entry.value, "`endpoint`", out)?;
    // No file has a name with a slash, so no backend can be meant by it.
    let id = BackendId::parse(&format!("/{}", partner.map_or("", PartnerId::as_str))).ok()?;
    let endpoint = Backend::reached(&mut inner, id, context, out);
    inner.finish(out);
    if side == Side::Seller {
        let fault = Diagnostic::error(code::ONE_OF, "a partner that buys from us is not called");
        out.push(fault.at(entry.key_span).hint("remove `endpoint`, or write `side: buyer`"));
    }
    endpoint
}

fn base_path(node: &Node, out: &mut Diagnostics) -> Option<String> {
    let text = node.as_text()?.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let mut segments = text.split('/');
    let good = segments.next() == Some("")
        && segments.all(|segment| {
            !segment.is_empty()
                && segment != "."
                && segment != ".."
                && segment != "mefApi"
                && segment.bytes().all(plain)
        });
    if !good {
        let fault = Diagnostic::error(code::BAD_BASE_PATH, "this is no base path").at(node.span);
        out.push(fault.hint("write it as `/name`, or leave it out; `/mefApi` follows by itself"));
    }
    Some(text.to_owned())
}

fn releases(node: &Node, out: &mut Diagnostics) -> Option<Releases> {
    if let Some(scalar) = node.as_scalar().filter(|scalar| !scalar.is_absent()) {
        let name = words::release(&scalar.text, node.span, out)?;
        return Some(Releases { default: Spanned::new(name, node.span), functions: BTreeMap::new() });
    }
    let mut fields = Fields::of(node, "`release`", out)?;
    let default = fields.require_scalar("default", out);
    let default = default.and_then(|scalar| release(scalar, out));
    let mut functions = BTreeMap::new();
    for entry in fields.rest() {
        let function = words::function(&entry.key, entry.key_span, out);
        let release = text_of(&entry.value, &entry.key, out).and_then(|scalar| release(scalar, out));
        if let (Some(function), Some(release)) = (function, release) {
            functions.insert(function, release);
        }
    }
    fields.finish(out);
    Some(Releases { default: default?, functions })
}

fn release(scalar: &Scalar, out: &mut Diagnostics) -> Option<Spanned<Release>> {
    words::release(&scalar.text, scalar.span(), out).map(|name| Spanned::new(name, scalar.span()))
}

impl Represents {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`represents`", out);
        let buyers = represented(&mut fields, "buyers", BuyerId::parse, out);
        let sellers = represented(&mut fields, "sellers", SellerId::parse, out);
        fields.finish(out);
        Self { buyers, sellers }
    }
}

fn represented<T: PartialEq>(
    fields: &mut Fields<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Result<T, IdError>,
    out: &mut Diagnostics,
) -> Represented<T> {
    let Some(nodes) = fields.sequence(key, true, out) else { return Represented::One };
    if let [node] = nodes
        && node.as_text() == Some("one")
    {
        return Represented::One;
    }
    let mut several = Vec::new();
    for node in nodes {
        let Some(scalar) = text_of(node, key, out) else { continue };
        match parse(&scalar.text) {
            Ok(id) if several.contains(&id) => {
                out.push(
                    Diagnostic::error(code::TWICE, format!("`{}` stands twice", scalar.text)).at(node.span),
                );
            }
            Ok(id) => several.push(id),
            Err(error) => out.push(Diagnostic::error(code::BAD_NAME, error.to_string()).at(node.span)),
        }
    }
    Represented::Several(several)
}

fn type_aliases(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Vec<(Spanned<String>, Spanned<String>)> {
    let mut aliases = Vec::new();
    for entry in fields.mapping("type_aliases", out).unwrap_or_default() {
        let Some(target) = text_of(&entry.value, &entry.key, out) else { continue };
        let plain = |byte: u8| byte.is_ascii_graphic();
        for (text, span) in [(&entry.key, entry.key_span), (&target.text, target.span())] {
            if !text.bytes().all(plain) {
                let fault =
                    Diagnostic::error(code::BAD_TYPE, format!("`{text}` is no product type")).at(span);
                out.push(fault.hint("write the URN, or on the right side the product's short name"));
            }
        }
        if entry.key == target.text {
            let fault = Diagnostic::error(code::BAD_TYPE, "a type is no alias of itself").at(target.span());
            out.push(fault.hint("remove the line"));
        }
        let alias = Spanned::new(entry.key.clone(), entry.key_span);
        aliases.push((alias, Spanned::new(target.text.clone(), target.span())));
    }
    aliases
}
