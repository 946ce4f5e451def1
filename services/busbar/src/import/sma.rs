//! `dbus-sma.yaml` of jaedog/SMAVenusDriver and its forks (warrenridley/PolyndriverVenus adds `SafetyLogic`), as our
//! configuration. Pure.

use std::fmt::Write;

use charge_manager::settings::{Chemistry, Key, Settings};

use super::yaml::Entry;

/// What the file does not say.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Cells in series.
    pub(crate) cells: u16,
    /// What they are made of, as `charge-manager.toml` has it.
    pub(crate) chemistry: Chemistry,
    /// The CAN interface.
    pub(crate) interface: String,
}

/// What is made of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Imported {
    /// A configuration of `bms-can`.
    pub(crate) bms_can: String,
    /// Commands that give the charge manager its settings.
    pub(crate) settings: String,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
}

/// Every key that the original's files have.
const KEYS: [&str; 19] = [
    "BMSData.max_battery_voltage",
    "BMSData.min_battery_voltage",
    "BMSData.hi_battery_voltage",
    "BMSData.low_battery_voltage",
    "BMSData.charge_bulk_amps",
    "BMSData.max_discharge_amps",
    "BMSData.charge_absorb_voltage",
    "BMSData.charge_float_voltage",
    "BMSData.time_min_absorb",
    "BMSData.rebulk_voltage",
    "GridLogic.start_hour",
    "GridLogic.end_hour",
    "GridLogic.current",
    "GridLogic.mid_hour",
    "GridLogic.mid_hour_current",
    "GridLogic.offtime_current",
    "SafetyLogic.after_blackout_charge_amps",
    "SafetyLogic.after_blackout_min_soc",
    "SafetyLogic.min_soc_inv_off",
];

/// Whether these are the entries of such a file.
pub(crate) fn is_one(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.path.starts_with("BMSData."))
}

/// Makes our configuration of the entries.
///
/// # Errors
/// A value that is no number, with its line.
pub(crate) fn import(entries: &[Entry], site: &Site) -> Result<Imported, String> {
    let file = File::read(entries)?;
    let mut notes = unknown(entries);
    let bms_can = bms_can(&file, site, &mut notes);
    let settings = settings(&file, site, &mut notes);
    Ok(Imported { bms_can, settings, notes })
}

/// A number of the file and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Number {
    key: &'static str,
    line: usize,
    value: f64,
}

impl Number {
    /// As a comment.
    fn origin(self) -> String {
        format!("# {}, line {}", self.key, self.line)
    }
}

/// The numbers of the known keys; of two the last counts, as for the original.
struct File(Vec<Number>);

impl File {
    fn read(entries: &[Entry]) -> Result<File, String> {
        let mut numbers: Vec<Number> = Vec::new();
        for entry in entries {
            let Some(key) = KEYS.into_iter().find(|key| *key == entry.path) else { continue };
            let value = entry.text.parse::<f64>().ok().filter(|value| value.is_finite());
            let value = value.ok_or_else(|| {
                format!("line {}: {key}: a number is needed, not {:?}", entry.line, entry.text)
            })?;
            numbers.retain(|number| number.key != key);
            numbers.push(Number { key, line: entry.line, value });
        }
        Ok(File(numbers))
    }

    fn get(&self, key: &str) -> Option<Number> {
        self.0.iter().copied().find(|number| number.key == key)
    }
}

/// A sentence for each key that nothing is made of.
fn unknown(entries: &[Entry]) -> Vec<String> {
    let strangers = entries.iter().filter(|entry| !KEYS.contains(&&*entry.path));
    strangers
        .map(|entry| {
            let near = KEYS.into_iter().map(|key| (strsim::damerau_levenshtein(key, &entry.path), key)).min();
            let hint = match near {
                Some((distance, key)) if distance <= 4 => format!("; did you mean {key}?"),
                _ => String::new(),
            };
            format!("line {}: {} is unknown, and nothing is made of it{hint}", entry.line, entry.path)
        })
        .collect()
}

