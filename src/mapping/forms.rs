//! What mapping files may hold, for editors: the forms beside the readers of [`super::raw`].

use super::{convert::converters, program::FailureCode};
use crate::text::form::{Choice, Form, Kind};

/// Words of the standard, which this room does not know.
#[derive(Debug, Clone)]
pub struct Standard {
    /// Names of releases.
    pub releases: Vec<String>,
    /// Names of functions.
    pub functions: Vec<String>,
}

/// Which mapping file is which; cases are not mappings, but stand beside them.
pub const FILES: &[Choice] =
    &[(&["language"], "set"), (&["extends"], "overlay"), (&["function", "shapes", "operations"], "function")];

/// All forms of mapping files, those of code tables last: they have no key by which to know them.
#[must_use]
pub fn forms(standard: &Standard) -> Vec<Form> {
    let mut forms = files(standard);
    forms.extend(rules());
    forms.extend(operations());
    forms.extend(codes());
    forms
}

/// A name of something that stands elsewhere, or a place.
fn text() -> Kind {
    Kind::Text
}

fn names() -> Kind {
    Kind::Text.or_list()
}

fn fields() -> Kind {
    Kind::Is("rule").list()
}

fn condition() -> Kind {
    Kind::Either(vec![text(), Kind::Is("condition")])
}

fn body() -> Kind {
    Kind::Either(vec![text(), Kind::Is("body")])
}

fn problem() -> Kind {
    Kind::words(FailureCode::ALL.iter().map(|code| code.as_str()))
}

fn files(standard: &Standard) -> Vec<Form> {
    vec![
        set(standard),
        namespace(),
        function_file(standard),
        receive(),
        watch(),
        expose(),
        exposed_answer(),
        notify(),
        problems(),
        shape(),
        overlay(),
        codes_change(),
        change(),
    ]
}

/// Short names, each with one `@type` or several.
fn products() -> Kind {
    Kind::Either(vec![text(), Kind::Some(Box::new(text()))]).named()
}

fn set(standard: &Standard) -> Form {
    let releases = Kind::Words(standard.releases.clone());
    Form::new("set", "set.yaml: how one legacy system says Sonata.")
        .must("language", Kind::Integer(1, 1), "Version of the mapping language: 1.")
        .may("release", releases, "The release whose names stand on the `sonata:` side.")
        .may("backend", text(), "The backend of config/backends.")
        .may(
            "products",
            products(),
            "Short names of products: the `@type`, or a list of which the first is written and all are read.",
        )
        .may(
            "namespaces",
            Kind::Is("namespace").list(),
            "Which namespace the XML elements belong to when they are written.",
        )
        .may("lists", names(), "XML elements that are arrays even where they occur once.")
}

fn namespace() -> Form {
    Form::new("namespace", "One namespace of XML.")
        .may("uri", text(), "Its URI; without it the elements are in none.")
        .may("elements", names(), "Its elements; without it all that no other entry has.")
        .any_of(&["uri", "elements"])
}

fn function_file(standard: &Standard) -> Form {
    let functions = Kind::Words(standard.functions.clone());
    let served = Kind::Either(vec![Kind::words(["manual", "off"]), Kind::Is("operation")]);
    Form::new(
        "function",
        "A file of shapes and operations; one without `function` has shapes for several functions.",
    )
    .may("function", functions, "The Sonata function whose operations stand here.")
    .may("backend", text(), "The backend of its operations, whatever the partner's routes say.")
    .may("shapes", Kind::Is("shape").named(), "Rules by name.")
    .may("operations", served.clone().named(), "Operations by operationId; `manual`: people answer it, `off`: 501.")
    .may(
        "receives",
        Kind::Is("receive").named(),
        "Messages that the legacy system sends to the internal listener, by method and path: `PUT /bss/orders/{no}`.",
    )
    .may(
        "watch",
        Kind::Is("watch").named(),
        "What the legacy system is asked for again and again, by a name: `changed-orders`.",
    )
    .may(
        "exposes",
        Kind::Is("expose").named(),
        "What our procurement system may ask of Sellers on the internal listener, by method and path: `POST /purchase/offers`.",
    )
    .may("problems", Kind::Is("problems"), "How it is told of a problem; once in a set.")
    .may(
        "notifies",
        Kind::Is("notify").named(),
        "Events of Sellers that our procurement system is told of: `quoteStateChangeEvent`.",
    )
    .later(&["bridge", "copy", "types", "events"])
}

