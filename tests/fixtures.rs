//! Published requests of quote and order, mediated through the real exchange against the simulated legacy system.
//!
//! Skipped where the published fixtures are not beside this checkout.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use segue::{
    exchange::{
        Gateway,
        ports::{Clock, Ids, Ports},
        seller,
    },
    ids::{BackendId, LegacyId, PartnerId, SonataId},
    legacy::Backends,
    plan::{self, PlanHandle},
    server::{Credential, PeerIdentity},
    simulate::bss,
    store::{Batch, Change, Kind, Reference, Store},
    telemetry::Metrics,
};
use serde_json::Value;
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::support::{Http, JSON};

/// Before the dates that the published bodies wish for.
const NOW: &str = "2020-01-02T10:00:00Z";

/// The installed base's article of a published product type.
const ARTICLES: [(&str, &str); 6] = [
    ("access-eline-ovc", "EVPLA"),
    ("carrier-ethernet-operator-uni", "UNI-O"),
    ("carrier-ethernet-subscriber-uni", "UNI-S"),
    ("epl-evc", "EPL"),
    ("basic-internet-access", "INET-B"),
    ("ip-uni", "IPU"),
];

struct Fixture {
    name: String,
    operation: String,
    verdict: String,
    has_product_errors: bool,
    body: Value,
    text: String,
}

impl Fixture {
    fn items(&self) -> impl Iterator<Item = &Value> {
        let items = ["quoteItem", "productOrderItem", "productOfferingQualificationItem"];
        items.into_iter().filter_map(|name| self.body[name].as_array()).flatten()
    }

    fn types(&self) -> Vec<&str> {
        self.items().filter_map(|item| item["product"]["productConfiguration"]["@type"].as_str()).collect()
    }

    /// What the partner has bought or validated before: kind, id and, of a product, what was installed.
    fn known(&self) -> Vec<(&'static str, String, Option<&'static str>)> {
        let mut known = Vec::new();
        let article = |ty: Option<&str>| {
            let found = ty.and_then(|ty| ARTICLES.iter().find(|(name, _)| ty.contains(&format!(":{name}:"))));
            found.map_or("UNI-O", |(_, article)| *article)
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for item in self.items() {
            let product = &item["product"];
            let ty = product["productConfiguration"]["@type"].as_str();
            known.extend(text(&product["id"]).map(|id| ("product", id, Some(article(ty)))));
            for other in product["productRelationship"].as_array().into_iter().flatten() {
                known.extend(text(&other["id"]).map(|id| ("product", id, Some("UNI-O"))));
            }
            for place in product["place"].as_array().into_iter().flatten() {
                let kind = match place["@type"].as_str() {
                    Some("GeographicAddressRef") => "geographicAddress",
                    Some("GeographicSiteRef") => "geographicSite",
                    _ => continue,
                };
                known.extend(text(&place["id"]).map(|id| (kind, id, None)));
            }
        }
        known
    }

    /// What must come of it with product faults only told.
    fn must_be(&self) -> Option<u16> {
        let is_sold = |ty: &&str| ARTICLES.iter().any(|(name, _)| ty.contains(&format!(":{name}:")));
        if !self.types().iter().all(is_sold) {
            return Some(422);
        }
        let must = ["valid", "valid-product-alias", "api-valid-unknown-props"];
        must.contains(&self.verdict.as_str()).then_some(201)
    }
}

fn fixtures() -> Option<Vec<Fixture>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return None;
    }
    let index: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(folder.join("index.json")).unwrap()).unwrap();
    let wanted = index.iter().filter(|fixture| {
        let operation = fixture["operationId"].as_str().unwrap_or_default();
        fixture["release"] == "grace"
            && fixture["role"] == "request"
            && fixture["usable"] == true
            && ["createQuote", "createProductOrder", "createProductOfferingQualification"]
                .contains(&operation)
    });
    let read = |fixture: &Value| {
        let text = |name: &str| fixture[name].as_str().unwrap().to_owned();
        let body = fs::read_to_string(folder.join(text("file"))).unwrap();
        let errors = fixture["validation"]["productErrors"].as_array();
        let alias = |error: &Value| error.as_str().unwrap().contains("ALIAS ");
        Fixture {
            name: text("name"),
            operation: text("operationId"),
            verdict: text("verdict"),
            has_product_errors: errors.into_iter().flatten().any(|error| !alias(error)),
            body: serde_json::from_str(&body).unwrap(),
            text: body,
        }
    };
    Some(wanted.map(read).collect())
}

