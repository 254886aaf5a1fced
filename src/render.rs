//! A released table as JSON, CSV, Arrow, Parquet, SVG, Vega-Lite, text and HTML.

pub mod assets;
pub mod reading;
pub mod budget;
pub mod card;
pub mod chart;
pub mod figure;
pub mod frame;
pub mod page;
pub mod vega;
pub mod text;
