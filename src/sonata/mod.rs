//! The room `sonata`.
