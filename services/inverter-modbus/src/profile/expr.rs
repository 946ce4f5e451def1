//! Sums and conditions over points: `pv1_power + or0(pv2_power)`, `phases == 3 and not offgrid`.

mod parse;
mod show;

use serde::de::{self, Deserialize, Deserializer};

use parse::Parser;

/// An expression. A missing operand makes it missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A number.
    Number(f64),
    /// Nothing: it is missing.
    Nothing,
    /// The value of a point.
    Point(String),
    /// `-x`
    Negative(Box<Expr>),
    /// Two operands.
    Both(Operator, Box<Expr>, Box<Expr>),
    /// A missing operand counts as 0.
    OrZero(Box<Expr>),
    /// `abs(x)`
    Absolute(Box<Expr>),
    /// The first that is there.
    First(Vec<Expr>),
    /// The second if the first holds, otherwise the third; missing if nobody can say whether it holds.
    Select(Box<Condition>, Box<Expr>, Box<Expr>),
}

/// What is done with two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; by zero is missing
    Divide,
    /// `min(a, b)`
    Least,
    /// `max(a, b)`
    Greatest,
}

/// A condition. A comparison with a missing operand does not hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Two expressions.
    Compare(Comparison, Expr, Expr),
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Expr, String> {
        let mut parser = Parser::of(text)?;
        let expr = parser.sum()?;
        parser.end()?;
        Ok(expr)
    }

    /// The value, when `point` tells those of points. Never infinite or not a number.
    pub fn value(&self, point: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        let value = match self {
            Expr::Number(number) => *number,
            Expr::Nothing => return None,
            Expr::Point(name) => point(name)?,
            Expr::Negative(inner) => -inner.value(point)?,
            Expr::OrZero(inner) => inner.value(point).unwrap_or(0.0),
            Expr::Absolute(inner) => inner.value(point)?.abs(),
            Expr::First(all) => all.iter().find_map(|expr| expr.value(point))?,
            Expr::Select(condition, yes, no) => {
                if condition.is_true(point)? {
                    yes.value(point)?
                } else {
                    no.value(point)?
                }
            }
            Expr::Both(operator, left, right) => {
                let (left, right) = (left.value(point)?, right.value(point)?);
                match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Least => left.min(right),
                    Operator::Greatest => left.max(right),
                }
            }
        };
        value.is_finite().then_some(value)
    }

    /// The points that it needs.
    pub fn names(&self, names: &mut Vec<String>) {
        match self {
            Expr::Number(_) | Expr::Nothing => {}
            Expr::Point(name) => names.push(name.clone()),
            Expr::Negative(inner) | Expr::OrZero(inner) | Expr::Absolute(inner) => inner.names(names),
            Expr::First(all) => all.iter().for_each(|expr| expr.names(names)),
            Expr::Both(_, left, right) => {
                left.names(names);
                right.names(names);
            }
            Expr::Select(condition, yes, no) => {
                condition.names(names);
                yes.names(names);
                no.names(names);
            }
        }
    }
}

impl Comparison {
    fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::Different => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Condition, String> {
        let mut parser = Parser::of(text)?;
        let condition = parser.either()?;
        parser.end()?;
        Ok(condition)
    }

    /// Whether it holds, when `point` tells the values of points.
    pub fn holds(&self, point: &dyn Fn(&str) -> Option<f64>) -> bool {
        match self {
            Condition::And(left, right) => left.holds(point) && right.holds(point),
            Condition::Or(left, right) => left.holds(point) || right.holds(point),
            Condition::Not(inner) => !inner.holds(point),
            Condition::Compare(how, left, right) => {
                let (Some(left), Some(right)) = (left.value(point), right.value(point)) else { return false };
                how.holds(left, right)
            }
        }
    }

    /// Whether it is true; `None` if that hangs on what is missing.
    pub fn is_true(&self, point: &dyn Fn(&str) -> Option<f64>) -> Option<bool> {
        match self {
            Condition::And(left, right) => match (left.is_true(point), right.is_true(point)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            Condition::Or(left, right) => match (left.is_true(point), right.is_true(point)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            },
            Condition::Not(inner) => inner.is_true(point).map(|is| !is),
            Condition::Compare(how, left, right) => Some(how.holds(left.value(point)?, right.value(point)?)),
        }
    }

    /// The points that it needs.
    pub fn names(&self, names: &mut Vec<String>) {
        match self {
            Condition::And(left, right) | Condition::Or(left, right) => {
                left.names(names);
                right.names(names);
            }
            Condition::Not(inner) => inner.names(names),
            Condition::Compare(_, left, right) => {
                left.names(names);
                right.names(names);
            }
        }
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Expr::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Condition::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
