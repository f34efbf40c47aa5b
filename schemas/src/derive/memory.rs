//! What the last event told of where its shopper came from. The events of a batch mostly tell the same, and finding it out
//! is most of the work of deriving.

use super::campaign::Campaign;
use super::channel::{self, Channel};
use super::referrer::{self, Referrer};
use super::rules::ShopRules;

/// The last answers under one set of rules.
#[derive(Debug, Default)]
pub(super) struct Memory {
    referrer: Option<KnownReferrer>,
    channel: Option<(Campaign, Channel)>,
}

#[derive(Debug)]
struct KnownReferrer {
    url: String,
    page_host: String,
    referrer: Referrer,
}

impl Memory {
    /// Reads a referrer's address; `page_host` is the host of the page it led to.
    pub(super) fn referrer(
        &mut self,
        url: Option<&str>,
        page_host: &str,
        rules: &ShopRules,
    ) -> Referrer {
        let Some(url) = url else {
            return referrer::read(None, page_host, rules);
        };
        if let Some(known) = &self.referrer
            && known.url == url
            && known.page_host == page_host
        {
            return known.referrer.clone();
        }
        let referrer = referrer::read(Some(url), page_host, rules);
        self.referrer = Some(KnownReferrer {
            url: url.to_owned(),
            page_host: page_host.to_owned(),
            referrer: referrer.clone(),
        });
        referrer
    }

    /// Names the channel of an event.
    pub(super) fn channel(
        &mut self,
        campaign: &Campaign,
        referrer: &Referrer,
        rules: &ShopRules,
    ) -> Channel {
        if !campaign.is_tagged() {
            return channel::of(campaign, referrer, rules);
        }
        match &self.channel {
            Some((known, channel)) if known == campaign => *channel,
            _ => {
                let channel = channel::of(campaign, referrer, rules);
                self.channel = Some((campaign.clone(), channel));
                channel
            }
        }
    }
}
