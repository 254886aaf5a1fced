//! The bytes of stored answers: the code of each variant, the order of fields, and that what is written is read again.

use std::fmt::Debug;

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::IBig;
use proptest::prelude::{Strategy, any, prop, proptest};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tacit::kernel::privacy::amounts::Price;
use tacit::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use tacit::kernel::vault::release::NoisyVector;
use tacit::query::answer::formula::window::WindowOrderBy;
use tacit::query::answer::formula::{
    CentredSum, Formula, GroupWindow, HavingCondition, Products, Quantile, Range, RunningSum, Squares, WindowOrder,
    Words,
};
use tacit::query::answer::grouping_sets::{
    GroupingSets, IndependentNoise, MeasuredTable, MeasuredTables, SourceTable, SourceVector,
};
use tacit::query::answer::{
    CountSource, Label, Layout, Limit, Output, OutputValue, PartSuppression, ShownGroups, SortKey, Suppression,
};
use tacit::query::filter::Filter;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::syntax::{
    ArithmeticOperator, Comparison, GroupFunction, Pair, ScalarFunction, Spread, WindowBound, WindowFrame,
};
use tacit::query::term::calendar::{DatePart, Period};
use tacit::query::term::patterns::PatternKind;
use tacit::query::term::spans::Span;
use tacit::query::term::words::WordFunction;
use tacit::query::term::{Constant, Operation, Term};
use tacit::query::terms::domain::Grid;
use tacit::service::asking::stored::StoredAnswer;

use super::scene::{DATASETS, END_MS, policy};
use super::{V1, V2, V4};
use crate::grammar::sound;

/// What every later build must write of these values, in hexadecimal, and read again.
fn pinned<T: BorshSerialize + BorshDeserialize + PartialEq + Debug>(cases: Vec<(T, &str)>) {
    for (value, bytes) in cases {
        let written = borsh::to_vec(&value).expect("plain data");
        assert_eq!(hex::encode(&written), bytes, "{value:?}");
        assert_eq!(borsh::from_slice::<T>(&written).expect("read"), value);
    }
}

const GRID: Grid = Grid { integer: true, step: 7, low: -1, high: 2 };
const CENTRED: CentredSum = CentredSum { sum: 5, count: Some(6), grid: GRID };
const CONSTANT: Constant = Constant { digits: -3, decimals: 1 };
const RUN: RunningSum = RunningSum { vector: 1, groups: 2, stride: 3, is_rooted: true, is_step: false };

fn number() -> Box<Formula> {
    Box::new(Formula::Number("1.5".into()))
}

#[test]
fn the_words_of_a_language_have_their_codes() {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    pinned(vec![
        (ArithmeticOperator::Plus, "00"),
        (ArithmeticOperator::Minus, "01"),
        (ArithmeticOperator::Times, "02"),
        (ArithmeticOperator::Over, "03"),
    ]);
    pinned(vec![
        (Spread::VarSamp, "00"),
        (Spread::VarPop, "01"),
        (Spread::StddevSamp, "02"),
        (Spread::StddevPop, "03"),
    ]);
    pinned(vec![
        (Pair::Corr, "00"),
        (Pair::CovarSamp, "01"),
        (Pair::CovarPop, "02"),
        (Pair::RegrSlope, "03"),
        (Pair::RegrIntercept, "04"),
    ]);
    pinned(vec![
        (Equal, "00"),
        (NotEqual, "01"),
        (Less, "02"),
        (LessOrEqual, "03"),
        (Greater, "04"),
        (GreaterOrEqual, "05"),
    ]);
    pinned(vec![
        (Period::Year, "00"),
        (Period::Quarter, "01"),
        (Period::Month, "02"),
        (Period::Week, "03"),
        (Period::Day, "04"),
        (Period::Decade, "05"),
        (Period::Century, "06"),
        (Period::Millennium, "07"),
    ]);
    pinned(vec![
        (DatePart::Year, "00"),
        (DatePart::Quarter, "01"),
        (DatePart::Month, "02"),
        (DatePart::Day, "03"),
        (DatePart::Dow, "04"),
        (DatePart::Isodow, "05"),
        (DatePart::Doy, "06"),
        (DatePart::Week, "07"),
        (DatePart::Isoyear, "08"),
        (DatePart::Decade, "09"),
        (DatePart::Century, "0a"),
        (DatePart::Millennium, "0b"),
    ]);
}

