//! A gateway on loopback sockets with a legacy system behind it: what the end-to-end tests drive.
//!
//! The mapping set is `tiny`, beside this file, so that these tests hold whatever the demonstration becomes.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use segue::{
    app::{self, Running},
    simulate::bss::{self, fault::Fault, journal::Entry},
};
use serde_json::{Value, json};
use tempfile::TempDir;

pub mod capture;
pub mod doors;
pub mod postgres;

/// Longest time of one test, in seconds: a machine with other work is slow, a hang is for ever.
const TEST_S_MAX: u64 = 120;

pub const QUOTE: &str = "/mefApi/sonata/quoteManagement/v8/quote";
pub const CANCEL_QUOTE: &str = "/mefApi/sonata/quoteManagement/v8/cancelQuote";
pub const ORDER: &str = "/mefApi/sonata/productOrderingManagement/v10/productOrder";
pub const PRODUCT: &str = "/mefApi/sonata/productInventory/v7/product";
pub const ADDRESS: &str = "/mefApi/sonata/geographicAddressManagement/v7/geographicAddressValidation";

const UNI: &str = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all";

/// Runs a test, and ends it if it does not end by itself.
pub async fn bounded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(TEST_S_MAX), test).await.expect("the test hangs")
}

/// Waits until something holds; asked again after a moment, without end: [`bounded`] ends it.
pub async fn until<F: AsyncFnMut() -> bool>(mut holds: F) {
    while !holds().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What is different in one test's configuration.
#[derive(Default)]
pub struct Setup {
    /// Inside `limits: { … }`.
    pub limits: &'static str,
    /// Inside `reload: { … }`; nothing is watched otherwise.
    pub reload: &'static str,
    /// Inside `timeouts: { … }` of the backend.
    pub timeouts: &'static str,
    /// Inside `limits: { … }` of the backend.
    pub backend_limits: &'static str,
}

/// Folders of configuration and mappings, and the legacy system.
pub struct Folders {
    folder: TempDir,
    pub bss: bss::Running,
}

impl Folders {
    /// Empty folders beside a legacy system.
    pub fn around(bss: bss::Running) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), bss }
    }

    pub async fn new(setup: &Setup) -> Self {
        // What it offers holds for some days, by the clock of the machine.
        #[expect(
            clippy::disallowed_methods,
            reason = "the simulated system runs by the clock of the machine"
        )]
        let today = jiff::Zoned::now().date();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let bss = bss::start(any, bss::Settings::on(today)).await.unwrap();
        let folders = Self::around(bss);
        let watch = if setup.reload.is_empty() { "watch: false" } else { setup.reload };
        folders.write(
            "config/segue.yaml",
            &format!(
                "listeners:\n  sonata: {{ address: \"127.0.0.1:0\" }}\n  admin: {{ address: \"127.0.0.1:0\" }}\n  internal: {{ address: \"127.0.0.1:0\" }}\n\
                 store: {{ embedded: ../data/segue.db }}\nmappings: ../mappings\n\
                 limits: {{ {} }}\nreload: {{ {watch} }}\n",
                setup.limits
            ),
        );
        folders.write(
            "config/backends/acme.yaml",
            &format!(
                "backend: acme\nbase_url: \"http://{}\"\nopenapi: openapi/acme.yaml\ntimeouts: {{ {} }}\nlimits: {{ {} }}\n",
                folders.bss.local_addr, setup.timeouts, setup.backend_limits
            ),
        );
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let openapi = std::fs::read_to_string(package.join("config/openapi/acme.yaml")).unwrap();
        folders.write("config/openapi/acme.yaml", &openapi);
        let represents = "represents: { buyers: [ b1, b2 ] }\n";
        for (name, more) in [
            ("globex", ""),
            ("rival", "base_path: /rival\n"),
            ("several", &format!("base_path: /several\n{represents}")),
        ] {
            folders.write(&format!("config/partners/{name}.yaml"), &partner(name, more));
        }
        for entry in std::fs::read_dir(package.join("tests/support/tiny")).unwrap() {
            let entry = entry.unwrap();
            let text = std::fs::read_to_string(entry.path()).unwrap();
            folders.write(&format!("mappings/tiny/{}", entry.file_name().to_str().unwrap()), &text);
        }
        folders
    }

    pub fn config(&self) -> PathBuf {
        self.path("config")
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes a file anew with one text in place of another, which must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no `{from}`");
        self.write(path, &text.replace(from, to));
    }
}

fn partner(name: &str, more: &str) -> String {
    format!(
        "partner: {name}\nidentify: {{ loopback: true }}\nside: seller\nrelease: {{ default: grace }}\nmapping: tiny\n\
         routes: [ {{ backend: acme }} ]\n{more}\
         settings: {{ desk: {{ name: Desk, emailAddress: desk@seller.example, number: \"+49 30 1\" }} }}\n"
    )
}

/// A gateway that runs in the test's own process.
pub struct Bed {
    pub folders: Folders,
    pub gateway: Running,
    pub client: Http,
}

