//! What configuration files may hold, for editors: the forms beside the `read` functions of this room.

use super::{Number, backend, gateway, limits, notifications, polling, retention};
use crate::{
    sonata::{Function, Release, events::functions_with_events, rules::Level},
    text::form::{Choice, Form, Kind},
};

/// Which configuration file is which.
pub const FILES: &[Choice] =
    &[(&["partner"], "partner"), (&["backend", "base_url"], "backend"), (&[], "gateway")];

/// All forms of configuration files.
#[must_use]
pub fn forms() -> Vec<Form> {
    let mut forms = gateway_file();
    forms.extend(backend_file());
    forms.extend(credentials());
    forms.extend(partner_file());
    forms
}

fn text() -> Kind {
    Kind::Text
}

/// The numeric settings of a section, from the table that its reader uses.
fn numbers(form: Form, table: &[Number]) -> Form {
    table.iter().fold(form, |form, number| {
        let unit = match number.key {
            key if key.contains("_ms") => "Milliseconds: ",
            key if key.contains("_hours") => "Hours: ",
            key if key.ends_with("_days") => "Days: ",
            key if key.contains("bytes") => "Bytes: ",
            _ => "",
        };
        let about = format!("{unit}{}. Default: {}.", number.effect, number.default);
        form.may(number.key, Kind::Integer(number.least, number.most), about)
    })
}

fn gateway_file() -> Vec<Form> {
    vec![
        gateway(),
        listeners(),
        listener(),
        internal_listener(),
        gateway_limits(),
        store(),
        retention(),
        postgres(),
        telemetry(),
        reload(),
        recording(),
        demonstration(),
    ]
}

fn gateway() -> Form {
    Form::new("gateway", "segue.yaml: the gateway itself. Every key may be left out.")
        .may("listeners", Kind::section("listeners"), "Where it listens.")
        .may("limits", Kind::section("gateway-limits"), "How much it takes, keeps and waits for.")
        .may("store", Kind::section("store"), "Where entities outlive a request.")
        .may(
            "retention",
            Kind::section("retention"),
            "How long entities are kept after they have ended. An entity stays as long as something open needs it.",
        )
        .may("mappings", text(), "Folder of the mapping sets, from this folder. Default: ../mappings.")
        .may("telemetry", Kind::section("telemetry"), "Log and metrics.")
        .may("reload", Kind::section("reload"), "When files are read again.")
        .may(
            "recording",
            Kind::section("recording"),
            "Whether and how exchanges may be recorded, to make cases of them.",
        )
        .may(
            "demonstration",
            Kind::section("demonstration"),
            "What is started beside the gateway to try it out.",
        )
}

fn listeners() -> Form {
    Form::new("listeners", "Where the gateway listens.")
        .may("sonata", Kind::Is("listener"), "Partners call here. Default: 127.0.0.1:8080.")
        .may(
            "admin",
            Kind::Is("listener"),
            "Health, metrics, plan and reload, on loopback. Default: 127.0.0.1:9090.",
        )
        .may(
            "internal",
            Kind::Is("internal-listener"),
            "Our own legacy systems call here, with what mappings receive. Default: 127.0.0.1:8082.",
        )
}

fn internal_listener() -> Form {
    Form::new("internal-listener", "Where our own legacy systems call.")
        .must("address", text(), "IP address and port, such as \"127.0.0.1:8082\".")
        .may(
            "bearer",
            Kind::Is("secret"),
            "The token that callers show; without it only this machine may call.",
        )
        .later(&["tls"])
}

fn listener() -> Form {
    Form::new("listener", "One address to listen on.")
        .must("address", text(), "IP address and port, such as \"127.0.0.1:8080\".")
        .may(
            "public_url",
            text(),
            "What partners reach it under; hrefs begin with it. Default: http and the address.",
        )
        .later(&["tls", "credentials"])
}

fn gateway_limits() -> Form {
    numbers(Form::new("gateway-limits", "How much the gateway takes, keeps and waits for."), limits::NUMBERS)
}

