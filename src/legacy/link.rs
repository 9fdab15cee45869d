//! Links in a header of an answer (RFC 8288), and how far one is followed.
//!
//! A link is a legacy system's word about where to go next. It is followed on that system alone: same scheme, host
//! and port, and below the base path that the configuration names.

use http::{Uri, uri::PathAndQuery};

use super::BaseUrl;

/// The target of the first link with this relation, in the value of a `Link` header.
#[must_use]
pub fn link_target<'h>(header: &'h str, relation: &str) -> Option<&'h str> {
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']).strip_prefix('<')?;
        let (target, after) = rest.split_once('>')?;
        let (parameters, after) = parameters(after);
        rest = after;
        let rel = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("rel"));
        let about_another = parameters.iter().any(|(name, _)| name.eq_ignore_ascii_case("anchor"));
        let has = |value: &str| value.split_ascii_whitespace().any(|own| own.eq_ignore_ascii_case(relation));
        if !about_another && rel.is_some_and(|(_, value)| has(value)) {
            return Some(target);
        }
    }
}

/// The parameters of one link and what follows it. What is no parameter ends the header.
fn parameters(mut rest: &str) -> (Vec<(&str, &str)>, &str) {
    let mut list = Vec::new();
    while let Some(after) = rest.trim_start_matches([' ', '\t']).strip_prefix(';') {
        let end = after.find(['=', ';', ',']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let Some(value) = after.strip_prefix('=') else {
            list.push((name.trim(), ""));
            rest = after;
            continue;
        };
        let (value, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find([';', ',']).unwrap_or(value.len())),
        };
        list.push((name.trim(), value.trim()));
        rest = after;
    }
    (list, rest)
}

impl BaseUrl {
    /// Path and query of a link below this base, as a call has them; none where it leads elsewhere. `current` is the
    /// path and query of the call whose answer had it.
    #[must_use]
    pub fn followed(&self, link: &str, current: &str) -> Option<String> {
        let link = link.split('#').next().filter(|link| !link.is_empty())?;
        let path = current.split('?').next().unwrap_or_default();
        let scheme_end = link.find(['/', '?']).unwrap_or(link.len());
        let whole = if link.starts_with("//") {
            self.on_origin(&format!("{}:{link}", self.scheme))?
        } else if link.get(..scheme_end)?.contains(':') {
            self.on_origin(link)?
        } else if link.starts_with('/') {
            link.to_owned()
        } else if link.starts_with('?') {
            format!("{}{path}{link}", self.prefix)
        } else {
            let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            format!("{}{folder}{link}", self.prefix)
        };
        let whole: PathAndQuery = whole.parse().ok()?;
        let below = whole.path().strip_prefix(self.prefix.as_str())?;
        if !below.starts_with('/') || below.contains('\\') || below.split('/').any(climbs) {
            return None;
        }
        Some(whole.query().map_or_else(|| below.to_owned(), |query| format!("{below}?{query}")))
    }

    fn on_origin(&self, url: &str) -> Option<String> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = |port: Option<u16>| port.or(if self.is_https() { Some(443) } else { Some(80) });
        let same = uri.scheme() == Some(&self.scheme)
            && authority.host().eq_ignore_ascii_case(self.authority.host())
            && port(authority.port_u16()) == port(self.authority.port_u16());
        same.then(|| uri.path_and_query().map(ToString::to_string)).flatten()
    }
}

/// `.` and `..`, however they are written.
fn climbs(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let rows = [
            ("</a?p=2>; rel=next", Some("/a?p=2")),
            ("</a>; rel=\"prev\", </b>; rel=\"next\"", Some("/b")),
            ("</a>; title=\"x, <y>; rel=next\"; rel=last,</b>;rel=\"last NEXT\"", Some("/b")),
            ("<http://h/a,b;c>; REL=next", Some("http://h/a,b;c")),
            ("</a>; rel=prev; rel=next", None),
            ("</a>; rel=next; anchor=\"/other\"", None),
            ("</a>; rel=nextish, </b>", None),
            ("</a; rel=next", None),
            ("nonsense", None),
            ("</a>; rel=\"next", Some("/a")),
            ("", None),
        ];
        for (header, target) in rows {
            assert_eq!(link_target(header, "next"), target, "{header}");
        }
    }

    #[test]
    fn links_stay_on_their_backend() {
        let base = BaseUrl::parse("http://bss.example:8080/api/v2").unwrap();
        let rows = [
            ("http://bss.example:8080/api/v2/items?after=7", Some("/items?after=7")),
            ("http://BSS.example:8080/api/v2/items", Some("/items")),
            ("//bss.example:8080/api/v2/items", Some("/items")),
            ("/api/v2/items?p=2#part", Some("/items?p=2")),
            ("?p=2", Some("/items/all?p=2")),
            ("more?p=2", Some("/items/more?p=2")),
            ("https://bss.example:8080/api/v2/items", None),
            ("http://bss.example/api/v2/items", None),
            ("http://evil.example:8080/api/v2/items", None),
            ("http://bss.example:8080@evil.example/api/v2/items", None),
            ("http://user@bss.example:8080/api/v2/items", None),
            ("//evil.example/api/v2/items", None),
            ("/api/v20/items", None),
            ("/admin", None),
            ("/api/v2/../admin", None),
            ("/api/v2/%2E%2e/admin", None),
            ("../../admin", None),
            ("/api/v2\\admin", None),
            ("/api/v2/a b", None),
            ("javascript:alert(1)", None),
            ("", None),
        ];
        for (link, expected) in rows {
            let followed = base.followed(link, "/items/all?p=1");
            assert_eq!(followed.as_deref(), expected, "{link}");
        }
        let plain = BaseUrl::parse("https://bss.example").unwrap();
        assert_eq!(plain.followed("https://bss.example:443/x", "/y").as_deref(), Some("/x"));
    }
}