fn expose() -> Form {
    Form::new("expose", "A message of our procurement system, and the Seller's operation that it becomes.")
        .must("operation", text(), "operationId of the Seller's operation.")
        .may(
            "seller",
            Kind::Either(vec![text(), text().named()]),
            "Where the message names the partner; or a setting of partners, and where the message says the same: `{ vendor: supplier }`. Without it there is one.",
        )
        .may("correlation", text(), "Where the message has our own number of what is bought: it is made once, and found by it.")
        .may("request", body(), "What becomes of the message: a shape, or rules at the spot.")
        .may("answer", Kind::Either(vec![text(), Kind::Is("exposed-answer")]), "What becomes of the Seller's answer; without it ours has no body.")
        .may("status", Kind::Integer(200, 299), "The status of our answer; default: 200 or 204, that of the Seller for what is made.")
        .may("wait", text(), "A condition on what the Seller says of what it made: our answer waits until it holds, as long as the exchange may last.")
}

fn notify() -> Form {
    Form::new("notify", "An event of a Seller, and what our procurement system is told when it comes.")
        .must("follow", text(), "operationId of the look-up that follows it: `retrieveQuote`.")
        .must(
            "call",
            text(),
            "Where it is told: `PUT /purchase/offers/{correlation}`, our own number or else the Seller's id.",
        )
        .must(
            "request",
            body(),
            "What it is told, of the answer to the look-up: a shape, or rules at the spot.",
        )
}

fn exposed_answer() -> Form {
    Form::new("exposed-answer", "What becomes of the Seller's answer.")
        .may("each", text(), "Of a list: the array that its elements go to: `items[*]`.")
        .may("shape", text(), "A shape.")
        .may("fields", fields(), "The same by rules at the spot.")
        .may("at", text(), "The one place of the message where all of it stands.")
        .one_of(&["shape", "fields"])
}

fn problems() -> Form {
    Form::new("problems", "How our procurement system is told of a problem: `status`, `code`, `reason` and `errors[*]` with `code`, `reason` and `propertyPath`, a place of its own message.")
        .may("status", Kind::Integer(400, 599), "The status of all of them; default: that of the problem.")
        .may("shape", text(), "A shape.")
        .may("fields", fields(), "The same by rules at the spot.")
        .may("at", text(), "The one place of the message where all of it stands.")
        .one_of(&["shape", "fields"])
}

fn receive() -> Form {
    news(Form::new("receive", "What a message of the legacy system says of which entity.")).may(
        "status",
        Kind::Integer(200, 299),
        "The status that it is answered with; default: 204.",
    )
}

fn watch() -> Form {
    news(Form::new(
        "watch",
        "What the legacy system is asked for again and again, and what it says of which entities.",
    ))
    .must("call", text(), "GET and an address: `GET /orders/changes?since={cursor}`.")
    .must("every", text(), "Time between two askings: 15s, 10m, 12h.")
    .may("cursor", text(), "Where the reply names what is put for `{cursor}` next: `$.next`.")
    .may(
        "from",
        text(),
        "What is put for `{cursor}` at first; without it, its parameters are left out then.",
    )
}

/// What a message says of which entity, however it comes.
fn news(form: Form) -> Form {
    form.may("updates", text(), "The kind of entity that it speaks of, or of its items: `productOrderItem`.")
        .may("creates", text(), "The same, where an entity that nobody has heard of comes into being by it.")
        .may(
            "of",
            text().named(),
            "With `creates`: a kind, and where the message names what the new entity belongs to.",
        )
        .may(
            "whose",
            text().named(),
            "In place of `of`: a setting of partners, and where the message says the same: `{ account: custNo }`.",
        )
        .must("legacy_id", text(), "Where the message names the entity: `path:no`, or a place of its body.")
        .may("each", text(), "The elements, where one message speaks of several: `orders[*]`.")
        .may("shape", text(), "What it says, as the answer to a look-up would say it.")
        .may("fields", fields(), "The same by rules at the spot.")
        .may("at", text(), "The one place of the message where all of it stands.")
        .one_of(&["updates", "creates"])
        .one_of(&["shape", "fields"])
}

