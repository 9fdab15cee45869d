use crate::format::{FormatError, Names, Namespace, lines, write_xml};
use crate::json::Document;

fn names() -> Names {
    let common = Namespace { uri: "urn:c".into(), elements: vec!["Name".into(), "Mail".into()] };
    let none = Namespace { uri: "".into(), elements: vec!["Plain".into()] };
    let rest = Namespace { uri: "urn:t&1".into(), elements: Vec::new() };
    Names::new(vec![common, none, rest], [])
}

fn write(json: &str, names: &Names) -> Result<String, FormatError> {
    let xml = write_xml(&Document::from_text(json).unwrap(), names)?;
    Ok(xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap().to_owned())
}

#[test]
fn a_document_becomes_xml() {
    let rows = [
        (r#"{"a":""}"#, "<a/>"),
        (r#"{"a":{}}"#, "<a/>"),
        (r#"{"a":"x"}"#, "<a>x</a>"),
        (r#"{"a":1.10}"#, "<a>1.10</a>"),
        (r#"{"a":true}"#, "<a>true</a>"),
        (r#"{"a":"<&>\"'\r\n\t]]>"}"#, "<a>&lt;&amp;&gt;\"'&#13;\n\t]]&gt;</a>"),
        (
            r#"{"a":{"c":"1","@b":"\"<&\n","d":["2","3"],"e":[]}}"#,
            "<a b=\"&quot;&lt;&amp;&#10;\"><c>1</c><d>2</d><d>3</d></a>",
        ),
        (r##"{"a":{"#text":"x","@b":7,"@c":null}}"##, "<a b=\"7\">x</a>"),
        (
            r#"{"a":{"b":null}}"#,
            "<a><b xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/></a>",
        ),
    ];
    for (json, xml) in rows {
        assert_eq!(write(json, &Names::default()).as_deref(), Ok(xml), "{json}");
    }
}

#[test]
fn elements_are_in_their_namespaces() {
    let xml = write(r#"{"Ticket":{"Name":"x","Plain":{"No":"1"}}}"#, &names()).unwrap();
    let expected = "<n2:Ticket xmlns:n0=\"urn:c\" xmlns:n2=\"urn:t&amp;1\"><n0:Name>x</n0:Name><Plain><n2:No>1</n2:No></Plain></n2:Ticket>";
    assert_eq!(xml, expected);
}

#[test]
fn what_xml_cannot_say_is_told() {
    let rows = [
        ("[]", "", false),
        (r#""x""#, "", false),
        ("{}", "", false),
        (r#"{"a":1,"b":2}"#, "", false),
        (r#"{"a":[1]}"#, "", false),
        (r#"{"a":{"b":[["x"]]}}"#, "/a/b/0", false),
        (r##"{"a":{"#text":"x","b":1}}"##, "/a/#text", false),
        (r##"{"a":{"#text":["x"]}}"##, "/a/#text", false),
        (r#"{"a":{"@b":{}}}"#, "/a/@b", false),
        (r#"{"a":{"@xmlns":"u"}}"#, "/a/@xmlns", false),
        (r#"{"a":{"@x:b":"u"}}"#, "/a/@x:b", false),
        (r#"{"a b":1}"#, "/a b", false),
        (r#"{"a":{"1b":1}}"#, "/a/1b", false),
        (r#"{"a":{"n:b":1}}"#, "/a/n:b", false),
        (r#"{"a":{"":1}}"#, "/a/", false),
        (r#"{"a":"\u0001"}"#, "/a", true),
        (r#"{"a":{"@b":"\uffff"}}"#, "/a/@b", true),
    ];
    for (json, place, of_value) in rows {
        match write(json, &Names::default()) {
            Err(FormatError::Unsayable { pointer, value, .. }) => {
                assert_eq!((pointer.as_str(), value), (place, of_value), "{json}");
            }
            other => panic!("{json}: {other:?}"),
        }
    }
    let deep = |levels: usize| format!("{}\"x\"{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(write(&deep(63), &Names::default()).is_ok());
    let parsed = Document::parse(deep(65), &crate::json::Limits { depth_max: 99, ..Default::default() });
    assert!(write_xml(&parsed.unwrap(), &Names::default()).is_err());
}

#[test]
fn texts_that_say_the_same_have_the_same_lines() {
    let left = "<?xml version='1.0'?><s:E xmlns:s='u'><s:B c='3' b=\"1'\"> <x/>\n</s:B></s:E>";
    let right = "<E xmlns='u'><B b='1&apos;' c='3'><x xmlns=''></x></B></E>";
    assert_eq!(lines(left), lines(right));
    let expected = ["<n0:E xmlns:n0='u'>", "  <n0:B b='1&apos;' c='3'>", "    <x/>", "  </n0:B>", "</n0:E>"];
    assert_eq!(lines(left).unwrap(), expected);
    assert_eq!(lines(&expected.join("\n")).unwrap(), expected);
    for other in ["<E xmlns='u'/>", "<E xmlns='u'><B b='1' c='3'><x/></B></E>", "<E/>"] {
        assert_ne!(lines(left), lines(other));
    }
}
