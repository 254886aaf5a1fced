//! Computing the values of a program's nodes for the rows of a window.
//!
//! Promises that integers wrap around instead of failing, and that functions are applied to present values alone, because the integer of a
//! row without a value is arbitrary.

use super::operands::{Operand, Values, looked_up, required};
use super::program::{ConditionId, Extreme, Lookup, ValueNode};
use super::stored::{Stored, typed};
use super::window::Window;
use crate::query::term::lower::IntegerFunction;
use std::borrow::Cow;

impl Window<'_> {
    /// Works with the values of a node, which are not copied if they are stored.
    pub(super) fn with<R>(&self, node: &ValueNode, work: impl FnOnce(Operand<'_>) -> R) -> R {
        match node {
            ValueNode::Stored(index) => work(self.column(*index)),
            node => work(self.compute(node).operand()),
        }
    }

    /// Computes the values of a node.
    pub(super) fn compute(&self, node: &ValueNode) -> Values {
        match node {
            ValueNode::Stored(index) => {
                let (values, present) = self.column(*index);
                let values = typed!(values, values => values.iter().map(|value| value.wide()).collect());
                Values { values, present: present.map(<[u8]>::to_vec) }
            }
            ValueNode::Constant(value) => Values { values: vec![*value; self.len()], present: None },
            ValueNode::Plus(parts, constant) => self.sum(parts, *constant),
            ValueNode::Times(parts) => self.product(parts),
            ValueNode::Extreme(parts, extreme) => self.extreme(parts, *extreme),
            ValueNode::Filled(inner, with) => {
                let Values { mut values, present } = self.compute(inner);
                for (value, present) in values.iter_mut().zip(present.unwrap_or_default()) {
                    *value = if present == 1 { *value } else { *with };
                }
                Values { values, present: None }
            }
            ValueNode::Case(arms, otherwise) => self.case(arms, otherwise.as_deref()),
            ValueNode::Truth(condition) => self.truth(*condition),
            ValueNode::Apply(function, inner) => self.applied(function, inner),
            ValueNode::Lookup(column, results, presence) => {
                let values = looked_up(self.column(*column), results);
                Values { values, present: self.presence_in(*column, presence) }
            }
        }
    }

    fn truth(&self, condition: ConditionId) -> Values {
        let is_true = self.holds(condition, true);
        let present = self.known(condition);
        let values = is_true.iter().map(|row| i64::from(*row)).collect();
        Values { values, present: present.contains(&0).then_some(present) }
    }

    fn applied(&self, function: &IntegerFunction, inner: &ValueNode) -> Values {
        let Values { mut values, present } = self.compute(inner);
        match &present {
            None => values.iter_mut().for_each(|value| *value = function.apply(*value)),
            Some(present) => {
                values.iter_mut().zip(present).filter(|(_, present)| **present == 1).for_each(|(value, _)| {
                    *value = function.apply(*value);
                })
            }
        }
        Values { values, present }
    }

    fn sum(&self, parts: &[(ValueNode, i64)], constant: i64) -> Values {
        let Some(((first, factor), rest)) = parts.split_first() else {
            return self.compute(&ValueNode::Constant(constant));
        };
        let mut sum = self.compute(first);
        sum.values.iter_mut().for_each(|value| *value = value.wrapping_mul(*factor).wrapping_add(constant));
        for (part, factor) in rest {
            self.with(part, |(values, present)| {
                typed!(values, values => sum.values.iter_mut().zip(values).for_each(|(sum, value)| {
                    *sum = sum.wrapping_add(value.wide().wrapping_mul(*factor));
                }));
                sum.require(present);
            });
        }
        sum
    }

    fn product(&self, parts: &[ValueNode]) -> Values {
        let Some((first, rest)) = parts.split_first() else { return self.compute(&ValueNode::Constant(1)) };
        let mut product = self.compute(first);
        if matches!(rest, [second] if second == first) {
            product.values.iter_mut().for_each(|value| *value = value.wrapping_mul(*value));
            return product;
        }
        for part in rest {
            self.with(part, |(values, present)| {
                typed!(values, values => product.values.iter_mut().zip(values).for_each(|(product, value)| {
                    *product = product.wrapping_mul(value.wide());
                }));
                product.require(present);
            });
        }
        product
    }

    /// The rows in which a node has a value, without working out the value; `None` for all of them.
    pub(super) fn present<'s>(&'s self, node: &'s ValueNode) -> Option<Cow<'s, [u8]>> {
        match node {
            ValueNode::Stored(index) => self.column(*index).1.map(Cow::Borrowed),
            ValueNode::Constant(_) | ValueNode::Filled(..) => None,
            ValueNode::Plus(parts, _) => parts.iter().fold(None, |rows, (part, _)| required(rows, self.present(part))),
            ValueNode::Times(parts) => parts.iter().fold(None, |rows, part| required(rows, self.present(part))),
            ValueNode::Apply(_, inner) => self.present(inner),
            ValueNode::Case(arms, None) if arms.len() == 1 => {
                let (condition, then) = &arms[0];
                required(Some(Cow::Borrowed(self.holds(*condition, true))), self.present(then))
            }
            ValueNode::Lookup(column, _, presence) => self.presence_in(*column, presence).map(Cow::Owned),
            ValueNode::Extreme(..) | ValueNode::Case(..) | ValueNode::Truth(_) => {
                self.compute(node).present.map(Cow::Owned)
            }
        }
    }

    /// Where a tabulated function has a result; `None` if it has one everywhere.
    fn presence_in(&self, column: usize, presence: &Lookup<u8>) -> Option<Vec<u8>> {
        let is_total = presence.entries.iter().all(|present| *present == 1);
        (!is_total).then(|| looked_up(self.column(column), presence))
    }

    /// The least or the greatest of the operands that are present.
    fn extreme(&self, parts: &[ValueNode], extreme: Extreme) -> Values {
        let mut chosen: Option<Values> = None;
        for part in parts {
            let part = self.compute(part);
            let Some(best) = &mut chosen else {
                chosen = Some(part);
                continue;
            };
            best.choose_better(&part, extreme);
        }
        chosen.unwrap_or_else(|| self.missing())
    }

    fn case(&self, arms: &[(ConditionId, ValueNode)], otherwise: Option<&ValueNode>) -> Values {
        if let ([(condition, then)], None) = (arms, otherwise) {
            // The integer of a row without a value is arbitrary.
            let mut chosen = self.compute(then);
            chosen.require(Some(self.holds(*condition, true)));
            return chosen;
        }
        let mut chosen = otherwise.map_or_else(|| self.missing(), |last| self.compute(last));
        // Earlier arms overwrite later ones.
        for (condition, then) in arms.iter().rev() {
            let rows = self.holds(*condition, true);
            self.with(then, |(values, present)| {
                typed!(values, values => chosen.values.iter_mut().zip(values).zip(rows).for_each(|((chosen, value), row)| {
                    *chosen = if *row == 1 { value.wide() } else { *chosen };
                }));
                chosen.choose(rows, present);
            });
        }
        chosen
    }

    fn missing(&self) -> Values {
        Values { values: vec![0; self.len()], present: Some(vec![0; self.len()]) }
    }
}
