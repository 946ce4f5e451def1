//! What has been heard, as lines. Pure.

use std::time::Duration;

use bms_can::link_health::LinkHealth;
use bms_can::protocols::Decoded;
use tokio::time::Instant;

use super::load::Figures;
use super::traffic::{Rhythm, Row, Traffic};
use crate::terminal::{Line, Style, columns, flow, sentence};
use crate::words;

/// Where what a frame says begins.
const INDENT: usize = 2;
const BETWEEN: &str = "  ";

/// Everything about the bus and the session that stands over the frames.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// What is listened to.
    pub(super) source: &'a str,
    /// What it is waiting for, if it is not open.
    pub(super) waiting_for: Option<String>,
    /// Bits per second.
    pub(super) bit_rate: u32,
    /// Nobody has told that.
    pub(super) is_assumed: bool,
    /// Somebody sits before it.
    pub(super) is_live: bool,
    /// How the bus is.
    pub(super) health: &'a LinkHealth,
    /// The load, when there is a figure.
    pub(super) load: Option<Figures>,
    /// Which dialect, and why; or what is known instead.
    pub(super) dialect: &'a str,
    /// What speaks against the dialect.
    pub(super) doubt: Option<&'a str>,
    /// What is being recorded.
    pub(super) recording: Option<String>,
}

/// The whole picture for a terminal of this width.
pub(super) fn lines(head: &Head<'_>, traffic: &Traffic, now: Instant, width: usize) -> Vec<Line> {
    let mut lines = flow(&bus(head), 0, BETWEEN, width);
    lines.extend(sentence(Style::Plain, head.dialect, width));
    for doubt in head.doubt.into_iter().chain(head.health.trouble.as_deref()) {
        lines.extend(sentence(Style::Warning, doubt, width));
    }
    if let Some(recording) = &head.recording {
        lines.extend(sentence(Style::Plain, &format!("recording: {recording}"), width));
    }
    lines.push(Line::default());
    let rows: Vec<&Row> = traffic.rows().collect();
    if rows.is_empty() {
        lines.extend(sentence(Style::Plain, "no frame has come yet", width));
        return lines;
    }
    let mut cells =
        vec![["id", "frame", "every", "count"].map(|head| Line::of(Style::Strong, head)).to_vec()];
    cells.extend(rows.iter().map(|row| summary(row, now)));
    for (n, mut line) in columns(&cells, 2).into_iter().enumerate() {
        let Some(row) = n.checked_sub(1).and_then(|n| rows.get(n)) else {
            line.push(Style::Strong, "  data");
            lines.push(line);
            continue;
        };
        line.push(Style::Plain, BETWEEN);
        line.append(&data(row, now));
        lines.push(line);
        lines.extend(flow(&says(row, now), INDENT, BETWEEN, width));
    }
    if traffic.left_out() > 0 {
        lines.push(Line::of(Style::Faint, format!("{} frames of further ids", traffic.left_out())));
    }
    lines
}

/// What is listened to, and how it is.
fn bus(head: &Head<'_>) -> Vec<Line> {
    let health = head.health;
    let mut pieces = vec![Line::of(Style::Strong, head.source)];
    if let Some(port) = &head.waiting_for {
        pieces.push(Line::of(Style::Warning, format!("waiting for {port}")));
    }
    let assumed = if head.is_assumed { " assumed" } else { "" };
    pieces.push(Line::plain(format!("{} kbit/s{assumed}", f64::from(head.bit_rate) / 1000.0)));
    if let Some(state) = health.state {
        let style =
            if state == bms_can::link_health::BusState::Active { Style::Plain } else { Style::Warning };
        pieces.push(Line::of(style, state.to_string()));
    }
    let counters = [
        ("receive errors", health.rx_errors.map(u32::from)),
        ("send errors", health.tx_errors.map(u32::from)),
        ("frames lost", health.overflows),
    ];
    for (name, count) in counters {
        if let Some(count) = count {
            let style = if count > 0 { Style::Warning } else { Style::Plain };
            pieces.push(Line::of(style, format!("{name} {count}")));
        }
    }
    if let Some(load) = head.load {
        let (exact, worst) = (load.exact_pct, load.worst_pct);
        pieces.push(Line::plain(format!("load {exact:.1}% (at worst {worst:.1}%)")));
        pieces.push(Line::plain(format!("{:.0} frames/s", load.frames_per_s)));
    }
    if head.is_live {
        pieces.push(Line::of(Style::Faint, "q ends"));
    }
    pieces
}

