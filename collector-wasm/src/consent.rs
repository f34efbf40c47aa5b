//! Consent decides first: whether anything is sent, and whether anything is stored.

/// What the tracker may do, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is sent, nothing is stored.
    #[default]
    Off = 0,
    /// Events are sent with ids that live as long as the page; nothing is stored.
    Cookieless = 1,
    /// Ids, session and unsent events are kept in the browser.
    Full = 2,
}

impl From<u8> for Mode {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Off,
            1 => Self::Cookieless,
            _ => Self::Full,
        }
    }
}

/// What a visitor agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    analytics: bool,
    ads: bool,
}

impl Choice {
    /// Reads 1 for analytics plus 2 for advertising; a negative number is no choice.
    pub fn from_bits(bits: i8) -> Option<Self> {
        (bits >= 0).then_some(Self {
            analytics: bits & 1 != 0,
            ads: bits & 2 != 0,
        })
    }
}

/// The consent in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// What the tracker may do.
    pub mode: Mode,
    /// Whether the visitor agreed to advertising.
    pub ads: bool,
}

/// Decides the consent in force.
///
/// `setting`, from the shop's tag, holds until the visitor chose. The browser's Global Privacy Control lowers it to
/// cookieless at most, and rules out advertising whatever the visitor chose in this shop.
pub fn decide(setting: Mode, global_privacy_control: bool, choice: Option<Choice>) -> Consent {
    let mode = match choice {
        Some(Choice {
            analytics: true, ..
        }) => Mode::Full,
        Some(_) => Mode::Off,
        None if global_privacy_control && setting == Mode::Full => Mode::Cookieless,
        None => setting,
    };
    let ads =
        mode == Mode::Full && !global_privacy_control && choice.is_some_and(|choice| choice.ads);
    Consent { mode, ads }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(setting: Mode, global_privacy_control: bool, choice: i8) -> Mode {
        decide(setting, global_privacy_control, Choice::from_bits(choice)).mode
    }

    #[test]
    fn the_setting_holds_until_the_visitor_chose() {
        for setting in [Mode::Off, Mode::Cookieless, Mode::Full] {
            assert_eq!(mode(setting, false, -1), setting);
            assert_eq!(mode(setting, false, 0), Mode::Off);
            assert_eq!(mode(setting, false, 1), Mode::Full);
        }
    }

    #[test]
    fn privacy_control_lowers_the_setting_and_rules_out_ads() {
        assert_eq!(mode(Mode::Full, true, -1), Mode::Cookieless);
        assert_eq!(mode(Mode::Off, true, -1), Mode::Off);
        assert_eq!(mode(Mode::Off, true, 3), Mode::Full);
        assert!(decide(Mode::Full, false, Choice::from_bits(3)).ads);
        assert!(!decide(Mode::Full, true, Choice::from_bits(3)).ads);
        assert!(!decide(Mode::Full, false, Choice::from_bits(2)).ads);
    }
}