#[test]
fn formulas_have_their_bytes() {
    let squares = Squares { count: 1, sum: CENTRED, squares: CENTRED, of: Term::Column(2) };
    let products = Products {
        count: 1,
        y: (CENTRED, CENTRED),
        x: (CENTRED, CENTRED),
        products: CENTRED,
        centres: (CONSTANT, CONSTANT),
        of: (Term::Column(2), Term::Column(3)),
    };
    let (fraction, levels, bins) = ("0.5".to_owned(), vec![1, 2], vec![2, 4]);
    let quantile = Quantile { fraction, levels, bins, branches: 2, low: -1, width: 3, grid: GRID };
    let window = GroupWindow {
        place: 1,
        function: GroupFunction::Lag,
        of: vec![*number()],
        step: 2,
        within: vec![3],
        order: vec![WindowOrder { by: WindowOrderBy::Key(4), descending: true, nulls_first: false }],
        frame: Some(WindowFrame { by_rows: true, start: WindowBound::Before(5), end: WindowBound::Current }),
    };
    pinned(vec![
        (Formula::Number("1.5".into()), "0003000000312e35"),
        (Formula::Count(3), "010300000000000000"),
        (
            Formula::Sum(CENTRED),
            "020500000000000000010600000000000000010700000000000000ffffffffffffffff0200000000000000",
        ),
        (
            Formula::Mean(CENTRED, 4),
            "030500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000400000000000000",
        ),
        (
            Formula::Spread(Spread::VarPop, Box::new(squares)),
            "040101000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff0200000000000000000200000000000000",
        ),
        (
            Formula::Pair(Pair::RegrSlope, Box::new(products)),
            "050301000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff02000000000000000500000000000000010600000000000000010700000000000000ffffffffffffffff0200000000000000fdffffffffffffff01000000fdffffffffffffff01000000000200000000000000000300000000000000",
        ),
        (
            Formula::Quantile(Box::new(quantile)),
            "0603000000302e35020000000100000000000000020000000000000002000000020000000400000002000000ffffffffffffffff0300000000000000010700000000000000ffffffffffffffff0200000000000000",
        ),
        (Formula::Run(Box::new(RUN)), "070100000000000000020000000000000003000000000000000100"),
        (Formula::Negative(number()), "080003000000312e35"),
        (Formula::Arithmetic(number(), ArithmeticOperator::Over, number()), "090003000000312e35030003000000312e35"),
        (Formula::Absolute(number()), "0a0003000000312e35"),
        (Formula::Root(number()), "0b0003000000312e35"),
        (Formula::Round(number(), 2), "0c0003000000312e3502000000"),
        (Formula::NullIf(number(), number()), "0d0003000000312e350003000000312e35"),
        (Formula::Call(ScalarFunction::Exp, vec![*number()]), "0e04010000000003000000312e35"),
        (
            Formula::Case(vec![(HavingCondition::Missing(Formula::Count(3)), *number())], number()),
            "0f01000000010103000000000000000003000000312e350003000000312e35",
        ),
        (Formula::Key(2), "100200000000000000"),
        (Formula::Grouping(2), "110200000000000000"),
        (
            Formula::Window(Box::new(window)),
            "1201000000000000000501000000000300000031\
             2e350200000001000000030000000000000001000000000400000000000000010001010105000000000000000\
             2",
        ),
        (Formula::Missing, "13"),
    ]);
}

#[test]
fn labels_and_conditions_after_the_noise_have_their_bytes() {
    let one = || HavingCondition::Missing(Formula::Count(3));
    pinned(vec![
        (Words::Label(Label::Text("a".into())), "00020100000061"),
        (Words::Key(1), "010100000000000000"),
        (
            Words::Case(vec![(one(), Words::Key(1))], Box::new(Words::Label(Label::Missing))),
            "020100000001010300000000000000010100000000000000\
             0003",
        ),
    ]);
    pinned(vec![
        (Limit::All, "00"),
        (Limit::First(8), "010800000000000000"),
        (Limit::Page { offset: 2, limit: Some(3) }, "020200000000000000010300000000000000"),
    ]);
    pinned(vec![
        (
            HavingCondition::Labels(Words::Label(Label::Text("a".into())), Comparison::Equal, Words::Key(1)),
            "050002010000006100010100000000000000",
        ),
        (HavingCondition::NoLabel(Words::Key(1)), "06010100000000000000"),
        (
            HavingCondition::Compare(Formula::Count(3), Comparison::Less, Formula::Count(4)),
            "0001030000000000000002010400000000000000",
        ),
        (one(), "01010300000000000000"),
        (HavingCondition::Not(Box::new(one())), "0201010300000000000000"),
        (HavingCondition::All(vec![one()]), "030100000001010300000000000000"),
        (HavingCondition::Any(vec![one(), one()]), "04020000000101030000000000000001010300000000000000"),
    ]);
}

