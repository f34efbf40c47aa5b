//! The dashboard for others than this machine: on an address of its own, read only, and behind a password.
//!
//! Shop, events and drills stay where only this machine reaches them. The password travels as HTTP's Basic scheme has it,
//! so it needs a proxy with TLS in front wherever somebody may listen.

use std::env;
use std::fmt;
use std::hint::black_box;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderMap};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpListener;

use super::web::{self, Web};

/// Nobody counts wrong passwords here, so one must not be guessed by trying.
const SHORTEST: usize = 12;

/// An argument would be seen by everybody on the machine.
const VARIABLE: &str = "SHOPTRAIL_DASHBOARD_PASSWORD";

const CHALLENGE: &str = r#"Basic realm="Shoptrail", charset="UTF-8""#;

/// What whoever looks at the dashboard has to know. It is never printed.
#[derive(Clone)]
pub struct Password(String);

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Password {
    /// The one that `SHOPTRAIL_DASHBOARD_PASSWORD` has.
    #[must_use]
    pub fn from_env() -> Option<Self> {
        env::var(VARIABLE).ok().map(Self)
    }

    fn is_long_enough(&self) -> bool {
        self.0.chars().count() >= SHORTEST
    }

    /// Whether a request brings it, under any user name.
    fn is_in(&self, headers: &HeaderMap) -> bool {
        let text = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let credentials = text
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
            .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
            .unwrap_or_default();
        let given = credentials.splitn(2, |byte| *byte == b':').nth(1);
        given.is_some_and(|given| is_same(given, self.0.as_bytes()))
    }
}

/// Compares in a time that tells nothing of `secret`: every byte that was given is looked at.
fn is_same(given: &[u8], secret: &[u8]) -> bool {
    let pairs = given.iter().zip(secret.iter().cycle());
    let differences = pairs.fold(given.len() ^ secret.len(), |differences, (one, other)| {
        black_box(differences | usize::from(one ^ other))
    });
    differences == 0
}

/// Listens on `address` for those who know the password.
///
/// # Errors
/// Returns an error if there is no password, a short one, or the address cannot be had.
pub async fn listen(
    address: SocketAddr,
    password: Option<Password>,
) -> Result<(TcpListener, Password)> {
    let password = password
        .filter(Password::is_long_enough)
        .with_context(|| {
            format!(
                "the dashboard on {address} would be open to everybody who reaches it\nhint: set `{VARIABLE}` to {SHORTEST} characters or more"
            )
        })?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    Ok((listener, password))
}

/// Serves `router` to those who know `password`.
pub fn serve(listener: TcpListener, router: Router, password: Password) -> Web {
    let guarded = web::compressed(router).layer(from_fn_with_state(password, door));
    Web::start(listener, guarded)
}

async fn door(State(password): State<Password>, request: Request, next: Next) -> Response {
    let mut response = if !password.is_in(request.headers()) {
        let challenge = [(header::WWW_AUTHENTICATE, CHALLENGE)];
        let reason = "this dashboard asks for a password\n";
        (StatusCode::UNAUTHORIZED, challenge, reason).into_response()
    } else if matches!(*request.method(), Method::GET | Method::HEAD) {
        next.run(request).await
    } else {
        (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "GET, HEAD")],
            "this dashboard is read only\n",
        )
            .into_response()
    };
    web::add_headers(&mut response);
    response
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::HeaderValue;
    use axum::routing::get;

    use super::*;

    const SECRET: &str = "correct horse: battery";

    fn password(text: &str) -> Password {
        Password(text.to_owned())
    }

    fn opens(authorization: &str) -> bool {
        let value = HeaderValue::from_str(authorization).expect("a header");
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        password(SECRET).is_in(&headers)
    }

    #[test]
    fn password_opens_under_any_name_and_nothing_else_does() {
        let basic = |credentials: &str| format!("Basic {}", STANDARD.encode(credentials));
        assert!(opens(&basic(&format!("anna:{SECRET}"))));
        assert!(opens(
            &basic(&format!(":{SECRET}")).replace("Basic", "basic")
        ));
        for wrong in [
            format!("anna:{SECRET}{SECRET}"),
            format!("anna:{}", SECRET.to_uppercase()),
            "anna:".to_owned(),
            "anna:correct horse".to_owned(),
            SECRET.to_owned(),
            String::new(),
        ] {
            assert!(!opens(&basic(&wrong)), "{wrong}");
        }
        assert!(!opens(&format!("Bearer {SECRET}")));
        assert!(!opens("Basic not base64"));
        assert!(!password(SECRET).is_in(&HeaderMap::new()));
    }

    #[test]
    fn password_is_not_printed() {
        assert_eq!(format!("{:?}", Some(password(SECRET))), "Some(***)");
    }

    #[tokio::test]
    async fn no_port_is_opened_without_a_password_that_is_long_enough() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        for missing in [None, Some(password("")), Some(password("elevenchars"))] {
            let error = listen(address, missing)
                .await
                .expect_err("nobody would be kept out");
            assert!(
                format!("{error:#}").contains("SHOPTRAIL_DASHBOARD_PASSWORD"),
                "{error:#}"
            );
        }
        assert!(listen(address, Some(password(SECRET))).await.is_ok());
    }

    #[tokio::test]
    async fn who_knows_the_password_may_read_and_nobody_may_write() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (listener, password) = listen(address, Some(password(SECRET)))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("it listens");
        let router = Router::new().route("/data/version", get(async || "7").post(async || "8"));
        let _server = serve(listener, router, password);
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let url = format!("http://{address}/data/version");

        let stranger = client.get(&url).send().await.expect("an answer");
        assert_eq!(stranger.status(), 401);
        assert_eq!(stranger.headers()["www-authenticate"], CHALLENGE);
        let reader = client.get(&url).basic_auth("anna", Some(SECRET));
        let answer = reader.send().await.expect("an answer");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.text().await.expect("a text"), "7");
        let writer = client.post(&url).basic_auth("anna", Some(SECRET));
        assert_eq!(writer.send().await.expect("an answer").status(), 405);
    }
}
