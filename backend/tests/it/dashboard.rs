//! The dashboard's answers, over HTTP: what pages ask for is what gold says.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::NaiveDate;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use shoptrail_backend::attention::Attention;
use shoptrail_backend::build::{self, Mode};
use shoptrail_backend::config::{Reporting, ShopReporting};
use shoptrail_backend::data;
use shoptrail_backend::warehouse::lake::Lake;
use tokio::net::TcpListener;

use super::world::{
    EVENING, MINUTE, TestLake, TestWarehouse, build, land, record, reporting, shuffled_world,
};

/// All days of the world.
const DAYS: &str = "from=2026-01-01&to=2027-12-31";
const PAGES: [&str; 8] = [
    "overview",
    "traffic",
    "funnel",
    "products",
    "customers",
    "search",
    "live",
    "quality",
];

struct Dashboard {
    world: TestLake,
    address: String,
    client: Client,
}

impl Dashboard {
    async fn over(records: &[String]) -> Self {
        Self::reporting(records, &reporting()).await
    }

    async fn reporting(records: &[String], reporting: &Reporting) -> Self {
        let world = TestLake::new().await;
        if !records.is_empty() {
            land(&world.lake, records).await;
            let built = build::run(&world.lake, reporting, Mode::Increment);
            built.await.unwrap();
        }
        let lake = Arc::new(Lake::new(world.folder.path()));
        let router = data::router(lake, reporting, Attention::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/data", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, router).await });
        Self {
            world,
            address,
            client: Client::new(),
        }
    }

    async fn ask(&self, what: &str) -> Response {
        let address = format!("{}/{what}", self.address);
        self.client.get(address).send().await.unwrap()
    }

    async fn json(&self, what: &str) -> Value {
        let response = self.ask(what).await;
        assert_eq!(response.status(), StatusCode::OK, "{what}");
        response.json().await.unwrap()
    }
}

fn sum(rows: &Value, column: &str) -> i64 {
    let rows = rows.as_array().expect("rows");
    rows.iter()
        .map(|row| row[column].as_i64().expect("a whole number"))
        .sum()
}

fn rows_where<'a>(rows: &'a Value, column: &str, value: &str) -> Vec<&'a Value> {
    let rows = rows.as_array().expect("rows");
    rows.iter().filter(|row| row[column] == value).collect()
}

