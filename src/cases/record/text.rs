//! Masking what is no JSON: XML by its elements, forms and addresses by their parameters, other texts as a whole.

use std::borrow::Cow;

use super::Masker;

/// Looks for what is masked by its name.
pub(super) fn learn(text: &str, masker: &mut Masker) {
    if is_xml(text) {
        walk(text, |path, inner| {
            masker.learn_named(path, &unescaped(inner));
            None
        });
    } else if let Some(pairs) = form(text) {
        for (name, value) in &pairs {
            masker.learn_named(std::slice::from_ref(name), value);
        }
    }
}

/// The text with everything masked that is to be.
pub(super) fn masked(text: &str, masker: &Masker) -> String {
    if is_xml(text) {
        return walk(text, |path, inner| {
            let plain = unescaped(inner);
            let masked = masker.mask_named(path, &plain);
            (masked != plain).then(|| escaped(&masked))
        });
    }
    match form(text) {
        Some(pairs) => encoded(&pairs, masker),
        None => masker.mask_text(text),
    }
}

/// Path and query, the values of the query masked.
pub(super) fn address(path: &str, masker: &Masker) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    // What stays as it is stays to the letter.
    if pairs.iter().all(|(_, value)| masker.mask_text(value) == *value) {
        return format!("{path}?{query}");
    }
    format!("{path}?{}", encoded(&pairs, masker))
}

fn is_xml(text: &str) -> bool {
    text.trim_start().starts_with('<')
}

/// A form has names and values and no blanks.
fn form(text: &str) -> Option<Vec<(String, String)>> {
    let is_form = text.contains('=') && !text.contains(|c: char| c.is_whitespace() || c == '<' || c == '{');
    is_form.then(|| form_urlencoded::parse(text.as_bytes()).into_owned().collect())
}

fn encoded(pairs: &[(String, String)], masker: &Masker) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(
        pairs.iter().map(|(name, value)| (name, masker.mask_named(std::slice::from_ref(name), value))),
    );
    out.finish()
}

/// Goes through the texts of an XML document and the values of its attributes, with the local names of the elements
/// around; writes what comes back in the place of a text.
fn walk(text: &str, mut each: impl FnMut(&[String], &str) -> Option<String>) -> String {
    let (mut out, mut path) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let (inner, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        out.push_str(&each(&path, inner).unwrap_or_else(|| inner.to_owned()));
        let (tag, after) = tag.split_at(tag.find('>').map_or(tag.len(), |end| end + 1));
        attributes(tag, &mut out, &mut |value| each(&[], value));
        if tag.starts_with("</") {
            path.pop();
        } else if !tag.is_empty() && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!")
        {
            let name =
                tag.trim_start_matches('<').split([' ', '>', '\n', '\t', '\r']).next().unwrap_or_default();
            path.push(name.rsplit(':').next().unwrap_or_default().to_owned());
        }
        rest = after;
    }
    out
}

/// A tag with what comes back in the place of each value; names and namespaces stay.
fn attributes(tag: &str, out: &mut String, each: &mut dyn FnMut(&str) -> Option<String>) {
    let mut rest = tag;
    while let Some(start) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(start);
        let quote = if quoted.starts_with('"') { '"' } else { '\'' };
        let inner = quoted.get(1..).unwrap_or_default();
        let (value, after) = inner.split_at(inner.find(quote).unwrap_or(inner.len()));
        let name = before.trim_end_matches(['=', ' ']).rsplit([' ', '\n', '\t']).next().unwrap_or_default();
        let masked = if name.starts_with("xmlns") { None } else { each(value) };
        out.push_str(before);
        out.push(quote);
        out.push_str(masked.as_deref().unwrap_or(value));
        rest = match after.strip_prefix(quote) {
            Some(after) => {
                out.push(quote);
                after
            }
            None => after,
        };
    }
    out.push_str(rest);
}

fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    Cow::Owned(text.replace("&amp;", "&"))
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn masker() -> Masker {
        let mut masker = Masker::new([3; 32], &["Firm".to_owned(), "tel".to_owned()]);
        masker
            .learn(&Document::from_text(r#"{"emailAddress":"ada@b.example","name":"Ada & Buyer"}"#).unwrap());
        masker
    }

    #[test]
    fn xml_is_masked_by_what_was_learned_and_by_its_elements() {
        let mut masker = masker();
        let text = "<a:Row xmlns:a='urn:Buyer' xmlns:b='b' x=\"Ada\"><Buyer/><a:Name>Ada &amp; Buyer</a:Name><b:Firm>Globex Inc</b:Firm><Say>Globex &lt; 1</Say><No>10</No></a:Row>";
        learn(text, &mut masker);
        let masked = masked(text, &masker);
        assert!(masked.contains("<Buyer/>") && masked.contains("'urn:Buyer'"), "{masked}");
        for word in ["Ada", "Buyer<", "Globex"] {
            assert!(!masked.contains(word), "{word}: {masked}");
        }
        assert!(
            masked.contains("<No>10</No>") && masked.contains(" &amp; ") && masked.contains(" &lt; 1"),
            "{masked}"
        );
        assert!(crate::format::lines(&masked).is_ok(), "{masked}");
        assert_eq!(crate::format::lines(text).unwrap().len(), crate::format::lines(&masked).unwrap().len());
    }

    #[test]
    fn forms_and_addresses_keep_what_is_not_masked_to_the_letter() {
        let mut masker = masker();
        learn("tel=12345&sku=A%20B", &mut masker);
        let form = masked("tel=12345&sku=A%20B", &masker);
        assert!(!form.contains("12345") && form.ends_with("&sku=A+B"), "{form}");
        assert_eq!(address("/a?x=A%20B", &masker), "/a?x=A%20B");
        assert!(!address("/a?x=ada%40b.example", &masker).contains("ada"));
        assert_eq!(address("/Ada/b", &masker), "/Ada/b");
        assert_eq!(masked("plain Buyer", &masker).split(' ').next(), Some("plain"));
    }
}
