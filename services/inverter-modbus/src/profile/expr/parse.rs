//! Expressions and conditions read: by descent, with a limit to how deep.

use std::fmt;

use super::{Comparison, Condition, Expr, Operator};

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

/// Reads a text from left to right.
pub(super) struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    /// A parser at the beginning of a text.
    ///
    /// # Errors
    /// What is no part of an expression.
    pub(super) fn of(text: &str) -> Result<Parser, String> {
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

    pub(super) fn end(&self) -> Result<(), String> {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(format!("\"{token}\" is too much")),
        }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        if self.depth > DEEPEST { Err("nested too deeply".to_owned()) } else { Ok(()) }
    }

    pub(super) fn sum(&mut self) -> Result<Expr, String> {
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
            Some(Token::Word(word)) if word == "none" => Ok(Expr::Nothing),
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

    pub(super) fn either(&mut self) -> Result<Condition, String> {
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
