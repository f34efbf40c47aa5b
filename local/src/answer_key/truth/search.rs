//! `gold_search_terms`: searches, and what came of each before the next one in its session.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use shoptrail_schemas::EventType;

use super::super::calendar::Day;
use super::super::csv::Csv;
use super::super::market::TERMS;
use super::session::Session;
use super::story::Story;

const COLUMNS: &str = "day,shop_id,search_term,searches,sessions,clicked_searches,\
    click_through_rate,refined_searches,converted_searches,conversion_rate,orders";

/// Searches by day, shop and term.
#[derive(Default)]
pub struct Searches(BTreeMap<(Day, &'static str, &'static str), Sums>);

#[derive(Default)]
struct Sums {
    searches: i64,
    sessions: i64,
    clicked: i64,
    refined: i64,
    converted: i64,
    orders: i64,
}

/// A search, and what came of it.
struct Search {
    day: Day,
    term: &'static str,
    clicks: i64,
    orders: i64,
}

impl Searches {
    /// Adds a household.
    pub fn count(&mut self, story: &Story<'_>) {
        let shop = story.household.shop.id;
        for session in story.visits() {
            let searches = searches(story, session);
            let mut seen = BTreeSet::new();
            for (place, search) in searches.iter().enumerate() {
                let next = searches.get(place + 1);
                let is_other = next.is_some_and(|next| next.term != search.term);
                let key = (search.day, shop, search.term);
                let sums = self.0.entry(key).or_default();
                sums.searches += 1;
                sums.sessions += i64::from(seen.insert(key));
                sums.clicked += i64::from(search.clicks > 0);
                sums.refined += i64::from(search.clicks == 0 && is_other);
                sums.converted += i64::from(search.orders > 0);
                sums.orders += search.orders;
            }
        }
    }

    /// Writes the file; returns how many rows it has.
    pub fn write(&self, folder: &Path) -> Result<u64> {
        let mut csv = Csv::create(folder, "gold_search_terms", COLUMNS)?;
        for ((day, shop, term), of) in &self.0 {
            csv.day(*day)
                .text(shop)
                .text(term)
                .numbers([of.searches, of.sessions, of.clicked])
                .ratio(of.clicked, of.searches)
                .numbers([of.refined, of.converted])
                .ratio(of.converted, of.searches)
                .number(of.orders)
                .end()?;
        }
        csv.finish()
    }
}

fn searches(story: &Story<'_>, session: &Session<'_>) -> Vec<Search> {
    let mut searches: Vec<Search> = Vec::new();
    for step in &session.steps {
        if let Some(term) = step.term {
            searches.push(Search {
                day: story.household.shop.day(step.at),
                term: TERMS[term].1,
                clicks: 0,
                orders: 0,
            });
        }
        let Some(search) = searches.last_mut() else {
            continue;
        };
        let is_click = matches!(step.kind, EventType::SelectItem | EventType::ViewItem);
        search.clicks += i64::from(is_click);
        search.orders += i64::from(story.order_of(step).is_some());
    }
    searches
}