fn shape() -> Form {
    Form::new("shape", "Rules with a name, compiled once for each use.")
        .may(
            "sonata",
            names(),
            "Message types that it is for; without it, it is checked wherever it is used.",
        )
        .may("legacy", text(), "Its schema in the backend's interface file: `#/components/schemas/Offer`.")
        .must("fields", fields(), "The rules, in the order in which members are written.")
}

fn overlay() -> Form {
    let served = Kind::Either(vec![Kind::words(["manual", "off"]), Kind::Is("operation")]);
    Form::new("overlay", "What is different for one partner.")
        .must(
            "extends",
            text(),
            "The mapping set that it changes, or `PARTNER/SET`: an overlay that this one lies on.",
        )
        .may("products", products(), "Short names of products, besides those of the set or in their place.")
        .may("codes", Kind::Is("codes-change").named(), "Changes of code tables.")
        .may("shapes", Kind::Is("change").list().named(), "Changes of shapes.")
        .may(
            "operations",
            served.named(),
            "Operations that replace those of the set, by operationId or function.operationId.",
        )
        .later(&["receives", "watch", "exposes", "notifies"])
}

fn codes_change() -> Form {
    Form::new("codes-change", "Changes of one code table.")
        .may("change", Kind::Is("row").list(), "Rows that replace those of the same Sonata value.")
        .may("add", Kind::Is("row").list(), "Rows that are new.")
        .may("remove", names(), "Sonata values whose rows go.")
}

fn change() -> Form {
    Form::new("change", "One change of a shape: `add`, `change` or `remove`.")
        .may("in", text(), "Address of the group; without it the shape's outermost rules.")
        .may("after", text(), "With `add`: address of the rule behind which it goes; without it the end.")
        .may("add", Kind::Is("rule"), "A rule that is new.")
        .may("change", Kind::Is("rule"), "Keys over those of the rule with the same address.")
        .may("remove", text(), "Address of a rule that goes.")
        .one_of(&["add", "change", "remove"])
}

fn rules() -> Vec<Form> {
    vec![
        rule(),
        conditions(),
        alternative(),
        row_branch(),
        otherwise(),
        key_spec(),
        number_spec(),
        script(),
        lossy(),
    ]
}

fn conditions() -> Form {
    Form::new("condition", "A condition on each side, or on the product.")
        .may("product", names(), "Short names of products, any of which it is.")
        .may(
            "sonata",
            text(),
            "Tested where Sonata is read; its `path == literal` terms are written on the way back.",
        )
        .may("legacy", text(), "Tested where the legacy message is read, written on the way there.")
}

fn alternative() -> Form {
    Form::new("alternative", "A branch of `one_of`: the first whose condition holds is taken.")
        .may("if", condition(), "When it is taken.")
        .may("fields", fields(), "Its rules.")
        .may("shape", text(), "Its rules, from a shape.")
        .may("else", Kind::Is("else"), "The last branch: what happens otherwise.")
}

fn row_branch() -> Form {
    Form::new("row-branch", "A branch of `rows`: each that applies makes an element.")
        .may("if", condition(), "When it applies.")
        .may("fields", fields(), "Its rules.")
        .may("shape", text(), "Its rules, from a shape.")
}

fn otherwise() -> Form {
    Form::new("else", "What happens where no branch is taken.")
        .may("fields", fields(), "Rules.")
        .may("refuse", problem(), "The problem's code.")
        .may("at", text(), "The place that is to blame.")
        .may("reason", text(), "What the sender is told.")
        .one_of(&["fields", "refuse"])
}

fn key_spec() -> Form {
    Form::new("key", "How the elements of two arrays are joined.")
        .must("sonata", text(), "The member of the Sonata element.")
        .must("legacy", text(), "The member of the legacy element.")
        .may("number", Kind::Is("number"), "New legacy keys are counted.")
        .may("remember", Kind::Boolean, "Keep the pairs for later messages of the entity; default: false.")
}

