//! The shipped configuration, and what the settings of a small one are.

use super::{secret::Lookup, *};
use crate::{
    sonata::{Function, ProductFaults, UnknownMembers},
    telemetry::Secret,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

fn settings(files: &[(&str, &str)]) -> Settings {
    let environment = |name: &str| (name == "GOOD").then(|| "9f2c-71aa".to_owned());
    let lookup = Lookup::new(Path::new("etc/config"), environment);
    let loaded = load_set(FileSet::of("etc/config", files.iter().copied()), &lookup);
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics.render_text(&loaded.sources));
    loaded.settings.unwrap()
}

#[test]
fn the_shipped_folder_loads_and_writes_its_defaults() {
    let loaded = load(&shipped());
    assert!(loaded.diagnostics.is_empty(), "{}", loaded.diagnostics.render_text(&loaded.sources));
    let shipped = loaded.settings.unwrap();
    let bare = settings(&[("segue.yaml", "reload: {}")]).gateway;
    assert_eq!(shipped.gateway.limits, bare.limits);
    assert_eq!(shipped.gateway.telemetry, bare.telemetry);
    assert_eq!(shipped.gateway.reload, bare.reload);
    assert_eq!(shipped.gateway.listeners.sonata.address, bare.listeners.sonata.address);
    assert_eq!(shipped.gateway.listeners.admin.address, bare.listeners.admin.address);
    assert_eq!(shipped.gateway.listeners.internal.address, bare.listeners.internal.address);
    assert_eq!(shipped.gateway.demonstration.bss, Some(SocketAddr::from(([127, 0, 0, 1], 8081))));
    let acme = &shipped.backends["acme"];
    assert_eq!((&acme.timeouts, &acme.limits), (&Timeouts::default(), &BackendLimits::default()));
    assert_eq!(acme.headers, Headers::default());
    let globex = &shipped.partners["globex"];
    assert_eq!(globex.policy, Policy::default());
    assert_eq!(globex.releases.of(Function::QUOTE).as_str(), "grace");
    assert_eq!(globex.type_aliases.len(), 1);
}

#[test]
fn every_number_stands_in_the_shipped_files_with_default_and_bounds() {
    let texts: Vec<String> =
        ["segue.yaml", "backends/acme.yaml", "partners/globex.yaml", "partners/umbrella.yaml"]
            .iter()
            .map(|path| std::fs::read_to_string(shipped().join(path)).unwrap())
            .collect();
    for (section, numbers) in numbers() {
        for number in numbers {
            let file = ["segue", "backends", "partners", "sellers"]
                .iter()
                .position(|file| section.starts_with(file));
            let text = &texts[file.unwrap()];
            // One of two stores can be set, so the other stands there as a comment; so do Sellers without a hub.
            let indent = match section {
                "segue.yaml store.postgres" => "#     ",
                "sellers polling" => "#   ",
                _ => "  ",
            };
            let start = format!("{indent}{}: {} ", number.key, number.default);
            let unit = if number.key.contains("_ms") {
                "ms, "
            } else if number.key.contains("bytes") {
                "bytes, "
            } else if number.key.contains("_hours") {
                "hours, "
            } else if number.key.ends_with("_days") {
                "days, "
            } else {
                ""
            };
            let end = format!("# {unit}{} to {}: {}", number.least, number.most, number.effect);
            let line = text.lines().find(|line| line.starts_with(&start));
            let line = line.unwrap_or_else(|| panic!("{section} lacks a line `{start}`"));
            assert!(line.ends_with(&end), "{section}: `{line}` must end in `{end}`");
            assert!((number.least..=number.most).contains(&number.default), "{}", number.key);
        }
    }
}

