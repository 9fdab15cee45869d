//! What a Seller decides later: asked for where it has no hub, waited for where that is wanted, for each whom we speak for.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use segue::simulate::seller;
use serde_json::{Value, json};

use super::{
    buying::{Market, TODAY, later, offer},
    life::ports,
    support::{Folders, bounded, until},
};

/// Has the gateway read a copy of the mapping set, in which one text of a file is another.
pub fn remapped(folders: &Folders, file: &str, from: &str, to: &str) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings");
    for entry in std::fs::read_dir(own.join("acme")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let name = path.file_name().unwrap().to_str().unwrap();
            folders.write(&format!("mappings/acme/{name}"), &std::fs::read_to_string(&path).unwrap());
        }
    }
    folders.edit(file, from, to);
    folders.edit("config/segue.yaml", &format!("mappings: {}", own.display()), "mappings: ../mappings");
}

fn no_hub() -> seller::Settings {
    seller::Settings { has_hub: false, ..seller::Settings::on(TODAY) }
}

const HUBLESS: (&str, &str) = ("release: {", "polling: { every_ms: 1000, give_up_days: 1 }\nrelease: {");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_without_a_hub_is_asked_and_each_change_told_once() {
    bounded(async {
        let market = Market::with(no_hub(), 0, |folders| {
            folders.edit("config/partners/umbrella.yaml", HUBLESS.0, HUBLESS.1);
        })
        .await;
        let made = market.ask("POST", "/purchase/offers", &later(offer("P-30"))).await;
        assert_eq!((made.status, &made.json()["status"]), (201, &json!("C")), "{made:?}");
        let bss = &market.bed.folders.bss.bss;
        let told = || -> Vec<Value> {
            let own = bss.journal().into_iter().filter(|entry| entry.path == "/purchase/offers/P-30");
            own.map(|entry| serde_json::from_slice(&entry.body).unwrap()).collect()
        };
        let looked = || market.seen().iter().filter(|seen| seen.method == "GET").count();
        // As long as nothing changes it is asked, and nobody told.
        until(async || looked() >= 2).await;
        assert_eq!(told().len(), 0);
        // The first time purchasing cannot be told: it is told again, as one that was not.
        let fault = json!({ "path": "/purchase/offers/P-30", "kind": "status", "status": 503, "count": 1 });
        bss.arrange(serde_json::from_value(fault).unwrap());
        market.seller.seller.step();
        until(async || told().len() == 2).await;
        market.seller.seller.step();
        until(async || told().len() == 3).await;
        let said: Vec<_> = told().iter().map(|one| one["status"].clone()).collect();
        assert_eq!(said, [json!("B"), json!("B"), json!("A1")]);
        let before = looked();
        until(async || looked() >= before + 2).await;
        assert_eq!(told().len(), 3, "nothing is told twice");
        // What purchasing ends itself it has been answered; then nothing follows.
        let over = market.ask("POST", "/purchase/umbrella/offers/P-30/cancel", &json!({})).await;
        assert_eq!(over.status, 204, "{over:?}");
        until(async || told().iter().any(|one| one["status"] == "Z")).await;
        assert!(market.seller.seller.seen().iter().all(|seen| !seen.path.contains("/hub")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_seller_decides_in_time_is_waited_for() {
    const ENTRY: &str = "    request: quote\n    answer: bought\n";
    const WAITING: &str = "    request: quote\n    answer: bought\n    wait: \"@.state != 'acknowledged' && @.state != 'inProgress'\"\n";
    bounded(async {
        let quick = seller::Settings { step_ms: Some(100), ..seller::Settings::on(TODAY) };
        let market = Market::open(quick, |folders| {
            remapped(folders, "mappings/acme/buying.yaml", ENTRY, WAITING);
        })
        .await;
        let made = market.ask("POST", "/purchase/offers", &later(offer("P-31"))).await;
        assert_eq!((made.status, &made.json()["status"]), (201, &json!("A1")), "{made:?}");
        assert_eq!(made.json()["chg"][0]["mrc"], 12950);
        // Sent again, it is the same offer, as it was answered.
        let again = market.ask("POST", "/purchase/offers", &later(offer("P-31"))).await;
        assert_eq!((again.status, again.json()), (201, made.json()));

        // What takes longer than the exchange may last is answered as it stands.
        let market = Market::open(seller::Settings::on(TODAY), |folders| {
            remapped(folders, "mappings/acme/buying.yaml", ENTRY, WAITING);
            folders.edit(
                "config/segue.yaml",
                "exchange_deadline_ms_max: 30000",
                "exchange_deadline_ms_max: 3000",
            );
        })
        .await;
        let made = market.ask("POST", "/purchase/offers", &later(offer("P-32"))).await;
        assert_eq!((made.status, &made.json()["status"]), (201, &json!("C")), "{made:?}");
    })
    .await;
}

/// Has purchasing say for which unit it buys, of which Acme's interface knows nothing.
fn by_unit(folders: &Folders) {
    const UNIT: &str = "    request: { fields: [ { legacy: hdr.unit, sonata: \"query:buyerId\" }, { sonata: ., legacy: ., shape: quote } ] }\n";
    remapped(folders, "mappings/acme/buying.yaml", "    request: quote\n", UNIT);
    let openapi = "openapi: openapi/acme.yaml ";
    folders.edit("config/backends/acme.yaml", openapi, &format!("# {openapi}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_whom_we_buy_for_is_subscribed_and_named() {
    bounded(async {
        let [sonata] = ports();
        let market = Market::with(seller::Settings::on(TODAY), 4, |folders| {
            by_unit(folders);
            folders.edit(
                "config/partners/umbrella.yaml",
                "{ buyers: one,",
                "{ buyers: [ acme-de, acme-at ],",
            );
            folders.edit(
                "config/segue.yaml",
                "sonata: { address: \"127.0.0.1:0\"",
                &format!("sonata: {{ address: \"{sonata}\""),
            );
        })
        .await;
        let hubs = market.seller.seller.seen();
        for unit in ["acme-de", "acme-at"] {
            let own = |seen: &&seller::Seen| seen.path.ends_with(&format!("/hub?buyerId={unit}"));
            assert_eq!(hubs.iter().filter(own).count(), 2, "{hubs:?}");
        }
        let ask = async |own: &str, unit: Option<&str>| {
            let mut asked = later(offer(own));
            if let Some(unit) = unit {
                asked["hdr"]["unit"] = json!(unit);
            }
            market.ask("POST", "/purchase/offers", &asked).await.status
        };
        // One of those that are listed must be named, and nothing is sent otherwise.
        assert_eq!((ask("P-40", None).await, ask("P-40", Some("acme-ch")).await), (422, 422));
        assert_eq!(market.seen().len(), 0);
        assert_eq!(ask("P-40", Some("acme-at")).await, 201);
        assert!(market.seen()[0].path.ends_with("/quote?buyerId=acme-at"));
        // What is told is looked up for whom it was bought.
        let bss = &market.bed.folders.bss.bss;
        market.seller.seller.step();
        until(async || bss.journal().iter().any(|entry| entry.path == "/purchase/offers/P-40")).await;
        let looked = market.seen().into_iter().find(|seen| seen.method == "GET").unwrap();
        assert!(looked.path.ends_with("?buyerId=acme-at"), "{looked:?}");

        // Where a side speaks for one, nothing is said of it, and what says it is refused.
        let market = Market::open(seller::Settings::on(TODAY), |folders| {
            by_unit(folders);
        })
        .await;
        let mut asked = offer("P-41");
        asked["hdr"]["unit"] = json!("acme-at");
        assert_eq!(market.ask("POST", "/purchase/offers", &asked).await.status, 422);
        assert_eq!(market.ask("POST", "/purchase/offers", &offer("P-41")).await.status, 201);
        assert!(market.seen()[0].path.ends_with("/quote"), "{:?}", market.seen());
    })
    .await;
}

/// A Seller that answers every connection with one text, or with silence; the text can be changed.
async fn double(text: Arc<Mutex<&'static str>>) -> SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let text = Arc::clone(&text);
            tokio::spawn(async move {
                let mut bytes = vec![0; 65_536];
                let mut filled = 0;
                // A request is over when its announced body is there.
                loop {
                    let Ok(read @ 1..) = stream.read(&mut bytes[filled..]).await else { return };
                    filled += read;
                    let head = String::from_utf8_lossy(&bytes[..filled]).to_lowercase();
                    let Some(end) = head.find("\r\n\r\n") else { continue };
                    let length = head.split("content-length:").nth(1).and_then(|rest| rest.lines().next());
                    let length: usize = length.map_or(0, |text| text.trim().parse().unwrap());
                    if filled >= end + 4 + length {
                        break;
                    }
                }
                let answer = *text.lock().unwrap();
                if answer.is_empty() {
                    std::future::pending::<()>().await;
                }
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_that_is_slow_or_talks_nonsense_is_a_system_that_does() {
    bounded(async {
        let says = Arc::new(Mutex::new(""));
        let address = double(Arc::clone(&says)).await;
        let market = Market::with(no_hub(), 0, |folders| {
            let umbrella = folders.read("config/partners/umbrella.yaml");
            let url = umbrella.split("base_url: \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            folders.edit("config/partners/umbrella.yaml", &url, &format!("http://{address}"));
            folders.edit("config/partners/umbrella.yaml", "answer_ms: 8000", "answer_ms: 1000");
            folders.edit("config/partners/umbrella.yaml", HUBLESS.0, HUBLESS.1);
        })
        .await;
        let list = async || {
            let listed = market.ask("GET", "/purchase/umbrella/offers", &Value::Null).await;
            assert_eq!(listed.json()["rc"], 8, "in purchasing's own words: {listed:?}");
            listed.status
        };
        // Nobody answers: that is said, and what may have been bought is known by its key when it is asked for again.
        assert_eq!(market.ask("POST", "/purchase/offers", &offer("P-50")).await.status, 504);
        assert_eq!(list().await, 504);
        for (text, status) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>", 502),
            ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\n[{\"id\"", 504),
            ("HTTP/1.1 500 No\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>", 502),
            ("HTTP/1.1 401 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", 502),
            ("nonsense\r\n\r\n", 504),
        ] {
            *says.lock().unwrap() = text;
            assert_eq!(list().await, status, "{text}");
        }
        *says.lock().unwrap() = "HTTP/1.1 201 Created\r\ncontent-length: 35\r\nconnection: close\r\n\r\n{\"id\":\"U-1\",\"state\":\"acknowledged\"}";
        let made = market.ask("POST", "/purchase/offers", &offer("P-50")).await;
        assert_eq!((made.status, &made.json()["offerNo"]), (201, &json!("U-1")), "{made:?}");
    })
    .await;
}
