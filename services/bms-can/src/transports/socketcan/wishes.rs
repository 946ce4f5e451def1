//! What the configuration wants of an interface, held against what the kernel says of it; and the commands that bring
//! the two together.

use crate::link_health::BusState;

use super::netlink::{Change, LinkInfo};

/// So long after bus-off the kernel restarts the controller, where we set it up and nobody has said otherwise; Venus OS
/// has the same (`can-set-rate`).
const RESTART_AFTER_MS: u32 = 1000;

/// From the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wishes {
    /// Bits per second.
    pub bit_rate: u32,
    /// Never send; where `set_bit_rate` is on, not even acknowledgements.
    pub listen_only: bool,
    /// Set the interface up, bit rate included, where it is not.
    pub set_bit_rate: bool,
    /// Restart the controller after bus-off, where the kernel does not.
    pub restart_bus_off: bool,
}

/// What is to be done about an interface before it can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing. The sentence is about a bit rate that nobody has asked for.
    Usable(Option<String>),
    /// These changes, in this order.
    Change(Vec<Change>),
    /// It cannot be used, and why.
    Unusable(String),
}

/// Looks at an interface that is not in use yet.
#[must_use]
pub fn judge(link: &LinkInfo, wishes: &Wishes) -> Verdict {
    let name = &link.name;
    if !link.is_can {
        return Verdict::Unusable(format!("{name} is no CAN interface"));
    }
    let changes = if wishes.set_bit_rate { changes(link, wishes) } else { Vec::new() };
    if !changes.is_empty() {
        Verdict::Change(changes)
    } else if link.is_up {
        Verdict::Usable(wrong_bit_rate(link, wishes))
    } else {
        Verdict::Unusable(format!("{name} is down: \"{}\"", up_command(link, wishes)))
    }
}

fn changes(link: &LinkInfo, wishes: &Wishes) -> Vec<Change> {
    let controller = &link.controller;
    let mut changes = Vec::new();
    let fits = controller.bit_rate == Some(wishes.bit_rate)
        && controller.listen_only.unwrap_or_default() == wishes.listen_only;
    if link.kind == "can" && !fits {
        if link.is_up {
            changes.push(Change::Up(false));
        }
        changes.push(Change::BitRate { bit_rate: wishes.bit_rate, listen_only: wishes.listen_only });
        if controller.restart_ms == Some(0) {
            changes.push(Change::RestartAfter(RESTART_AFTER_MS));
        }
    }
    if !changes.is_empty() || !link.is_up {
        changes.push(Change::Up(true));
    }
    changes
}

/// The command that does by hand what `set_bit_rate` would do.
#[must_use]
pub fn up_command(link: &LinkInfo, wishes: &Wishes) -> String {
    let (name, bit_rate) = (&link.name, wishes.bit_rate);
    if link.kind != "can" || link.controller.bit_rate == Some(bit_rate) {
        return format!("ip link set {name} up");
    }
    let set = format!("ip link set {name} up type can bitrate {bit_rate}");
    if link.is_up { format!("ip link set {name} down && {set}") } else { set }
}

fn wrong_bit_rate(link: &LinkInfo, wishes: &Wishes) -> Option<String> {
    let actual = link.controller.bit_rate.filter(|actual| *actual != wishes.bit_rate)?;
    Some(format!(
        "{} runs at {actual} bit/s and not at {}: \"{}\", or set_bit_rate = true",
        link.name,
        wishes.bit_rate,
        up_command(link, wishes)
    ))
}

/// What ends the bus-off that a link is in, in words.
#[must_use]
pub fn way_back(link: &LinkInfo, wishes: &Wishes) -> String {
    match link.controller.restart_ms {
        Some(ms @ 1..) => format!("the kernel restarts it after {ms} ms"),
        _ if wishes.restart_bus_off => "it is being restarted".to_owned(),
        _ => format!(
            "it stays so: \"ip link set {0} type can restart\" (or {0} down and up), or restart_bus_off = true",
            link.name
        ),
    }
}

