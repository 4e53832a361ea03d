//! The HTTP server of the sandbox.

use super::{
    control,
    fault::What,
    host::{Hosts, refused},
    lock,
    page::{self, Decision, Language, Link, Onward, Page, Text},
    request::{self, Reply, Upload, media_type},
    world::World,
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Frame, Incoming, SizeHint},
    header::{
        ACCEPT_LANGUAGE, ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION,
        RETRY_AFTER, SERVER,
    },
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{rt::TokioIo, server::graceful::GracefulShutdown};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpListener, sync::oneshot};

/// The maximum size of a request. No request in the specs needs more.
const LARGEST: usize = 64 * 1024 * 1024;

/// Serves requests until `stop` completes, and then completes all unfinished responses.
pub(super) async fn serve(
    listener: TcpListener,
    hosts: Arc<Hosts>,
    world: Arc<Mutex<World>>,
    stop: oneshot::Receiver<()>,
) {
    let mut connections = tokio::task::JoinSet::new();
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    // Accepting failed, for example because too many files are open. Wait until other connections
                    // close.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
            },
            _ = &mut stop => break,
        };
        let (hosts, world, broken) = (hosts.clone(), world.clone(), Arc::new(Mutex::new(Broken::default())));
        let answer = move |request| {
            let (hosts, world, broken) = (hosts.clone(), world.clone(), broken.clone());
            async move { respond(request, &hosts, &world, &broken).await }
        };
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            // Ignore an error of the connection, because the caller has closed it.
            drop(connection.await);
        });
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The faults of a connection that affect later requests on the same connection.
#[derive(Default)]
struct Broken {
    /// True if the next request on the connection gets no response.
    stale: bool,
    /// A late response, which the next request gets. Each later request then gets the response to the request before.
    late: Option<Response<Body>>,
}

/// Responds to a request. An error closes the connection without a response.
async fn respond(
    request: Request<Incoming>,
    hosts: &Hosts,
    world: &Mutex<World>,
    broken: &Mutex<Broken>,
) -> io::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let name = path.split('/').nth(1).unwrap_or_default();
    let rest = path.get(name.len() + 1..).unwrap_or_default();
    let order = name == "_control";
    let admitted = hosts.admit(&head).and_then(|()| if order { Hosts::admit_order(&head) } else { Ok(()) });
    if let Err(refused) = admitted {
        return Ok(json_response(&refused));
    }
    let body = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Ok(json_response(&unreadable(error.as_ref()))),
    };
    if order {
        let reply = control::answer(&mut lock(world), &head.method, rest, query(&head.uri), &body, &hosts.public());
        return Ok(protected(json_response(&reply)));
    }
    if path == "/" {
        return Ok(desk(&head));
    }
    if name == "_shop" {
        return Ok(shop(&head, rest.trim_start_matches('/'), &body));
    }
    if let Some(token) = rest.strip_prefix("/pages/") {
        return Ok(page(&mut lock(world), name, token, &head, &body));
    }
    if broken.lock().unwrap_or_else(PoisonError::into_inner).stale {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    let content_type = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut received = request::Request::default();
    let compressed = head.headers.get_all(CONTENT_ENCODING).iter().any(|coding| coding != "identity");
    match multer::parse_boundary(content_type) {
        _ if compressed => received.unreadable = Some("the sandbox reads no compressed body (Content-Encoding)".into()),
        Ok(boundary) => match file(&body, boundary).await {
            Ok(file) => received.file = file,
            Err(_) => received.unreadable = Some("this form is cut off or damaged".into()),
        },
        Err(_) if body.is_empty() => {}
        Err(_) if head.headers.get(CONTENT_TYPE).is_some_and(|kind| media_type(kind) == "multipart/form-data") => {
            received.unreadable = Some("the Content-Type of this form names no boundary".into());
        }
        Err(_) => match serde_json::from_slice(&body) {
            Ok(body) => received.body = body,
            Err(error) => received.unreadable = Some(format!("this is not JSON: {error}")),
        },
    }
    let received = request::Request {
        query: query(&head.uri),
        repeated: repeated(&head.uri),
        pages: format!("http://{}/{name}/pages/", hosts.public()),
        headers: head.headers,
        ..received
    };
    let Some((reply, fault)) = lock(world).receive(name, head.method.as_str(), rest, received) else {
        let what =
            json!({"error": "sandbox: there is no vendor at this path. GET /_control lists the control requests"});
        return Ok(json_response(&Reply::new(404, what)));
    };
    let response = faulty(reply, fault.as_ref()).await?;
    let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
    match fault {
        Some(What::StaleConnection) => broken.stale = true,
        Some(What::LateSecondAnswer) if broken.late.is_none() => broken.late = Some(response.clone()),
        _ => return Ok(broken.late.as_mut().map_or(response.clone(), |late| std::mem::replace(late, response))),
    }
    Ok(response)
}

