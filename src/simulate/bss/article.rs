//! The articles: what each is called, which columns it has, what it costs, how long it takes.

use serde::Serialize;
use serde_json::{Map, Value};

use super::form::{Complaints, Form};

/// An article group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Sku {
    /// A line from a port to the interconnect.
    #[serde(rename = "EVPLA")]
    Ovc,
    /// A port sold to another operator.
    #[serde(rename = "UNI-O")]
    Uni,
    /// A port sold to a customer.
    #[serde(rename = "UNI-S")]
    Unis,
    /// A line between two ports.
    #[serde(rename = "EPL")]
    Evc,
    /// A line between two ports, for some of their VLANs.
    #[serde(rename = "EVPL")]
    Evpl,
    /// An end of a LAN.
    #[serde(rename = "LAN-E")]
    Lan,
    /// An internet access with everything in it.
    #[serde(rename = "INET-B")]
    Inet,
    /// An internet access over a link of its own.
    #[serde(rename = "INET-X")]
    Inetx,
    /// An IP port.
    #[serde(rename = "IPU")]
    Ipuni,
    /// A physical link for internet accesses.
    #[serde(rename = "LINK")]
    Link,
}

/// What a column of an article may hold.
#[derive(Debug, Clone, Copy)]
enum Column {
    Number(i64, i64),
    Text(usize),
    Flag,
    Letter(&'static [&'static str]),
}

use Column::{Flag, Letter, Number, Text};

const KBPS: Column = Number(0, 100_000_000);
const CONTROL_FRAMES: Column = Letter(&["A", "B", "B2"]);
const AGGREGATION: Column = Letter(&["N", "2", "M", "O"]);
const ROUTER: Column = Letter(&["K", "A"]);
const TAGS: Column = Letter(&["L", "U"]);
const FRAMES: Column = Letter(&["J", "N", "B"]);

type Columns = &'static [(&'static str, Column)];

#[rustfmt::skip]
const OVC: Columns = &[
    ("mtu", Number(1526, 9600)), ("cos", Text(80)), ("vlanKeep", Letter(&["P", "S", "R"])), ("pcpKeep", Flag),
    ("deiKeep", Flag), ("megLvl", Text(1)), ("l2cp", CONTROL_FRAMES), ("epA", Text(60)), ("vlanA", Text(400)),
    ("cirA", KBPS), ("kbpsA", KBPS), ("epZ", Text(60)), ("vlanZ", Text(400)), ("enni", Text(40)),
    ("uniLine", Number(0, 9990)), ("uniAsset", Text(40)),
];
#[rustfmt::skip]
const UNI: Columns = &[
    ("links", Number(1, 8)), ("speed", Text(40)), ("conn", Text(20)), ("lag", AGGREGATION),
    ("frame", Number(1522, 9600)), ("dvlan", Number(1, 4094)), ("epMax", Number(1, 4094)),
    ("vlanMax", Number(1, 4094)), ("oam", Flag), ("meg", Flag), ("l2cp", CONTROL_FRAMES),
];
#[rustfmt::skip]
const UNIS: Columns = &[
    ("virt", Letter(&["P", "V"])), ("links", Number(1, 8)), ("speed", Text(40)), ("conn", Text(20)),
    ("lag", AGGREGATION), ("frame", Number(1522, 9600)), ("epMax", Number(1, 4094)), ("vlanMax", Number(1, 4094)),
    ("oam", Flag), ("meg", Flag), ("l2cp", CONTROL_FRAMES),
];
#[rustfmt::skip]
const EVC: Columns = &[
    ("mtu", Number(1522, 9600)), ("cos", Text(80)), ("megLvl", Text(1)), ("epA", Text(60)), ("epZ", Text(60)),
    ("cirA", KBPS), ("kbpsA", KBPS), ("cirZ", KBPS), ("kbpsZ", KBPS), ("uniLine", Number(0, 9990)),
    ("uniLineZ", Number(0, 9990)), ("uniAsset", Text(40)), ("uniAssetZ", Text(40)),
];
#[rustfmt::skip]
const EVPL: Columns = &[
    ("mtu", Number(1522, 9600)), ("cos", Text(80)), ("pcpKeep", Flag), ("deiKeep", Flag), ("uc", FRAMES), ("mc", FRAMES),
    ("bc", FRAMES), ("megLvl", Text(1)), ("epA", Text(60)), ("mapA", TAGS), ("vlanA", Text(400)), ("epZ", Text(60)),
    ("mapZ", TAGS), ("vlanZ", Text(400)), ("cirA", KBPS), ("kbpsA", KBPS), ("cirZ", KBPS), ("kbpsZ", KBPS),
    ("uniLine", Number(0, 9990)), ("uniLineZ", Number(0, 9990)), ("uniAsset", Text(40)), ("uniAssetZ", Text(40)),
];
#[rustfmt::skip]
const LAN: Columns = &[
    ("cos", Text(80)), ("megLvl", Text(1)), ("epA", Text(60)), ("mapA", TAGS), ("vlanA", Text(400)), ("cirA", KBPS),
    ("kbpsA", KBPS), ("uniLine", Number(0, 9990)), ("uniAsset", Text(40)), ("lanAsset", Text(40)),
];
#[rustfmt::skip]
const INET: Columns = &[
    ("mtu", Number(1280, 9600)), ("cos", Text(40)), ("kbpsUp", KBPS), ("kbpsDn", KBPS), ("mgmt", ROUTER),
    ("rpf", Flag), ("prot", Text(200)), ("v4Len", Number(0, 32)), ("v6Len", Number(0, 128)), ("dscp", Flag),
    ("speed", Text(40)), ("conn", Text(20)),
];
#[rustfmt::skip]
const INETX: Columns = &[
    ("mtu", Number(1280, 9600)), ("cos", Text(40)), ("kbpsUp", KBPS), ("kbpsDn", KBPS), ("mgmt", ROUTER),
    ("rpf", Flag), ("prot", Text(200)), ("v4Len", Number(0, 32)), ("v6Len", Number(0, 128)), ("dscp", Flag),
    ("vlan", Number(1, 4094)), ("uniLine", Number(0, 9990)), ("uniAsset", Text(40)),
];
#[rustfmt::skip]
const IPUNI: Columns = &[
    ("kbpsUp", KBPS), ("kbpsDn", KBPS), ("mgmt", ROUTER), ("rpf", Flag), ("prot", Text(200)),
];
const LINK: Columns = &[("links", Number(1, 8)), ("speed", Text(40)), ("conn", Text(20)), ("oam", Flag)];

