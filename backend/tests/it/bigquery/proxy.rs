//! A proxy in front of the server that plays bad days: it passes calls on, except where a fault is due.
//!
//! Where the server is not as strict as Google it is: a statement that reads a table at two points in time is refused. And
//! what the server does not know, the history of appended rows, is asked of it in words it knows.
//!
//! Its answers are the documented ones (<https://cloud.google.com/bigquery/docs/error-messages>); everything else comes
//! from the server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::Url;

use super::server::Server;

/// What happens to a call that a fault strikes.
#[derive(Clone, Debug)]
pub enum Effect {
    /// The server never sees it; this is answered.
    Answer(u16, Value),
    /// The server carries it out; the answer is this with the server's values under it.
    Replace(Value),
    /// The server carries it out, and the connection breaks before the answer.
    LoseAnswer,
    /// The connection breaks before the server sees it.
    Break,
}

/// A fault: which calls it strikes, how many of them, how.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Part of `METHOD path?query body` that a call must contain, all of them.
    pub on: Vec<String>,
    /// Calls that pass before the first that is struck.
    pub skip: usize,
    /// How many are struck.
    pub times: usize,
    /// How many have been.
    pub struck: usize,
    pub effect: Effect,
}

/// Strikes every time, where a number of times is asked for.
pub const ALWAYS: usize = usize::MAX;

/// A fault that strikes so many calls, from the first one that contains all of `on`.
pub fn fault(on: &[&str], times: usize, effect: Effect) -> Fault {
    Fault {
        on: on.iter().map(|part| (*part).to_owned()).collect(),
        skip: 0,
        times,
        struck: 0,
        effect,
    }
}

/// An error as the REST API words it.
pub fn refusal(code: u16, reason: &str, message: &str) -> Effect {
    let errors = json!([{"reason": reason, "message": message, "domain": "global"}]);
    Effect::Answer(
        code,
        json!({"error": {"code": code, "message": message, "errors": errors}}),
    )
}

/// A running proxy.
pub struct Proxy {
    pub rest: Url,
    day: Arc<Mutex<Day>>,
}

#[derive(Default)]
struct Day {
    faults: Vec<Fault>,
}

#[derive(Clone)]
struct Shared {
    upstream: String,
    client: reqwest::Client,
    day: Arc<Mutex<Day>>,
}

impl Proxy {
    /// A proxy that passes everything on.
    pub async fn start(server: &Server) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let rest = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let day = Arc::new(Mutex::new(Day::default()));
        let upstream = server.rest.as_str().trim_end_matches('/').to_owned();
        let shared = Shared {
            upstream,
            client: reqwest::Client::new(),
            day: day.clone(),
        };
        let app = Router::new().fallback(pass).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { rest, day }
    }

    /// From now on these faults and no others.
    pub fn play(&self, faults: Vec<Fault>) {
        *self.day.lock().unwrap() = Day { faults };
    }

    /// The faults that have struck nothing since [`Self::play`].
    pub fn left(&self) -> Vec<Fault> {
        self.day
            .lock()
            .unwrap()
            .faults
            .iter()
            .filter(|fault| fault.struck == 0)
            .cloned()
            .collect()
    }
}

impl Day {
    fn effect(&mut self, call: &str) -> Option<Effect> {
        let fault = self.faults.iter_mut().find(|fault| {
            fault.times > 0 && fault.on.iter().all(|part| call.contains(part.as_str()))
        })?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        fault.struck += 1;
        Some(fault.effect.clone())
    }
}

async fn pass(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    if times_of_one_table(&body) > 1 {
        return answer(refusal(400, "invalidQuery", TWO_TIMES));
    }
    let body = without_history(body);
    let path = parts
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str())
        .to_owned();
    let call = format!("{} {path} {}", parts.method, String::from_utf8_lossy(&body));
    let effect = shared.day.lock().unwrap().effect(&call);
    match effect {
        Some(refused @ Effect::Answer(..)) => answer(refused),
        Some(Effect::Break) => broken(),
        Some(Effect::LoseAnswer) => {
            forward(&shared, &parts.method, &path, &parts.headers, body).await;
            broken()
        }
        Some(Effect::Replace(values)) => {
            let (_, _, answer) = forward(&shared, &parts.method, &path, &parts.headers, body).await;
            let mut answer: Value = serde_json::from_slice(&answer).unwrap();
            merge(&mut answer, values);
            (
                [(header::CONTENT_TYPE, "application/json")],
                answer.to_string(),
            )
                .into_response()
        }
        None => {
            let (status, headers, answer) =
                forward(&shared, &parts.method, &path, &parts.headers, body).await;
            let mut response = Response::new(Body::from(answer));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response
        }
    }
}

/// The documented refusal of <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#for_system_time_as_of>.
const TWO_TIMES: &str = "a query cannot read a table at more than one point in time";

/// How many points in time a statement names; all statements here read one table.
fn times_of_one_table(body: &[u8]) -> usize {
    let text = String::from_utf8_lossy(body);
    let mut times: Vec<&str> = text
        .split("FOR SYSTEM_TIME AS OF ")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(time, _)| time)
        .collect();
    times.sort_unstable();
    times.dedup();
    times.len()
}

/// Puts the difference between two states, which the server can tell, in place of `APPENDS`.
fn without_history(body: Bytes) -> Bytes {
    let text = String::from_utf8_lossy(&body);
    let Some((before, rest)) = text.split_once("APPENDS(TABLE ") else {
        return body;
    };
    let (call, after) = rest.split_once("))").unwrap();
    let parts: Vec<&str> = call.split(", ").collect();
    let [table, start, end] = parts.as_slice() else {
        panic!("{call}");
    };
    let rows = |time: &str| format!("SELECT * FROM {table} FOR SYSTEM_TIME AS OF {time}");
    let (then, now) = (rows(start), rows(&format!("{end})")));
    format!("{before}({now} EXCEPT ALL {then}){after}").into()
}

fn answer(refused: Effect) -> Response {
    let Effect::Answer(code, answer) = refused else {
        panic!("{refused:?}");
    };
    let code = StatusCode::from_u16(code).unwrap();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (code, json, answer.to_string()).into_response()
}

async fn forward(
    shared: &Shared,
    method: &Method,
    path: &str,
    headers: &header::HeaderMap,
    body: Bytes,
) -> (StatusCode, header::HeaderMap, Bytes) {
    let mut headers = headers.clone();
    headers.remove(header::CONTENT_LENGTH);
    let call = shared
        .client
        .request(method.clone(), format!("{}{path}", shared.upstream));
    let answer = call.headers(headers).body(body).send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    headers.remove(header::TRANSFER_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    (status, headers, answer.bytes().await.unwrap())
}

/// An answer whose connection breaks before it is whole.
fn broken() -> Response {
    let end = futures_util::stream::once(async {
        Err::<Bytes, _>(std::io::Error::other("the connection broke"))
    });
    Response::new(Body::from_stream(end))
}

fn merge(into: &mut Value, values: Value) {
    match (into, values) {
        (Value::Object(into), Value::Object(values)) => {
            for (key, value) in values {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, value) => *into = value,
    }
}
