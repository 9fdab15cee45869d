//! The whole life, as a Buyer of the demonstration sees it: the shipped configuration and mappings, the program itself, a
//! legacy system that works by itself, and sudden deaths of the program in between. On both stores, and with a legacy system
//! that calls back as well as with one that has to be asked.

use std::{
    net::SocketAddr,
    ops::RangeInclusive,
    path::Path,
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use segue::simulate::{
    bss,
    buyer::{self, Buyer, Event},
};

use super::{
    process::Program,
    support::{Folders, bounded, postgres, until},
};

/// How long open work stands in one place at the legacy system, in milliseconds.
const STEP_MS: u64 = 300;

/// What is owed comes within this, leases included.
const EVENTS_MAX: Duration = Duration::from_mins(1);

/// The day of the machine: what the Buyer wishes lies after it.
#[expect(clippy::disallowed_methods, reason = "the program runs by the clock of the machine")]
fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// Ports that nobody has, so that a program that is started again is where it was. They are not of those that the system
/// hands out, which another test could be given meanwhile.
pub fn ports<const COUNT: usize>() -> [SocketAddr; COUNT] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let mut free = std::iter::repeat_with(|| {
        let own = u16::try_from(std::process::id() % 97).unwrap() * 100;
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(own);
        SocketAddr::from(([127, 0, 0, 1], 20_000 + step % 10_000))
    })
    .filter(|address| std::net::TcpListener::bind(address).is_ok());
    [(); COUNT].map(|()| free.next().unwrap())
}

/// The shipped files at addresses of this test's own. A legacy system that does not call back is asked more often.
pub async fn folders(calls_back: bool) -> (Folders, SocketAddr) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let [sonata, internal, admin, listener] = ports();
    let settings = bss::Settings {
        step_ms: Some(STEP_MS),
        callback: calls_back.then(|| format!("http://{internal}")),
        ..bss::Settings::on(today())
    };
    let desk = bss::start(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
    let folders = Folders::around(desk);
    for path in [
        "config/segue.yaml",
        "config/backends/acme.yaml",
        "config/backends/acme-tickets.yaml",
        "config/partners/globex.yaml",
        "config/openapi/acme.yaml",
    ] {
        folders.write(path, &std::fs::read_to_string(package.join(path)).unwrap());
    }
    for entry in std::fs::read_dir(package.join("mappings/acme")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = std::fs::read_to_string(&path).unwrap();
            let text = if calls_back {
                text
            } else {
                text.replace("every: 30s", "every: 1s").replace("every: 15s", "every: 1s")
            };
            folders.write(&format!("mappings/acme/{}", path.file_name().unwrap().to_str().unwrap()), &text);
        }
    }
    for (from, to) in [
        ("127.0.0.1:8080", sonata.to_string()),
        ("127.0.0.1:8082", internal.to_string()),
        ("127.0.0.1:9090", admin.to_string()),
        ("\ndemonstration:", "\n# demonstration:".to_owned()),
        ("log_format: text", "log_format: json".to_owned()),
        // After a sudden death, events of an answer are told when its connection would have been cut.
        // What a killed program had in work is done again when its lease ends, which is as long as these allow.
        ("exchange_deadline_ms_max: 30000", "exchange_deadline_ms_max: 8000".to_owned()),
        ("answer_write_ms_max: 20000", "answer_write_ms_max: 1000".to_owned()),
    ] {
        folders.edit("config/segue.yaml", from, &to);
    }
    for backend in ["config/backends/acme.yaml", "config/backends/acme-tickets.yaml"] {
        folders.edit(backend, "127.0.0.1:8081", &folders.bss.local_addr.to_string());
    }
    folders.edit("config/partners/globex.yaml", "answer_ms: 10000", "answer_ms: 1000");
    folders.edit("config/partners/globex.yaml", "http://127.0.0.1:8083", &format!("http://{listener}"));
    (folders, listener)
}

/// Event types about something, in the order in which they first came.
fn told(events: &[Event], id: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let own = events.iter().filter(|event| event.text("/event/id") == id);
    own.filter(|event| {
        let is_new = !seen.contains(&event.text("/eventId"));
        seen.push(event.text("/eventId"));
        is_new
    })
    .map(|event| event.text("/eventType").to_owned())
    .collect()
}

fn count(told: &[String], event_type: &str) -> usize {
    told.iter().filter(|one| *one == event_type).count()
}

