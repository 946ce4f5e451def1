//! Straight lines between points: the one way a table becomes a number here.

use std::fmt;
use std::str::FromStr;

/// Most points that a curve may have.
const MOST_POINTS: usize = 32;

/// Points of rising x, joined by straight lines, level beyond both ends.
///
/// As text it is `x:y, x:y, …`, the form in which it stands in the settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Vec<(f64, f64)>);

/// Why something is no curve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CurveError {
    /// No points at all, or too many.
    #[error("a curve has 1 to {MOST_POINTS} points")]
    Count,
    /// Two points at one place, or out of order.
    #[error("the points must rise from left to right, each at a place of its own")]
    Order,
    /// Something that is no number, or a factor below 0.
    #[error("each point is a number, a colon and a number of 0 or more, as in \"0:0, 10:0.3, 20:0.5\"")]
    Point,
}

impl Curve {
    /// A curve of these points.
    ///
    /// # Errors
    /// When the points do not rise, or one is no number.
    pub fn new(points: Vec<(f64, f64)>) -> Result<Curve, CurveError> {
        if points.is_empty() || points.len() > MOST_POINTS {
            return Err(CurveError::Count);
        }
        if !points.iter().all(|(x, y)| x.is_finite() && y.is_finite() && *y >= 0.0) {
            return Err(CurveError::Point);
        }
        if !points.windows(2).all(|pair| matches!(pair, [(left, _), (right, _)] if left < right)) {
            return Err(CurveError::Order);
        }
        Ok(Curve(points))
    }

    /// The value at `x`. Total: an `x` that is no number gives the lowest value of the curve.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        along(&self.0, x)
    }

    /// The points.
    #[must_use]
    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }
}

/// The value at `x` of straight lines through points of rising x.
pub(crate) fn along(points: &[(f64, f64)], x: f64) -> f64 {
    if x.is_nan() {
        return points.iter().map(|(_, y)| *y).fold(f64::INFINITY, f64::min);
    }
    let above = points.partition_point(|&(point, _)| point <= x);
    let below = above.checked_sub(1).and_then(|index| points.get(index));
    match (below, points.get(above)) {
        (Some(&(x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
        (Some(&(_, end)), None) | (None, Some(&(_, end))) => end,
        (None, None) => 0.0,
    }
}

impl FromStr for Curve {
    type Err = CurveError;

    fn from_str(text: &str) -> Result<Self, CurveError> {
        let point = |part: &str| {
            let (x, y) = part.split_once(':').ok_or(CurveError::Point)?;
            let number = |text: &str| text.trim().parse::<f64>().map_err(|_| CurveError::Point);
            Ok((number(x)?, number(y)?))
        };
        Curve::new(text.split(',').map(point).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (x, y)) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{x}:{y}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_exact_on_its_points_straight_between_them_and_level_beyond() {
        let curve: Curve = "0:10, 2:20, 3:0".parse().unwrap();
        for (x, y) in
            [(-5.0, 10.0), (0.0, 10.0), (1.0, 15.0), (2.0, 20.0), (2.75, 5.0), (3.0, 0.0), (9.0, 0.0)]
        {
            assert_eq!(curve.at(x), y, "at {x}");
        }
        assert_eq!(curve.at(f64::NAN), 0.0, "what is no number allows the least");
        assert_eq!(curve.at(f64::INFINITY), 0.0);
    }

    #[test]
    fn the_text_of_a_curve_is_read_back() {
        let curve: Curve = " -20:0.05,0:0.1 , 20:1 ".parse().unwrap();
        assert_eq!(curve.to_string(), "-20:0.05, 0:0.1, 20:1");
        assert_eq!(curve.to_string().parse(), Ok(curve));
    }

    #[test]
    fn what_is_no_curve_is_refused() {
        for (text, error) in [
            ("", CurveError::Point),
            ("1", CurveError::Point),
            ("1:x", CurveError::Point),
            ("1:-0.1", CurveError::Point),
            ("1:nan", CurveError::Point),
            ("2:1, 1:1", CurveError::Order),
            ("1:1, 1:0", CurveError::Order),
        ] {
            assert_eq!(text.parse::<Curve>(), Err(error), "{text:?}");
        }
    }
}
