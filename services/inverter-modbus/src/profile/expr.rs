//! Sums and conditions over points: `pv1_power + or0(pv2_power)`, `phases == 3 and not offgrid`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

/// An expression. A missing operand makes it missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// A number.
    Number(f64),
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
    /// The second if the first holds, otherwise the third.
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
            Expr::Point(name) => point(name)?,
            Expr::Negative(inner) => -inner.value(point)?,
            Expr::OrZero(inner) => inner.value(point).unwrap_or(0.0),
            Expr::Absolute(inner) => inner.value(point)?.abs(),
            Expr::First(all) => all.iter().find_map(|expr| expr.value(point))?,
            Expr::Select(condition, yes, no) => {
                if condition.holds(point) {
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
            Expr::Number(_) => {}
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
                match how {
                    Comparison::Equal => left == right,
                    Comparison::Different => left != right,
                    Comparison::Less => left < right,
                    Comparison::LessOrEqual => left <= right,
                    Comparison::Greater => left > right,
                    Comparison::GreaterOrEqual => left >= right,
                }
            }
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

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Word(String),
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Number(number) => write!(f, "{number}"),
            Token::Word(word) => f.write_str(word),
            Token::Sign(sign) => f.write_str(sign),
        }
    }
}

/// Longer ones first.
const SIGNS: [&str; 13] = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "(", ")", ","];
/// Deeper than anybody writes; a parser must not exhaust the stack.
const DEEPEST: usize = 32;

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn of(text: &str) -> Result<Parser, String> {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let taken = if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                tokens.push(Token::Sign(sign));
                sign.len()
            } else if first.is_ascii_digit() {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
                let word = rest.get(..end).unwrap_or_default();
                let number = match word.strip_prefix("0x") {
                    Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
                    None => word.parse().ok(),
                };
                tokens.push(Token::Number(number.ok_or_else(|| format!("{word:?} is no number"))?));
                end
            } else if first.is_ascii_alphabetic() || first == '_' {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..end).unwrap_or_default().to_owned()));
                end
            } else {
                return Err(format!("{first:?} means nothing here"));
            };
            rest = rest.get(taken..).unwrap_or_default().trim_start();
        }
        Ok(Parser { tokens, at: 0, depth: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is_it = match self.peek() {
            Some(Token::Sign(found)) => *found == sign,
            Some(Token::Word(found)) => found == sign,
            _ => false,
        };
        self.at += usize::from(is_it);
        is_it
    }

    fn needs(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(format!("{sign:?} is missing")) }
    }

    fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(format!("\"{token}\" is too much")),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err("nested too deeply".to_owned()) } else { Ok(()) }
    }

    fn sum(&mut self) -> Result<Expr, String> {
        self.deeper()?;
        let mut left = self.product()?;
        loop {
            let operator = if self.takes("+") {
                Operator::Add
            } else if self.takes("-") {
                Operator::Subtract
            } else {
                self.depth -= 1;
                return Ok(left);
            };
            left = Expr::Both(operator, left.into(), self.product()?.into());
        }
    }

    fn product(&mut self) -> Result<Expr, String> {
        let mut left = self.factor()?;
        loop {
            let operator = if self.takes("*") {
                Operator::Multiply
            } else if self.takes("/") {
                Operator::Divide
            } else {
                return Ok(left);
            };
            left = Expr::Both(operator, left.into(), self.factor()?.into());
        }
    }

    fn factor(&mut self) -> Result<Expr, String> {
        self.deeper()?;
        let factor = self.bare_factor();
        self.depth -= 1;
        factor
    }

    fn bare_factor(&mut self) -> Result<Expr, String> {
        if self.takes("-") {
            return Ok(Expr::Negative(self.factor()?.into()));
        }
        if self.takes("(") {
            let inner = self.sum()?;
            self.needs(")")?;
            return Ok(inner);
        }
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Number(number)) => Ok(Expr::Number(number)),
            Some(Token::Word(word)) if self.takes("(") => {
                let made = self.function(&word)?;
                self.needs(")")?;
                Ok(made)
            }
            Some(Token::Word(word)) => Ok(Expr::Point(word)),
            Some(token) => Err(format!("a point or number is expected instead of \"{token}\"")),
            None => Err("a point or number is missing at the end".to_owned()),
        }
    }

    fn function(&mut self, word: &str) -> Result<Expr, String> {
        match word {
            "or0" => Ok(Expr::OrZero(self.sum()?.into())),
            "abs" => Ok(Expr::Absolute(self.sum()?.into())),
            "min" | "max" => {
                let operator = if word == "min" { Operator::Least } else { Operator::Greatest };
                let left = self.sum()?;
                self.needs(",")?;
                Ok(Expr::Both(operator, left.into(), self.sum()?.into()))
            }
            "first" => {
                let mut all = vec![self.sum()?];
                while self.takes(",") {
                    all.push(self.sum()?);
                }
                Ok(Expr::First(all))
            }
            "sel" => {
                let condition = self.either()?;
                self.needs(",")?;
                let yes = self.sum()?;
                self.needs(",")?;
                Ok(Expr::Select(condition.into(), yes.into(), self.sum()?.into()))
            }
            _ => Err(format!("there is no function {word}: or0, abs, min, max, first and sel")),
        }
    }

    fn either(&mut self) -> Result<Condition, String> {
        let mut left = self.both()?;
        while self.takes("or") {
            left = Condition::Or(left.into(), self.both()?.into());
        }
        Ok(left)
    }

    fn both(&mut self) -> Result<Condition, String> {
        let mut left = self.comparison()?;
        while self.takes("and") {
            left = Condition::And(left.into(), self.comparison()?.into());
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Condition, String> {
        if self.takes("not") {
            self.deeper()?;
            let inner = self.comparison()?;
            self.depth -= 1;
            return Ok(Condition::Not(inner.into()));
        }
        let left = self.sum()?;
        let signs = [
            ("==", Comparison::Equal),
            ("!=", Comparison::Different),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        let (_, how) = signs
            .into_iter()
            .find(|(sign, _)| self.takes(sign))
            .ok_or_else(|| "a comparison (==, !=, <, <=, >, >=) is missing".to_owned())?;
        Ok(Condition::Compare(how, left, self.sum()?))
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn point(name: &str) -> Option<f64> {
        match name {
            "a" => Some(3.0),
            "b" => Some(-2.0),
            "zero" => Some(0.0),
            _ => None,
        }
    }

    fn value(text: &str) -> Option<f64> {
        Expr::parse(text).unwrap().value(&point)
    }

    fn holds(text: &str) -> bool {
        Condition::parse(text).unwrap().holds(&point)
    }

    #[test]
    fn sums_and_products_bind_as_everywhere() {
        assert_eq!(value("1 + a * 2 - b / 4"), Some(7.5));
        assert_eq!(value("-(a - b) * 2"), Some(-10.0));
        assert_eq!(value("a - b - a"), Some(2.0));
        assert_eq!(value("0x10 + 0.5"), Some(16.5));
        assert_eq!(value("min(a, b) + max(a, 10) + abs(b)"), Some(10.0));
        assert_eq!(value("sel(a > 2, a, b)"), Some(3.0));
    }

    #[test]
    fn what_is_missing_makes_the_result_missing_unless_it_may_be_nothing() {
        assert_eq!(value("a + none"), None);
        assert_eq!(value("a + or0(none)"), Some(3.0));
        assert_eq!(value("first(none, b, a)"), Some(-2.0));
        assert_eq!(value("a / zero"), None);
        assert_eq!(value("sel(none == 1, a, b)"), Some(-2.0));
    }

    #[test]
    fn conditions_hold_or_do_not() {
        assert!(holds("a == 3 and b < 0") && holds("a > 9 or b == -2") && holds("not a > 9"));
        assert!(!holds("none == 0") && !holds("none != 0") && holds("not none == 0"));
    }

    #[test]
    fn mistakes_are_said() {
        for text in ["", "a +", "a b", "(a", "a ? b", "foo(a)", "min(a)", "1x", "sel(a, b, a)"] {
            assert!(Expr::parse(text).is_err(), "{text}");
        }
        assert!(Condition::parse("a").is_err());
        assert!(Expr::parse(&"(".repeat(100_000)).is_err() && Expr::parse(&"-".repeat(100_000)).is_err());
        assert!(Condition::parse(&"not ".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_upsets_the_parser(text in "[a-c0-9+*/()<>=!,. orandnt-]{0,60}") {
            if let Ok(expr) = Expr::parse(&text) {
                let _ = expr.value(&point);
            }
            let _ = Condition::parse(&text);
        }
    }
}
