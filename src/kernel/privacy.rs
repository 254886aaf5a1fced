//! The privacy core: amounts of privacy loss, sensitivities, noise laws and certificates.
//!
//! Promises that whatever it certifies costs no more than its price, both by our own proof and by OpenDP's privacy map. It sees a plan as a
//! list of sensitivities; it knows nothing of SQL, accounts or data. Together with `vault::noise` it is the only code that names opendp.
//!
//! Neighbours, throughout: two datasets that differ by one unit and all of its rows.

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
