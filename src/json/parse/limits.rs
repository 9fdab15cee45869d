//! How much of anything one text may hold.

/// Hard bound on bytes, so that table rows can count in 32 bits: 256 MiB.
const BYTES_BOUND: usize = 1 << 28;

/// Limits of one text. What is at a limit is accepted, what is beyond it refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole text; never more than 256 MiB, whatever is set.
    pub bytes_max: usize,
    /// Arrays and objects that are open at once.
    pub depth_max: usize,
    /// Members of one object.
    pub members_max: usize,
    /// Elements of one array.
    pub elements_max: usize,
    /// Bytes of one string, member name or number, escapes counted as written, quotes not.
    pub string_bytes_max: usize,
    /// Values of the whole text, arrays and objects included; each takes 32 bytes of memory.
    pub nodes_max: usize,
}

impl Limits {
    pub(super) fn clamped(&self) -> Self {
        // No text within the bound has more than that many of anything.
        Self {
            bytes_max: self.bytes_max.min(BYTES_BOUND),
            members_max: self.members_max.min(BYTES_BOUND),
            elements_max: self.elements_max.min(BYTES_BOUND),
            ..*self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 1024 * 1024,
            depth_max: 64,
            members_max: 4096,
            elements_max: 65_536,
            string_bytes_max: 256 * 1024,
            nodes_max: 131_072,
        }
    }
}
