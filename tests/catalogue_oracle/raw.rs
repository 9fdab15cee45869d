//! The interface files as they are, made fit for a draft-07 validator; what some of them evidently mean and do not
//! say is mended here once more ([`mended`]), apart from the importer.

use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, path::Path};

/// One release.
pub struct Sdk {
    /// `OpenAPI` files by our name of the function.
    pub apis: BTreeMap<String, Value>,
    /// Where each of them is stored; releases that have the same file have the same place.
    pub sources: BTreeMap<String, String>,
    /// Product files by path, references made absolute within the bundle.
    files: Map<String, Value>,
    /// Path of the file by URN.
    pub products: BTreeMap<String, String>,
}

/// One operation as the file has it.
pub struct RawOperation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, RawParameter>,
    pub request: Option<Value>,
    pub responses: BTreeMap<u16, Option<Value>>,
    pub paged: bool,
}

/// One query parameter as the file has it.
#[derive(Debug, PartialEq, Eq)]
pub struct RawParameter {
    pub required: bool,
    pub kind: String,
    pub format: Option<String>,
    pub values: Vec<String>,
}

fn parameter(api: &Value, raw: &Value) -> RawParameter {
    let mut schema = &raw["schema"];
    if let Some(reference) = schema["$ref"].as_str() {
        schema = api.pointer(reference.strip_prefix('#').unwrap()).unwrap();
    }
    let values = schema["enum"].as_array().into_iter().flatten();
    RawParameter {
        required: raw["required"] == true,
        kind: schema["type"].as_str().unwrap_or("string").to_owned(),
        format: schema["format"].as_str().filter(|format| *format != "int32").map(str::to_owned),
        values: values.map(|value| value.as_str().unwrap().to_owned()).collect(),
    }
}

/// Our names of the files, written down once more.
const FUNCTIONS: &[(&str, &str)] = &[
    ("address/geographicAddressManagement", "address"),
    ("site/geographicSiteManagement", "site"),
    ("offeringQualification/productOfferingQualificationManagement", "poq"),
    ("offeringQualification/productOfferingQualificationNotification", "poqNotification"),
    ("quote/quoteManagement", "quote"),
    ("quote/quoteNotification", "quoteNotification"),
    ("order/productOrderManagement", "order"),
    ("order/productOrderNotification", "orderNotification"),
    ("inventory/productInventoryManagement", "inventory"),
    ("troubleTicket/troubleTicketManagement", "troubleTicket"),
    ("troubleTicket/troubleTicketNotification", "troubleTicketNotification"),
    ("appointment/appointmentManagement", "appointment"),
    ("appointment/appointmentNotification", "appointmentNotification"),
    ("workorder/workorderManagement", "workOrder"),
    ("workorder/workorderNotification", "workOrderNotification"),
    ("billing/billingManagement", "billing"),
    ("billing/billingNotification", "billingNotification"),
    ("catalog/productCatalog", "catalog"),
    ("catalog/productCatalogNotification", "catalogNotification"),
    ("productOfferingAvailabilityAndPricingDiscovery", "availabilityPricing"),
    ("address/geographicAddressNotification", "addressNotification"),
    ("cim/circuitImpairmentAndMaintenance", "impairment"),
    ("cim/circuitImpairmentAndMaintenanceNotification", "impairmentNotification"),
];

