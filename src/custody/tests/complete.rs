use super::{assert_same, doc};
use crate::{
    custody::{Completed, Completing, Finding, SellerContact, complete, echo, href, may_move, move_to},
    json::Document,
    sonata::entity::EntityKind,
};

fn desk() -> SellerContact {
    SellerContact {
        name: "Desk".to_owned(),
        email_address: "desk@seller.example".to_owned(),
        number: "+49".to_owned(),
        organization: None,
    }
}

const DESK: &str = r#"{"role":"sellerContactInformation","name":"Desk","emailAddress":"desk@seller.example","number":"+49"}"#;

struct Case<'a> {
    kind: EntityKind,
    request: Option<&'a str>,
    mapped: Option<&'a str>,
    kept: Option<&'a Document>,
    now: &'a str,
    echo_off: &'a [Box<str>],
}

impl<'a> Case<'a> {
    fn new(kind: EntityKind, request: Option<&'a str>, mapped: Option<&'a str>) -> Self {
        Self { kind, request, mapped, kept: None, now: "T1", echo_off: &[] }
    }

    fn run(&self) -> Completed {
        let (request, mapped) = (self.request.map(doc), self.mapped.map(doc));
        complete(&Completing {
            is_part: false,
            kind: self.kind,
            request: request.as_ref(),
            mapped: mapped.as_ref(),
            kept: self.kept,
            id: "q-1",
            href: Some("http://s/q-1"),
            now: self.now,
            seller: Some(&desk()),
            echo_off: self.echo_off,
        })
    }
}

fn codes(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn the_buyers_attributes_stay_and_the_sellers_are_added() {
    let request = r#"{"externalId":"B-1","instantSyncQuote":true,"buyerRequestedQuoteLevel":"firm",
        "note":[{"id":"n1","text":"buyer"}],
        "quoteItem":[{"id":"b","action":"add","product":{"productConfiguration":{"@type":"u","n":1.10}}},
                     {"id":"a","action":"add"}]}"#;
    let mapped = r#"{"id":"O-77","externalId":"other","state":"approved.orderable","quoteLevel":"firm",
        "note":[{"id":"n1","text":"changed"},{"id":"s1","text":"seller"}],
        "quoteItem":[{"id":"a","action":"delete","state":"approved.orderable","quoteItemPrice":[{"price":2.50}]},
                     {"id":"b","state":"approved.orderable",
                      "product":{"id":"P-9","productConfiguration":{"n":2,"m":3}}}]}"#;
    let done = Case::new(EntityKind::Quote, Some(request), Some(mapped)).run();
    let expected = format!(
        r#"{{"id":"q-1","href":"http://s/q-1","externalId":"B-1","instantSyncQuote":true,
        "buyerRequestedQuoteLevel":"firm","note":[{{"id":"n1","text":"buyer"}},{{"id":"s1","text":"seller"}}],
        "quoteLevel":"firm","quoteItem":[
          {{"id":"b","action":"add","product":{{"productConfiguration":{{"@type":"u","n":1.10}},"id":"P-9"}},
            "state":"approved.orderable"}},
          {{"id":"a","action":"add","quoteItemPrice":[{{"price":2.50}}],"state":"approved.orderable"}}],
        "quoteDate":"T1","state":"approved.orderable","effectiveQuoteCompletionDate":"T1",
        "stateChange":[{{"changeDate":"T1","state":"approved.orderable"}}],
        "relatedContactInformation":[{DESK}]}}"#
    );
    assert_same(&done.document, &expected);
    assert!(done.document.text().contains("1.10"), "{}", done.document.text());
    assert_eq!(codes(&done.findings), [""; 0]);
    assert_eq!(
        (done.state.as_deref(), done.external_id.as_deref()),
        (Some("approved.orderable"), Some("B-1"))
    );
    assert!(done.changed);
}

#[test]
fn without_an_answer_the_entity_is_the_request_acknowledged() {
    let request = r#"{"relatedContactInformation":[{"role":"productOrderContact"}],
        "productOrderItem":[{"id":"1","action":"add"}]}"#;
    let done = Case::new(EntityKind::ProductOrder, Some(request), None).run();
    let item_change = r#"[{"changeDate":"T1","state":"acknowledged"}]"#;
    let expected = format!(
        r#"{{"id":"q-1","href":"http://s/q-1","orderDate":"T1","state":"acknowledged","stateChange":{item_change},
        "relatedContactInformation":[{{"role":"productOrderContact"}},{}],
        "productOrderItem":[{{"id":"1","action":"add","state":"acknowledged","stateChange":{item_change}}}]}}"#,
        DESK.replace("sellerContactInformation", "sellerContact")
    );
    assert_same(&done.document, &expected);
}

