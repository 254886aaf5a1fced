//! The path of one question: parsed, priced, offered what is stored, charged, evaluated, released and recorded.

pub(crate) mod answer;
pub mod ask;
pub(crate) mod counts;
pub(crate) mod derivations;
pub(crate) mod compose;
pub(crate) mod extent;
pub(crate) mod failure;
pub mod free;
pub(crate) mod locks;
pub(crate) mod place;
pub(crate) mod margin;
pub(crate) mod offer;
pub mod pad;
pub(crate) mod price;
pub mod question;
pub(crate) mod queues;
pub mod quote;
pub mod reading;
pub mod refusals;
pub(crate) mod reserving;
pub mod rooms;
pub mod stored;
pub(crate) mod threads;
pub(crate) mod turned;
pub mod turns;
pub(crate) mod walk;
