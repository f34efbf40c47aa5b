use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";
const SUBJECT: Subject<'_> = Subject {
    shop_id: "demo",
    keeps_user_id: true,
};

fn cleaned(rules: &str, text: &str) -> String {
    let rules = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
    rules.clean(text, SUBJECT).into_owned()
}

#[test]
fn event_without_personal_data_stays_as_it_came() {
    let text = r#"{ "user_id" : "c-42", "page_url":"https://shop.example/a?utm_source=x#top", "page_title":"2 @ 3", "event_timestamp":1795392000000 }"#;
    let rules = PrivacyRules::default();
    assert!(matches!(rules.clean(text, SUBJECT), Cow::Borrowed(same) if same == text));
}

#[test]
fn tokens_and_addresses_never_pass_by_default() {
    let text = r#"{"page_url":"https://shop.example/reset?token=s3cret&utm_source=mail","referrer_url":"https://x.example/?email=jo%40x.example","search_term":"jo@x.example","properties":{"note":"card 4111 1111 1111 1111","next":"https://a.example/?sid=1"}}"#;
    assert_eq!(
        cleaned("{}", text),
        r#"{"page_url":"https://shop.example/reset?utm_source=mail","referrer_url":"https://x.example/","search_term":"[email]","properties":{"note":"card [card]","next":"https://a.example/"}}"#
    );
}

