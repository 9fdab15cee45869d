//! What bridges cost beside the mapping itself: the CPU time of carrying a quote and an order over, both ways, against
//! that of mapping them and their answers directly.
//!
//! `cargo bench --bench bridge`. On the binary that `--no-run` names, `--count createQuote billie celine 1000` carries one
//! document so often and prints nothing, and `--count createQuote 1000` maps it, under a profiler. Each figure is the least of many rounds of this thread's CPU time, so that what else the
//! machine does hardly shows. Only the ratios mean something on another machine.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::cast_precision_loss, reason = "ratios are told with two digits")]

mod reference;

use rustix::time::{ClockId, clock_gettime};
use segue::{
    custody,
    json::{Document, Node},
    mapping::{
        apply::{Input, References, apply, references},
        bridge::carry,
        operation::{Answer, OperationProgram},
        program::Program,
        value::Value,
    },
    plan::{Served, bridges::Line, load},
    sonata::{Function, Release},
};
use std::{fmt::Write as _, fs, hint::black_box, path::Path, sync::Arc};

/// Rounds of which the least counts.
const ROUNDS: usize = 60;
/// CPU time of one round, in nanoseconds, at least.
const ROUND_NS: u64 = 4_000_000;
/// What a bridge may add to the mapping: between neighbours, and from billie to kylie.
const TARGETS: [f64; 2] = [1.25, 1.80];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let built = load(&root.join("config"), None);
    assert!(built.plan.is_some(), "{}", built.diagnostics.render_text(&built.sources));
    let partner = Arc::clone(built.plan.unwrap().partner("globex").unwrap());
    let settings = partner.settings().settings.clone();
    let program = |function: Function, id: &str| -> Arc<OperationProgram> {
        let Served::Mapped(mapped) = partner.served(function, id) else { panic!("{id} is mapped") };
        Arc::clone(&mapped.program)
    };
    let order = Function::parse("order").unwrap();
    let works = [
        Work::quote(&program(Function::QUOTE, "createQuote"), &settings),
        Work::order(&program(order, "createProductOrder"), &settings, root),
    ];
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == "--count") {
        return count(&works, &arguments[1..]);
    }
    let releases: Vec<Release> = Release::all().collect();
    let (first, last) = (releases[0], releases[releases.len() - 1]);
    let mut pairs: Vec<_> =
        releases.windows(2).flat_map(|pair| [(pair[0], pair[1]), (pair[1], pair[0])]).collect();
    pairs.extend([(first, Release::GRACE), (first, last), (last, first)]);
    let tables: String = works.iter().map(|work| table(work, &pairs)).collect();
    println!("{tables}");
}

/// What bridges between these releases, of a partner and of a mapping, cost beside the mapping.
fn table(work: &Work, pairs: &[(Release, Release)]) -> String {
    let releases: Vec<Release> = Release::all().collect();
    let (first, last) = (releases[0], releases[releases.len() - 1]);
    let (mut direct, mut rows) = (u64::MAX, Vec::new());
    for (partner, mapping) in pairs {
        let over = Over::new(work, *partner, *mapping);
        // In turns: on a busy machine a figure that is taken once, before the others, makes all ratios too good or too bad.
        direct = direct.min(least(&|| work.map()));
        rows.push((partner, mapping, least(&|| over.request()), least(&|| over.answer()), over));
    }
    let mut table = format!("{}: {direct} ns mapped directly, request and answer\n", work.id);
    for (partner, mapping, request, answer, over) in rows {
        let ratio = (direct + request + answer) as f64 / direct as f64;
        let is_far = partner.min(mapping) == &first && partner.max(mapping) == &last;
        let near = releases.windows(2).any(|pair| pair.contains(partner) && pair.contains(mapping));
        let target = if near { Some(TARGETS[0]) } else { is_far.then_some(TARGETS[1]) };
        let met = target.map_or(String::new(), |target| {
            format!(" (at most {target}: {})", if ratio <= target { "met" } else { "MISSED" })
        });
        writeln!(
            table,
            "  {partner:>6} to {mapping:<6} {:.2}{met}: request {request} ns in {} steps, answer {answer} ns in {}",
            ratio,
            over.programs[0].len(),
            over.programs[1].len()
        )
        .unwrap();
    }
    table
}

/// Does one thing so often.
fn count(works: &[Work], arguments: &[String]) {
    let work = works.iter().find(|work| work.id == arguments[0]).expect("an operation of the bench");
    let times: usize = arguments[arguments.len() - 1].parse().expect("a number at last");
    let release = |name: &String| Release::parse(name).expect("a release");
    if let [_, partner, mapping, _] = arguments {
        let over = Over::new(work, release(partner), release(mapping));
        (0..times).for_each(|_| {
            over.request();
            over.answer();
        });
    } else {
        (0..times).for_each(|_| work.map());
    }
}

/// CPU time that this thread has had, in nanoseconds.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}

/// The least CPU time of a step, in nanoseconds.
fn least(step: &dyn Fn()) -> u64 {
    let mut times = 1;
    let mut best = u64::MAX;
    let mut round = 0;
    while round < ROUNDS {
        let begin = cpu_ns();
        for _ in 0..times {
            step();
        }
        let spent = cpu_ns() - begin;
        if spent < ROUND_NS && times < 1_000_000 {
            times *= 2;
            continue;
        }
        best = best.min(spent / times);
        round += 1;
    }
    best
}

/// One program on one message.
struct Message {
    program: Arc<Program>,
    document: Document,
    /// The element of the array of items; none: the whole.
    element: Option<usize>,
    references: References,
    facts: Document,
}