/// Applies a fault to the response.
async fn faulty(reply: Reply, fault: Option<&What>) -> io::Result<Response<Body>> {
    let Some(fault) = fault else { return Ok(json_response(&reply)) };
    Ok(match fault {
        What::Delay(by) => {
            tokio::time::sleep(*by).await;
            json_response(&reply)
        }
        What::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
        What::Empty => response(reply.status, Bytes::new()),
        What::Truncated => {
            // If the vendor has not acted, or has no body to send, break off the body of another response.
            let begun = if reply.body.is_some() { reply } else { Reply::new(200, json!({})) };
            let mut response = json_response(&begun);
            let body = response.body_mut();
            body.data = body.data.take().map(|data| data.slice(..data.len().div_ceil(2)));
            body.end = End::BreaksOff;
            response
        }
        What::Html => html(200, "<html><body>Maintenance</body></html>".into()),
        What::Oversized(bytes) => response(200, format!("\"{}\"", "x".repeat(*bytes)).into()),
        What::Status { status, retry_after, body } => {
            let body = reply.body.filter(|_| *body);
            let mut response = json_response(&Reply { status: *status, body, header: None });
            if let Some(wish) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, wish.clone());
            }
            response
        }
        What::Header(name, value) => {
            let mut response = json_response(&reply);
            response.headers_mut().insert(name, value.clone());
            response
        }
        damage => {
            let mut response = json_response(&reply);
            response.body_mut().data = damage.damaged(reply.body.as_ref());
            response
        }
    })
}

fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned()
}

fn query(uri: &Uri) -> BTreeMap<String, String> {
    pairs(uri).collect()
}

/// Returns the names that a query has more than once.
fn repeated(uri: &Uri) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    pairs(uri).map(|(name, _)| name).filter(|name| !seen.insert(name.clone())).collect()
}

/// Returns the response to a request whose body cannot be read.
fn unreadable(error: &(dyn std::error::Error + 'static)) -> Reply {
    if error.is::<LengthLimitError>() {
        return refused(413, "the body of the request is larger than 64 MiB");
    }
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let cause = causes.find_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind);
    refused(
        400,
        match cause {
            Some(io::ErrorKind::UnexpectedEof) => "the body of the request is cut off. Send the whole body",
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                "a chunk of the body is not valid. Send the size of each chunk as a hexadecimal number"
            }
            _ => "the body of the request cannot be read. Send the whole body",
        },
    )
}

/// Returns the field `file` of a form.
async fn file(body: &Bytes, boundary: String) -> multer::Result<Option<Upload>> {
    let body = http_body_util::BodyDataStream::new(http_body_util::Full::new(body.clone()));
    let mut form = multer::Multipart::new(body, boundary);
    let mut file = None;
    while let Some(field) = form.next_field().await? {
        if field.name() == Some("file") {
            let name = field.file_name().unwrap_or_default().to_owned();
            file = Some(Upload { name, content: field.bytes().await? });
        }
    }
    Ok(file)
}

fn language(head: &Parts) -> Language {
    let accepted = head.headers.get_all(ACCEPT_LANGUAGE).iter();
    let accepted: Vec<&str> = accepted.filter_map(|value| value.to_str().ok()).collect();
    Language::of(query(&head.uri).get("lang").map(String::as_str), &accepted.join(","))
}

/// Refuses a method that a page does not allow.
fn refused_method(head: &Parts, allowed: &'static str, why: Text) -> Option<Response<Body>> {
    if allowed.split(", ").any(|method| head.method == method) {
        return None;
    }
    let mut response = html(405, page::notice(language(head), why));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    Some(response)
}

