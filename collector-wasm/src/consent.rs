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
            1 => Self::Cookieless,
            2 => Self::Full,
            _ => Self::Off,
        }
    }
}

/// What a visitor said about one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    NotAsked = 0,
    /// No.
    Denied = 1,
    /// Yes.
    Granted = 2,
}

impl From<u8> for Answer {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::NotAsked,
            2 => Self::Granted,
            _ => Self::Denied,
        }
    }
}

/// What the shop's tag allows.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// What may be done until the visitor chose.
    pub unasked: Mode,
    /// What may be done when the visitor refused: off or cookieless.
    pub refused: Mode,
}

/// Decides what counts of what a visitor said in this shop: the browser's Global Privacy Control is a no to everything. The
/// edge decides the same by `Sec-GPC`.
pub fn answer(global_privacy_control: bool, said: Answer) -> Answer {
    if global_privacy_control {
        Answer::Denied
    } else {
        said
    }
}

/// Decides what may be done by what counts.
pub fn mode(settings: Settings, analytics: Answer) -> Mode {
    match analytics {
        Answer::Granted => Mode::Full,
        Answer::Denied if settings.refused == Mode::Cookieless => Mode::Cookieless,
        Answer::Denied => Mode::Off,
        Answer::NotAsked => settings.unasked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings {
        unasked: Mode::Full,
        refused: Mode::Off,
    };

    #[test]
    fn the_setting_holds_until_the_visitor_chose() {
        for unasked in [Mode::Off, Mode::Cookieless, Mode::Full] {
            let settings = Settings {
                unasked,
                ..SETTINGS
            };
            assert_eq!(mode(settings, Answer::NotAsked), unasked);
            assert_eq!(mode(settings, Answer::Denied), Mode::Off);
            assert_eq!(mode(settings, Answer::Granted), Mode::Full);
        }
    }

    #[test]
    fn a_refusal_means_cookieless_where_the_shop_says_so() {
        let settings = |refused| Settings {
            refused,
            ..SETTINGS
        };
        let refused = |mode_of| mode(settings(mode_of), Answer::Denied);
        assert_eq!(refused(Mode::Cookieless), Mode::Cookieless);
        assert_eq!(
            refused(Mode::Full),
            Mode::Off,
            "a refusal never stores anything"
        );
    }

    #[test]
    fn privacy_control_is_a_refusal_whatever_was_said() {
        for said in [Answer::NotAsked, Answer::Denied, Answer::Granted] {
            assert_eq!(answer(true, said), Answer::Denied);
            assert_eq!(answer(false, said), said);
        }
    }

    #[test]
    fn unknown_numbers_are_the_strictest() {
        assert_eq!(Mode::from(7), Mode::Off);
        assert_eq!(Answer::from(7), Answer::Denied);
    }
}
