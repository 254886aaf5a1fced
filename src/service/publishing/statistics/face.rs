//! What readers are told about a statistic: its title, its measure, its chart, and whether it is public.
//!
//! Numbers drawn for an earlier question keep the descriptions of the file that asked it.

use serde::{Deserialize, Serialize};

use crate::query::file::{Presentation, QueryFile};

/// What readers are told about a statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// A title for people to read.
    pub title: String,
    /// A longer description for people to read, if the file has one.
    pub description: Option<String>,
    /// What the numbers are measured in, like "euros"; `None` if the file does not say.
    pub unit: Option<String>,
    /// How the numbers are shown: as a table or a kind of chart.
    pub shape: Presentation,
    /// Whether it is shown without a token.
    pub is_public: bool,
    /// What each draw costs, as ε; `None` if that was never recorded.
    pub price: Option<String>,
}

/// A [`Face`] as the ledger stores it, in JSON.
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
    /// What a query file says, with `price` as the cost of a draw, in ε.
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

    /// The JSON text that the ledger keeps.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { title, description, unit, shape, is_public, price } = self.clone();
        let (chart, public, epsilon) = (shape.name().to_owned(), is_public, price);
        let text = FaceText { title, description, unit, chart, public, epsilon };
        // Unwrap safety: it is plain data with string keys.
        serde_json::to_string(&text).expect("a face is plain data")
    }

    /// The description of a statistic's earlier question, as the ledger kept it. If the ledger has no text, the statistic's `name`
    /// serves as the title. The numbers are public only if both the earlier file and the present one say so.
    #[must_use]
    pub fn earlier(text: Option<&str>, name: &str, present: &Self) -> Self {
        let is_public = present.is_public;
        let known = text.and_then(|text| serde_json::from_str::<FaceText>(text).ok());
        let Some(known) = known else {
            let title = name.to_owned();
            return Self { title, description: None, unit: None, shape: Presentation::Table, is_public, price: None };
        };
        let shape = Presentation::ALL.iter().copied().find(|shape| shape.name() == known.chart).unwrap_or_default();
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
