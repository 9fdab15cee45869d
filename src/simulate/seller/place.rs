//! Addresses and sites.

use serde_json::{Value, json};

use super::answer::{Reply, fault};
use super::kind::{ADDRESS, SITE, VALIDATION};
use super::things::text;
use super::{State, check};

/// `POST geographicAddressValidation`: what has a city in a country that is served is known.
pub(super) fn validate(state: &mut State, body: &Value) -> Reply {
    let Some(address) = body.get("submittedGeographicAddress").filter(|one| one.is_object()) else {
        return Reply::faults(vec![fault(
            "missingProperty",
            "/submittedGeographicAddress",
            "this is required",
        )]);
    };
    if state.settings.release.is_new() {
        return represented(state, body, address);
    }
    let country = address.get("country").and_then(Value::as_str);
    if country.is_some_and(|country| !check::COUNTRIES.contains(&country)) {
        let at = "/submittedGeographicAddress/country";
        return Reply::faults(vec![fault("invalidValue", at, "this country is not served")]);
    }
    let mut answer = body.clone();
    answer["validationResult"] = json!("success");
    let mut best = address.clone();
    best["hasPublicSite"] = json!(false);
    best["allowsNewSite"] = json!(true);
    let id = state.make(&ADDRESS, best, false);
    answer["bestMatchGeographicAddress"] = state.thing(&ADDRESS, &id).cloned().unwrap_or_default();
    Reply::of(200, answer)
}

/// The same of kylie: an address by its representations, and a validation that can be looked up.
fn represented(state: &mut State, body: &Value, address: &Value) -> Reply {
    let faults = check::representations("/submittedGeographicAddress", address);
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let mut best = address.clone();
    best["@type"] = json!("GeographicAddress");
    best["hasPublicSite"] = json!("false");
    best["allowsNewSite"] = json!("true");
    let address = state.make(&ADDRESS, best, false);
    let mut answer = body.clone();
    answer["state"] = json!("ready");
    answer["bestMatchGeographicAddress"] = state.thing(&ADDRESS, &address).cloned().unwrap_or_default();
    answer["alternateGeographicAddress"] = json!([]);
    let id = state.make(&VALIDATION, answer, false);
    let is_instant = body["instantSyncValidation"] == json!(true);
    Reply::of(if is_instant { 200 } else { 201 }, state.thing(&VALIDATION, &id).cloned().unwrap_or_default())
}

/// A site that there is from the beginning, where the scenario has none.
pub(super) fn stock(state: &mut State) {
    let address = if state.settings.release.is_new() {
        let fielded =
            json!([{ "streetName": "Elbchaussee", "streetNr": "7", "city": "Hamburg", "countryCode": "DE" }]);
        json!({ "@type": "GeographicAddress", "fieldedAddressRepresentation": fielded,
                "hasPublicSite": "true", "allowsNewSite": "true" })
    } else {
        json!({ "@type": "FieldedAddress", "streetName": "Elbchaussee", "streetNr": "7", "city": "Hamburg",
                "country": "Germany", "hasPublicSite": true, "allowsNewSite": true })
    };
    let address = state.make(&ADDRESS, address, false);
    let place = json!({ "@type": "GeographicAddressRef", "id": address });
    let site = if state.settings.release.is_new() {
        json!({ "@type": "GeographicSite", "place": place, "name": "Umbrella Hamburg 1", "subUnit": [],
                "administrativeAuthority": "Umbrella", "customerName": "Umbrella",
                "siteRestrictionType": "public", "networkType": "onNet" })
    } else {
        json!({ "place": [place], "name": "Umbrella Hamburg 1", "companyName": "Umbrella", "siteType": "public" })
    };
    state.make(&SITE, site, false);
}

/// `POST geographicSite` of kylie: a list, asked for with a body.
pub(super) fn query(state: &State, body: &Value) -> Reply {
    let names = ["name", "administrativeAuthority", "customerName", "siteRestrictionType", "networkType"];
    let fits = |site: &&Value| {
        let named =
            names.iter().all(|name| body.get(*name).is_none_or(|wanted| site.get(*name) == Some(wanted)));
        let place = body.pointer("/place/id").and_then(Value::as_str);
        named && place.is_none_or(|place| site.get("place").is_some_and(|own| text(own, "id") == place))
    };
    Reply::list(state.all(&SITE).filter(fits).cloned().collect())
}
