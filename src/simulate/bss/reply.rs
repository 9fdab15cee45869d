//! What the desk answers: its rows, or its complaints in its own form.

use serde::Serialize;

/// An answer before it goes out.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub media_type: &'static str,
    pub body: Vec<u8>,
    /// Numbers of what this request made or changed.
    pub made: Vec<String>,
}

impl Reply {
    /// A row or a page, with 200; the desk knows no 201.
    pub fn row(row: &impl Serialize) -> Self {
        Self::with(200, row)
    }

    /// A row, and the numbers of what was made or changed.
    pub fn made(row: &impl Serialize, made: Vec<String>) -> Self {
        Self { made, ..Self::row(row) }
    }

    /// Where a fault let nothing happen.
    pub fn nothing() -> Self {
        Self { status: 0, media_type: "application/json", body: Vec::new(), made: Vec::new() }
    }

    pub fn with(status: u16, row: &impl Serialize) -> Self {
        // Rows have text keys and finite numbers: writing them cannot fail, and if it did the answer is empty.
        let body = serde_json::to_vec(row).unwrap_or_default();
        Self { status, media_type: "application/json", body, made: Vec::new() }
    }
}

/// One complaint: a stable code, the place as the desk names it, and a sentence.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Complaint {
    pub code: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pos: String,
    pub t: &'static str,
}

/// Why a request was not done. Nothing has been changed.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The message is wrong: 400.
    Wrong(Vec<Complaint>),
    /// A number that the desk does not have: 404.
    Unknown(Complaint),
    /// Not in this state: 409.
    Conflict(Complaint),
    /// A business reason, told with 200 as the desk always did.
    Business(&'static str),
    /// In plain text, as the billing export tells everything that is wrong.
    Text(u16, &'static str),
}

impl Refusal {
    pub fn unknown(pos: impl Into<String>) -> Self {
        Self::Unknown(Complaint { code: "E10", pos: pos.into(), t: "number not found" })
    }

    pub fn conflict(pos: impl Into<String>, t: &'static str) -> Self {
        Self::Conflict(Complaint { code: "E30", pos: pos.into(), t })
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        #[derive(Serialize)]
        struct Complaints<'a> {
            err: &'a [Complaint],
        }
        match refusal {
            Refusal::Wrong(err) => Self::with(400, &Complaints { err: &err }),
            Refusal::Unknown(one) => Self::with(404, &Complaints { err: &[one] }),
            Refusal::Conflict(one) => Self::with(409, &Complaints { err: &[one] }),
            Refusal::Text(status, text) => {
                let body = format!("{text}\r\n").into_bytes();
                Self { status, media_type: "text/plain", body, made: Vec::new() }
            }
            Refusal::Business(t) => Self::row(&serde_json::json!({ "rc": 8, "t": t })),
        }
    }
}