fn number_spec() -> Form {
    Form::new("number", "How new legacy keys are counted.")
        .may("start", Kind::Integer(0, 1_000_000_000), "The first; default: 1.")
        .may("step", Kind::Integer(1, 1_000_000_000), "From one to the next; default: 1.")
}

fn lossy() -> Form {
    Form::new("lossy", "Why something is lost, per direction in which it leaves.")
        .may("to_legacy", text(), "Lost on the way to the legacy system.")
        .may("to_sonata", text(), "Lost on the way back.")
}

fn script() -> Form {
    let only = || Kind::words(["request", "answer", "to_legacy", "to_sonata"]);
    Form::new("script", "One expression for each direction.")
        .may("to_legacy", text(), "For the way to the legacy system.")
        .may("to_sonata", text(), "For the way back.")
        .may("only", only(), "What the rule is restricted to.")
        .any_of(&["to_legacy", "to_sonata"])
}

fn rule() -> Form {
    let only = || Kind::words(["request", "answer", "to_legacy", "to_sonata"]);
    let phases = Kind::words(["request", "answer", "true", "false"]).or_list();
    let converters: Vec<&str> = converters().map(|entry| entry.name).collect();
    let convert = Kind::Pattern(format!(r"^\s*({})\s*(\(.*\)\s*)?$", converters.join("|")));
    let script = Kind::Either(vec![text(), Kind::Is("script")]);
    let inputs = Kind::Either(vec![text().named(), text().named().named()]);
    Form::new(
        "rule",
        "A rule: a pair with both sides is read both ways, one with a single side needs a source.",
    )
    .may("name", text(), "A name by which overlays and traces address it.")
    .may(
        "sonata",
        text(),
        "The place on the Sonata side, such as `quoteItem[*]` or `query:state`; `.` is the scope.",
    )
    .may("legacy", text(), "The place on the legacy side.")
    .may("from", text(), "A JSONPath query (RFC 9535) that only reads.")
    .may("value", Kind::Any, "A constant.")
    .may("codes", text(), "The code table that both ways go through.")
    .may("otherwise", Kind::Any, "What a value becomes that the table does not have; per direction.")
    .may("convert", convert, "A converter with its arguments, such as `duration(months)`.")
    .may("accept", text(), "What a converter gives up there and back, by its name, such as `loss-of-time`.")
    .may("script", script, "A Rhai expression; a pair takes one per direction.")
    .may("in", inputs, "Inputs of the script: names and places of the side that is read.")
    .may("shape", text(), "The rules of a shape, from this place.")
    .may("fields", fields(), "Rules inside: their paths begin at the two places.")
    .may("one_of", Kind::Is("alternative").list(), "Branches that exclude each other.")
    .may("rows", Kind::Is("row-branch").list(), "Branches that each make an element of one row.")
    .may("row_key", names(), "Sonata members that are equal within a row.")
    .may("key", Kind::Is("key"), "How the elements of the two arrays are joined.")
    .may("join", text().named(), "Rows of an array beside: member of the row to member of the scope.")
    .may("take", Kind::words(["first"]), "One element, where only one side is an array.")
    .may("if", condition(), "When it applies; on a two-way rule it names both sides.")
    .may("only", only(), "The phase or direction that it is for.")
    .may("required", phases, "Phases in which the source must be there.")
    .may("default", Kind::Any, "What is written where the source is absent; in the request, or per phase.")
    .may(
        "on_error",
        Kind::words(["fail", "omit"]),
        "What a failure does: fail the exchange, or leave the member out.",
    )
    .may("echo", Kind::Boolean, "false: the mapped value wins over what the Buyer sent; default: true.")
    .may(
        "lossy",
        Kind::Either(vec![text(), Kind::Is("lossy")]),
        "Why what goes there is not claimed to come back; one reason, or one per direction.",
    )
    .may("drop", text(), "Why this place has no counterpart.")
}

fn operations() -> Vec<Form> {
    vec![operation(), call(), body_of(), complete(), undo(), recover(), none(), answer(), on(), paging()]
}

