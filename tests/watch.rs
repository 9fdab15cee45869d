//! Lists that a legacy system is asked for again and again.

use segue::{
    app,
    ids::{PartnerId, SonataId},
    simulate::bss::fault::{Fault, Kind as Wrong},
    store::{Kind, Queue},
};
use serde_json::{Value, json};

use super::support::{Bed, Folders, Http, JSON, ORDER, Setup, bounded, capture, order, until};

/// What the tests' mapping set watches; nothing is received.
const WATCH: &str = r#"
function: order
shapes:
  watched:
    fields:
      - { sonata: state, legacy: st, codes: watched-state, on_error: fail }
operations:
  retrieveProductOrder: { call: "GET /packs/{legacy.id}", answer: {} }
watch:
  changes:
    call: "GET /orders/changes?since={cursor}&all=J"
    every: 1s
    cursor: $.next
    each: "orders[*]"
    updates: productOrderItem
    legacy_id: no
    shape: watched
"#;

const CODES: &str = r"
watched-state:
  legacy_type: number
  rows:
  - { sonata: acknowledged, legacy: 10 }
  - { sonata: inProgress, legacy: [ 20, 30, 35 ] }
  - { sonata: completed, legacy: 40 }
";

async fn folders() -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    folders.write("mappings/tiny/watched.yaml", WATCH);
    let codes = folders.read("mappings/tiny/codes.yaml");
    folders.write("mappings/tiny/codes.yaml", &format!("{codes}{CODES}"));
    // The interface does not have the parameter.
    folders.edit("config/backends/acme.yaml", "openapi: openapi/acme.yaml\n", "");
    folders
}

async fn start(folders: Folders) -> Bed {
    Bed::on(folders).await
}

