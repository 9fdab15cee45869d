//! The laws that the table states, for every converter in it.

use proptest::prelude::*;

use super::*;
use crate::json::{Builder, Document};

fn json(value: Value<'_>) -> String {
    if value.is_absent() {
        return "absent".to_owned();
    }
    let mut builder = Builder::new();
    let slot = value.build(&mut builder);
    builder.finish(slot).text().to_owned()
}

/// Converts a JSON text; `absent` stands for nothing on both ends, and an error for its kind.
fn convert(converter: &str, direction: Direction, text: &str) -> Result<String, ConvertErrorKind> {
    let converter = Converter::parse(converter).unwrap_or_else(|error| panic!("{converter}: {error:?}"));
    apply(&converter, direction, text)
}

fn apply(converter: &Converter, direction: Direction, text: &str) -> Result<String, ConvertErrorKind> {
    let document = Document::from_text(if text == "absent" { "null" } else { text }).expect(text);
    let value = if text == "absent" { Value::Absent } else { Value::Node(document.root()) };
    let argument = Value::text("EUR");
    let context = Context { argument: converter.path_argument().map(|_| &argument) };
    let result = converter.apply(direction, value, context);
    result.map(json).map_err(|error| {
        assert!(error.message.chars().count() <= 200, "{}", error.message);
        error.kind
    })
}