impl Sdk {
    /// Reads all files of a release, as the manifest names them.
    pub fn read(folder: &Path, release: &str) -> Self {
        let mut sdk = Self {
            apis: BTreeMap::new(),
            sources: BTreeMap::new(),
            files: Map::new(),
            products: BTreeMap::new(),
        };
        let manifest = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        for (path, source) in manifest[release].as_object().unwrap() {
            let source = source.as_str().unwrap();
            let text = fs::read_to_string(folder.join(source)).unwrap();
            let text = text.replace('\t', " ").replace("\nXXXXX\n", "\n\n");
            let value: Value =
                serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
            if path.starts_with("productApi/") {
                let stem = path.strip_suffix(".api.yaml").unwrap();
                let (_, name) = FUNCTIONS.iter().find(|(end, _)| stem.ends_with(&format!("/{end}"))).unwrap();
                sdk.apis.insert((*name).to_owned(), split_bases(all_mended(value)));
                sdk.sources.insert((*name).to_owned(), source.to_owned());
            } else {
                if let Some(urn) = value.get("$id").and_then(Value::as_str) {
                    sdk.products.insert(urn.to_owned(), path.clone());
                }
                let value = bundled(value, path);
                sdk.files.insert(path.clone(), value);
            }
        }
        sdk
    }

    /// The same with the products of another release.
    pub fn with_products_of(mut self, other: Self) -> Self {
        (self.files, self.products) = (other.files, other.products);
        self
    }

    /// A body's schema with everything that it refers to. `x-` members are for the generator.
    pub fn schema(&self, api: &Value, schema: &Value) -> Value {
        let mut components = api["components"].clone();
        if let Some(configuration) = components["schemas"].get_mut("MEFProductConfiguration") {
            *configuration = self.with_products(configuration.take());
        }
        json!({ "allOf": [schema], "components": components, "files": self.files })
    }

    /// A product's schema with everything that it refers to.
    pub fn product_schema(&self, urn: &str) -> Value {
        json!({ "allOf": [reference_to(&self.products[urn])], "files": self.files })
    }

    /// An open configuration, bound to the products that there are.
    fn with_products(&self, mut plain: Value) -> Value {
        plain.as_object_mut().unwrap().remove("discriminator");
        let cases = self.products.iter().map(|(urn, path)| (urn.clone(), reference_to(path)));
        choice(plain, "@type", &cases.collect())
    }
}

/// The plain base, and what holds besides where the member has one of these values. Others are not allowed.
fn choice(plain: Value, member: &str, cases: &Map<String, Value>) -> Value {
    let values: Vec<&String> = cases.keys().collect();
    let mut all = vec![plain, json!({ "properties": { member: { "enum": values } } })];
    for (value, then) in cases {
        all.push(json!({
            "if": { "required": [member], "properties": { member: { "const": value } } },
            "then": then,
        }));
    }
    json!({ "allOf": all, "x-member": member, "x-cases": cases })
}

/// Splits each base with a discriminator in two: the plain part, which derived types include, and the choice.
fn split_bases(mut api: Value) -> Value {
    let bases: Vec<(String, Value)> = api["components"]["schemas"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, schema)| schema["discriminator"].get("mapping").is_some())
        .map(|(name, schema)| (name.clone(), schema.clone()))
        .collect();
    for (name, mut plain) in bases {
        let discriminator = plain.as_object_mut().unwrap().remove("discriminator").unwrap();
        // From kylie on a base lists its derived types besides: of them exactly one holds, so one must be told.
        let is_listed = plain.as_object_mut().unwrap().remove("oneOf").is_some();
        let mapping = discriminator["mapping"].as_object().unwrap();
        let cases = mapping.iter().map(|(value, target)| (value.clone(), json!({ "$ref": target })));
        let cases = cases.collect();
        let schemas = api["components"]["schemas"].as_object_mut().unwrap();
        let from = json!({ "$ref": format!("#/components/schemas/{name}") });
        for schema in schemas.values_mut() {
            for part in schema.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
                if *part == from {
                    *part = json!({ "$ref": format!("#/components/schemas/{name}--plain") });
                }
            }
        }
        let member = discriminator["propertyName"].as_str().unwrap();
        if is_listed {
            plain = json!({ "allOf": [plain, { "required": [member] }] });
        }
        let plain_reference = json!({ "$ref": format!("#/components/schemas/{name}--plain") });
        schemas.insert(name.clone(), choice(plain_reference, member, &cases));
        schemas.insert(format!("{name}--plain"), plain);
    }
    api
}

