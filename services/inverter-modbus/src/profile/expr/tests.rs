use super::*;
use proptest::prelude::*;

fn point(name: &str) -> Option<f64> {
    match name {
        "a" => Some(3.0),
        "b" => Some(-2.0),
        "zero" => Some(0.0),
        _ => None,
    }
}

fn value(text: &str) -> Option<f64> {
    Expr::parse(text).unwrap().value(&point)
}

fn holds(text: &str) -> bool {
    Condition::parse(text).unwrap().holds(&point)
}

#[test]
fn sums_and_products_bind_as_everywhere() {
    assert_eq!(value("1 + a * 2 - b / 4"), Some(7.5));
    assert_eq!(value("-(a - b) * 2"), Some(-10.0));
    assert_eq!(value("a - b - a"), Some(2.0));
    assert_eq!(value("0x10 + 0.5"), Some(16.5));
    assert_eq!(value("min(a, b) + max(a, 10) + abs(b)"), Some(10.0));
    assert_eq!(value("sel(a > 2, a, b)"), Some(3.0));
}

#[test]
fn what_is_missing_makes_the_result_missing_unless_it_may_be_nothing() {
    assert_eq!(value("a + none"), None);
    assert_eq!(value("a + or0(none)"), Some(3.0));
    assert_eq!(value("first(none, b, a)"), Some(-2.0));
    assert_eq!(value("a / zero"), None);
    assert_eq!(value("sel(none == 1, a, b)"), None);
    assert_eq!(value("sel(none == 1 and a > 9, a, b)"), Some(-2.0), "whatever it is");
    assert_eq!(value("sel(none == 1 or a == 3, a, b)"), Some(3.0), "whatever it is");
    assert_eq!(value("sel(not none == 1, a, b)"), None);
}

#[test]
fn conditions_hold_or_do_not() {
    assert!(holds("a == 3 and b < 0") && holds("a > 9 or b == -2") && holds("not a > 9"));
    assert!(!holds("none == 0") && !holds("none != 0") && holds("not none == 0"));
}

#[test]
fn mistakes_are_said() {
    for text in ["", "a +", "a b", "(a", "a ? b", "foo(a)", "min(a)", "1x", "sel(a, b, a)"] {
        assert!(Expr::parse(text).is_err(), "{text}");
    }
    assert!(Condition::parse("a").is_err());
    assert!(Expr::parse(&"(".repeat(100_000)).is_err() && Expr::parse(&"-".repeat(100_000)).is_err());
    assert!(Condition::parse(&"not ".repeat(100_000)).is_err());
}

#[test]
fn expressions_are_shown_as_they_are_written() {
    for text in [
        "a + or0(b) - 3 * (a - 0.5)",
        "a - (b - a) / -b",
        "-(a + b)",
        "first(a, min(b, 2), max(a, b))",
        "sel(a > 1, a, none)",
        "sel(a > 1 and not b == 2 or a <= 3, abs(a), 0)",
    ] {
        assert_eq!(Expr::parse(text).unwrap().to_string(), text);
    }
}

proptest! {
    #[test]
    fn no_text_upsets_the_parser(text in "[a-c0-9+*/()<>=!,. orandnt-]{0,60}") {
        if let Ok(expr) = Expr::parse(&text) {
            let _ = expr.value(&point);
            prop_assert_eq!(Expr::parse(&expr.to_string()), Ok(expr));
        }
        let _ = Condition::parse(&text);
    }
}
