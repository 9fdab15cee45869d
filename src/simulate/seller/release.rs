//! What differs between the releases that a Seller may speak: where things are, and what kylie words otherwise.

/// A release, as far as this Seller serves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: &'static str,
    /// Versions in the paths of addresses, quotes and orders.
    pub(super) versions: [&'static str; 3],
    /// Where a Buyer listens for events of quotes and orders: segment and version.
    pub(super) listeners: [&'static str; 2],
    /// What ends an offer that is not wanted.
    pub(super) decline: &'static str,
    /// Whether addresses have representations, items their history and events their state: kylie's words.
    pub(super) is_new: bool,
}

const fn old(name: &'static str, versions: [&'static str; 3], listeners: [&'static str; 2]) -> Release {
    Release { name, versions, listeners, decline: "rejectQuote", is_new: false }
}

/// All of them, oldest first.
const RELEASES: [Release; 7] = [
    old("billie", ["v7", "v7", "v7"], ["quoteNotification/v7", "productOrderNotification/v7"]),
    old("celine", ["v7", "v8", "v8"], ["quoteNotification/v8", "productOrderingManagement/v8"]),
    old("dolly", ["v7", "v8", "v9"], ["quoteNotification/v8", "productOrderingNotification/v9"]),
    old("ella", ["v7", "v8", "v10"], ["quoteNotification/v8", "productOrderingNotification/v10"]),
    old("fergie", ["v7", "v8", "v10"], ["quoteNotification/v8", "productOrderingNotification/v10"]),
    GRACE,
    Release {
        decline: "declineQuote",
        is_new: true,
        ..old("kylie", ["v8", "v10", "v11"], ["quoteNotification/v10", "productOrderingNotification/v11"])
    },
];

const GRACE: Release =
    old("grace", ["v7", "v8", "v10"], ["quoteNotification/v8", "productOrderingNotification/v10"]);

impl Release {
    /// That of the demonstration.
    pub const GRACE: Self = GRACE;

    /// The release of this name; none where this Seller does not speak it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        RELEASES.into_iter().find(|release| release.name == name)
    }

    /// All releases that it speaks, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        RELEASES.into_iter()
    }

    /// The version in the paths of an API; none of one that is not served.
    pub(super) fn version(self, api: &str) -> Option<&'static str> {
        let [address, quote, order] = self.versions;
        match api {
            "geographicAddressManagement" => Some(address),
            "quoteManagement" => Some(quote),
            "productOrderingManagement" => Some(order),
            _ => None,
        }
    }
}
