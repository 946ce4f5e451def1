//! What a follower says of itself, so that the manager can give it a share: on the service of any device that can push
//! current and obeys its row of [`bank`](super::bank). Busbar's own paths; `xml/org.busbar.follower.paths` lists them.

use crate::{Item, Text, text};

/// Bus name of the service that it follows: with that of the manager here it gets a row of `/Share`.
pub const FOLLOWS: Item<String> = Item::new("/Follow/Service", Text::Plain);
/// Largest current that it can push into the battery, A; none when it does not know.
pub const CHARGE_RATING: Item<f64> = Item::new("/Follow/MaxChargeCurrent", text::AMPS);
/// Largest current that it can draw, A; 0 for a charger, none when it does not know.
pub const DISCHARGE_RATING: Item<f64> = Item::new("/Follow/MaxDischargeCurrent", text::AMPS);
/// How long it takes to follow a new limit, s; without it 5.
pub const RESPONSE: Item<f64> = Item::new("/Follow/ResponseTime", text::SECONDS);
/// Step of the charge current that it can be told, A; without it none.
pub const CURRENT_STEP: Item<f64> = Item::new("/Follow/CurrentStep", text::AMPS);
/// It draws the battery down to a charge voltage below that of the pack.
pub const DRAWS_DOWN: Item<i32> = Item::new("/Follow/DrawsDown", text::NO_YES);
/// It measures the voltage itself, with an error that a trim may take out.
pub const OWN_VOLTMETER: Item<i32> = Item::new("/Follow/OwnVoltmeter", text::NO_YES);
/// Its power comes from the grid or a generator.
pub const FROM_AC: Item<i32> = Item::new("/Follow/FromAc", text::NO_YES);

/// Current into the battery, A, positive while charging: the path that every class of charger and inverter has for it.
pub const CURRENT: Item<f64> = super::battery::DC_CURRENT;