/// Words of a call, by itself or one of several.
fn with_call(form: Form) -> Form {
    form.may("request", body(), "What is sent: a shape, or rules.")
        .may("legacy_id", text(), "Where the reply names the new entity.")
        .may("each", text(), "One call per element of this array of the request.")
        .may("if", condition(), "When the call is made.")
        .may("after", names(), "Calls that must have been answered before.")
        .may("parallel", Kind::Integer(1, 64), "How many at a time.")
        .may("undo", Kind::Is("undo"), "The call that takes this one back when a later one fails.")
        .may(
            "recover",
            Kind::Is("recover"),
            "How it is found out whether the call was made, when nobody knows how it ended.",
        )
        .may("cache", text(), "How long a reply may be used again.")
}

fn recover() -> Form {
    Form::new("recover", "How what a call made is looked up.")
        .must("call", text(), "Method and address: `GET /offers?ref={externalId}`.")
        .may("request", body(), "What is sent.")
        .may(
            "each",
            text(),
            "The array of the reply in which what was made stands; without it the reply is it.",
        )
        .may("if", text(), "A condition that holds of what was made.")
        .may(
            "same",
            text().named(),
            "Places of what was made, each with the place of what was sent that has the same value.",
        )
        .may("none", Kind::Is("none").or_list(), "Replies that say for sure that nothing was made.")
        .may("total", text(), "Where the reply says how many elements there are: `$.meta.count`.")
        .may(
            "read",
            text(),
            "The call whose reply stands for that of the call; `{reply.place}` is a place of what was found.",
        )
        .may(
            "sure_after",
            text(),
            "Time from the call until it is believed that nothing was made; default: 60s.",
        )
}

fn none() -> Form {
    let status = Kind::Either(vec![Kind::Integer(100, 599), Kind::words(["2xx", "3xx", "4xx", "5xx"])]);
    Form::new("none", "A reply that says that nothing was made.")
        .may("status", status.or_list(), "404, 4xx, or a list.")
        .may("if", text(), "A condition on the reply's body.")
        .may("fault", text(), "Code of a SOAP fault, without prefix, or what it begins with; `*` is any.")
        .may("text", text(), "What a body that is no document contains.")
        .any_of(&["status", "if", "fault", "text"])
}

fn operation() -> Form {
    let on = || Kind::Is("on").list();
    let address = "Method and address: `GET /offers/{legacy.id}`, or `SOAP GetTicket`.";
    with_call(
            Form::new("operation", "How one operation is served by the legacy system.")
                .may("call", text(), address)
                .may("calls", Kind::Some(Box::new(Kind::Is("call"))), "Several calls, each with a name."),
        )
        .may("answer", Kind::Either(vec![text(), Kind::Is("answer")]), "What the answer is made of; `{}`: nothing of its own.")
        .may("on", on(), "What statuses and bodies mean, in order; what nothing matches is good with 2xx, else 500.")
        .may("paging", Kind::Is("paging"), "How the legacy list goes on.")
        .may("backend", text(), "Its backend, whatever the partner's routes say.")
        .may("exact", names(), "Filters that the legacy system settles alone.")
        .may("order", text(), "What the legacy list comes sorted by, in the words of the answer; `-` before it: the greatest first.")
        .may("complete", Kind::Is("complete"), "How work that outlives the call is followed until it is done.")
        .may("expires", Kind::Is("undo"), "The call that is made when what was made has expired.")
        .later(&["is"])
        .one_of(&["call", "calls"])
}

fn call() -> Form {
    let on = || Kind::Is("on").list();
    let address = "Method and address: `GET /offers/{legacy.id}`, or `SOAP GetTicket`.";
    with_call(Form::new("call", "One of several calls.").must("name", text(), "Its name.").must(
        "call",
        text(),
        address,
    ))
    .may("on", on(), "What replies to this call mean, before what the operation says.")
}

fn body_of() -> Form {
    Form::new("body", "Rules at the spot, or a shape at a place.")
        .may("fields", fields(), "The rules.")
        .may("shape", text(), "A shape.")
        .may("at", text(), "The one place of the legacy message where all of it stands.")
        .one_of(&["fields", "shape"])
}