/// The keys of `[inverter]` and where each comes from.
const OF_INVERTER: [(&str, &str, &str); 6] = [
    (
        "BMSData.max_battery_voltage",
        "max_charge_voltage_v",
        "The highest charge voltage that it is told; the battery's own limit counts where it is lower.",
    ),
    ("BMSData.min_battery_voltage", "discharge_voltage_v", "The discharge voltage limit that it is told."),
    (
        "BMSData.charge_bulk_amps",
        "max_charge_current_a",
        "The largest charge current; the battery's own limit counts where it is lower.",
    ),
    ("BMSData.max_discharge_amps", "max_discharge_current_a", "The same for the discharge."),
    (
        "BMSData.low_battery_voltage",
        "grid_charge_below_v",
        "While the grid is there and the battery is below this voltage, the cluster is told a state of charge of 1 %,\n\
         # at which it charges from the grid (232#41 GdSocEna).",
    ),
    (
        "SafetyLogic.min_soc_inv_off",
        "island_off_below_soc_pct",
        "Without a grid the cluster is switched off below this state of charge, and on again when either is back.",
    ),
];

fn bms_can(file: &File, site: &Site, notes: &mut Vec<String>) -> String {
    let mut text = format!(
        "# Made from dbus-sma.yaml by busbar import. What each line comes from stands behind it; every key is explained in\n\
         # bms-can.inverter.example.toml.\n\n\
         [can]\n\
         # The original has can5 in its program. A serial adapter is port = \"/dev/ttyACM0\" instead.\n\
         interface = {:?}\n\n\
         [inverter]\n\
         profile = \"sma_sunny_island\"\n\
         # The original shows two lines, whatever is there. Without this: those on which there is a voltage.\n\
         phases = 2\n\
         # The original shows itself as a vebus. So does this while there is no other vebus, instead of as the pair multi and\n\
         # acsystem, which gets along with a Multi:\n\
         #vebus = true\n",
        site.interface
    );
    for (from, to, why) in OF_INVERTER {
        if let Some(number) = file.get(from) {
            // Writing to a string cannot fail.
            let _ = write!(text, "# {why}\n{to} = {:?}  {}\n", number.value, number.origin());
        }
    }
    if let Some(number) = file.get("BMSData.hi_battery_voltage") {
        let _ = writeln!(
            text,
            "# {}: the original reads it nowhere, and nothing is made of it",
            number.origin().trim_start_matches("# ")
        );
    }
    notes.push(
        "the battery's own limits count now: the original told constants. A battery service of its own and the manager \
         have to run (busbar charge-manager), or follow names one battery"
            .to_owned(),
    );
    text
}

/// A setting of the charge manager.
struct Wish {
    key: Key,
    value: f64,
    from: String,
}

fn settings(file: &File, site: &Site, notes: &mut Vec<String>) -> String {
    let mut text = format!(
        "# Settings of the charge manager, made from dbus-sma.yaml by busbar import, for {} cells in series: \
         sh FILE writes them.\n\
         # charge-manager.toml has to say chemistry = \"{}\". services/charge-manager/SETTINGS.md explains each.\n",
        site.cells,
        format!("{:?}", site.chemistry).to_lowercase()
    );
    let (taken, refused) = consistent(wishes(file, site), site.chemistry);
    for wish in taken {
        let _ = writeln!(text, "{}  {}", command(wish.key.spec().name, &wish.value.to_string()), wish.from);
    }
    for (wish, why) in refused {
        let name = wish.key.spec().name;
        let _ = writeln!(text, "# {name} {} is not written: {why}  {}", wish.value, wish.from);
        notes.push(format!("{name} {} is not written, that of the chemistry stays: {why}", wish.value));
    }
    if let Some((windows, from)) = windows(file, notes) {
        let _ = writeln!(text, "{}  {from}", command("Windows", &format!("'{windows}'")));
    }
    text
}

fn command(name: &str, value: &str) -> String {
    format!("busbar set settings /Settings/Devices/busbar_bank/{name} {value}")
}

