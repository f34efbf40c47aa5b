//! The channel that brought a shopper, by GA4's default channel group.
//!
//! Source: Google Analytics Help, "Default channel group" (support.google.com/analytics/answer/9756891). The rules are
//! tried in its order; texts are compared in lower case.

use serde::{Deserialize, Serialize};

use super::ReferrerKind;
use super::campaign::Campaign;
use super::referrer::Referrer;
use super::rules::ShopRules;
use super::source;

/// A channel of GA4's default channel group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// A typed address, a bookmark, or a visit that goes on.
    Direct,
    /// A campaign over several of Google's networks.
    #[serde(rename = "Cross-network")]
    CrossNetwork,
    /// Paid links on shopping sites.
    #[serde(rename = "Paid Shopping")]
    PaidShopping,
    /// Paid links of search engines.
    #[serde(rename = "Paid Search")]
    PaidSearch,
    /// Paid links on social networks.
    #[serde(rename = "Paid Social")]
    PaidSocial,
    /// Paid links on video sites.
    #[serde(rename = "Paid Video")]
    PaidVideo,
    /// Display advertising.
    Display,
    /// Other paid links.
    #[serde(rename = "Paid Other")]
    PaidOther,
    /// Links on shopping sites.
    #[serde(rename = "Organic Shopping")]
    OrganicShopping,
    /// Links on social networks.
    #[serde(rename = "Organic Social")]
    OrganicSocial,
    /// Links on video sites.
    #[serde(rename = "Organic Video")]
    OrganicVideo,
    /// Results of search engines.
    #[serde(rename = "Organic Search")]
    OrganicSearch,
    /// Links on other sites.
    Referral,
    /// Links in mails.
    Email,
    /// Links of affiliates.
    Affiliates,
    /// Links in audio programmes.
    Audio,
    /// Links in text messages.
    #[serde(rename = "SMS")]
    Sms,
    /// Links in push notifications.
    #[serde(rename = "Mobile Push Notifications")]
    MobilePushNotifications,
    /// A campaign that no rule knows.
    Unassigned,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 19] = [
        Self::Direct,
        Self::CrossNetwork,
        Self::PaidShopping,
        Self::PaidSearch,
        Self::PaidSocial,
        Self::PaidVideo,
        Self::Display,
        Self::PaidOther,
        Self::OrganicShopping,
        Self::OrganicSocial,
        Self::OrganicVideo,
        Self::OrganicSearch,
        Self::Referral,
        Self::Email,
        Self::Affiliates,
        Self::Audio,
        Self::Sms,
        Self::MobilePushNotifications,
        Self::Unassigned,
    ];

    /// Returns the channel's name, as GA4 writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "Direct",
            Self::CrossNetwork => "Cross-network",
            Self::PaidShopping => "Paid Shopping",
            Self::PaidSearch => "Paid Search",
            Self::PaidSocial => "Paid Social",
            Self::PaidVideo => "Paid Video",
            Self::Display => "Display",
            Self::PaidOther => "Paid Other",
            Self::OrganicShopping => "Organic Shopping",
            Self::OrganicSocial => "Organic Social",
            Self::OrganicVideo => "Organic Video",
            Self::OrganicSearch => "Organic Search",
            Self::Referral => "Referral",
            Self::Email => "Email",
            Self::Affiliates => "Affiliates",
            Self::Audio => "Audio",
            Self::Sms => "SMS",
            Self::MobilePushNotifications => "Mobile Push Notifications",
            Self::Unassigned => "Unassigned",
        }
    }
}

/// Names the channel of an event. A campaign goes before the referrer.
pub(super) fn of(campaign: &Campaign, referrer: &Referrer, rules: &ShopRules) -> Channel {
    if campaign.is_tagged() {
        return of_campaign(campaign, rules);
    }
    match referrer.kind {
        kind if !kind.begins_a_visit() => Channel::Direct,
        // GA4 knows no mail programs: only a shop's own rules make them the channel Email.
        ReferrerKind::Email if !given_by_shop(referrer, rules) => Channel::Referral,
        ReferrerKind::Search => Channel::OrganicSearch,
        kind => tagged("", "referral", "", Some(kind)),
    }
}

/// Names the channel of a campaign, which depends on nothing else.
fn of_campaign(campaign: &Campaign, rules: &ShopRules) -> Channel {
    // The names that the rules know are ASCII.
    let lower = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let source = lower(&campaign.source);
    let kind = source::kind(&source, rules);
    tagged(
        &source,
        &lower(&campaign.medium),
        &lower(&campaign.name),
        kind,
    )
}

