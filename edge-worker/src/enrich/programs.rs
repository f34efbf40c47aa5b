//! Programs that say in their user agent that they are some: by words of our own, and by the names of a public list, which
//! `node edge-worker/programs.mjs` writes into `programs.txt`.

use std::sync::LazyLock;

/// Words that programs have in their names, in lower case. `+http` is how they say where to read about them.
const WORDS: &[&str] = &[
    "bot",
    "crawl",
    "spider",
    "+http",
    "bingpreview",
    "java/",
    "undici",
    "deno/",
    "bun/",
];

/// Makes phones.
const PHONES: &[&str] = &["cubot"];

struct Names {
    /// Sorted; none is in another.
    anywhere: Vec<&'static str>,
    /// Which hashes their beginnings have: few places of a user agent have one of those.
    beginnings: Vec<bool>,
    at_the_start: Vec<&'static str>,
}

/// The shortest name has as many bytes.
const BEGINNING: usize = 3;

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let lines = include_str!("programs.txt").lines();
    let (at_the_start, anywhere): (_, Vec<&str>) = lines
        .filter(|line| !line.starts_with('#'))
        .partition(|line| line.starts_with('^'));
    let mut beginnings = vec![false; 1 << 14];
    for name in &anywhere {
        let place = name.as_bytes().first_chunk().map(hash);
        if let Some(known) = place.and_then(|place| beginnings.get_mut(place)) {
            *known = true;
        }
    }
    Names {
        anywhere,
        beginnings,
        at_the_start,
    }
});

/// Returns a number of 14 bits.
fn hash([one, two, three]: &[u8; BEGINNING]) -> usize {
    usize::from(*one) ^ (usize::from(*two) << 3) ^ (usize::from(*three) << 6)
}

/// Whether a user agent names a program.
#[must_use]
pub fn is_program(user_agent: &str) -> bool {
    let lower = user_agent.to_ascii_lowercase();
    let is_phone = PHONES.iter().any(|name| lower.contains(name));
    if !is_phone && WORDS.iter().any(|word| lower.contains(word)) {
        return true;
    }
    NAMES
        .at_the_start
        .iter()
        .filter_map(|name| name.strip_prefix('^'))
        .any(|name| user_agent.starts_with(name))
        || (0..user_agent.len())
            .filter_map(|position| user_agent.get(position..))
            .any(begins_with_a_name)
}

/// Whether the text begins with a name. As none begins with another, only the last one that is not greater than the text can
/// be its beginning.
fn begins_with_a_name(text: &str) -> bool {
    let beginning = text.as_bytes().first_chunk().map(hash);
    let is_known = beginning.and_then(|place| NAMES.beginnings.get(place));
    if is_known != Some(&true) {
        return false;
    }
    let after = NAMES.anywhere.partition_point(|name| *name <= text);
    after
        .checked_sub(1)
        .and_then(|position| NAMES.anywhere.get(position))
        .is_some_and(|name| text.starts_with(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_none_begins_with_another() {
        for pair in NAMES.anywhere.windows(2) {
            assert!(
                pair[0] < pair[1] && !pair[1].starts_with(pair[0]),
                "{pair:?}"
            );
        }
        assert!(NAMES.anywhere.len() > 500 && !NAMES.at_the_start.is_empty());
    }

    #[test]
    fn programs_say_so() {
        for user_agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.162 Safari/537.36 DatadogSynthetics",
            "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/144.0.2 DatadogSynthetics",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.122 Mobile Safari/537.36 (compatible; GoogleOther)",
            "Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Prerender (+https://github.com/prerender/prerender)",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 PTST/250101.1",
            "Mozilla/5.0 (X11; Linux x86_64; Storebot-Google/1.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
            "Mozilla/5.0 (compatible; Baiduspider/2.0)",
            "facebookexternalhit/1.1",
            "WhatsApp/2.23.20.0",
            "curl/8.5.0",
            "python-requests/2.32.3",
            "Go-http-client/2.0",
            "Java/17.0.2",
        ] {
            assert!(is_program(user_agent), "{user_agent}");
        }
    }

    #[test]
    fn people_in_apps_and_on_odd_phones_are_people() {
        for user_agent in [
            "",
            "Mozilla/5.0 (Linux; Android 5.1; CUBOT_NOTE_S Build/LMY47I) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/59.0.3071.125 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22G86 [FBAN/FBIOS;FBAV/530.0.0.0;FBBV/1;FBDV/iPhone14,5;FBMD/iPhone;FBSN/iOS;FBSV/18.6;FBSS/3;FBCR/;FBID/phone;FBLC/de_DE;FBOP/80]",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Instagram 400.0.0.0.1 (iPhone14,5; iOS 18_6; de_DE; de; scale=3.00; 1170x2532; 1)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/388.0.1 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 14; SM-S911B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 musical_ly_2024 BytedanceWebview/d8a21c6",
            "Mozilla/5.0 (Linux; Android 14; SM-S911B; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50",
            "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/130.4.1 like Chrome/130.0.0.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Snapchat/13.50.0.40 (like Safari/8620.2.4, panda)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/15.10.0",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/125.0.0.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0",
        ] {
            assert!(!is_program(user_agent), "{user_agent}");
        }
    }
}
