//! The one integration-test binary; each file beside this one is a module of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
mod cases;
mod catalogue_oracle;
mod cli;
mod codes;
mod coverage;
mod demonstration;
mod diagnostics;
mod failures;
mod fixtures;
mod health;
mod inventory;
mod json;
mod legacy_faults;
mod limits;
mod lists;
mod manual;
mod mapping;
mod mutation;
mod process;
mod readme;
mod reload;
mod routes;
mod support;
mod table;
mod tidy;
mod xml;
