use bytes::Bytes;

use crate::format::{
    Action, Fault, Format, FormatError, Incoming, Names, Outgoing, Soap, SoapVersion, decode, encode, text,
};
use crate::json::{Document, Limits};

fn soap(version: SoapVersion) -> Format {
    let action = Some(Action::parse("urn:t#{operation}"));
    Format::Soap(Soap { version, path: "/t".into(), action })
}

fn out(
    format: &Format,
    operation: Option<&str>,
    json: Option<&str>,
) -> Result<Option<Outgoing>, FormatError> {
    let document = json.map(|json| Document::from_text(json).unwrap());
    encode(format, &Names::default(), operation, document.as_ref())
}

fn read(format: &Format, content_type: Option<&str>, body: &str) -> Result<Incoming, FormatError> {
    decode(format, &Names::default(), (content_type, &Bytes::from(body.to_owned())), &Limits::default())
}

fn said(format: &Format, content_type: Option<&str>, body: &str) -> Result<String, FormatError> {
    read(format, content_type, body).map(|incoming| incoming.document.unwrap().text().to_owned())
}

#[test]
fn soap_envelopes_go_out() {
    let sent = out(&soap(SoapVersion::V1_1), Some("Get"), Some(r#"{"Get":{"No":"1"}}"#)).unwrap().unwrap();
    assert_eq!(sent.content_type, "text/xml; charset=utf-8");
    assert_eq!(sent.soap_action.as_deref(), Some("\"urn:t#Get\""));
    let body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body><Get><No>1</No></Get></soap:Body></soap:Envelope>";
    assert_eq!(sent.body, body);
    let sent = out(&soap(SoapVersion::V1_2), Some("List"), None).unwrap().unwrap();
    assert_eq!(sent.content_type, "application/soap+xml; charset=utf-8; action=\"urn:t#List\"");
    assert_eq!(sent.soap_action, None);
    let body = String::from_utf8(sent.body.to_vec()).unwrap();
    assert!(
        body.contains("\"http://www.w3.org/2003/05/soap-envelope\"><soap:Body><List/></soap:Body>"),
        "{body}"
    );
    let fixed = Soap { version: SoapVersion::V1_1, path: "/".into(), action: Some(Action::parse("urn:all")) };
    let sent = out(&Format::Soap(fixed.clone()), Some("Get"), None).unwrap().unwrap();
    assert_eq!(sent.soap_action.as_deref(), Some("\"urn:all\""));
    let sent = out(&Format::Soap(Soap { action: None, ..fixed }), Some("Get"), None).unwrap().unwrap();
    assert_eq!(sent.soap_action.as_deref(), Some("\"\""));
    assert!(out(&soap(SoapVersion::V1_1), Some("Get"), Some(r#"{"a":1,"b":2}"#)).is_err());
}

fn envelope(version: SoapVersion, body: &str) -> String {
    let namespace = match version {
        SoapVersion::V1_1 => "http://schemas.xmlsoap.org/soap/envelope/",
        SoapVersion::V1_2 => "http://www.w3.org/2003/05/soap-envelope",
    };
    format!(
        "<S:Envelope xmlns:S='{namespace}'><S:Header><t>1</t></S:Header><S:Body>{body}</S:Body></S:Envelope>"
    )
}

#[test]
fn soap_envelopes_come_in() {
    for version in [SoapVersion::V1_1, SoapVersion::V1_2] {
        let format = soap(version);
        let body = envelope(version, "<r:GetResponse xmlns:r='u'><No>1</No></r:GetResponse>");
        let read = read(&format, Some(version.media_type()), &body).unwrap();
        assert_eq!(read.fault, None);
        assert_eq!(read.document.unwrap().text(), r#"{"GetResponse":{"No":"1"}}"#);
        assert_eq!(said(&format, Some("text/xml"), &envelope(version, "")).unwrap(), "{}");
    }
    let format = soap(SoapVersion::V1_1);
    let wrong = [
        "<a/>".to_owned(),
        "<Envelope><Body/></Envelope>".to_owned(),
        envelope(SoapVersion::V1_2, "<a/>"),
        envelope(SoapVersion::V1_1, "</S:Body><S:Body>"),
        "<Envelope xmlns='http://schemas.xmlsoap.org/soap/envelope/'><Header/></Envelope>".to_owned(),
    ];
    for body in wrong {
        assert!(matches!(read(&format, None, &body), Err(FormatError::Envelope(_))), "{body}");
    }
    let multipart =
        read(&format, Some("multipart/related; type=\"application/xop+xml\""), "--x").unwrap_err();
    assert_eq!(multipart, FormatError::Multipart);
    assert!(matches!(read(&format, Some("text/html"), "<html/>"), Err(FormatError::MediaType { .. })));
}

#[test]
fn faults_have_one_form() {
    let detail = "<t:TicketFault xmlns:t='u'><t:code>T404</t:code></t:TicketFault>";
    let old = format!(
        "<S:Fault><faultcode>S:Server.NotFound</faultcode><faultstring>no such</faultstring><detail>{detail}</detail></S:Fault>"
    );
    let new = format!(
        "<S:Fault><S:Code><S:Value>S:Server</S:Value><S:Subcode><S:Value>t:NotFound</S:Value></S:Subcode></S:Code><S:Reason><S:Text xml:lang='en'>no such</S:Text></S:Reason><S:Detail>{detail}</S:Detail></S:Fault>"
    );
    for (version, body) in [(SoapVersion::V1_1, old), (SoapVersion::V1_2, new)] {
        let read = read(&soap(version), Some("text/xml"), &envelope(version, &body)).unwrap();
        assert_eq!(read.fault, Some(Fault { code: "Server.NotFound".to_owned() }));
        let told = r#"{"Fault":{"code":"Server.NotFound","reason":"no such","detail":{"TicketFault":{"code":"T404"}}}}"#;
        assert_eq!(read.document.unwrap().text(), told);
    }
    let bare = "<S:Fault><faultcode>Client</faultcode><detail>why</detail></S:Fault>";
    let text = said(&soap(SoapVersion::V1_1), None, &envelope(SoapVersion::V1_1, bare)).unwrap();
    assert_eq!(text, r##"{"Fault":{"code":"Client","reason":"","detail":{"#text":"why"}}}"##);
}

#[test]
fn faults_are_named() {
    let fault = Fault { code: "Server.NotFound.Old".to_owned() };
    let rows = [
        ("Server", true),
        ("Server.NotFound", true),
        ("Server.NotFound.Old", true),
        ("*", true),
        ("Serv", false),
        ("NotFound", false),
        ("Client", false),
    ];
    for (code, is) in rows {
        assert_eq!(fault.is(code), is, "{code}");
    }
    assert!(!fault.blames_sender());
    assert!(Fault { code: "Client.Data".to_owned() }.blames_sender());
    assert!(!Fault { code: "ClientData".to_owned() }.blames_sender());
}

#[test]
fn forms_go_out_flat() {
    let sent = out(&Format::Form, None, Some(r#"{"a":"ä &=","n":1.10,"t":true,"x":null,"l":["1","2"]}"#));
    let sent = sent.unwrap().unwrap();
    assert_eq!(sent.content_type, "application/x-www-form-urlencoded");
    assert_eq!(sent.body, "a=%C3%A4+%26%3D&n=1.10&t=true&l=1&l=2");
    for json in [r#"{"a":{"b":1}}"#, r#"{"a":[[1]]}"#, r#"["a"]"#] {
        assert!(matches!(out(&Format::Form, None, Some(json)), Err(FormatError::Unsayable { .. })), "{json}");
    }
    assert_eq!(out(&Format::Form, None, None), Ok(None));
}

#[test]
fn answers_are_read_by_their_media_type() {
    let (json, xml, form, plain) = (
        Some("application/vnd.x+json"),
        Some("text/xml"),
        Some("application/x-www-form-urlencoded"),
        Some("text/plain; charset=utf-8"),
    );
    let rows: [(Format, Option<&str>, &str, Option<&str>); 16] = [
        (Format::Json, json, "[1]", Some("[1]")),
        (Format::Json, None, "[1]", Some("[1]")),
        (Format::Json, plain, "[1]", None),
        (Format::Json, json, "x", None),
        (Format::Xml, xml, "<a/>", Some(r#"{"a":""}"#)),
        (Format::Xml, None, "<a/>", Some(r#"{"a":""}"#)),
        (Format::Xml, json, "{}", None),
        (Format::Form, json, "[1]", Some("[1]")),
        (Format::Form, xml, "<a/>", Some(r#"{"a":""}"#)),
        (Format::Form, form, "a=1&b=%C3%A4&a=+", Some(r#"{"a":["1"," "],"b":"ä"}"#)),
        (Format::Form, plain, "OK 1", Some(r#""OK 1""#)),
        (Format::Form, Some("text/html"), "<html/>", None),
        (Format::Text, plain, "a\nb", Some(r#""a\nb""#)),
        (Format::Text, None, "a", Some(r#""a""#)),
        (Format::Text, json, "1", None),
        (Format::Text, Some("multipart/mixed"), "1", None),
    ];
    for (format, content_type, body, expected) in rows {
        assert_eq!(
            said(&format, content_type, body).ok().as_deref(),
            expected,
            "{format:?} {content_type:?}"
        );
        assert!(read(&format, content_type, "").unwrap().document.is_none());
    }
}

#[test]
fn forms_have_limits() {
    let limits = Limits { members_max: 2, string_bytes_max: 3, bytes_max: 9, ..Limits::default() };
    let read = |body: &'static str| {
        let content_type = Some("application/x-www-form-urlencoded");
        decode(&Format::Form, &Names::default(), (content_type, &Bytes::from(body)), &limits)
    };
    assert!(read("a=1&b=2").is_ok());
    for body in ["a=1&b=2&c", "a=1234", "a=123&b=123"] {
        assert!(matches!(read(body), Err(FormatError::Limit { .. })), "{body}");
    }
}

#[test]
fn text_has_a_character_set() {
    assert_eq!(text(Some("text/plain; charset=iso-8859-1"), b"\xe4").as_deref(), Ok("ä"));
    assert_eq!(
        text(Some("text/xml"), b"<?xml version='1.0' encoding='iso-8859-1'?>\xe4")
            .map(|text| text.ends_with('ä')),
        Ok(true)
    );
    assert!(text(None, b"\xe4").is_err());
    let plain = out(&Format::Text, None, Some("\"x\"")).unwrap().unwrap();
    assert_eq!((&*plain.content_type, &plain.body[..]), ("text/plain; charset=utf-8", &b"x"[..]));
    assert!(out(&Format::Text, None, Some("{}")).is_err());
}
