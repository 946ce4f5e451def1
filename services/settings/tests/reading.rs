//! Reading settings.xml: what is XML, what is not, and what is only partly of use.
#![expect(clippy::unwrap_used, reason = "a failing step fails the test")]

use proptest::prelude::*;
use settings::content::{Content, Type, is_xml_text};
use settings::file::{Document, read, write};
use settings::store::Setting;

fn broken(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn what_is_not_a_whole_settings_file_is_broken_at_a_line() {
    assert_eq!(broken(""), "line 1: there is no <Settings>");
    assert_eq!(broken("<Settings>\n<A>"), "line 2: the text ends in the middle");
    assert_eq!(broken("<Other/>"), "line 1: the root is <Other>, not <Settings>");
    assert_eq!(broken("<Settings/>\n\n<More/>"), "line 3: <More> after the end");
    assert_eq!(broken("<Settings/>\nwords"), "line 2: text outside of the root");
    assert_eq!(broken("<Settings><A type='s'>&who;</A></Settings>"), "line 1: unknown entity &who;");
    for text in
        ["<Settings><A></Settings>", "<Settings", "<Settings><A type='i' type='i'/></Settings>", "\u{1}"]
    {
        assert!(read(text).is_err(), "{text}");
    }
    let deep = format!("<Settings>{}{}</Settings>", "<a>".repeat(100), "</a>".repeat(100));
    assert!(broken(&deep).contains("more than 48"));
}

#[test]
fn one_setting_that_cannot_be_understood_does_not_harm_the_others() {
    let document = read(
        "<Settings version='19' unique-id='x'>
           <Good type='i'>1</Good>
           <Kind type='b'>1</Kind>
           <Number type='i' default='7'>seven</Number>
           <Lost type='f'>nan</Lost>
           <a-b type='i'>1</a-b>
           <__c type='i'>1</__c>
           <Twice type='i'>1</Twice><Twice type='i'>2</Twice>
           <Both type='i'>1</Both><Both><Below type='i'>1</Below></Both>
           <Bell type='s'>&#7;</Bell>
           <Inside type='s'>be<x><y/></x>fore</Inside>
         </Settings>",
    )
    .unwrap();
    let values: Vec<_> = document.store.below("/").map(|(path, s)| (path, s.value.text())).collect();
    let expected = [
        ("/Settings/Both", "1"),
        ("/Settings/Good", "1"),
        ("/Settings/Inside", "before"),
        ("/Settings/Number", "7"),
        ("/Settings/Twice", "1"),
    ];
    assert_eq!(values, expected.map(|(path, value)| (path, value.to_owned())));
    assert_eq!(document.left_out.len(), 10, "{:#?}", document.left_out);
}

#[test]
fn entities_sections_comments_and_padding_are_read_as_xml_means_them() {
    let document = read(
        "\u{FEFF}<?xml version='1.0'?><!-- by hand --><Settings>
           <A type='s' default='a&#10;b&quot;'>&lt;d&#33;<![CDATA[<e>]]><!-- no --></A>
           <_1st><_2nd type='f' min='0' max='0'>  2.5 </_2nd></_1st><Empty/>
         </Settings>",
    )
    .unwrap();
    assert_eq!(document.version, "1");
    assert_eq!(document.left_out, Vec::<String>::new());
    let a = document.store.get("/Settings/A").unwrap();
    assert_eq!((a.value.text(), a.default.as_ref().unwrap().text()), ("<d!<e>".into(), "a\nb\"".into()));
    let number = document.store.get("/Settings/1st/2nd").unwrap();
    assert_eq!((&number.value, &number.min, &number.max), (&Content::Float(2.5), &None, &None));
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        any::<i64>().prop_map(Content::Int),
        any::<f64>().prop_filter("finite", |v| v.is_finite()).prop_map(Content::Float),
        any::<String>().prop_filter("for XML", |v| is_xml_text(v)).prop_map(Content::Text),
        "[ -~\t\n\r]{0,20}".prop_map(Content::Text),
    ]
}

fn setting() -> impl Strategy<Value = Setting> {
    (content(), any::<[bool; 4]>()).prop_map(|(value, [default, min, max, silent])| {
        // A text has no limits, and zero and zero are none.
        let number = value.kind() != Type::Text && value.to_value().as_f64() != Some(0.0);
        let limit = |wanted: bool| (wanted && number).then(|| value.clone());
        let (min, max) = (limit(min), limit(max));
        Setting { default: default.then(|| value.clone()), value, min, max, silent }
    })
}

proptest! {
    #[test]
    fn any_legal_tree_survives(settings in prop::collection::vec(("[a-cA1-2][a_0]{0,2}(/[a-c1][B_]?){0,3}", setting()), 0..30)) {
        let mut document = Document::empty("0123456789ab");
        for (path, setting) in settings {
            // Of two that cannot stand together one is left out.
            let _ = document.store.insert(&settings::path::join("/Settings", &path), setting);
        }
        let text = write(&document);
        prop_assert_eq!(read(&text), Ok(document.clone()), "{}", text);
        prop_assert_eq!(write(&read(&text).unwrap()), text);
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn any_damage_to_a_file_is_read_or_refused(at in 0..3000usize, insert in "[<>/&;='\" a-z!\\[\\]-]{0,6}", cut in 0..40usize) {
        let whole = include_str!("data/original.xml");
        let start: String = whole.chars().take(at).collect();
        let end: String = whole.chars().skip(at + cut).collect();
        let _ = read(&format!("{start}{insert}{end}"));
        let _ = read(&start);
    }
}