fn given_by_shop(referrer: &Referrer, rules: &ShopRules) -> bool {
    let host = referrer.host.as_deref().unwrap_or_default();
    rules.category(host).is_some()
}

/// The channel of a campaign, by the rules in their order. All texts are in lower case.
fn tagged(source: &str, medium: &str, campaign: &str, kind: Option<ReferrerKind>) -> Channel {
    let is = |wanted| kind == Some(wanted);
    if source == "(direct)" && matches!(medium, "" | "(none)" | "(not set)") {
        Channel::Direct
    } else if campaign.contains("cross-network") {
        Channel::CrossNetwork
    } else if is_paid(medium) {
        paid(medium, campaign, kind)
    } else if is_display(medium) {
        Channel::Display
    } else if is(ReferrerKind::Shopping) || names_shopping(campaign) {
        Channel::OrganicShopping
    } else if is(ReferrerKind::Social) || is_social(medium) {
        Channel::OrganicSocial
    } else if is(ReferrerKind::Video) || medium.contains("video") {
        Channel::OrganicVideo
    } else if is(ReferrerKind::Search) || medium == "organic" {
        Channel::OrganicSearch
    } else if is(ReferrerKind::Email) || is_email(source) || is_email(medium) {
        Channel::Email
    } else {
        other(source, medium)
    }
}

fn paid(medium: &str, campaign: &str, kind: Option<ReferrerKind>) -> Channel {
    match kind {
        Some(ReferrerKind::Shopping) => Channel::PaidShopping,
        _ if names_shopping(campaign) => Channel::PaidShopping,
        Some(ReferrerKind::Search) => Channel::PaidSearch,
        Some(ReferrerKind::Social) => Channel::PaidSocial,
        Some(ReferrerKind::Video) => Channel::PaidVideo,
        _ if is_display(medium) => Channel::Display,
        _ => Channel::PaidOther,
    }
}

fn other(source: &str, medium: &str) -> Channel {
    if matches!(medium, "referral" | "app" | "link") {
        Channel::Referral
    } else if matches!(medium, "affiliate" | "affiliates") {
        Channel::Affiliates
    } else if medium == "audio" {
        Channel::Audio
    } else if source == "sms" || medium == "sms" {
        Channel::Sms
    } else if medium.ends_with("push")
        || medium.contains("mobile")
        || medium.contains("notification")
        || source == "firebase"
    {
        Channel::MobilePushNotifications
    } else {
        Channel::Unassigned
    }
}

/// GA4: `^(.*cp.*|ppc|retargeting|paid.*)$`.
fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || matches!(medium, "ppc" | "retargeting") || medium.starts_with("paid")
}

fn is_display(medium: &str) -> bool {
    matches!(
        medium,
        "display" | "banner" | "expandable" | "interstitial" | "cpm"
    )
}

fn is_social(medium: &str) -> bool {
    matches!(
        medium,
        "social" | "social-network" | "social-media" | "sm" | "social network" | "social media"
    )
}

fn is_email(text: &str) -> bool {
    matches!(text, "email" | "e-mail" | "e_mail" | "e mail")
}

