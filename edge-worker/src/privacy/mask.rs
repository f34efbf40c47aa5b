//! E-mail addresses and card numbers in texts that people write.

use std::ops::Range;

/// Fewest digits of a card number, and more than the most.
const CARD_DIGITS: Range<usize> = 14..20;

/// What sets the groups of a number apart; the last two in addresses.
const SEPARATORS: [&str; 15] = [
    " ", "-", ".", "/", ",", "_", "\t", "\u{a0}", "\u{2009}", "\u{202f}", "\u{2011}", "\u{2013}",
    "\n", "+", "%20",
];

/// How an `@` is written beside itself and its escapes: as HTML does, and of full width.
const AT: [&str; 3] = ["&#64;", "&commat;", "\u{ff20}"];

/// Longest quoted name before an `@`.
const MAX_QUOTED: usize = 64;
/// Most separators between two groups of a number.
const MAX_SEPARATORS: usize = 3;
/// Longest word that a card number is found in: a longer one is a hash or an id that has such digits by chance.
const MAX_WORD: usize = 30;

/// Returns the text with what was found masked, or nothing if nothing was.
pub fn clean(text: &str) -> Option<String> {
    may_find(text)
        .then(|| clean_with(text, "[email]", "[card]"))
        .flatten()
}

/// Whether it is worth looking: most texts have neither an `@` nor the digits of a card. One pass tells.
pub fn may_find(text: &str) -> bool {
    let mut digits: usize = 0;
    let mut has_at = false;
    for byte in text.bytes() {
        digits = digits.saturating_add(usize::from(byte.is_ascii_digit()));
        has_at |= begins_at(byte) || byte == FULL_WIDTH;
    }
    has_at || digits >= CARD_DIGITS.start
}

/// The same with other words for what is masked.
pub fn clean_with(text: &str, email: &str, card: &str) -> Option<String> {
    let without_emails = replace(text, email, next_email);
    let text = without_emails.as_deref().unwrap_or(text);
    replace(text, card, next_card).or(without_emails)
}

/// Masks e-mail addresses alone: ids of orders and products may look like card numbers.
pub fn without_emails(text: &str) -> Option<String> {
    replace(text, "[email]", next_email)
}

/// Whether there is an e-mail address in the text.
pub fn has_email(text: &str) -> bool {
    next_email(text, 0).is_some()
}

/// Replaces every place that `next` finds from a position on.
fn replace(
    text: &str,
    with: &str,
    next: fn(&str, usize) -> Option<Range<usize>>,
) -> Option<String> {
    let mut replaced = String::new();
    let mut copied = 0;
    while let Some(found) = next(text, copied) {
        replaced.push_str(text.get(copied..found.start).unwrap_or_default());
        replaced.push_str(with);
        copied = found.end;
    }
    if copied == 0 {
        return None;
    }
    replaced.push_str(text.get(copied..).unwrap_or_default());
    Some(replaced)
}

fn next_email(text: &str, from: usize) -> Option<Range<usize>> {
    let mut position = from;
    loop {
        let at = next_at(text, position)?;
        if let Some(found) = email_around(text, from, &at) {
            return Some(found);
        }
        position = at.end;
    }
}

/// The first byte of characters of full width.
const FULL_WIDTH: u8 = 0xef;

/// Whether a byte may be the first of an `@`.
fn begins_at(byte: u8) -> bool {
    matches!(byte, b'@' | b'%' | b'&' | b'(' | b'[' | b'{' | FULL_WIDTH)
}

/// Returns the character that a text begins with, as it is or escaped as addresses do, however often, and how many bytes it
/// takes.
pub fn escaped(text: &[u8]) -> Option<(u8, usize)> {
    let (first, mut rest) = text.split_first()?;
    if *first != b'%' {
        return Some((*first, 1));
    }
    while let Some(more) = rest.strip_prefix(b"25") {
        rest = more;
    }
    let digit = |position: usize| char::from(*rest.get(position)?).to_digit(16);
    let byte = digit(0)?.checked_mul(16)?.checked_add(digit(1)?)?;
    let length = text.len().checked_sub(rest.len())?.checked_add(2)?;
    Some((u8::try_from(byte).ok()?, length))
}

