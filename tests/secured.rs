//! The way to Sellers: whom we trust there, what we show, and what becomes of tokens that are refused, each by its partner's
//! file. In front of the played Seller stand servers that speak TLS and give out tokens.

// The tests inside of the crate, which these cannot reach, have the same server by the same file.
#[allow(dead_code)]
#[path = "../src/legacy/tests/tls_server.rs"]
mod tls_server;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use rcgen::KeyPair;
use rustls::ServerConfig;
use segue::simulate::seller;
use serde_json::json;

use self::tls_server::{Authority, serve};
use super::{
    buying::{Market, TODAY, offer},
    support::{Answer, Folders, Http, bounded},
};

/// What was shown for a token, and the body of the request.
type Fetched = (Option<String>, String);

/// What stands in front of a Seller.
#[derive(Clone, Default)]
struct Front {
    /// Of each request for a token what was shown, and its body.
    fetched: Arc<Mutex<Vec<Fetched>>>,
    /// What was shown with each other request.
    shown: Arc<Mutex<Vec<Option<String>>>>,
    /// The only token that is let in, where one is.
    accepted: Arc<Mutex<Option<String>>>,
    /// Where this is so, nobody gets through: all is answered 503, and not at once.
    is_away: bool,
}

/// How long who is away takes to say so.
const AWAY_MS: u64 = 1_500;

impl Front {
    async fn start(&self, tls: Option<ServerConfig>, seller: SocketAddr) -> u16 {
        let front = self.clone();
        serve(
            tls,
            || (),
            move |request| {
                let front = front.clone();
                async move { front.answer(request, seller).await }
            },
        )
        .await
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        seller: SocketAddr,
    ) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let text = |name| head.headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap());
        let authorization = text(header::AUTHORIZATION.as_str()).map(str::to_owned);
        let plain = |status: u16, text: String| {
            Ok(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
        };
        if head.uri.path() == "/oauth2/token" {
            let mut fetched = self.fetched.lock().unwrap();
            fetched.push((authorization, String::from_utf8(body.to_vec()).unwrap()));
            let token = json!({ "access_token": format!("t{}", fetched.len()), "token_type": "Bearer", "expires_in": 3600 });
            return plain(200, token.to_string());
        }
        self.shown.lock().unwrap().push(authorization.clone());
        if self.is_away {
            tokio::time::sleep(Duration::from_millis(AWAY_MS)).await;
            return plain(503, String::new());
        }
        let accepted = self.accepted.lock().unwrap().clone();
        if accepted.is_some_and(|token| authorization != Some(format!("Bearer {token}"))) {
            return plain(401, "{}".to_owned());
        }
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(text("x-idempotency-key").map(|key| ("x-idempotency-key", key)));
        let path = head.uri.path_and_query().unwrap().as_str();
        let Answer { status, headers, body } =
            Http::new().send(seller, head.method.as_str(), path, &headers, body).await;
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn fetched(&self) -> Vec<Fetched> {
        self.fetched.lock().unwrap().clone()
    }

    fn shown(&self) -> Vec<Option<String>> {
        self.shown.lock().unwrap().clone()
    }
}

/// Another Seller beside the demonstration's, with an endpoint of its own.
fn partner(folders: &Folders, name: &str, endpoint: &str) {
    let text = folders.read("config/partners/umbrella.yaml");
    let text = text.replace("partner: umbrella", &format!("partner: {name}"));
    let text = text.replace("base_path: /umbrella", &format!("base_path: /{name}"));
    let (before, rest) = text.split_once("\nendpoint:\n").unwrap();
    let after = rest.split_once("\n\n").unwrap().1;
    folders.write(
        &format!("config/partners/{name}.yaml"),
        &format!("{before}\nendpoint: {endpoint}\npolling: {{ every_ms: 3600000 }}\n\n{after}"),
    );
}

/// A gateway with these Sellers, and the one that all of them are. Fronts need its address, so they are made in between.
async fn market(seller: seller::Running, change: impl FnOnce(&Folders)) -> Market {
    let idle = seller::Settings { has_hub: false, ..seller::Settings::on(TODAY) };
    let market = Market::with(idle, 0, |folders| {
        change(folders);
        folders.edit(
            "config/partners/umbrella.yaml",
            "release: {",
            "polling: { every_ms: 3600000 }\nrelease: {",
        );
    })
    .await;
    Market { seller, ..market }
}

async fn played() -> seller::Running {
    let settings = seller::Settings { has_hub: false, ..seller::Settings::on(TODAY) };
    seller::start(([127, 0, 0, 1], 0).into(), settings).await.unwrap()
}

