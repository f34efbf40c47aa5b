//! Reads device, browser and operating system from a user agent string, by the product tokens that browsers put in it.
//!
//! Three families are all that the tables use. Libraries for it (`woothee`, `ua-parser`) rest on dozens of regular
//! expressions: `woothee` alone made the Worker three times as large (401 kB more, compressed), and its unwraps would stand
//! in the request path. So this is a table, read from the top: a browser that imitates another comes before it.
//! Source: MDN, "Browser detection using the user agent string".

use shoptrail_schemas::Device;

use super::programs;

/// What a user agent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentFamily {
    /// The kind of device.
    pub device: Device,
    /// The browser's family, or `other`.
    pub browser: &'static str,
    /// The operating system's family, or `other`.
    pub os: &'static str,
    /// Whether it says that it is a crawler or another program, not a person's browser.
    pub is_program: bool,
}

const OTHER: &str = "other";

/// Longest part that is looked at; real ones have 100 to 300 bytes.
const MAX_BYTES: usize = 1024;

const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPiOS/", "Opera"),
    ("Opera", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
    ("Safari/", "Safari"),
    // Views inside apps on Apple's devices name the engine alone.
    ("AppleWebKit/", "Safari"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("iPhone", "iOS"),
    ("iPod", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// Reads a user agent; an empty one is all `other`.
#[must_use]
pub fn read(user_agent: &str) -> AgentFamily {
    let text = beginning(user_agent);
    let is_program = programs::is_program(text);
    let os = first(SYSTEMS, text);
    AgentFamily {
        device: device(text, os, is_program),
        browser: first(BROWSERS, text),
        os,
        is_program,
    }
}

/// The part that is looked at.
pub fn beginning(user_agent: &str) -> &str {
    let end = user_agent.floor_char_boundary(MAX_BYTES);
    user_agent.get(..end).unwrap_or_default()
}

fn first(table: &[(&str, &'static str)], text: &str) -> &'static str {
    table
        .iter()
        .find(|(token, _)| text.contains(token))
        .map_or(OTHER, |(_, family)| family)
}

/// Android's browsers say `Mobile` on phones only. Safari on an iPad says that it is a Mac, unless told otherwise.
fn device(text: &str, os: &str, is_program: bool) -> Device {
    let television = ["TV", "PlayStation", "Xbox", "Nintendo"]
        .iter()
        .any(|name| text.contains(name));
    match os {
        _ if television || is_program => Device::Other,
        "iPadOS" => Device::Tablet,
        "iOS" => Device::Mobile,
        "Android" if text.contains("Mobile") => Device::Mobile,
        "Android" => Device::Tablet,
        "Windows" if text.contains("Windows Phone") => Device::Mobile,
        "Windows" | "macOS" | "Linux" | "ChromeOS" => Device::Desktop,
        // Firefox for Android names no system on request of the page: `Mozilla/5.0 (Mobile; rv:…)`.
        _ if text.contains("Mobile") => Device::Mobile,
        _ => Device::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_by_device_browser_and_system() {
        for (user_agent, device, browser, os) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                Device::Desktop,
                "Chrome",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
                Device::Desktop,
                "Edge",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 OPR/125.0.0.0",
                Device::Desktop,
                "Opera",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
                Device::Desktop,
                "Internet Explorer",
                "Windows",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                Device::Desktop,
                "Safari",
                "macOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:141.0) Gecko/20100101 Firefox/141.0",
                Device::Desktop,
                "Firefox",
                "macOS",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
                Device::Desktop,
                "Chrome",
                "Linux",
            ),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                Device::Desktop,
                "Chrome",
                "ChromeOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
                Device::Mobile,
                "Safari",
                "iOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.0.0 Mobile/15E148 Safari/604.1",
                Device::Mobile,
                "Chrome",
                "iOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
                Device::Mobile,
                "Safari",
                "iOS",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
                Device::Tablet,
                "Safari",
                "iPadOS",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                Device::Mobile,
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                Device::Tablet,
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                Device::Mobile,
                "Chrome",
                "Android",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                Device::Mobile,
                "Samsung Internet",
                "Android",
            ),
            (
                "Mozilla/5.0 (Android 14; Mobile; rv:141.0) Gecko/141.0 Firefox/141.0",
                Device::Mobile,
                "Firefox",
                "Android",
            ),
            (
                "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager",
                Device::Other,
                "Chrome",
                "Linux",
            ),
            ("", Device::Other, "other", "other"),
        ] {
            let expected = AgentFamily {
                device,
                browser,
                os,
                is_program: false,
            };
            assert_eq!(read(user_agent), expected, "{user_agent}");
        }
    }

    #[test]
    fn program_has_no_device() {
        let client =
            read("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)");
        assert_eq!((client.is_program, client.device), (true, Device::Other));
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(read(&"ü".repeat(1_000)).browser, "other");
    }
}
