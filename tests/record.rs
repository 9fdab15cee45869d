//! Recording with the running program: what goes over its sockets becomes a case that is played, and tells of nobody.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use segue::simulate::bss;
use serde_json::Value;

use super::support::{Answer, Bed, Folders, JSON, QUOTE, bounded, until};
use crate::cli::run;

const TICKET: &str = "/mefApi/sonata/troubleTicket/v4/troubleTicket";

/// A gateway on copies of the shipped files, but for the addresses; with a few cases beside the mappings.
async fn shipped(allowed: bool) -> Bed {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let today = jiff::civil::date(2026, 11, 21);
    let desk = bss::start(([127, 0, 0, 1], 0).into(), bss::Settings::on(today)).await.unwrap();
    let folders = Folders::around(desk);
    let mut waiting = vec![package.join("config"), package.join("mappings")];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(package).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                waiting.extend((!below.contains("/cases")).then_some(path));
            } else {
                folders.write(&below, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    let neighbour = "mappings/acme/cases/quote/createQuote.minimal";
    for entry in fs::read_dir(package.join(neighbour)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        folders.write(&format!("{neighbour}/{name}"), &fs::read_to_string(entry.path()).unwrap());
    }
    folders.edit("config/segue.yaml", "127.0.0.1:8080", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "127.0.0.1:8082", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "127.0.0.1:9090", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "\ndemonstration:", "\n# demonstration:");
    if allowed {
        folders.edit("config/segue.yaml", "allowed: false", "allowed: true");
    }
    for backend in ["config/backends/acme.yaml", "config/backends/acme-tickets.yaml"] {
        folders.edit(backend, "127.0.0.1:8081", &folders.bss.local_addr.to_string());
    }
    Bed::on(folders).await
}

fn body(case: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases").join(case);
    let text = fs::read_to_string(path.join("1-sonata-request.json")).unwrap();
    segue::cases::message::RequestFile::parse(&text)
        .map(|file| String::from_utf8(file.body.bytes().to_vec()).unwrap())
        .unwrap()
}

/// Starts `segue record` and waits until it records; what it prints comes when it is joined.
async fn recording(bed: &Bed, words: &[&str]) -> std::thread::JoinHandle<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.arg("--config").arg(bed.folders.config()).args(["record", "--partner", "globex"]);
    command.args(["--admin", &bed.gateway.admin_address().to_string()]).args(words);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let waiting = std::thread::spawn(move || child.wait_with_output().unwrap());
    until(async || bed.admin("GET", "/record").await.text().contains("true") || waiting.is_finished()).await;
    waiting
}

