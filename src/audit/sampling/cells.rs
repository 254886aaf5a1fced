//! The cells of one answer, as an audit counts them.

/// The cells of an answer in the order of the tables, and whether all intervals are alike around their values.
pub(in crate::audit) struct NoisyCells {
    pub(in crate::audit) values: Vec<f64>,
    pub(in crate::audit) is_symmetric: bool,
}
