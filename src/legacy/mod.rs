//! The room `legacy`.