/// Finds an `@`, however it is written.
fn next_at(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = text.get(from..)?;
    let mut marks = rest.bytes().enumerate();
    marks.find_map(|(found, byte)| {
        if !begins_at(byte) {
            return None;
        }
        let length = at_length(rest.get(found..)?)?;
        let start = from.saturating_add(found);
        Some(start..start.saturating_add(length))
    })
}

/// The length of the `@` that a text begins with.
fn at_length(text: &str) -> Option<usize> {
    match escaped(text.as_bytes()) {
        Some((b'@', length)) => return Some(length),
        Some((b'(' | b'[' | b'{', 1)) => return word_length(text),
        _ => {}
    }
    let at = AT.iter().find(|at| text.starts_with(**at))?;
    Some(at.len())
}

/// The length of `(at)`, with the spaces behind it.
fn word_length(text: &str) -> Option<usize> {
    let inner = text.get(1..)?.trim_start_matches(' ');
    let (word, rest) = inner.split_at_checked(2)?;
    let rest = rest.trim_start_matches(' ').strip_prefix([')', ']', '}'])?;
    let length = text.len().checked_sub(rest.trim_start_matches(' ').len())?;
    word.eq_ignore_ascii_case("at").then_some(length)
}

/// Where the name before an `@` begins. It may be quoted; before `(at)` there may be spaces.
fn name_start(before: &str, is_word: bool) -> usize {
    let before = if is_word {
        before.trim_end_matches(' ')
    } else {
        before
    };
    let quoted = before.strip_suffix('"').and_then(|inner| {
        let start = inner.rfind('"')?;
        let is_short = inner.len().saturating_sub(start) <= MAX_QUOTED;
        is_short.then_some(start)
    });
    quoted.unwrap_or_else(|| before.trim_end_matches(is_part_of_name).len())
}

fn email_around(text: &str, from: usize, at: &Range<usize>) -> Option<Range<usize>> {
    let before = text.get(from..at.start)?;
    let is_word = text.get(at.start..)?.starts_with(['(', '[', '{']);
    let name = name_start(before, is_word);
    if name == before.trim_end_matches(' ').len() {
        return None;
    }
    let start = from.saturating_add(name);
    let mut end = None;
    let mut host_start = at.end;
    loop {
        let after = text.get(host_start..)?;
        let length = after
            .find(|character: char| !is_part_of_host(character))
            .unwrap_or(after.len());
        let (run, behind) = after.split_at_checked(length)?;
        let Some(host) = domain(run) else { break };
        end = Some(host_start.saturating_add(host.len()));
        // Another `@` right behind belongs to it: the mask would be the name of an address.
        let Some(at) = at_length(behind) else { break };
        host_start = host_start.saturating_add(length).saturating_add(at);
    }
    end.map(|end| start..end)
}

/// Returns the domain that a text begins with: up to the last label that can be a top-level domain.
fn domain(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some((labels, top)) = rest.rsplit_once('.') {
        let letters = top.find(|character: char| !character.is_alphabetic());
        let length = match letters {
            // A domain whose letters are not ASCII.
            _ if top.starts_with("xn--") => top.trim_end_matches('-').len(),
            Some(letters) => letters,
            None => top.len(),
        };
        // Pictures for dense screens: `logo@2x.png`.
        let is_picture = matches!(labels, "2x" | "3x");
        let has_top = top.get(..length)?.chars().nth(1).is_some();
        if has_top && !labels.is_empty() && !is_picture {
            let tail = top.len().saturating_sub(length);
            return rest.get(..rest.len().saturating_sub(tail));
        }
        rest = labels;
    }
    None
}

fn is_part_of_name(character: char) -> bool {
    is_part_of_host(character) || matches!(character, '_' | '+')
}

fn is_part_of_host(character: char) -> bool {
    // Marks over letters, where they are characters of their own.
    character.is_alphanumeric() || matches!(character, '.' | '-' | '\u{300}'..='\u{36f}')
}