#[test]
fn terms_and_conditions_have_their_bytes() {
    let (term, other) = (Term::Column(2), Term::Column(3));
    let filter = Filter::Missing { column: term.clone() };
    pinned(vec![
        (
            Filter::Range { column: term.clone(), low: -1, high: 2 },
            "00000200000000000000ffffffffffffffff0200000000000000",
        ),
        (Filter::Members { column: term.clone(), codes: vec![4] }, "010002000000000000000100000004000000"),
        (Filter::Values { column: term.clone(), values: vec![-4] }, "0200020000000000000001000000fcffffffffffffff"),
        (filter.clone(), "03000200000000000000"),
        (Filter::Not(Box::new(filter.clone())), "0403000200000000000000"),
        (Filter::All(vec![filter.clone()]), "050100000003000200000000000000"),
        (Filter::Any(vec![filter.clone(), filter.clone()]), "06020000000300020000000000000003000200000000000000"),
    ]);
    let two = vec![term.clone(), other.clone()];
    let (whens, labels) = (vec![(filter.clone(), 1)], vec!["a".to_owned(), "b".to_owned()]);
    pinned(vec![
        (Operation::Constant(CONSTANT), "00fdffffffffffffff01000000"),
        (Operation::Day(-5), "01fbffffff"),
        (Operation::Plus(two.clone()), "0202000000000200000000000000000300000000000000"),
        (Operation::Negative(term.clone()), "03000200000000000000"),
        (Operation::Times(two.clone()), "0402000000000200000000000000000300000000000000"),
        (Operation::Over(term.clone(), CONSTANT), "05000200000000000000fdffffffffffffff01000000"),
        (Operation::Absolute(term.clone()), "06000200000000000000"),
        (Operation::Least(two.clone()), "0702000000000200000000000000000300000000000000"),
        (Operation::Greatest(two.clone()), "0802000000000200000000000000000300000000000000"),
        (Operation::Rounded(term.clone(), 2), "0900020000000000000002000000"),
        (Operation::Filled(term.clone(), other.clone()), "0a000200000000000000000300000000000000"),
        (
            Operation::Case(vec![(filter.clone(), other.clone())], None),
            "0b010000000300020000000000000000030000000000000000",
        ),
        (
            Operation::Choice { whens, otherwise: Some(0), labels },
            "0c01000000030002000000000000000100000001000000000200000001000000610100000062",
        ),
        (Operation::Truth(filter), "0d03000200000000000000"),
        (Operation::Truncated(term.clone(), Period::Week), "0e00020000000000000003"),
        (Operation::Extracted(term.clone(), DatePart::Doy), "0f00020000000000000006"),
        (
            Operation::Bucket { of: term.clone(), low: CONSTANT, high: CONSTANT, count: 9 },
            "10000200000000000000fdffffffffffffff01000000fdffffffffffffff0100000009000000",
        ),
        (Operation::Text("a".to_owned()), "1e0100000061"),
        (Operation::Worded(WordFunction::Strpos, two.clone()), "1f0d02000000000200000000000000000300000000000000"),
        (Operation::Apart(term.clone(), other.clone()), "20000200000000000000000300000000000000"),
        (Operation::Formatted(term.clone(), "Q".to_owned()), "210002000000000000000100000051"),
        (Operation::Later(term.clone(), -2), "22000200000000000000feffffff"),
        (
            Operation::Elapsed(Span::AgeMonths, [term.clone(), other.clone()]),
            "2305000200000000000000000300000000000000",
        ),
        (
            Operation::Matched(term.clone(), PatternKind::CaselessExpression, "a".to_owned()),
            "24000200000000000000040100000061",
        ),
        (Operation::Read(term.clone(), "Q".to_owned()), "250002000000000000000100000051"),
        (
            Operation::Made { year: term.clone(), month: other.clone(), day: term.clone() },
            "26000200000000000000000300000000000000000200000000000000",
        ),
    ]);
    pinned(vec![(term, "000200000000000000"), (Term::of(Operation::Day(1)), "010101000000")]);
}

