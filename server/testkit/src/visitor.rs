//! A browser without script: it keeps its cookies, says where its requests come from, and follows no redirect.

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::header::{COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder, redirect};

/// A browser: its cookies, and the server that it asks.
pub struct Visitor {
    /// `http://127.0.0.1:port`, which is also where its forms come from.
    pub base: String,
    cookies: Mutex<BTreeMap<String, String>>,
    http: reqwest::Client,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub text: String,
}

impl Page {
    /// Where it leads.
    pub fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        let location = self.headers.get(LOCATION).expect("a redirect");
        location.to_str().expect("text")
    }
}

impl Visitor {
    /// Nobody is signed in.
    pub fn new(base: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(std::time::Duration::from_secs(60))
            .build()
            .expect("a client");
        Self {
            base: base.to_owned(),
            cookies: Mutex::default(),
            http,
        }
    }

    /// With a session's token in its hands.
    pub fn with_session(base: &str, token: &str) -> Self {
        let visitor = Self::new(base);
        visitor.set_cookie("nightshift", token);
        visitor
    }

    /// The same browser at another server.
    pub fn at(&self, base: &str) -> Self {
        let other = Self::new(base);
        *other.cookies.lock().expect("a lock") = self.cookies.lock().expect("a lock").clone();
        other
    }

    /// Keeps a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().expect("a lock");
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path)).await
    }

    /// A form of one of our own pages.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.request(Method::POST, path).header(ORIGIN, &self.base);
        self.send(request.form(fields)).await
    }

    /// Any request, with its cookies.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let cookies = self.cookies.lock().expect("a lock");
        let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.header(COOKIE, cookies.join("; "))
    }

    /// Sends it, and keeps the cookies that come back.
    pub async fn send(&self, request: RequestBuilder) -> Page {
        let answer = request.send().await.expect("an answer");
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("text");
            let (name, value) = cookie.split_once('=').expect("a name");
            let value = value.split(';').next().unwrap_or_default();
            let mut cookies = self.cookies.lock().expect("a lock");
            if cookie.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status,
            headers,
            text: answer.text().await.expect("a whole answer"),
        }
    }
}
