//! A fault on its way out of the parser.

use super::{ParseCode, narrow};

/// A code and the byte it was noticed at; the pointer is found only when it is needed.
///
/// Small, so that the results of the parser's inner functions travel in registers.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    code: ParseCode,
    offset: u32,
}

impl Fault {
    #[cold]
    pub(super) fn new(code: ParseCode, offset: usize) -> Self {
        Self { code, offset: narrow(offset) }
    }

    pub(super) fn code(self) -> ParseCode {
        self.code
    }

    pub(super) fn offset(self) -> usize {
        self.offset as usize
    }
}