/// Columns that hold a rate, in kbit/s.
const RATES: &[&str] = &["cirA", "kbpsA", "cirZ", "kbpsZ", "kbpsUp", "kbpsDn"];

/// A rate above this cannot be built, in kbit/s.
pub(super) const KBPS_MAX: i64 = 10_000_000;

/// What was read of a line's own columns.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Build {
    /// The highest rate asked for, in kbit/s.
    pub kbps: i64,
    /// Service classes named.
    pub classes: i64,
}

impl Sku {
    pub const ALL: [Self; 10] = [
        Self::Ovc,
        Self::Uni,
        Self::Unis,
        Self::Evc,
        Self::Evpl,
        Self::Lan,
        Self::Inet,
        Self::Inetx,
        Self::Ipuni,
        Self::Link,
    ];

    /// The code written in the column `sku`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ovc => "EVPLA",
            Self::Uni => "UNI-O",
            Self::Unis => "UNI-S",
            Self::Evc => "EPL",
            Self::Evpl => "EVPL",
            Self::Lan => "LAN-E",
            Self::Inet => "INET-B",
            Self::Inetx => "INET-X",
            Self::Ipuni => "IPU",
            Self::Link => "LINK",
        }
    }

    /// The last segment of the endpoint that orders it.
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Ovc => "ovc",
            Self::Uni => "uni",
            Self::Unis => "unis",
            Self::Evc => "evc",
            Self::Evpl => "evpl",
            Self::Lan => "lan",
            Self::Inet => "inet",
            Self::Inetx => "inetx",
            Self::Ipuni => "ipuni",
            Self::Link => "link",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sku| sku.code() == code)
    }

    pub fn from_endpoint(endpoint: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sku| sku.endpoint() == endpoint)
    }

    /// Price of a month and of the start, in minor units, and of a month per Mbit/s.
    pub fn price(self) -> (i64, i64, i64) {
        match self {
            Self::Ovc => (5_550, 50_000, 100),
            Self::Uni => (9_900, 75_000, 0),
            Self::Unis => (8_900, 69_000, 0),
            Self::Evc => (14_900, 60_000, 90),
            Self::Evpl => (9_900, 55_000, 95),
            Self::Lan => (6_900, 35_000, 85),
            Self::Inet => (7_900, 29_900, 20),
            Self::Inetx => (12_900, 39_900, 30),
            Self::Ipuni => (4_900, 19_900, 10),
            Self::Link => (5_900, 59_000, 0),
        }
    }

    /// The name of the first price row.
    pub fn price_name(self) -> &'static str {
        match self {
            Self::Ovc | Self::Evc | Self::Evpl => "Line",
            Self::Uni | Self::Unis | Self::Ipuni => "Port",
            Self::Lan => "End",
            Self::Inet | Self::Inetx => "Access",
            Self::Link => "Link",
        }
    }

    /// Days until it stands.
    pub fn lead_days(self) -> i64 {
        match self {
            Self::Ovc | Self::Evc | Self::Evpl | Self::Lan => 30,
            Self::Uni | Self::Unis | Self::Link => 45,
            Self::Inet | Self::Inetx => 20,
            Self::Ipuni => 10,
        }
    }

    fn columns(self) -> Columns {
        match self {
            Self::Ovc => OVC,
            Self::Uni => UNI,
            Self::Unis => UNIS,
            Self::Evc => EVC,
            Self::Evpl => EVPL,
            Self::Lan => LAN,
            Self::Inet => INET,
            Self::Inetx => INETX,
            Self::Ipuni => IPUNI,
            Self::Link => LINK,
        }
    }

    /// This article's own columns as they stand in the row.
    pub fn columns_of(self, row: &Form<'_>) -> Map<String, Value> {
        let columns = self.columns().iter();
        columns.filter_map(|&(name, _)| Some((name.to_owned(), row.copy(name)?))).collect()
    }

    /// Checks this article's own columns; those of other articles are not looked at.
    pub fn read(self, row: &Form<'_>, out: &mut Complaints) -> Build {
        let mut build = Build::default();
        for &(name, column) in self.columns() {
            match column {
                Number(low, high) => {
                    let number = row.number(name, low, high, out);
                    if RATES.contains(&name) {
                        build.kbps = build.kbps.max(number.unwrap_or(0));
                    }
                }
                Text(characters_max) => {
                    let text = row.text(name, characters_max, out);
                    if name == "cos" {
                        let classes =
                            text.map_or(0, |t| t.split(',').filter(|one| !one.trim().is_empty()).count());
                        build.classes = i64::try_from(classes).unwrap_or(i64::MAX);
                    }
                    if name.starts_with("vlan") {
                        check_vlans(name, text, row, out);
                    }
                }
                Flag => _ = row.flag(name, out),
                Letter(known) => _ = row.letter(name, known, out),
            }
        }
        build
    }
}

