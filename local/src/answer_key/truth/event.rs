//! `silver_events` and `silver_items`: every event that arrived, once, and the products in it.

use anyhow::Result;
use shoptrail_schemas::EventType;

use super::super::csv::Csv;
use super::super::market::{PRODUCTS, TERMS};
use super::super::plan::Step;
use super::super::records::push_session_id;
use super::session::Session;
use super::story::Story;

/// The columns of the file of events.
pub const COLUMNS: &str = "shop_id,event_id,event_type,event_time,received_at,day,anonymous_id,\
    user_id,session_key,session_id,seq,page_path,page_channel,channel,referrer_host,utm_source,\
    utm_medium,utm_campaign,search_term,transaction_id,currency,value_minor,tax_minor,\
    shipping_minor,coupon,payment_method,engagement_time_ms,device,browser,os,country,is_bot";

/// The columns of the file of products.
pub const ITEM_COLUMNS: &str = "shop_id,event_id,item_index,event_type,event_time,day,item_id,\
    item_name,item_brand,item_category,quantity,price_minor,amount_minor,currency,is_bot";

/// Writes the events of a household.
pub fn write(story: &Story<'_>, csv: &mut Csv, [id, key]: [&mut String; 2]) -> Result<()> {
    let mut visit = String::new();
    for session in &story.sessions {
        super::id(session.key, key);
        for step in &session.steps {
            visit.clear();
            push_session_id(&mut visit, story.household, step);
            super::id(step.id, id);
            head(story, session, step, csv, [id, key, &visit]);
            commerce(story, step, csv);
            let browser = &story.household.browsers[step.browser];
            csv.maybe_number(step.engagement_ms)
                .text(browser.machine.device.as_str())
                .text(browser.machine.browser)
                .text(browser.machine.os)
                .maybe(browser.country)
                .flag(session.is_program)
                .end()?;
        }
    }
    Ok(())
}

fn head(
    story: &Story<'_>,
    session: &Session<'_>,
    step: &Step,
    csv: &mut Csv,
    [id, key, visit]: [&str; 3],
) {
    let household = story.household;
    let page = household.page(step);
    csv.text(household.shop.id)
        .text(id)
        .text(step.kind.as_str())
        .instant(step.at)
        .instant(step.way.sent.received_at)
        .day(household.shop.day(step.at))
        .text(&household.browsers[step.browser].id)
        .maybe(household.user(step))
        .text(key)
        .text(visit)
        .number(step.seq)
        .text(&page.path)
        .text(page.channel())
        .text(session.channel(story))
        .maybe(page.referrer_host(household.shop));
    for part in page.campaign() {
        csv.maybe(part);
    }
}

fn commerce(story: &Story<'_>, step: &Step, csv: &mut Csv) {
    let order = step.order.map(|order| &story.household.orders[order]);
    csv.maybe(step.term.map(|term| TERMS[term].0))
        .maybe(order.map(|order| order.id.as_str()))
        .maybe(step.currency.map(|currency| currency.code))
        .maybe_number(step.value);
    let paid = order.filter(|_| step.kind == EventType::Purchase);
    csv.maybe_number(paid.map(|order| order.tax))
        .maybe_number(paid.map(|order| order.shipping))
        .maybe(paid.and_then(|order| order.coupon))
        .maybe(paid.map(|order| order.payment));
}

/// Writes the products in the events of a household.
pub fn write_items(story: &Story<'_>, csv: &mut Csv, id: &mut String) -> Result<()> {
    let shop = story.household.shop;
    for step in story.sessions.iter().flat_map(|session| &session.steps) {
        let Some(currency) = step.currency else {
            continue;
        };
        super::id(step.id, id);
        for (index, line) in (0..).zip(&step.lines) {
            let product = &PRODUCTS[line.product];
            csv.text(shop.id)
                .text(id)
                .number(index)
                .text(step.kind.as_str())
                .instant(step.at)
                .day(shop.day(step.at))
                .text(product.id)
                .text(product.name)
                .maybe(product.brand)
                .text(product.category)
                .thousandths(line.thousandths)
                .number(product.price(currency))
                .number(line.amount(currency))
                .text(currency.code)
                .flag(step.is_program())
                .end()?;
        }
    }
    Ok(())
}
