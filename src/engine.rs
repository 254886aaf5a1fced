//! The engine: evaluates a computation over a sealed table to exact integers, which stay locked.
//!
//! Promises the port below in plain data, with two implementations: polars in this process, and confined worker processes that run polars.
//! Evaluation is total: a conforming table never makes a computation fail, and no error text of polars leaves the engine.

mod confine;
pub mod drafting;
mod limits;
mod polars;
mod pool;
mod wire;
pub mod worker;
pub mod seal;
mod port;

pub use self::limits::Limits;
pub use self::polars::PolarsEngine;
pub use self::pool::{Launch, WorkerPool};

pub use self::port::{Engine, EngineFault, Host};