#[test]
fn echo_can_be_switched_off_for_an_attribute() {
    let echo_off = ["quoteItem.requestedQuoteItemTerm".into(), "description".into()];
    let request =
        r#"{"description":"d","projectId":"p","quoteItem":[{"id":"1","requestedQuoteItemTerm":{"a":1}}]}"#;
    let mapped = r#"{"projectId":"x","quoteItem":[{"id":"1","requestedQuoteItemTerm":{"b":2}}]}"#;
    let done =
        Case { echo_off: &echo_off, ..Case::new(EntityKind::Quote, Some(request), Some(mapped)) }.run();
    let root = done.document.root();
    let at = |pointer: &str| root.resolve(pointer).unwrap().raw().to_owned();
    assert_eq!(at("/quoteItem/0/requestedQuoteItemTerm"), r#"{"b":2}"#);
    // What the answer does not give stays the Buyer's.
    assert_eq!((at("/description"), at("/projectId")), ("\"d\"".to_owned(), "\"p\"".to_owned()));
}

#[test]
fn items_answer_one_to_one() {
    let request = r#"{"quoteItem":[{"id":"1"},{"id":"2"}]}"#;
    let mapped = r#"{"quoteItem":[{"id":"3"},{"id":"2","x":1},{}]}"#;
    let done = Case::new(EntityKind::Quote, Some(request), Some(mapped)).run();
    let items = done.document.root().get("quoteItem").unwrap();
    let ids: Vec<String> =
        items.elements().map(|item| item.get("id").unwrap().as_str().unwrap().into_owned()).collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(codes(&done.findings), ["K104", "K103"]);
}

/// What the mapping proposes for a new order, and the history and findings that come of it.
#[test]
fn missing_legal_steps_are_put_in_and_illegal_states_are_not_told() {
    let rows: [(&str, &[&str], &[&str]); 5] = [
        ("acknowledged", &["acknowledged"], &[]),
        ("inProgress", &["acknowledged", "inProgress"], &[]),
        ("completed", &["acknowledged", "inProgress", "completed"], &[]),
        ("nonsense", &["acknowledged"], &["K102"]),
        ("rejected", &["acknowledged", "rejected"], &[]),
    ];
    for (state, history, findings) in rows {
        let mapped = format!(r#"{{"state":"{state}"}}"#);
        let done = Case::new(EntityKind::ProductOrder, None, Some(&mapped)).run();
        let changes = done.document.root().get("stateChange").unwrap();
        let states: Vec<String> = changes
            .elements()
            .map(|change| change.get("state").unwrap().as_str().unwrap().into_owned())
            .collect();
        assert_eq!(states, history, "{state}");
        assert_eq!(done.state.as_deref(), history.last().copied(), "{state}");
        assert_eq!(codes(&done.findings), findings, "{state}");
    }
}

#[test]
fn a_later_answer_renews_and_history_only_grows() {
    let request = r#"{"externalId":"B-1","productOrderItem":[{"id":"1"},{"id":"2"}]}"#;
    let first = Case::new(EntityKind::ProductOrder, Some(request), None).run();
    let mapped = r#"{"productOrderItem":[{"id":"1","state":"inProgress","expectedCompletionDate":"E"},
        {"id":"2","state":"completed"}]}"#;
    let renew = |kept, mapped, now| {
        Case { kept: Some(kept), now, ..Case::new(EntityKind::ProductOrder, Some(request), mapped) }.run()
    };
    let second = renew(&first.document, Some(mapped), "T2");
    assert_eq!((second.state.as_deref(), second.changed), (Some("inProgress"), true));
    let root = second.document.root();
    let text = |pointer: &str| root.resolve(pointer).unwrap().raw().to_owned();
    assert_eq!(text("/orderDate"), "\"T1\"");
    let changes = r#"[{"changeDate":"T1","state":"acknowledged"},{"changeDate":"T2","state":"inProgress"}]"#;
    assert_eq!(text("/stateChange"), changes);
    assert_eq!(text("/productOrderItem/1/completionDate"), "\"T2\"");
    // The same answer again changes nothing, nor does silence: the system forgot.
    for again in [Some(mapped), None] {
        let third = renew(&second.document, again, "T3");
        assert!(!third.changed, "{}\n{}", second.document.text(), third.document.text());
        assert_eq!(codes(&third.findings), [""; 0]);
    }
    // Backwards is a finding and the state stays; a failed item loses its expected date.
    let back = r#"{"productOrderItem":[{"id":"1","state":"failed"},{"id":"2","state":"inProgress"}]}"#;
    let fourth = renew(&second.document, Some(back), "T4");
    assert_eq!(codes(&fourth.findings), ["K101"]);
    assert_eq!(fourth.state.as_deref(), Some("partial"));
    assert!(fourth.document.root().resolve("/productOrderItem/0/expectedCompletionDate").is_none());
}

