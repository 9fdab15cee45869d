//! Partners on other releases than the mapping set is written in: served at the paths of their release where the contract is the
//! same or a bridge carries over what differs, and told before they are served where nothing does.

use segue::plan;

use super::support::{Bed, Folders, ORDER, QUOTE, Setup, bounded, order, quote};

const PARTNER: &str = "config/partners/globex.yaml";
const FIRST: &str = "release: { default: grace }";

/// Folders whose first partner speaks what this says.
async fn speaking(release: &str) -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    folders.edit(PARTNER, FIRST, &format!("release: {release}"));
    folders
}

/// Codes of what is told of a configuration, each with its message.
async fn told(release: &str) -> Vec<String> {
    let folders = speaking(release).await;
    let built = plan::load(&folders.config(), None);
    let errors = built.diagnostics.iter().filter(|one| one.code.0 == "P116");
    let errors: Vec<String> = errors.map(|one| one.message.clone()).collect();
    assert_eq!(errors.is_empty(), built.plan.is_some(), "{}", built.diagnostics.render_text(&built.sources));
    errors
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_on_another_release_with_the_same_contracts_is_served() {
    bounded(async {
        let folders = speaking("{ default: ella, address: billie, quote: dolly }").await;
        let bed = Bed::on(folders).await;
        let made = bed.post(QUOTE, &quote("from-dolly")).await;
        assert_eq!(made.status, 201, "{}", made.text());
        let again = bed.get(&format!("{QUOTE}/{}", made.member("id"))).await;
        assert_eq!((again.status, again.json()["externalId"].as_str()), (200, Some("from-dolly")));
        let ordered = bed.post(ORDER, &order("from-ella", 1)).await;
        assert_eq!(ordered.status, 201, "{}", ordered.text());
        let address = bed.get("/mefApi/sonata/geographicAddressManagement/v7/geographicAddress/none").await;
        address.assert_problem("an operation that the mapping does not have", 501, "notImplemented");
        // Paths of other releases, and APIs that its releases do not have.
        for path in [
            QUOTE.replace("/v8/", "/v7/"),
            QUOTE.replace("/v8/", "/v10/"),
            ORDER.replace("/v10/", "/v9/"),
            "/mefApi/sonata/productCatalog/v2/category".to_owned(),
            "/mefApi/sonata/customerBillManagement/v2/customerBill".to_owned(),
            "/mefApi/sonata/cimIncident/v1/cimIncident".to_owned(),
        ] {
            assert_eq!(bed.get(&path).await.status, 404, "{path}");
        }
        // Ella has bills, at the path of its own release; the mapping has none.
        let bills = bed.get("/mefApi/sonata/customerBillManagement/v1/customerBill").await;
        assert_ne!(bills.status, 404, "{}", bills.text());
    })
    .await;
}

#[tokio::test]
async fn where_contracts_differ_it_is_said_which() {
    assert_eq!(told("{ default: ella }").await, [""; 0]);
    assert_eq!(told("{ default: fergie, address: billie }").await, [""; 0]);
    for release in
        ["billie", "celine", "dolly", "{ default: grace, quote: kylie }", "{ default: kylie, order: grace }"]
    {
        assert_eq!(told(release).await, [""; 0], "{release}");
    }
    let folders = speaking("{ default: fergie, site: kylie }").await;
    let shape = |function: &str, ty: &str, own: &str| {
        format!(
            "function: {function}\nshapes: {{ {function}: {{ sonata: [ {ty} ], fields: [ {{ sonata: name, legacy: {own} }} ] }} }}\noperations:\n"
        )
    };
    let catalog = shape("catalog", "ProductCategory", "nm");
    let retrieve = "  retrieveCategory: { call: \"GET /v2/groups/{legacy.id}\", answer: catalog }\n";
    folders.write("mappings/tiny/catalog.yaml", &format!("{catalog}{retrieve}"));
    let site = shape("site", "GeographicSite", "bez");
    let retrieve = "  retrieveGeographicSite: { call: \"GET /v2/sites/{legacy.id}\", answer: site }\n";
    let list = "  listGeographicSite: { call: GET /v2/sites, answer: { each: \"items[*]\", legacy_id: siteNo, shape: site } }\n";
    folders.write("mappings/tiny/site.yaml", &format!("{site}{retrieve}{list}"));
    let built = plan::load(&folders.config(), None);
    let told = built.diagnostics.iter().filter(|one| one.code.0 == "P116");
    let told: Vec<&str> = told.map(|one| one.message.as_str()).collect();
    assert_eq!(told.len(), 2, "{}", built.diagnostics.render_text(&built.sources));
    assert!(
        told.iter().any(|one| one.contains("`catalog`") && one.contains("nothing carries them over")),
        "{told:?}"
    );
    assert!(
        told.iter().any(|one| one.contains("`site.listGeographicSite` of kylie is answered 501")),
        "{told:?}"
    );
    // What is switched off is not asked for.
    folders.edit(
        PARTNER,
        "mapping: tiny",
        "operations: { catalog: off, site.listGeographicSite: off }\nmapping: tiny",
    );
    let built = plan::load(&folders.config(), None);
    assert!(
        built.diagnostics.iter().all(|one| one.code.0 != "P116"),
        "{}",
        built.diagnostics.render_text(&built.sources)
    );
}
