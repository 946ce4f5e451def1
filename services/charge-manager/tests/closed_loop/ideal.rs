//! The fastest charge that there could be: at each second the largest current that keeps the cells below both targets.

use simulator::plant::pack::Pack;

use crate::packs::CELLS;

pub(crate) const ABSORPTION_V: f64 = 3.45;
pub(crate) const CEILING_V: f64 = 3.50;

pub(crate) struct Ideal {
    pub(crate) full_s: f64,
    pub(crate) mean_soc: f64,
}

pub(crate) fn ideal(mut pack: Pack, max_a: f64, tail_a: f64) -> Ideal {
    let allowed = |pack: &Pack, current_a: f64| {
        let mut next = pack.clone();
        next.step(current_a, 1.0);
        next.cell_sum_v() <= CELLS as f64 * ABSORPTION_V && next.highest_v() <= CEILING_V
    };
    let (mut seconds, mut limited) = (0.0, false);
    while seconds < 40_000.0 {
        let mut current_a = max_a;
        if limited || !allowed(&pack, max_a) {
            limited = true;
            let (mut low_a, mut high_a) = (0.0, max_a);
            while high_a - low_a > 0.01 {
                let middle_a = 0.5 * (low_a + high_a);
                if allowed(&pack, middle_a) { low_a = middle_a } else { high_a = middle_a }
            }
            current_a = low_a;
            if current_a <= tail_a {
                break;
            }
        }
        pack.step(current_a, 1.0);
        seconds += 1.0;
    }
    Ideal { full_s: seconds, mean_soc: pack.mean_soc() }
}