fn summary(row: &Row, now: Instant) -> Vec<Line> {
    let name_style = if matches!(row.decoded, Decoded::Refused(_)) { Style::Warning } else { Style::Plain };
    let every = match row.rhythm(now) {
        Rhythm::Once => Line::plain("-"),
        Rhythm::Every(period) => Line::plain(short(period)),
        Rhythm::Stopped(age) => Line::of(Style::Warning, format!("silent {}", short(age))),
    };
    vec![
        Line::plain(row.frame.id().to_string()),
        Line::of(name_style, words::name(&row.decoded)),
        every,
        Line::plain(row.count.to_string()),
    ]
}

/// `250ms`, `1.00s`, `12s`.
fn short(time: Duration) -> String {
    match time.as_secs_f64() {
        s if s < 0.995 => format!("{:.0}ms", s * 1000.0),
        s if s < 9.995 => format!("{s:.2}s"),
        s => format!("{s:.0}s"),
    }
}

fn data(row: &Row, now: Instant) -> Line {
    let mut line = Line::default();
    for (n, byte) in words::bytes(&row.frame).iter().enumerate() {
        if n > 0 {
            line.push(Style::Plain, " ");
        }
        let style = if row.is_new_byte(n, now) { Style::Changed } else { Style::Plain };
        line.push(style, byte);
    }
    line
}

