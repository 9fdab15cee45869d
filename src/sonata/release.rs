//! Releases of the SDK and functions of Sonata: the two names that a contract is looked up by.

use std::fmt;

/// A dated bundle of interface versions, as the SDK names it.
///
/// A release is a row of data: its name and date here, and its contracts in the index of facts
/// ([`super::Catalogue`]). Nothing else in the program has to be told of a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release(u8);

/// Names and months of publication, oldest first; a [`Release`] is an index into this.
const RELEASES: [(&str, &str); 7] = [
    ("billie", "2021-06"),
    ("celine", "2022-01"),
    ("dolly", "2022-06"),
    ("ella", "2023-01"),
    ("fergie", "2023-06"),
    ("grace", "2023-12"),
    ("kylie", "2026-02"),
];

impl Release {
    /// The release by whose guides the tables of rules, events and entities are numbered and named.
    pub const GRACE: Self = Self(5);

    /// All releases, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(&RELEASES).map(|(index, _)| Self(index))
    }

    /// The release of this name; `None` if it is none that Segue knows.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|release| release.as_str() == name)
    }

    /// The SDK's own name, in lower case.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// Year and month of its publication, such as `2023-12`.
    pub fn published(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str) {
        RELEASES.get(usize::from(self.0)).copied().unwrap_or(RELEASES[0])
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One API of Sonata: one interface file, one segment of the path, one version.
///
/// Notification APIs are functions of their own: the other party serves them, under another segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Function(u8);

/// What is fixed about a function whatever the release.
struct Row {
    name: &'static str,
    /// Stem of the SDK's interface file, without `.api.yaml`.
    file: &'static str,
}

const fn row(name: &'static str, file: &'static str) -> Row {
    Row { name, file }
}

/// All functions; a [`Function`] is an index into this.
const FUNCTIONS: [Row; 23] = [
    row("address", "geographicAddressManagement"),
    row("site", "geographicSiteManagement"),
    row("poq", "productOfferingQualificationManagement"),
    row("quote", "quoteManagement"),
    row("order", "productOrderManagement"),
    row("inventory", "productInventoryManagement"),
    row("troubleTicket", "troubleTicketManagement"),
    row("appointment", "appointmentManagement"),
    row("workOrder", "workorderManagement"),
    row("billing", "billingManagement"),
    row("catalog", "productCatalog"),
    row("availabilityPricing", "productOfferingAvailabilityAndPricingDiscovery"),
    row("impairment", "circuitImpairmentAndMaintenance"),
    row("addressNotification", "geographicAddressNotification"),
    row("poqNotification", "productOfferingQualificationNotification"),
    row("quoteNotification", "quoteNotification"),
    row("orderNotification", "productOrderNotification"),
    row("troubleTicketNotification", "troubleTicketNotification"),
    row("appointmentNotification", "appointmentNotification"),
    row("workOrderNotification", "workorderNotification"),
    row("billingNotification", "billingNotification"),
    row("catalogNotification", "productCatalogNotification"),
    row("impairmentNotification", "circuitImpairmentAndMaintenanceNotification"),
];

impl Function {
    /// Validation and retrieval of geographic addresses (MEF 121).
    pub const ADDRESS: Self = Self(0);
    /// Service sites (MEF 122).
    pub const SITE: Self = Self(1);
    /// Product offering qualification (MEF 87).
    pub const POQ: Self = Self(2);
    /// Quotes (MEF 115).
    pub const QUOTE: Self = Self(3);
    /// Product orders, their cancellation, charges and delivery dates (MEF 123).
    pub const ORDER: Self = Self(4);
    /// Product inventory (MEF 116).
    pub const INVENTORY: Self = Self(5);
    /// Trouble tickets and incidents (MEF 124).
    pub const TROUBLE_TICKET: Self = Self(6);
    /// Appointments (MEF 137).
    pub const APPOINTMENT: Self = Self(7);
    /// Work orders (MEF 137).
    pub const WORK_ORDER: Self = Self(8);
    /// Customer bills (MEF 141).
    pub const BILLING: Self = Self(9);
    /// Product catalogue (MEF 142).
    pub const CATALOG: Self = Self(10);
    /// Availability and pricing discovery (MEF 160).
    pub const AVAILABILITY_PRICING: Self = Self(11);

    /// All functions of all releases, notification APIs last.
    pub fn all() -> impl Iterator<Item = Self> {
        (0u8..).zip(&FUNCTIONS).map(|(index, _)| Self(index))
    }

    /// The function of this name, as mappings, configuration and the command line write it.
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|function| function.name() == name)
    }

    /// The function that an interface file of the SDK describes, by the file's stem.
    pub(super) fn of_file(stem: &str) -> Option<Self> {
        Self::all().find(|function| function.row().file == stem)
    }

    /// The name in mappings, configuration and on the command line, such as `quote`.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Whether this is an API by which one party tells the other of events (`/listener/…`).
    pub fn is_notification(self) -> bool {
        self.name().ends_with("Notification")
    }

    /// The notification API that belongs to this function, if there may be one.
    pub fn notification(self) -> Option<Self> {
        let name = format!("{}Notification", self.name());
        Self::parse(&name)
    }

    fn row(self) -> &'static Row {
        FUNCTIONS.get(usize::from(self.0)).unwrap_or(&FUNCTIONS[0])
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for function in Function::all() {
            assert_eq!(Function::parse(function.name()), Some(function));
        }
        for release in Release::all() {
            assert_eq!(Release::parse(release.as_str()), Some(release));
        }
        assert_eq!(Release::GRACE.as_str(), "grace");
        assert!(RELEASES.is_sorted_by_key(|(_, published)| published));
        assert_eq!(Function::parse("Quote"), None);
    }

    #[test]
    fn constants_name_their_rows() {
        assert_eq!(Function::ORDER.name(), "order");
        assert_eq!(Function::AVAILABILITY_PRICING.name(), "availabilityPricing");
        assert_eq!(Function::QUOTE.notification().map(Function::name), Some("quoteNotification"));
        assert_eq!(Function::SITE.notification(), None);
    }
}