#[test]
fn a_parents_state_follows_its_items_when_nobody_says_it() {
    let rows = [
        (EntityKind::Quote, "approved.orderable approved.orderable", "approved.orderable"),
        (EntityKind::Quote, "approved.orderable approved.orderableAlternate", "approved.orderableAlternate"),
        (EntityKind::Quote, "approved.orderable unableToProvide", "unableToProvide"),
        (EntityKind::Quote, "approved.orderable inProgress", "inProgress"),
        (EntityKind::Quote, "acknowledged acknowledged", "acknowledged"),
        (EntityKind::ProductOrder, "completed failed", "partial"),
        (EntityKind::ProductOrder, "completed inProgress", "inProgress"),
        (EntityKind::ProductOrder, "held inProgress", "held.assessingCharge"),
        (EntityKind::ProductOrder, "rejected rejected.validated", "rejected"),
        (EntityKind::Charge, "acceptedByBuyer declinedByBuyer", "completed"),
        (EntityKind::Charge, "acceptedByBuyer awaitingResponse", "awaitingResponse"),
    ];
    for (kind, items, expected) in rows {
        let (first, second) = items.split_once(' ').unwrap();
        let name = kind.facts().items.unwrap();
        let mapped =
            format!(r#"{{"{name}":[{{"id":"1","state":"{first}"}},{{"id":"2","state":"{second}"}}]}}"#);
        let done = Case::new(kind, None, Some(&mapped)).run();
        assert_eq!(done.state.as_deref(), Some(expected), "{} {items}", kind.name());
    }
}

#[test]
fn a_budgetary_quote_has_its_own_states() {
    let request = r#"{"buyerRequestedQuoteLevel":"budgetary","quoteItem":[{"id":"1"}]}"#;
    let done = Case::new(EntityKind::Quote, Some(request), Some(r#"{"state":"answered"}"#)).run();
    assert_eq!((done.state.as_deref(), codes(&done.findings)), (Some("answered"), vec![]));
    assert_eq!(done.document.root().resolve("/quoteItem/0/state").unwrap().raw(), "\"answered\"");
    let done = Case::new(EntityKind::Quote, Some(request), Some(r#"{"state":"approved.orderable"}"#)).run();
    assert_eq!((done.state.as_deref(), codes(&done.findings)), (Some("acknowledged"), vec!["K102"]));
}

#[test]
fn a_buyer_may_only_ask_for_what_may_follow() {
    let quote = |state: &str| {
        doc(&format!(r#"{{"id":"q","href":"h","state":"{state}","quoteItem":[{{"id":"1"}}]}}"#))
    };
    let rows = [
        ("inProgress", "cancelled", true),
        ("inProgress.draft", "cancelled", true),
        ("approved.orderable", "cancelled", false),
        ("approved.orderable", "declined", true),
        ("inProgress", "declined", false),
        ("cancelled", "cancelled", false),
    ];
    for (from, to, legal) in rows {
        let asked = may_move(EntityKind::Quote, quote(from).root(), to);
        assert_eq!(asked.is_ok(), legal, "{from} {to}");
        if legal {
            let moved = move_to(EntityKind::Quote, &quote(from), to, "T2");
            assert_eq!((moved.state.as_deref(), codes(&moved.findings)), (Some(to), vec![]), "{from}");
            let change = moved.document.root().resolve("/stateChange/0").unwrap();
            assert_eq!(change.raw(), format!(r#"{{"changeDate":"T2","state":"{to}"}}"#));
            assert_eq!(moved.document.root().get("id").unwrap().raw(), "\"q\"");
        }
    }
}

#[test]
fn an_answer_without_an_entity_repeats_the_request() {
    let request = doc(r#"{"provideAlternative":false,"submittedGeographicAddress":{"city":"Berlin"}}"#);
    let mapped = doc(
        r#"{"provideAlternative":true,"validationResult":"success","bestMatchGeographicAddress":{"id":"1"}}"#,
    );
    assert_eq!(
        echo(&request, Some(&mapped), &[]).text(),
        r#"{"provideAlternative":false,"submittedGeographicAddress":{"city":"Berlin"},"validationResult":"success","bestMatchGeographicAddress":{"id":"1"}}"#
    );
    assert_same(&echo(&request, None, &[]), request.text());
}

#[test]
fn an_href_is_below_the_api() {
    assert_eq!(
        href("https://s.example/", ["/x", "/mefApi/sonata/quoteManagement/v8"], EntityKind::Quote, "a b/c"),
        "https://s.example/x/mefApi/sonata/quoteManagement/v8/quote/a%20b%2Fc"
    );
}
