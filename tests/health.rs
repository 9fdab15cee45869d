//! What a load balancer and an operator are told: whether it lives, whether it is ready, and which backends are there.

use segue::simulate::bss::fault::{Fault, Kind};

use super::support::{Bed, QUOTE, bounded, quote};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backend_that_is_down_is_shown_and_does_not_unready() {
    bounded(async {
        let bed = Bed::start().await;
        let ready = async || {
            let answer = bed.admin("GET", "/ready").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        };
        let body = ready().await;
        assert_eq!((&body["store"], &body["listeners"]), (&"ok".into(), &"accepting".into()));
        assert_eq!(body["backends"]["acme"], "up", "asked for a connection");
        bed.arrange(Fault { count: 1, ..Fault::of(Kind::Drop) });
        assert_eq!(bed.post(QUOTE, &quote("dropped")).await.status, 500);
        assert_eq!(ready().await["backends"]["acme"], "failing: closed");
        bed.assert_recovered("after a dropped call").await;
        assert_eq!(ready().await["backends"]["acme"], "up");
        // Nobody listens on port 1 of this machine.
        let base = format!("http://{}", bed.folders.bss.local_addr);
        bed.folders.edit("config/backends/acme.yaml", &base, "http://127.0.0.1:1");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        assert_eq!(bed.post(QUOTE, &quote("down")).await.status, 500);
        let body = ready().await;
        assert_eq!((&body["backends"]["acme"], &body["ready"]), (&"down".into(), &true.into()));
        assert_eq!(body["plan"], 2);
        assert_eq!(bed.admin("GET", "/live").await.status, 200);
    })
    .await;
}