/// GA4: `^(.*(([^a-df-z]|^)shop|shopping).*)$`.
fn names_shopping(campaign: &str) -> bool {
    if campaign.contains("shopping") {
        return true;
    }
    campaign.match_indices("shop").any(|(position, _)| {
        let before = campaign
            .get(..position)
            .and_then(|before| before.chars().next_back());
        before.is_none_or(|letter| !matches!(letter, 'a'..='d' | 'f'..='z'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address;
    use crate::derive::{campaign, referrer};

    fn channel_of(page: &str, from: Option<&str>) -> &'static str {
        let rules = ShopRules::default();
        let page = address::parse(page).unwrap();
        let referrer = referrer::read(from, &page.host, &rules);
        of(&campaign::read(&page), &referrer, &rules).as_str()
    }

    fn tagged_as(parameters: &str) -> &'static str {
        channel_of(
            &format!("https://shop.example/?{parameters}"),
            Some("https://blog.example/"),
        )
    }

    #[test]
    fn name_is_the_same_in_json_and_text() {
        for channel in Channel::ALL {
            assert_eq!(
                serde_json::to_value(channel).unwrap(),
                serde_json::json!(channel.as_str())
            );
        }
    }

    #[test]
    fn campaigns_follow_the_published_rules() {
        for (parameters, channel) in [
            ("utm_source=facebook&utm_medium=paid-social", "Paid Social"),
            ("utm_source=tiktok&utm_medium=paidsocial", "Paid Social"),
            ("utm_source=fb&utm_medium=paid", "Paid Social"),
            ("utm_source=ig&utm_medium=cpc", "Paid Social"),
            ("utm_source=google&utm_medium=cpa", "Paid Search"),
            ("utm_source=google&utm_medium=paid_search", "Paid Search"),
            ("utm_source=news&utm_medium=e_mail", "Email"),
            ("utm_source=email", "Email"),
            (
                "utm_source=blog&utm_medium=social%20media",
                "Organic Social",
            ),
            ("utm_source=facebook&utm_medium=cpc", "Paid Social"),
            ("utm_source=google&utm_medium=cpc", "Paid Search"),
            ("utm_source=Google&utm_medium=CPC", "Paid Search"),
            ("utm_source=partner&utm_medium=cpc", "Paid Other"),
            ("utm_source=partner&utm_medium=cpm", "Display"),
            ("utm_source=google&utm_medium=cpm", "Paid Search"),
            ("utm_source=youtube.com&utm_medium=cpv-cpc", "Paid Video"),
            ("utm_source=x&utm_medium=display", "Display"),
            (
                "utm_source=x&utm_medium=cpc&utm_campaign=autumn-shopping",
                "Paid Shopping",
            ),
            ("utm_source=x1&utm_campaign=shop-sale", "Organic Shopping"),
            ("utm_source=x1&utm_campaign=workshop", "Unassigned"),
            ("utm_source=x1&utm_campaign=eshop", "Organic Shopping"),
            ("utm_source=x1&utm_campaign=cross-network", "Cross-network"),
            ("utm_source=x1&utm_medium=organic", "Organic Search"),
            ("utm_source=x1&utm_medium=video", "Organic Video"),
            ("utm_source=x1&utm_medium=referral", "Referral"),
            ("utm_source=x1&utm_medium=affiliate", "Affiliates"),
            ("utm_source=x1&utm_medium=audio", "Audio"),
            ("utm_source=x1&utm_medium=sms", "SMS"),
            ("utm_source=x1&utm_medium=push", "Mobile Push Notifications"),
            (
                "utm_source=x1&utm_medium=web-notification",
                "Mobile Push Notifications",
            ),
            ("utm_source=firebase", "Mobile Push Notifications"),
            ("utm_source=x1&utm_medium=newsletter", "Unassigned"),
            ("utm_source=(direct)", "Direct"),
            ("gclid=1", "Paid Search"),
            ("msclkid=1", "Paid Search"),
            ("ttclid=1", "Paid Social"),
            ("dclid=1", "Display"),
            ("fbclid=1", "Organic Social"),
        ] {
            assert_eq!(tagged_as(parameters), channel, "{parameters}");
        }
    }

    #[test]
    fn referrers_name_the_channel_where_no_campaign_does() {
        for (from, channel) in [
            ("https://www.google.de/", "Organic Search"),
            (
                "android-app://com.google.android.googlequicksearchbox/",
                "Organic Search",
            ),
            ("android-app://com.google.android.gm/", "Referral"),
            ("https://accounts.google.com/", "Direct"),
            ("https://docs.google.com/", "Referral"),
            ("https://pay.google.com/", "Direct"),
            ("https://mail.yahoo.com/", "Referral"),
            ("https://mail.google.com/", "Referral"),
            ("https://m.facebook.com/", "Organic Social"),
            ("https://www.youtube.com/", "Organic Video"),
            ("https://www.idealo.de/", "Organic Shopping"),
            ("https://blog.example/", "Referral"),
            ("https://www.paypal.com/", "Direct"),
            ("https://checkout.shop.example/", "Direct"),
        ] {
            assert_eq!(
                channel_of("https://shop.example/", Some(from)),
                channel,
                "{from}"
            );
        }
        assert_eq!(channel_of("https://shop.example/", None), "Direct");
    }

    #[test]
    fn shops_own_rules_make_a_mail_program_the_channel_email() {
        let rules: ShopRules =
            serde_json::from_str(r#"{"sources":{"mail.google.com":"email"}}"#).unwrap();
        let referrer = referrer::read(Some("https://mail.google.com/"), "shop.example", &rules);
        assert_eq!(of(&Campaign::default(), &referrer, &rules), Channel::Email);
    }
}
