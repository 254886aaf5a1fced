//! The audit: tests, from outside, what a server claims about its privacy.
//!
//! It derives lower bounds on ε from a server's answers alone. It asks one question many times of two datasets that differ, in
//! each of thousands of disjoint groups, by one unit with everything that a unit may have. The bounds hold at 99.9 % if the noise
//! of groups and questions is independent, and the audit looks for noise that is not. It knows nothing of the server's inside:
//! what a price must be it computes itself. A claim that it does not break is not thereby proved, and it says how large a fault
//! it would have noticed.

pub mod bounds;
mod claims;
pub mod kinds;
pub mod history;
mod running;
mod sampling;
pub mod tables;
pub mod throwaway;
pub mod timing;
mod finding;
mod release;

pub use self::finding::{AuditError, CurvePoint, Finding, Scope};
pub use self::release::{one, one_after, run};
