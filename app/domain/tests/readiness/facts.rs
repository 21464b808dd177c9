//! What can be read and what is refused (`docs/devices.md` 4).

use domain::readiness::facts::Facts;

use crate::room::{instant, now, read};

#[test]
fn a_value_that_cannot_be_read_is_refused_with_the_attribute_and_what_is_allowed_c1a_g5() {
    for (attribute, text, allowed) in [
        ("os.channel", "monthly", "general, semi_annual, long_term"),
        ("readiness.logitech_sync", "missing", "running, stopped, absent"),
        ("readiness.logitech_sync", "Running", "running, stopped, absent"),
        ("readiness.os_updates", "enabled, sometimes", "enabled, disabled, wsus"),
        ("readiness.os_updates", " , ", "a comma list"),
        ("readiness.store_updates", "yes", "on, off, user"),
        ("readiness.store_updates", " off", "on, off, user"),
        (
            "readiness.antivirus",
            "defender",
            "none, excluded, not_excluded, unknown",
        ),
        ("readiness.additional_software", ",", "a comma list of names, or none"),
        ("readiness.additional_software.2", " ", "a comma list of names, or none"),
        (
            "readiness.other_change_management",
            " ",
            "a comma list of names, or none",
        ),
    ] {
        let refused = read(&[(attribute, text)], Some(now())).expect_err(attribute);
        assert_eq!((refused.attribute.as_str(), refused.text.as_str()), (attribute, text));
        let sentence = refused.to_string();
        assert!(sentence.contains(attribute) && sentence.contains(allowed), "{sentence}");
    }
}

#[test]
fn an_empty_word_is_refused_and_an_empty_text_is_not_told_c1a() {
    let facts = |key: &str| Facts::read(&[(key.to_owned(), String::new())].into(), |_| None);
    assert!(facts("readiness.store_updates").is_err());
    assert_eq!(facts("device.vendor"), Ok(Facts::default()));
    assert_eq!(facts("readiness.base_image_oem"), Ok(Facts::default()));
}

#[test]
fn a_list_goes_on_over_further_attributes_in_the_order_of_their_numbers_c1a() {
    let list = |changes: &[(&str, &str)]| {
        let facts = read(changes, Some(now())).expect("readable facts");
        facts.additional_software.map(|list| list.value)
    };
    let software = "readiness.additional_software";
    let (second, third, tenth) = (
        "readiness.additional_software.2",
        "readiness.additional_software.3",
        "readiness.additional_software.10",
    );
    let names = list(&[(software, "a , b c"), (tenth, "f"), (second, "d,"), (third, "e")]);
    assert_eq!(names, Some(["a", "b c", "d", "e", "f"].map(str::to_owned).to_vec()));
    assert_eq!(list(&[(software, "none"), (second, "none")]), Some(Vec::new()));
    assert_eq!(
        list(&[(software, ""), (second, "a")]),
        None,
        "nobody knows what stood first"
    );
    for other in [
        "readiness.additional_software.1",
        "readiness.additional_software.02",
        "readiness.additional_software.x",
    ] {
        assert_eq!(list(&[(other, "a")]), Some(Vec::new()), "{other} is another name");
    }
}

#[test]
fn a_list_is_as_old_as_its_oldest_attribute_c7() {
    let (old, young) = (instant("2024-10-20T00:00:00Z"), now());
    let list = |first, second| {
        let attributes = ["readiness.additional_software", "readiness.additional_software.2"];
        let attributes = attributes.map(|key| (key.to_owned(), "a".to_owned())).into();
        let when = |key: &str| if key.ends_with('2') { second } else { first };
        let facts = Facts::read(&attributes, when).expect("readable facts");
        facts.additional_software.expect("a list").told.reported_at
    };
    assert_eq!(list(Some(old), Some(young)), Some(old));
    assert_eq!(list(Some(young), Some(old)), Some(old));
    assert_eq!(list(Some(young), None), None);
}