/// Operations of a file.
pub fn operations(api: &Value) -> Vec<RawOperation> {
    let mut operations = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, raw) in item.as_object().unwrap() {
            let parameters = raw["parameters"].as_array().into_iter().flatten();
            let query = parameters
                .filter(|raw| raw["in"] == "query")
                .map(|raw| (raw["name"].as_str().unwrap().to_owned(), parameter(api, raw)));
            let responses = raw["responses"].as_object().unwrap();
            let success = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
            operations.push(RawOperation {
                id: raw["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                query: query.collect(),
                request: content(&raw["requestBody"]),
                responses: responses
                    .iter()
                    .map(|(status, raw)| (status.parse().unwrap(), content(raw)))
                    .collect(),
                paged: success["headers"].get("X-Total-Count").is_some(),
            });
        }
    }
    operations
}

fn content(raw: &Value) -> Option<Value> {
    Some(raw["content"].as_object()?.values().next()?["schema"].clone())
}

fn reference_to(path: &str) -> Value {
    json!({ "$ref": format!("#/files/{}", path.replace('/', "~1")) })
}

/// Lists that do not say that they are one (celine, dolly), keywords among the members (dolly, ella), an enumeration of
/// texts that says it is one of objects (ella).
fn mended(members: &mut Map<String, Value>) {
    let of_lists = ["items", "minItems", "maxItems", "uniqueItems", "description"];
    let is_list = members.contains_key("items") && members.keys().all(|key| of_lists.contains(&key.as_str()));
    if is_list {
        members.insert("type".to_owned(), json!("array"));
    }
    if members.get("enum").is_some_and(Value::is_array) && members.get("type") == Some(&json!("object")) {
        members.remove("type");
    }
    let Some(Value::Object(properties)) = members.get_mut("properties") else { return };
    properties.retain(|name, value| name != "nullable" || value.is_object());
    if properties.get("required").is_some_and(Value::is_array) {
        let slipped = properties.remove("required").unwrap();
        let required = members.entry("required").or_insert_with(|| json!([])).as_array_mut().unwrap();
        required.extend(slipped.as_array().unwrap().iter().cloned());
    }
}

fn all_mended(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            mended(members);
            for member in members.values_mut() {
                *member = all_mended(member.take());
            }
        }
        Value::Array(elements) => {
            for element in elements {
                *element = all_mended(element.take());
            }
        }
        _ => {}
    }
    value
}

/// A product file without what a validator stumbles over: its URN (no base for relative references), absent
/// `properties`, and references to other files, which become references into the bundle.
fn bundled(mut value: Value, path: &str) -> Value {
    match &mut value {
        Value::Object(members) => {
            if members.get("$id").is_some_and(Value::is_string) {
                members.remove("$id");
                members.remove("$schema");
            }
            members.retain(|name, value| !(name == "properties" && value.is_null()));
            mended(members);
            if let Some(Value::String(reference)) = members.get_mut("$ref") {
                let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
                // Billie: two levels up where one is meant, and no ending.
                let is_super = path.contains("SuperClasses/") && file.starts_with("../../common/");
                let file = if is_super { file.strip_prefix("../").unwrap() } else { file };
                let is_whole = file.is_empty() || Path::new(file).extension().is_some();
                let ending = if is_whole { "" } else { ".yaml" };
                let file = &format!("{file}{ending}");
                let mut parts: Vec<&str> = path.split('/').collect();
                if !file.is_empty() {
                    parts.pop();
                    for part in file.split('/') {
                        match part {
                            "." => {}
                            ".." => drop(parts.pop()),
                            name => parts.push(name),
                        }
                    }
                }
                *reference = format!("#/files/{}{pointer}", parts.join("~1"));
            }
            for (name, member) in members.iter_mut() {
                if name != "$ref" {
                    *member = bundled(member.take(), path);
                }
            }
            value
        }
        Value::Array(elements) => {
            for element in elements {
                *element = bundled(element.take(), path);
            }
            value
        }
        _ => value,
    }
}
