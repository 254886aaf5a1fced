//! What sensitivities and extents rest on, for computations over random relations: removing one unit moves no exact vector further than
//! declared, no vector exceeds what a table with so many rows can reach, and the vectors of disjoint sets of units add up.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::generator_tests::{UnitRows, computation, dataset, relation};
use crate::query::plan::specs;
use crate::query::term::context::TermContext;

/// Number of pairs of exact vectors that are compared; `TACIT_RELATIONS` asks for five times its number.
const PAIRS: usize = 6_000;

#[test]
fn removing_a_unit_moves_no_vector_of_a_relation_further_than_declared() {
    let asked = std::env::var("TACIT_RELATIONS").ok().and_then(|text| text.parse().ok());
    let wanted = asked.map_or(PAIRS, |relations: usize| 5 * relations);
    let (mut compared, mut reached, mut moving, mut seed) = (0, 0, 0, 1_000_000);
    while compared < wanted {
        seed += 1;
        let mut rng = StdRng::seed_from_u64(seed);
        let dataset = dataset(&mut rng);
        if dataset.units.is_empty() {
            continue;
        }
        let depth = rng.random_range(0..4);
        let (relation, terms) = relation(&mut rng, &dataset.terms, depth);
        let computation = computation(&mut rng, &relation, &terms);
        // A question with more cells than an answer may have is refused.
        let Ok(specs) = specs(&computation, &TermContext::of(&terms)) else { continue };
        let gone = rng.random_range(0..dataset.units.len());
        let (alone, without): (Vec<_>, Vec<_>) =
            dataset.units.iter().cloned().enumerate().partition(|(place, _)| *place == gone);
        let mut exact = |units: &[(u32, UnitRows)]| {
            let loaded = dataset.loaded(&mut rng, units);
            loaded.exact(&computation, 0..loaded.blocks()).expect("a total computation").vectors
        };
        let [alone, without] =
            [alone, without].map(|units| units.into_iter().map(|(_, unit)| unit).collect::<Vec<_>>());
        let (all, own, fewer) = (exact(&dataset.units), exact(&alone), exact(&without));
        for (((all, own), fewer), (spec, measure)) in
            all.iter().zip(&own).zip(&fewer).zip(specs.iter().zip(&computation.measures))
        {
            assert!(spec.extent.holds(all), "seed {seed}: {measure:?} of {computation:?}");
            assert_eq!(all.len() as u64, spec.cells, "seed {seed}: {measure:?}");
            let apart: Vec<i64> = own.iter().zip(fewer).map(|(own, fewer)| own + fewer).collect();
            assert_eq!(*all, apart, "seed {seed}: {measure:?} of {computation:?}");
            let moved = all.iter().zip(fewer).map(|(all, fewer)| u128::from(all.abs_diff(*fewer)));
            let (l1, l2) = moved.fold((0, 0), |(l1, l2), by| (l1 + by, l2 + by * by));
            let declared = (u128::from(spec.sensitivity.l1()), spec.sensitivity.l2_squared());
            assert!(l1 <= declared.0, "seed {seed}: {measure:?} moves {l1} of {declared:?} in {computation:?}");
            assert!(l2 <= declared.1, "seed {seed}: {measure:?} moves {l2} of {declared:?} in {computation:?}");
            reached += usize::from(l1 == declared.0);
            moving += usize::from(l1 > 0);
            compared += 1;
        }
    }
    // Sensitivities of half the size would not hold.
    assert!(moving > compared / 5, "{moving} of {compared} vectors moved");
    assert!(reached > compared / 50, "{reached} of {compared} vectors moved as far as declared");
}
