//! How answers and statistics are cited.

use crate::service::Service;
use crate::service::asking::stored::StoredAnswer;

/// A statistic, as a citation names it.
pub struct CitedStatistic<'a> {
    /// The statistic's name.
    pub name: &'a str,
    /// The statistic's title.
    pub title: &'a str,
    /// The price of each draw, as ε.
    pub epsilon: &'a str,
}

/// The citation of a stored answer.
pub fn answer(service: &Service, stored: &StoredAnswer) -> String {
    let dataset = &stored.release.subject.dataset;
    let date = service.date(stored.at_ms);
    cited(service, (dataset, dataset), stored, None, &date)
}

/// The citation of a statistic that was released on `date`. `lineage` and `dataset` name the dataset as it was asked and as it is served.
pub fn statistic(
    service: &Service,
    (lineage, dataset): (&str, &str),
    stored: &StoredAnswer,
    statistic: &CitedStatistic<'_>,
    date: &str,
) -> String {
    cited(service, (lineage, dataset), stored, Some(statistic), date)
}

fn cited(
    service: &Service,
    (lineage, dataset): (&str, &str),
    stored: &StoredAnswer,
    statistic: Option<&CitedStatistic<'_>>,
    date: &str,
) -> String {
    let title = service.dataset(lineage).and_then(|dataset| dataset.title.clone());
    let title = title.unwrap_or_else(|| dataset.to_owned());
    let what = match statistic {
        Some(statistic) => format!("{}. Differentially private statistic \"{}\"", statistic.title, statistic.name),
        None => "Differentially private answer".to_owned(),
    };
    let price = price(statistic.map_or(stored.epsilon.as_str(), |statistic| statistic.epsilon));
    format!(
        "{title} ({}). {what}, release {}, {date}; {price}, delta {}, per {}; 95 % intervals of the noise.",
        date.get(..4).unwrap_or(date),
        stored.release.id,
        stored.delta(),
        service.dataset(dataset).map_or("unit", |dataset| dataset.terms.unit.name()),
    )
}

/// The price of an answer in words: one that nothing was drawn for is made of others, which have their own price.
fn price(epsilon: &str) -> String {
    match epsilon {
        "0" => "computed from earlier releases at no further epsilon".to_owned(),
        epsilon => format!("epsilon {epsilon}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cost_nothing_is_not_cited_as_epsilon_0() {
        assert_eq!(price("0.1"), "epsilon 0.1");
        assert_eq!(price("0"), "computed from earlier releases at no further epsilon");
    }
}
