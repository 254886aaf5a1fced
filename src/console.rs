//! The console: pages as text, from what the service says.
//!
//! Promises that a page holds no script and no style of its own, that everything said by people is escaped, and that no page needs
//! anything from elsewhere. It knows no HTTP: it is given what to show, and returns markup.

pub mod assets;
pub mod chart;
pub mod figure;
pub mod frame;
pub mod published;
pub mod vega;
