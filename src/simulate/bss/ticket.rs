//! The ticket desk: tickets of customers and notices of the house, by SOAP 1.1 at `/soap/tickets`.
//!
//! It was bought, not built, and so speaks another dialect than the rest of the house: XML in two namespaces, letters in
//! attributes, faults with HTTP 500. Dates of work are days, stamps are kept as their sender wrote them.
//!
//! Tickets are `NEW`, `WORK` in work, `WAIT` for the customer, `DONE`, `REOPEN`, `END`, `STORNOQ` asked to be cancelled
//! and `STORNO`; notices `OPEN`, `WORK`, `END`. What it refuses, so that a caller can have a refusal: an account or an
//! object that begins with `X`, a text without a letter in it, and what a ticket's state does not allow.

use super::day;
use super::reply::Reply;
use super::soap::{self, Xml};
use super::state::State;

/// Namespace of messages, and of what is in a `Contact`.
const MESSAGES: &str = "urn:acme:ttms:1";
const COMMON: &str = "urn:acme:common:1";

/// A ticket, or a notice of the house.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    no: String,
    account: String,
    st: &'static str,
    /// What the customer said, kept as it was said.
    said: Xml,
    due: Option<String>,
    done: Option<String>,
    opened: String,
}

/// A fault: its code behind `Client.` or `Server.`, the desk's own code, the place and a sentence.
struct Fault(&'static str, &'static str, String, &'static str);

type Done = Result<(Xml, Vec<String>), Fault>;

/// Notices that the house had when the desk opened: object, letter of kind, text, state.
const NOTICES: &[(&str, &str, &str, &str)] = &[
    ("A4711", "W", "Maintenance of the node BER-3", "OPEN"),
    ("A4712", "R", "Repair of a splice near km 12", "WORK"),
    ("A4711", "W", "Exchange of a power supply", "END"),
];

/// Children of a ticket that are told once, and those that are told as often as they are.
const SINGLE: &[&str] = &["Ref", "Kind", "Impact", "Prio", "Sev", "Text", "Since"];
const TABLES: &[&str] = &["Contact", "Object", "Remark", "Doc", "Link"];

/// The notices of the house on its opening day.
pub(super) fn notices(today: jiff::civil::Date) -> Vec<Ticket> {
    let rows = NOTICES.iter().zip(8001..).map(|((object, kind, text, st), number)| {
        let mut said = Xml::default();
        let single = [("Kind", *kind), ("Impact", "P"), ("Prio", "2"), ("Sev", "B"), ("Text", *text)];
        said.children = single.iter().map(|(name, value)| leaf(name, value)).collect();
        said.children.push(leaf("Since", &day::write(today)));
        said.children.push(Xml { attributes: vec![pair("type", "A")], ..leaf("Object", object) });
        let contact = [("Name", "Network Operations"), ("Tel", "+49 30 7777"), ("Mail", "noc@acme.example")];
        let children = contact.iter().map(|(name, value)| leaf(name, value)).collect();
        said.children.push(Xml { children, attributes: vec![pair("role", "D")], ..leaf("Contact", "") });
        Ticket {
            no: format!("N-{number}"),
            account: "4711".to_owned(),
            st,
            said,
            due: (*st != "END").then(|| day::write(day::after(today, 3))),
            done: (*st == "END").then(|| day::write(today)),
            opened: day::write(today),
        }
    });
    rows.collect()
}

/// `POST /soap/tickets`
pub(super) fn answer(state: &mut State, body: &[u8]) -> Reply {
    let asked = soap::read(body).filter(|asked| asked.space == MESSAGES);
    let done = match asked {
        None => Err(Fault("Client.Message", "T001", String::new(), "not readable")),
        Some(asked) => act(state, &asked),
    };
    match done {
        Ok((answer, made)) => reply(200, enveloped(&answer), made),
        Err(Fault(code, own, place, text)) => {
            let place = quick_xml::escape::escape(place.as_str()).into_owned();
            let inside = format!(
                "<SOAP-ENV:Fault><faultcode>SOAP-ENV:{code}</faultcode><faultstring>{text}</faultstring><detail>\
                 <TicketFault xmlns=\"{MESSAGES}\"><Code>{own}</Code><Pos>{place}</Pos></TicketFault>\
                 </detail></SOAP-ENV:Fault>"
            );
            reply(500, soap::envelope(&inside), Vec::new())
        }
    }
}

fn reply(status: u16, body: Vec<u8>, made: Vec<String>) -> Reply {
    Reply { status, media_type: "text/xml; charset=utf-8", body, made }
}

fn act(state: &mut State, asked: &Xml) -> Done {
    match asked.name.as_str() {
        "CreateTicket" => create(state, asked),
        "ListTickets" => Ok((list(state.tickets.iter(), asked, "ListTicketsResponse"), Vec::new())),
        "ListNotices" => Ok((list(state.notices.iter(), asked, "ListNoticesResponse"), Vec::new())),
        "GetNotice" => {
            let no = asked.get("No").unwrap_or_default();
            let found = state.notices.iter().find(|notice| notice.no == no).ok_or_else(unknown)?;
            Ok((answered("GetNoticeResponse", found.row("Notice", true)), Vec::new()))
        }
        "GetTicket" => {
            let key = key(state, asked)?;
            if state.advance_on_read {
                step(state, key);
            }
            told(state, key, "GetTicketResponse", Vec::new())
        }
        "UpdateTicket" => update(state, asked),
        "CloseTicket" => moved(state, asked, &["DONE"], "END"),
        "CancelTicket" => moved(state, asked, &["NEW", "WORK", "WAIT"], "STORNOQ"),
        "ReopenTicket" => {
            let why = asked.get("Why").ok_or_else(|| wrong("T002", "Why", "missing"))?;
            let remark = Xml { attributes: vec![pair("by", "B")], ..leaf("Remark", why) };
            let done = moved(state, asked, &["DONE"], "REOPEN")?;
            let key = key(state, asked)?;
            if let Some(ticket) = state.tickets.get_mut(key) {
                ticket.said.children.push(remark);
                ticket.done = None;
            }
            Ok(done)
        }
        _ => Err(Fault("Client.Message", "T001", asked.name.clone(), "no such operation")),
    }
}

fn create(state: &mut State, asked: &Xml) -> Done {
    let account = asked.get("Account").ok_or_else(|| wrong("T002", "Account", "missing"))?.to_owned();
    if account.starts_with('X') {
        return Err(Fault("Client.Account", "T090", "Account".to_owned(), "account blocked"));
    }
    let said = asked.child("Ticket").ok_or_else(|| wrong("T002", "Ticket", "missing"))?;
    for name in ["Kind", "Impact", "Prio", "Sev", "Text"] {
        said.get(name).ok_or_else(|| wrong("T002", name, "missing"))?;
    }
    check(said)?;
    let (due, opened) = (day::write(day::after(state.today, 2)), day::write(state.today));
    let mut kept = Xml::default();
    change(&mut kept, said);
    let key = state.tickets.add(|no| Ticket {
        no,
        account,
        st: "NEW",
        said: kept,
        due: Some(due),
        done: None,
        opened,
    });
    let made = state.tickets.get(key).map(|ticket| ticket.no.clone()).into_iter().collect();
    told(state, key, "CreateTicketResponse", made)
}

fn check(said: &Xml) -> Result<(), Fault> {
    let letters = |name: &str, known: &str| match said.get(name) {
        Some(text) if text.len() != 1 || !known.contains(text) => Err(wrong("T003", name, "code not known")),
        _ => Ok(()),
    };
    letters("Kind", "AIMW")?;
    letters("Impact", "TPS")?;
    letters("Prio", "1234")?;
    letters("Sev", "ABCD")?;
    if said.get("Text").is_some_and(|text| !text.chars().any(char::is_alphabetic)) {
        return Err(wrong("T004", "Text", "says nothing"));
    }
    for object in said.all("Object") {
        if object.text.trim().starts_with('X') || object.attribute("type").is_none() {
            return Err(Fault("Client.Object", "T010", object.text.clone(), "object not known"));
        }
    }
    let foreign = |contact: &&Xml| contact.children.iter().any(|child| child.space != COMMON);
    match said.all("Contact").find(foreign) {
        Some(_) => Err(wrong("T005", "Contact", "element of another namespace")),
        None => Ok(()),
    }
}

/// Takes over what is said; tables are replaced as a whole.
fn change(kept: &mut Xml, said: &Xml) {
    for name in SINGLE.iter().chain(TABLES) {
        if said.child(name).is_some() {
            kept.children.retain(|child| child.name != *name);
            kept.children.extend(said.all(name).cloned());
        }
    }
}

fn update(state: &mut State, asked: &Xml) -> Done {
    let key = key(state, asked)?;
    let said = asked.child("Ticket").ok_or_else(|| wrong("T002", "Ticket", "missing"))?;
    check(said)?;
    let ticket = state.tickets.get_mut(key).ok_or_else(unknown)?;
    if !["NEW", "WORK", "WAIT"].contains(&ticket.st) {
        return Err(Fault("Client.State", "T030", ticket.st.to_owned(), "not in this state"));
    }
    change(&mut ticket.said, said);
    if ticket.st == "WAIT" {
        ticket.st = "WORK";
    }
    let made = vec![ticket.no.clone()];
    told(state, key, "UpdateTicketResponse", made)
}

fn moved(state: &mut State, asked: &Xml, from: &[&str], to: &'static str) -> Done {
    let key = key(state, asked)?;
    let ticket = state.tickets.get_mut(key).ok_or_else(unknown)?;
    if !from.contains(&ticket.st) {
        return Err(Fault("Client.State", "T030", ticket.st.to_owned(), "not in this state"));
    }
    ticket.st = to;
    let made = vec![ticket.no.clone()];
    told(state, key, &format!("{}Response", asked.name), made)
}

/// Moves a ticket one step on; false when nothing was left to do.
pub(super) fn step(state: &mut State, key: u64) -> bool {
    let today = day::write(state.today);
    let Some(ticket) = state.tickets.get_mut(key) else { return false };
    ticket.st = match ticket.st {
        "NEW" | "REOPEN" => "WORK",
        "WORK" => "DONE",
        "STORNOQ" => "STORNO",
        _ => return false,
    };
    if ticket.st == "DONE" {
        ticket.done = Some(today);
        let remark = Xml { attributes: vec![pair("by", "S")], ..leaf("Remark", "Done by the night shift.") };
        ticket.said.children.push(remark);
    }
    state.outbox.note(&ticket.no);
    true
}

/// The message that tells of a ticket by itself, in its envelope.
pub(super) fn changed(ticket: &Ticket) -> Vec<u8> {
    enveloped(&answered("TicketChanged", ticket.row("Ticket", true)))
}

fn enveloped(answer: &Xml) -> Vec<u8> {
    let mut inside = String::new();
    answer.write(&mut inside);
    // Everything that goes out is in one namespace, but what a contact holds.
    soap::envelope(&inside.replacen('>', &format!(" xmlns=\"{MESSAGES}\">"), 1))
}

fn key(state: &State, asked: &Xml) -> Result<u64, Fault> {
    let key = state.tickets.number(asked.get("No").unwrap_or_default()).ok_or_else(unknown)?;
    state.tickets.get(key).map(|_| key).ok_or_else(unknown)
}

fn told(state: &State, key: u64, name: &str, made: Vec<String>) -> Done {
    let ticket = state.tickets.get(key).ok_or_else(unknown)?;
    Ok((answered(name, ticket.row("Ticket", true)), made))
}

fn answered(name: &str, row: Xml) -> Xml {
    Xml { children: vec![row], ..leaf(name, "") }
}

/// Rows of an account; letters that are asked for more than once are any of them.
fn list<'t>(rows: impl Iterator<Item = &'t Ticket>, asked: &Xml, name: &str) -> Xml {
    let takes = |name: &str, value: Option<&str>| {
        let mut wanted = asked.all(name).peekable();
        wanted.peek().is_none() || wanted.any(|one| Some(one.text.trim()) == value)
    };
    let account = asked.get("Account").unwrap_or_default();
    let rows = rows.filter(|row| {
        row.account == account
            && takes("State", Some(row.st))
            && ["Kind", "Impact", "Prio", "Sev"].into_iter().all(|name| takes(name, row.said.get(name)))
    });
    let children: Vec<Xml> = rows.map(|row| row.row("Row", false)).collect();
    let count = pair("count", &children.len().to_string());
    Xml { children, attributes: vec![count], ..leaf(name, "") }
}