/// The shipped configuration with another backend address and another policy.
fn config(folder: &Path, bss: SocketAddr, product_payload: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join("config").join(path)).unwrap();
    let config = folder.join("config");
    let write = |path: &str, text: String| {
        let path = config.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let replaced = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let mappings = root.join("mappings");
    write(
        "segue.yaml",
        replaced(read("segue.yaml"), "mappings: ../mappings", &format!("mappings: {}", mappings.display())),
    );
    for backend in ["backends/acme.yaml", "backends/acme-tickets.yaml"] {
        write(backend, replaced(read(backend), "127.0.0.1:8081", &bss.to_string()));
    }
    write("openapi/acme.yaml", read("openapi/acme.yaml"));
    // Our own answers are held to the contract as well.
    let policy = format!("product_payload: {product_payload}");
    let partner = replaced(read("partners/globex.yaml"), "product_payload: reject", &policy);
    write("partners/globex.yaml", replaced(partner, "answer_findings: send", "answer_findings: fail"));
    config
}

/// Sends a fixture as the partner: status and body of the answer.
async fn mediate(fixture: &Fixture, product_payload: &str) -> (u16, String) {
    let today = jiff::civil::date(2020, 1, 2);
    let bss = bss::start(([127, 0, 0, 1], 0).into(), bss::Settings::on(today)).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let built = plan::load(&config(folder.path(), bss.local_addr, product_payload), None);
    let Some(plan) = built.plan else { panic!("{}", built.diagnostics.render_text(&built.sources)) };
    let store = Store::memory().unwrap();
    let (partner, backend) = (PartnerId::parse("globex").unwrap(), BackendId::parse("acme").unwrap());
    for (index, (kind, id, article)) in fixture.known().into_iter().enumerate() {
        let legacy_id = match article {
            Some(article) => {
                let no = format!("A-{}", 1000 + index);
                let body = serde_json::json!({ "no": no, "sku": article }).to_string();
                let client = Http::new();
                let answer =
                    client.send(bss.local_addr, "POST", "/sim/assets", &[JSON], Bytes::from(body)).await;
                assert_eq!(answer.status, 200, "{answer:?}");
                no
            }
            None => format!("G-10000{}", 1 + index % 5),
        };
        let reference = Reference {
            kind: Kind::new(kind),
            sonata_id: SonataId::parse(&id).unwrap(),
            backend: backend.clone(),
            legacy_id: LegacyId::parse(&legacy_id).unwrap(),
        };
        store.commit(Batch::new(partner.clone()).with(Change::Refer(reference))).await.unwrap();
    }
    let metrics = Arc::new(Metrics::new().unwrap());
    let gateway = Gateway {
        plan: PlanHandle::new(plan),
        store,
        legacy: Arc::new(Backends::new(Arc::clone(&metrics))),
        metrics,
        ports: Ports { clock: Clock::Fixed(NOW.parse().unwrap()), ids: Ids::counted() },
    };
    let path = match fixture.operation.as_str() {
        "createQuote" => super::support::QUOTE,
        "createProductOfferingQualification" => super::support::POQ,
        _ => super::support::ORDER,
    };
    let mut request = Request::post(path)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(fixture.text.clone())))
        .unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let peer = PeerIdentity { address: loopback, listener: loopback, credential: Credential::None };
    request.extensions_mut().insert(peer);
    let answer = seller::exchange(&gateway, request).await;
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    bss.stop().await;
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn published_requests_are_mediated() {
    let Some(fixtures) = fixtures() else { return };
    assert!(fixtures.len() >= 10, "{} fixtures", fixtures.len());
    let mut wrong = Vec::new();
    for fixture in &fixtures {
        let (status, body) = mediate(fixture, "warn").await;
        let told = if status == 201 { String::new() } else { body.chars().take(300).collect() };
        println!("{:<75} {:<26} {status} {told}", fixture.name, fixture.verdict);
        match fixture.must_be() {
            Some(must) if must != status => {
                wrong.push(format!("{}: {status}, not {must}: {told}", fixture.name));
            }
            None if status >= 500 => wrong.push(format!("{}: {status}: {told}", fixture.name)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn product_faults_of_published_requests_refuse_unless_the_policy_says_otherwise() {
    let Some(fixtures) = fixtures() else { return };
    for fixture in fixtures.iter().filter(|fixture| fixture.must_be() == Some(201)) {
        let (status, body) = mediate(fixture, "reject").await;
        let must = if fixture.has_product_errors { 422 } else { 201 };
        assert_eq!(status, must, "{}: {body}", fixture.name);
        if must == 422 {
            assert!(body.contains("/productConfiguration/"), "{}: {body}", fixture.name);
        }
    }
}
