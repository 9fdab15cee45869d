//! The addresses that the desk knows, and how it looks for one.

use serde::Serialize;

/// An address, as a row of the gazetteer and as a column group of the caller's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Address {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub adr_no: String,
    pub typ: &'static str,
    #[serde(skip_serializing_if = "Columns::is_empty", flatten)]
    pub columns: Columns,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub pub_site: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub new_site: &'static str,
}

/// The columns of an address that are text, in the order in which they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Columns(Vec<(&'static str, String)>);

/// The names of the columns, in the order in which they are written.
#[rustfmt::skip]
pub(super) const COLUMNS: &[(&str, usize)] = &[
    ("refTyp", 40), ("refNo", 80), ("str", 80), ("strTyp", 20), ("strSfx", 20), ("nr", 10), ("nrSfx", 10),
    ("nrTo", 10), ("nrToSfx", 10), ("z1", 80), ("z2", 80), ("plz", 12), ("plzExt", 8), ("ort", 60), ("teil", 60),
    ("reg", 40), ("land", 3), ("geb", 60), ("etgTyp", 20), ("etg", 10), ("einhTyp", 20), ("einh", 20),
    ("privStr", 80), ("privNr", 10), ("lon", 24), ("lat", 24), ("hoehe", 12), ("crs", 24),
];

impl Columns {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    pub fn set(&mut self, name: &'static str, value: &str) {
        self.0.retain(|(key, _)| *key != name);
        self.0.push((name, value.to_owned()));
    }
}

impl Serialize for Columns {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows =
            COLUMNS.iter().map(|(name, _)| (name, self.get(name))).filter(|(_, value)| !value.is_empty());
        serializer.collect_map(rows)
    }
}

/// Number, street, kind of street, house number, postcode, town, region, country.
#[rustfmt::skip]
const ROWS: &[[&str; 8]] = &[
    ["G-100001", "Example", "St", "20", "10279", "Berlin", "Berlin", "DEU"],
    ["G-100002", "Example", "St", "22", "10279", "Berlin", "Berlin", "DEU"],
    ["G-100003", "Hauptwache", "Platz", "1", "60313", "Frankfurt", "Hessen", "DEU"],
    ["G-100004", "Elbchaussee", "", "7", "22765", "Hamburg", "Hamburg", "DEU"],
    ["G-100005", "Alter Markt", "", "3", "01067", "Dresden", "Sachsen", "DEU"],
    ["G-100006", "Bahnhof", "Strasse", "45", "8001", "Zürich", "Zürich", "CHE"],
    ["G-100007", "Maria-Theresien", "Strasse", "10", "6020", "Innsbruck", "Tirol", "AUT"],
    ["G-100008", "Main", "St", "100", "02110", "Boston", "MA", "USA"],
    ["G-100009", "High", "St", "12", "EC1A 1BB", "London", "", "GBR"],
    ["G-100010", "Rue Haute", "", "5", "1000", "Bruxelles", "", "BEL"],
];

/// The rows of the gazetteer, as addresses in single fields.
pub(super) fn rows() -> impl Iterator<Item = Address> {
    ROWS.iter().map(|&[adr_no, street, kind, house, postcode, town, region, country]| {
        let mut columns = Columns::default();
        let named = [
            ("str", street),
            ("strTyp", kind),
            ("nr", house),
            ("plz", postcode),
            ("ort", town),
            ("reg", region),
            ("land", country),
        ];
        for (name, value) in named {
            if !value.is_empty() {
                columns.set(name, value);
            }
        }
        let odd = house.ends_with(['1', '3', '5', '7', '9']);
        Address {
            adr_no: adr_no.to_owned(),
            typ: "F",
            columns,
            pub_site: if odd { "J" } else { "N" },
            new_site: "J",
        }
    })
}

/// What of a name counts when two are compared: letters and digits, without accents and case.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' | 'á' | 'à' | 'â' | 'ą' => out.push('a'),
            'ö' | 'ó' | 'ô' | 'ő' => out.push('o'),
            'ü' | 'ú' | 'û' | 'ű' => out.push('u'),
            'é' | 'è' | 'ê' | 'ę' => out.push('e'),
            'ß' => out.push_str("ss"),
            'ł' => out.push('l'),
            _ if letter.is_alphanumeric() => out.push(letter),
            _ => {}
        }
    }
    out
}
