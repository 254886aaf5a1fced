//! Queries: from SQL text to a closed syntax and a typed plan, and from noisy integers back to a table.
//!
//! Promises that whatever it does not know is refused with a code and a position, and that a plan depends on the text and the public terms
//! alone. It touches no data.

pub mod error;

pub mod syntax;

pub mod parse;

pub mod term;

pub mod filter;
mod filter_emptiness;
pub mod functions;

pub mod computation;

pub mod plan;

pub mod canonical;

pub mod derive;

pub mod answer;

pub mod file;
pub mod terms;