fn retention() -> Form {
    numbers(Form::new("retention", "How long entities are kept after they have ended."), retention::NUMBERS)
}

fn store() -> Form {
    Form::new("store", "Where entities outlive a request and a crash.")
        .may("embedded", text(), "The database file. Default: ../data/segue.db.")
        .may("postgres", Kind::Is("postgres"), "A PostgreSQL database that several instances share.")
}

fn postgres() -> Form {
    numbers(
        Form::new(
            "postgres",
            "A PostgreSQL database (13 or newer, UTF-8); its tables are made and kept up to date.",
        )
        .must("url", Kind::Is("secret"), "postgresql://user:password@host:5432/database, by reference.")
        .may(
            "tls",
            Kind::Is("tls"),
            "TLS to the server, which is then required; {} trusts the system's authorities.",
        ),
        gateway::POSTGRES_NUMBERS,
    )
}

fn telemetry() -> Form {
    let levels = Kind::words(["error", "warn", "info", "debug"]);
    numbers(
        Form::new("telemetry", "Log and metrics.")
            .may("log_level", levels, "Least serious lines that are logged. Default: info.")
            .may("log_format", Kind::words(["text", "json"]), "Form of the log. Default: text."),
        gateway::TELEMETRY_NUMBERS,
    )
}

fn reload() -> Form {
    numbers(
        Form::new("reload", "When files are read again; SIGHUP and POST /reload work in any case.").may(
            "watch",
            Kind::Boolean,
            "Whether changes of files are noticed. Default: true.",
        ),
        gateway::RELOAD_NUMBERS,
    )
}

fn recording() -> Form {
    numbers(
        Form::new(
            "recording",
            "Whether and how exchanges may be recorded through POST /record of the admin listener.",
        )
        .may("allowed", Kind::Boolean, "Whether it may be asked for. Default: false.")
        .may(
            "mask",
            text().or_list(),
            "Members that are masked beside those that always are: names, or the end of a path with `/`.",
        )
        .may(
            "headers",
            text().list(),
            "Headers that are kept of requests and replies; never credentials. Default: none.",
        ),
        gateway::RECORDING_NUMBERS,
    )
}

fn demonstration() -> Form {
    Form::new("demonstration", "What is started beside the gateway to try it out.").may(
        "bss",
        text(),
        "Loopback address of the simulated legacy BSS; without it none is started.",
    )
}

fn backend_file() -> Vec<Form> {
    vec![backend(), format(), soap(), timeouts(), backend_limits(), headers(), tls()]
}

fn backend() -> Form {
    let format = Kind::Either(vec![Kind::words(["json", "xml", "soap", "form", "text"]), Kind::Is("format")]);
    Form::new("backend", "backends/NAME.yaml: one legacy system.")
        .must("backend", text(), "Its name, which is the file's.")
        .must("base_url", text(), "http or https, host, port and perhaps a path before that of every call.")
        .may("format", format, "How its messages look. Default: json.")
        .may(
            "openapi",
            text(),
            "Its interface (OpenAPI 3.0 or 3.1) below openapi/: mappings are checked against it.",
        )
        .may("credentials", Kind::section("credentials"), "How we show who we are. Default: none.")
        .may(
            "timeouts",
            Kind::section("timeouts"),
            "How long we wait; the exchange's deadline ends every wait earlier.",
        )
        .may(
            "limits",
            Kind::section("backend-limits"),
            "How much it is asked at one time, and how much is taken from it.",
        )
        .may("headers", Kind::section("headers"), "Headers towards it.")
        .may("tls", Kind::Is("tls"), "Its own authorities, or our certificate.")
        .may("http", Kind::words(["1.1", "2"]), "Version of HTTP. Default: 1.1.")
}

fn format() -> Form {
    Form::new("format", "A format with settings.").must("soap", Kind::section("soap"), "Settings of SOAP.")
}

