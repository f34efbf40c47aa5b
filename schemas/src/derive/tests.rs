//! What one event tells, as a whole.

use super::*;
use crate::validate;

const NOW: i64 = 1_795_392_000_000;

fn event_with(fields: &str) -> String {
    format!(
        r#"{{"event_id":"01a205b3-d000-7000-8000-000000000001","event_type":"page_view","event_timestamp":{NOW},"seq":1,"anonymous_id":"v","session_id":"s","page_url":"https://www.shop.example/p?gclid=g","consent":{{"analytics":"granted","ads":"not_asked"}}{fields}}}"#
    )
}

fn request(gpc: bool, received_at: i64, sent_at: i64) -> Request<'static> {
    Request {
        shop_id: "demo",
        gpc,
        clock: Clock::new(received_at, sent_at),
    }
}

fn derived(fields: &str, request: &Request<'_>) -> Derived {
    let text = event_with(fields);
    let valid = validate::event(&text, None).unwrap();
    let derived = event(&valid.facts(), request, &Rules::default());
    let typed = valid.to_event().unwrap();
    assert_eq!(event(&typed.facts(), request, &Rules::default()), derived);
    derived
}

#[test]
fn page_campaign_and_referrer_stand_flat() {
    let derived = derived(
        r#","referrer_url":"https://www.google.com/""#,
        &request(false, NOW + 100, NOW + 50),
    );
    assert_eq!(derived.page_host, "shop.example");
    assert_eq!(derived.page_path, "/p");
    assert_eq!(derived.campaign_source.as_deref(), Some("google"));
    assert_eq!(derived.click_id_kind.as_deref(), Some("gclid"));
    assert_eq!(derived.referrer_host.as_deref(), Some("google.com"));
    assert_eq!(derived.referrer_kind, ReferrerKind::Search);
    assert_eq!(derived.channel, Channel::PaidSearch);
    assert_eq!((derived.event_time, derived.clock_corrected), (NOW, false));
    assert_eq!(derived.rules_version, RULES_VERSION);
}

#[test]
fn wrong_clock_is_corrected_and_said() {
    let off = 86_400_000;
    let derived = derived("", &request(false, NOW + off + 100, NOW + 50));
    assert_eq!(
        (derived.event_time, derived.clock_corrected),
        (NOW + off + 50, true)
    );
}

#[test]
fn amounts_are_minor_units_of_the_currency() {
    let derived = derived(
        r#","currency":"EUR","value":18.5,"tax":"1.90","shipping":0,"items":[
            {"item_id":"cheese","price":10,"quantity":1.85,"discount":0.5},{"item_id":"voucher","price":-10.38},{"item_id":"free"}]"#,
        &request(false, NOW, NOW),
    );
    assert_eq!(derived.value_minor, Some(1850));
    assert_eq!(
        (derived.tax_minor, derived.shipping_minor),
        (Some(190), Some(0))
    );
    let amounts = |price, discount, amount| ItemAmounts {
        price_minor: price,
        discount_minor: discount,
        amount_minor: amount,
    };
    assert_eq!(
        derived.item_amounts,
        [
            amounts(Some(1000), Some(50), Some(1850)),
            amounts(Some(-1038), None, Some(-1038)),
            amounts(None, None, None),
        ]
    );
}

#[test]
fn global_privacy_control_counts_more_than_the_page() {
    let said = derived("", &request(false, NOW, NOW));
    assert_eq!(
        (said.consent_analytics, said.consent_ads),
        (ConsentState::Granted, ConsentState::NotAsked)
    );
    let lowered = derived("", &request(true, NOW, NOW));
    assert_eq!(
        (lowered.consent_analytics, lowered.consent_ads),
        (ConsentState::Denied, ConsentState::Denied)
    );
}

/// Tables are cut by the bucket: these values may never change.
#[test]
fn visitors_bucket_is_stable_and_spreads() {
    assert_eq!(visitor_bucket("", ""), 2);
    assert_eq!(visitor_bucket("demo", "visitor"), 38);
    assert_eq!(visitor_bucket("shop-ä", "v1"), 14);
    let mut counts = [0_u32; 64];
    for number in 0..64_000 {
        counts[usize::from(visitor_bucket("demo", &format!("visitor-{number}")))] += 1;
    }
    assert!(
        counts.iter().all(|count| (800..1_200).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn address_that_is_none_has_the_root_path() {
    let facts = Facts {
        anonymous_id: "v",
        event_timestamp: NOW,
        page_url: "nonsense",
        referrer_url: Some(""),
        currency: None,
        value: Some(1.0),
        tax: None,
        shipping: None,
        consent: Consent::default(),
        items: Vec::new(),
    };
    let derived = event(&facts, &request(false, NOW, NOW), &Rules::default());
    assert_eq!(
        (derived.page_host.as_str(), derived.page_path.as_str()),
        ("", "/")
    );
    assert_eq!(
        (derived.value_minor, derived.channel),
        (None, Channel::Direct)
    );
}

#[test]
fn event_tells_the_same_after_any_other() {
    let events = [
        r#","referrer_url":"https://www.google.com/""#,
        r#","referrer_url":"https://www.google.com/","user_id":"1""#,
        "",
        r#","referrer_url":"https://shop.example/a""#,
        r#","referrer_url":"https://blog.example/""#,
    ];
    let texts: Vec<String> = events
        .iter()
        .flat_map(|fields| {
            let other = event_with(fields).replace(
                "www.shop.example/p?gclid=g",
                "other.example/?utm_source=x&utm_medium=cpc",
            );
            [event_with(fields), other]
        })
        .collect();
    let rules = Rules::default();
    let request = request(false, NOW, NOW);
    for first in &texts {
        for second in &texts {
            let (first, second) = (
                validate::event(first, None).unwrap(),
                validate::event(second, None).unwrap(),
            );
            let mut deriver = Deriver::new(request, &rules);
            let _ = deriver.event(&first.facts());
            assert_eq!(
                deriver.event(&second.facts()),
                event(&second.facts(), &request, &rules)
            );
        }
    }
}