/// Whether it is on us to restart the controller.
#[must_use]
pub fn wants_restart(link: &LinkInfo, wishes: &Wishes) -> bool {
    wishes.restart_bus_off
        && link.controller.state == Some(BusState::BusOff)
        && link.controller.restart_ms.is_none_or(|ms| ms == 0)
}

#[cfg(test)]
mod tests {
    use super::super::netlink::Controller;
    use super::*;

    const WISHES: Wishes =
        Wishes { bit_rate: 500_000, listen_only: false, set_bit_rate: false, restart_bus_off: false };
    const SET: Wishes = Wishes { set_bit_rate: true, ..WISHES };

    fn link(kind: &str, is_up: bool, bit_rate: Option<u32>) -> LinkInfo {
        let controller =
            Controller { bit_rate, restart_ms: Some(0), listen_only: Some(false), ..Controller::default() };
        let (name, kind) = ("can0".to_owned(), kind.to_owned());
        LinkInfo { index: 3, name, is_can: true, is_up, kind, controller, traffic: None }
    }

    #[test]
    fn what_is_up_is_used_as_it_is_and_another_bit_rate_is_only_told() {
        assert_eq!(judge(&link("can", true, Some(500_000)), &WISHES), Verdict::Usable(None));
        assert_eq!(judge(&link("vcan", true, None), &WISHES), Verdict::Usable(None));
        let said = "can0 runs at 250000 bit/s and not at 500000: \"ip link set can0 down && ip link set can0 up type can \
                    bitrate 500000\", or set_bit_rate = true";
        assert_eq!(judge(&link("can", true, Some(250_000)), &WISHES), Verdict::Usable(Some(said.to_owned())));
    }

    #[test]
    fn what_is_down_is_told_with_the_command_that_cures_it() {
        let down = |link| match judge(&link, &WISHES) {
            Verdict::Unusable(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(down(link("can", false, Some(500_000))), "can0 is down: \"ip link set can0 up\"");
        assert_eq!(
            down(link("can", false, None)),
            "can0 is down: \"ip link set can0 up type can bitrate 500000\""
        );
        assert_eq!(down(link("vcan", false, None)), "can0 is down: \"ip link set can0 up\"");
        let ethernet = LinkInfo { is_can: false, ..link("", true, None) };
        assert_eq!(down(ethernet), "can0 is no CAN interface");
    }

    #[test]
    fn only_who_is_told_to_changes_anything_and_only_what_differs() {
        let rate = Change::BitRate { bit_rate: 500_000, listen_only: false };
        let changes = |link, wishes: Wishes| match judge(&link, &wishes) {
            Verdict::Change(changes) => changes,
            other => panic!("{other:?}"),
        };
        let all = [Change::Up(false), rate, Change::RestartAfter(1000), Change::Up(true)];
        assert_eq!(changes(link("can", true, Some(250_000)), SET), all);
        assert_eq!(changes(link("can", false, None), SET), all[1..]);
        assert_eq!(changes(link("can", false, Some(500_000)), SET), [Change::Up(true)]);
        assert_eq!(changes(link("vcan", false, None), SET), [Change::Up(true)]);
        assert_eq!(judge(&link("can", true, Some(500_000)), &SET), Verdict::Usable(None));
        let quiet = changes(link("can", true, Some(500_000)), Wishes { listen_only: true, ..SET });
        assert_eq!(quiet[1], Change::BitRate { bit_rate: 500_000, listen_only: true });
    }

    #[test]
    fn bus_off_is_left_to_the_kernel_where_it_does_it_and_to_the_user_where_nobody_was_told() {
        let mut link = link("can", true, Some(500_000));
        link.controller.state = Some(BusState::BusOff);
        let told = Wishes { restart_bus_off: true, ..WISHES };
        assert!(way_back(&link, &WISHES).contains("\"ip link set can0 type can restart\""));
        assert!(!wants_restart(&link, &WISHES) && wants_restart(&link, &told));
        link.controller.restart_ms = Some(1000);
        assert_eq!(way_back(&link, &told), "the kernel restarts it after 1000 ms");
        assert!(!wants_restart(&link, &told));
    }
}
