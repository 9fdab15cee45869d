//! Headers of a message: made into texts when something asks for one, which few programs do.

use std::{
    ops::Deref,
    sync::{LazyLock, OnceLock},
};

use http::{HeaderMap, HeaderName, header};

/// Headers, names in lower case; what is no text is left out.
#[derive(Debug, Default)]
pub struct Headers {
    map: HeaderMap,
    /// Names that are not shown.
    hidden: &'static [HeaderName],
    pairs: OnceLock<Vec<(String, String)>>,
}

/// Headers in which a partner's credentials stand.
const SECRET: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];

impl Headers {
    /// All of these.
    #[must_use]
    pub fn new(map: HeaderMap) -> Self {
        Self { map, ..Self::default() }
    }

    /// These without those in which credentials stand.
    #[must_use]
    pub fn open(map: HeaderMap) -> Self {
        Self { map, hidden: &SECRET, pairs: OnceLock::new() }
    }

    /// No headers.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: LazyLock<Headers> = LazyLock::new(Headers::default);
        &NONE
    }
}

impl Deref for Headers {
    type Target = [(String, String)];

    fn deref(&self) -> &[(String, String)] {
        self.pairs.get_or_init(|| {
            let shown = self.map.iter().filter(|(name, _)| !self.hidden.contains(name));
            shown
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn credentials_and_what_is_no_text_are_not_shown() {
        let value = HeaderValue::from_static;
        let mut map = HeaderMap::new();
        map.append("x-a", value("1"));
        map.append("x-a", value("2"));
        map.append("cookie", value("secret"));
        map.append("x-b", HeaderValue::from_bytes(&[0xff]).unwrap());
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(*Headers::open(map.clone()), [pair("x-a", "1"), pair("x-a", "2")]);
        assert_eq!(*Headers::new(map), [pair("x-a", "1"), pair("x-a", "2"), pair("cookie", "secret")]);
        assert!(Headers::none().is_empty());
    }
}
