//! The play: each step, and what came of it.

use serde_json::Value;

use super::scenario::{Refused, Step};
use super::{Buyer, Done, Event, Unexpected, text};

/// How long it waits for the last events, in milliseconds.
const EVENTS_MS_MAX: u64 = 30_000;

/// Time between two looks at the events, in milliseconds.
const LOOK_MS: u64 = 20;

/// What the steps before have come to.
#[derive(Default)]
struct Known {
    qualification: String,
    quote: String,
    order: String,
    product: String,
}

/// Plays the steps of the scenario once, and says what happened.
///
/// # Errors
/// The first thing that went otherwise than the scenario has it.
pub async fn play(buyer: &Buyer, say: impl Fn(&str)) -> Done<()> {
    let registrations = buyer.register().await?;
    if registrations.is_empty() {
        say("no events: it asks for what it follows");
    } else {
        say(&format!("registered: events come to http://{}/buyer", buyer.listener.local_addr));
    }
    let mut known = Known::default();
    for step in Step::ALL.into_iter().filter(|step| buyer.scenario.steps.contains(step)) {
        let refused = buyer.scenario.refused.as_ref().filter(|refused| refused.step == step);
        match (take(buyer, step, &mut known, &say).await, refused) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => return Err(Unexpected::of(format!("{step:?} was not refused"))),
            (Err(error), None) => return Err(error),
            (Err(error), Some(refused)) => {
                say(&as_said(error, refused)?);
                break;
            }
        }
    }
    await_events(buyer).await?;
    buyer.unregister(&registrations).await?;
    told(&buyer.events(), say);
    Ok(())
}

/// Whether a refusal is the one that is expected, in words.
fn as_said(error: Unexpected, refused: &Refused) -> Done<String> {
    match &error.answer {
        Some((status, body)) if *status == refused.status && refused.body.meets(body) => {
            Ok(format!("refused, as expected: {error}"))
        }
        _ => Err(error),
    }
}

async fn take(buyer: &Buyer, step: Step, known: &mut Known, say: &impl Fn(&str)) -> Done<()> {
    match step {
        Step::Address => {
            let address = buyer.validate().await?;
            say(&format!("address {} validated", text(&address, "id")));
        }
        Step::Qualification => {
            known.qualification = buyer.qualify().await?;
            say(&format!("qualification {}: a port and a line can be had", known.qualification));
        }
        Step::Quote => {
            let quote = buyer.ask_quote(&known.qualification).await?;
            say(&format!("quote {quote} asked for; it takes its time"));
            let found = buyer.quoted(&quote).await?;
            say(&format!("quote {quote} is {}", text(&found, "state")));
            known.quote = quote;
        }
        Step::Order => {
            let order = buyer.order(&known.quote).await?;
            say(&format!("order {order} of {} items placed", super::messages::count(&buyer.scenario)));
            buyer.begun(&order).await?;
            say(&format!("order {order} is in work"));
            let found = buyer.ordered(&order).await?;
            say(&format!("order {order} is {}", text(&found, "state")));
            known.order = order;
        }
        Step::Products => {
            let products = buyer.products(&known.order).await?;
            for product in &products {
                say(&format!("product {} is active", text(product, "id")));
            }
            known.product = products.first().map(|own| text(own, "id").to_owned()).unwrap_or_default();
        }
        Step::Ticket => {
            let ticket = buyer.open_ticket(&known.product).await?;
            say(&format!("ticket {ticket} opened"));
            let found = buyer.resolved(&ticket).await?;
            say(&format!("ticket {ticket} is {}", text(&found, "status")));
            buyer.close_ticket(&ticket).await?;
            say(&format!("ticket {ticket} is closed"));
        }
    }
    Ok(())
}

/// Waits for the events that the scenario wants.
async fn await_events(buyer: &Buyer) -> Done<()> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(EVENTS_MS_MAX);
    for (event_type, wanted) in &buyer.scenario.events {
        loop {
            let count = buyer.events().iter().filter(|event| event.text("/eventType") == event_type).count();
            if count >= *wanted {
                break;
            }
            if tokio::time::Instant::now() >= deadline {
                return Err(Unexpected::of(format!("{event_type} came {count} times, not {wanted}")));
            }
            tokio::time::sleep(std::time::Duration::from_millis(LOOK_MS)).await;
        }
    }
    Ok(())
}

fn told(events: &[Event], say: impl Fn(&str)) {
    say(&format!("{} events:", events.len()));
    for event in events {
        let item = ["orderItemId", "quoteItemId", "poqItemId"]
            .iter()
            .find_map(|name| event.message.pointer(&format!("/event/{name}")).and_then(Value::as_str));
        let item = item.map(|item| format!(" item {item}")).unwrap_or_default();
        say(&format!("  {} {}{item}", event.text("/eventType"), event.text("/event/id")));
    }
}