async fn buy(market: &Market, of: &str, own: &str) -> Answer {
    let mut asked = offer(own);
    asked["hdr"]["supplier"] = json!(of);
    market.ask("POST", "/purchase/offers", &asked).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_seller_is_trusted_and_shown_what_its_file_says() {
    bounded(async {
        let (one, other) = (Authority::new(), Authority::new());
        let seller = played().await;
        let (front, second) = (Front::default(), Front::default());
        let port = front.start(Some(one.server(Some(&one), &[])), seller.local_addr).await;
        let second_port = second.start(Some(other.server(Some(&other), &[])), seller.local_addr).await;
        let (own, stranger) = (one.sign("segue"), other.sign("segue"));
        let jwt_key = KeyPair::generate().unwrap().serialize_pem();
        let tls = |ca: &str, ours: &str| {
            format!("tls: {{ ca: certs/{ca}.pem, client_certificate: certs/{ours}.pem, client_key: {{ file: secrets/{ours}.key }} }}")
        };
        let oauth = |proof: &str| {
            format!("credentials: {{ oauth2: {{ token_url: \"https://localhost:{port}/oauth2/token\", client_id: acme, {proof} }} }}")
        };
        let secret = "client_secret: { file: secrets/client }";
        let rows = [
            ("basic", port, oauth(secret), tls("one", "ours")),
            ("post", port, oauth(&format!("{secret}, auth_method: client_secret_post")), tls("one", "ours")),
            ("jwt", port, oauth("private_key: { file: secrets/jwt.key }, key_id: k1"), tls("one", "ours")),
            ("plain", port, String::new(), tls("one", "ours")),
            ("second", second_port, String::new(), tls("other", "stranger")),
            ("wrong-root", port, String::new(), tls("other", "ours")),
            ("stranger", port, String::new(), tls("one", "stranger")),
            ("nobody", port, String::new(), "tls: { ca: certs/one.pem }".to_owned()),
        ];
        let market = market(seller, |folders| {
            for (name, text) in [
                ("certs/one.pem", &one.pem),
                ("certs/other.pem", &other.pem),
                ("certs/ours.pem", &own.certificate),
                ("certs/stranger.pem", &stranger.certificate),
                ("secrets/ours.key", &own.key),
                ("secrets/stranger.key", &stranger.key),
                ("secrets/jwt.key", &jwt_key),
                ("secrets/client", &"a-secret-of-the-test\n".to_owned()),
            ] {
                folders.write(&format!("config/{name}"), text);
            }
            for (name, port, credentials, tls) in &rows {
                let more = [credentials, tls].map(String::as_str).join(", ");
                let more = more.trim_start_matches(", ");
                partner(folders, name, &format!("{{ base_url: \"https://localhost:{port}\", {more} }}"));
            }
        })
        .await;

        let form = "grant_type=client_credentials";
        let proofs: [(&str, Option<&str>, &[&str]); 3] = [
            ("basic", Some("Basic YWNtZTphLXNlY3JldC1vZi10aGUtdGVzdA=="), &[]),
            ("post", None, &["client_id=acme", "client_secret=a-secret-of-the-test"]),
            (
                "jwt",
                None,
                &["client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer", "client_assertion=ey"],
            ),
        ];
        for (number, (name, authorization, parts)) in proofs.iter().enumerate() {
            for own in ["1", "2"] {
                let made = buy(&market, name, &format!("{name}-{own}")).await;
                assert_eq!(made.status, 201, "{name}: {made:?}");
                assert_eq!(front.shown().last().unwrap(), &Some(format!("Bearer t{}", number + 1)), "{name}");
            }
            let fetched = front.fetched();
            assert_eq!(fetched.len(), number + 1, "{name}: one token for both");
            let (shown, body) = fetched.last().unwrap();
            assert_eq!(shown.as_deref(), *authorization, "{name}");
            assert!(body.starts_with(form) && parts.iter().all(|part| body.contains(part)), "{name}: {body}");
        }
        for name in ["plain", "second"] {
            assert_eq!(buy(&market, name, name).await.status, 201, "{name}");
        }
        assert_eq!(second.shown(), [None]);
        // Each names itself, once for each that is bought.
        let seen = market.seen();
        let mut keys: Vec<_> = seen.iter().map(|one| one.headers["x-idempotency-key"].clone()).collect();
        keys.sort();
        keys.dedup();
        assert_eq!((seen.len(), keys.len()), (8, 8));

        // What is not trusted, or does not trust us, is not reached, and nothing is sent.
        for name in ["wrong-root", "stranger", "nobody"] {
            let lost = buy(&market, name, name).await;
            assert!([503, 504].contains(&lost.status), "{name}: {lost:?}");
        }
        assert_eq!(market.seen().len(), 8);

        // A token that is refused is fetched anew, once.
        *front.accepted.lock().unwrap() = Some("t4".to_owned());
        assert_eq!(buy(&market, "basic", "basic-3").await.status, 201);
        assert_eq!(front.fetched().len(), 4);
        *front.accepted.lock().unwrap() = Some("another".to_owned());
        let before = front.shown().len();
        let refused = buy(&market, "basic", "basic-4").await;
        assert_eq!(refused.status, 502, "{refused:?}");
        assert_eq!((front.fetched().len(), front.shown().len()), (5, before + 2));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_away_is_asked_again_as_long_as_there_is_time() {
    bounded(async {
        let seller = played().await;
        let front = Front { is_away: true, ..Front::default() };
        let port = front.start(None, seller.local_addr).await;
        let market = market(seller, |folders| {
            partner(folders, "away", &format!("{{ base_url: \"http://127.0.0.1:{port}\" }}"));
            folders.edit(
                "config/segue.yaml",
                "exchange_deadline_ms_max: 30000",
                "exchange_deadline_ms_max: 2000",
            );
        })
        .await;
        let lost = buy(&market, "away", "1").await;
        assert!([502, 503, 504].contains(&lost.status), "{lost:?}");
        // A third time would not fit, however fast the machine is.
        assert!((1..=2).contains(&front.shown().len()), "{:?}", front.shown());
        assert_eq!(market.seen(), []);
    })
    .await;
}
