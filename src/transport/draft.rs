//! A request that is being built. It takes the caller's values one by one, and reports all invalid values in one error.

use super::{
    OperationSpec, Request, Sent, Vendor,
    connections::{Body, without_certificates},
    encode_path,
    path::fill,
    path_fault,
    repeats::{Expected, in_body},
};
use crate::wire::{Masked, required};
use bytes::Bytes;
use hyper::http::uri::PathAndQuery;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    multipart::{Form, Part},
};
use serde::Serialize;
use serde_json::Value;
use std::{borrow::Cow, sync::LazyLock};
use url::form_urlencoded::Serializer;

/// A request. The error lists every invalid value.
pub(crate) type Built = Result<Request, String>;

pub(crate) struct Draft {
    pub(super) operation: &'static OperationSpec,
    /// The path below the base URL, with parameters such as `{id}`.
    pub(super) template: Cow<'static, str>,
    pub(super) path: String,
    query: Serializer<'static, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Bytes>,
    form: Option<Form>,
    expected: Expected,
    faults: Vec<String>,
}

/// The space for ids and a query behind a path, in bytes. Longer ones cost one more allocation.
const ROOM: usize = 96;

impl Draft {
    pub fn new(vendor: &impl Vendor, operation: &'static OperationSpec) -> Self {
        Self::at(vendor, operation, operation.path.into())
    }

    /// Starts a request of the operation to another path.
    pub fn at(vendor: &impl Vendor, operation: &'static OperationSpec, template: Cow<'static, str>) -> Self {
        let transport = vendor.transport();
        let mut draft = Self {
            operation,
            template,
            path: String::new(),
            query: Serializer::new(String::new()),
            headers: HeaderMap::new(),
            body: None,
            form: None,
            expected: Expected::new(),
            faults: Vec::new(),
        };
        if let Some(base) = draft.unless_fault(transport.base_path(operation)) {
            draft.path.reserve(base.len() + draft.template.len() + ROOM);
            draft.path.extend([&*base, &draft.template]);
        }
        draft
    }

    pub(super) fn fault(&mut self, fault: Option<String>) {
        self.faults.extend(fault);
    }

    fn unless_fault<T>(&mut self, value: Result<T, String>) -> Option<T> {
        value.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// Converts a value to text. Returns `None` if the value is absent or invalid.
    fn text<T: Serialize>(&mut self, value: Result<Option<T>, String>) -> Option<String> {
        let value = match value {
            Ok(Some(value)) => serde_json::to_value(value),
            Ok(None) => return None,
            Err(fault) => {
                self.faults.push(fault);
                return None;
            }
        };
        match value {
            Ok(Value::String(text)) => Some(text),
            Ok(other) => Some(other.to_string()),
            Err(_) => {
                self.faults.push("a value cannot be written as JSON".into());
                None
            }
        }
    }

    /// Keeps a value if the response has to repeat it.
    fn expect(&mut self, is_sent: impl Fn(&Sent) -> bool + Copy, text: String) {
        let places = self.operation.repeats.iter().filter(|(_, sent)| is_sent(sent)).map(|(place, _)| *place);
        self.expected.extend(places.clone().zip(std::iter::repeat_n(text, places.count())));
    }

    /// Sets an id in the path. `key` is the name of the parameter in the path of the spec, `name` its name in Rust.
    pub fn path<T: Serialize>(mut self, key: &str, name: &str, value: Result<T, String>) -> Self {
        if let Some(id) = self.text(value.map(Some)) {
            self.id(key, name, id);
        }
        self
    }

    fn id(&mut self, key: &str, name: &str, id: String) {
        match path_fault(&id) {
            Some(fault) => self.faults.push(format!("`{name}` {fault}. Use the id from the vendor")),
            None => {
                fill(&mut self.path, key, &encode_path(&id));
                self.expect(|sent| matches!(sent, Sent::Path(name) if *name == key), id);
            }
        }
    }

    pub fn query<T: Serialize>(mut self, key: &str, value: Result<Option<T>, String>) -> Self {
        if let Some(text) = self.text(value) {
            self.pair(key, text);
        }
        self
    }

    fn pair(&mut self, key: &str, text: String) {
        self.query.append_pair(key, &text);
        self.expect(|sent| matches!(sent, Sent::Query(name) if *name == key), text);
    }

    pub fn header<T: Serialize>(mut self, key: &str, name: &str, value: Result<Option<T>, String>) -> Self {
        if let Some(text) = self.text(value) {
            self.line(key, name, text);
        }
        self
    }

    fn line(&mut self, key: &str, name: &str, text: String) {
        let value = HeaderValue::try_from(&text);
        self.expect(|sent| matches!(sent, Sent::Header(name) if *name == key), text);
        match (HeaderName::try_from(key), value) {
            (Ok(key), Ok(value)) => drop(self.headers.append(key, value)),
            _ => self.faults.push(format!("`{name}` has a character that HTTP does not allow. Remove it")),
        }
    }

    pub fn json<T: Serialize>(mut self, body: Result<T, String>) -> Self {
        let json = |body| {
            serde_json::to_vec(&body).map(Bytes::from).map_err(|_| "the body cannot be written as JSON".to_owned())
        };
        self.body = self.unless_fault(body.and_then(json));
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }

    /// Adds a file to the form. The file is masked in `Debug` output, because its name may be personal data.
    pub fn file(mut self, key: &'static str, file: Result<Masked<Part>, String>) -> Self {
        if let Some(Masked(part)) = self.unless_fault(file) {
            self.form = Some(self.form.take().unwrap_or_default().part(key, part));
        }
        self
    }

    pub fn build(mut self) -> Built {
        if !self.faults.is_empty() {
            return Err(self.faults.join("; "));
        }
        let unbuilt = || "the request cannot be built".to_owned();
        let method = Method::from_bytes(self.operation.method.as_bytes()).map_err(|e| e.to_string())?;
        let (query, mut target) = (self.query.finish(), self.path);
        if !query.is_empty() {
            target.extend(["?", &query]);
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target)).map_err(|_| unbuilt())?;
        let (headers, body) = (self.headers, self.body.unwrap_or_default());
        let mut expected = self.expected;
        expected.extend(in_body(self.operation, &body));
        let (body, template) = (Body::Bytes(body), self.template);
        let mut request = Request { method, target, template, headers, body, expected };
        if let Some(form) = self.form {
            let (headers, body) = encode(form).ok_or_else(unbuilt)?;
            request.headers.extend(headers);
            request.body = Body::Stream(body);
        }
        Ok(request)
    }
}

/// Returns the headers and the body of a form. reqwest can write a form only as a part of a request.
fn encode(form: Form) -> Option<(HeaderMap, reqwest::Body)> {
    static WRITER: LazyLock<Option<reqwest::Client>> =
        LazyLock::new(|| without_certificates(reqwest::Client::builder()).build().ok());
    let mut request = WRITER.as_ref()?.post("http://form.invalid").multipart(form).build().ok()?;
    let body = request.body_mut().take()?;
    Some((std::mem::take(request.headers_mut()), body))
}

/// Makes the part of a multipart form that contains a file. `field` names this part in error messages.
pub(crate) fn file_part(
    field: &str,
    name: impl Into<String>,
    content: impl Into<reqwest::Body>,
) -> Result<Masked<Part>, String> {
    let name = required::<String>(name.into(), field)?;
    if name.is_empty() {
        return Err(format!("`{field}` is not valid: its name is empty. Name the file, for example `invoice.pdf`"));
    }
    Ok(Masked(Part::stream(content).file_name(name)))
}