fn next_card(text: &str, from: usize) -> Option<Range<usize>> {
    let mut position = from;
    loop {
        let rest = text.get(position..)?;
        let start = position.saturating_add(rest.find(|one| digit(one).is_some())?);
        let groups = groups_at(text, start);
        let end = groups.last().map_or(start, |group| group.end);
        let (before, after) = (text.get(..start)?, text.get(end..)?);
        let touching = touching(before.chars().rev()).saturating_add(touching(after.chars()));
        // Between letters a number is a card's if it is one from its first digit to its last: parts of ids are not.
        let is_word =
            groups.len() == 1 && end.saturating_sub(start).saturating_add(touching) <= MAX_WORD;
        if (touching == 0 || is_word)
            && let Some(found) = card_of(text, &groups)
        {
            return Some(found);
        }
        position = end;
    }
}

/// How many letters and digits come first, up to more than a word has here.
fn touching(characters: impl Iterator<Item = char>) -> usize {
    characters
        .take(MAX_WORD)
        .take_while(|one| one.is_alphanumeric())
        .count()
}

/// The value of a digit, of full width too.
fn digit(character: char) -> Option<u8> {
    let value = match character {
        '0'..='9' => u32::from(character).checked_sub(u32::from('0')),
        '\u{ff10}'..='\u{ff19}' => u32::from(character).checked_sub(0xff10),
        _ => None,
    };
    u8::try_from(value?).ok()
}

/// Finds groups of digits that few blanks or hyphens set apart, as texts and addresses write them.
fn groups_at(text: &str, start: usize) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut start = start;
    while let Some(rest) = text.get(start..) {
        let length = rest.find(|one| digit(one).is_none()).unwrap_or(rest.len());
        if length == 0 {
            break;
        }
        let end = start.saturating_add(length);
        groups.push(start..end);
        let behind = rest.get(length..).unwrap_or_default();
        let mut rest = behind;
        for _ in 0..MAX_SEPARATORS {
            let separator = SEPARATORS.iter().find(|one| rest.starts_with(**one));
            rest = separator
                .and_then(|separator| rest.strip_prefix(separator))
                .unwrap_or(rest);
        }
        if rest.len() == behind.len() {
            break;
        }
        start = end.saturating_add(behind.len().saturating_sub(rest.len()));
    }
    groups
}

/// Finds the groups, one after another, that are a card number: before and behind it may be other numbers.
fn card_of(text: &str, groups: &[Range<usize>]) -> Option<Range<usize>> {
    let mut digits: Vec<u8> = Vec::with_capacity(CARD_DIGITS.end);
    let mut ends = Vec::with_capacity(groups.len());
    for group in groups {
        let group = text.get(group.clone())?;
        digits.extend(group.chars().filter_map(digit));
        ends.push(digits.len());
    }
    let mut begin = 0_usize;
    for (number, (first, next)) in groups.iter().zip(&ends).enumerate() {
        let (groups, ends) = (groups.get(number..)?, ends.get(number..)?);
        for (last, end) in groups.iter().zip(ends) {
            let some = digits.get(begin..*end)?;
            if some.len() >= CARD_DIGITS.end {
                break;
            }
            if is_card(some) {
                return Some(first.start..last.end);
            }
        }
        begin = *next;
    }
    None
}

/// By number of digits, issuer and check digit (ISO/IEC 7812): Diners Club, American Express, then all others, of which
/// only UnionPay and Maestro have more than 16 digits. Most numbers of such a length are no cards.
fn is_card(digits: &[u8]) -> bool {
    let is_issuer = match digits.len() {
        14 => matches!(digits, [3, 0 | 6 | 8 | 9, ..]),
        15 => matches!(digits, [3, 4 | 7, ..]),
        16 => matches!(digits, [2 | 4 | 5 | 6, ..] | [3, 5, ..]),
        17..20 => matches!(digits, [6, 2 | 3 | 7, ..] | [5, 0, ..]),
        _ => false,
    };
    is_issuer && has_check_digit(digits)
}

