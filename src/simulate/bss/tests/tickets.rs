use super::*;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

impl Caller {
    /// One call of the ticket desk; gives status and text.
    async fn soap(&mut self, inside: &str) -> (u16, String) {
        let body = format!("<e:Envelope xmlns:e='{SOAP}'><e:Body>{inside}</e:Body></e:Envelope>");
        let (status, headers, body) = self.raw("POST", "/soap/tickets", body.into()).await.unwrap();
        assert_eq!(headers["content-type"], "text/xml; charset=utf-8");
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

fn new(kind: &str, text: &str, object: &str, space: &str) -> String {
    format!(
        "<CreateTicket xmlns='urn:acme:ttms:1'><Account>4711</Account><Ticket><Kind>{kind}</Kind><Impact>T</Impact>\
         <Prio>1</Prio><Sev>A</Sev><Text>{text}</Text><Object type='A'>{object}</Object>\
         <Contact role='K'><Name xmlns='{space}'>M</Name></Contact></Ticket></CreateTicket>"
    )
}

fn on(operation: &str, no: &str, more: &str) -> String {
    format!("<t:{operation} xmlns:t='urn:acme:ttms:1'><t:No>{no}</t:No>{more}</t:{operation}>")
}

#[tokio::test]
async fn a_ticket_goes_its_way() {
    let mut desk = Caller::new().await;
    let (status, made) = desk.soap(&new("A", "dark &amp; &lt;cold&gt;", "A4711", "urn:acme:common:1")).await;
    assert_eq!(status, 200, "{made}");
    assert!(
        made.contains("<CreateTicketResponse xmlns=\"urn:acme:ttms:1\"><Ticket no=\"T-6001\" state=\"NEW\">")
    );
    assert!(made.contains("<Text>dark &amp; &lt;cold&gt;</Text>"), "{made}");
    assert!(made.contains("<Name xmlns=\"urn:acme:common:1\">M</Name>"), "{made}");
    desk.advance("T-6001", 2).await;
    for (operation, more, state) in [
        ("GetTicket", "", "DONE"),
        ("ReopenTicket", "<t:Why>still dark</t:Why>", "REOPEN"),
        ("GetTicket", "", "REOPEN"),
    ] {
        let (status, told) = desk.soap(&on(operation, "T-6001", more)).await;
        assert_eq!(status, 200, "{operation}: {told}");
        assert!(told.contains(&format!("state=\"{state}\"")), "{operation}: {told}");
    }
    desk.advance("T-6001", 2).await;
    let (_, closed) = desk.soap(&on("CloseTicket", "T-6001", "")).await;
    assert!(closed.contains("state=\"END\"") && closed.contains(">still dark</Remark>"), "{closed}");
    let (status, late) = desk.soap(&on("CancelTicket", "T-6001", "")).await;
    assert_eq!(status, 500);
    assert!(late.contains("<faultcode>SOAP-ENV:Client.State</faultcode>"), "{late}");
}

#[tokio::test]
async fn what_is_wrong_is_a_fault() {
    let mut desk = Caller::new().await;
    let rows = [
        (new("Z", "dark", "A1", "urn:acme:common:1"), "Client.Data", "<Code>T003</Code><Pos>Kind</Pos>"),
        (new("A", "?!", "A1", "urn:acme:common:1"), "Client.Data", "<Code>T004</Code><Pos>Text</Pos>"),
        (new("A", "dark", "X1", "urn:acme:common:1"), "Client.Object", "<Pos>X1</Pos>"),
        (new("A", "dark", "A1", "urn:acme:ttms:1"), "Client.Data", "<Code>T005</Code>"),
        (on("GetTicket", "T-1", ""), "Client.NotFound", "<Code>T404</Code>"),
        (on("Dance", "T-1", ""), "Client.Message", "<Pos>Dance</Pos>"),
        ("<GetTicket><No>T-1</No></GetTicket>".to_owned(), "Client.Message", "<Code>T001</Code>"),
        ("<a>&x;</a>".to_owned(), "Client.Message", "<Code>T001</Code>"),
    ];
    for (inside, code, detail) in rows {
        let (status, told) = desk.soap(&inside).await;
        assert_eq!(status, 500, "{inside}");
        assert!(told.contains(&format!("SOAP-ENV:{code}<")) && told.contains(detail), "{inside}: {told}");
    }
}

#[tokio::test]
async fn lists_are_of_the_account_and_by_letters() {
    let mut desk = Caller::new().await;
    for kind in ["A", "W"] {
        desk.soap(&new(kind, "dark", "A4711", "urn:acme:common:1")).await;
    }
    let ask = |name: &str, more: &str| {
        format!("<{name} xmlns='urn:acme:ttms:1'><Account>4711</Account>{more}</{name}>")
    };
    for (inside, count) in [
        (ask("ListTickets", ""), 2),
        (ask("ListTickets", "<Kind>W</Kind>"), 1),
        (ask("ListTickets", "<Kind>W</Kind><Kind>A</Kind>"), 2),
        (ask("ListTickets", "<State>DONE</State>"), 0),
        (ask("ListNotices", ""), 3),
        (ask("ListNotices", "").replace("4711", "1"), 0),
    ] {
        let (_, told) = desk.soap(&inside).await;
        assert!(told.contains(&format!("count=\"{count}\"")), "{inside}: {told}");
        assert_eq!(told.matches("<Row ").count(), count, "{told}");
        assert!(!told.contains("<Contact"), "a row has no contacts: {told}");
    }
    let (_, notice) = desk.soap(&on("GetNotice", "N-8001", "")).await;
    assert!(notice.contains("<Contact role=\"D\">"), "{notice}");
}