#[test]
fn functions_of_texts_have_their_bytes() {
    pinned(vec![
        (WordFunction::Reverse, "0f"),
        (WordFunction::ConcatWs, "10"),
        (WordFunction::Translate, "11"),
        (WordFunction::RegexpReplace, "12"),
        (WordFunction::Lpad, "13"),
        (WordFunction::Rpad, "14"),
        (WordFunction::Repeat, "15"),
    ]);
}

fn noisy() -> NoisyVector {
    let law = NoiseLaw { mechanism: Mechanism::DiscreteLaplace, fine_bits: 3, scale: 2.5 };
    let cells = vec![IBig::ZERO, IBig::from(-1), IBig::from(200), IBig::from(-40_000)];
    NoisyVector { law, price: Price::from_quanta(9), cells }
}

#[test]
fn layouts_have_their_bytes() {
    let formula = Formula::Count(3);
    let range = Range { low: Some(0.5), high: None };
    let value = OutputValue::Formula { formula: formula.clone(), range };
    pinned(vec![
        (OutputValue::Key { index: 1 }, "000100000000000000"),
        (OutputValue::Grouping { index: 1 }, "010100000000000000"),
        (OutputValue::Count { count: 1 }, "020100000000000000"),
        (
            OutputValue::Sum { sum: 1, count: Some(2), grid: GRID },
            "030100000000000000010200000000000000010700000000000000ffffffffffffffff0200000000000000",
        ),
        (
            OutputValue::Mean { sum: 1, count: 2, grid: GRID },
            "0401000000000000000200000000000000010700000000000000ffffffffffffffff0200000000000000",
        ),
        (value.clone(), "0501030000000000000001000000000000e03f00"),
    ]);
    pinned(vec![
        (Label::Boolean(true), "0001"),
        (Label::Integer(-1), "01ffffffffffffffff"),
        (Label::Text("a".into()), "020100000061"),
        (Label::Missing, "03"),
        (Label::Decimal(-1), "04ffffffffffffffffffffffffffffffff"),
        (Label::Date(-2), "05feffffff"),
    ]);
    pinned(vec![
        (CountSource::Measured(1), "000100000000000000"),
        (CountSource::Step(Box::new(RUN)), "010100000000000000020000000000000003000000000000000100"),
        (CountSource::Bins { vector: 1, bins: 2 }, "02010000000000000002000000"),
    ]);
    pinned(vec![
        (SourceVector::Measured(1), "000100000000000000"),
        (
            SourceVector::Part(noisy()),
            "01010300000000000000000004400900000000000000040000000000000001000000ff02000000c80003000000c063ff",
        ),
    ]);
    let parts = vec![PartSuppression { counted: CountSource::Measured(1), of: vec![2] }];
    let sources =
        vec![IndependentNoise { tables: vec![SourceTable { keys: vec![0], vector: SourceVector::Measured(4) }] }];
    let tables = MeasuredTables { adds_up: true, tables: vec![MeasuredTable { keys: vec![0], vector: 3 }], sources };
    let layout = Layout {
        keys: vec![vec![Label::Integer(5), Label::Missing].into()],
        sets: Some(GroupingSets { shown: vec![vec![0], vec![]], measured: vec![tables] }),
        outputs: vec![Output { name: "n".into(), value }],
        shown: ShownGroups::having(Some(HavingCondition::Missing(formula))),
        small: Some(Suppression { below: 7, counts: vec![1], steps: vec![RUN], parts }),
        order: vec![SortKey { output: 0, descending: true, nulls_first: false }],
        limit: Limit::First(8),
        arms: vec![],
    };
    pinned(vec![(
        layout,
        "0100000002000000010500000000000000030102000000010000000000000000000000000000000100000001010000000100000000000000000000000300000000000000010000000100000001000000000000000000000000040000000000000001000000010000006e0501030000000000000001000000000000e03f0001010103000000000000000107000000010000000100000000000000010000000100000000000000020000000000000003000000000000000100010000000001000000000000000100000002000000000000000100000000000000000000000100010800000000000000",
    )]);
}

