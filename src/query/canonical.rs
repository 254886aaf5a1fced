//! Canonical SQL of a plan: the question as it was understood, in a fixed form.
//!
//! Promises text that parses back to the same computation and the same outputs.

mod after;
mod joins;
mod statement;
mod terms;
mod words;

pub(super) use self::joins::presence;
pub use self::statement::sql;
pub use self::terms::term;
