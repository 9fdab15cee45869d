//! What differs between the releases that Sellers and Buyers are played in: where things are, and the words that changed.

/// The releases in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Billie,
    Celine,
    Dolly,
    Ella,
    Fergie,
    Grace,
    Kylie,
}

/// A function, as paths have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Api {
    Address,
    Site,
    Poq,
    Quote,
    Order,
    Inventory,
    Ticket,
    Appointment,
    WorkOrder,
    Billing,
}

/// Functions and their segments.
const APIS: [(Api, &str); 10] = [
    (Api::Address, "geographicAddressManagement"),
    (Api::Site, "geographicSiteManagement"),
    (Api::Poq, "productOfferingQualification"),
    (Api::Quote, "quoteManagement"),
    (Api::Order, "productOrderingManagement"),
    (Api::Inventory, "productInventory"),
    (Api::Ticket, "troubleTicket"),
    (Api::Appointment, "appointment"),
    (Api::WorkOrder, "workOrderManagement"),
    (Api::Billing, "customerBillManagement"),
];

/// Versions in paths, of the functions in the order of [`APIS`], from the first release to the last; 0: not there.
const VERSIONS: [[u8; 10]; 7] = [
    [7, 7, 7, 7, 7, 7, 1, 0, 0, 0],
    [7, 7, 7, 8, 8, 7, 2, 0, 0, 0],
    [7, 7, 7, 8, 9, 7, 3, 1, 1, 0],
    [7, 7, 7, 8, 10, 7, 4, 2, 2, 1],
    [7, 7, 7, 8, 10, 7, 4, 2, 2, 2],
    [7, 7, 7, 8, 10, 7, 4, 2, 2, 2],
    [8, 8, 8, 10, 11, 8, 5, 3, 3, 3],
];

/// A release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release {
    /// Its name.
    pub name: &'static str,
    pub(super) age: Age,
}

/// All of them, oldest first.
const RELEASES: [Release; 7] = [
    Release { name: "billie", age: Age::Billie },
    Release { name: "celine", age: Age::Celine },
    Release { name: "dolly", age: Age::Dolly },
    Release { name: "ella", age: Age::Ella },
    Release { name: "fergie", age: Age::Fergie },
    Release::GRACE,
    Release { name: "kylie", age: Age::Kylie },
];

impl Release {
    /// That of the demonstration.
    pub const GRACE: Self = Self { name: "grace", age: Age::Grace };

    /// The release of this name; none where it is not played.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        RELEASES.into_iter().find(|release| release.name == name)
    }

    /// All releases that are played, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        RELEASES.into_iter()
    }

    /// Whether addresses have representations, everything its history and events their state: kylie's words.
    pub(super) fn is_new(self) -> bool {
        self.age == Age::Kylie
    }

    /// Whether orders have versions.
    pub(super) fn has_order_versions(self) -> bool {
        self.age <= Age::Celine
    }

    /// The version in the paths of a function; 0 where the release does not have it.
    pub(super) fn version(self, api: Api) -> u8 {
        VERSIONS.get(self.age as usize).and_then(|row| row.get(api as usize)).copied().unwrap_or_default()
    }

    /// Which function these segments of a path are.
    pub(super) fn api(self, segment: &str, version: &str) -> Option<Api> {
        let (api, _) = APIS.into_iter().find(|(_, own)| *own == segment)?;
        let asked: u8 = version.strip_prefix('v')?.parse().ok()?;
        (asked == self.version(api) && asked > 0).then_some(api)
    }

    /// The path of a function: `/mefApi/sonata/quoteManagement/v8`.
    pub(super) fn base(self, api: Api) -> String {
        let segment = APIS.get(api as usize).map_or("", |(_, segment)| segment);
        format!("/mefApi/sonata/{segment}/v{}", self.version(api))
    }

    /// Where a Buyer listens for events of a function: segment and version. None where nothing is told of it.
    pub(super) fn listener(self, api: Api) -> Option<String> {
        let segment = match api {
            Api::Address if self.is_new() => "geographicAddressNotification",
            Api::Address | Api::Site | Api::Inventory => return None,
            Api::Poq => "productOfferingQualificationNotification",
            Api::Quote => "quoteNotification",
            Api::Order => match self.age {
                Age::Billie => "productOrderNotification",
                Age::Celine => "productOrderingManagement",
                _ => "productOrderingNotification",
            },
            Api::Ticket if self.age <= Age::Celine => "troubleTicket",
            Api::Ticket => "troubleTicketNotification",
            Api::Appointment => "appointmentNotification",
            Api::WorkOrder => "workOrderNotification",
            Api::Billing => "customerBillNotification",
        };
        Some(format!("{segment}/v{}", self.version(api)))
    }

    /// Whether a registration can be looked at.
    pub(super) fn retrieves_hub(self, api: Api) -> bool {
        match api {
            Api::Order | Api::Billing => true,
            Api::Ticket | Api::Appointment | Api::WorkOrder => self.age >= Age::Ella,
            Api::Poq | Api::Quote | Api::Address => self.is_new(),
            Api::Site | Api::Inventory => false,
        }
    }

    /// What ends an offer that is not wanted.
    pub(super) fn decline(self) -> &'static str {
        if self.is_new() { "declineQuote" } else { "rejectQuote" }
    }

    /// The resource by which a wished date is changed.
    pub(super) fn modify(self) -> &'static str {
        if self.age == Age::Billie {
            "modifyProductOrderItemCompletionDate"
        } else {
            "modifyProductOrderItemRequestedDeliveryDate"
        }
    }
}