/// Luhn's sum (ISO/IEC 7812-1, annex B).
fn has_check_digit(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(position, digit)| {
            let doubled = u32::from(*digit).saturating_mul(2);
            match position.is_multiple_of(2) {
                true => u32::from(*digit),
                false if doubled > 9 => doubled.saturating_sub(9),
                false => doubled,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_texts() {
        for (text, expected) in [
            ("jo@x.example", "[email]"),
            ("to jo.doe+a@mail.x.example, please", "to [email], please"),
            ("<jo@x.example>; <amy@y.example>.", "<[email]>; <[email]>."),
            ("jo%40x.example", "[email]"),
            ("j\u{f6}rg@b\u{fc}cher.example", "[email]"),
            ("jo\u{ff20}x.example", "[email]"),
            ("jo&#64;x.example", "[email]"),
            ("jo@bu\u{308}cher.example", "[email]"),
            ("write to jo@x.example.", "write to [email]."),
            ("a@b@x.example", "a@[email]"),
            ("a@b.example@x.example", "[email]"),
            ("a@b.example.%40x.example", "[email]"),
            ("jo@mail.example-Rechnung", "[email]-Rechnung"),
            ("jo@mail.example.1", "[email].1"),
            ("jo@xn--e1afmkfd.xn--p1ai", "[email]"),
            ("jo%25252540x.example", "[email]"),
            ("write jo.doe (at) x.example!", "write [email]!"),
            ("jo[AT]x.example", "[email]"),
            ("jo { at } x.example", "[email]"),
            ("to \"jo doe\"@x.example, now", "to [email], now"),
        ] {
            assert_eq!(clean(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn cards_are_found_by_their_check_digit() {
        for (text, expected) in [
            ("4111111111111111", "[card]"),
            ("card 4111 1111 1111 1111 ok", "card [card] ok"),
            ("5500-0000-0000-0004", "[card]"),
            ("378282246310005", "[card]"),
            ("4111 1111 1111 1111 12/27", "[card] 12/27"),
            ("4111.1111/1111_1111", "[card]"),
            ("2 x 4111-1111-1111-1111 123", "2 x [card] 123"),
            ("2 4111\u{a0}1111\u{a0}1111\u{a0}1111", "2 [card]"),
            ("q=4111+1111+1111+1111", "q=[card]"),
            ("4111  1111 1111 1111", "[card]"),
            ("4111 - 1111 - 1111 - 1111", "[card]"),
            ("Visa4111111111111111", "Visa[card]"),
            ("4111111111111111x", "[card]x"),
            ("\u{ff14}\u{ff11}\u{ff11}\u{ff11}1111 11111111", "[card]"),
            ("4111111111111111.0", "[card].0"),
        ] {
            assert_eq!(clean(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn time_grows_with_the_text_and_not_faster() {
        for text in [
            "1 ".repeat(250_000),
            "@".repeat(500_000),
            "%40".repeat(160_000),
            format!("a{}", "@b.cc".repeat(100_000)),
            "a@b".repeat(160_000),
            "1@1.".repeat(120_000),
            "\"@".repeat(200_000),
            "a (at) ".repeat(70_000),
            "x4111111111111111".repeat(30_000),
            "%25".repeat(160_000),
        ] {
            clean(&text);
        }
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "",
            "2 @ 3",
            "@",
            "jo@",
            "@x.example",
            "jo@localhost",
            "logo@2x.png",
            "jo@x.e",
            "jo@x.123",
            "4111111111111112",
            "1111111111111117",
            "1795392000000",
            "20261128050006",
            "42345678900001",
            "12021000000000003",
            "7f4111111111111111aa01bc2233445566",
            "a4111-1111-1111-1111",
            "look (at) this",
            "(at) x.example",
            "x (at) y",
            "41111111111111110000000000000000",
            "4111    1111 1111 1111",
        ] {
            assert_eq!(clean(text), None, "{text}");
        }
    }
}