fn soap() -> Form {
    Form::new("soap", "Settings of SOAP.")
        .may("version", Kind::words(["1.1", "1.2"]), "Default: 1.1.")
        .may("path", text(), "Path of all calls. Default: /.")
        .may(
            "action",
            text(),
            "SOAPAction, or the action parameter of 1.2; `{operation}` is the call's. Default: none.",
        )
}

fn timeouts() -> Form {
    numbers(Form::new("timeouts", "How long we wait for a legacy system."), backend::TIMEOUT_NUMBERS)
}

fn backend_limits() -> Form {
    numbers(Form::new("backend-limits", "How much a legacy system is asked."), backend::LIMIT_NUMBERS)
}

fn headers() -> Form {
    Form::new("headers", "Headers towards one legacy system.")
        .may("forward", text().list(), "Headers of the partner's request that go on. Default: none.")
        .may("case", Kind::words(["lower", "title"]), "How names are written. Default: lower.")
}

fn tls() -> Form {
    Form::new("tls", "Trust and certificate towards one legacy system or database; files in PEM.")
        .may("ca", text(), "The authorities that are trusted in the place of the system's.")
        .may("client_certificate", text(), "Our certificate, then those that lead to the authority.")
        .may("client_key", Kind::Is("secret"), "Its key.")
}

fn credentials() -> Vec<Form> {
    vec![any_credentials(), secret(), basic(), api_key(), oauth2()]
}

fn any_credentials() -> Form {
    let secret = || Kind::Is("secret");
    Form::new("credentials", "How the gateway shows a legacy system who it is.")
        .may("basic", Kind::Is("basic"), "User and password (RFC 7617).")
        .may("bearer", secret(), "A token in the Authorization header (RFC 6750).")
        .may("api_key", Kind::Is("api-key"), "A header of the system's own.")
        .may("oauth2", Kind::Is("oauth2"), "OAuth 2.0 client credentials (RFC 6749 section 4.4).")
        .one_of(&["basic", "bearer", "api_key", "oauth2"])
}

fn secret() -> Form {
    Form::new("secret", "A reference to a secret; the secret itself never stands in a file.")
        .may("env", text(), "The environment variable that holds it.")
        .may("file", text(), "The file that holds it, from the configuration folder.")
        .one_of(&["env", "file"])
}

fn basic() -> Form {
    let secret = || Kind::Is("secret");
    Form::new("basic", "User and password.").must("user", text(), "The user's name, without a colon.").must(
        "password",
        secret(),
        "Where the password is.",
    )
}

fn api_key() -> Form {
    let secret = || Kind::Is("secret");
    Form::new("api-key", "A header of the system's own.").must("header", text(), "The header.").must(
        "key",
        secret(),
        "Where its value is.",
    )
}

