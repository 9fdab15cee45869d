use crate::json::{Document, Limits, ParseCode, ParseError};

fn refusal(text: impl AsRef<[u8]>, limits: &Limits) -> ParseError {
    match Document::parse(text.as_ref().to_vec(), limits) {
        Ok(_) => panic!("accepted: {}", String::from_utf8_lossy(text.as_ref())),
        Err(error) => error,
    }
}

#[test]
fn what_is_received_stays_as_it_is() {
    for text in [
        "null",
        " true\n",
        "9007199254740993",
        "12345678901234567890",
        "1.10",
        "1e2",
        "0.1234567890123456789",
        "-0.0",
        "[]",
        "{}",
        r#""""#,
        r#""\u00e9\/\ud83d\ude00é😀""#,
        r#" { "b" : [ 1 , { "" : null } ] , "a" : { } } "#,
    ] {
        let document = Document::from_text(text).unwrap();
        assert_eq!(document.text(), text);
        assert_eq!(document.bytes(), text.as_bytes());
        assert_eq!(document.root().raw(), text.trim());
    }
}

#[test]
fn every_fault_has_its_code_offset_and_pointer() {
    use ParseCode::*;
    let large: Vec<String> = (0..20).map(|n| format!("\"m{n}\":{n}")).collect();
    let large = large.join(",");
    let late = format!("{{\"o\":{{{large},\"m3\":0,\"m1\":0}}}}");
    let late_at = late.find(",\"m3\":0").unwrap() + 1;
    let cases: &[(&str, ParseCode, usize, &str)] = &[
        ("", UnexpectedEnd, 0, ""),
        ("  ", UnexpectedEnd, 2, ""),
        ("{", UnexpectedEnd, 1, ""),
        ("[1,", UnexpectedEnd, 3, "/1"),
        ("[1,]", UnexpectedByte, 3, "/1"),
        ("[1 2]", UnexpectedByte, 3, ""),
        ("[1}", UnexpectedByte, 2, ""),
        ("[,1]", UnexpectedByte, 1, "/0"),
        (r#"{"a":1,}"#, UnexpectedByte, 7, ""),
        (r#"{"a" 1}"#, UnexpectedByte, 5, "/a"),
        ("{a:1}", UnexpectedByte, 1, ""),
        (r#"{"a":[{"b/c~d":01}]}"#, UnexpectedByte, 16, "/a/0"),
        (r#"{"a":[0,{"b/c~d":-}]}"#, InvalidNumber, 18, "/a/1/b~1c~0d"),
        ("1.", UnexpectedEnd, 2, ""),
        ("[1.]", InvalidNumber, 3, "/0"),
        ("[truth]", InvalidWord, 1, "/0"),
        ("tru", UnexpectedEnd, 3, ""),
        ("NaN", UnexpectedByte, 0, ""),
        ("'a'", UnexpectedByte, 0, ""),
        ("// x\n1", UnexpectedByte, 0, ""),
        ("1 1", TrailingData, 2, ""),
        ("{}}", TrailingData, 2, ""),
        (r#""abc"#, UnexpectedEnd, 4, ""),
        (r#""a\"#, UnexpectedEnd, 3, ""),
        (r#""a\x""#, InvalidEscape, 2, ""),
        (r#""\u12g4""#, InvalidEscape, 1, ""),
        (r#""\u12"#, UnexpectedEnd, 5, ""),
        ("\"0123456789\n\"", ControlCharacter, 11, ""),
        ("\"\0\"", ControlCharacter, 1, ""),
        (r#"["\ud83d"]"#, LoneSurrogate, 2, "/0"),
        (r#""\ud83dx""#, LoneSurrogate, 1, ""),
        (r#""\ud83d\u0041""#, LoneSurrogate, 1, ""),
        (r#""\ude00""#, LoneSurrogate, 1, ""),
        ("\u{feff}1", ByteOrderMark, 0, ""),
        (r#"{"a":1,"b":2,"a":3}"#, DuplicateMember, 13, "/a"),
        (r#"[{"a":{"b":{},"\u0062":3}}]"#, DuplicateMember, 14, "/0/a/b"),
        (r#"{"\u0061":1,"b":2,"a":3}"#, DuplicateMember, 18, "/a"),
        (r#"{"":1,"":2}"#, DuplicateMember, 6, "/"),
        (&late, DuplicateMember, late_at, "/o/m3"),
    ];
    for (text, code, offset, pointer) in cases {
        let error = refusal(text, &Limits::default());
        assert_eq!((error.code, error.offset, &*error.pointer), (*code, *offset, *pointer), "{text}");
    }
}

#[test]
fn invalid_utf8_is_refused_with_its_place() {
    let cases: &[(&[u8], usize, &str)] = &[
        (b"\xff", 0, ""),
        (b"[1,\"a\xc3\"]", 5, "/1"),
        (b"{\"a\":{\"b\":\"\xed\xa0\x80\"}}", 11, "/a/b"),
        (b"{\"a\xf5\":1}", 3, ""),
        (b"{} \xff", 3, ""),
    ];
    for (text, offset, pointer) in cases {
        let error = refusal(text, &Limits::default());
        assert_eq!(
            (error.code, error.offset, &*error.pointer),
            (ParseCode::InvalidUtf8, *offset, *pointer),
            "{text:?}"
        );
    }
    assert_eq!(refusal(b"[1,}\xff", &Limits::default()).code, ParseCode::UnexpectedByte);
}

#[test]
fn limits_accept_what_is_at_them_and_refuse_what_is_beyond() {
    use ParseCode::*;
    let wide = Limits::default();
    let cases: &[(Limits, &str, &str, ParseCode, &str)] = &[
        (Limits { bytes_max: 4, ..wide }, "1234", "12345", TooManyBytes, ""),
        (Limits { depth_max: 2, ..wide }, "[{}]", r#"[{"a":[]}]"#, TooDeep, "/0/a"),
        (Limits { depth_max: 0, ..wide }, "1", "[]", TooDeep, ""),
        (Limits { members_max: 1, ..wide }, r#"{"a":1}"#, r#"{"a":1,"b":2}"#, TooManyMembers, "/b"),
        (Limits { elements_max: 2, ..wide }, "[1,2]", "[1,2,[3]]", TooManyElements, "/2"),
        (Limits { string_bytes_max: 3, ..wide }, r#"["abc"]"#, r#"["abcd"]"#, StringTooLong, "/0"),
        (Limits { string_bytes_max: 3, ..wide }, r#"{"abc":0}"#, r#"{"abcd":0}"#, StringTooLong, ""),
        (Limits { string_bytes_max: 3, ..wide }, "[123]", "[1.23]", StringTooLong, "/0"),
        (Limits { nodes_max: 3, ..wide }, "[1,2]", "[1,2,3]", TooManyNodes, "/2"),
    ];
    for (limits, good, bad, code, pointer) in cases {
        assert!(Document::parse(good.as_bytes().to_vec(), limits).is_ok(), "{good}");
        let error = refusal(bad, limits);
        assert_eq!((error.code, &*error.pointer), (*code, *pointer), "{bad}");
    }
}

#[test]
fn reasons_are_short_and_printable() {
    let name = format!("{}\\n\\u001b[31m", "n".repeat(5000));
    let error = refusal(format!(r#"{{"a\nb":{{"{name}":}}}}"#), &Limits::default());
    let reason = error.to_string();
    assert!(reason.starts_with("unexpected character at byte 5024, in /a\u{fffd}b/nnn"), "{reason}");
    assert!(reason.chars().count() <= 255 && !reason.chars().any(char::is_control), "{reason}");
    let error = refusal(r#"{"a":1,"a":2}"#, &Limits::default());
    assert_eq!(error.to_string(), "duplicate member at byte 7, in /a");
}

#[test]
fn deep_nesting_needs_no_stack() {
    let limits = Limits { depth_max: 400_000, nodes_max: 400_000, ..Limits::default() };
    let text = ["[".repeat(400_000), "]".repeat(400_000)].concat();
    assert!(Document::parse(text, &limits).is_ok());
    assert_eq!(refusal("[".repeat(1_000_000), &Limits::default()).code, ParseCode::TooDeep);
}
