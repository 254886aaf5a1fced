//! Tables with rows of this server's own: published statistics, and what `tacit` shows a person about their datasets and their budget.

pub(crate) mod own;
pub(crate) mod quote;
pub(crate) mod statistics;