async fn ended(waiting: std::thread::JoinHandle<Output>) -> (i32, String) {
    let output = tokio::task::spawn_blocking(move || waiting.join().unwrap()).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// All files of a case as one text.
fn files(bed: &Bed, case: &str) -> String {
    let folder = bed.folders.path("mappings/acme/cases").join(case);
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{case}: {error}"))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

async fn create(bed: &Bed, path: &str, body: &str) -> Answer {
    let headers = [JSON, ("authorization", "Bearer hunter-2"), ("cookie", "session=hunter-2")];
    bed.client.send(bed.gateway.sonata_address(), "POST", path, &headers, body.to_owned().into()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recorded_exchange_is_a_case_that_passes() {
    bounded(async {
        let bed = shipped(true).await;
        let words = [
            "--operation",
            "quote.createQuote",
            "--operation",
            "quote.retrieveQuote",
            "--count",
            "2",
            "--name",
            "real",
        ];
        let waiting = recording(&bed, &words).await;
        let refused = bed.admin("POST", "/record?partner=globex&operation=quote.createQuote").await;
        assert_eq!(refused.status, 409, "one at a time: {refused:?}");
        let sent = body("quote/createQuote.one");
        let made = create(&bed, QUOTE, &sent).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = serde_json::from_slice::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(bed.get(&format!("{QUOTE}/{id}")).await.status, 200);
        let (status, told) = ended(waiting).await;
        assert_eq!(status, 0, "{told}");
        assert!(told.contains("wrote quote/createQuote.real\nwrote quote/retrieveQuote.real\n"), "{told}");
        assert!(!told.contains("otherwise than was recorded"), "{told}");
        let (status, out, err) = run(&bed.folders.config(), &["test", "Quote.real"], "");
        assert_eq!((status, out.as_str()), (0, "2 passed, 0 failed, 0 findings in 0 cases\n"), "{err}");

        let contact = |name: &str| -> String {
            let sent: Value = serde_json::from_str(&sent).unwrap();
            sent["relatedContactInformation"][0][name].as_str().unwrap().to_owned()
        };
        let (first, second) =
            (files(&bed, "quote/createQuote.real"), files(&bed, "quote/retrieveQuote.real"));
        for word in [
            contact("name"),
            contact("emailAddress"),
            contact("number"),
            "hunter-2".to_owned(),
            id,
            "Wholesale Desk".to_owned(),
        ] {
            assert!(!first.contains(&word) && !second.contains(&word), "{word}:\n{first}\n{second}");
        }
        assert!(second.contains("after: [ quote/createQuote.real ]"), "{second}");
        assert!(
            first.starts_with("{\n  \"POST\": ") && first.contains("# yaml-language-server: $schema="),
            "{first}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchange_in_xml_is_recorded_and_masked() {
    bounded(async {
        let bed = shipped(true).await;
        let waiting = recording(&bed, &["--operation", "troubleTicket.listTroubleTicket"]).await;
        let listed = bed.get(TICKET).await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let (status, told) = ended(waiting).await;
        assert_eq!(status, 0, "{told}");
        let files = files(&bed, "troubleTicket/listTroubleTicket.recorded");
        assert!(files.contains("\"xml\""), "{files}");
        let (status, out, err) = run(&bed.folders.config(), &["test", ".recorded"], "");
        assert_eq!(status, 0, "{out}{err}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_played_is_no_case() {
    bounded(async {
        let bed = shipped(true).await;
        let made = create(&bed, QUOTE, &body("quote/createQuote.one")).await;
        let id = serde_json::from_slice::<Value>(&made.body).unwrap()["id"].as_str().unwrap().to_owned();
        let waiting = recording(&bed, &["--operation", "quote.retrieveQuote"]).await;
        assert_eq!(bed.get(&format!("{QUOTE}/{id}")).await.status, 200);
        let (status, told) = ended(waiting).await;
        assert_eq!(status, 1, "{told}");
        assert!(told.contains("it needs what was there before"), "{told}");
        let left: Vec<_> = fs::read_dir(bed.folders.path("mappings/acme/cases/quote")).unwrap().collect();
        assert_eq!(left.len(), 1, "nothing is left behind: {left:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn recording_is_off_unless_allowed_and_ends_by_itself() {
    bounded(async {
        let bed = shipped(false).await;
        let asked = "/record?partner=globex&operation=quote.createQuote";
        let refused = bed.admin("POST", asked).await;
        assert_eq!(refused.status, 403, "{refused:?}");
        let (status, told) = ended(recording(&bed, &["--operation", "quote.createQuote"]).await).await;
        assert!(status == 2 && told.contains("recording is not allowed"), "{told}");

        let bed = shipped(true).await;
        for (query, status) in [
            ("partner=nobody&operation=quote.createQuote", 404),
            ("partner=globex&operation=quote.createQuotes", 404),
            ("partner=globex", 400),
            ("partner=globex&operation=quote.createQuote&count=101", 400),
            ("partner=globex&operation=quote.createQuote&seconds=601", 400),
        ] {
            let answer = bed.admin("POST", &format!("/record?{query}")).await;
            assert_eq!(answer.status, status, "{query}: {answer:?}");
        }
        assert_eq!(bed.admin("DELETE", "/record").await.status, 405);
        let ended = bed.admin("POST", &format!("{asked}&seconds=1")).await;
        assert_eq!(ended.status, 200, "{ended:?}");
        let told: Value = serde_json::from_slice(&ended.body).unwrap();
        assert_eq!((&told["ended"], told["exchanges"].as_array().unwrap().len()), (&"seconds".into(), 0));
        assert!(bed.admin("GET", "/record").await.text().contains("false"));
    })
    .await;
}
