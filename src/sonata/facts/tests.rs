use super::*;

const SAMPLE: &str = r#"facts 1
api billing 2.0.0 customerBillManagement

operation GET /customerBill listCustomerBill
  query state! BillState
  query offset integer
  200 [CustomerBill] paged
  204

operation POST /listener/x "listen to Customer Bill Create Event"
  request Event
  204

product urn:mef:x:v1:all Root

object Event : Base Other
  "a b"! string format date-time
  list! [[string length 1..45 pattern "[ -\u{7f}]\\+"] ..3] 1.. unique
  n integer min 0 max 4094 default 1 readonly
  + require x y
  + members 1
  + when @type A A
  + when @type B Other

partial Root/1
  @type! any
  + product @type

enum BillState
  settled
  "two words"

value Address string
  + oneof Address/1 Address/2
"#;

#[test]
fn written_and_read_back_is_the_same() {
    let file = read(SAMPLE).unwrap();
    assert_eq!(file.to_string(), SAMPLE);
    assert_eq!(read(&file.to_string()).unwrap(), file);
}

#[test]
fn what_is_not_understood_is_refused() {
    let refused = [
        ("", "empty"),
        ("facts 2", "version"),
        ("facts 1\nobjekt X", "keyword"),
        ("facts 1\n  a string", "belongs to nothing"),
        ("facts 1\nobject X\n  a [string", "bracket"),
        ("facts 1\nobject X\n  a string widest 3", "trailing word"),
        ("facts 1\nobject X\n  a string length 3", "range"),
        ("facts 1\nobject X\n  + other y", "directive"),
        ("facts 1\nenum X\n  + require y", "directive of another form"),
        ("facts 1\nvalue X string pattern \"a", "quote"),
    ];
    for (text, what) in refused {
        // An empty text has no first line that could be wrong; it is simply empty.
        if text.is_empty() {
            assert_eq!(read(text).unwrap(), File::default());
        } else {
            assert!(read(text).is_err(), "{what}");
        }
    }
}
