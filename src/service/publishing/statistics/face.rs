//! What readers are told of a statistic: its title, its unit, its chart, and whether it is public.
//!
//! Promises that what an earlier question's numbers are called is what its own file called them.

use serde::{Deserialize, Serialize};

use super::Statistic;
use crate::query::file::{QueryFile, Shape};

/// What readers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// For people.
    pub title: String,
    /// More for people.
    pub description: Option<String>,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// How it is shown.
    pub shape: Shape,
    /// Whether it is shown without a token.
    pub is_public: bool,
    /// What each draw costs, as ε; `None` where that was never written down.
    pub price: Option<String>,
}

/// The same in the ledger's text.
#[derive(Serialize, Deserialize)]
struct FaceText {
    title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    chart: String,
    public: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epsilon: Option<String>,
}

impl Face {
    /// What a file says; a draw costs `price`, as ε.
    #[must_use]
    pub fn of(file: &QueryFile, price: &str) -> Self {
        Self {
            title: file.title.clone(),
            description: file.description.clone(),
            unit: file.unit.clone(),
            shape: file.chart,
            is_public: file.public,
            price: Some(price.to_owned()),
        }
    }

    /// The text that the ledger keeps.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { title, description, unit, shape, is_public, price } = self.clone();
        let (chart, public, epsilon) = (shape.name().to_owned(), is_public, price);
        let text = FaceText { title, description, unit, chart, public, epsilon };
        // Unwrap safety: it is plain data with string keys.
        serde_json::to_string(&text).expect("a face is plain data")
    }

    /// What an earlier question of this statistic said, as the ledger kept it. Without that its numbers have the statistic's name for a
    /// title. They are public only where both the earlier file and the present one say so.
    #[must_use]
    pub fn earlier(text: Option<&str>, statistic: &Statistic) -> Self {
        let is_public = statistic.face.is_public;
        let known = text.and_then(|text| serde_json::from_str::<FaceText>(text).ok());
        let Some(known) = known else {
            let title = statistic.name.clone();
            return Self { title, description: None, unit: None, shape: Shape::Table, is_public, price: None };
        };
        let shape = Shape::ALL.into_iter().find(|shape| shape.name() == known.chart).unwrap_or_default();
        Self {
            title: known.title,
            description: known.description,
            unit: known.unit,
            shape,
            is_public: is_public && known.public,
            price: known.epsilon,
        }
    }
}
