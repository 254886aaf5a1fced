//! The path of one question: parsed, priced, offered what is stored, charged, evaluated, released and recorded.

pub mod ask;
pub(crate) mod derivations;
pub(crate) mod compose;
pub mod free;
pub(crate) mod locks;
pub(crate) mod place;
pub(crate) mod margin;
pub(crate) mod offer;
pub mod pad;
pub mod question;
pub(crate) mod queues;
pub mod quote;
pub mod refusals;
pub mod rooms;
pub mod stored;
pub(crate) mod threads;
pub mod turns;
pub(crate) mod walk;
