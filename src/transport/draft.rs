//! A request that is being built. It takes the caller's values one by one, and reports all invalid values in one error.

use super::{OperationSpec, Transport, Vendor, encode_path, path_fault};
use crate::wire::{Masked, required};
use reqwest::{
    Body, Method, Request,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    multipart::{Form, Part},
};
use serde::Serialize;
use serde_json::Value;

/// A request. The error lists every invalid value.
pub(crate) type Built = Result<Request, String>;

pub(crate) struct Draft<'a> {
    transport: &'a Transport,
    operation: &'static OperationSpec,
    path: String,
    query: Vec<(&'static str, String)>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    form: Option<Form>,
    faults: Vec<String>,
}

impl<'a> Draft<'a> {
    pub fn new(vendor: &'a impl Vendor, operation: &'static OperationSpec) -> Self {
        let transport = vendor.transport();
        let mut draft = Self {
            transport,
            operation,
            path: String::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            form: None,
            faults: Vec::new(),
        };
        if let Some(base) = draft.unless_fault(transport.base_path(operation)) {
            draft.path = format!("{base}{}", operation.path);
        }
        draft
    }

    fn unless_fault<T>(&mut self, value: Result<T, String>) -> Option<T> {
        value.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// Converts a value to text. Returns `None` if the value is absent or invalid.
    fn text<T: Serialize>(&mut self, value: Result<Option<T>, String>) -> Option<String> {
        let json = |value: T| serde_json::to_value(value).map_err(|_| "a value cannot be written as JSON".to_owned());
        let value = self.unless_fault(value.and_then(|value| value.map(json).transpose()))??;
        Some(match value {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }

    /// Sets an id in the path. `key` is the name of the parameter in the path of the spec, `name` its name in Rust.
    pub fn path<T: Serialize>(mut self, key: &str, name: &str, value: Result<T, String>) -> Self {
        let Some(id) = self.text(value.map(Some)) else { return self };
        match path_fault(&id) {
            Some(fault) => self.faults.push(format!("`{name}` {fault}. Use the id from the vendor")),
            // An encoded id contains no braces, so it is never mistaken for another parameter of the path.
            None => self.path = self.path.replacen(&format!("{{{key}}}"), &encode_path(&id), 1),
        }
        self
    }

    pub fn query<T: Serialize>(mut self, key: &'static str, value: Result<Option<T>, String>) -> Self {
        let text = self.text(value);
        self.query.extend(text.map(|text| (key, text)));
        self
    }

    pub fn header<T: Serialize>(mut self, key: &'static str, name: &str, value: Result<Option<T>, String>) -> Self {
        let Some(text) = self.text(value) else { return self };
        match (HeaderName::try_from(key), HeaderValue::try_from(text)) {
            (Ok(key), Ok(value)) => drop(self.headers.append(key, value)),
            _ => self.faults.push(format!("`{name}` has a character that HTTP does not allow. Remove it")),
        }
        self
    }

    pub fn json<T: Serialize>(mut self, body: Result<T, String>) -> Self {
        let json = |body| serde_json::to_vec(&body).map_err(|_| "the body cannot be written as JSON".to_owned());
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

    pub fn build(self) -> Built {
        if !self.faults.is_empty() {
            return Err(self.faults.join("; "));
        }
        let unbuilt = |_| "the request cannot be built".to_owned();
        let method = Method::from_bytes(self.operation.method.as_bytes()).map_err(|e| e.to_string())?;
        // Only the path and the query of the base URL change.
        let mut url = self.transport.base.clone();
        url.set_path(&self.path);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(self.query);
        }
        let mut request = match self.form {
            Some(form) => {
                self.transport.connections.client().request(method, url).multipart(form).build().map_err(unbuilt)?
            }
            None => Request::new(method, url),
        };
        request.headers_mut().extend(self.headers);
        *request.body_mut() = match self.body {
            Some(json) => Some(json.into()),
            None => request.body_mut().take(),
        };
        Ok(request)
    }
}

/// Makes the part of a multipart form that contains a file. `field` names this part in error messages.
pub(crate) fn file_part(
    field: &str,
    name: impl Into<String>,
    content: impl Into<Body>,
) -> Result<Masked<Part>, String> {
    let name = required::<String>(name.into(), field)?;
    if name.is_empty() {
        return Err(format!("`{field}` is not valid: its name is empty. Name the file, for example `invoice.pdf`"));
    }
    Ok(Masked(Part::stream(content).file_name(name)))
}
