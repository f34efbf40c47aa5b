//! The table of currencies: how many decimals each has (ISO 4217), so that minor units become amounts.

use iso_currency::Currency;

use super::model::GENERATED;
use super::name::lineage_tag;

/// `Currency.tmdl`: the currencies that gold holds. Computed inside the model, because only then a reader is offered no
/// currency the shop never saw; `DISTINCT` and not `VALUES`, because the relationship to this very table must not matter.
pub(super) fn table() -> String {
    let rows = codes().map(|(code, currency, digits)| {
        format!(
            "\t\t\t\t\t{{ \"{code}\", \"{}\", {digits} }}",
            currency.name()
        )
    });
    let rows = rows.collect::<Vec<_>>().join(",\n");
    let [tag, code, name, digits] =
        ["", "/Code", "/Name", "/Digits"].map(|part| lineage_tag(&format!("Currency{part}")));
    format!(
        "/// Currencies of the gold tables, with their decimals after ISO 4217
table Currency
\tlineageTag: {tag}

\t/// ISO 4217 code
\tcolumn Code
\t\tdataType: string
\t\tisKey
\t\tlineageTag: {code}
\t\tsummarizeBy: none
\t\tsourceColumn: [Code]

\t/// English name
\tcolumn Name
\t\tdataType: string
\t\tlineageTag: {name}
\t\tsummarizeBy: none
\t\tsourceColumn: [Name]

\t/// Decimals of an amount: 10 to this power minor units make one unit
\tcolumn Digits
\t\tdataType: int64
\t\tisHidden
\t\tformatString: 0
\t\tlineageTag: {digits}
\t\tsummarizeBy: none
\t\tsourceColumn: [Digits]

\tpartition Currency = calculated
\t\tmode: import
\t\tsource =
\t\t\t\tFILTER (
\t\t\t\t\tDATATABLE ( \"Code\", STRING, \"Name\", STRING, \"Digits\", INTEGER, {{
{rows}
\t\t\t\t\t}} ),
\t\t\t\t\t[Code] IN DISTINCT ( 'Daily KPIs'[Currency] )
\t\t\t\t)

\t{GENERATED}
"
    )
}

/// Every code that has minor units, in alphabetical order: what the event contract accepts.
fn codes() -> impl Iterator<Item = (String, Currency, u16)> {
    let letters = 'A'..='Z';
    let pairs = letters
        .clone()
        .flat_map(move |first| ('A'..='Z').map(move |second| format!("{first}{second}")));
    let codes =
        pairs.flat_map(move |pair| letters.clone().map(move |third| format!("{pair}{third}")));
    codes.filter_map(|code| {
        let currency = Currency::from_code(&code)?;
        let digits = currency.exponent()?;
        Some((code, currency, digits))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_iso_4217() {
        let text = table();
        for row in [
            "{ \"BHD\", \"Bahraini dinar\", 3 }",
            "{ \"EUR\", \"Euro\", 2 }",
            "{ \"JPY\", \"Japanese yen\", 0 }",
        ] {
            assert!(text.contains(row), "{row}");
        }
    }

    #[test]
    fn a_name_cannot_end_its_text() {
        assert!(codes().all(|(_, currency, _)| !currency.name().contains('"')));
    }
}
