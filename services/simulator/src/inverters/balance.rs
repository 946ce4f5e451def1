//! Who gives and who gets: pv + ac_in = ac_out + battery + losses in every state.

use super::orders::Orders;
use super::plant::{Flow, Kind, Site, State};

/// Losses: W, and parts of what the battery and the panels move.
const IDLE_W: f64 = 30.0;
const BATTERY_LOSS: f64 = 0.03;
const PV_LOSS: f64 = 0.02;

/// The state and the flows, those of the battery's terminals left out. `room_w` is the most that the battery gives
/// (negative) and takes, `open_v` its voltage without current.
#[must_use]
pub fn balance(kind: Kind, site: &Site, orders: &Orders, room_w: (f64, f64), open_v: f64) -> (State, Flow) {
    let is_connected = site.grid && !orders.island;
    let house_w = if site.grid { site.house_w } else { 0.0 };
    let (state, mut flow) = match (orders.on, kind, is_connected) {
        // A switch connects the load to the grid.
        (false, Kind::Solar, _) | (_, Kind::Solar, false) => (State::Off, Flow::default()),
        (false, ..) => {
            let through_w = if site.grid { site.load_w } else { 0.0 };
            (State::Off, Flow { ac_in_w: through_w, ac_out_w: through_w, ..Flow::default() })
        }
        (true, Kind::Solar, true) => (State::Running, solar(site, orders)),
        (true, _, true) => (State::Running, on_grid(kind, site, orders, room_w, open_v)),
        (true, _, false) => island(site, room_w),
    };
    flow.grid_w = match kind {
        Kind::Solar => house_w + site.load_w - flow.ac_out_w,
        _ => flow.ac_in_w + house_w,
    };
    (state, flow)
}

/// Beside the house: all of the sun, as far as it may leave.
fn solar(site: &Site, orders: &Orders) -> Flow {
    let most_w = orders.output_w.min(site.load_w + site.house_w + orders.export_w).max(0.0);
    let pv_w = site.sun_w.min((most_w + IDLE_W) / (1.0 - PV_LOSS));
    let out_w = (pv_w * (1.0 - PV_LOSS) - IDLE_W).max(0.0);
    // By night it does not even take what it needs itself.
    let pv_w = if out_w > 0.0 { pv_w } else { 0.0 };
    Flow { pv_w, ac_out_w: out_w, loss_w: pv_w - out_w, ..Flow::default() }
}

fn on_grid(kind: Kind, site: &Site, orders: &Orders, room_w: (f64, f64), open_v: f64) -> Flow {
    let Site { sun_w, load_w, house_w, .. } = *site;
    let give_w = sun_w * (1.0 - PV_LOSS) - IDLE_W;
    // The meter sees what hangs beside the inverter too: it is served as well, unless nothing may be fed in.
    let (served_w, meter_w, export_w) = match kind {
        Kind::OffGrid => (load_w, orders.grid_w.max(0.0), 0.0),
        _ => (load_w + house_w, orders.grid_w, house_w + orders.export_w),
    };
    let (least_w, most_w) = orders.battery_w;
    let mut battery_w = into_battery_w(give_w - served_w + meter_w).min(most_w).max(least_w);
    // What the panels do not give comes from the grid, as far as it may.
    let from_sun_w = into_battery_w(give_w.max(0.0));
    let from_grid_w = into_battery_w((give_w - load_w + orders.input_w).max(0.0));
    battery_w = battery_w.min(from_sun_w + orders.grid_charge_a * open_v).min(from_grid_w);
    battery_w = battery_w.clamp(room_w.0, room_w.1);
    // What may leave is less: the battery keeps its own first, then the panels give less.
    let most_out_w = orders.output_w.min((load_w + export_w).max(0.0));
    if battery_w < 0.0 {
        battery_w = battery_w.max(into_battery_w(give_w - most_out_w)).min(0.0);
    }
    let pv_w = sun_w.min(needed_pv_w(most_out_w, battery_w));
    let loss_w = loss_w(pv_w, battery_w);
    let ac_in_w = load_w + battery_w + loss_w - pv_w;
    // Rounded, and no more.
    let ac_in_w = if kind == Kind::OffGrid { ac_in_w.max(0.0) } else { ac_in_w };
    Flow { pv_w, ac_in_w, ac_out_w: load_w, battery_w, loss_w, ..Flow::default() }
}

fn island(site: &Site, (least_w, most_w): (f64, f64)) -> (State, Flow) {
    let Site { sun_w, load_w, .. } = *site;
    let wanted_w = into_battery_w(sun_w * (1.0 - PV_LOSS) - IDLE_W - load_w);
    if wanted_w < least_w {
        return (State::Dark, Flow::default());
    }
    let battery_w = wanted_w.min(most_w);
    let pv_w = needed_pv_w(load_w, battery_w);
    let loss_w = pv_w - load_w - battery_w;
    (State::Inverting, Flow { pv_w, ac_out_w: load_w, battery_w, loss_w, ..Flow::default() })
}

/// What arrives in the battery of a surplus, or has to leave it for a lack.
fn into_battery_w(surplus_w: f64) -> f64 {
    if surplus_w > 0.0 { surplus_w / (1.0 + BATTERY_LOSS) } else { surplus_w / (1.0 - BATTERY_LOSS) }
}

/// What the panels have to give when nothing comes from the grid.
fn needed_pv_w(out_w: f64, battery_w: f64) -> f64 {
    ((out_w + battery_w + loss_w(0.0, battery_w)) / (1.0 - PV_LOSS)).max(0.0)
}

fn loss_w(pv_w: f64, battery_w: f64) -> f64 {
    IDLE_W + PV_LOSS * pv_w + BATTERY_LOSS * battery_w.abs()
}