async fn killed(program: Program, folders: &Folders) -> Program {
    let mut program = program;
    program.signal("-KILL");
    assert_eq!(program.ended().await.code(), None);
    Program::start(folders)
}

/// One life, with a sudden death while the quote is worked on, while the order is, and while the ticket is.
async fn live(folders: &Folders, buyer: &Buyer, calls_back: bool) {
    let mut program = Program::start(folders);
    buyer.register().await.unwrap();
    let address = buyer.validate().await.unwrap();
    assert_eq!(address["city"], "Hamburg", "{address}");
    let qualification = buyer.qualify().await.unwrap();

    let quote = buyer.ask_quote(&qualification).await.unwrap();
    program = killed(program, folders).await;
    let quoted = buyer.quoted(&quote).await.unwrap();
    assert_eq!(quoted["quoteItem"].as_array().unwrap().len(), 2, "{quoted}");
    assert_eq!(quoted["externalId"], "GX-Q-1", "{quoted}");

    let order = buyer.order(&quote).await.unwrap();
    buyer.begun(&order).await.unwrap();
    program = killed(program, folders).await;
    let ordered = buyer.ordered(&order).await.unwrap();
    for item in ordered["productOrderItem"].as_array().unwrap() {
        assert_eq!(item["state"], "completed", "{ordered}");
    }

    let products = buyer.products(&order).await.unwrap();
    let ticket = buyer.open_ticket(products[0]["id"].as_str().unwrap()).await.unwrap();
    program = killed(program, folders).await;
    let resolved = buyer.resolved(&ticket).await.unwrap();
    assert!(resolved["resolutionDate"].is_string(), "{resolved}");
    let closed = buyer.close_ticket(&ticket).await.unwrap();
    assert_eq!(closed["status"], "closed", "{closed}");

    // What was on its way when the program died comes again when its lease is over.
    // Who is asked may have gone several steps since: they are one change then.
    let least = |steps: usize, ends: usize| if calls_back { steps } else { ends };
    // A quote may be told to be worked on before it is there; then it is accepted.
    let wanted: [(&str, &str, RangeInclusive<usize>); 5] = [
        (&qualification, "poqCreateEvent", 1..=1),
        (&quote, "quoteStateChangeEvent", 2..=3),
        (&order, "productOrderStateChangeEvent", least(2, 1)..=2),
        (&order, "productOrderItemStateChangeEvent", least(4, 2)..=4),
        (&ticket, "troubleTicketResolvedEvent", 1..=1),
    ];
    let has = |(id, event_type, times): &(&str, &str, RangeInclusive<usize>)| {
        count(&told(&buyer.events(), id), event_type) >= *times.start()
    };
    let all = tokio::time::timeout(EVENTS_MAX, until(async || wanted.iter().all(has))).await;
    let events = buyer.events();
    assert!(
        all.is_ok(),
        "not all was told: {:?}",
        wanted.map(|(id, event_type, times)| (event_type, times, told(&events, id)))
    );
    for (id, event_type, times) in wanted {
        let found = count(&told(&events, id), event_type);
        assert!(times.contains(&found), "{event_type}: {found}");
    }

    // The legacy system did everything once.
    let made = |path: &str| {
        let entries = folders.bss.bss.journal();
        entries.iter().filter(|one| one.method == "POST" && one.path == path && !one.made.is_empty()).count()
    };
    let once = ["/v2/checks", "/v2/offers", "/packs", "/orders/uni", "/orders/ovc"];
    assert_eq!(once.map(made), [1; 5]);
    drop(program);
}

async fn plays(calls_back: bool, is_postgres: bool) {
    let (folders, listener) = folders(calls_back).await;
    if is_postgres {
        let Some(server) = postgres::get() else { return };
        server.setting(&server.database().await, &folders);
    }
    let seller = {
        let text = folders.read("config/segue.yaml");
        let rest = text.split_once("sonata: { address: \"").unwrap().1;
        format!("http://{}", rest.split_once('"').unwrap().0)
    };
    let settings = buyer::Settings { patience_ms: 60_000, ..buyer::Settings::new(seller, listener, today()) };
    let buyer = buyer::start(&settings).await.unwrap();
    live(&folders, &buyer, calls_back).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_life_with_calls_back_and_sudden_deaths() {
    bounded(plays(true, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_life_by_asking_and_sudden_deaths() {
    bounded(plays(false, false)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_life_in_postgresql_and_sudden_deaths() {
    bounded(plays(true, true)).await;
}