fn complete() -> Form {
    Form::new("complete", "What is asked in the background until it is done.")
        .may("each", Kind::words(["item"]), "Each item is asked for, by its legacy id; without it the entity.")
        .must("poll", text(), "Method and address: `GET /orders/{item.legacy.id}`. The reply is read as `answer` reads that of the operation.")
        .may("request", body(), "What is sent.")
        .may("answer", body(), "How the reply is read, where it looks different from the operation's own.")
        .must("every", text(), "Time between two askings: 30s, 10m, 12h.")
        .must("give_up", text(), "Time after which it is left to people: 90d.")
        .must("until", text(), "A condition that holds of the last reply.")
}

fn undo() -> Form {
    Form::new("undo", "The call that takes another one back.")
        .must("call", text(), "Method and address; `{reply.place}` is a place of the call's own reply.")
        .may("request", body(), "What is sent.")
}

fn answer() -> Form {
    Form::new("answer", "What the answer is made of.")
        .may("fields", fields(), "The rules.")
        .may("shape", text(), "A shape.")
        .may("at", text(), "The one place of the legacy message where all of it stands.")
        .may("each", text(), "The elements of a list, such as `items[*]`; `calls`: the reply of every call.")
        .may("legacy_id", text(), "Where an element of the list has its legacy id.")
        .may("into", text(), "With `each: calls`: the array whose elements the replies make.")
}

fn on() -> Form {
    let status = Kind::Either(vec![Kind::Integer(100, 599), Kind::words(["2xx", "3xx", "4xx", "5xx"])]);
    Form::new("on", "What a reply means: a problem, or an answer that stands for it.")
        .may("status", status.or_list(), "404, 4xx, or a list.")
        .may("if", text(), "A condition on the reply's body.")
        .may("fault", text(), "Code of a SOAP fault, without prefix, or what it begins with; `*` is any.")
        .may("text", text(), "What a body that is no document contains.")
        .may("problem", problem(), "The problem's code.")
        .may("at", text(), "The place of the sender's message that is to blame.")
        .may("reason", text(), "What the sender is told.")
        .may("answer", Kind::Any, "Stands for the reply.")
        .one_of(&["problem", "answer"])
        .any_of(&["status", "if", "fault", "text"])
}

fn paging() -> Form {
    Form::new("paging", "How the next page of a legacy list is asked for.")
        .may("page", text(), "The query parameter with the page's number.")
        .may("offset", text(), "The query parameter with the number of its first element.")
        .may("cursor", text(), "The query parameter with what the page before has at `next`.")
        .may("next", text(), "Where a page has the cursor of the next.")
        .may("link", text(), "The relation of the Link header (RFC 8288), such as `next`.")
        .may("size", text(), "The query parameter with the size of a page.")
        .may("items", Kind::Integer(1, 10_000), "Elements of a full page; default: 100.")
        .may("first", Kind::Integer(0, 1), "Where counting begins.")
        .may("total", text(), "Where a reply has the number of all: `$.meta.count`, `header:x-total-count`.")
}

fn codes() -> Vec<Form> {
    vec![code_tables(), table(), row()]
}

fn code_tables() -> Form {
    let rows = || Kind::Is("row").list();
    Form::new("codes", "codes.yaml: code tables by name.")
        .others(Kind::Either(vec![rows(), Kind::Is("table")]))
}

fn table() -> Form {
    let types = || Kind::words(["text", "number", "boolean"]);
    let rows = || Kind::Is("row").list();
    Form::new("table", "A code table with settings.")
        .must("rows", rows(), "Its rows.")
        .may(
            "otherwise",
            Kind::Any,
            "What a value becomes that no row has, per direction; without it, it is refused.",
        )
        .may("sonata_type", types(), "What values of the Sonata side are written as; default: text.")
        .may("legacy_type", types(), "What values of the legacy side are written as; default: text.")
}

fn row() -> Form {
    Form::new("row", "Values of the two sides that mean the same: the first is written, all are read.")
        .must("sonata", codes_of(), "The Sonata side; `absent`: it has no word for it.")
        .must("legacy", codes_of(), "The legacy side; `absent`: it has no word for it.")
}

/// A value, or several, of one side of a row.
fn codes_of() -> Kind {
    Kind::Either(vec![text(), Kind::Some(Box::new(text()))])
}
