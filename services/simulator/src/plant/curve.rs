//! Straight lines between points: the one way a table becomes a function here.

/// Points of rising x, joined by straight lines, level beyond both ends. Without points the factor 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Curve(pub &'static [(f64, f64)]);

impl Curve {
    /// The value at `x`. Total: an `x` that is not a number gives the first value.
    pub fn at(&self, x: f64) -> f64 {
        let above = self.0.partition_point(|&(point, _)| point <= x);
        let below = above.checked_sub(1).and_then(|index| self.0.get(index));
        match (below, self.0.get(above)) {
            (Some(&(x0, y0)), Some(&(x1, y1))) => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            (Some(&(_, end)), None) | (None, Some(&(_, end))) => end,
            (None, None) => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_exact_on_its_points_straight_between_them_and_level_beyond() {
        let curve = Curve(&[(0.0, 10.0), (2.0, 20.0), (3.0, 0.0)]);
        for (x, y) in
            [(-5.0, 10.0), (0.0, 10.0), (1.0, 15.0), (2.0, 20.0), (2.75, 5.0), (3.0, 0.0), (9.0, 0.0)]
        {
            assert_eq!(curve.at(x), y, "at {x}");
        }
        assert_eq!(curve.at(f64::NAN), 10.0);
        assert_eq!(Curve(&[]).at(4.0), 1.0);
    }
}