impl Ticket {
    /// Its number, while somebody works on it or will.
    pub fn open(&self) -> Option<&str> {
        ["NEW", "WORK", "REOPEN", "STORNOQ"].contains(&self.st).then_some(&self.no)
    }

    fn row(&self, name: &str, whole: bool) -> Xml {
        let mut row = leaf(name, "");
        row.attributes = vec![pair("no", &self.no), pair("state", self.st)];
        row.children.push(leaf("Opened", &self.opened));
        for (name, day) in [("Due", &self.due), ("Done", &self.done)] {
            row.children.extend(day.as_ref().map(|day| leaf(name, day)));
        }
        for child in &self.said.children {
            let single = SINGLE.contains(&child.name.as_str()) || child.name == "Object";
            if whole && child.name == "Contact" {
                let mut contact = child.clone();
                contact.children.iter_mut().for_each(|one| one.attributes = vec![pair("xmlns", COMMON)]);
                row.children.push(contact);
            } else if whole || single {
                row.children.push(child.clone());
            }
        }
        row
    }
}

fn leaf(name: &str, text: &str) -> Xml {
    Xml { name: name.to_owned(), text: text.to_owned(), ..Xml::default() }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn wrong(own: &'static str, place: &str, text: &'static str) -> Fault {
    Fault("Client.Data", own, place.to_owned(), text)
}

fn unknown() -> Fault {
    Fault("Client.NotFound", "T404", "No".to_owned(), "number not on file")
}