/// An answer without the parts that differ by how it was asked for.
fn figures(answer: &Value) -> Value {
    let mut figures = answer.clone();
    let parts = figures.as_object_mut().unwrap();
    for part in ["at", "customers", "summary", "groups", "first_channels"] {
        parts.remove(part);
    }
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_of_the_overview_are_those_of_gold() {
    let dashboard = Dashboard::over(&shuffled_world(5, 120)).await;
    let daily = dashboard.json("gold_daily_kpis.json").await;
    let answer = dashboard
        .json(&format!("overview?{DAYS}&currency=EUR"))
        .await;
    assert_eq!(answer["now"]["sessions"], sum(&daily, "sessions"));
    let euros: i64 = rows_where(&daily, "currency", "EUR")
        .iter()
        .map(|row| row["revenue_gross_minor"].as_i64().unwrap())
        .sum();
    assert!(euros > 0);
    assert_eq!(answer["now"]["revenue_gross_minor"], euros);
    assert_eq!(sum(&answer["course"], "revenue_gross_minor"), euros);
    assert_eq!(
        sum(&answer["course"], "sessions"),
        answer["now"]["sessions"]
    );
    let funnel = dashboard.json("gold_conversion_funnel.json").await;
    let events: i64 = rows_where(&funnel, "kind", "event")
        .iter()
        .map(|row| row["events"].as_i64().unwrap())
        .sum();
    assert_eq!(sum(&answer["events"], "events"), events);
    let types: BTreeSet<&str> = rows_where(&funnel, "kind", "event")
        .iter()
        .map(|row| row["step"].as_str().unwrap())
        .collect();
    assert!(types.contains("purchase"));
    assert_eq!(answer["events"].as_array().unwrap().len(), types.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_and_carts_are_those_of_gold() {
    let dashboard = Dashboard::over(&shuffled_world(15, 120)).await;
    let answer = dashboard.json(&format!("search?{DAYS}&currency=EUR")).await;
    let terms = dashboard.json("gold_search_terms.json").await;
    assert!(sum(&terms, "searches") > 0);
    for column in ["searches", "clicked_searches", "converted_searches"] {
        assert_eq!(
            sum(&answer["terms"], column),
            sum(&terms, column),
            "{column}"
        );
        assert_eq!(
            answer["searches"][0][column],
            sum(&terms, column),
            "{column}"
        );
    }
    let carts = dashboard.json("gold_cart_recovery.json").await;
    let euros = rows_where(&carts, "currency", "EUR");
    for status in ["bought", "recovered", "abandoned"] {
        let those: Vec<_> = euros
            .iter()
            .filter(|cart| cart["status"] == status)
            .collect();
        assert_eq!(answer["carts"][status], those.len(), "{status}");
        let by_day = rows_where(&answer["carts_by_day"], "status", status);
        let carts: i64 = by_day
            .iter()
            .map(|row| row["carts"].as_i64().unwrap())
            .sum();
        assert_eq!(carts, those.len() as i64, "{status}");
    }
    assert!(answer["carts"]["recovered"].as_i64() > Some(0));
    assert_eq!(
        sum(&answer["recovery_times"], "carts"),
        answer["carts"]["recovered"]
    );
    assert!(answer["carts"]["recovery_ms"].as_i64() > Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn order_belongs_to_the_search_before_it() {
    let mut seed = 0;
    let mut event = |visitor: &str, minute: i64, event_type: &str, fields: Value| {
        seed += 1;
        record(visitor, EVENING + minute * MINUTE, seed, event_type, fields).to_string()
    };
    let buy = |order: &str, value: f64| json!({"transaction_id": order, "currency": "EUR", "value": value});
    let records = [
        event("ada", 0, "search", json!({"search_term": "Pot"})),
        event("ada", 1, "search", json!({"search_term": "mug "})),
        event("ada", 2, "purchase", buy("1", 12.5)),
        event("bob", 0, "purchase", buy("2", 99.0)),
        event("cyd", 0, "purchase", buy("3", 7.0)),
        event("cyd", 1, "search", json!({"search_term": "mug"})),
    ];
    let dashboard = Dashboard::over(&records).await;
    let answer = dashboard.json(&format!("search?{DAYS}&currency=EUR")).await;
    let terms = answer["terms"].as_array().unwrap();
    let revenue = terms.iter().map(|row| {
        let term = row["search_term"].as_str().unwrap();
        (term, row["revenue_minor"].as_i64().unwrap())
    });
    assert_eq!(revenue.collect::<Vec<_>>(), [("mug", 1250), ("pot", 0)]);
    assert_eq!(answer["searches"][0]["revenue_minor"], 1250);
    let visits = json!([
        {"searched": true, "sessions": 2, "converted_sessions": 2, "revenue_minor": 1950},
        {"searched": false, "sessions": 1, "converted_sessions": 1, "revenue_minor": 9900},
    ]);
    assert_eq!(answer["visits"], visits);
    let filtered = dashboard
        .json(&format!("search?{DAYS}&currency=EUR&term=pot"))
        .await;
    assert_eq!(filtered["terms"].as_array().unwrap().len(), 1);
    assert_eq!(filtered["visits"][0]["revenue_minor"], 1250);
    let filtered = dashboard
        .json(&format!("overview?{DAYS}&currency=EUR&term=mug"))
        .await;
    assert_eq!(filtered["now"]["sessions"], 2);
    assert_eq!(filtered["now"]["revenue_gross_minor"], 1950);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attribution_model_credits_all_revenue() {
    let dashboard = Dashboard::over(&shuffled_world(16, 120)).await;
    let question = format!("traffic?{DAYS}&currency=EUR");
    let answer = dashboard.json(&question).await;
    let channels = &answer["attribution"]["channels"];
    for model in ["first", "last", "linear", "position", "time_decay"] {
        let credited = sum(channels, &format!("{model}_minor"));
        assert_eq!(answer["now"]["revenue_gross_minor"], credited, "{model}");
        let orders = sum(channels, &format!("{model}_millionths"));
        assert_eq!(answer["now"]["orders"], orders / 1_000_000, "{model}");
    }
    // A channel is credited with orders that were made in sessions of others; the filter leaves those credits.
    let email = rows_where(channels, "channel", "Email")[0].clone();
    for filter in ["channel=Email", "channel=Email&device=desktop"] {
        let filtered = dashboard.json(&format!("{question}&{filter}")).await;
        assert_eq!(
            filtered["attribution"]["channels"],
            json!([email]),
            "{filter}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cohorts_are_those_of_gold_and_parted_by_the_first_order() {
    let dashboard = Dashboard::over(&shuffled_world(17, 120)).await;
    let question = format!("customers?{DAYS}&currency=EUR");
    let retention = dashboard.json("gold_cohort_retention.json").await;
    let euros = rows_where(&retention, "currency", "EUR");
    let orders: i64 = euros
        .iter()
        .map(|row| row["orders"].as_i64().unwrap())
        .sum();
    let answer = dashboard.json(&question).await;
    assert!(orders > 0);
    assert_eq!(sum(&answer["cohorts"], "orders"), orders);
    let traffic = dashboard
        .json(&format!("traffic?{DAYS}&currency=EUR"))
        .await;
    let mut parts = 0;
    for channel in traffic["channels"].as_array().unwrap() {
        let name = channel["channel"].as_str().unwrap().replace(' ', "%20");
        let part = dashboard.json(&format!("{question}&channel={name}")).await;
        parts += sum(&part["cohorts"], "orders");
    }
    assert_eq!(parts, orders);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_checks_found_is_told() {
    let dashboard = Dashboard::over(&shuffled_world(18, 60)).await;
    let answer = dashboard.json(&format!("quality?{DAYS}")).await;
    let published = dashboard.json("gold_quality_checks.json").await;
    let checks = answer["checks"].as_array().unwrap();
    assert!(!checks.is_empty());
    assert_eq!(checks.len(), published.as_array().unwrap().len());
    assert_eq!(
        checks[0]["failing_rows"].as_i64(),
        checks
            .iter()
            .map(|row| row["failing_rows"].as_i64().unwrap())
            .max()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn filter_that_leaves_everything_changes_no_figure() {
    // Everybody is on a desktop; the tables without a device are then made from silver by their own plans.
    let dashboard = Dashboard::over(&shuffled_world(6, 120)).await;
    for page in PAGES {
        let all = dashboard.json(&format!("{page}?{DAYS}&currency=EUR")).await;
        let filtered = format!("{page}?{DAYS}&currency=EUR&device=desktop");
        let filtered = dashboard.json(&filtered).await;
        assert_eq!(figures(&all), figures(&filtered), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_part_what_there_is() {
    let dashboard = Dashboard::over(&shuffled_world(7, 120)).await;
    let all = dashboard
        .json(&format!("traffic?{DAYS}&currency=EUR"))
        .await;
    let mut parts = (0, 0);
    for channel in all["channels"].as_array().unwrap() {
        let name = channel["channel"].as_str().unwrap().replace(' ', "%20");
        let question = format!("traffic?{DAYS}&currency=EUR&channel={name}");
        let part = dashboard.json(&question).await;
        assert_eq!(part["now"]["sessions"], channel["sessions"], "{name}");
        parts.0 += part["now"]["sessions"].as_i64().unwrap();
        parts.1 += part["now"]["revenue_gross_minor"].as_i64().unwrap();
    }
    assert_eq!(all["now"]["sessions"], parts.0);
    assert_eq!(all["now"]["revenue_gross_minor"], parts.1);
    let nowhere = format!("overview?{DAYS}&country=AQ");
    assert_eq!(dashboard.json(&nowhere).await["now"]["sessions"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_landing_pages_and_countries_each_hold_everything() {
    let dashboard = Dashboard::over(&shuffled_world(19, 120)).await;
    let question = format!("traffic?{DAYS}&currency=EUR");
    let answer = dashboard.json(&question).await;
    for part in ["channels", "landing_pages", "countries"] {
        for (figure, card) in [
            ("sessions", "sessions"),
            ("bounced_sessions", "bounced_sessions"),
            ("converted_sessions", "converted_sessions"),
            ("session_duration_ms", "session_duration_ms"),
            ("orders", "orders"),
            ("revenue_minor", "revenue_gross_minor"),
        ] {
            let told = sum(&answer[part], figure);
            assert!(told > 0, "{part} {figure}");
            assert_eq!(answer["now"][card], told, "{part} {figure}");
        }
    }
    // Nobody's country is known here.
    assert_eq!(
        dashboard.json("choices").await["countries"],
        json!(["unknown"])
    );
    let nowhere = dashboard.json(&format!("{question}&country=unknown")).await;
    assert_eq!(figures(&answer), figures(&nowhere));
}

#[tokio::test(flavor = "multi_thread")]
async fn product_filter_leaves_sessions_with_the_product_in_them() {
    let dashboard = Dashboard::over(&shuffled_world(8, 120)).await;
    let question = format!("products?{DAYS}&currency=EUR");
    let all = dashboard.json(&question).await;
    let one = dashboard.json(&format!("{question}&product=sku-1")).await;
    assert_eq!(one["products"].as_array().unwrap().len(), 1);
    let mut alone = one["products"][0].clone();
    let among_all = rows_where(&all["products"], "item_id", "sku-1")[0];
    alone["total_minor"] = among_all["total_minor"].clone();
    assert_eq!(&alone, among_all);
    let (some, every) = (
        one["now"]["sessions"].as_i64(),
        all["now"]["sessions"].as_i64(),
    );
    assert!(some > Some(0) && some < every, "{some:?} of {every:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_and_orders_of_a_product_are_of_the_same_currencies() {
    let dashboard = Dashboard::over(&shuffled_world(10, 120)).await;
    let performance = dashboard.json("gold_product_performance.json").await;
    let bought: BTreeSet<&str> = performance
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["purchases"] != 0)
        .map(|row| row["currency"].as_str().unwrap())
        .collect();
    assert!(bought.len() > 1, "{bought:?}");
    for currency in bought {
        let question = format!("products?{DAYS}&currency={currency}");
        let answer = dashboard.json(&question).await;
        let refunded: i64 = rows_where(&performance, "currency", currency)
            .iter()
            .filter_map(|row| row["refunds_minor"].as_i64())
            .sum();
        for part in ["products", "categories"] {
            let told = (currency, part, sum(&answer[part], "refunds_minor"));
            assert_eq!(told, (currency, part, refunded));
            for figure in ["views", "carts", "purchases"] {
                let told = (currency, part, sum(&answer[part], figure));
                assert_eq!(told, (currency, part, sum(&performance, figure)));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn way_to_the_tables_by_day_is_that_of_pipeline_completeness() {
    let dashboard = Dashboard::over(&shuffled_world(11, 120)).await;
    let hours = dashboard.json("gold_pipeline_completeness.json").await;
    let answer = dashboard.json(&format!("quality?{DAYS}")).await;
    assert!(sum(&hours, "made") > 0);
    for figure in ["made", "missing", "received", "used", "duplicates"] {
        let told = (figure, sum(&answer["hops"], figure));
        assert_eq!(told, (figure, sum(&hours, figure)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shops_are_told_apart() {
    let dashboard = Dashboard::over(&shuffled_world(9, 120)).await;
    let mut sessions = 0;
    for shop in ["demo", "second"] {
        let question = format!("overview?{DAYS}&currency=EUR&shop={shop}");
        let answer = dashboard.json(&question).await;
        let own = answer["now"]["sessions"].as_i64().unwrap();
        assert!(own > 0);
        sessions += own;
    }
    let all = dashboard.json(&format!("overview?{DAYS}")).await;
    assert_eq!(all["now"]["sessions"], sessions);
    assert_eq!(all["currency"], "EUR", "the one with the most orders");
    let choices = dashboard.json("choices").await;
    assert_eq!(choices["shops"].as_array().unwrap().len(), 2);
    assert_eq!(choices["digits"]["EUR"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn single_day_goes_by_the_hours_of_the_reporting_time_zone() {
    let dashboard = Dashboard::over(&shuffled_world(10, 120)).await;
    let day = "from=2026-11-22&to=2026-11-22&currency=EUR";
    let answer = dashboard.json(&format!("overview?{day}")).await;
    assert_eq!(
        sum(&answer["course"], "sessions"),
        answer["now"]["sessions"]
    );
    assert_eq!(
        sum(&answer["course"], "revenue_gross_minor"),
        answer["now"]["revenue_gross_minor"]
    );
    for row in answer["course"].as_array().unwrap() {
        assert!((0..24).contains(&row["at"].as_i64().unwrap()), "{row}");
    }
    assert_eq!(answer["days_before"]["from"], "2026-11-21");
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_and_today_of_a_shop_are_those_of_its_own_time_zone() {
    let shops = r#"{"second":{"time_zone":"Pacific/Kiritimati","currency":"USD"}}"#;
    let reporting = Reporting {
        shops: ShopReporting::read(shops).unwrap(),
        ..reporting()
    };
    let records = ["demo", "second"].map(|shop| {
        // 23:30 in UTC: half past midnight in Berlin, half past one in the afternoon on Kiritimati, both on the 21st.
        let mut view = record("visitor", EVENING + 30 * MINUTE, 1, "page_view", json!({}));
        view["edge"]["shop_id"] = shop.into();
        view.to_string()
    });
    let dashboard = Dashboard::reporting(&records, &reporting).await;
    for (shop, hours) in [
        ("&shop=demo", vec![0]),
        ("&shop=second", vec![13]),
        ("", vec![0, 13]),
    ] {
        let question = format!("overview?from=2026-11-21&to=2026-11-21{shop}");
        let answer = dashboard.json(&question).await;
        let course = answer["course"].as_array().unwrap().iter();
        let found: Vec<i64> = course.map(|row| row["at"].as_i64().unwrap()).collect();
        assert_eq!(found, hours, "{shop}");
    }
    let version = dashboard.json("version").await;
    let day = |day: &Value| day.as_str().unwrap().parse::<NaiveDate>().unwrap();
    // It lies 12 or 13 hours ahead of Berlin.
    let ahead = day(&version["today_of"]["second"]) - day(&version["today"]);
    assert!((0..=1).contains(&ahead.num_days()), "{version}");
    assert!(version["today_of"]["demo"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn answer_that_is_known_is_not_sent_again() {
    let dashboard = Dashboard::over(&shuffled_world(11, 30)).await;
    let question = format!("overview?{DAYS}");
    let first = dashboard.ask(&question).await;
    let tag = first.headers()["etag"].clone();
    let ask_again = async || {
        let address = format!("{}/{question}", dashboard.address);
        let request = dashboard.client.get(address).header("if-none-match", &tag);
        request.send().await.unwrap()
    };
    let again = ask_again().await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(again.bytes().await.unwrap().len(), 0);
    land(&dashboard.world.lake, &shuffled_world(12, 30)).await;
    build(&dashboard.world.lake, Mode::Increment).await;
    assert_eq!(ask_again().await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_publication_is_told_to_open_pages() {
    let dashboard = Dashboard::over(&shuffled_world(13, 20)).await;
    let mut changes = dashboard.ask("changes").await;
    let mut told = String::new();
    let mut until = async |wanted: &str| {
        while !told.contains(wanted) {
            let part = changes.chunk().await.unwrap().expect("the stream goes on");
            told.push_str(&String::from_utf8_lossy(&part));
        }
    };
    until("\"version\":1").await;
    land(&dashboard.world.lake, &shuffled_world(14, 20)).await;
    build(&dashboard.world.lake, Mode::Increment).await;
    until("\"version\":2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shop_without_events_has_answers_without_figures() {
    let dashboard = Dashboard::over(&[]).await;
    for page in PAGES {
        dashboard
            .json(&format!("{page}?{DAYS}&device=mobile"))
            .await;
        dashboard.json(&format!("{page}?{DAYS}")).await;
    }
    let choices = dashboard.json("choices").await;
    assert_eq!(choices["shops"].as_array().unwrap().len(), 0);
    let version = dashboard.json("version").await;
    assert_eq!(version["version"], 0);
    assert_eq!(version["time_zone"], "Europe/Berlin");
}

#[tokio::test(flavor = "multi_thread")]
async fn question_that_is_none_is_refused_with_a_reason() {
    let dashboard = Dashboard::over(&[]).await;
    let cases = [
        ("overview", 400, "missing field `from`"),
        ("overview?from=2026-11-02&to=2026-11-01", 400, "lies before"),
        ("overview?from=monday&to=2026-11-01", 400, "from"),
        (
            "overview?from=2026-11-01&to=2026-11-01&chanel=Email",
            400,
            "unknown field `chanel`",
        ),
        ("sales?from=2026-11-01&to=2026-11-01", 404, "no page"),
        ("silver_events.json", 404, "no gold table"),
    ];
    for (question, status, reason) in cases {
        let response = dashboard.ask(question).await;
        assert_eq!(response.status().as_u16(), status, "{question}");
        let body: Value = response.json().await.unwrap();
        let said = body["error"].as_str().unwrap();
        assert!(said.contains(reason), "{question}: {said}");
    }
}
