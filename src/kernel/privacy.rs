//! The privacy core: units of loss, sensitivities, noise laws and certificates.
//!
//! Promises that whatever it certifies costs no more than its price, by our proof and by OpenDP's map. It sees plans as lists of
//! sensitivities; it knows no SQL, no accounts, no data. With `vault::noise` the only place that names opendp.
//!
//! Neighbours: two datasets that differ by one unit and all of its rows, throughout.

pub mod amounts;

pub mod prefix_sums;

pub mod sensitivity;

pub mod extent;

pub mod gdp;

pub mod curve;

pub mod accountant;

pub mod mechanism;

pub mod threshold;

pub mod certificate;