/// More of them than the table shows: converter, legacy value, Sonata value, converted both ways.
const PAIRS: &[(&str, &str, &str)] = &[
    ("date('%d.%m.%Y', end-of-day, 'Europe/Berlin')", r#""29.03.2026""#, r#""2026-03-29T21:59:59Z""#),
    ("date('%d.%m.%Y', start-of-day, 'America/Santiago')", r#""06.09.2026""#, r#""2026-09-06T04:00:00Z""#),
    ("date('%d.%m.%Y', end-of-day)", r#""31.12.2026""#, r#""2026-12-31T23:59:59Z""#),
    ("money(minor, currency: $.cur)", "-5", r#"{"unit":"EUR","value":-0.05}"#),
    (
        "money(minor, EUR)",
        "1234567890123456789012345",
        r#"{"unit":"EUR","value":12345678901234567890123.45}"#,
    ),
    ("base64", r#""""#, r#""""#),
    ("each('date(''%d.%m.%Y'')')", r#"["28.10.2026"]"#, r#"["2026-10-28"]"#),
];

/// Those of the table of both ways, and [`PAIRS`].
fn pairs() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let shown = converters().filter(|entry| entry.class != Class::OneWay).flat_map(|entry| entry.examples);
    shown.chain(PAIRS).copied()
}

#[test]
fn pairs_are_converted_both_ways() {
    for (converter, legacy, sonata) in pairs() {
        let there = convert(converter, Direction::ToSonata, legacy);
        assert_eq!(there.as_deref(), Ok(sonata), "{converter} of {legacy}");
        let back = convert(converter, Direction::ToLegacy, sonata);
        assert_eq!(back.as_deref(), Ok(legacy), "{converter} of {sonata}");
    }
}

#[test]
fn one_way_converters() {
    for (converter, value, wanted) in [
        ("truncate(3)", r#""äbcde""#, r#""äbc""#),
        ("first", r#"[{"a": 1.10}, 2]"#, r#"{"a": 1.10}"#),
        ("first", "[]", "absent"),
        ("sum", r#"[0.1, "0.2", 1e1]"#, "10.3"),
        ("sum", "[]", "0"),
        ("min", "[2, 1.0, 1]", "1.0"),
        ("max", "[2, 2.50, 1]", "2.50"),
        ("count", "[null, 1]", "2"),
        ("parse('(?<plz>[0-9]{5}) (?<ort>.+)')", r#""10279 Berlin""#, r#"{"plz":"10279","ort":"Berlin"}"#),
        ("parse('[A-Z]-([0-9]+)')", r#""O-77""#, r#""77""#),
    ] {
        for direction in [Direction::ToSonata, Direction::ToLegacy] {
            assert_eq!(convert(converter, direction, value).as_deref(), Ok(wanted), "{converter} of {value}");
        }
    }
}

#[test]
fn other_spellings_are_read() {
    for (converter, legacy, sonata) in [
        ("integer", "7", "7"),
        ("integer", r#""007""#, "7"),
        ("boolean(J, N, false)", r#""""#, "false"),
        ("boolean(J, N, true)", "absent", "true"),
        ("boolean(J, N, true)", "null", "true"),
        ("boolean(1, 0)", r#""1""#, "true"),
        ("date('%Y%m%d')", "20261028", r#""2026-10-28""#),
        ("money(minor, EUR)", r#""125""#, r#"{"unit":"EUR","value":1.25}"#),
        ("money(minor, EUR)", "0", r#"{"unit":"EUR","value":0.00}"#),
        ("money(minor, EUR)", "5", r#"{"unit":"EUR","value":0.05}"#),
        ("money(minor, EUR)", "1e2", r#"{"unit":"EUR","value":1.00}"#),
        ("money(minor, JPY)", "120", r#"{"unit":"JPY","value":120}"#),
        ("money(minor, KWD)", "1", r#"{"unit":"KWD","value":0.001}"#),
        ("money(major, EUR, comma)", r#""1.249,9""#, r#"{"unit":"EUR","value":1249.90}"#),
        ("money(major, EUR, mark: comma)", "1249.9", r#"{"unit":"EUR","value":1249.90}"#),
        ("decimal(comma)", r#""-1.234.567,5""#, "-1234567.5"),
        ("decimal(comma)", r#""19""#, "19"),
        ("epoch(milliseconds)", r#""0""#, r#""1970-01-01T00:00:00Z""#),
        ("date('%G-W%V', end-of-day)", r#""2026-W53""#, r#""2027-01-03T23:59:59Z""#),
        ("date('%b %Y')", r#""Feb 2024""#, r#""2024-02-01""#),
        ("local-datetime('Europe/Berlin', later)", r#""2026-10-25T02:30:00""#, r#""2026-10-25T01:30:00Z""#),
        (
            "local-datetime('Europe/Berlin', compatible)",
            r#""2026-03-29T02:30:00""#,
            r#""2026-03-29T01:30:00Z""#,
        ),
    ] {
        assert_eq!(
            convert(converter, Direction::ToSonata, legacy).as_deref(),
            Ok(sonata),
            "{converter} {legacy}"
        );
    }
    for (converter, sonata, legacy) in [
        ("duration(minutes)", r#"{"amount":2,"units":"calendarHours"}"#, "120"),
        ("duration(hours)", r#"{"units":"calendarMinutes","amount":120}"#, "2"),
        ("bandwidth(kbps)", r#"{"irValue":0.07,"irUnits":"GBPS"}"#, "70000"),
        ("data-size(bytes)", r#"{"dataSizeValue":1,"dataSizeUnits":"MBYTES"}"#, "1048576"),
        ("country(name, alpha3)", r#""united states""#, r#""USA""#),
        (
            "datetime('%d.%m.%Y %H:%M', 'Europe/Berlin')",
            r#""2026-10-28T14:30:59.5+01:00""#,
            r#""28.10.2026 14:30""#,
        ),
        ("money(major, EUR)", r#"{"unit":"eur","value":1.5}"#, "1.50"),
        ("date('%G-W%V')", r#""2027-01-03""#, r#""2026-W53""#),
        ("epoch(seconds)", r#""2026-11-21T16:48:53.9+01:00""#, "1795276133"),
        ("one", "[]", "absent"),
    ] {
        assert_eq!(
            convert(converter, Direction::ToLegacy, sonata).as_deref(),
            Ok(legacy),
            "{converter} {sonata}"
        );
    }
}

#[test]
fn what_has_no_counterpart_is_refused_in_kind() {
    use ConvertErrorKind::{Ambiguous, Half, OutOfDomain, Overflow, WrongKind};
    use Direction::{ToLegacy, ToSonata};
    let long = "9".repeat(63);
    for (converter, direction, value, kind) in [
        ("integer", ToSonata, r#""1.5""#, OutOfDomain),
        ("integer", ToSonata, "{}", WrongKind),
        ("string", ToLegacy, r#""007""#, OutOfDomain),
        ("boolean(J, N)", ToSonata, r#""j""#, OutOfDomain),
        ("boolean(J, N)", ToLegacy, r#""true""#, WrongKind),
        ("date('%d.%m.%Y')", ToSonata, r#""31.02.2026""#, OutOfDomain),
        ("date('%d.%m.%Y')", ToLegacy, r#""2026-10-28T00:00:00Z""#, OutOfDomain),
        ("date('%d.%m.%y')", ToLegacy, r#""1899-10-28""#, OutOfDomain),
        ("date('%G-W%V')", ToSonata, r#""2027-W53""#, OutOfDomain),
        ("decimal(comma)", ToSonata, r#""1.24,90""#, OutOfDomain),
        ("decimal(comma)", ToSonata, r#""1249.90""#, OutOfDomain),
        ("decimal(comma)", ToSonata, r#""1,2,3""#, OutOfDomain),
        ("decimal(comma)", ToSonata, r#"".100""#, OutOfDomain),
        ("money(minor, EUR, comma)", ToSonata, r#""1,5""#, OutOfDomain),
        ("epoch(seconds)", ToSonata, "1.5", OutOfDomain),
        ("epoch(milliseconds)", ToSonata, "99999999999999999", OutOfDomain),
        ("epoch(seconds)", ToLegacy, r#""2026-11-21""#, OutOfDomain),
        ("date('%d.%m.%Y', end-of-day)", ToLegacy, r#""2026-10-28""#, OutOfDomain),
        ("local-datetime('Europe/Berlin')", ToSonata, r#""2026-10-25T02:30:00""#, Ambiguous),
        ("local-datetime('Europe/Berlin')", ToSonata, r#""2026-03-29T02:30:00""#, Ambiguous),
        ("local-datetime('Europe/Berlin')", ToLegacy, r#""2026-10-25T00:30:00Z""#, Ambiguous),
        ("duration(months)", ToLegacy, r#"{"amount":1,"units":"calendarDays"}"#, OutOfDomain),
        ("duration(hours)", ToLegacy, r#"{"amount":90,"units":"calendarMinutes"}"#, OutOfDomain),
        ("duration(months)", ToLegacy, r#"{"amount":1}"#, Half),
        ("duration(months)", ToLegacy, "1", WrongKind),
        ("country(name, alpha3)", ToLegacy, r#""Atlantis""#, OutOfDomain),
        ("money(minor, EUR)", ToLegacy, r#"{"unit":"EUR","value":1.005}"#, OutOfDomain),
        ("money(minor, EUR)", ToLegacy, r#"{"unit":"USD","value":1}"#, OutOfDomain),
        ("money(minor, EUR)", ToLegacy, r#"{"unit":null,"value":1}"#, Half),
        ("money(minor, EUR)", ToSonata, "1.5", OutOfDomain),
        ("bandwidth(kbps)", ToSonata, "-1", OutOfDomain),
        ("bandwidth(kbps)", ToLegacy, r#"{"irValue":1,"irUnits":"TBPS"}"#, OutOfDomain),
        ("bandwidth(gbps)", ToSonata, long.as_str(), Overflow),
        ("data-size(kbytes)", ToLegacy, r#"{"dataSizeValue":1,"dataSizeUnits":"BYTES"}"#, OutOfDomain),
        ("split(',')", ToLegacy, r#"["a,b"]"#, OutOfDomain),
        ("split(',')", ToLegacy, r#"[""]"#, OutOfDomain),
        ("split(',')", ToLegacy, r#""a""#, WrongKind),
        ("prefix('O-')", ToSonata, r#""77""#, OutOfDomain),
        ("pad(2, 0)", ToLegacy, r#""123""#, OutOfDomain),
        ("base64", ToSonata, r#""w6l=""#, OutOfDomain),
        ("base64", ToSonata, r#""w6k""#, OutOfDomain),
        ("base64", ToSonata, r#""/w==""#, OutOfDomain),
        ("json", ToSonata, r#""{""#, OutOfDomain),
        ("json", ToSonata, r#""{\"a\":1,\"a\":2}""#, OutOfDomain),
        ("json", ToSonata, r#""null""#, OutOfDomain),
        ("json", ToSonata, "7", WrongKind),
        ("one", ToLegacy, "[1, 2]", OutOfDomain),
        ("parse('a')", ToSonata, r#""ab""#, OutOfDomain),
        ("ref(quote)", ToLegacy, r#""1""#, OutOfDomain),
    ] {
        assert_eq!(convert(converter, direction, value), Err(kind), "{converter} of {value}");
    }
    let missing = Converter::parse("money(minor, currency: hdr.cur)").unwrap();
    let error = missing.apply(ToSonata, Value::integer(1), Context::default()).unwrap_err();
    assert_eq!(error.kind, Half);
}

#[test]
fn every_row_of_the_table_is_tried_and_says_what_it_does() {
    for entry in converters() {
        let reference = matches!(entry.name, "ref" | "key");
        assert_eq!(entry.examples.is_empty(), reference, "{}", entry.name);
        assert!(entry.doc.ends_with('.') && !entry.domain.is_empty() && !entry.errors.is_empty());
        assert!(!entry.canonical.0.is_empty() && !entry.canonical.1.is_empty(), "{}", entry.name);
        assert_eq!(converters().filter(|other| other.name == entry.name).count(), 1);
        for (text, legacy, sonata) in entry.examples {
            assert_eq!(Converter::parse(text).unwrap().name(), entry.name);
            let made = [
                convert(text, Direction::ToLegacy, sonata).as_deref() == Ok(*legacy),
                convert(text, Direction::ToSonata, legacy).as_deref() == Ok(*sonata),
            ];
            let wanted = if entry.class == Class::OneWay { 1 } else { 2 };
            assert!(made.into_iter().filter(|made| *made).count() >= wanted, "{text}: {legacy} {sonata}");
        }
    }
}

/// Every example's converter has a sample to be tried with, unless it looks things up.
#[test]
fn samples_are_in_the_domain_of_what_they_are_for() {
    for entry in converters().filter(|entry| !matches!(entry.name, "ref" | "key" | "each" | "parse")) {
        for (text, _, _) in entry.examples {
            let good =
                entry.samples.iter().filter(|sample| convert(text, Direction::ToLegacy, sample).is_ok());
            assert!(good.count() > 0, "{text}");
        }
        for sample in entry.samples {
            let good =
                entry.examples.iter().any(|(text, _, _)| convert(text, Direction::ToLegacy, sample).is_ok());
            let special = matches!(entry.name, "duration" | "country" | "money");
            assert!(good || special, "{}: {sample}", entry.name);
        }
    }
}

#[test]
fn classes_and_losses_depend_on_the_arguments() {
    let of = |text: &str| {
        let converter = Converter::parse(text).unwrap();
        assert!(converter.loses().is_none_or(|loss| converter.entry().loses.contains(&loss)), "{text}");
        (converter.class(), converter.loses())
    };
    assert_eq!(of("date('%d.%m.%Y')"), (Class::Canonical, None));
    assert_eq!(of("date('%d.%m.%Y', end-of-day)"), (Class::Canonical, Some("loss-of-time")));
    assert_eq!(of("date('%G-W%V')"), (Class::Canonical, Some("loss-of-day")));
    assert_eq!(of("date('%m/%Y', end-of-day)"), (Class::Canonical, Some("loss-of-day")));
    assert_eq!(of("local-datetime('UTC')"), (Class::Canonical, None));
    assert_eq!(of("datetime('%d.%m.%Y %H:%M', UTC)"), (Class::Canonical, Some("loss-of-seconds")));
    assert_eq!(of("datetime('%d.%m.%Y %H:%M:%S', 'Europe/Berlin')"), (Class::Canonical, None));
    assert_eq!(of("local-datetime('UTC', earlier)").1, Some("loss-of-repeated-hour"));
    assert_eq!(of("datetime('%d.%m.%Y %H:%M', 'Europe/Berlin', later)").1, Some("loss-of-time"));
    assert_eq!(of("datetime('%Y-%m-%dT%H:%M:%S%:z', 'Europe/Berlin', later)").1, None);
    assert_eq!(of("each(first)"), (Class::OneWay, None));
    assert_eq!(of("boolean(J, N)").0, Class::Canonical);
    let reference = |text: &str| format!("{:?}", Converter::parse(text).unwrap().reference());
    assert_eq!(reference("ref(product)"), r#"Some(Entity { kind: "product", each: false })"#);
    assert_eq!(reference("each(key(quoteItem))"), r#"Some(Key { group: "quoteItem", each: true })"#);
    let path = Converter::parse("money(minor, currency: $.hdr['cur'])").unwrap();
    let path = path.path_argument().unwrap();
    assert_eq!((path.text.as_str(), path.offset), ("$.hdr['cur']", 23));
}

#[test]
fn mistakes_are_told_at_their_place() {
    for (text, offset, message, hint) in [
        ("dat('%d')", 0, "no converter 'dat'", "did you mean `date`?"),
        ("date", 0, "needs its argument `format`", "date(format, [edge], [zone])"),
        ("date('%d.%m')", 5, "whole date", ""),
        ("date('dd.MM.yyyy')", 5, "names its parts by `%`", "`%d.%m.%Y %H:%M:%S`"),
        ("date('%d.%m.%Y', end-of-dya)", 17, "not accepted", "did you mean `end-of-day`?"),
        ("date('%d.%m.%Y', end-of-day, 'Europe/Berlni')", 29, "no time zone", "Europe/Berlin"),
        ("date('%d.%m.%Y', 'Europe/Berlin')", 17, "no zone", "end-of-day"),
        ("datetime('%d.%m.%Y %H:%M')", 9, "a zone is needed", ""),
        ("datetime('%d.%m.%Y %I:%M', 'UTC')", 9, "whole date and time", ""),
        ("duration(month)", 9, "no unit", "did you mean `months`?"),
        ("country(name)", 0, "needs its argument `legacy`", ""),
        ("money(minor, currency: EUX)", 23, "not a currency", ""),
        ("bandwidth(tbps)", 10, "not accepted", ""),
        ("integer(1)", 8, "takes no arguments", ""),
        ("lines(0)", 6, "whole number", ""),
        ("pad(3, ab)", 7, "one character", ""),
        ("boolean(J, J)", 11, "alike", ""),
        ("boolean(J, absent, true)", 19, "read as the other", ""),
        ("parse('(')", 6, "pattern", ""),
        ("parse('a)(b')", 6, "pattern", ""),
        ("each(dat)", 5, "no converter 'dat'", "date"),
        ("each(each(ref(x)))", 10, "deeper", ""),
        ("split(sep: ',')", 6, "no argument 'sep'", "separator"),
        ("split(seperator: ',')", 6, "no argument 'seperator'", "did you mean `separator:`?"),
        ("money(minor, currency: EUX)", 23, "not a currency", "did you mean `EUR`?"),
        ("jsn", 0, "no converter 'jsn'", "did you mean `json`?"),
        ("each(each(each(each(each(one)))))", 25, "too deeply", ""),
    ] {
        let error = Converter::parse(text).expect_err(text);
        assert_eq!(error.offset, offset, "{text}: {error:?}");
        assert!(error.message.contains(message), "{text}: {error:?}");
        assert!(error.hint.map_or(hint.is_empty(), |own| own.as_str().contains(hint)), "{text}");
        assert!(error.offset + error.length <= text.len().max(error.offset + 1), "{text}");
    }
}

/// There and back from both ends: exact converters give the same, canonical ones the canonical form at
/// once and for good.
fn law(converter: &Converter, from: Direction, text: &str) {
    let there = match apply(converter, from, text) {
        Ok(there) => there,
        Err(kind) => {
            assert!(converter.entry().errors.contains(&kind), "{}: {text} is {kind:?}", converter.name());
            return;
        }
    };
    let back = apply(converter, from.reverse(), &there);
    let back = back
        .unwrap_or_else(|kind| panic!("{}: {text} goes to {there} and not back: {kind:?}", converter.name()));
    if converter.class() == Class::Exact {
        let (before, after) = (Document::from_text(text).unwrap(), Document::from_text(&back).unwrap());
        assert!(before.root().eq_value(after.root()), "{}: {text} comes back as {back}", converter.name());
    }
    assert_eq!(apply(converter, from, &back), Ok(there.clone()), "{}: {text} by {back}", converter.name());
    assert_eq!(apply(converter, from.reverse(), &there), Ok(back), "{}: {text}", converter.name());
}

fn legacy_values() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,12})(\\.[0-9]{1,8})?(e[0-9])?",
        "[ -!#-\\[\\]-~é]{0,24}".prop_map(|text| format!("\"{text}\"")),
        "[0-9]{1,9}".prop_map(|digits| format!("\"{digits}\"")),
        "(0[1-9]|[12][0-9]|3[01])\\.(0[1-9]|1[0-2])\\.(19|20)[0-9]{2}( [0-2][0-9]:[0-5][0-9])?"
            .prop_map(|date| format!("\"{date}\"")),
        "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:00))?"
            .prop_map(|date| format!("\"{date}\"")),
        prop::collection::vec("[a-z,; -]{0,6}".prop_map(|text| format!("\"{text}\"")), 0..4)
            .prop_map(|parts| format!("[{}]", parts.join(","))),
        ("[0-9]{1,6}(\\.[0-9]{1,4})?", "B|KB|MB|GB").prop_map(|(value, unit)| {
            format!(r#"{{"irValue":{},"irUnits":"{unit}PS"}}"#, value.trim_start_matches('0').replace(['.'], "0."))
        }).prop_filter("a number", |text| Document::from_text(text).is_ok()),
        (any::<u32>(), "calendarHours|calendarMinutes|calendarMonths")
            .prop_map(|(amount, unit)| format!(r#"{{"amount":{amount},"units":"{unit}"}}"#)),
        (any::<u32>(), "BYTES|KBYTES|MBYTES")
            .prop_map(|(amount, unit)| format!(r#"{{"dataSizeValue":{amount},"dataSizeUnits":"{unit}"}}"#)),
        (any::<i32>(), "EUR|JPY|KWD").prop_map(|(value, unit)| format!(r#"{{"unit":"{unit}","value":{value}.5}}"#)),
        "\\{\"a\": ?\\[[0-9], ?\"\\\\\\\\u00e9\"\\] ?\\}".prop_map(|text| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))),
        Just("true".to_owned()),
        Just("[\"x\"]".to_owned()),
        Just("\"Poland\"".to_owned()),
    ]
}

#[test]
fn samples_keep_the_class() {
    for (converter, _, _) in pairs() {
        let converter = Converter::parse(converter).unwrap();
        for sample in converter.entry().samples {
            law(&converter, Direction::ToLegacy, sample);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn there_and_back_keeps_the_class(text in legacy_values()) {
        for (converter, _, _) in pairs() {
            let converter = Converter::parse(converter).unwrap();
            law(&converter, Direction::ToSonata, &text);
            law(&converter, Direction::ToLegacy, &text);
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "[a-z]{0,8}[(,:'\" a-z0-9$.%-]{0,20}[)]?") {
        if let Err(error) = Converter::parse(&text) {
            prop_assert!(error.offset <= text.len());
        }
    }
}
