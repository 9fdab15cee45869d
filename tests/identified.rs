//! Who calls on the Sonata listener: partners that show a token, on either side, also from other machines.

use bytes::Bytes;
use segue::{
    cases::form,
    simulate::{buyer, seller},
};
use serde_json::{Value, json};

use super::{
    buying::{Market, TODAY, later, offer},
    demonstration::shipped_folders,
    life::ports,
    selling::local,
    support::{Bed, Folders, JSON, QUOTE, bounded, until},
};

const OF_UMBRELLA: &str = "what-umbrella-shows-us";
const OF_GLOBEX: &str = "what-globex-shows-us";

/// Has a partner of the demonstration known by a token.
fn by_token(folders: &Folders, partner: &str, token: &str) {
    folders.write(&format!("config/secrets/{partner}"), &format!("{token}\n"));
    let known = format!("identify: {{ token: {{ file: secrets/{partner} }} }}");
    folders.edit(&format!("config/partners/{partner}.yaml"), "identify: { loopback: true }", &known);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_is_heard_by_its_token_and_nobody_else() {
    bounded(async {
        let [sonata] = ports();
        let settings =
            seller::Settings { token: Some(OF_UMBRELLA.to_owned()), ..seller::Settings::on(TODAY) };
        let market = Market::open(settings, |folders| {
            by_token(folders, "umbrella", OF_UMBRELLA);
            by_token(folders, "globex", OF_GLOBEX);
            folders.edit(
                "config/segue.yaml",
                "sonata: { address: \"127.0.0.1:0\"",
                &format!("sonata: {{ address: \"{sonata}\""),
            );
        })
        .await;
        let made = market.ask("POST", "/purchase/offers", &later(offer("P-1"))).await;
        assert_eq!(made.status, 201, "{made:?}");
        let bss = &market.bed.folders.bss.bss;
        let told = || bss.journal().into_iter().filter(|entry| entry.path == "/purchase/offers/P-1").count();
        market.seller.seller.step();
        until(async || told() == 1).await;

        let event = json!({
            "eventId": "forged", "eventTime": "2026-11-21T10:00:00Z", "eventType": "quoteStateChangeEvent",
            "event": { "id": made.member("offerNo") }
        });
        let path = "/umbrella/mefApi/sonata/quoteNotification/v8/listener/quoteStateChangeEvent";
        let send = async |token: Option<&str>| {
            let shown = token.map(|token| format!("Bearer {token}"));
            let mut headers = vec![JSON];
            headers.extend(shown.as_ref().map(|shown| ("authorization", shown.as_str())));
            let to = market.bed.gateway.sonata_address();
            market.bed.client.send(to, "POST", path, &headers, Bytes::from(event.to_string())).await
        };
        let seen = market.seen().len();
        // Nobody, somebody else, and a partner who buys.
        for token in [None, Some("guessed"), Some(OF_GLOBEX)] {
            let refused = send(token).await;
            refused.assert_problem("an event of nobody", 401, "missingCredentials");
            assert_eq!(refused.headers["www-authenticate"], "Bearer");
        }
        // What was refused was not taken: the same event counts when its Seller tells it.
        let heard = send(Some(OF_UMBRELLA)).await;
        assert_eq!(heard.status, 204, "{heard:?}");
        until(async || market.seen().len() > seen).await;
        until(async || told() == 2).await;
    })
    .await;
}

/// A quote as the demonstration has it.
fn asked() -> Value {
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases/quote");
    serde_json::from_slice(&form::read(&cases.join("createQuote.one")).unwrap().request.body.bytes()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partners_are_told_apart_by_their_tokens_wherever_they_call_from() {
    bounded(async {
        let folders = shipped_folders().await;
        by_token(&folders, "globex", OF_GLOBEX);
        // Another one with the same paths.
        let other = folders.read("config/partners/globex.yaml").replace("globex", "other");
        folders.write("config/partners/other.yaml", &other);
        folders.write("config/secrets/other", "what-the-other-one-shows-us\n");
        folders.edit(
            "config/segue.yaml",
            "sonata: { address: \"127.0.0.1:0\"",
            "sonata: { address: \"0.0.0.0:0\"",
        );
        let bed = Bed::on(folders).await;
        let to = ([127, 0, 0, 1], bed.gateway.sonata_address().port()).into();
        let send = async |method: &str, path: &str, token: &str, body: String| {
            let shown = format!("Bearer {token}");
            let headers = [JSON, ("authorization", shown.as_str())];
            bed.client.send(to, method, path, &headers, body.into()).await
        };
        let asked = asked().to_string();
        let made = send("POST", QUOTE, OF_GLOBEX, asked.clone()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("{QUOTE}/{}", made.member("id"));
        assert_eq!(send("GET", &path, OF_GLOBEX, String::new()).await.status, 200);
        assert_eq!(send("GET", &path, "what-the-other-one-shows-us", String::new()).await.status, 404);
        send("GET", &path, "guessed", String::new()).await.assert_problem(
            "a guess",
            401,
            "missingCredentials",
        );
        let nothing = bed.client.send(to, "GET", &path, &[], Bytes::new()).await;
        nothing.assert_problem("nothing", 401, "missingCredentials");

        // The played Buyer shows one, too.
        let scenario = r#"{ "steps": [ "address" ], "follow": "polling" }"#;
        for (token, is_known) in [(Some(OF_GLOBEX), true), (None, false)] {
            let settings = buyer::Settings {
                token: token.map(str::to_owned),
                patience_ms: 60_000,
                scenario: buyer::Scenario::read(scenario).unwrap(),
                ..buyer::Settings::new(format!("http://{to}"), local(), TODAY)
            };
            let buyer = buyer::start(&settings).await.unwrap();
            let done = buyer::play(&buyer, |_| ()).await;
            assert_eq!(done.is_ok(), is_known, "{done:?}");
        }
    })
    .await;
}
