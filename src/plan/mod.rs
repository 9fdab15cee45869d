//! The room `plan`.

mod schema;

pub use schema::ContractSchema;
