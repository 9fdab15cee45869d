//! The standard, as data: contracts by release and function, products, problems, state machines.
//!
//! Nothing here is fetched or decided at run time: the catalogue is compiled from embedded facts when it is first
//! asked for, and everything is a lookup or a walk over a document. What a partner or a legacy system adds (its
//! mapping, its aliases, its policy) is given in. The names are the standard's own.
//!
//! [`catalogue()`] is where to begin: a [`Contract`] has the [`Operation`]s and the [`Types`]; [`TypeView`] reads a
//! type. `check` walks a message along its type, [`rules`] has what the guides ask beyond that, `problem` says what is wrong to the other party, `state` knows
//! which change follows which. [`facts`] is the catalogue as text, [`import`] writes it from the SDK.

mod catalogue;
pub mod check;
mod compile;
pub mod entity;
pub mod events;
pub mod facts;
mod fault;
pub mod filter;
pub mod import;
mod names;
mod operation;
mod pattern;
pub mod problem;
mod product;
mod release;
pub mod rules;
mod shelf;
pub mod state;
mod types;
mod view;

pub use catalogue::{Catalogue, Contract, ContractError, catalogue};
pub use check::{Checked, Options, ProductFaults, UnknownMembers, check};
pub use fault::{Fault, FaultCode, REASON_CHARS_MAX};
pub use operation::{
    Body, Found, Operation, PAGINATION_THROTTLED_HEADER, QueryParameter, RESULT_COUNT_HEADER, Response,
    Segment, TOTAL_COUNT_HEADER,
};
pub use problem::{Problem, ProblemCode};
pub use product::{ProductSchema, ProductTypes, Products};
pub use release::{Function, Release};
pub use types::{Format, Kind, TypeId, Types, TypesError};
pub use view::{MemberView, Polymorphism, TypeView};