fn oauth2() -> Form {
    let secret = || Kind::Is("secret");
    let methods = Kind::words(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    Form::new("oauth2", "OAuth 2.0 client credentials: one token for all calls.")
        .must("token_url", text(), "The token endpoint: https, or http on this machine.")
        .must("client_id", text(), "Who we are there.")
        .may("client_secret", secret(), "Where the client's secret is.")
        .may(
            "private_key",
            secret(),
            "Where the key for private_key_jwt is (PEM: RSA, P-256, P-384 or Ed25519).",
        )
        .may("key_id", text(), "What the endpoint knows the key's public half by.")
        .may(
            "auth_method",
            methods,
            "How the client shows who it is. Default: client_secret_basic, or private_key_jwt with a key.",
        )
        .may("scope", text(), "What is asked for.")
        .may("audience", text(), "Parameter `audience` of the request.")
        .one_of(&["client_secret", "private_key"])
}

fn partner_file() -> Vec<Form> {
    vec![
        partner(),
        identify(),
        releases(),
        represents(),
        route(),
        policy(),
        agreed(),
        telling(),
        idempotency(),
        endpoint(),
        polling(),
    ]
}

fn polling() -> Form {
    numbers(
        Form::new("polling", "How a Seller without a hub is asked for what was bought."),
        polling::NUMBERS,
    )
}

fn endpoint() -> Form {
    Form::new("endpoint", "Where a partner that sells to us is called, and how.")
        .must(
            "base_url",
            text(),
            "What stands before /mefApi in its URLs: http or https, host, port and perhaps a path.",
        )
        .may("credentials", Kind::section("credentials"), "How we show who we are. Default: none.")
        .may(
            "timeouts",
            Kind::section("timeouts"),
            "How long we wait; the exchange's deadline ends every wait earlier.",
        )
        .may(
            "limits",
            Kind::section("backend-limits"),
            "How much it is asked at one time, and how much is taken from it.",
        )
        .may("tls", Kind::Is("tls"), "Its own authorities, or our certificate.")
        .may("http", Kind::words(["1.1", "2"]), "Version of HTTP. Default: 1.1.")
}

fn partner() -> Form {
    let release = || Kind::words(Release::all().map(Release::as_str));
    Form::new("partner", "partners/NAME.yaml: one trading relationship.")
        .must("partner", text(), "Its name, which is the file's.")
        .must("identify", Kind::Is("identify"), "How it is known when it calls.")
        .must(
            "side",
            Kind::words(["seller", "buyer", "both"]),
            "What we are to them: seller, or buyer; what trades both ways has a file for each.",
        )
        .may("endpoint", Kind::Is("endpoint"), "With `side: buyer`: where the partner is called, and how.")
        .may(
            "polling",
            Kind::section("polling"),
            "With `side: buyer`: it has no hub, so it is asked for what was bought. Default: it tells us.",
        )
        .may(
            "base_path",
            text(),
            "What stands before /mefApi in the paths of this partner. Default: nothing.",
        )
        .must("release", Kind::Either(vec![release(), Kind::Is("releases")]), "Which release it speaks.")
        .must("mapping", text(), "The mapping set; mappings/partners/NAME/SET.yaml applies where present.")
        .may("represents", Kind::section("represents"), "For whom each side speaks: buyerId and sellerId.")
        .must(
            "routes",
            Kind::Some(Box::new(Kind::Is("route"))),
            "Where its exchanges go: the first all of whose words hold.",
        )
        .may(
            "operations",
            Kind::words(["on", "off", "manual"]).named(),
            "Operations that are not simply mediated, by function or function.operationId.",
        )
        .may("policy", Kind::section("policy"), "What becomes of what does not fit.")
        .may("idempotency", Kind::section("idempotency"), "By what its repeated requests are known again.")
        .may(
            "type_aliases",
            text().named(),
            "Product types that it names otherwise: its name, and the type or short name that is meant.",
        )
        .may("settings", Kind::Any, "What mappings read as facts.partner; anything.")
        .may(
            "rules",
            Kind::words(Level::WORDS.map(|(word, _)| word)).named(),
            "Paragraphs of the guides, such as 115:grace:R23, with what becomes of who breaks them; `segue rules` has all.",
        )
        .may("agreed", Kind::section("agreed"), "What was agreed on that rules ask for.")
        .may(
            "notifications",
            Kind::Either(vec![Kind::words(["on", "off"]), Kind::Is("notifications")]),
            "Whether and how it is told of what changes, at the listeners that it registers. Default: off.",
        )
        .may(
            "custody",
            Kind::words(["gateway", "legacy"]).named(),
            "By kind of entity, such as `quote`, who answers retrieve and list: the store, or (default) the legacy system.",
        )
}

fn identify() -> Form {
    Form::new("identify", "How a partner is known when it calls.")
        .may(
            "loopback",
            Kind::Boolean,
            "By nothing but the machine: only on a Sonata listener that no other machine reaches.",
        )
        .may(
            "token",
            Kind::Is("secret"),
            "By a token that it shows: Authorization: Bearer (RFC 6750). No other partner has it, and who shows another one is \
             nobody, from this machine as well.",
        )
        .later(&["oauth2", "certificate"])
        .one_of(&["loopback", "token"])
}

fn releases() -> Form {
    let release = || Kind::words(Release::all().map(Release::as_str));
    let functions = Function::all().filter(|function| !function.is_notification());
    functions.fold(
        Form::new("releases", "The release of the standard that a partner speaks.").must(
            "default",
            release(),
            "For all functions without their own.",
        ),
        |form, function| form.may(function.name(), release(), "For this function."),
    )
}

fn represents() -> Form {
    let represented = || text().or_list();
    Form::new("represents", "For whom each side speaks (MEF 115 R1 to R4 and siblings).")
        .may("buyers", represented(), "`one`: buyerId is forbidden; a list: it is required. Default: one.")
        .may("sellers", represented(), "`one`: sellerId is forbidden; a list: it is required. Default: one.")
}

fn route() -> Form {
    let represented = || text().or_list();
    Form::new("route", "One way to a legacy system; all words that are written must hold.")
        .may("if", text(), "What RFC 9535 allows after `?`; `@` is the request.")
        .may("buyers", represented(), "Values of buyerId.")
        .may("sellers", represented(), "Values of sellerId.")
        .may("operations", text().or_list(), "Functions, or function.operationId.")
        .may("products", text().or_list(), "Short names or URNs; all products of the request.")
        .may(
            "new",
            Kind::Boolean,
            "false: takes nothing new, and serves what its backend keeps. Default: true.",
        )
        .must("backend", text(), "The backend.")
        .may("mapping", text(), "The mapping set that it is spoken to by. Default: the partner's.")
}

fn telling() -> Form {
    let functions = Kind::words(functions_with_events().map(Function::name));
    numbers(
        Form::new("notifications", "How a partner is told of what changes.")
            .may("functions", functions.or_list(), "What it is told of. Default: all that has events.")
            .may(
                "base_url",
                text(),
                "Where all its events go in the place of the callbacks that it registers.",
            )
            .may(
                "base_paths",
                text().named(),
                "By function, what stands between callback and `/listener`. Default: as the release has it.",
            )
            .may(
                "allow",
                text().or_list(),
                "Listeners that are not public: host names, addresses, networks, http://host:port.",
            )
            .may("credentials", Kind::Is("credentials"), "How we show listeners who we are. Default: none.")
            .may("tls", Kind::Is("tls"), "Own authorities of listeners, or our certificate."),
        notifications::NUMBERS,
    )
}

fn policy() -> Form {
    Form::new("policy", "What a partner may, and what becomes of what does not fit.")
        .may(
            "unknown_members",
            Kind::words(["ignore", "strip", "reject"]),
            "Members of a request that the standard does not know. Default: ignore.",
        )
        .may(
            "product_payload",
            Kind::words(["reject", "warn"]),
            "Faults of a request inside productConfiguration. Default: reject.",
        )
        .may(
            "answer_findings",
            Kind::words(["send", "fail"]),
            "Faults of our own answer against the standard. Default: send.",
        )
        .may(
            "on_demand",
            Kind::Boolean,
            "Whether quotes are firm and subject to no feasibility check. Default: false.",
        )
        .may(
            "test",
            Kind::Boolean,
            "Whether all that the partner does is a test, and marked so. Default: false.",
        )
}

fn agreed() -> Form {
    Form::new("agreed", "What Buyer and Seller agreed on, as far as rules ask for it.")
        .may("spatial_references", text().or_list(), "Values of spatialRef. Default: any.")
        .may(
            "postcode_countries",
            text().or_list(),
            "Countries, as addresses write them, whose addresses need a postcode. Default: where the post has them.",
        )
        .may(
            "offering_types",
            text().or_list().named(),
            "Ids of offerings and specifications, with the product types that they may have. Default: any.",
        )
}

fn idempotency() -> Form {
    let functions = Function::all().filter(|function| !function.is_notification()).map(Function::name);
    Form::new("idempotency", "By what repeated requests are known again. Default: by nothing.")
        .may("key_header", text(), "The header that names a request which makes, changes or moves something.")
        .may(
            "external_id",
            Kind::words(functions).or_list(),
            "Functions in which externalId names a request that makes something.",
        )
}
