//! Expressions and conditions as they are written.

use std::fmt;

use super::{Comparison, Condition, Expr, Operator};

impl Operator {
    /// The sign, and how tightly it binds; `None` for what is written as a function.
    fn sign(self) -> Option<(&'static str, u8)> {
        match self {
            Operator::Add => Some(("+", 1)),
            Operator::Subtract => Some(("-", 1)),
            Operator::Multiply => Some(("*", 2)),
            Operator::Divide => Some(("/", 2)),
            Operator::Least | Operator::Greatest => None,
        }
    }
}

/// How tightly an expression holds together: 3 for what needs no brackets anywhere.
fn tightness(expr: &Expr) -> u8 {
    match expr {
        Expr::Both(operator, ..) => operator.sign().map_or(3, |(_, binds)| binds),
        _ => 3,
    }
}

/// An operand, in brackets or not.
struct Inside<'e>(&'e Expr, bool);

impl fmt::Display for Inside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            true => write!(f, "({})", self.0),
            false => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Number(number) => write!(f, "{number}"),
            Expr::Nothing => f.write_str("none"),
            Expr::Point(name) => f.write_str(name),
            Expr::Negative(inner) => write!(f, "-{}", Inside(inner, tightness(inner) < 3)),
            Expr::OrZero(inner) => write!(f, "or0({inner})"),
            Expr::Absolute(inner) => write!(f, "abs({inner})"),
            Expr::First(all) => {
                f.write_str("first(")?;
                for (n, expr) in all.iter().enumerate() {
                    write!(f, "{}{expr}", if n == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Expr::Select(condition, yes, no) => write!(f, "sel({condition}, {yes}, {no})"),
            Expr::Both(operator, left, right) => match operator.sign() {
                Some((sign, binds)) => {
                    let left = Inside(left, tightness(left) < binds);
                    write!(f, "{left} {sign} {}", Inside(right, tightness(right) <= binds))
                }
                None if *operator == Operator::Least => write!(f, "min({left}, {right})"),
                None => write!(f, "max({left}, {right})"),
            },
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Equal => "==",
            Comparison::Different => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        })
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Compare(how, left, right) => write!(f, "{left} {how} {right}"),
            Condition::And(left, right) => write!(f, "{left} and {right}"),
            Condition::Or(left, right) => write!(f, "{left} or {right}"),
            Condition::Not(inner) => write!(f, "not {inner}"),
        }
    }
}