impl Message {
    fn new(program: &Arc<Program>, document: &Document, element: Option<usize>, facts: &Document) -> Self {
        let facts = facts.clone();
        let mut message = Self {
            program: Arc::clone(program),
            document: document.clone(),
            element,
            references: References::new(),
            facts,
        };
        let value = Value::Node(message.facts.root());
        let needed = references(&message.program, &message.input(&value));
        for need in needed {
            message.references.insert(&need.kind, need.id, "4711");
        }
        message
    }

    fn input<'m>(&'m self, facts: &'m Value<'m>) -> Input<'m> {
        let mut input = Input::new(Some(self.document.root()), facts, &self.references);
        input.scope = self.element.map(|index| items(&self.document)[index]);
        input.index = self.element;
        input
    }

    fn map(&self) -> Option<Document> {
        let facts = Value::Node(self.facts.root());
        apply(&self.program, &self.input(&facts)).unwrap_or_else(|failures| panic!("{failures:?}")).body
    }
}

fn items(document: &Document) -> Vec<Node<'_>> {
    document.root().get("productOrderItem").into_iter().flat_map(Node::elements).collect()
}

/// What is mapped, in the form of grace.
struct Work {
    function: &'static str,
    id: &'static str,
    messages: Vec<Message>,
    request: Document,
    answer: Document,
}

impl Work {
    fn quote(program: &OperationProgram, settings: &Document) -> Self {
        let request = Document::from_text(&reference::request()).unwrap();
        let reply = Document::from_text(&reference::answer()).unwrap();
        let facts = facts(settings, &request);
        let Answer::Reply(back) = &program.answer else { panic!("a quote is one reply") };
        let messages = vec![
            Message::new(program.calls[0].request.as_ref().unwrap(), &request, None, &facts),
            Message::new(back, &reply, None, &facts),
        ];
        let mapped = messages[1].map();
        let answer = custody::complete(&custody::Completing {
            is_part: false,
            kind: segue::sonata::entity::EntityKind::Quote,
            request: Some(&request),
            mapped: mapped.as_ref(),
            kept: None,
            id: "0198f7a0-0000-7000-8000-000000000000",
            href: Some("http://127.0.0.1:8080/mefApi/sonata/quoteManagement/v8/quote/0198f7a0"),
            now: "2026-11-21T08:00:00.000Z",
            seller: None,
            echo_off: &[],
        });
        Self { function: "quote", id: "createQuote", messages, request, answer: answer.document }
    }

    fn order(program: &OperationProgram, settings: &Document, root: &Path) -> Self {
        let case = root.join("mappings/acme/cases/order/createProductOrder.everything");
        let body = |file: &str| {
            let text = fs::read_to_string(case.join(file)).unwrap();
            let case: serde_json::Value = serde_json::from_str(&text).unwrap();
            Document::from_text(&case["body"].to_string()).unwrap()
        };
        let (request, answer) = (body("1-sonata-request.json"), body("4-sonata-response.json"));
        let facts = facts(settings, &request);
        let mut messages = Vec::new();
        for call in &program.calls {
            let elements = if call.each.is_some() { items(&request) } else { vec![request.root()] };
            for (index, element) in elements.into_iter().enumerate() {
                if call.condition.as_ref().is_none_or(|condition| condition.holds(element, request.root()))
                    && let Some(program) = &call.request
                {
                    messages.push(Message::new(program, &request, call.each.as_ref().map(|_| index), &facts));
                }
            }
        }
        let Answer::Calls { program: back, .. } = &program.answer else {
            panic!("an order has a reply for each item")
        };
        messages.push(Message::new(back, &body("3b-legacy-response.json"), None, &facts));
        Self { function: "order", id: "createProductOrder", messages, request, answer }
    }

    fn map(&self) {
        for message in &self.messages {
            black_box(black_box(message).map());
        }
    }
}

fn facts(settings: &Document, request: &Document) -> Document {
    let text = format!(
        r#"{{"settings":{},"request":{},"entity":{{"id":"0198f7a0","document":{}}}}}"#,
        settings.text(),
        request.text(),
        request.text()
    );
    Document::from_text(&text).unwrap()
}

/// A message and its answer on the way between a partner's release and that of a mapping.
struct Over {
    programs: [Vec<Arc<Program>>; 2],
    documents: [Document; 2],
    facts: Document,
}

impl Over {
    fn new(work: &Work, partner: Release, mapping: Release) -> Self {
        let facts = Document::from_text(r#"{"settings":{},"entity":{"document":{}}}"#).unwrap();
        let made = |steps: &[Arc<Program>], document: &Document| {
            let over = carry(steps, document, &Value::Node(facts.root()))
                .unwrap_or_else(|fault| panic!("{fault:?}"));
            over.body.unwrap_or_else(|| document.clone())
        };
        let line = |from, to| Line::between(from, to).unwrap();
        let to_partner = line(Release::GRACE, partner).operation(work.function, work.id).unwrap();
        let to_mapping = line(Release::GRACE, mapping).operation(work.function, work.id).unwrap();
        let from_mapping =
            line(mapping, Release::GRACE).operation(work.function, &to_mapping.operation_id).unwrap();
        let over = line(partner, mapping).operation(work.function, &to_partner.operation_id).unwrap();
        Self {
            documents: [made(&to_partner.request, &work.request), made(&from_mapping.answer, &work.answer)],
            programs: [over.request, over.answer],
            facts,
        }
    }

    fn go(&self, index: usize) {
        let facts = Value::Node(self.facts.root());
        black_box(carry(&self.programs[index], black_box(&self.documents[index]), &facts).unwrap());
    }

    fn request(&self) {
        self.go(0);
    }

    fn answer(&self) {
        self.go(1);
    }
}
