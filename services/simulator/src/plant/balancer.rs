//! The balancer: which cells lose or gain how much current beside the pack's.

/// How a pack evens out its cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Balancer {
    /// Not at all.
    None,
    /// Burns charge of every cell that lies above the lowest.
    Passive {
        /// Current through the bleed resistor in A, 0.05 to 0.2 in the field.
        bleed_a: f64,
        /// Part of the time it bleeds: 0.5 where it shares its wires with the measurement.
        duty: f64,
    },
    /// Carries charge from the highest cell to the lowest.
    Active {
        /// Current out of the highest cell in A, 1 to 2 in the field.
        current_a: f64,
        /// Part of it that arrives in the lowest cell.
        efficiency: f64,
    },
}

/// Cells nearer to the lowest than this are even, in V.
const EVEN_V: f64 = 0.010;

impl Balancer {
    /// Writes the current that the balancer takes out of each cell (negative: puts in) and returns the sum of
    /// what becomes heat in W.
    ///
    /// It works on cells above `from_v` that lie 10 mV above the lowest, while the pack charges or its mean is
    /// above `from_v` too: on the plateau voltages say nothing about charge.
    pub fn plan(self, cells_v: &[f64], from_v: f64, charging: bool, taken_a: &mut [f64]) -> f64 {
        taken_a.fill(0.0);
        if self == Self::None || cells_v.is_empty() {
            return 0.0;
        }
        let mean_v = cells_v.iter().sum::<f64>() / cells_v.len() as f64;
        let lowest_v = cells_v.iter().copied().fold(f64::INFINITY, f64::min);
        let highest_v = cells_v.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !(charging || mean_v > from_v) {
            return 0.0;
        }
        let uneven = |v: f64| v > from_v && v - lowest_v > EVEN_V;
        match self {
            Self::None => 0.0,
            Self::Passive { bleed_a, duty } => {
                let mut heat_w = 0.0;
                for (taken, &v) in taken_a.iter_mut().zip(cells_v).filter(|(_, v)| uneven(**v)) {
                    *taken = bleed_a * duty;
                    heat_w += *taken * v;
                }
                heat_w
            }
            Self::Active { current_a, efficiency } => {
                if !uneven(highest_v) {
                    return 0.0;
                }
                let highest = cells_v.iter().position(|&v| v == highest_v);
                let lowest = cells_v.iter().position(|&v| v == lowest_v);
                if let Some(taken) = highest.and_then(|index| taken_a.get_mut(index)) {
                    *taken = current_a;
                }
                if let Some(taken) = lowest.and_then(|index| taken_a.get_mut(index)) {
                    *taken = -current_a * efficiency;
                }
                current_a * (highest_v - efficiency * lowest_v)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(balancer: Balancer, cells_v: &[f64], charging: bool) -> Vec<f64> {
        let mut taken_a = vec![9.0; cells_v.len()];
        balancer.plan(cells_v, 3.40, charging, &mut taken_a);
        taken_a
    }

    #[test]
    fn a_passive_balancer_bleeds_the_high_cells_and_only_near_the_top() {
        let passive = Balancer::Passive { bleed_a: 0.15, duty: 0.5 };
        assert_eq!(plan(passive, &[3.45, 3.41, 3.405], true), [0.075, 0.0, 0.0]);
        assert_eq!(plan(passive, &[3.39, 3.30, 3.30], true), [0.0; 3], "on the plateau");
        assert_eq!(plan(passive, &[3.45, 3.33, 3.33], false), [0.0; 3], "at rest with a low mean");
        assert_eq!(plan(passive, &[3.50, 3.41, 3.41], false), [0.075, 0.0, 0.0], "at rest near the top");
    }

    #[test]
    fn an_active_balancer_carries_from_the_highest_to_the_lowest() {
        let active = Balancer::Active { current_a: 2.0, efficiency: 0.85 };
        assert_eq!(plan(active, &[3.45, 3.38, 3.41], true), [2.0, -1.7, 0.0]);
        assert_eq!(plan(active, &[3.41, 3.405, 3.41], true), [0.0; 3], "even enough");
    }
}