#[test]
fn where_a_database_is_is_only_referred_to() {
    let store = |text: &str| {
        let environment = |name: &str| (name == "GOOD").then(|| "postgresql://db/segue".to_owned());
        let lookup = Lookup::new(Path::new("etc/config"), environment);
        let loaded = load_set(FileSet::of("etc/config", [("segue.yaml", text)]), &lookup);
        let told = loaded.diagnostics.render_text(&loaded.sources);
        (loaded.settings.map(|settings| settings.gateway.store), told)
    };
    let (read, told) = store("store: { postgres: { url: { env: GOOD }, tls: {}, queue_max: 16 } }");
    let Some(Store::Postgres(postgres)) = read else { panic!("{told}") };
    assert_eq!(
        (postgres.url.reveal(), postgres.queue_max, postgres.connections_max),
        ("postgresql://db/segue", 16, 8)
    );
    assert!(postgres.tls.is_some() && postgres.statement_max == std::time::Duration::from_secs(10), "{told}");
    let refused = [
        ("store: { postgres: { url: \"postgresql://segue:hunter2@db/segue\" } }", "C200"),
        ("store: { postgres: { url: { env: MISSING } } }", "C201"),
        ("store: { embedded: s.db, postgres: { url: { env: GOOD } } }", "C123"),
        ("store: { postgres: { url: { env: GOOD }, tls: { ca: missing.pem } } }", "C100"),
    ];
    for (text, code) in refused {
        let (_, told) = store(text);
        assert!(told.contains(&format!("error[{code}]")), "{text}: {told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn values_arrive_typed() {
    let read = settings(&[
        (
            "segue.yaml",
            "store: { embedded: ../../var/s.db }\nmappings: /srv/m\nlimits: { exchange_deadline_ms_max: 100 }",
        ),
        (
            "backends/b.yaml",
            "backend: b\nbase_url: \"https://[::1]:8443/api/\"\ncredentials: { basic: { user: u, password: { env: GOOD } } }\n\
             headers: { forward: [ Traceparent ], case: title }",
        ),
        (
            "partners/p.yaml",
            "partner: p\nidentify: { loopback: true }\nside: seller\nbase_path: /a/b/\nmapping: m\n\
             release: { default: grace, quote: kylie }\nrepresents: { buyers: [ b1, b2 ] }\n\
             routes: [ { if: \"@.x == 'y'\", backend: b }, { backend: b } ]\n\
             operations: { quote: off, quote.createQuote: on, order.createProductOrder: manual }\n\
             policy: { unknown_members: strip, product_payload: warn }\n\
             settings: { a: 007, b: 1.10, c: NO, d: \"1\", e: [ true, ~ ] }",
        ),
    ]);
    assert_eq!(read.gateway.store, Store::Embedded("var/s.db".into()));
    assert_eq!(read.gateway.mappings, PathBuf::from("/srv/m"));
    assert_eq!(read.gateway.limits.exchange_deadline_max.as_millis(), 100);
    let backend = &read.backends["b"];
    assert_eq!(backend.base_url.path(), "/api");
    assert_eq!(backend.headers.case, HeaderCase::Title);
    let Credentials::Basic { user, password } = &backend.credentials else { panic!("no basic credentials") };
    assert_eq!((user.as_str(), password.reveal()), ("u", "9f2c-71aa"));
    let partner = &read.partners["p"];
    assert_eq!(partner.base_path, "/a/b");
    let (quote, order) = (Function::QUOTE, Function::ORDER);
    assert_eq!(partner.releases.of(quote).as_str(), "kylie");
    assert_eq!(partner.operations.switch(quote, "createQuote"), Switch::On);
    assert_eq!(partner.operations.switch(quote, "cancelQuote"), Switch::Off);
    assert_eq!(partner.operations.switch(order, "createProductOrder"), Switch::Manual);
    assert_eq!(partner.operations.switch(order, "cancelProductOrder"), Switch::On);
    assert_eq!(partner.policy.unknown_members, UnknownMembers::Strip);
    assert_eq!(partner.policy.product_payload, ProductFaults::Tell);
    assert!(matches!(&partner.represents.buyers, Represented::Several(ids) if ids.len() == 2));
    assert_eq!(partner.routes[0].condition.as_ref().unwrap().value.text(), "@.x == 'y'");
    assert_eq!(partner.settings.text(), r#"{"a":"007","b":1.10,"c":"NO","d":"1","e":[true,null]}"#);
}

#[test]
fn secrets_come_from_files_and_show_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    std::fs::write(folder.path().join("secrets/t"), "s3same-0pen\n").unwrap();
    let files = FileSet::of(
        "",
        [
            ("segue.yaml", "reload: {}"),
            (
                "backends/b.yaml",
                "backend: b\nbase_url: \"http://[::1]\"\ncredentials: { bearer: { file: secrets/t } }",
            ),
        ],
    );
    let loaded = load_set(files, &Lookup::new(folder.path(), |_| None));
    let settings = loaded.settings.unwrap();
    assert_eq!(settings.backends["b"].credentials, Credentials::Bearer(Secret::new("s3same-0pen")));
    assert!(!format!("{settings:?}").contains("s3same"));
}

#[test]
fn files_of_certificates_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &[u8]| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("segue.yaml", b"reload: {}");
    write("backends/acme.yaml", b"backend: acme\nbase_url: \"https://bss\"\ntls: { ca: certs/ca.pem }\n");
    let most = usize::try_from(tls::CERTIFICATES_BYTES_MAX).unwrap();
    for (bytes, is_good) in [(most, true), (most + 1, false)] {
        write("certs/ca.pem", &vec![b'x'; bytes]);
        let loaded = load(folder.path());
        let told = loaded.diagnostics.render_text(&loaded.sources);
        assert_eq!(told.is_empty(), is_good, "{told}");
        assert!(is_good || told.contains("has more than 1048576 bytes"), "{told}");
    }
}

#[test]
fn a_route_may_name_who_sells_to_us_and_nobody_else() {
    let partner = |name: &str, more: &str| {
        format!(
            "partner: {name}\nidentify: {{ loopback: true }}\nrelease: grace\nmapping: m\nbase_path: /{name}\n{more}\n"
        )
    };
    let sells = "side: buyer\nendpoint: { base_url: \"http://127.0.0.1:1\" }\nroutes: [ { backend: b } ]";
    let backend = "backend: b\nbase_url: \"http://127.0.0.1:2\"\n";
    let load = |route: &str| {
        let buys = partner("buys", &format!("side: seller\nroutes: [ {{ backend: {route} }} ]"));
        let files = [
            ("segue.yaml", "reload: {}\n"),
            ("backends/b.yaml", backend),
            ("partners/buys.yaml", buys.as_str()),
            ("partners/sells.yaml", &partner("sells", sells)),
        ];
        load_set(FileSet::of("", files), &Lookup::new(Path::new(""), |_| None))
    };
    let settings = load("sells").settings.unwrap();
    let resold = settings.backends.values().find(|backend| backend.is_seller).unwrap();
    assert_eq!((resold.id.as_str(), resold.base_url.to_string().as_str()), ("sells", "http://127.0.0.1:1/"));
    for (route, told) in
        [("buys", "the partner `buys` does not sell to us"), ("nobody", "there is no backend `nobody`")]
    {
        let loaded = load(route);
        let text = loaded.diagnostics.render_text(&loaded.sources);
        assert!(text.contains(told) && text.contains("partners/buys.yaml:7"), "{text}");
    }
}