#[test]
fn fields_are_dropped_or_hashed_by_their_path() {
    let rules = r#"{"fields":{"user_id":"hash","demographics":"drop","properties.name":"drop"}}"#;
    let text = r#"{"user_id":"c-42","demographics":{"gender":"f"},"properties":{"name":"Jo","x":1},"name":"kept"}"#;
    let cleaned = cleaned(rules, text);
    let (start, rest) = cleaned.split_at(12);
    assert_eq!(start, r#"{"user_id":""#);
    assert!(
        rest[..64].bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{cleaned}"
    );
    assert_eq!(
        &rest[64..],
        r#"","demographics":null,"properties":{"name":null,"x":1},"name":"kept"}"#
    );
}

#[test]
fn kept_field_is_not_masked_and_its_neighbours_are() {
    let rules = r#"{"fields":{"properties.contact":"keep","page_url":"keep","items.item_name":"keep","user_id":"keep"}}"#;
    let text = r#"{"user_id":"jo@x.example","page_url":"https://a.example/?sid=1","items":[{"item_name":"4111 1111 1111 1111"}],"properties":{"contact":"shop@a.example","other":"jo@x.example","inner":{"contact":"jo@x.example"}},"contact":"jo@x.example"}"#;
    let expected = text
        .replace(r#""other":"jo@x.example""#, r#""other":"[email]""#)
        .replace(r#""contact":"jo@x.example""#, r#""contact":"[email]""#);
    assert_eq!(cleaned(rules, text), expected);
    let rules = PrivacyRules::read(Some(rules), None).unwrap();
    let unnamed = Subject {
        keeps_user_id: false,
        ..SUBJECT
    };
    assert!(rules.clean(text, unnamed).contains(r#""user_id":null"#));
}

#[test]
fn text_without_an_end_is_masked_although_its_field_is_kept() {
    let rules = PrivacyRules::read(Some(r#"{"fields":{"search_term":"keep"}}"#), None).unwrap();
    let cleaned = rules.clean_refused(br#"{"search_term":"jo@x.example"#, SUBJECT);
    assert_eq!(cleaned.as_ref(), br#"{"search_term":"[email]"#);
}

#[test]
fn fields_are_dropped_and_hashed_wherever_they_stand_in_what_was_refused() {
    let rules =
        r#"{"fields":{"demographics":"drop","properties.name":"hash","search_term":"keep"}}"#;
    let rules = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
    let unnamed = Subject {
        keeps_user_id: false,
        ..SUBJECT
    };
    let body = r#"{"events":[{"user_id":"c-42","demographics":{"gender":"f"},"properties":{"name":"Jo"},"search_term":"jo@x.example"}]}"#;
    let cleaned = rules.clean_refused(body.as_bytes(), unnamed);
    let cleaned = std::str::from_utf8(&cleaned).unwrap();
    for gone in ["c-42", "gender", "Jo", "jo@"] {
        assert!(!cleaned.contains(gone), "{gone} in {cleaned}");
    }
    assert!(cleaned.contains(r#""search_term":"[email]""#), "{cleaned}");
}

#[test]
fn rules_hold_however_deep_an_enemy_nests() {
    let rules = r#"{"fields":{"properties.name":"drop"}}"#;
    let rules = PrivacyRules::read(Some(rules), None).unwrap();
    let deep = r#"{"a":"#.repeat(90_000);
    let body = format!(r#"{deep}{{"properties":{{"name":"Jo"}}}}"#);
    let cleaned = rules.clean_refused(body.as_bytes(), SUBJECT);
    assert!(cleaned.ends_with(br#"{"properties":{"name":null}}"#));
}

#[test]
fn customer_number_has_the_same_hash_as_number_and_text_and_another_in_another_shop() {
    let rules = r#"{"fields":{"user_id":"hash"}}"#;
    let number = cleaned(rules, r#"{"user_id":42}"#);
    assert_eq!(number, cleaned(rules, r#"{"user_id":"42"}"#));
    let other = PrivacyRules::read(Some(rules), Some(KEY)).unwrap();
    let subject = Subject {
        shop_id: "other",
        ..SUBJECT
    };
    assert_ne!(number, other.clean(r#"{"user_id":42}"#, subject));
    assert_eq!(cleaned(rules, r#"{"user_id":null}"#), r#"{"user_id":null}"#);
}

#[test]
fn what_is_a_hash_already_stays_one_where_rules_are_applied_again() {
    let rules = r#"{"fields":{"user_id":"hash"}}"#;
    let once = cleaned(rules, r#"{"user_id":"c-42"}"#);
    assert_ne!(cleaned(rules, &once), once);
    let again = PrivacyRules::read(Some(rules), Some(KEY)).unwrap().again();
    assert_eq!(again.clean(&once, SUBJECT), once);
    assert_eq!(again.clean(r#"{"user_id":"c-42"}"#, SUBJECT), once);
}

#[test]
fn fingerprint_tells_rules_and_keys_apart_and_no_secret() {
    let of = |rules: &str, key: Option<&str>| {
        PrivacyRules::read(Some(rules), key).unwrap().fingerprint()
    };
    let all = [
        of("{}", None),
        of("{}", Some(KEY)),
        of("{}", Some(&KEY.to_uppercase())),
        of(r#"{"mask_texts":false}"#, Some(KEY)),
    ];
    for (position, one) in all.iter().enumerate() {
        assert!(!one.contains(KEY));
        assert!(!all[position + 1..].contains(one), "{one}");
    }
    assert_eq!(of(" {} ", None), all[0]);
}

#[test]
fn name_written_with_escapes_is_the_same_name() {
    let rules = r#"{"fields":{"user_id":"drop"}}"#;
    assert_eq!(
        cleaned(rules, r#"{"user\u005fid":"Jo"}"#),
        r#"{"user\u005fid":null}"#
    );
    assert_eq!(
        cleaned("{}", r#"{"page_title":"jo\u0040x.example"}"#),
        r#"{"page_title":"[email]"}"#
    );
}

#[test]
fn nobody_is_known_by_name_without_consent() {
    let subject = Subject {
        keeps_user_id: false,
        ..SUBJECT
    };
    let cleaned = PrivacyRules::default();
    assert_eq!(
        cleaned.clean(r#"{"user_id":"c-42","a":1}"#, subject),
        r#"{"user_id":null,"a":1}"#
    );
    let elsewhere = r#"{"userId":"c-42","extra":{"user_id":{"is":"c-42"},"user-id":[42]},"properties":{"CustomerID":42,"user_ids":1,"userid2":1}}"#;
    let expected = r#"{"userId":null,"extra":{"user_id":null,"user-id":null},"properties":{"CustomerID":null,"user_ids":1,"userid2":1}}"#;
    assert_eq!(cleaned.clean(elsewhere, subject), expected);
    assert_eq!(cleaned.clean(elsewhere, SUBJECT), elsewhere);
    let refused = cleaned.clean_refused(elsewhere.as_bytes(), subject);
    assert_eq!(std::str::from_utf8(&refused).unwrap(), expected);
}

#[test]
fn customer_known_by_address_is_hashed_or_without_a_key_unknown() {
    let text = r#"{"user_id":"jo@x.example"}"#;
    let hashed = cleaned("{}", text);
    assert!(!hashed.contains("jo@") && hashed.len() > 64, "{hashed}");
    let without_key = PrivacyRules::default();
    assert_eq!(without_key.clean(text, SUBJECT), r#"{"user_id":""}"#);
}

#[test]
fn placeholder_is_not_hashed_into_a_customer() {
    let rules = r#"{"fields":{"user_id":"hash","transaction_id":"hash"}}"#;
    for placeholder in [
        r#""undefined""#,
        r#""null""#,
        r#""""#,
        "0",
        r#""{{ customer.id }}""#,
    ] {
        let text = format!(r#"{{"user_id":{placeholder},"transaction_id":{placeholder}}}"#);
        let expected = r#"{"user_id":null,"transaction_id":null}"#;
        assert_eq!(cleaned(rules, &text), expected);
    }
}

#[test]
fn addresses_within_texts_are_cleaned() {
    for (text, expected) in [
        (
            "Failed to fetch https://a.example/api?email=jo&page=2 (404)",
            "Failed to fetch https://a.example/api?page=2 (404)",
        ),
        ("/reset?token=1", "/reset"),
        ("//a.example/?token=1", "//a.example/"),
        (" https://a.example/?token=1", " https://a.example/"),
        ("and/or? #1", "and/or? #1"),
    ] {
        let text = format!(r#"{{"properties":{{"message":"{text}"}}}}"#);
        let expected = format!(r#"{{"properties":{{"message":"{expected}"}}}}"#);
        assert_eq!(cleaned("{}", &text), expected);
    }
}

#[test]
fn escapes_hide_nobody() {
    for (text, expected) in [
        (
            r#"{"page_url":"https://a.example/u/jo%40x%2Eexample/?q=jo%2540x.example&utm_term=4111%201111%201111+1111"}"#,
            r#"{"page_url":"https://a.example/u/redacted/?q=redacted&utm_term=redacted"}"#,
        ),
        (r#"{"user_id":"jo%40x%2Eexample"}"#, r#"{"user_id":""}"#),
    ] {
        let rules = PrivacyRules::default();
        assert_eq!(rules.clean(text, SUBJECT), expected);
    }
}

#[test]
fn what_was_refused_is_masked_outside_of_quotes_too() {
    let rules = PrivacyRules::default();
    for (text, expected) in [
        (
            "{'email': 'jo@x.example','card':'4111111111111111'}",
            "{'email': '[email]','card':'[card]'}",
        ),
        (
            r#"{"n":4111111111111111,"t":52.52000659999}"#,
            r#"{"n":"[card]","t":52.52000659999}"#,
        ),
        (
            r#"{"n":4111.1111.1111.1111,"t":1"#,
            r#"{"n":"[card]","t":1"#,
        ),
        (
            r#"{"a":"x,"b":"jo@x.example"}"#,
            r#"{"a":"x,"b":"[email]"}"#,
        ),
        (
            r#"{"a":"jo\u0040x.example \ud83c \q"}"#,
            "{\"a\":\"[email] \u{fffd} q\"}",
        ),
    ] {
        let cleaned = rules.clean_refused(text.as_bytes(), SUBJECT);
        assert_eq!(std::str::from_utf8(&cleaned).unwrap(), expected);
    }
}

#[test]
fn number_of_an_order_is_no_card() {
    let text = r#"{"transaction_id":"4111111111111111","item_id":"jo@x.example"}"#;
    let expected = r#"{"transaction_id":"4111111111111111","item_id":"[email]"}"#;
    assert_eq!(cleaned("{}", text), expected);
}

#[test]
fn masking_can_be_switched_off() {
    let text = r#"{"search_term":"jo@x.example"}"#;
    assert_eq!(cleaned(r#"{"mask_texts":false}"#, text), text);
}

#[test]
fn text_that_is_no_json_is_cleaned_too() {
    assert_eq!(
        cleaned(
            "{}",
            r#"{"page_url":"https://a.example/?token=1","x":NaN,"y":"jo@x.example"#
        ),
        r#"{"page_url":"https://a.example/","x":NaN,"y":"[email]"#
    );
    let bytes = b"\"\xff jo@x.example\"";
    let cleaned = PrivacyRules::default();
    assert_eq!(
        cleaned.clean_refused(bytes, SUBJECT).as_ref(),
        "\"\u{fffd} [email]\"".as_bytes()
    );
    assert_eq!(
        cleaned.clean_refused(b"\"\xff\"", SUBJECT).as_ref(),
        b"\"\xff\""
    );
}

#[test]
fn rule_that_would_refuse_every_event_is_refused() {
    for (rules, key, variable) in [
        (r#"{"fields":{"seq":"drop"}}"#, Some(KEY), VARIABLE),
        (r#"{"fields":{"items.price":"drop"}}"#, Some(KEY), VARIABLE),
        (r#"{"fields":{"anonymous_id":"drop"}}"#, Some(KEY), VARIABLE),
        (r#"{"fields":{"user_id":"keep out"}}"#, Some(KEY), VARIABLE),
        (r#"{"fields":{"user_id":["keep"]}}"#, Some(KEY), VARIABLE),
        (r#"{"field":{}}"#, Some(KEY), VARIABLE),
        (
            r#"{"fields":{"user_id":"hash"}}"#,
            None,
            "SHOPTRAIL_HASH_KEY",
        ),
        ("{}", Some("short"), "SHOPTRAIL_HASH_KEY"),
    ] {
        let error = PrivacyRules::read(Some(rules), key).unwrap_err();
        assert_eq!(error.variable, variable, "{rules}");
    }
    let hashed = r#"{"fields":{"anonymous_id":"hash"}}"#;
    assert!(PrivacyRules::read(Some(hashed), Some(KEY)).is_ok());
}

#[test]
fn names_and_numbers_of_properties_are_masked_and_stay_apart() {
    let text = r#"{"event_timestamp":1795392000000,"user_id":4111111111111111,"properties":{"jo@x.example":1,"amy@x.example":2,"card":4111111111111111,"same":4111111111111111.0,"too":4.111111111111111e15,"price":19.99}}"#;
    assert_eq!(
        cleaned("{}", text),
        r#"{"event_timestamp":1795392000000,"user_id":4111111111111111,"properties":{"[email] 1":1,"[email] 2":2,"card":"[card]","same":"[card]","too":"[card]","price":19.99}}"#
    );
    assert_eq!(cleaned(r#"{"mask_texts":false}"#, text), text);
}

#[test]
fn orders_that_go_by_addresses_stay_apart_and_none_is_kept() {
    let order = |id: &str| format!(r#"{{"transaction_id":"{id}"}}"#);
    let (jo, amy) = (
        cleaned("{}", &order("jo@x.example")),
        cleaned("{}", &order("amy@x.example")),
    );
    assert_ne!(jo, amy);
    assert!(!jo.contains("example"), "{jo}");
    let without_key = PrivacyRules::default();
    assert_eq!(
        without_key.clean(&order("jo@x.example"), SUBJECT),
        order("")
    );
}

#[test]
fn object_is_no_id_to_hash() {
    let rules = r#"{"fields":{"user_id":"hash"}}"#;
    for value in ["{}", "[1]", "false", r#""undefined""#] {
        let text = format!(r#"{{"user_id":{value}}}"#);
        assert_eq!(cleaned(rules, &text), r#"{"user_id":null}"#);
    }
}

#[test]
fn bytes_whose_fields_cannot_be_told_apart_are_withheld() {
    let rules = PrivacyRules::read(Some(r#"{"fields":{"demographics":"drop"}}"#), None).unwrap();
    let unnamed = Subject {
        keeps_user_id: false,
        ..SUBJECT
    };
    for bytes in [
        r#"{user_id:"c-42","seq":}"#,
        r"{'user_id':'c-42'}",
        r"{'userId':'c-42'}",
        r#"{"user_id"="c-42"}"#,
        r#"{"seq":","user_id":"c-42"}"#,
        r#"{demographics:{"gender":"f"}}"#,
    ] {
        let kept = rules.clean_refused(bytes.as_bytes(), unnamed);
        let kept = std::str::from_utf8(&kept).unwrap();
        assert!(kept.contains("withheld"), "{bytes} left {kept}");
    }
    let told_apart = r#"{"user_id":"c-42","seq":01}"#;
    assert_eq!(
        rules.clean_refused(told_apart.as_bytes(), unnamed).as_ref(),
        br#"{"user_id":null,"seq":01}"#
    );
}
