//! What Buyer and Seller agree on before they trade, as far as rules ask for it.

/// Settings of one partner that rules read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Values of `spatialRef` that were agreed on; without any, every value is.
    pub spatial_references: Vec<String>,
    /// Countries, as addresses write them, whose addresses need a postcode; without any, those of
    /// [`Agreed::POSTCODE_COUNTRIES`].
    pub postcode_countries: Vec<String>,
    /// The product types of an offering or specification, by its id; what does not stand here may be anything.
    pub offering_types: Vec<(String, Vec<String>)>,
}

impl Agreed {
    /// Countries in which every address has a postcode (Universal Postal Union, addressing systems), as ISO 3166-1
    /// has them and by their English names: where the partners are. Any other is for the settings.
    pub const POSTCODE_COUNTRIES: [(&'static str, &'static str); 34] = [
        ("AT", "Austria"),
        ("AU", "Australia"),
        ("BE", "Belgium"),
        ("BR", "Brazil"),
        ("CA", "Canada"),
        ("CH", "Switzerland"),
        ("CN", "China"),
        ("CZ", "Czechia"),
        ("DE", "Germany"),
        ("DK", "Denmark"),
        ("ES", "Spain"),
        ("FI", "Finland"),
        ("FR", "France"),
        ("GB", "United Kingdom"),
        ("GR", "Greece"),
        ("HU", "Hungary"),
        ("IN", "India"),
        ("IT", "Italy"),
        ("JP", "Japan"),
        ("KR", "South Korea"),
        ("LU", "Luxembourg"),
        ("MX", "Mexico"),
        ("NL", "Netherlands"),
        ("NO", "Norway"),
        ("NZ", "New Zealand"),
        ("PL", "Poland"),
        ("PT", "Portugal"),
        ("RO", "Romania"),
        ("SE", "Sweden"),
        ("SG", "Singapore"),
        ("SI", "Slovenia"),
        ("SK", "Slovakia"),
        ("TR", "Turkey"),
        ("US", "United States"),
    ];

    /// Whether an address of this country needs a postcode.
    #[must_use]
    pub fn needs_postcode(&self, country: &str) -> bool {
        let same = |known: &str| known.eq_ignore_ascii_case(country);
        if self.postcode_countries.is_empty() {
            return Self::POSTCODE_COUNTRIES.iter().any(|(code, name)| same(code) || same(name));
        }
        self.postcode_countries.iter().any(|known| same(known))
    }

    /// Whether this way of writing coordinates was agreed on.
    #[must_use]
    pub fn has_spatial_reference(&self, value: &str) -> bool {
        self.spatial_references.is_empty() || self.spatial_references.iter().any(|known| known == value)
    }

    /// The product types of an offering or specification; none where nothing was agreed.
    #[must_use]
    pub fn types_of(&self, offering: &str) -> Option<&[String]> {
        self.offering_types.iter().find(|(id, _)| id == offering).map(|(_, types)| types.as_slice())
    }
}