/// A VLAN list is numbers from 1 to 4094 by comma; ranges are not known.
fn check_vlans(name: &str, text: Option<&str>, row: &Form<'_>, out: &mut Complaints) {
    let good = |one: &str| one.trim().parse::<u16>().is_ok_and(|number| (1..=4094).contains(&number));
    if text.is_some_and(|text| !text.split(',').all(good)) {
        out.push("E06", row.pos(name), "VLAN list expected");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_endpoints_are_one_to_one() {
        for sku in Sku::ALL {
            assert_eq!(Sku::from_code(sku.code()), Some(sku));
            assert_eq!(Sku::from_endpoint(sku.endpoint()), Some(sku));
            assert_eq!(serde_json::to_value(sku).unwrap(), sku.code());
        }
    }

    /// The interface file and the columns checked here are written apart; this holds them together.
    #[test]
    fn the_interface_file_has_every_column() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/openapi/acme.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        for sku in Sku::ALL {
            let endpoint = sku.endpoint();
            let name = format!("    Order{}{}:\n", endpoint[..1].to_uppercase(), &endpoint[1..]);
            let rest = text.split(&name).nth(1).unwrap_or_else(|| panic!("no schema {name}"));
            let block: String = rest
                .lines()
                .take_while(|line| line.starts_with("      "))
                .flat_map(|line| [line, "\n"])
                .collect();
            for (column, _) in sku.columns() {
                assert!(block.contains(&format!("\n        {column}: ")), "{name} lacks {column}");
            }
        }
    }
}
