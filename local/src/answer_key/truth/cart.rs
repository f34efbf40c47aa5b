//! `gold_cart_recovery`: the carts of each browser, over its sessions.

use anyhow::Result;
use shoptrail_schemas::EventType;

use super::super::calendar::DAY;
use super::super::csv::Csv;
use super::super::market::Currency;
use super::super::plan::Step;
use super::story::{Story, Visitor};

/// The columns of the file.
pub const COLUMNS: &str = "shop_id,cart_id,day,anonymous_id,opened_at,ended_at,status,sessions,\
    adds,removals,currency,value_minor,left_at,transaction_id,time_to_recovery_ms";

/// After such a pause what somebody adds is another cart.
const LAPSE: i64 = 30 * DAY;

/// A cart, from its first product on.
struct Cart<'a> {
    id: u128,
    currency: &'static Currency,
    /// What changed it, each with its session.
    changes: Vec<(&'a Step, usize)>,
    /// The order that ended it, with its session.
    order: Option<(&'a str, i64, usize)>,
}

/// Writes the carts of a household.
pub fn write(story: &Story<'_>, csv: &mut Csv, id: &mut String) -> Result<()> {
    for visitor in &story.visitors {
        for cart in carts(story, visitor) {
            cart.write(story, visitor, csv, id)?;
        }
    }
    Ok(())
}

fn carts<'a>(story: &'a Story<'_>, visitor: &Visitor) -> Vec<Cart<'a>> {
    let mut carts: Vec<Cart<'a>> = Vec::new();
    let mut is_open = false;
    let mut changed_at = i64::MIN / 2;
    for place in &visitor.sessions {
        for step in &story.sessions[*place].steps {
            let order = story.order_of(step);
            let is_add = step.kind == EventType::AddToCart;
            let is_change = is_add || step.kind == EventType::RemoveFromCart;
            if !is_change && order.is_none() {
                continue;
            }
            is_open &= step.at - changed_at <= LAPSE;
            changed_at = step.at;
            if let (false, true, Some(currency)) = (is_open, is_add, step.currency) {
                is_open = true;
                carts.push(Cart {
                    id: step.id,
                    currency,
                    changes: Vec::new(),
                    order: None,
                });
            }
            let Some(cart) = carts.last_mut().filter(|_| is_open) else {
                continue;
            };
            match order {
                Some(known) => {
                    cart.order = Some((&known.order.id, step.at, *place));
                    is_open = false;
                }
                None => cart.changes.push((step, *place)),
            }
        }
    }
    carts
}

impl Cart<'_> {
    fn write(
        &self,
        story: &Story<'_>,
        visitor: &Visitor,
        csv: &mut Csv,
        id: &mut String,
    ) -> Result<()> {
        let household = story.household;
        let (first, first_session) = self.changes[0];
        let order_session = self.order.map(|(_, _, session)| session);
        let status = match order_session {
            None => "abandoned",
            Some(session) if session == first_session => "bought",
            Some(_) => "recovered",
        };
        let before_order = self.changes.iter().rev();
        let left_at = before_order
            .clone()
            .find(|(_, session)| Some(*session) != order_session)
            .map(|(step, _)| step.at);
        let last_change = before_order.map(|(step, _)| step.at).next();
        let ended_at = self.order.map(|(_, at, _)| at).or(last_change);
        let recovery = (status == "recovered").then(|| ended_at.zip(left_at));
        csv.text(household.shop.id)
            .text(super::id(self.id, id))
            .day(household.shop.day(first.at))
            .text(&household.browsers[visitor.browser].id)
            .instant(first.at)
            .maybe_instant(ended_at)
            .text(status)
            .number(self.sessions()?)
            .number(i64::try_from(self.of(EventType::AddToCart).count())?)
            .number(i64::try_from(self.of(EventType::RemoveFromCart).count())?)
            .text(self.currency.code)
            .number(self.value())
            .maybe_instant(left_at)
            .maybe(self.order.map(|(id, _, _)| id))
            .maybe_number(recovery.flatten().map(|(end, left)| end - left))
            .end()
    }

    fn of(&self, kind: EventType) -> impl Iterator<Item = &Step> {
        let changes = self.changes.iter().map(|(step, _)| *step);
        changes.filter(move |step| step.kind == kind)
    }

    /// Value added less value removed in the cart's currency.
    fn value(&self) -> i64 {
        let total = |kind| -> i64 {
            self.of(kind)
                .filter(|step| step.currency == Some(self.currency))
                .filter_map(|step| step.value)
                .sum()
        };
        (total(EventType::AddToCart) - total(EventType::RemoveFromCart)).max(0)
    }

    fn sessions(&self) -> Result<i64> {
        let changed = self.changes.iter().map(|(_, session)| *session);
        let mut sessions: Vec<usize> = changed
            .chain(self.order.map(|(_, _, session)| session))
            .collect();
        sessions.sort_unstable();
        sessions.dedup();
        Ok(i64::try_from(sessions.len())?)
    }
}
