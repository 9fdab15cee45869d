use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_known_address_is_the_best_hit_whatever_its_spelling() {
    let mut desk = Caller::new().await;
    for (street, town) in [("Example St", "Berlin"), ("example street", "BERLIN"), ("Example", "Berlin")] {
        let query = json!({ "typ": "F", "str": street, "nr": "20", "plz": "10279", "ort": town, "land": "DEU", "alt": "J" });
        let answer = desk.good("POST", "/addr/check", query).await;
        assert_eq!(answer["res"], "O", "{street}");
        assert_eq!(
            answer["hits"][0],
            json!({ "score": 100, "best": "J", "adrNo": "G-100001", "typ": "F", "str": "Example", "strTyp": "St", "nr": "20",
                    "plz": "10279", "ort": "Berlin", "reg": "Berlin", "land": "DEU", "pubSite": "N", "newSite": "J" })
        );
        assert_eq!(
            (&answer["hits"][1]["adrNo"], &answer["hits"][1]["best"]),
            (&json!("G-100002"), &json!("N"))
        );
    }
    let stored = desk.get("/addr/G-100005").await;
    assert_eq!((&stored["plz"], &stored["ort"]), (&json!("01067"), &json!("Dresden")));
}

#[tokio::test]
async fn a_street_without_house_number_gives_only_similar_ones() {
    let mut desk = Caller::new().await;
    let query = json!({ "typ": "F", "str": "Example St", "ort": "Berlin", "land": "DEU", "alt": "N" });
    let answer = desk.good("POST", "/addr/check", query).await;
    assert_eq!((&answer["res"], answer["hits"].as_array().unwrap().len()), (&json!("P"), 2));
    assert!(answer["hits"].as_array().unwrap().iter().all(|hit| hit["best"] == "N"));
}

#[tokio::test]
async fn an_unknown_address_is_believed_under_a_number_that_stays() {
    let mut desk = Caller::new().await;
    let query = json!({ "typ": "F", "str": "Wasilewskiego", "nr": "20", "plz": "30-305", "ort": "Kraków", "land": "POL" });
    let first = desk.good("POST", "/addr/check", query.clone()).await;
    assert_eq!(desk.good("POST", "/addr/check", query).await, first);
    let number = first["hits"][0]["adrNo"].as_str().unwrap();
    let stored = desk.get(&format!("/addr/{number}")).await;
    assert_eq!((&stored["ort"], &stored["plz"]), (&json!("Kraków"), &json!("30-305")));
    let by_number = desk.good("POST", "/addr/check", json!({ "typ": "R", "adrNo": number })).await;
    assert_eq!(by_number["hits"][0]["adrNo"], number);
    for (kind, query) in [
        ("Z", json!({ "typ": "Z", "z1": "20 Example St", "ort": "Boston", "land": "USA" })),
        ("L", json!({ "typ": "L", "refTyp": "CLLI", "refNo": "NYCMNY01" })),
        ("G", json!({ "typ": "G", "lon": "13.40", "lat": "52.52", "crs": "EPSG:4326" })),
    ] {
        assert_eq!(desk.good("POST", "/addr/check", query).await["hits"][0]["typ"], kind);
    }
}

#[tokio::test]
async fn what_is_nowhere_is_not_found() {
    let mut desk = Caller::new().await;
    for query in [
        json!({ "typ": "F", "str": "Any", "nr": "1", "ort": "Nowhere City", "land": "DEU" }),
        json!({ "typ": "F", "str": "Any", "nr": "1", "plz": "00000", "ort": "Bonn", "land": "DEU" }),
        json!({ "typ": "R", "adrNo": "G-1" }),
        json!({ "typ": "S", "siteNo": "S-1" }),
    ] {
        let (status, answer) = desk.call("POST", "/addr/check", query).await;
        assert_eq!((status, complaints(&answer)[0].0), (404, "E04"));
    }
    assert_eq!(desk.call("GET", "/addr/G-1", Value::Null).await.0, 404);
    let (status, answer) = desk.call("POST", "/addr/check", json!({ "typ": "F", "land": "DE" })).await;
    let told = complaints(&answer);
    assert_eq!((status, told), (400, vec![("E02", "str"), ("E02", "ort"), ("E07", "land")]));
}
