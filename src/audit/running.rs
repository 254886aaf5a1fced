//! Running sums: recovers from them how far a unit in the first position moves the answer.
//!
//! Of counts x₀ … of ordered positions, a correct server measures y_t = Σ c_k·x_{t−k} with independent noise of one σ, where c_k
//! = C(2k, k)/4ᵏ, and shows R_t, the running sums that follow. Here y is recovered from the differences of R and projected on c:
//! s = Σ c_t·y_t / Σ c_t². A unit with rows in the first position moves s by their number, and the noise of s is σ/√Σc_t², which
//! is the most that anybody can tell about the unit (Neyman and Pearson). The last position has other rows and is left out.

use std::collections::HashMap;

use super::kinds::Kind;
use super::sampling::NoisyCells;
use super::tables::POSITIONS;

/// The cells, one for each lane; `None` if a declared cell is missing, occurs twice, or an undeclared one occurs.
pub(super) fn cells(csv: &[u8], kind: Kind) -> Option<NoisyCells> {
    let mut rows = csv::Reader::from_reader(csv);
    let mut found: HashMap<(usize, usize), f64> = HashMap::new();
    let mut widths: HashMap<usize, (f64, f64)> = HashMap::new();
    let mut is_symmetric = true;
    for row in rows.records() {
        let row = row.ok()?;
        let number = |at: usize| row.get(at)?.parse::<f64>().ok();
        let position: usize = row.get(2)?.parse().ok().filter(|position| *position < POSITIONS)?;
        let (value, low, high) = (number(3)?, number(4)?, number(5)?);
        // Each position has its own error, equal in all lanes. Numbers are shown rounded to integers, so a bound may be off by
        // one.
        let width = (value - low, high - value);
        let known = *widths.entry(position).or_insert(width);
        is_symmetric &= (width.0 - known.0).abs() <= 1.0 && (width.1 - known.1).abs() <= 1.0;
        let place = kind.place(row.get(0)?, row.get(1)?)?;
        if found.insert((place, position), value).is_some() {
            return None;
        }
    }
    let lane = |place: usize| {
        let sums: Option<Vec<f64>> = (0..POSITIONS).map(|position| found.get(&(place, position)).copied()).collect();
        sums.map(|sums| projected(&sums))
    };
    let values: Option<Vec<f64>> = (0..kind.cells_per_query()).map(lane).collect();
    values.map(|values| NoisyCells { values, is_symmetric })
}

/// s, computed from the running sums of one lane.
fn projected(sums: &[f64]) -> f64 {
    let mut roots = vec![1.0];
    for k in 1..POSITIONS - 1 {
        roots.push(roots[k - 1] * (2 * k - 1) as f64 / (2 * k) as f64);
    }
    let step = |at: usize| if at == 0 { sums[0] } else { sums[at] - sums[at - 1] };
    let measured = |at: usize| (0..=at).map(|back| roots[back] * step(at - back)).sum::<f64>();
    let along: f64 = roots.iter().enumerate().map(|(at, root)| root * measured(at)).sum();
    along / roots.iter().map(|root| root * root).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_first_position_are_had_back() {
        assert!((projected(&[2.0; POSITIONS]) - 2.0).abs() < 1e-12, "two rows at the beginning stand in every sum");
        let mut late = [0.0; POSITIONS];
        late[POSITIONS - 1] = 1_000.0;
        assert_eq!(projected(&late), 0.0, "nobody looks at the last position");
    }
}