/// Shows the page at `/`.
fn desk(head: &Parts) -> Response<Body> {
    if let Some(refused) = refused_method(head, "GET, HEAD", page::READ) {
        return refused;
    }
    let language = language(head);
    // The page contains no text from outside. The nonce keeps out a script that a later change could let in.
    let nonce = format!("{:032x}", fastrand::u128(..));
    let mut response = protected(html(200, page::desk(language, &nonce)));
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = policy.parse() {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Shows the page of a merchant after a decision on a page.
fn shop(head: &Parts, place: &str, body: &Bytes) -> Response<Body> {
    if let Some(refused) = refused_method(head, "GET, HEAD, POST", page::METHOD) {
        return refused;
    }
    let language = language(head);
    let posted = url::form_urlencoded::parse(body).into_owned();
    let all: BTreeMap<String, String> = query(&head.uri).into_iter().chain(posted).collect();
    let received = all.into_iter().filter(|(name, _)| !["lang", "decision"].contains(&name.as_str()));
    match page::shop(language, place, received) {
        Some(page) => html(200, page),
        None => html(404, page::notice(language, page::UNKNOWN)),
    }
}

/// Keeps other sites from reading or framing a response in a browser.
fn protected(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("cross-origin-resource-policy", "same-origin"),
        ("referrer-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Shows a page, or applies the decision in its submitted form.
fn page(world: &mut World, vendor: &str, token: &str, head: &Parts, body: &Bytes) -> Response<Body> {
    if let Some(refused) = refused_method(head, "GET, HEAD, POST", page::METHOD) {
        return refused;
    }
    let (language, method) = (language(head), &head.method);
    if *method == Method::POST && !Hosts::is_own_site(head) {
        return html(403, page::notice(language, page::SITE));
    }
    let Some(page) = world.page(vendor, token) else { return html(404, page::notice(language, page::UNKNOWN)) };
    if *method == Method::POST
        && let Some(result) = page.closed.as_ref().and_then(|closed| closed.result.as_ref())
    {
        // The second click on the button gets the result of the first.
        return after(result, &page, language, Decision::Agree);
    }
    if page.closed.is_some() || *method != Method::POST {
        return html(if page.closed.is_some() { 410 } else { 200 }, page.render(language));
    }
    let kinds: Vec<String> = head.headers.get_all(CONTENT_TYPE).iter().map(media_type).collect();
    if kinds != ["application/x-www-form-urlencoded"] {
        return html(415, page::notice(language, page::DECISION));
    }
    let decisions = url::form_urlencoded::parse(body).filter(|(name, _)| name == "decision");
    let decisions: Vec<String> = decisions.map(|(_, value)| value.into_owned()).collect();
    let decision = match decisions.as_slice() {
        [one] if one == "agree" => Decision::Agree,
        [one] if one == "cancel" => Decision::Cancel,
        _ => return html(400, page::notice(language, page::DECISION)),
    };
    match world.decide(vendor, token, decision) {
        None => html(404, page::notice(language, page::UNKNOWN)),
        Some(next) => after(&next, &page, language, decision),
    }
}

/// Returns the response to a decision.
fn after(next: &Onward, page: &Page, language: Language, decision: Decision) -> Response<Body> {
    match next {
        Onward::Stay => html(200, page.done(language, decision)),
        Onward::Go(link) => onward(303, link),
        Onward::Post(link) => onward(307, link),
    }
}

fn onward(status: u16, link: &Link) -> Response<Body> {
    let mut response = response(status, Bytes::new());
    // The text of a parsed URL is ASCII, so this conversion does not fail.
    if let Ok(link) = link.as_str().parse() {
        response.headers_mut().insert(LOCATION, link);
    }
    response
}

fn html(status: u16, page: String) -> Response<Body> {
    let mut response = response(status, page.into());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    // A page of the sandbox contains no script, so the policy forbids all scripts.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn json_response(reply: &Reply) -> Response<Body> {
    let body = reply.body.as_ref().map(|body| Bytes::from(body.to_string()));
    let mut response = response(reply.status, body.unwrap_or_default());
    if reply.body.is_some() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some((name, value)) = &reply.header
        && let Ok(value) = value.parse()
    {
        response.headers_mut().insert(name.clone(), value);
    }
    response
}

fn response(status: u16, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body { data: (!body.is_empty()).then_some(body), end: End::Whole });
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Mark the response as one of the sandbox, so that nobody takes it for the vendor's response.
    response.headers_mut().insert(SERVER, HeaderValue::from_static("mandat-sandbox"));
    response
}

/// A body of a response in one piece. The connection may break off after the body.
#[derive(Clone)]
struct Body {
    data: Option<Bytes>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    BreaksOff,
    /// The data has been sent, and the connection breaks off now.
    BreaksOffNow,
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::BreaksOff => {
                // Return `Pending` once, because the server flushes the data before it polls again.
                self.end = End::BreaksOffNow;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::BreaksOffNow => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        // Give no length for a body that breaks off, so that the server does not send a `Content-Length`.
        match &self.data {
            _ if self.end != End::Whole => SizeHint::default(),
            data => SizeHint::with_exact(data.as_ref().map_or(0, |data| data.len() as u64)),
        }
    }
}