impl Bed {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        Self::on(Folders::new(&setup).await).await
    }

    pub async fn on(folders: Folders) -> Self {
        let gateway = app::start(&folders.config()).await.unwrap();
        Self { folders, gateway, client: Http::new() }
    }

    /// Stops the gateway, and starts one on what it left.
    pub async fn again(self) -> Self {
        self.gateway.stop().await.unwrap();
        Self::on(self.folders).await
    }

    /// A partner's request; a body is sent as JSON.
    pub async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        self.client.send(self.gateway.sonata_address(), method, path, &[JSON], body.into()).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body.to_string()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.client.send(self.gateway.sonata_address(), "GET", path, &[], Bytes::new()).await
    }

    /// A request on the admin port.
    pub async fn admin(&self, method: &str, path: &str) -> Answer {
        self.client.send(self.gateway.admin_address(), method, path, &[], Bytes::new()).await
    }

    /// What the legacy system received.
    pub fn received(&self) -> Vec<Entry> {
        self.folders.bss.bss.journal()
    }

    pub fn arrange(&self, fault: Fault) {
        self.folders.bss.bss.arrange(fault);
    }

    /// Asserts that the next request is fine: pools and permits have recovered.
    pub async fn assert_recovered(&self, after: &str) {
        let answer = self.post(QUOTE, &quote("next")).await;
        assert_eq!(answer.status, 201, "after {after}: {answer:?}");
    }
}

pub const JSON: (&str, &str) = ("content-type", "application/json");

/// A client that keeps connections.
#[derive(Clone)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

impl Http {
    pub fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    pub async fn send(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        self.try_send(to, method, path, headers, body)
            .await
            .unwrap_or_else(|error| panic!("{method} {path}: {error:?}"))
    }

    pub async fn try_send(
        &self,
        to: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, hyper_util::client::legacy::Error> {
        let mut request = Request::builder().method(method).uri(format!("http://{to}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = self.0.request(request.body(Full::new(body)).unwrap()).await?.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }
}

/// What came back.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.text())
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no `{name}`: {self:?}")).to_owned()
    }

    /// The `id` of each element of a list.
    pub fn ids(&self) -> Vec<String> {
        let told = self.json();
        let list = told.as_array().unwrap_or_else(|| panic!("no list: {self:?}"));
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Asserts a problem that is one object.
    pub fn assert_problem(&self, what: &str, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["code"].as_str()), (status, Some(code)), "{what}: {self:?}");
        assert!(!self.member("reason").is_empty(), "{what}: {self:?}");
        let media_type = self.headers.get("content-type").unwrap().to_str().unwrap();
        assert!(media_type.starts_with("application/json"), "{what}: {media_type}");
    }

    /// Asserts a 422 list of exactly these codes and places, in any order. What the guides ask beyond the interface
    /// files, and say so, may stand beside them: `rules.rs` holds that.
    pub fn assert_faults(&self, what: &str, expected: &[(&str, &str)]) {
        assert_eq!(self.status, 422, "{what}: {self:?}");
        let list = self.json();
        let of = |fault: &Value, name: &str| fault[name].as_str().unwrap_or_default().to_owned();
        let mut found: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| !of(one, "reason").contains("(MEF "))
            .map(|one| (of(one, "code"), of(one, "propertyPath")))
            .collect();
        let mut expected: Vec<_> =
            expected.iter().map(|(code, place)| ((*code).to_owned(), (*place).to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{what}: {self:?}");
    }
}

/// A quote request with one item.
pub fn quote(external_id: &str) -> Value {
    json!({
        "externalId": external_id,
        "buyerRequestedQuoteLevel": "firm",
        "instantSyncQuote": true,
        "quoteItem": [ { "id": "a", "action": "add", "product": uni(1522) } ],
    })
}

/// Makes it one that may be answered later.
pub fn deferred(quote: &mut Value) {
    let contact = |role: &str| json!([ { "role": role, "name": "J", "number": "1", "emailAddress": "j@buyer.example" } ]);
    quote["instantSyncQuote"] = json!(false);
    quote["requestedQuoteCompletionDate"] = json!("2030-01-31T00:00:00Z");
    quote["relatedContactInformation"] = contact("buyerContactInformation");
    for item in quote["quoteItem"].as_array_mut().into_iter().flatten() {
        item["relatedContactInformation"] = contact("quoteItemTechnicalContact");
    }
}

/// A product order with this many items.
pub fn order(external_id: &str, items: usize) -> Value {
    let items: Vec<Value> = (0..items)
        .map(|number| {
            json!({
                "id": format!("i{number}"),
                "action": "add",
                "product": uni(1522),
                "billingAccount": { "id": "4711" },
            })
        })
        .collect();
    json!({
        "externalId": external_id,
        "relatedContactInformation":
            [ { "role": "productOrderContact", "name": "J", "number": "1", "emailAddress": "j@buyer.example" } ],
        "productOrderItem": items,
    })
}

pub fn uni(frame: i64) -> Value {
    json!({
        "productOffering": { "id": "UNI-100" },
        "productConfiguration": { "@type": UNI, "maximumServiceFrameSize": frame },
    })
}
