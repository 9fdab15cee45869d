//! The room `custody`.