/// What the file asks for, in the manager's units.
fn wishes(file: &File, site: &Site) -> Vec<Wish> {
    let mut wishes = Vec::new();
    let mut wish = |key: Key, from: &str, convert: &dyn Fn(f64) -> f64| {
        if let Some(number) = file.get(from) {
            // Four digits are a tenth of a millivolt.
            let value = (convert(number.value) * 1e4).round() / 1e4;
            wishes.push(Wish { key, value, from: number.origin() });
        }
    };
    let per_cell = |volts: f64| volts / f64::from(site.cells);
    let to_hours = |minutes: f64| minutes / 60.0;
    wish(Key::FloatVoltage, "BMSData.charge_float_voltage", &per_cell);
    wish(Key::AbsorptionVoltage, "BMSData.charge_absorb_voltage", &per_cell);
    wish(Key::RebulkVoltage, "BMSData.rebulk_voltage", &per_cell);
    wish(Key::AbsorptionMinimum, "BMSData.time_min_absorb", &to_hours);
    wish(Key::GridCurrent, "GridLogic.offtime_current", &|amps| amps);
    wish(Key::BlackoutRecharge, "SafetyLogic.after_blackout_min_soc", &|percent| percent);
    wish(Key::BlackoutCurrent, "SafetyLogic.after_blackout_charge_amps", &|amps| amps);
    let has = |key: Key, wishes: &[Wish]| wishes.iter().any(|wish| wish.key == key);
    for (key, value) in [(Key::BlackoutRecharge, 15.0), (Key::BlackoutCurrent, 200.0)] {
        if !has(key, &wishes) {
            let from = "# where SafetyLogic is missing the original has it in its program".to_owned();
            wishes.push(Wish { key, value, from });
        }
    }
    wishes
}

/// The wishes that make a consistent set together, and the others, each with the reason.
fn consistent(wishes: Vec<Wish>, chemistry: Chemistry) -> (Vec<Wish>, Vec<(Wish, String)>) {
    let base = Settings::of(chemistry);
    let (mut changes, mut taken, mut left): (Vec<(Key, f64)>, _, _) = (Vec::new(), Vec::new(), wishes);
    // One may only fit when another one is there: until nothing more fits.
    loop {
        let (before, mut rest) = (left.len(), Vec::new());
        for wish in left {
            let with: Vec<(Key, f64)> = changes.iter().copied().chain([(wish.key, wish.value)]).collect();
            if base.with(&with).is_ok() {
                changes = with;
                taken.push(wish);
            } else {
                rest.push(wish);
            }
        }
        left = rest;
        if left.is_empty() || left.len() == before {
            break;
        }
    }
    let why = |wish: &Wish| {
        let with: Vec<(Key, f64)> = changes.iter().copied().chain([(wish.key, wish.value)]).collect();
        base.with(&with).err().map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    let refused = left.into_iter().map(|wish| (why(&wish), wish)).map(|(why, wish)| (wish, why)).collect();
    (taken, refused)
}

/// The hours of the grid. The original's last hour counts as a whole.
fn windows(file: &File, notes: &mut Vec<String>) -> Option<(String, String)> {
    let [start, end, amps] =
        ["GridLogic.start_hour", "GridLogic.end_hour", "GridLogic.current"].map(|key| file.get(key));
    let (start, end, amps) = (start?, end?, amps?);
    let hour = |hour: f64| format!("{:02}:00", (hour.rem_euclid(24.0)) as u8);
    let until = hour(end.value + 1.0);
    let mut windows = format!("grid daily {}-{until} {}A 100%", hour(start.value), amps.value);
    let mid = file.get("GridLogic.mid_hour").zip(file.get("GridLogic.mid_hour_current"));
    if let Some((mid, amps)) = mid.filter(|(mid, _)| mid.value <= end.value) {
        // The original has the 49 % in its program; of two open windows the larger current counts.
        let _ =
            write!(windows, "; grid daily {}-{until} {}A 49%", hour(mid.value.max(start.value)), amps.value);
    }
    if start.value > end.value {
        notes.push(format!(
            "the window from {} to {} goes over midnight: the original never opened it, ours does",
            hour(start.value),
            until
        ));
    }
    notes.push(
        "the hours of GridLogic were those of the machine's clock, which is UTC on Venus OS; the hours of Windows are \
         local time: look through them"
            .to_owned(),
    );
    Some((windows, "# GridLogic, and 49 % in the original's program".to_owned()))
}

#[cfg(test)]
mod tests;
