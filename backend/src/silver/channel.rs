//! The channel that brought a visitor, by the rules of GA4's default channel group, shortened to what an event shows.
//! Source: support.google.com/analytics/answer/9756891.

use super::page::Page;

const SEARCH_ENGINES: [&str; 9] = [
    "google",
    "bing",
    "duckduckgo",
    "yahoo",
    "ecosia",
    "baidu",
    "yandex",
    "startpage",
    "qwant",
];
const SOCIAL_NETWORKS: [&str; 12] = [
    "facebook",
    "instagram",
    "tiktok",
    "pinterest",
    "linkedin",
    "reddit",
    "youtube",
    "twitter",
    "x",
    "t",
    "threads",
    "snapchat",
];
const PAID_MEDIUMS: [&str; 6] = [
    "cpc",
    "ppc",
    "paid",
    "paidsearch",
    "paid_social",
    "retargeting",
];

/// Names the channel of a page view from its address and the host of its referrer.
pub fn channel(page: &Page, referrer_host: Option<&str>) -> &'static str {
    let outside = referrer_host.filter(|host| page.host.as_deref() != Some(*host));
    let source = page
        .source
        .as_deref()
        .or(outside)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let medium = page
        .medium
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let search = is_one_of(&source, &SEARCH_ENGINES);
    let social = is_one_of(&source, &SOCIAL_NETWORKS);
    let paid = page.paid_click || PAID_MEDIUMS.contains(&medium.as_str());
    match medium.as_str() {
        "email" | "e-mail" | "newsletter" => "Email",
        "affiliate" | "affiliates" => "Affiliates",
        "display" | "banner" | "cpm" => "Display",
        _ if paid && social => "Paid Social",
        _ if paid && (search || page.paid_click) => "Paid Search",
        _ if paid => "Paid Other",
        "social" | "social-network" | "sm" => "Organic Social",
        _ if social => "Organic Social",
        "organic" => "Organic Search",
        _ if search => "Organic Search",
        _ if source.is_empty() && medium.is_empty() => "Direct",
        _ => "Referral",
    }
}

/// Whether a host (`google.de`, `m.facebook.com`) or a campaign source (`google`) belongs to one of the names.
fn is_one_of(source: &str, names: &[&str]) -> bool {
    let labels: Vec<&str> = source.split('.').collect();
    match labels.as_slice() {
        [only] => names.contains(only),
        [rest @ .., _top_level] => rest.iter().any(|label| names.contains(label)),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel_of(address: &str, referrer: Option<&str>) -> &'static str {
        channel(&Page::read(address), referrer)
    }

    #[test]
    fn referrer_and_campaign_name_the_channel() {
        let plain = "https://shop.example/";
        assert_eq!(channel_of(plain, None), "Direct");
        assert_eq!(channel_of(plain, Some("shop.example")), "Direct");
        assert_eq!(channel_of(plain, Some("google.co.uk")), "Organic Search");
        assert_eq!(channel_of(plain, Some("m.facebook.com")), "Organic Social");
        assert_eq!(channel_of(plain, Some("blog.example")), "Referral");
        assert_eq!(
            channel_of("https://shop.example/?gclid=1", Some("google.com")),
            "Paid Search"
        );
        assert_eq!(
            channel_of(
                "https://shop.example/?utm_source=instagram&utm_medium=paid_social",
                None
            ),
            "Paid Social"
        );
        assert_eq!(
            channel_of(
                "https://shop.example/?utm_source=news&utm_medium=email",
                None
            ),
            "Email"
        );
        assert_eq!(
            channel_of(
                "https://shop.example/?utm_source=partner&utm_medium=cpc",
                None
            ),
            "Paid Other"
        );
    }
}