impl Bed {
    async fn step(&self) {
        let to = self.folders.bss.local_addr;
        let answer = self.client.send(to, "POST", "/sim/advance", &[JSON], r#"{"steps":1}"#.into()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    async fn order_of(&self, partner: &str, id: &str) -> Value {
        let (partner, id) = (PartnerId::parse(partner).unwrap(), SonataId::parse(id).unwrap());
        let kept = self.gateway.store().entity(&partner, &Kind::new("productOrder"), &id).await.unwrap();
        serde_json::from_slice(&kept.unwrap().document.unwrap()).unwrap()
    }

    async fn becomes_of(&self, partner: &str, id: &str, state: &str) -> Value {
        until(async || self.order_of(partner, id).await["state"] == state).await;
        self.order_of(partner, id).await
    }

    /// The cursors that were sent, those of askings that failed among them.
    fn cursors(&self) -> Vec<String> {
        let asked = self.received().into_iter().filter(|entry| entry.path.starts_with("/orders/changes"));
        let cursor = |path: String| {
            let query = path.split_once('?').unwrap().1.to_owned();
            let since = query.split('&').find_map(|pair| pair.strip_prefix("since=").map(str::to_owned));
            since.unwrap_or_default()
        };
        asked.map(|entry| cursor(entry.path)).collect()
    }
}

fn steps(order: &Value) -> usize {
    order["stateChange"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_reach_who_has_them_and_the_cursor_goes_on_after_a_restart() {
    bounded(async {
        let bed = start(folders().await).await;
        let ours = bed.post(ORDER, &order("ours", 2)).await.member("id");
        let theirs = bed.post(&format!("/rival{ORDER}"), &order("theirs", 1)).await.member("id");
        bed.step().await;
        for item in 0..2 {
            let state =
                async || bed.order_of("globex", &ours).await["productOrderItem"][item]["state"].clone();
            until(async || state().await == "inProgress").await;
        }
        bed.becomes_of("rival", &theirs, "inProgress").await;
        // The first asking has no cursor, each other the one that was named.
        until(async || bed.cursors().len() > 2).await;
        let cursors = bed.cursors();
        assert_eq!(cursors[0], "");
        assert!(cursors[1..].iter().all(|cursor| cursor.parse::<u64>().is_ok()), "{cursors:?}");

        let Bed { folders, gateway, client } = bed;
        gateway.stop().await.unwrap();
        let asked = folders.bss.bss.journal().len();
        let bed = start_again(folders, client).await;
        bed.step().await;
        bed.step().await;
        let done = bed.becomes_of("globex", &ours, "completed").await;
        assert_eq!(steps(&done), 3, "nothing is applied twice: {done}");
        bed.becomes_of("rival", &theirs, "completed").await;
        let later: Vec<String> = bed.cursors();
        let first = &later[asked_for(&bed, asked)];
        assert!(first.parse::<u64>().is_ok(), "it began anew: {later:?}");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

async fn start_again(folders: Folders, client: Http) -> Bed {
    let gateway = app::start(&folders.config()).await.unwrap();
    Bed { folders, gateway, client }
}

/// How many of the first requests asked for changes.
fn asked_for(bed: &Bed, requests: usize) -> usize {
    bed.received().iter().take(requests).filter(|entry| entry.path.starts_with("/orders/changes")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_legacy_system_that_is_ill_is_asked_less_and_nothing_is_lost() {
    bounded(async {
        let bed = start(folders().await).await;
        let id = bed.post(ORDER, &order("ours", 1)).await.member("id");
        // Until nothing is new.
        until(async || matches!(bed.cursors().as_slice(), [.., last, again] if !again.is_empty() && last == again)).await;
        let known = bed.cursors().last().unwrap().clone();
        let before = bed.cursors().iter().filter(|cursor| **cursor == known).count();
        let wrong = [Wrong::Status, Wrong::Garbage];
        for kind in wrong {
            let fault =
                Fault { path: "/orders/changes".to_owned(), count: 1, status: 503, ..Fault::of(kind) };
            bed.arrange(fault);
        }
        // It says that all is well, and there is no list in it.
        bed.arrange(Fault { path: "/orders/changes".to_owned(), ..Fault::of(Wrong::Rc8) });
        bed.step().await;
        let began = tokio::time::Instant::now();
        bed.becomes_of("globex", &id, "inProgress").await;
        assert!(began.elapsed().as_millis() >= 3000, "no pause between: {:?}", began.elapsed());
        let cursors = bed.cursors();
        let failed = cursors.iter().filter(|cursor| **cursor == known).count();
        assert!(failed > before + wrong.len(), "the cursor moved without its rows: {cursors:?}");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_not_understood_is_kept_for_people_and_holds_nobody_up() {
    bounded(async {
        capture::install();
        let folders = folders().await;
        folders.edit("mappings/tiny/codes.yaml", "  - { sonata: completed, legacy: 40 }\n", "");
        let bed = start(folders).await;
        let bad = bed.post(ORDER, &order("bad", 1)).await.member("id");
        for _ in 0..3 {
            bed.step().await;
        }
        let good = bed.post(ORDER, &order("good", 1)).await.member("id");
        let to = bed.folders.bss.local_addr;
        let number = bed.received().into_iter().filter(|entry| entry.path == "/orders/uni").last().unwrap();
        let body = json!({ "no": number.made[0], "steps": 1 }).to_string();
        let moved = bed.client.send(to, "POST", "/sim/advance", &[JSON], body.into()).await;
        assert_eq!(moved.status, 200, "{moved:?}");
        bed.becomes_of("globex", &good, "inProgress").await;
        let partner = PartnerId::parse("globex").unwrap();
        let dead = async || bed.gateway.store().tasks(&partner, Queue::Poll, true, (0, 10)).await.unwrap();
        until(async || dead().await.total == 1).await;
        let task = dead().await.tasks.remove(0);
        assert!(task.note.as_deref().unwrap().contains("`changes` is not understood"), "{:?}", task.note);
        assert_ne!(bed.order_of("globex", &bad).await["state"], "completed");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}