/// Layouts of questions at random: what is written is read again.
#[test]
fn layouts_are_read_as_they_were_written() {
    let mut rng = StdRng::seed_from_u64(15);
    let mut seen = 0;
    for name in DATASETS {
        let terms = policy(name).terms;
        for _ in 0..400 {
            let sql = sound(&mut rng, name, &terms);
            let Ok(planned) = parse(&sql).and_then(|query| plan(&query, &terms, None)) else { continue };
            let bytes = borsh::to_vec(&planned.layout).expect("plain data");
            assert_eq!(borsh::from_slice::<Layout>(&bytes).expect("a layout"), planned.layout, "{sql}");
            seen += 1;
        }
    }
    assert!(seen > 400, "{seen}");
}

fn formulas() -> impl Strategy<Value = Formula> {
    let leaf = prop::sample::select(vec![Formula::Count(1), Formula::Sum(CENTRED), Formula::Mean(CENTRED, 2)]);
    let number = any::<String>().prop_map(Formula::Number);
    prop::strategy::Union::new([leaf.boxed(), number.boxed()]).prop_recursive(24, 64, 2, |inner| {
        let two = (inner.clone(), inner.clone());
        let sum = two
            .clone()
            .prop_map(|(left, right)| Formula::Arithmetic(left.into(), ArithmeticOperator::Plus, right.into()));
        let null = two.prop_map(|(left, right)| Formula::NullIf(left.into(), right.into()));
        let round = (inner.clone(), any::<u32>()).prop_map(|(of, decimals)| Formula::Round(of.into(), decimals));
        let one = inner.prop_map(|of| Formula::Absolute(Formula::Negative(Formula::Root(of.into()).into()).into()));
        prop::strategy::Union::new([sum.boxed(), null.boxed(), round.boxed(), one.boxed()])
    })
}

proptest! {
    /// Formulas however deep, and integers however large, are read as they were written.
    #[test]
    fn formulas_and_cells_are_read_as_they_were_written(
        formula in formulas(),
        cells in prop::collection::vec((any::<i128>(), 0_usize..600), 0..8),
    ) {
        let bytes = borsh::to_vec(&formula).expect("plain data");
        assert_eq!(borsh::from_slice::<Formula>(&bytes).expect("a formula"), formula);
        let cells = cells.into_iter().map(|(number, shift)| IBig::from(number) << shift).collect();
        let noisy = NoisyVector { cells, ..noisy() };
        let bytes = borsh::to_vec(&noisy).expect("plain data");
        assert_eq!(borsh::from_slice::<NoisyVector>(&bytes).expect("a vector"), noisy);
    }
}

/// Answers of earlier versions are written anew in the present one, and those of the present one as they were; all are read again. What is
/// cut off or goes on is no answer.
#[test]
fn stored_answers_are_read_as_they_were_written() {
    for (pinned, version) in [(V1, b'{'), (V2, 2), (V4, 3)] {
        let (_dir, scene) = pinned.opened(END_MS);
        let ids = tacit::kernel::budget::ledger::read(scene.service.ledger(), |book| {
            let stored = book.releases().iter().filter(|card| card.digest.is_some());
            stored.map(|card| card.id.clone()).collect::<Vec<_>>()
        });
        assert!(ids.len() > 60);
        for id in ids {
            let first = scene.service.ledger().release(&id).expect("readable").expect("stored");
            let answer = StoredAnswer::decode(&first).expect("an answer");
            let bytes = answer.encode();
            assert_eq!((first[0], bytes[0], first == bytes), (version, 3, version == 3));
            assert_eq!(StoredAnswer::decode(&bytes).as_ref(), Some(&answer));
            assert_eq!(StoredAnswer::decode(&bytes[..bytes.len() - 1]), None);
            assert_eq!(StoredAnswer::decode(&[&bytes[..], &[0]].concat()), None);
            assert_eq!(StoredAnswer::decode(&first[..first.len() - 1]), None);
        }
    }
    assert_eq!((StoredAnswer::decode(b""), StoredAnswer::decode(b"\x04")), (None, None));
}
