//! The vault: the only door out of private data.
//!
//! Promises that exact values leave it only through [`release::release`], which takes a receipt by value and adds the noise that was paid
//! for, and that points of noise paths are made by [`points::release_points`] alone. It knows no SQL and no storage.

pub mod private;

pub mod noise;

pub mod release;

pub mod combine;

pub mod points;