fn says(row: &Row, now: Instant) -> Vec<Line> {
    if let Decoded::Refused(refused) = &row.decoded {
        return vec![Line::of(Style::Warning, format!("not believed: {}", refused.why))];
    }
    let piece = |(name, value): &(String, String)| {
        let mut piece = Line::of(Style::Faint, format!("{name} "));
        let style = if row.is_new_value(name, now) { Style::Changed } else { Style::Plain };
        piece.push(style, value);
        piece
    };
    row.values.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    use bms_can::frame::{CanId, Frame};
    use bms_can::link_health::BusState;
    use bms_can::protocols::by_name;

    use super::*;

    fn frame(id: u32, data: &[u8]) -> Frame {
        Frame::new(CanId::standard(id).unwrap(), data).unwrap()
    }

    fn head(health: &LinkHealth) -> Head<'_> {
        Head {
            source: "can0",
            waiting_for: None,
            bit_rate: 500_000,
            is_assumed: false,
            is_live: true,
            health,
            load: None,
            dialect: "pylontech_lv (Pylontech low voltage)",
            doubt: None,
            recording: None,
        }
    }

    fn text(head: &Head<'_>, traffic: &Traffic, now: Instant, width: usize) -> Vec<String> {
        lines(head, traffic, now, width).iter().map(|line| line.to_string().trim_end().to_owned()).collect()
    }

    #[test]
    fn each_id_is_a_row_and_what_it_says_stands_under_it() {
        let (start, health) = (Instant::now(), LinkHealth::default());
        let mut traffic = Traffic::default();
        traffic.speak(by_name("pylontech_lv").unwrap());
        for second in 0..3 {
            let now = start + Duration::from_secs(second);
            traffic.add(&frame(0x355, &[0x1A, 0, 0x64, 0]), now);
            traffic.add(&frame(0x123, &[1, 2]), now);
        }
        let lines = text(&head(&health), &traffic, start + Duration::from_secs(2), 80);
        let expected = [
            "can0  500 kbit/s  q ends",
            "pylontech_lv (Pylontech low voltage)",
            "",
            "id     frame  every  count  data",
            "0x123  ?      1.00s      3  01 02",
            "0x355  soc    1.00s      3  1A 00 64 00",
            "  soc_pct 26  soh_pct 100",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn what_has_changed_is_highlighted_in_bytes_and_words() {
        let (start, health) = (Instant::now(), LinkHealth::default());
        let mut traffic = Traffic::default();
        traffic.speak(by_name("pylontech_lv").unwrap());
        traffic.add(&frame(0x355, &[0x1A, 0, 0x64, 0]), start);
        traffic.add(&frame(0x355, &[0x1B, 0, 0x64, 0]), start + Duration::from_secs(1));
        let shown = format!("{:?}", lines(&head(&health), &traffic, start + Duration::from_secs(1), 80));
        assert!(shown.contains("(Changed, \"1B\"), (Plain, \" 00 64 00\")"), "{shown}");
        assert!(shown.contains("(Faint, \"soc_pct \"), (Changed, \"27\")"), "{shown}");
        assert!(shown.contains("(Faint, \"soh_pct \"), (Plain, \"100\")"), "{shown}");
    }

    #[test]
    fn an_id_that_stops_and_a_frame_that_is_not_believed_stand_out() {
        let (start, health) = (Instant::now(), LinkHealth::default());
        let mut traffic = Traffic::default();
        traffic.speak(by_name("pylontech_lv").unwrap());
        traffic.add(&frame(0x355, &[0x1A]), start);
        traffic.add(&frame(0x355, &[0x1A]), start + Duration::from_secs(1));
        let now = start + Duration::from_secs(20);
        let shown = format!("{:?}", lines(&head(&health), &traffic, now, 80));
        assert!(shown.contains("(Warning, \"silent 19s\")"), "{shown}");
        assert!(shown.contains("(Warning, \"not believed: "), "{shown}");
    }

    #[test]
    fn the_state_of_the_bus_its_counters_and_its_load_stand_above() {
        let health = LinkHealth {
            state: Some(BusState::Passive),
            rx_errors: Some(130),
            tx_errors: Some(0),
            overflows: Some(2),
            trouble: Some("can0: no other node acknowledges".to_owned()),
            ..LinkHealth::default()
        };
        let load = Some(Figures { frames_per_s: 14.2, exact_pct: 0.32, worst_pct: 0.38 });
        let head = Head {
            load,
            doubt: Some("it does not fit"),
            recording: Some("7 frames in x.log".to_owned()),
            ..head(&health)
        };
        let lines = text(&head, &Traffic::default(), Instant::now(), 200);
        assert_eq!(
            lines[0],
            "can0  500 kbit/s  error passive  receive errors 130  send errors 0  frames lost 2  load 0.3% (at worst \
             0.4%)  14 frames/s  q ends"
        );
        assert_eq!(
            lines[2..5],
            ["it does not fit", "can0: no other node acknowledges", "recording: 7 frames in x.log"]
        );
        assert_eq!(lines.last().unwrap(), "no frame has come yet");
    }

    #[test]
    fn periods_read_as_people_say_them() {
        let of = |us| short(Duration::from_micros(us));
        assert_eq!([of(250), of(20_000), of(994_900), of(999_100)], ["0ms", "20ms", "995ms", "1.00s"]);
        assert_eq!([of(9_990_000), of(9_999_000)], ["9.99s", "10s"]);
    }

    #[test]
    fn a_bit_rate_that_nobody_has_told_is_said_to_be_assumed() {
        let health = LinkHealth::default();
        let head = Head { is_assumed: true, is_live: false, ..head(&health) };
        assert_eq!(text(&head, &Traffic::default(), Instant::now(), 80)[0], "can0  500 kbit/s assumed");
    }

    #[test]
    fn a_link_that_is_away_says_what_it_waits_for() {
        let health = LinkHealth::default();
        let head = Head { waiting_for: Some("/dev/ttyACM0".to_owned()), ..head(&health) };
        let shown = format!("{:?}", lines(&head, &Traffic::default(), Instant::now(), 80));
        assert!(shown.contains("(Warning, \"waiting for /dev/ttyACM0\")"), "{shown}");
    }
}
