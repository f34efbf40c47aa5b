//! `silver_orders`, `silver_refunds` and `silver_visitors`.

use anyhow::Result;

use super::super::csv::Csv;
use super::story::Story;

/// The columns of the file of orders.
pub const COLUMNS: &str = "shop_id,transaction_id,day,ordered_at,first_event_at,last_event_at,\
    customer_id,anonymous_id,user_id,session_key,purchase_event_id,currency,gross_minor,tax_minor,\
    shipping_minor,refunds_minor,excess_refunds_minor,refunds_in_other_currencies,net_minor,\
    quantity,coupon,payment_method,order_number,is_new_customer,channel,device,browser,os";

/// The columns of the file of refunds.
pub const REFUND_COLUMNS: &str =
    "shop_id,event_id,day,refunded_at,transaction_id,currency,refund_minor";

/// The columns of the file of visitors.
pub const VISITOR_COLUMNS: &str = "shop_id,anonymous_id,customer_id,user_id,identified_at,\
    identified_session_key,sessions,first_seen_at,first_session_key,first_channel,\
    first_utm_source,first_utm_medium,first_utm_campaign,last_seen_at,last_session_key,\
    last_channel,last_utm_source,last_utm_medium,last_utm_campaign";

/// Writes the orders of a household.
pub fn write(story: &Story<'_>, csv: &mut Csv, id: &mut String) -> Result<()> {
    let household = story.household;
    for known in &story.orders {
        let (order, step) = (known.order, known.step);
        let session = &story.sessions[known.session];
        let browser = &household.browsers[step.browser];
        csv.text(household.shop.id)
            .text(&order.id)
            .day(known.day(household))
            .instant(step.at)
            .instant(step.at)
            .instant(known.last_event_at)
            .text(&known.customer)
            .text(&browser.id)
            .maybe(household.user(step))
            .text(super::id(session.key, id))
            .text(super::id(step.id, id))
            .text(order.currency.code)
            .numbers([order.value, order.tax, order.shipping])
            .numbers([known.refunded(), known.excess, known.in_other_currencies])
            .number(known.net())
            .thousandths(order.lines.iter().map(|line| line.thousandths).sum())
            .maybe(order.coupon)
            .text(order.payment)
            .number(known.number)
            .flag(known.number == 1)
            .text(session.channel(story))
            .text(browser.machine.device.as_str())
            .text(browser.machine.browser)
            .text(browser.machine.os)
            .end()?;
    }
    Ok(())
}

/// Writes the refunds of a household.
pub fn write_refunds(story: &Story<'_>, csv: &mut Csv, id: &mut String) -> Result<()> {
    let shop = story.household.shop;
    for known in &story.orders {
        for (step, counted) in &known.refunds {
            csv.text(shop.id)
                .text(super::id(step.id, id))
                .day(shop.day(step.at))
                .instant(step.at)
                .text(&known.order.id)
                .text(known.order.currency.code)
                .number(*counted)
                .end()?;
        }
    }
    Ok(())
}

/// Writes the browsers of a household.
pub fn write_visitors(story: &Story<'_>, csv: &mut Csv, id: &mut String) -> Result<()> {
    let household = story.household;
    for visitor in &story.visitors {
        let browser = &household.browsers[visitor.browser].id;
        let user = visitor
            .account
            .map(|(account, _)| &household.accounts[account]);
        csv.text(household.shop.id)
            .text(browser)
            .text(user.unwrap_or(browser))
            .maybe(user.map(String::as_str));
        match visitor.account {
            Some((_, session)) => {
                let session = &story.sessions[session];
                csv.instant(session.start())
                    .text(super::id(session.key, id))
            }
            None => csv.text("").text(""),
        };
        csv.number(i64::try_from(visitor.sessions.len())?);
        let ends = [visitor.sessions.first(), visitor.sessions.last()];
        for session in ends.into_iter().flatten() {
            let session = &story.sessions[*session];
            csv.instant(session.start())
                .text(super::id(session.key, id))
                .text(session.channel(story));
            for part in session.entry(story).campaign() {
                csv.maybe(part);
            }
        }
        csv.end()?;
    }
    Ok(())
}
