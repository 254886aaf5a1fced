//! A released table as CSV, Arrow, Parquet, workbook, SVG, PNG, Vega-Lite, text and HTML, each with where it came from.

pub mod assets;
pub mod reading;
pub mod budget;
pub mod card;
pub mod provenance;
pub mod columns;
pub mod arrow;
pub mod workbook;
pub mod chart;
pub mod picture;
pub mod samples;
pub mod figure;
pub mod frame;
pub mod page;
pub mod vega;
pub mod text;
