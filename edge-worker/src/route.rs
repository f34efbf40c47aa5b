//! Which request is for what. All paths may stand under a prefix, so that the Worker can be mounted into a shop's own
//! domain: `shop.example/st/*`.

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route<'a> {
    /// `POST /b`: a batch.
    Collect,
    /// `OPTIONS /b`: a browser asks whether it may post.
    Preflight,
    /// `GET /health`.
    Health,
    /// One of the tracker's files, by its path without the prefix.
    File(&'a str),
    /// A known path with another method than these.
    MethodNotAllowed(&'static str),
    /// Anything else.
    NotFound,
}

/// Finds the route of a request.
#[must_use]
pub fn route<'a>(prefix: &str, path: &'a str, method: &str) -> Route<'a> {
    let below = path.strip_prefix(prefix).unwrap_or_default();
    match (below, method) {
        ("/b", "POST") => Route::Collect,
        ("/b", "OPTIONS") => Route::Preflight,
        ("/b", _) => Route::MethodNotAllowed("POST, OPTIONS"),
        ("/health", "GET" | "HEAD") => Route::Health,
        ("/health", _) => Route::MethodNotAllowed("GET, HEAD"),
        // Without a prefix the platform has looked for a file before it asked the Worker.
        (file, "GET" | "HEAD") if !prefix.is_empty() && file.starts_with('/') => Route::File(file),
        _ => Route::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_stand_at_the_root_by_default() {
        for (method, path, expected) in [
            ("POST", "/b", Route::Collect),
            ("OPTIONS", "/b", Route::Preflight),
            ("GET", "/b", Route::MethodNotAllowed("POST, OPTIONS")),
            ("HEAD", "/health", Route::Health),
            ("POST", "/health", Route::MethodNotAllowed("GET, HEAD")),
            ("GET", "/t.js", Route::NotFound),
            ("POST", "/st/b", Route::NotFound),
            ("GET", "", Route::NotFound),
        ] {
            assert_eq!(route("", path, method), expected, "{method} {path}");
        }
    }

    #[test]
    fn routes_and_files_move_below_a_prefix() {
        for (method, path, expected) in [
            ("POST", "/st/b", Route::Collect),
            ("GET", "/st/health", Route::Health),
            ("GET", "/st/t.js", Route::File("/t.js")),
            ("POST", "/st/t.js", Route::NotFound),
            ("POST", "/b", Route::NotFound),
            ("GET", "/t.js", Route::NotFound),
            ("GET", "/stop", Route::NotFound),
        ] {
            assert_eq!(route("/st", path, method), expected, "{method} {path}");
        }
    }
}
