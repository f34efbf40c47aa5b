//! Client Hints: what Chromium's browsers say of themselves in headers of their own, before their user agents, which are
//! frozen and imitate each other. Source: W3C, "User-Agent Client Hints".

use shoptrail_schemas::Device;

/// The hints that every request has, as they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClientHints<'a> {
    /// `Sec-CH-UA`: brands with versions.
    pub brands: Option<&'a str>,
    /// `Sec-CH-UA-Mobile`: `?1` or `?0`.
    pub mobile: Option<&'a str>,
    /// `Sec-CH-UA-Platform`: a quoted name.
    pub platform: Option<&'a str>,
}

/// From the narrowest brand to the widest: a browser lists those that it is compatible with, too.
const BROWSERS: &[(&str, &str)] = &[
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("YaBrowser", "Yandex Browser"),
    ("Samsung Internet", "Samsung Internet"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Brave", "Brave"),
    ("Google Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome"),
];

const PLATFORMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("macOS", "macOS"),
    ("iOS", "iOS"),
    ("Android", "Android"),
    ("Chrome OS", "ChromeOS"),
    ("Chromium OS", "ChromeOS"),
    ("Linux", "Linux"),
];

impl ClientHints<'_> {
    /// Returns the browser's family, if a brand names one.
    #[must_use]
    pub fn browser(&self) -> Option<&'static str> {
        let brands = self.brands?;
        let named = |brand: &str| brands.split('"').any(|part| part == brand);
        let found = BROWSERS.iter().find(|(brand, _)| named(brand))?;
        Some(found.1)
    }

    /// Whether a browser without a window says so.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.brands
            .is_some_and(|brands| brands.contains("Headless"))
    }

    /// Returns the operating system's family.
    #[must_use]
    pub fn os(&self) -> Option<&'static str> {
        let platform = self.platform?.trim().trim_matches('"');
        let found = PLATFORMS.iter().find(|(name, _)| *name == platform)?;
        Some(found.1)
    }

    /// Returns the kind of device: Android's browsers are mobile on phones only.
    #[must_use]
    pub fn device(&self) -> Option<Device> {
        match (self.mobile?.trim(), self.os()) {
            ("?1", _) => Some(Device::Mobile),
            ("?0", Some("Android")) => Some(Device::Tablet),
            ("?0", Some("Windows" | "macOS" | "Linux" | "ChromeOS")) => Some(Device::Desktop),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        brands: &str,
        mobile: &str,
        platform: &str,
    ) -> (Option<&'static str>, Option<&'static str>, Option<Device>) {
        let hints = ClientHints {
            brands: Some(brands),
            mobile: Some(mobile),
            platform: Some(platform),
        };
        (hints.browser(), hints.os(), hints.device())
    }

    #[test]
    fn browser_is_its_own_brand_not_one_that_it_is_compatible_with() {
        let edge = r#""Chromium";v="142", "Microsoft Edge";v="142", "Not_A Brand";v="99""#;
        assert_eq!(
            read(edge, "?0", "\"Windows\""),
            (Some("Edge"), Some("Windows"), Some(Device::Desktop))
        );
        let chrome = r#""Google Chrome";v="142", "Not_A Brand";v="99", "Chromium";v="142""#;
        assert_eq!(
            read(chrome, "?1", "\"Android\""),
            (Some("Chrome"), Some("Android"), Some(Device::Mobile))
        );
    }

    #[test]
    fn tablet_is_an_android_that_is_not_mobile() {
        let brave = r#""Brave";v="142", "Chromium";v="142""#;
        assert_eq!(
            read(brave, "?0", "\"Android\""),
            (Some("Brave"), Some("Android"), Some(Device::Tablet))
        );
    }

    #[test]
    fn hint_that_says_nothing_known_says_nothing() {
        assert_eq!(
            read(r#""Chromium";v="142""#, "?2", "\"Unknown\""),
            (None, None, None)
        );
        assert_eq!(ClientHints::default().device(), None);
    }
}
