//! The events that webhooks can report.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

/// An event that a webhook can report.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum WebhookEvent {
    /// Half of an account is spent.
    #[strum(serialize = "spent-50")]
    Spent50,
    /// Four fifths of an account are spent.
    #[strum(serialize = "spent-80")]
    Spent80,
    /// An account is spent completely.
    #[strum(serialize = "spent-100")]
    Spent100,
    /// A query was refused for lack of budget.
    Refused,
    /// A researcher requested an allocation.
    RequestFiled,
    /// A statistic was due and was not drawn.
    RefreshSkipped,
}

impl WebhookEvent {
    /// Every event, in the order in which messages list them.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// The event's name in configurations and in deliveries.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}
