use crate::format::{FormatError, Names, read_xml};
use crate::json::Limits;

fn read(xml: &str) -> Result<String, FormatError> {
    let names = Names::new(Vec::new(), ["Item".into()]);
    let limits = Limits { depth_max: 8, string_bytes_max: 64, nodes_max: 40, ..Limits::default() };
    read_xml(xml.as_bytes(), None, &names, &limits).map(|document| document.text().to_owned())
}

#[test]
fn xml_becomes_a_document() {
    let rows = [
        ("<a/>", r#"{"a":""}"#),
        ("<a></a>", r#"{"a":""}"#),
        ("<a> x\r\ny </a>", r#"{"a":" x\ny "}"#),
        ("<?xml version='1.0'?><!-- c --><a>1<!-- 2 -->3<?p i?></a>\n", r#"{"a":"13"}"#),
        ("<a><![CDATA[<x> & ]]>y</a>", r#"{"a":"<x> & y"}"#),
        ("<a>&lt;&amp;&gt;&quot;&apos;&#x41;&#66;</a>", r#"{"a":"<&>\"'AB"}"#),
        ("<a b='1' c='&#10;x\ty'/>", r#"{"a":{"@b":"1","@c":"\nx y"}}"#),
        ("<a b='1'>x</a>", r##"{"a":{"@b":"1","#text":"x"}}"##),
        ("<a> <b>1</b> <c>2</c> <b>3</b> </a>", r#"{"a":{"b":["1","3"],"c":"2"}}"#),
        ("<a><Item>1</Item></a>", r#"{"a":{"Item":["1"]}}"#),
        ("<a><Item/><Item k='v'/></a>", r#"{"a":{"Item":["",{"@k":"v"}]}}"#),
        ("<n:a xmlns:n='u'><b xmlns='v'/></n:a>", r#"{"a":{"b":""}}"#),
        (
            "<a xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><b i:nil='true'/><c i:type='x'>1</c><d i:nil='0'/></a>",
            r#"{"a":{"b":null,"c":"1","d":""}}"#,
        ),
        ("<a><b>007</b><c>1.10</c><d>true</d></a>", r#"{"a":{"b":"007","c":"1.10","d":"true"}}"#),
        ("<é_1.-x>ü</é_1.-x>", r#"{"é_1.-x":"ü"}"#),
    ];
    for (xml, json) in rows {
        assert_eq!(read(xml).as_deref(), Ok(json), "{xml}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    let rows = [
        "",
        " ",
        "x",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "x<a/>",
        "<a/>x",
        "<a b='1' b='2'/>",
        "<a b=1/>",
        "<a b='<'/>",
        "<a>&</a>",
        "<p:a/>",
        "<a p:b='1'/>",
        "<1a/>",
        "<a><b</a>",
        "<a>\u{1}</a>",
        "<a>&#1;</a>",
        "<a>&#xD800;</a>",
        "<a b='&#0;'/>",
        "<![CDATA[x]]><a/>",
        "&amp;<a/>",
        "<a 1='2'/>",
        "<a b/>",
        "<x:a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>",
    ];
    for xml in rows {
        let told = read(xml);
        assert!(matches!(told, Err(FormatError::Syntax { .. } | FormatError::Entity)), "{xml:?}: {told:?}");
    }
}

#[test]
fn what_has_no_document_is_refused() {
    assert_eq!(read("<a>x<b/></a>"), Err(FormatError::Mixed("a".to_owned())));
    assert_eq!(read("<a><b/> x </a>"), Err(FormatError::Mixed("a".to_owned())));
    assert_eq!(read("<a xmlns:n='u'><b/><n:b/></a>"), Err(FormatError::Ambiguous("b".to_owned())));
    assert_eq!(read("<a xmlns:n='u' b='1' n:b='2'/>"), Err(FormatError::Ambiguous("b".to_owned())));
}

#[test]
fn nothing_outside_and_nothing_expanded() {
    let doctypes = [
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>",
        "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><l>&c;</l>",
        "<!DOCTYPE a><a/>",
    ];
    for xml in doctypes {
        assert_eq!(read(xml), Err(FormatError::Doctype), "{xml}");
    }
    assert_eq!(read("<a>&x;</a>"), Err(FormatError::Entity));
    assert_eq!(read("<a b='&x;'/>"), Err(FormatError::Entity));
}

#[test]
fn limits_hold() {
    type Make<'m> = &'m dyn Fn(usize) -> String;
    let deep = |levels: usize| format!("{}{}", "<a>".repeat(levels), "</a>".repeat(levels));
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count));
    let long = |bytes: usize| format!("<a>{}</a>", "x".repeat(bytes));
    let value = |bytes: usize| format!("<a b='{}'/>", "x".repeat(bytes));
    let attributes = |count: usize| {
        let all: Vec<String> = (0..count).map(|index| format!("b{index}='1'")).collect();
        format!("<a {}/>", all.join(" "))
    };
    let rows: [(Make<'_>, usize); 5] =
        [(&deep, 8), (&wide, 39), (&long, 64), (&value, 64), (&attributes, 39)];
    for (make, max) in rows {
        assert!(read(&make(max)).is_ok(), "{}", make(max));
        assert!(matches!(read(&make(max + 1)), Err(FormatError::Limit { .. })), "{}", make(max + 1));
    }
    let names = Names::default();
    let limits = Limits { bytes_max: 10, ..Limits::default() };
    assert!(read_xml(b"<a>123</a>", None, &names, &limits).is_ok());
    let more = read_xml(b"<a>1234</a>", None, &names, &limits).unwrap_err();
    assert_eq!(more, FormatError::Limit { what: "bytes", max: 10 });
    let many = read_xml(attributes(257).as_bytes(), None, &names, &Limits::default()).unwrap_err();
    assert_eq!(many, FormatError::Limit { what: "attributes of an element", max: 256 });
    let names_max = Limits { members_max: 1, elements_max: 2, ..Limits::default() };
    assert!(read_xml(b"<a><b/><b/></a>", None, &names, &names_max).is_ok());
    assert!(read_xml(b"<a><b/><c/></a>", None, &names, &names_max).is_err());
    assert!(read_xml(b"<a><b/><b/><b/></a>", None, &names, &names_max).is_err());
}

#[test]
fn declared_character_sets_are_read() {
    let names = Names::default();
    let read = |bytes: &[u8], content_type| {
        read_xml(bytes, content_type, &names, &Limits::default()).map(|document| document.text().to_owned())
    };
    let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe4</a>";
    assert_eq!(read(latin, None).as_deref(), Ok(r#"{"a":"ä"}"#));
    assert_eq!(read(b"<a>\x80</a>", Some("text/xml; charset=windows-1252")).as_deref(), Ok(r#"{"a":"€"}"#));
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain("<?xml version='1.0' encoding='UTF-16'?><a>ä</a>".encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(read(&utf16, None).as_deref(), Ok(r#"{"a":"ä"}"#));
    assert!(read(latin, Some("text/xml; charset=utf-8")).is_err());
}
