//! The room `json`.
